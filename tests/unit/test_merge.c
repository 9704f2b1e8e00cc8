/* Merge: slots without holes and without repeats, whatever the input does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "rewind/layout.h"
#include "segmenter/merge/merge.h"

#define SEGMENT 6
#define PATIENCE (3 * NS_PER_S)
#define K0 INT64_C(299208600)
#define SECONDS(n) ((n)*NS_PER_S)

static const struct audio_format lc44 = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x50, 0x80 }, 44100, 2 };
static const struct audio_format lc48 = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x4c, 0x80 }, 48000, 2 };

struct bench {
	struct merge merge;
	struct frame_pool pool;
	uint64_t change_at; /* from this segment on the format may change */
	/* what came out */
	struct wall next; /* end of the last slot */
	uint64_t msn, real, fill, gaps;
	bool pending, new_format;
	int64_t worst_seam;
};

static bool
may_change(void *ctx, uint64_t msn)
{
	struct bench *b = ctx;

	return b->change_at && msn >= b->change_at;
}

static struct wall
grid(int64_t k)
{
	return layout_grid((uint64_t)(K0 + k), SEGMENT);
}

static void
bench_init(struct bench *b, bool silence, int64_t limit)
{
	memset(b, 0, sizeof(*b));
	frame_pool_init(&b->pool, 8 << 20);
	struct merge_config config = { .T = SEGMENT,
		.patience_ns = PATIENCE,
		.fill_silence = silence,
		.fill_limit_ns = limit,
		.pool = &b->pool,
		.may_change = may_change,
		.ctx = b };
	merge_init(&b->merge, &config);
}

static void
bench_fini(struct bench *b)
{
	merge_fini(&b->merge);
	frame_pool_fini(&b->pool);
}

/* Frames of a run from `from` up to `to`, pushed at once. Returns where it ended. */
static struct wall
push(struct bench *b, const struct audio_format *format, struct wall from, struct wall to)
{
	uint64_t n = 0;
	struct wall at = from;

	while (at.ns < to.ns) {
		merge_push(&b->merge, (struct frame){ .len = 100, .samples = 1024, .wall = at });
		n += 1024;
		at.ns = from.ns + samples_to_ns(n, format->rate);
	}
	return at;
}

static struct wall
run(struct bench *b, const struct audio_format *format, struct wall from, struct wall to)
{
	merge_run(&b->merge, format);
	return push(b, format, from, to);
}

/* Take out all that can go at `now`, and check what must hold for every slot. */
static void
drain(struct bench *b, struct wall now)
{
	struct slot s;

	for (;;) {
		enum merge_result r = merge_next(&b->merge, now, &s);
		if (r == MERGE_WAIT)
			return;
		if (b->msn)
			assert_in_range(s.msn - b->msn, 0, 1);
		b->msn = s.msn;
		b->pending |= s.pending;
		if (r == MERGE_GAP) {
			b->gaps++;
			b->next = layout_grid(s.msn + 1, SEGMENT);
			continue;
		}
		int64_t duration = samples_to_ns(s.frame.samples, s.format->rate), seam = s.frame.wall.ns - b->next.ns;
		b->new_format |= s.new_format && b->next.ns;
		if (b->next.ns) {
			if (seam < 0)
				seam = -seam;
			assert_true(seam <= duration);
			if (seam > b->worst_seam)
				b->worst_seam = seam;
		}
		b->next.ns = s.frame.wall.ns + duration;
		assert_int_equal(layout_msn(s.frame.wall, duration, SEGMENT), s.msn);
		if (s.frame.fill)
			b->fill++;
		else
			b->real++;
		frame_release(&s.frame);
	}
}

static void
begins_with_a_whole_segment(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	struct wall from = { grid(0).ns + SECONDS(2) };
	run(&b, &lc44, from, grid(2));
	drain(&b, grid(2));
	assert_int_equal(b.msn, K0 + 1);
	assert_int_equal(b.fill, 0);
	assert_in_range(b.real, 258, 259);
	assert_int_equal(b.real + b.merge.counters.before_start_frames, 431);
	bench_fini(&b);
}

static void
nothing_without_an_input(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	drain(&b, grid(100));
	assert_int_equal(b.real + b.fill + b.gaps, 0);
	bench_fini(&b);
}

