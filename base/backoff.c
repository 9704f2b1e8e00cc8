/* When to try again. */
#include "base/backoff.h"

#include <sys/random.h>

void
backoff_init(struct backoff *b, uint64_t seed)
{
	*b = (struct backoff){ .wait = BACKOFF_LEAST, .next.ns = INT64_MIN, .random = seed | 1 };
}

bool
backoff_due(const struct backoff *b, struct mono now)
{
	return now.ns >= b->next.ns;
}

void
backoff_up(struct backoff *b, struct mono now)
{
	b->up = now;
	b->is_up = true;
}

/* Knuth's multiplier (MMIX); the upper half is random enough to spread reconnects. */
static uint64_t
draw(struct backoff *b)
{
	b->random = b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return b->random >> 33;
}

void
backoff_down(struct backoff *b, struct mono now)
{
	if (b->is_up && now.ns - b->up.ns >= BACKOFF_HEALED)
		b->wait = BACKOFF_LEAST;
	b->is_up = false;
	int64_t jitter = (int64_t)(draw(b) % 1024) * (b->wait / 2048);
	int64_t wait = b->wait + jitter;
	b->next.ns = now.ns + (wait < BACKOFF_MOST ? wait : BACKOFF_MOST);
	b->wait = b->wait * 2 < BACKOFF_MOST ? b->wait * 2 : BACKOFF_MOST;
}

uint64_t
backoff_seed(void)
{
	uint64_t seed = 0;

	/* without it the waits are the same everywhere, which is no reason not to start */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		return 0;
	return seed;
}
