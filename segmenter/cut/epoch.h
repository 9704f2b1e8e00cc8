/* When all renditions of a station begin a new time line together.
 *
 * Variants must have matching timestamps and discontinuity numbers (RFC 8216 6.2.4), so a station anchors its
 * renditions anew at one segment number in all of them: for a change of format in any of them, and when their PTS have
 * come apart by more than 90 ms (encoders on different clocks). What the entries of segment k say is done at k + 2, so
 * everybody who reads the same entries decides alike. */
#ifndef HINDCAST_EPOCH_H
#define HINDCAST_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

#define EPOCH_RENDITIONS 32
#define EPOCH_DEPTH 4

struct epoch {
	struct epoch_report {
		uint64_t msn;
		int64_t offset; /* PTS - wall time at the segment's begin, 90 kHz ticks modulo 2^33, in [0, 2^33) */
		bool has_offset, pending;
	} reports[EPOCH_RENDITIONS][EPOCH_DEPTH];
	struct {
		uint64_t msn;
		bool yes;
	} decided[EPOCH_DEPTH];
	uint64_t count; /* epochs begun, since the station's first segment: its discontinuity number */
};

void epoch_init(struct epoch *e);
/* A rendition in the store has come to this discontinuity number. */
void epoch_resume(struct epoch *e, uint64_t count);
/* Segment `msn` of a rendition is complete. `offset` < 0: it is a gap and has none. `pending`: a source of another
 * format waits. */
void epoch_report(struct epoch *e, unsigned rendition, uint64_t msn, int64_t offset, bool pending);
/* Does segment `msn` begin a new time line? The first answer for a number is kept. */
bool epoch_at(struct epoch *e, uint64_t msn);
/* The offset that the station's renditions have at the moment, for one that joins; false when there is none yet. */
bool epoch_offset(const struct epoch *e, int64_t *offset);

#endif
