/* Cut: segments on the grid, time stamps that go on, joint new time lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "rewind/layout.h"
#include "segmenter/cut/cut.h"

#define SEGMENT 6
#define K0 UINT64_C(299208600)

static const struct audio_format lc44 = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x50, 0x80 }, 44100, 2 };
static const struct audio_format lc48 = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x4c, 0x80 }, 48000, 2 };

/* An output of slots at a rate, whose wall time runs `ppm` fast against its samples. */
struct source {
	const struct audio_format *format;
	struct wall from;
	uint64_t samples;
	int64_t ppm;
	bool pending;
};

static struct slot
next_slot(struct source *s)
{
	int64_t ns = samples_to_ns(s->samples, s->format->rate);
	struct slot slot = { .format = s->format, .pending = s->pending };

	slot.frame = (struct frame){ .len = 300, .samples = 1024, .wall = { s->from.ns + ns + ns / 1000000 * s->ppm } };
	slot.msn = layout_msn(slot.frame.wall, samples_to_ns(1024, s->format->rate), SEGMENT);
	s->samples += 1024;
	return slot;
}

/* The next complete segment. */
static struct segment *
next_segment(struct cut *c, struct source *s)
{
	for (;;) {
		struct slot slot = next_slot(s);
		struct segment *closed = cut_frame(c, &slot);
		if (closed)
			return closed;
	}
}

static uint64_t
pts_begin(const struct segment *s)
{
	return ticks_at(s->anchor, s->sample, s->format.rate).t;
}

static uint64_t
pts_end(const struct segment *s)
{
	return ticks_at(s->anchor, s->sample + s->samples, s->format.rate).t;
}

static void
time_stamps_go_on_and_wrap(void **state)
{
	struct epoch epoch;
	struct cut cut;
	/* 2^33 ticks before a wrap: begin 60 s ahead of it */
	uint64_t wrap = (UINT64_C(1795251600) * 90000 / (TICKS_MASK + 1) + 1) * (TICKS_MASK + 1);
	struct source source = { &lc44, { (int64_t)(wrap / 90000 - 60) * NS_PER_S }, 0, 0, false };
	uint64_t last_end = 0;
	bool wrapped = false;

	(void)state;
	epoch_init(&epoch);
	cut_init(&cut, &epoch, 0);
	for (int i = 0; i < 30; i++) {
		struct segment *s = next_segment(&cut, &source);
		if (i == 0)
			assert_in_range(
			    (pts_begin(s) + 61 * 90000) & TICKS_MASK, 0, 2 * 90000); /* the anchor is wall time */
		if (i > 0) {
			assert_int_equal(pts_begin(s), last_end);
			assert_false(s->discontinuity);
			assert_in_range(s->count, 258, 259);
		}
		wrapped |= pts_end(s) < pts_begin(s);
		last_end = pts_end(s);
		segment_free(&s);
	}
	assert_true(wrapped);
	cut_fini(&cut);
}

static void
resumed_time_line_is_exact(void **state)
{
	struct epoch epoch;
	struct cut a, b;
	struct source source = { &lc44, layout_grid(K0, SEGMENT), 0, 0, false };

	(void)state;
	epoch_init(&epoch);
	cut_init(&a, &epoch, 0);
	cut_init(&b, &epoch, 0);
	struct segment *s = next_segment(&a, &source);
	cut_resume(&b, s->anchor, s->sample, s->samples, 44100, s->start, true);
	b.open = NULL;
	/* the slot that closed it has gone into a: give b the same ones from there */
	struct source again = { &lc44, layout_grid(K0, SEGMENT), s->samples, 0, false };
	struct segment *x = next_segment(&a, &source), *y = next_segment(&b, &again);
	assert_int_equal(x->msn, y->msn);
	assert_int_equal(x->count, y->count);
	assert_int_equal(x->anchor.t, y->anchor.t);
	assert_int_equal(x->sample, y->sample);
	segment_free(&s);
	segment_free(&x);
	segment_free(&y);
	cut_fini(&a);
	cut_fini(&b);
}

