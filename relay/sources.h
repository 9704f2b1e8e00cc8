/* Who sends, and which streams (SSRCs): bounded tables that made-up names cannot push real ones out of.
 *
 * A source is fresh until it has sent SOURCE_PACKETS over SOURCE_AGE; then it is established. When a sender has as many
 * sources as it may, room for another is made of its own: of the fresh one that was silent longest, else of an
 * established one that was silent for SOURCE_SILENT, else the other is refused. When all senders together have as many
 * as there may be, the sender with the most fresh ones gives up one. A full table of senders makes room of the one
 * without established source that was silent longest. So a flood of forged SSRCs or addresses turns over among itself.
 */
#ifndef HINDCAST_SOURCES_H
#define HINDCAST_SOURCES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define SOURCE_PACKETS 16
#define SOURCE_AGE (500 * NS_PER_MS)
#define SOURCE_SILENT (10 * NS_PER_S)

/* Packets that count against the same share of memory, in the order of their arrival. */
struct account {
	struct packet *first, *last;
	uint64_t bytes;
};

enum sender_kind { SENDER_UDP, SENDER_PUT, SENDER_PULL };

/* What makes a sender: the address (not the port), and for SENDER_PULL the number of the relay in the configuration. */
struct sender_key {
	enum sender_kind kind;
	unsigned number;
	struct in6_addr address;
};

struct source_list {
	struct source *first, *last;
};

struct sender {
	struct sender_key key;
	struct mono heard;
	unsigned open; /* connections that send: it stays while there are any */
	struct account account;
	struct source_list fresh, established; /* silent longest first */
	unsigned sources, fresh_count;
	int64_t tokens; /* packets that it may send now, in 1/NS_PER_S */
	struct mono filled;
	struct sender *next; /* in its bucket */
	struct sender *older, *newer;
};

struct source {
	uint32_t ssrc;
	struct sender *sender; /* that sent it first; NULL: pushed out, goes with its last packet */
	bool established, live;
	bool collided;     /* named differently at times: two runs drew one SSRC. It passes every filter */
	uint64_t mid;      /* source_mid_hash() of its name; 0 while it is not known */
	char *name;        /* "fip.hifi", NULL while it is not known; owned */
	uint64_t packets;  /* in the ring */
	uint64_t received; /* that were no copies */
	uint64_t high;     /* highest extended sequence number (RFC 3550 A.1), for packets without a position */
	bool has_high;
	struct mono began, heard;
	int64_t last_wall;         /* ns, of the newest packet */
	struct packet_copy *intro; /* the newest packet that names the run and its format; the ring's */
	struct source *next;       /* in its bucket */
	struct source *older, *newer;
};

/* A packet outside the ring. */
struct packet_copy {
	uint16_t len;
	uint8_t bytes[];
};

struct sources_limits {
	unsigned senders, sources, sources_per_sender;
	int64_t rate; /* packets per second and sender */
};

struct sources {
	struct sources_limits limits;
	struct source **source_buckets;
	struct sender **sender_buckets;
	unsigned source_mask, sender_mask;
	unsigned source_count, sender_count;
	uint64_t seed;
	struct sender *oldest, *newest;
	uint64_t pushed_out; /* sources that made room */
};

/* `seed` keeps senders from choosing what falls into one bucket. 0, or -1 without memory. */
int sources_init(struct sources *s, const struct sources_limits *limits, uint64_t seed);
/* No packet of any source may be left. */
void sources_fini(struct sources *s);

/* The sender of this key, entered if it is new; NULL when the table is full of better ones or without memory. */
struct sender *sources_sender(struct sources *s, const struct sender_key *key, struct mono now);
/* Take one packet of the sender's rate; false when it sends too fast. */
bool sources_may_send(struct sources *s, struct sender *sender, struct mono now);

/* The source of this SSRC, entered as the sender's if it is new; NULL when there is no room or memory. */
struct source *sources_enter(struct sources *s, struct sender *sender, uint32_t ssrc, struct mono now);
struct source *sources_find(const struct sources *s, uint32_t ssrc);
/* A packet of it came that is no copy. */
void sources_heard(struct sources *s, struct source *source, struct mono now);
/* The ring has no packet of it any more: frees it if it was pushed out. */
void sources_emptied(struct source *source);

/* Called about once a second: forget senders and sources that have nothing in the ring and were silent. `ended` is told
 * each established source that was live and has been silent for SOURCE_SILENT. */
void sources_sweep(struct sources *s, struct mono now, void (*ended)(void *ctx, struct source *source), void *ctx);

/* Walk over all sources: the first for NULL. */
struct source *sources_next(const struct sources *s, const struct source *after);

/* A number that stands for a name; never 0. */
uint64_t source_mid_hash(const void *name, size_t len);

#endif
