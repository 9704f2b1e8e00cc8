/* Which of several lines goes on air: one ladder. Pure. */
#ifndef HINDCAST_MERGE_CHOICE_H
#define HINDCAST_MERGE_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "segmenter/merge/run.h"

/* What counts of an input. */
struct choice_input {
	bool chosen;       /* by hand */
	unsigned priority; /* the lowest is preferred */
	const char *name;
};

/* A line that has a frame in place: the best input that brought it, and the best run. */
struct choice {
	struct choice_input input;
	const struct run *run;
};

/* Below 0 when `a` is the better input, above 0 when `b` is, 0 when they are one:
 *	1. the one chosen by hand,
 *	2. the lower priority number,
 *	3. the name that comes first in the alphabet. */
int choice_compare_inputs(const struct choice_input *a, const struct choice_input *b);
/* ... and of lines:
 *	4. the lower anchor (wall time of the run's first frame),
 *	5. the lower run id. */
int choice_compare(const struct choice *a, const struct choice *b);

#endif
