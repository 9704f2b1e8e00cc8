/* What the relay does with a packet, whichever way it came: who sends it, which source it belongs to, whether it is
 * new. No I/O: `now` and `wall` come from the caller. The relay reads RTP's header and extensions 1 to 3 and never the
 * payload, so it needs no key and understands no audio. */
#ifndef HINDCAST_RELAY_H
#define HINDCAST_RELAY_H

#include "relay/network.h"
#include "relay/ring.h"
#include "relay/sources.h"

/* Why a packet was dropped. */
enum relay_drop {
	DROP_NETWORK,   /* the sender is not in `allow` */
	DROP_SENDERS,   /* more senders than there may be */
	DROP_RATE,      /* the sender is faster than `max_rate` */
	DROP_OVERSIZED, /* longer than RING_PACKET_MOST */
	DROP_MALFORMED, /* no RTP */
	DROP_RTCP,      /* RFC 5761: control packets are not passed on */
	DROP_SOURCES,   /* more sources than there may be */
	DROP_MEMORY,    /* the system has none */
	DROP_REASONS,
};
const char *relay_drop_name(enum relay_drop reason);

struct relay_options {
	struct network_list allow;
	struct sources_limits limits;
	int64_t history_ns;
	size_t memory;
};

struct relay_counters {
	uint64_t packets, bytes; /* taken in */
	uint64_t copies;         /* of packets that are in the ring */
	uint64_t collisions;     /* sources that were given two names */
	uint64_t dropped[DROP_REASONS];
};

struct relay {
	struct relay_options options;
	struct sources sources;
	struct ring ring;
	struct relay_counters counters;
};

/* 0, or -1 without memory. */
int relay_init(struct relay *r, const struct relay_options *options, uint64_t seed);
/* There may be no readers any more. */
void relay_fini(struct relay *r);

/* May this address send? Counts a packet dropped if not. */
bool relay_allows(struct relay *r, const struct in6_addr *address);
/* The sender of this key; NULL (counted) when there are too many. */
struct sender *relay_sender(struct relay *r, const struct sender_key *key, struct mono now);

/* Take in one packet. `wall` is the present, for packets that carry no time. True if it was new. */
bool relay_take(
    struct relay *r, struct sender *sender, const uint8_t *bytes, size_t len, struct mono now, struct wall wall);
void relay_drop(struct relay *r, enum relay_drop reason);

/* Let go what has become old. Call it a few times a second. */
void relay_age(struct relay *r, struct mono now);

/* "udp 192.0.2.1", "put ::1", "relay 2". */
#define SENDER_TEXT_SIZE 64
const char *sender_text(const struct sender *d, char text[static SENDER_TEXT_SIZE]);

#endif
