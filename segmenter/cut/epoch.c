/* When all renditions of a station begin a new time line together. */
#include "segmenter/cut/epoch.h"

#include "base/log.h"
#include "media/segment.h"

/* 90 ms in 90 kHz ticks: what is decided here is done two segments later, and until then PTS may part a little further
 * without being more than 100 ms apart. */
#define SPREAD_MAX 8100

void
epoch_init(struct epoch *e)
{
	*e = (struct epoch){ 0 };
}

void
epoch_resume(struct epoch *e, uint64_t count)
{
	if (count > e->count)
		e->count = count;
}

void
epoch_report(struct epoch *e, unsigned rendition, uint64_t msn, int64_t offset, bool pending)
{
	CHECK(rendition < EPOCH_RENDITIONS);
	e->reports[rendition][msn % EPOCH_DEPTH] =
	    (struct epoch_report){ .msn = msn, .offset = offset, .has_offset = offset >= 0, .pending = pending };
}

/* a - b on a circle of 2^33 ticks, in [-2^32, 2^32). */
static int64_t
ticks_difference(int64_t a, int64_t b)
{
	int64_t d = (a - b) & (int64_t)TICKS_MASK;

	return d >= INT64_C(1) << 32 ? d - (INT64_C(1) << 33) : d;
}

static bool
decide(const struct epoch *e, uint64_t k)
{
	const struct epoch_report *first = NULL;
	int64_t low = 0, high = 0;

	for (unsigned i = 0; i < EPOCH_RENDITIONS; i++) {
		const struct epoch_report *r = &e->reports[i][k % EPOCH_DEPTH];
		if (r->msn != k)
			continue;
		if (r->pending)
			return true;
		if (!r->has_offset)
			continue;
		if (!first)
			first = r;
		int64_t d = ticks_difference(r->offset, first->offset);
		low = d < low ? d : low;
		high = d > high ? d : high;
	}
	return high - low > SPREAD_MAX;
}

static bool
decided(const struct epoch *e, uint64_t msn)
{
	return e->decided[msn % EPOCH_DEPTH].msn == msn && e->decided[msn % EPOCH_DEPTH].yes;
}

bool
epoch_at(struct epoch *e, uint64_t msn)
{
	if (msn < 2)
		return false;
	if (e->decided[msn % EPOCH_DEPTH].msn == msn)
		return e->decided[msn % EPOCH_DEPTH].yes;
	/* what was seen before an epoch has been answered by it */
	bool yes = !decided(e, msn - 1) && decide(e, msn - 2);
	e->decided[msn % EPOCH_DEPTH].msn = msn;
	e->decided[msn % EPOCH_DEPTH].yes = yes;
	e->count += yes;
	return yes;
}

bool
epoch_offset(const struct epoch *e, int64_t *offset)
{
	const struct epoch_report *newest = NULL;

	for (unsigned i = 0; i < EPOCH_RENDITIONS; i++) {
		for (unsigned j = 0; j < EPOCH_DEPTH; j++) {
			const struct epoch_report *r = &e->reports[i][j];
			if (r->msn && r->has_offset && (!newest || r->msn > newest->msn))
				newest = r;
		}
	}
	if (newest)
		*offset = newest->offset;
	return newest != NULL;
}
