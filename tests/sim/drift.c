/* Simulated weeks: four renditions of one station from encoders whose clocks drift, through stamping, merge and cut,
 *and what must hold for every segment (doc/design.md section 14, promises 2, 5 and 6):
 *	- its boundary lies within half of the rendition's own frame of the grid line;
 *	- its number follows on the one before;
 *	- PTS follows on the segment before, except where all renditions begin a new time line at the same number;
 *	- PTS of all renditions match wall time alike, within 100 ms;
 *	- EXTINF, rounded, is not above the target duration.
 * Arrivals jitter, and now and then they stall and come in a burst. Prints TAP.
 *	drift [--long] [SEED]      30 days; 365 days with --long */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rewind/layout.h"
#include "segmenter/cut/cut.h"
#include "segmenter/input/stamp.h"
#include "segmenter/merge/merge.h"

#define SEGMENT 6
#define TICK_MS 100
#define RENDITIONS 4

struct rendition {
	const char *name;
	struct audio_format format;
	uint32_t samples_per_frame;
	int64_t ppm; /* how fast its encoder's clock runs */
	struct stamp stamp;
	struct merge merge;
	struct cut cut;
	uint64_t arrived, released; /* samples */
	uint64_t stall_until;       /* ms */
	/* what came out */
	uint64_t segments, discontinuities, last_msn, end_pts, wraps;
	int64_t worst_boundary_ns;
};

struct sim {
	struct epoch epoch;
	struct frame_pool pool;
	struct rendition r[RENDITIONS];
	uint64_t random;
	/* of the last few numbers: what the renditions said */
	struct {
		uint64_t msn;
		int64_t low, high; /* PTS - wall, ticks, relative to the first */
		int64_t first;
		unsigned discontinuities, count;
	} at[8];
	int64_t worst_spread;
	unsigned faults;
	uint64_t partial_discontinuities;
};

#define FAULT(sim, ...)                                                                                                \
	do {                                                                                                           \
		if ((sim)->faults++ < 20) {                                                                            \
			printf("# ");                                                                                  \
			printf(__VA_ARGS__);                                                                           \
			printf("\n");                                                                                  \
		}                                                                                                      \
	} while (0)