static void
gap_keeps_the_offset(void **state)
{
	struct epoch epoch;
	struct cut cut;
	struct source source = { &lc44, layout_grid(K0, SEGMENT), 0, 40, false };

	(void)state;
	epoch_init(&epoch);
	cut_init(&cut, &epoch, 0);
	for (int i = 0; i < 200; i++) {
		struct segment *s = next_segment(&cut, &source);
		segment_free(&s);
	}
	int64_t before = cut.offset;
	struct slot gap_slot = { .msn = cut.open->msn + 1, .format = &lc44 };
	struct segment *gap, *closed = cut_gap(&cut, &gap_slot, &gap);
	assert_true(gap->gap);
	assert_non_null(closed);
	struct source later = { &lc44, layout_grid(gap_slot.msn + 100, SEGMENT), 0, 0, false };
	struct segment *s = next_segment(&cut, &later);
	assert_false(s->discontinuity);
	assert_int_equal(s->sample, 0);
	int64_t offset = cut.offset - before;
	assert_in_range(offset + 30, 0, 60); /* one segment's drift and rounding: 40 ppm of 6 s are 22 ticks */
	segment_free(&gap);
	segment_free(&closed);
	segment_free(&s);
	cut_fini(&cut);
}

/* A rendition that comes back from a gap has its own offset, not that of the sibling who spoke last. */
static void
gap_keeps_its_own_offset(void **state)
{
	struct epoch epoch;
	struct cut a, b;
	struct source sources[2] = {
		{ &lc44, layout_grid(K0, SEGMENT), 0, 50, false },
		{ &lc48, layout_grid(K0, SEGMENT), 0, -50, false },
	};
	struct segment *gap = NULL, *s;

	(void)state;
	epoch_init(&epoch);
	cut_init(&a, &epoch, 0);
	cut_init(&b, &epoch, 1);
	for (int n = 0; n < 100; n++) {
		s = next_segment(&a, &sources[0]);
		segment_free(&s);
		s = next_segment(&b, &sources[1]);
		segment_free(&s);
	}
	int64_t before = a.offset;
	assert_true(((b.offset - a.offset) & (int64_t)TICKS_MASK) > 5000); /* 60 ms apart */
	struct slot slot = { .msn = a.open->msn + 1, .format = &lc44 };
	struct segment *closed = cut_gap(&a, &slot, &gap);
	for (int n = 0; n < 2; n++) {
		s = next_segment(&b, &sources[1]);
		segment_free(&s);
	}
	struct source later = { &lc44, layout_grid(slot.msn + 1, SEGMENT), 0, 0, false };
	s = next_segment(&a, &later);
	assert_in_range((a.offset - before + 60) & (int64_t)TICKS_MASK, 0, 120);
	segment_free(&s);
	segment_free(&gap);
	segment_free(&closed);
	cut_fini(&a);
	cut_fini(&b);
}

static void
renditions_that_part_are_anchored_together(void **state)
{
	struct epoch epoch;
	struct cut cuts[2];
	struct source sources[2] = {
		{ &lc44, layout_grid(K0, SEGMENT), 0, 50, false },
		{ &lc48, layout_grid(K0, SEGMENT), 0, -50, false },
	};
	unsigned discontinuities = 0;

	(void)state;
	epoch_init(&epoch);
	for (unsigned i = 0; i < 2; i++)
		cut_init(&cuts[i], &epoch, i);
	/* 100 ppm apart: 100 ms after 1000 s; six hours */
	for (int n = 0; n < 3600; n++) {
		struct segment *a = next_segment(&cuts[0], &sources[0]), *b = next_segment(&cuts[1], &sources[1]);
		assert_int_equal(a->msn, b->msn);
		assert_int_equal(a->discontinuity, b->discontinuity);
		discontinuities += a->discontinuity;
		int64_t apart = (int64_t)(pts_begin(a) - pts_begin(b)) - (a->start.ns - b->start.ns) * 9 / 100000;
		apart = apart < 0 ? -apart : apart;
		assert_in_range(apart, 0, 9000);
		segment_free(&a);
		segment_free(&b);
	}
	assert_in_range(discontinuities, 23, 24);
	cut_fini(&cuts[0]);
	cut_fini(&cuts[1]);
}

