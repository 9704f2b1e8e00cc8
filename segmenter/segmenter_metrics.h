/* The segmenter's metrics as Prometheus text. */
#ifndef HINDCAST_SEGMENTER_METRICS_H
#define HINDCAST_SEGMENTER_METRICS_H

#include "rewind/heal.h"
#include "segmenter/input/icecast_listener.h"
#include "segmenter/station.h"

struct segmenter_parts {
	struct station *stations;
	unsigned station_count;
	const struct frame_pool *pool;
	const struct icecast_listener_counters *listener; /* NULL: there is none */
	const struct journal_counters *journal;
	const struct heal_counters *heal; /* NULL: there is no peer */
	const struct timebase *timebase;
};

/* Counters that workers write while they run are read without a lock: each is one aligned word. */
void segmenter_metrics_write(const struct segmenter_parts *parts, struct text *out);

#endif
