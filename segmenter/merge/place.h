/* Which lines have a frame in place for the next slot of the output, and the best of them: the part of merge.c that
 * looks at what is in hand. */
#ifndef HINDCAST_MERGE_PLACE_H
#define HINDCAST_MERGE_PLACE_H

#include "segmenter/merge/merge.h"

/* Where the next slot begins, and half of its duration. */
struct wall place_next(const struct merge *m);
int64_t place_half(const struct merge *m);
/* Does the next slot begin a segment? */
bool place_at_boundary(const struct merge *m);

/* The first frame in hand of a line, borrowed, with its wall time; NULL when it has none. */
const struct frame *place_front(struct merge *m, unsigned line, struct wall *at);
/* Is it the first of its segment? */
bool place_begins_segment(const struct merge *m, const struct line *l, const struct frame *f, struct wall at);
/* The number of its segment. */
uint64_t place_msn(const struct merge *m, const struct line *l, const struct frame *f, struct wall at);

/* Let go of what lies before the next slot. */
void place_pass(struct merge *m);

enum place_kind {
	PLACE_CENTRE,   /* its centre lies in the slot */
	PLACE_BOUNDARY, /* it begins the segment that the slot begins */
};

/* What is looked for. */
struct place_want {
	enum place_kind kind;
	bool other_format; /* another format than the output's may do */
	unsigned inputs;   /* bit i: a line that input i supplies; 0: any */
	bool first;        /* ... with the first frame of a run of such an input */
	unsigned except;   /* not this line */
};
/* ... and found. */
struct place {
	unsigned line;
	int64_t index;
};
/* Has the line what is looked for? *at is untouched if not. */
bool place_has(struct merge *m, unsigned line, const struct place_want *want, struct place *at);
/* The best line by choice_compare that has it; *at is untouched if none has. */
bool place_best(struct merge *m, const struct place_want *want, struct place *at);

/* The best input and run that supplied a slot; of these inputs, 0: of any. Its run is NULL when none did. */
struct choice place_choice(const struct merge *m, unsigned line, int64_t index, unsigned inputs);
/* Inputs that supplied a slot of a line, a bit each. */
unsigned place_inputs(const struct merge *m, unsigned line, int64_t index);
/* Has a line anything in hand of another format than the output's? */
bool place_other_format(const struct merge *m);

#endif
