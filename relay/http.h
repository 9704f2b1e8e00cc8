/* The relay's HTTP: PUT /rtp in, GET /rtp out, /metrics, /healthz.
 *
 * Bodies of /rtp are packets in the framing of RFC 4571, without end. A length of 0 is sent to a reader when he has all
 * of the history that he asked for, and when a second had nothing else, so that either side sees when the other is
 * gone. A reader that can take no more is left behind by the ring: once it was live it may be `reader_queue` behind,
 * else as far as the ring reaches; then it is hung up on.
 */
#ifndef HINDCAST_RELAY_HTTP_H
#define HINDCAST_RELAY_HTTP_H

#include <stdbool.h>
#include <uv.h>

#include "base/clock.h"

struct relay;
struct relay_plan;
struct text;
struct http;

struct http_counters {
	uint64_t readers, publishers; /* gauges */
	uint64_t readers_came, readers_slow, readers_refused, read_bytes;
	uint64_t publishers_came, publishers_refused, publishers_broken;
};

/* What the program around it does; all borrow `ctx`. */
struct http_calls {
	void (*arrived)(void *ctx); /* packets came by PUT */
	void (*metrics)(void *ctx, struct text *out);
	bool (*healthy)(void *ctx, struct text *why);
	void *ctx;
};

/* Listen. 0, or -1 with a line in `errors`. `relay` and `plan` are borrowed. */
int http_open(uv_loop_t *loop, struct relay *relay, const struct relay_plan *plan, const struct http_calls *calls,
    struct http **out, struct text *errors);
/* Hangs up on all and begins to close; the loop ends it. */
void http_close(struct http **h);

/* Give the readers what has come since. */
void http_flush(struct http *h);
/* Call it every second: readers that had nothing get a sign of life. */
void http_second(struct http *h);

const struct http_counters *http_counters(const struct http *h);
bool http_full(const struct http *h);

#endif
