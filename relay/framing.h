/* Packets in a byte stream (RFC 4571 section 2): each behind its length in two bytes, big endian. No I/O, no heap. */
#ifndef HINDCAST_FRAMING_H
#define HINDCAST_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include "relay/rtp.h"

#define FRAMING_HEADER 2

/* Reads packets of 1 to RTP_RECEIVE_MAX bytes from pieces of any size. */
struct framing {
	uint8_t data[FRAMING_HEADER + RTP_RECEIVE_MAX];
	size_t have;
	/* counters, readable by all */
	uint64_t packets, empty; /* empty: packets of length 0, which are allowed and skipped */
};

enum framing_result {
	FRAMING_MORE,          /* all bytes were taken, more are needed */
	FRAMING_PACKET,        /* *packet and *packet_len are one packet */
	FRAMING_TOO_LONG = -1, /* the stream says that a packet is longer than RTP_RECEIVE_MAX: close it */
};

void framing_init(struct framing *f);

/* Take bytes from *data, which is moved on behind what was taken, as is *len; call again until FRAMING_MORE. *packet
 * points into *f or into the caller's bytes and holds until the next call. After FRAMING_TOO_LONG the reader is of no
 * further use. */
enum framing_result framing_next(
    struct framing *f, const uint8_t **data, size_t *len, const uint8_t **packet, size_t *packet_len);

/* The two bytes before a packet; len at most 65535. */
void framing_write(size_t len, uint8_t out[static FRAMING_HEADER]);

#endif
