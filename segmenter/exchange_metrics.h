/* Metrics of [publish], [subscribe] and inputs of type = rtp. */
#ifndef HINDCAST_EXCHANGE_METRICS_H
#define HINDCAST_EXCHANGE_METRICS_H

#include "base/metrics.h"
#include "relay/publish.h"
#include "relay/subscribe.h"

struct segmenter_parts;

/* What the sources below show one after the other. */
struct exchange_view {
	const struct segmenter_parts *parts;
	struct publish_destination_counters destination;
	struct subscribe_path_counters path;
	char labels[400];
};

#define EXCHANGE_SOURCES 5
/* `v` is the caller's, and is used while the sources are. */
void exchange_metrics(
    struct exchange_view *v, const struct segmenter_parts *parts, struct metric_source out[static EXCHANGE_SOURCES]);

#endif
