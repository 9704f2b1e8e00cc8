/* The relay's UDP sockets, unicast and multicast: packets are read many at a time. */
#ifndef HINDCAST_UDP_H
#define HINDCAST_UDP_H

#include <uv.h>

#include "base/clock.h"

struct relay;
struct relay_plan;
struct text;
struct udp;

/* Open the sockets of the plan. `readable(ctx)` is called from the loop once after each udp_watch(), when packets wait;
 * udp_drain() takes them. 0, or -1 with a line in `errors`. `relay` is borrowed. */
int udp_open(uv_loop_t *loop, struct relay *relay, const struct relay_plan *plan, void (*readable)(void *ctx),
    void *ctx, struct udp **out, struct text *errors);
/* Begins to close; the loop ends it. */
void udp_close(struct udp **u);

/* Read what waits, at most some thousand packets a socket. The number of packets. */
unsigned udp_drain(struct udp *u, struct mono now, struct wall wall);
/* Wait for more. */
void udp_watch(struct udp *u);

/* Packets that the kernel dropped because they were not read in time. */
uint64_t udp_overflows(const struct udp *u);

#endif
