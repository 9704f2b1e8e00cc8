/* When the output returns to a better input: the part of merge.c that keeps account of what each input brings. */
#ifndef HINDCAST_MERGE_HOME_H
#define HINDCAST_MERGE_HOME_H

#include "segmenter/merge/merge.h"

/* An input has brought `samples` at `at`, which no other run of it had brought. */
void home_supplied(struct merge_input *in, struct wall at, uint32_t samples, uint32_t rate);
/* Has it had 99 % of its frames for `settle`, up to patience before `at`? */
bool home_settled(const struct merge *m, const struct merge_input *in, struct wall at);
/* Does it supply the line on air, by a run that is still coming? */
bool home_on_air(const struct merge *m, unsigned input, struct wall at);
/* The best input that has, and is better than all that supply the line on air; or MERGE_NONE. */
unsigned home_better(const struct merge *m, struct wall at);

#endif
