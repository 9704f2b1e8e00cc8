/* Packets out by UDP, unicast or multicast, over IPv4 or IPv6. Names are looked up in the background, again with
 * back-off when that fails and when packets cannot be sent; what cannot be sent is counted and never an end. */
#ifndef HINDCAST_UDP_OUT_H
#define HINDCAST_UDP_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <uv.h>

#include "base/address.h"
#include "base/clock.h"
#include "relay/endpoint.h"

struct udp_out_counters {
	uint64_t up; /* gauge: 1 while its address is known */
	uint64_t packets, bytes;
	uint64_t errors;  /* packets that the system refused: nobody listens there, no route */
	uint64_t dropped; /* packets while there was no address, or the socket was full */
	uint64_t lookup_errors;
};

struct udp_out;

/* `interface` (may be NULL) and `ttl` are for multicast. NULL without memory. */
struct udp_out *udp_out_new(uv_loop_t *loop, const struct endpoint *to, const char *interface, int ttl);
/* Begins to close; the loop ends it. */
void udp_out_close(struct udp_out **o);

void udp_out_tick(struct udp_out *o, struct mono now);
/* Send packets, which stay the caller's, with as few system calls as can be. */
void udp_out_send(struct udp_out *o, const struct iovec *packets, unsigned n);

/* Where it sends: NULL while that is not known. */
const struct sockaddr_storage *udp_out_address(const struct udp_out *o);
const struct udp_out_counters *udp_out_counters(const struct udp_out *o);

#endif
