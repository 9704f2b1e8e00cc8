/* /metrics and /healthz of the relay. */
#ifndef HINDCAST_REPORT_H
#define HINDCAST_REPORT_H

#include <stdbool.h>

#include "base/clock.h"

struct http;
struct pull;
struct relay;
struct text;
struct udp;

/* What is reported on; all borrowed. */
struct report {
	struct relay *relay;
	const struct udp *udp;
	const struct http *http;
	const struct pull *pull;
};

/* Prometheus text. */
void report_metrics(const struct report *r, struct mono now, struct text *out);
/* Does anything come in, and is there room for readers? Else false, with a line in `why`. */
bool report_healthy(const struct report *r, struct text *why);

#endif
