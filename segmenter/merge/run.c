/* Runs in hand. */
#include "segmenter/merge/run.h"

#include <string.h>

bool
run_before(const struct run *a, const struct run *b)
{
	if (a->anchor_ns != b->anchor_ns)
		return a->anchor_ns < b->anchor_ns;
	return memcmp(a->head.id, b->head.id, RUN_ID_SIZE) < 0;
}

int64_t
run_offset_ns(const struct run *r)
{
	int64_t shift = r->samples_shift;
	uint32_t rate = r->head.format.rate;

	return r->offset_ns +
	       (shift < 0 ? -samples_to_ns((uint64_t)-shift, rate) : samples_to_ns((uint64_t)shift, rate));
}

uint64_t
run_lost(const struct run *r)
{
	uint64_t span = r->end - r->first;

	return span > r->frames + r->late ? span - r->frames - r->late : 0;
}
