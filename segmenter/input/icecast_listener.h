/* What the source listener counts; it is opened and closed through transport.h. */
#ifndef HINDCAST_ICECAST_LISTENER_H
#define HINDCAST_ICECAST_LISTENER_H

#include <stdint.h>

#include "base/metrics.h"
#include "segmenter/input/transport.h"

struct icecast_listener_counters {
	uint64_t connections;
	uint64_t sources;     /* handed to a mount */
	uint64_t refused;     /* answered with a status of 400 and above, or "invalid password" */
	uint64_t bad_heads;   /* of these: bytes that are no request */
	uint64_t timeouts;    /* heads that did not come in time */
	uint64_t crowded_out; /* closed for a newer one when there were max_connections */
};

#define ICECAST_LISTENER_METRICS 6
extern const struct metric icecast_listener_metrics[ICECAST_LISTENER_METRICS];

const struct icecast_listener_counters *icecast_listener_counters(const struct icecast_listener *l);

/* The port that it listens on; Shoutcast v1 sources on the one after it. */
uint16_t icecast_listener_port(const struct icecast_listener *l);

#endif
