/* An endless PUT /rtp to a relay: packets in the framing of RFC 4571.
 *
 * Packets are kept in a bounded queue. After a connection was lost the new one begins with what was sent in the last
 * seconds, for nobody knows how much of it arrived; the relay drops what it has already. */
#ifndef HINDCAST_UPLOAD_H
#define HINDCAST_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "relay/transfer.h"

#define UPLOAD_MEMORY (8u << 20)    /* bytes of the queue */
#define UPLOAD_KEPT (10 * NS_PER_S) /* how long a packet is kept */

struct upload_counters {
	uint64_t packets, bytes; /* handed to the connection, in the first place or again */
	uint64_t dropped;        /* packets that found the queue full, or were not sent within UPLOAD_KEPT */
	uint64_t queued;         /* gauge: bytes that wait */
};

struct upload;

/* 0 with *out owned by the caller, or -1 with a line in `errors`. */
int upload_open(const char *url, const char *ca_file, struct upload **out, struct text *errors);
/* What waits is tried once more. */
void upload_close(struct upload **u);

/* Put a packet, at most RTP_RECEIVE_MAX bytes, at the end of the queue. */
void upload_packet(struct upload *u, struct mono now, const uint8_t *packet, size_t len);
/* Once a tick: connect, send. */
void upload_tick(struct upload *u, struct mono now);

const struct upload_counters *upload_counters(const struct upload *u);
const struct transfer_counters *upload_transfer(const struct upload *u);

#endif