static void
short_hole_between_runs_is_filled_exactly(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	struct wall end = run(&b, &lc44, grid(0), (struct wall){ grid(0).ns + SECONDS(8) });
	drain(&b, end);
	run(&b, &lc44, (struct wall){ end.ns + 700 * NS_PER_MS }, grid(3));
	drain(&b, (struct wall){ end.ns + PATIENCE - 1 });
	assert_int_equal(b.fill, 0); /* a slot is waited for, patience is long */
	drain(&b, grid(3));
	assert_in_range(b.fill, 29, 31); /* 700 ms of 23.2 ms */
	assert_int_equal(b.merge.counters.late_frames, 0);
	assert_int_equal(b.merge.counters.on_fill, 0);
	bench_fini(&b);
}

static void
stall_within_patience_costs_nothing(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	struct wall end = run(&b, &lc44, grid(0), (struct wall){ grid(0).ns + SECONDS(8) });
	drain(&b, end);
	drain(&b, (struct wall){ end.ns + 2900 * NS_PER_MS });
	push(&b, &lc44, end, grid(3)); /* the same run's burst */
	drain(&b, grid(3));
	assert_int_equal(b.fill, 0);
	bench_fini(&b);
}

static void
lost_source_is_filled_until_a_boundary(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	struct wall end = run(&b, &lc44, grid(0), (struct wall){ grid(0).ns + SECONDS(8) });
	drain(&b, end);
	for (int s = 9; s < 30; s++)
		drain(&b, (struct wall){ grid(0).ns + SECONDS(s) });
	assert_int_equal(b.merge.counters.on_fill, 1);
	assert_true(b.fill > 700);
	/* back in mid-segment 5: on air at the begin of 6 */
	struct wall back = run(&b, &lc44, (struct wall){ grid(5).ns + SECONDS(1) + 12345678 }, grid(7));
	for (int s = 30; s <= 42; s++)
		drain(&b, (struct wall){ grid(0).ns + SECONDS(s) });
	assert_int_equal(b.merge.counters.on_fill, 0);
	assert_int_equal(b.gaps, 0);
	assert_in_range(b.next.ns, back.ns - 1, back.ns + 1);
	assert_true(b.worst_seam <= 24 * NS_PER_MS);
	bench_fini(&b);
}

static void
burst_behind_the_fill_waits_for_the_boundary(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	run(&b, &lc44, grid(0), (struct wall){ grid(1).ns - SECONDS(1) });
	drain(&b, (struct wall){ grid(1).ns + SECONDS(5) });
	assert_in_range(b.next.ns, grid(1).ns + SECONDS(1), grid(1).ns + SECONDS(3));
	/* back with old audio, also of the begin of the segment that is half filled */
	run(&b, &lc44, (struct wall){ grid(1).ns - SECONDS(2) }, grid(4));
	drain(&b, (struct wall){ grid(1).ns + SECONDS(5) });
	assert_int_equal(b.merge.counters.on_fill, 1);
	drain(&b, (struct wall){ grid(4).ns });
	assert_int_equal(b.merge.counters.on_fill, 0);
	assert_in_range(b.fill, 300, 303); /* the last second of segment 0, and segment 1 */
	bench_fini(&b);
}

static void
gap_after_the_limit_and_back(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(12));
	run(&b, &lc44, grid(0), (struct wall){ grid(0).ns + SECONDS(8) });
	for (int s = 1; s < 60; s++)
		drain(&b, (struct wall){ grid(0).ns + SECONDS(s) });
	/* 8 s real, filled to the first boundary that is 12 s later: 24 s; gaps 4..7 are over (+ patience) by 57 s */
	assert_int_equal(b.gaps, 5);
	assert_int_equal(b.msn, K0 + 8);
	run(&b, &lc44, (struct wall){ grid(0).ns + SECONDS(57) }, grid(12));
	for (int s = 60; s <= 72; s++)
		drain(&b, (struct wall){ grid(0).ns + SECONDS(s) });
	assert_int_equal(b.gaps, 6); /* segment 9 was half over when the source came back */
	assert_int_equal(b.msn, K0 + 11);
	assert_int_equal(b.merge.counters.on_fill, 0);
	bench_fini(&b);
}

static void
fill_gap_still_finishes_the_segment(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, false, SECONDS(600));
	run(&b, &lc44, grid(0), (struct wall){ grid(0).ns + SECONDS(8) });
	for (int s = 1; s < 30; s++)
		drain(&b, (struct wall){ grid(0).ns + SECONDS(s) });
	assert_in_range(b.fill, 170, 174); /* the last 4 s of segment 1 */
	assert_int_equal(b.gaps, 2);
	bench_fini(&b);
}

