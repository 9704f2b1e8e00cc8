/* The last packets of all sources, in the order of their arrival, and the readers of them.
 *
 * A packet leaves when it is older than `history`, or when `memory` is used up: then the account that holds the most
 * bytes gives its oldest. Each sender has an account for its established sources; all fresh ones share one. So whoever
 * floods pushes out what is his own.
 *
 * A packet is kept once: another with the same SSRC and index, while the first is in the ring, is a copy (SMPTE 2022-7,
 * RFC 7198). The index is extension 2's, else the sequence number extended to 64 bits. */
#ifndef HINDCAST_RING_H
#define HINDCAST_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "relay/rtp.h"
#include "relay/sources.h"

#define RING_PACKET_MOST RTP_RECEIVE_MAX /* bytes of one packet */

/* A packet as it came; the bytes are borrowed. */
struct ring_arrival {
	const uint8_t *bytes;
	uint16_t len;   /* at most RING_PACKET_MOST */
	uint64_t index; /* in the run, or the extended sequence number */
	int64_t wall;   /* ns: extension 1's, else of its arrival */
	bool intro;     /* names its rendition and format: what a reader needs first */
};

struct ring_counters {
	uint64_t packets, bytes; /* gauges: in the ring; bytes of memory, all overhead counted */
	uint64_t aged, evicted;  /* packets that left by age, by lack of memory */
};

struct ring {
	int64_t history_ns;
	size_t memory;
	struct packet *first, *last;
	struct packet **buckets;
	uint64_t bucket_mask, seed;
	uint64_t appended; /* bytes that ever came in, as readers are sent them */
	struct account fresh;
	struct ring_stretch *first_stretch, *last_stretch;
	struct ring_reader *readers, *waiting;
	const struct sources *sources;
	struct ring_counters counters;
};

/* `sources` is borrowed. 0, or -1 without memory. */
int ring_init(struct ring *r, const struct sources *sources, int64_t history_ns, size_t memory, uint64_t seed);
/* There may be no readers any more. */
void ring_fini(struct ring *r);

enum ring_result { RING_TAKEN, RING_COPY, RING_NO_MEMORY };

/* Keep a copy of the packet and give it to the readers. `sender` pays for it unless the source is fresh. */
enum ring_result ring_add(
    struct ring *r, struct sender *sender, struct source *source, const struct ring_arrival *a, struct mono now);

/* Let go what is older than the history. */
void ring_expire(struct ring *r, struct mono now);

/* Wall time (ns) of the oldest packet, as it stands in it; false when the ring is empty. */
bool ring_oldest_wall(const struct ring *r, int64_t *wall);

/* The renditions that a reader wants: source_mid_hash() of each, ascending; none: everything. */
struct ring_filter {
	const uint64_t *mids; /* borrowed */
	unsigned count;
};

/* One reader, in the caller's memory. All fields are private but those marked. */
struct ring_reader {
	struct packet *next; /* that it has not read; NULL at the end */
	struct ring_filter filter;
	uint8_t *intro; /* framed packets to be sent first; owned */
	size_t intro_len, intro_at, intro_size;
	bool waiting;
	bool live;    /* readable: it has once had everything */
	bool overrun; /* readable: the ring let go of what it had not read */
	struct ring_reader *other_before, *other_after, *next_waiting;
};

#define RING_LIVE INT64_MAX /* as `since`: nothing of the past */

/* Begin to read: first the newest intro of every source that is wanted and had packets at or after `since` (wall, ns);
 * then, in the order of arrival, everything from the first packet at or after `since` on. An intro may come a second
 * time, as the packet that it is. 0, or -1 without memory. */
int ring_reader_begin(struct ring *r, struct ring_reader *reader, int64_t since, const struct ring_filter *filter);
void ring_reader_end(struct ring *r, struct ring_reader *reader);
/* Whole packets in the framing of RFC 4571, as many as fit; 0 when it has read everything (or is overrun). `size` is at
 * least RING_PACKET_MOST + 2. */
size_t ring_read(struct ring *r, struct ring_reader *reader, uint8_t *out, size_t size);
/* Bytes that came after what it has read, wanted or not. */
uint64_t ring_reader_behind(const struct ring *r, const struct ring_reader *reader);

#endif