static uint64_t
random_next(struct sim *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

static bool
may_change(void *ctx, uint64_t msn)
{
	(void)ctx;
	(void)msn;
	return false;
}

static int64_t
difference(int64_t a, int64_t b)
{
	int64_t d = (a - b) & (int64_t)TICKS_MASK;

	return d >= INT64_C(1) << 32 ? d - (INT64_C(1) << 33) : d;
}

/* Compare what all renditions say of one number. */
static void
compare(struct sim *s, struct rendition *r, const struct segment *g, int64_t offset)
{
	unsigned i = g->msn % 8;

	if (s->at[i].msn != g->msn) {
		if (s->at[i].count == RENDITIONS && s->at[i].discontinuities % RENDITIONS != 0)
			s->partial_discontinuities++;
		memset(&s->at[i], 0, sizeof(s->at[i]));
		s->at[i].msn = g->msn;
		s->at[i].first = offset;
	}
	int64_t d = difference(offset, s->at[i].first);
	s->at[i].low = d < s->at[i].low ? d : s->at[i].low;
	s->at[i].high = d > s->at[i].high ? d : s->at[i].high;
	s->at[i].count++;
	s->at[i].discontinuities += g->discontinuity;
	int64_t spread = s->at[i].high - s->at[i].low;
	if (spread > s->worst_spread)
		s->worst_spread = spread;
	if (spread > 9000)
		FAULT(s, "%s %" PRIu64 ": PTS are %" PRId64 " ticks apart", r->name, g->msn, spread);
}

static void
judge(struct sim *s, struct rendition *r, struct segment *g)
{
	uint64_t begin = ticks_at(g->anchor, g->sample, g->format.rate).t;
	uint64_t end = ticks_at(g->anchor, g->sample + g->samples, g->format.rate).t;
	int64_t from_grid = g->start.ns - layout_grid(g->msn, SEGMENT).ns;
	int64_t frame = samples_to_ns(r->samples_per_frame, r->format.rate);
	int64_t half =
	    frame / 2 + frame / 5000 + 1; /* the edge nearest to the line, on a time line slewed by up to 200 ppm */

	from_grid = from_grid < 0 ? -from_grid : from_grid;
	if (from_grid > half)
		FAULT(s, "%s %" PRIu64 ": begins %" PRId64 " us from its grid line", r->name, g->msn, from_grid / 1000);
	if (from_grid > r->worst_boundary_ns)
		r->worst_boundary_ns = from_grid;
	if (r->segments && g->msn != r->last_msn + 1)
		FAULT(s, "%s: %" PRIu64 " follows on %" PRIu64, r->name, g->msn, r->last_msn);
	if (r->segments && !g->discontinuity && begin != r->end_pts)
		FAULT(s, "%s %" PRIu64 ": PTS %" PRIu64 " after %" PRIu64, r->name, g->msn, begin, r->end_pts);
	if (g->fill)
		FAULT(s, "%s %" PRIu64 ": %" PRIu64 " frames of fill", r->name, g->msn, g->fill);
	if ((samples_to_ns(g->samples, g->format.rate) + NS_PER_S / 2) / NS_PER_S > SEGMENT)
		FAULT(s, "%s %" PRIu64 ": too long", r->name, g->msn);
	r->wraps += end < begin;
	r->discontinuities += g->discontinuity;
	r->segments++;
	r->last_msn = g->msn;
	r->end_pts = end;
	int64_t wall = g->start.ns / NS_PER_S * 90000 + g->start.ns % NS_PER_S * 9 / 100000;
	compare(s, r, g, (int64_t)((begin - (uint64_t)wall) & TICKS_MASK));
	segment_free(&g);
}

static void
release(struct rendition *r)
{
	const struct frame_run run = { .id = "drift", .format = r->format };

	while (r->released < r->arrived) {
		struct frame f = { .data = (const uint8_t *)&r->released,
			.len = sizeof(r->released),
			.samples = r->samples_per_frame,
			.wall = stamp_wall(&r->stamp, r->released),
			.index = r->released / r->samples_per_frame,
			.position = r->released };
		merge_push(&r->merge, 0, &run, f);
		r->released += r->samples_per_frame;
	}
}

/* What the encoder has sent up to now arrives, unless the network stalls. */
static void
arrive(struct sim *s, struct rendition *r, uint64_t ms, struct wall now)
{
	uint64_t jitter = random_next(s) % 80;

	if (ms < r->stall_until)
		return;
	if (random_next(s) % 36000 == 0) /* once an hour */
		r->stall_until = ms + random_next(s) % 2500;
	uint64_t sent_ms = ms > jitter ? ms - jitter : 0;
	uint64_t samples = (uint64_t)((__int128)sent_ms * r->format.rate * (1000000 + r->ppm) / 1000000000);
	uint64_t whole = samples / r->samples_per_frame * r->samples_per_frame;
	if (whole <= r->arrived)
		return;
	r->arrived = whole;
	if (stamp_arrived(&r->stamp, now, r->released, r->arrived) == STAMP_NEW_RUN)
		FAULT(s, "%s: a new run after %" PRIu64 " ms", r->name, ms);
	if (r->stamp.state == STAMP_STEADY)
		release(r);
}

static void
tick(struct sim *s, struct rendition *r, struct wall now)
{
	struct slot slot;

	while (merge_next(&r->merge, now, &slot) == MERGE_FRAME) {
		struct segment *g = cut_frame(&r->cut, &slot);
		if (g)
			judge(s, r, g);
	}
}

static void
begin(struct sim *s, uint64_t seed)
{
	static const struct rendition kinds[RENDITIONS] = {
		{ .name = "lc44 +50 ppm",
		    .format = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x50, 0x80 }, 44100, 2 },
		    .samples_per_frame = 1024,
		    .ppm = 50 },
		{ .name = "lc48 -50 ppm",
		    .format = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x4c, 0x80 }, 48000, 2 },
		    .samples_per_frame = 1024,
		    .ppm = -50 },
		{ .name = "he48 +20 ppm",
		    .format = { CODEC_AAC, AAC_HE, { 0xff, 0xf1, 0x58, 0x80 }, 24000, 2 },
		    .samples_per_frame = 1024,
		    .ppm = 20 },
		{ .name = "mp3  -10 ppm",
		    .format = { CODEC_MP3, 0, { 0xff, 0xfa, 0x00, 0x00 }, 44100, 2 },
		    .samples_per_frame = 1152,
		    .ppm = -10 },
	};

	memset(s, 0, sizeof(*s));
	s->random = seed | 1;
	epoch_init(&s->epoch);
	frame_pool_init(&s->pool, 64 << 20);
	memcpy(s->r, kinds, sizeof(kinds));
	for (unsigned i = 0; i < RENDITIONS; i++) {
		struct merge_config config = { .T = SEGMENT,
			.patience_ns = 3 * NS_PER_S,
			.fill_silence = true,
			.fill_limit_ns = 600 * NS_PER_S,
			.pool = &s->pool,
			.may_change = may_change };
		stamp_init(&s->r[i].stamp, s->r[i].format.rate);
		merge_init(&s->r[i].merge, &config);
		merge_input(&s->r[i].merge, "main", 1, true);
		cut_init(&s->r[i].cut, &s->epoch, i);
	}
}