static void
other_format_waits_for_its_boundary(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	struct wall end = run(&b, &lc44, grid(0), (struct wall){ grid(0).ns + SECONDS(8) });
	drain(&b, end);
	struct wall more = run(&b, &lc48, end, grid(3));
	for (int s = 8; s < 18; s++)
		drain(&b, (struct wall){ grid(0).ns + SECONDS(s) });
	assert_true(b.pending);
	assert_false(b.new_format);
	b.change_at = (uint64_t)K0 + 4;
	push(&b, &lc48, more, grid(6));
	for (int s = 18; s <= 36; s++)
		drain(&b, (struct wall){ grid(0).ns + SECONDS(s) });
	assert_true(b.new_format);
	assert_int_equal(b.msn, K0 + 5);
	assert_in_range(b.real, 345 + 561, 345 + 564); /* 8 s at 44.1 kHz, two segments at 48 kHz */
	bench_fini(&b);
}

static void
overlapping_run_is_cut_at_the_slot(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	struct wall end = run(&b, &lc44, grid(0), (struct wall){ grid(0).ns + SECONDS(8) });
	drain(&b, end);
	/* an encoder that reconnects with 4 s of old audio */
	run(&b, &lc44, (struct wall){ end.ns - SECONDS(4) + 5 * NS_PER_MS }, grid(3));
	drain(&b, grid(3));
	assert_int_equal(b.fill, 0);
	assert_in_range(b.merge.counters.late_frames, 172, 173);
	bench_fini(&b);
}

static void
resumed_in_mid_segment(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	struct wall next = { grid(2).ns + SECONDS(3) };
	merge_resume(&b.merge, &lc44, next, (uint64_t)K0 + 2, false);
	b.next = next;
	b.msn = (uint64_t)K0 + 2;
	run(&b, &lc44, (struct wall){ next.ns + SECONDS(1) }, grid(5));
	drain(&b, grid(5));
	assert_in_range(b.fill, 42, 44);
	bench_fini(&b);
}

/* A tape is given again from its beginning, and the store ends with one of its segments, as it says `early` ns before
 * it does: the next one goes on with it, also where a frame lies on the edge between two numbers. */
static void
resume_tape(int64_t offset, uint64_t msn, int64_t early)
{
	const int64_t duration = samples_to_ns(1024, 48000);
	const struct wall from = { grid(0).ns + offset };
	struct wall next = from;
	struct bench b;
	uint64_t n = 0;

	bench_init(&b, true, SECONDS(600));
	while (layout_msn(next, duration, SEGMENT) < msn)
		next.ns = from.ns + samples_to_ns(n += 1024, 48000);
	merge_resume(&b.merge, &lc48, (struct wall){ next.ns - early }, msn, true);
	run(&b, &lc48, from, (struct wall){ next.ns + SECONDS(20) });
	drain(&b, (struct wall){ next.ns + SECONDS(1) });
	assert_int_equal(b.fill, 0);
	assert_int_equal(b.merge.counters.late_frames, n / 1024);
	bench_fini(&b);
}

static void
resumed_at_each_boundary_of_a_tape(void **state)
{
	(void)state;
	for (uint64_t k = 1; k <= 8; k++) {
		for (int64_t offset = -NS_PER_MS; offset <= NS_PER_MS; offset += 100000) {
			resume_tape(offset, (uint64_t)K0 + k, 0);
			resume_tape(offset, (uint64_t)K0 + k, 666666);
		}
	}
}

static void
long_absence_is_a_gap(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, true, SECONDS(600));
	run(&b, &lc44, grid(0), (struct wall){ grid(0).ns + SECONDS(8) });
	drain(&b, (struct wall){ grid(0).ns + SECONDS(8) });
	/* the process stood still for a minute */
	drain(&b, (struct wall){ grid(0).ns + SECONDS(68) });
	assert_in_range(b.fill, 170, 174);
	assert_int_equal(b.gaps, 8);
	bench_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_a_whole_segment),
		cmocka_unit_test(nothing_without_an_input),
		cmocka_unit_test(short_hole_between_runs_is_filled_exactly),
		cmocka_unit_test(stall_within_patience_costs_nothing),
		cmocka_unit_test(lost_source_is_filled_until_a_boundary),
		cmocka_unit_test(burst_behind_the_fill_waits_for_the_boundary),
		cmocka_unit_test(gap_after_the_limit_and_back),
		cmocka_unit_test(fill_gap_still_finishes_the_segment),
		cmocka_unit_test(other_format_waits_for_its_boundary),
		cmocka_unit_test(overlapping_run_is_cut_at_the_slot),
		cmocka_unit_test(resumed_in_mid_segment),
		cmocka_unit_test(resumed_at_each_boundary_of_a_tape),
		cmocka_unit_test(long_absence_is_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
