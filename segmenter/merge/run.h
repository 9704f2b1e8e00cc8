/* Runs in hand: what one input delivers from connect to disconnect, known by its id. Bounded; pure. */
#ifndef HINDCAST_MERGE_RUN_H
#define HINDCAST_MERGE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "segmenter/frame.h"

#define MERGE_RUNS 32 /* of one rendition; a bit each in line_slot.runs */

struct run {
	bool used;
	struct frame_run head;
	unsigned input;        /* of the rendition */
	unsigned line;         /* that it belongs to */
	int64_t shift;         /* line index - run index */
	int64_t samples_shift; /* line position - run position */
	int64_t offset_ns;   /* the line's wall time of a frame - the run's own stamp; constant but for handing over */
	int64_t from;        /* line index from which on it supplies slots (line_absorb) */
	struct wall member;  /* since when it belongs to the line */
	int64_t anchor_ns;   /* wall time of its index 0, as its first frame here said */
	uint64_t first, end; /* indices: the lowest seen, and one after the highest */
	struct wall first_wall, last_wall; /* stamps of those */
	uint64_t frames;                   /* taken, each index once */
	uint64_t copies;                   /* came again, or when nothing is remembered of their slot any more */
	uint64_t late;                     /* came after their slot had passed */
	uint64_t by_path[FRAME_PATHS];     /* of all that came */
};

/* Of two runs, which counts first: by anchor, then by id. */
bool run_before(const struct run *a, const struct run *b);
/* Wall time of one of its frames as its line has it - its stamp. */
int64_t run_offset_ns(const struct run *r);
/* Frames that never came, so far. */
uint64_t run_lost(const struct run *r);

#endif
