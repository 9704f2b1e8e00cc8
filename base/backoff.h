/* When to try again: after 1 s, then twice as long each time up to 30 s, with jitter so that a fleet does not come back
 * in step. */
#ifndef HINDCAST_BACKOFF_H
#define HINDCAST_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define BACKOFF_LEAST (1 * NS_PER_S)
#define BACKOFF_MOST (30 * NS_PER_S)
#define BACKOFF_HEALED (10 * NS_PER_S) /* what lasted so long begins anew with the shortest wait */

struct backoff {
	/* private */
	int64_t wait;
	struct mono next, up;
	bool is_up;
	uint64_t random;
};

/* The first try is due at once. `seed` makes the jitter differ between machines; any number will do. */
void backoff_init(struct backoff *b, uint64_t seed);
bool backoff_due(const struct backoff *b, struct mono now);
/* It came up. */
void backoff_up(struct backoff *b, struct mono now);
/* It failed or went away: sets when the next try is due, at least the present wait and at most half of it more. */
void backoff_down(struct backoff *b, struct mono now);
/* A seed from the system's random source. */
uint64_t backoff_seed(void);

#endif
