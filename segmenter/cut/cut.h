/* Cut: slots in, segments out. A segment's frames are those whose grid number is its own; PTS counts exact samples from
 * an anchor. */
#ifndef HINDCAST_CUT_H
#define HINDCAST_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "media/segment.h"
#include "segmenter/cut/epoch.h"
#include "segmenter/frame.h"
#include "segmenter/merge/merge.h"

/* A segment, being filled or complete. */
struct segment {
	struct segment *next; /* for the queue that it waits in */
	uint64_t msn;
	bool gap; /* no media: everything below is empty */
	bool discontinuity, pending;
	uint64_t station_sequence; /* discontinuity number of the station from here */
	struct audio_format format;
	struct wall start;   /* of its first sample */
	struct ticks anchor; /* PTS of sample 0 of the time line */
	uint64_t sample;     /* first frame's count from there */
	uint64_t samples, audio_bytes, fill;
	struct frame *frames;
	uint32_t count, size;
	uint32_t journalled; /* how many frames the journal has */
};

void segment_free(struct segment **s);
/* Wall time after its last sample. */
struct wall segment_end(const struct segment *s);
/* What a torn journal lacks of `s`, which `next` followed on the same time line, becomes silence: PTS go on exactly.
 * Number of frames put in. */
uint32_t segment_mend(struct segment *s, const struct segment *next, struct frame_pool *pool);

struct cut {
	struct epoch *epoch; /* of the station, borrowed */
	unsigned rendition;  /* index in it */
	struct segment *open;
	bool anchored;     /* the time line below is good for the next segment */
	bool offset_known; /* ... or only its offset from wall time is */
	struct ticks anchor;
	uint64_t sample;
	uint32_t rate;
	int64_t offset; /* PTS - wall, ticks modulo 2^33 */
	/* a time line that others are on: who begins joins it, whole frames from `joined_at` */
	bool joined;
	struct wall joined_at; /* of the sample below, to a few milliseconds */
	struct ticks joined_anchor;
	uint64_t joined_sample;
	uint32_t joined_rate;
};

void cut_init(struct cut *c, struct epoch *epoch, unsigned rendition);
void cut_fini(struct cut *c);

/* Go on after what a store has: the time line of the newest segment, which ended at (anchor, sample + samples).
 * `contiguous`: the next segment follows on it; else only the offset from wall time is kept. */
void cut_resume(struct cut *c, struct ticks anchor, uint64_t sample, uint64_t samples, uint32_t rate, struct wall start,
    bool contiguous);
/* The next segment that is not contiguous with the one before joins the time line of a segment that ended at (anchor,
 * sample + samples) and began at `start`: the frames of both are the same, so PTS are counted in whole frames from
 * there. What it says is exact as long as frames lie less than half of one off their place by wall time. */
void cut_join(struct cut *c, struct ticks anchor, uint64_t sample, uint64_t samples, uint32_t rate, struct wall start);
/* PTS - wall of a segment's beginning, ticks modulo 2^33: what epoch_report wants. */
int64_t cut_offset(struct ticks anchor, uint64_t sample, uint32_t rate, struct wall start);
/* Put back an unfinished segment from the journal; takes it over. */
void cut_reopen(struct cut *c, struct segment *s);

/* One slot: takes over the frame's reference. A segment that is complete thereby is returned and owned by the caller,
 * else NULL. */
struct segment *cut_frame(struct cut *c, const struct slot *slot);
/* A segment without media. *gap is it; the return value is the one before, if that was open. Both are owned by the
 * caller. */
struct segment *cut_gap(struct cut *c, const struct slot *slot, struct segment **gap);
/* The open segment, whatever is in it; NULL when there is none. */
struct segment *cut_end(struct cut *c);

#endif
