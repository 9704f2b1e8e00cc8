/* Taking everything from other relays: GET /rtp by libcurl, again and again with back-off. */
#ifndef HINDCAST_PULL_H
#define HINDCAST_PULL_H

#include <stdint.h>
#include <uv.h>

struct relay;
struct relay_plan;
struct text;
struct pull;

struct pull_counters {
	uint64_t up; /* gauge: relays that are connected */
	uint64_t connects, connect_errors, disconnects;
};

/* Pull from each relay of the plan, which is borrowed like `relay`. `arrived(ctx)` is called after packets came. 0, or
 * -1 with a line in `errors`. */
int pull_open(uv_loop_t *loop, struct relay *relay, const struct relay_plan *plan, void (*arrived)(void *ctx),
    void *ctx, struct pull **out, struct text *errors);
/* Begins to close; the loop ends it. */
void pull_close(struct pull **p);
/* Call it every second: begins what is due, gives up what is silent. */
void pull_second(struct pull *p);

const struct pull_counters *pull_counters(const struct pull *p);

#endif