static void
pending_format_is_a_joint_epoch_two_later(void **state)
{
	struct epoch e;

	(void)state;
	epoch_init(&e);
	epoch_report(&e, 0, K0, 100, true);
	epoch_report(&e, 1, K0, 200, false);
	assert_false(epoch_at(&e, K0 + 1));
	assert_true(epoch_at(&e, K0 + 2));
	/* what was still pending one segment later has been answered by it */
	epoch_report(&e, 0, K0 + 1, 100, true);
	assert_false(epoch_at(&e, K0 + 3));
	epoch_report(&e, 0, K0 + 2, 0, false);
	assert_false(epoch_at(&e, K0 + 4));
}

static void
offsets_are_compared_on_the_circle(void **state)
{
	struct epoch e;

	(void)state;
	epoch_init(&e);
	epoch_report(&e, 0, K0, 10, false);
	epoch_report(&e, 1, K0, (int64_t)TICKS_MASK - 10, false);
	assert_false(epoch_at(&e, K0 + 2));
	epoch_report(&e, 0, K0 + 1, 10, false);
	epoch_report(&e, 1, K0 + 1, (int64_t)TICKS_MASK - 8100, false);
	assert_true(epoch_at(&e, K0 + 3));
}

/* Who joins a time line writes what those write who were always on it: also when its first segment comes later, or
 * before the one that it was told of, with wall times told in milliseconds and clocks that drift. */
static void
joined_time_line_is_exact(void **state)
{
	(void)state;
	for (int distance = -3; distance <= 8; distance++) {
		struct epoch theirs, ours;
		struct cut a, b;
		struct source s = {
			.format = &lc44, .from = { (int64_t)K0 * SEGMENT * NS_PER_S + 123456789 }, .ppm = 180
		};
		struct segment *told = NULL, *here = NULL;
		struct source at = s;

		epoch_init(&theirs);
		epoch_init(&ours);
		cut_init(&a, &theirs, 0);
		cut_init(&b, &ours, 0);
		for (unsigned i = 0; i < 30; i++) {
			struct source before = s;
			struct segment *next = next_segment(&a, &s);
			if (next->msn == K0 + 6)
				told = next;
			else if (next->msn == K0 + 6 + (uint64_t)(int64_t)distance)
				here = next;
			else
				segment_free(&next);
			if (here && here == next) /* the slot before s belongs to the next segment already */
				at = before;
		}
		if (distance != 0) {
			struct wall start = { told->start.ns - told->start.ns % NS_PER_MS };
			cut_join(&b, told->anchor, told->sample, told->samples, told->format.rate, start);
			struct segment *mine = next_segment(&b, &at);
			while (mine->msn < here->msn) {
				segment_free(&mine);
				mine = next_segment(&b, &at);
			}
			assert_int_equal(mine->msn, here->msn);
			assert_int_equal(pts_end(mine), pts_end(here));
			assert_int_equal(mine->anchor.t, here->anchor.t);
			assert_int_equal(mine->sample + mine->samples, here->sample + here->samples);
			segment_free(&mine);
		}
		segment_free(&told);
		segment_free(&here);
		cut_fini(&a);
		cut_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joined_time_line_is_exact),
		cmocka_unit_test(time_stamps_go_on_and_wrap),
		cmocka_unit_test(resumed_time_line_is_exact),
		cmocka_unit_test(gap_keeps_the_offset),
		cmocka_unit_test(gap_keeps_its_own_offset),
		cmocka_unit_test(renditions_that_part_are_anchored_together),
		cmocka_unit_test(pending_format_is_a_joint_epoch_two_later),
		cmocka_unit_test(offsets_are_compared_on_the_circle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