static int
report(unsigned n, bool good, const char *name)
{
	printf("%s %u - %s\n", good ? "ok" : "not ok", n, name);
	return !good;
}

int
main(int argc, char **argv)
{
	static struct sim s;
	bool is_long = argc > 1 && strcmp(argv[1], "--long") == 0;
	uint64_t days = is_long ? 365 : 30, seed = argc > 1 + is_long ? strtoull(argv[1 + is_long], NULL, 0) : 20261121;
	const struct wall from = { INT64_C(1795251603) * NS_PER_S + 123456789 };

	begin(&s, seed);
	for (uint64_t ms = TICK_MS; ms <= days * 86400 * 1000; ms += TICK_MS) {
		struct wall now = { from.ns + (int64_t)ms * NS_PER_MS };
		for (unsigned i = 0; i < RENDITIONS; i++) {
			arrive(&s, &s.r[i], ms, now);
			tick(&s, &s.r[i], now);
		}
	}
	uint64_t expected = days * 86400 / SEGMENT - 4;
	bool enough = true, wrapped = true, joint = s.partial_discontinuities == 0;
	for (unsigned i = 0; i < RENDITIONS; i++) {
		struct rendition *r = &s.r[i];
		printf("# %s: %" PRIu64 " segments, boundary at most %" PRId64 " us from the grid, %" PRIu64
		       " time lines, %" PRIu64 " wraps\n",
		    r->name, r->segments, r->worst_boundary_ns / 1000, r->discontinuities + 1, r->wraps);
		enough &= r->segments >= expected;
		wrapped &= r->wraps >= days * 86400 / 95444 - 1;
		joint &= r->discontinuities == s.r[0].discontinuities;
	}
	printf(
	    "# seed %" PRIu64 ", %" PRIu64 " days, PTS at most %" PRId64 " ticks apart\n", seed, days, s.worst_spread);
	int failed = report(1, s.faults == 0, "boundaries, numbers, PTS and durations hold");
	failed += report(2, enough, "every segment of every rendition came out");
	failed += report(3, wrapped, "PTS wrapped, unnoticed");
	failed +=
	    report(4, joint && s.r[0].discontinuities > 0, "new time lines begin in all renditions at the same number");
	printf("1..4\n");
	for (unsigned i = 0; i < RENDITIONS; i++) {
		merge_fini(&s.r[i].merge);
		cut_fini(&s.r[i].cut);
	}
	frame_pool_fini(&s.pool);
	return failed ? 1 : 0;
}
