/* Merge: what the inputs deliver in, one unbroken stream of slots out. Pure: time comes in as a parameter.
 *
 * The output asks for the next slot:
 *	1. the next frame of the run that is on air: out at once;
 *	2. a frame of another run of the same format that adjoins (its centre lies in the slot): out at once;
 *	3. missing: wait until the slot's wall time + patience, then
 *	   a. a hole whose other end is at hand is filled up to there and not further,
 *	   b. otherwise fill goes on until the first segment boundary at which something real is there;
 *	4. another format waits, as fill, for a boundary at which the whole station may change (may_change);
 *	5. after fill_limit, or with fill = gap, segments without anything real become gaps.
 * A segment that was begun is always finished, with fill if need be. What comes too late for its slot is dropped and
 *counted. */
#ifndef HINDCAST_MERGE_H
#define HINDCAST_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/format.h"
#include "segmenter/frame.h"

struct merge_config {
	uint32_t T; /* segment duration, seconds */
	int64_t patience_ns;
	bool fill_silence; /* else gap */
	int64_t fill_limit_ns;
	struct frame_pool *pool;
	/* May the format change at the boundary where segment `msn` begins? */
	bool (*may_change)(void *ctx, uint64_t msn);
	void *ctx;
};

enum merge_result {
	MERGE_WAIT,  /* nothing to say yet */
	MERGE_FRAME, /* slot->frame, whose reference goes to the caller */
	MERGE_GAP,   /* segment slot->msn has no media at all */
};

struct slot {
	struct frame frame;
	uint64_t msn;                      /* the segment that it belongs to */
	const struct audio_format *format; /* of the output, valid until the next call */
	bool new_format;                   /* first slot of another format */
	bool pending;                      /* a source of another format is waiting */
};

struct merge_counters {
	uint64_t frames, fill_frames, gap_segments, late_frames, before_start_frames, run_changes, bridged_holes,
	    queue_full;
	uint64_t on_fill; /* 1 while nothing real is on air */
};

#define MERGE_RUNS 8 /* runs whose frames may wait at the same time */

struct merge {
	struct merge_config config;
	struct merge_counters counters;
	struct frame_queue queue;                /* frames in hand, in order of arrival */
	struct audio_format formats[MERGE_RUNS]; /* of the runs that have frames in the queue, ring */
	uint32_t run_frames[MERGE_RUNS];         /* how many frames of each are in the queue */
	unsigned run_in, run_out;                /* ring positions: being pushed, being taken */
	unsigned on_air;                         /* the run that the last real slot came from; valid while !filling */
	bool begun;                              /* the output has a format and a position */
	bool filling;                            /* fill goes on until a boundary */
	bool gap;                                /* the output is at a boundary, and the segment before was a gap */
	struct audio_format format;
	struct wall base; /* the output's position: base + samples */
	uint64_t samples;
	uint64_t msn; /* segment of the last slot */
	struct wall fill_since;
	uint8_t silence[1500];
	uint32_t silence_len, silence_samples;
	struct frame_chunk *chunk;
};

void merge_init(struct merge *m, const struct merge_config *config);
void merge_fini(struct merge *m);

/* Go on after a restart: `format` was on air, its next slot begins at `next`; `boundary` says that this is the begin of
 * a segment, else segment `msn` has been begun. */
void merge_resume(struct merge *m, const struct audio_format *format, struct wall next, uint64_t msn, bool boundary);

/* A run begins; the frames pushed after it are of this format. */
void merge_run(struct merge *m, const struct audio_format *format);
/* Takes over the frame's reference. */
void merge_push(struct merge *m, struct frame f);

enum merge_result merge_next(struct merge *m, struct wall now, struct slot *slot);

#endif
