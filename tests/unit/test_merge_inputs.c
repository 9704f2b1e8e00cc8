/* Merge with several inputs: copies, twins, backups, the way back, the choice by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rewind/layout.h"
#include "segmenter/merge/merge.h"

#define SEGMENT 6
#define PATIENCE (1500 * NS_PER_MS)
#define DUE (PATIENCE + MERGE_SHORT_NS)
#define K0 INT64_C(299208600) /* a full hour */
#define SECONDS(n) ((n)*NS_PER_S)
#define CONTENTS 32768

static const struct audio_format lc48 = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x4c, 0x80 }, 48000, 2 };
static const struct audio_format lc44 = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x50, 0x80 }, 44100, 2 };

/* A run that is being sent. */
struct source {
	unsigned input;
	struct frame_run run;
	struct wall from; /* stamp of its first frame */
	uint64_t content; /* of its first frame; the next has the next */
	uint64_t loop;    /* contents repeat after so many; 0: never */
	uint64_t index;   /* of the frame that is sent next */
};

struct bench {
	struct merge merge;
	struct frame_pool pool;
	uint64_t contents[CONTENTS];
	uint64_t change_at;
	struct wall now;
	/* what came out */
	struct wall next;
	uint64_t last, fill, repeats, missing, reasons[MERGE_REASONS];
	int64_t worst_seam;
	struct wall changed; /* the last change of what is on air */
	struct hour_runs runs;
	bool pending, new_format;
};

static bool
may_change(void *ctx, uint64_t msn)
{
	const struct bench *b = ctx;

	return b->change_at && msn >= b->change_at;
}

static struct wall
grid(int64_t k)
{
	return layout_grid((uint64_t)(K0 + k), SEGMENT);
}

static struct wall
after(struct wall w, int64_t ns)
{
	return (struct wall){ w.ns + ns };
}

static struct bench *
bench_new(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	frame_pool_init(&b->pool, 8 << 20);
	struct merge_config config = { .T = SEGMENT,
		.patience_ns = PATIENCE,
		.settle_ns = SECONDS(10),
		.fill_silence = true,
		.fill_limit_ns = SECONDS(600),
		.pool = &b->pool,
		.may_change = may_change,
		.ctx = b };
	merge_init(&b->merge, &config);
	merge_input(&b->merge, "main", 1, true);
	merge_input(&b->merge, "backup", 2, true);
	for (uint64_t i = 0; i < CONTENTS; i++)
		b->contents[i] = i + 1;
	return b;
}

static void
bench_free(struct bench *b)
{
	merge_fini(&b->merge);
	frame_pool_fini(&b->pool);
	free(b);
}

static struct source
source(unsigned input, uint8_t id, struct wall from, uint64_t content)
{
	struct source s = { .input = input, .run = { .format = lc48 }, .from = from, .content = content };

	memset(s.run.id, id, RUN_ID_SIZE);
	return s;
}

static void
send_one(struct bench *b, struct source *s, uint64_t index)
{
	uint64_t n = s->loop ? index % s->loop : index;
	struct frame f = { .data = (const uint8_t *)&b->contents[(s->content + n) % CONTENTS],
		.len = sizeof(uint64_t),
		.samples = 1024,
		.wall = { s->from.ns + samples_to_ns(index * 1024, s->run.format.rate) },
		.index = index,
		.position = index * 1024 };

	merge_push(&b->merge, s->input, &s->run, f);
}

static struct wall
stamp(const struct source *s, uint64_t index)
{
	return after(s->from, samples_to_ns(index * 1024, s->run.format.rate));
}

static void
take(struct bench *b, const struct slot *s)
{
	int64_t duration = samples_to_ns(s->frame.samples, s->format->rate), seam = s->frame.wall.ns - b->next.ns;
	uint64_t content = 0;

	if (!s->frame.fill)
		memcpy(&content, s->frame.data, sizeof(content));
	if (b->next.ns && seam > b->worst_seam)
		b->worst_seam = seam;
	if (b->next.ns && -seam > b->worst_seam)
		b->worst_seam = -seam;
	b->repeats += content && content == b->last;
	b->missing += content && s->reason == MERGE_NEXT && content != b->last + 1;
	if (s->reason != MERGE_NEXT && s->reason != MERGE_FILL && s->reason != MERGE_BRIDGE)
		b->changed = s->frame.wall;
	b->last = content;
	b->fill += s->frame.fill;
	b->reasons[s->reason]++;
	b->next = after(s->frame.wall, duration);
	if (s->runs)
		b->runs = *s->runs;
	b->pending |= s->pending;
	b->new_format |= s->new_format && s->reason != MERGE_BEGIN;
}

/* Everything is sent as it is spoken, up to `until`, and taken out. */
static void
run(struct bench *b, struct source *const *sources, unsigned count, struct wall until)
{
	struct slot slot;

	for (; b->now.ns < until.ns; b->now.ns += 20 * NS_PER_MS) {
		for (unsigned i = 0; i < count; i++)
			while (stamp(sources[i], sources[i]->index).ns <= b->now.ns)
				send_one(b, sources[i], sources[i]->index++);
		while (merge_next(&b->merge, b->now, &slot) == MERGE_FRAME) {
			take(b, &slot);
			frame_release(&slot.frame);
		}
	}
}

#define RUN(b, until, ...)                                                                                             \
	do {                                                                                                           \
		struct source *const all_[] = { __VA_ARGS__ };                                                         \
		run(b, all_, sizeof(all_) / sizeof(all_[0]), until);                                                   \
	} while (0)

static void
backup_takes_over(void **state)
{
	struct bench *b = bench_new();
	struct source main_ = source(0, 1, grid(-1), 0), backup = source(1, 2, after(grid(-1), 7 * NS_PER_MS), 10000);

	(void)state;
	b->now = grid(-1);
	RUN(b, after(grid(2), SECONDS(2)), &main_, &backup);
	assert_string_equal(merge_on_air(&b->merge), "main");
	assert_int_equal(b->reasons[MERGE_BACKUP], 0);
	RUN(b, after(grid(2), SECONDS(2) + DUE - 40 * NS_PER_MS), &backup);
	assert_int_equal(b->reasons[MERGE_BACKUP], 0); /* the slot is waited for */
	RUN(b, grid(4), &backup);
	assert_string_equal(merge_on_air(&b->merge), "backup");
	assert_int_equal(b->reasons[MERGE_BACKUP], 1);
	assert_int_equal(b->fill, 0);
	assert_true(b->worst_seam > NS_PER_MS && b->worst_seam <= samples_to_ns(512, 48000));
	assert_int_equal(b->missing, 0);
	bench_free(b);
}

static void
returns_at_a_full_minute(void **state)
{
	struct bench *b = bench_new();
	struct source main_ = source(0, 1, grid(-1), 0), backup = source(1, 2, after(grid(-1), 3 * NS_PER_MS), 10000);
	struct source again = source(0, 3, after(grid(5), SECONDS(2)), 20000);

	(void)state;
	b->now = grid(-1);
	RUN(b, grid(2), &main_, &backup);
	RUN(b, after(grid(9), SECONDS(5)), &backup, &again);
	assert_string_equal(merge_on_air(&b->merge), "backup"); /* however long main is back */
	RUN(b, grid(11), &backup, &again);
	assert_string_equal(merge_on_air(&b->merge), "main");
	assert_int_equal(b->reasons[MERGE_MINUTE], 1);
	int64_t from_minute = b->changed.ns - grid(10).ns;
	assert_true(from_minute >= -samples_to_ns(1024, 48000) && from_minute <= samples_to_ns(1024, 48000));
	assert_int_equal(b->fill, 0);
	assert_int_equal(b->missing, 0);
	bench_free(b);
}

static void
stays_where_a_better_input_has_not_settled(void **state)
{
	struct bench *b = bench_new();
	struct source main_ = source(0, 1, grid(-1), 0), backup = source(1, 2, after(grid(-1), 3 * NS_PER_MS), 10000);
	struct source again = source(0, 3, after(grid(8), SECONDS(3)), 20000); /* 9 s before the minute */

	(void)state;
	b->now = grid(-1);
	RUN(b, grid(2), &main_, &backup);
	RUN(b, grid(12), &backup, &again);
	assert_string_equal(merge_on_air(&b->merge), "backup");
	RUN(b, grid(21), &backup, &again);
	assert_string_equal(merge_on_air(&b->merge), "main");
	bench_free(b);
}

static void
choice_by_hand(void **state)
{
	struct bench *b = bench_new();
	struct source main_ = source(0, 1, grid(-1), 0), backup = source(1, 2, after(grid(-1), 3 * NS_PER_MS), 10000);
	struct source again = source(1, 3, after(grid(5), NS_PER_S), 20000);

	(void)state;
	b->now = grid(-1);
	RUN(b, after(grid(1), SECONDS(2)), &main_, &backup);
	merge_choose(&b->merge, 1);
	RUN(b, after(grid(2), -NS_PER_S / 10), &main_, &backup);
	assert_string_equal(merge_on_air(&b->merge), "main");
	RUN(b, after(grid(2), SECONDS(3)), &main_, &backup);
	assert_string_equal(merge_on_air(&b->merge), "backup"); /* at the boundary */
	assert_int_equal(b->reasons[MERGE_CHOSEN], 1);
	/* it goes: the ladder; it comes back: at the full minute */
	RUN(b, after(grid(9), NS_PER_S), &main_, &again);
	assert_string_equal(merge_on_air(&b->merge), "main");
	RUN(b, grid(11), &main_, &again);
	assert_string_equal(merge_on_air(&b->merge), "backup");
	merge_choose(&b->merge, MERGE_NONE);
	RUN(b, grid(19), &main_, &again);
	assert_string_equal(merge_on_air(&b->merge), "backup");
	RUN(b, grid(21), &main_, &again);
	assert_string_equal(merge_on_air(&b->merge), "main");
	assert_int_equal(b->fill, 0);
	bench_free(b);
}

static void
short_hole_is_no_reason_to_leave(void **state)
{
	struct bench *b = bench_new();
	struct source main_ = source(0, 1, grid(-1), 0), backup = source(1, 2, after(grid(-1), 3 * NS_PER_MS), 10000);

	(void)state;
	b->now = grid(-1);
	RUN(b, after(grid(1), SECONDS(2)), &main_, &backup);
	main_.index += 3; /* 64 ms */
	RUN(b, grid(3), &main_, &backup);
	assert_int_equal(b->fill, 3);
	assert_int_equal(b->merge.counters.bridged_holes, 3);
	assert_int_equal(b->reasons[MERGE_BACKUP], 0);
	main_.index += 6; /* 128 ms */
	RUN(b, grid(5), &main_, &backup);
	assert_int_equal(b->reasons[MERGE_BACKUP], 1);
	assert_int_equal(b->fill, 3);
	bench_free(b);
}

static void
copies_are_used_once(void **state)
{
	struct bench *b = bench_new();
	struct source one = source(0, 1, grid(-1), 0), other = one;

	(void)state;
	b->now = grid(-1);
	for (int n = 0; n < 20; n++) { /* each loses a frame a second that the other has */
		RUN(b, after(grid(-1), n * NS_PER_S), &one, &other);
		if (n % 2)
			one.index++;
		else
			other.index++;
	}
	assert_int_equal(b->fill, 0);
	assert_int_equal(b->missing + b->repeats, 0);
	assert_true(b->merge.twins.counters.copies > 800);
	assert_int_equal(b->merge.twins.counters.runs, 1);
	bench_free(b);
}

static void
twins_are_found_and_stand_in(void **state)
{
	struct bench *b = bench_new();
	struct source one = source(0, 1, grid(-1), 0), two = source(0, 2, after(grid(-1), 512 * NS_PER_MS + 31), 20);

	(void)state;
	two.from.ns += SECONDS(0);
	b->now = grid(-1);
	RUN(b, after(grid(0), SECONDS(3)), &one, &two);
	assert_int_equal(b->merge.twins.counters.joined, 0); /* not before 10 s are known */
	RUN(b, after(grid(4), SECONDS(2)), &one, &two);
	assert_int_equal(b->merge.twins.counters.joined, 1);
	assert_int_equal(b->runs.count, 2);
	RUN(b, grid(8), &two);
	assert_int_equal(b->fill, 0);
	assert_int_equal(b->missing + b->repeats, 0);
	assert_int_equal(b->worst_seam, 0 + (b->worst_seam <= 2 ? b->worst_seam : -1)); /* rounding alone */
	assert_int_equal(b->reasons[MERGE_BACKUP], 0);
	bench_free(b);
}

static void
twin_that_parts_is_left(void **state)
{
	struct bench *b = bench_new();
	struct source one = source(0, 1, grid(-1), 0), two = source(0, 2, after(grid(-1), 5 * NS_PER_MS), 0);

	(void)state;
	b->now = grid(-1);
	RUN(b, grid(4), &one, &two);
	assert_int_equal(b->merge.twins.counters.joined, 1);
	two.content++; /* its receiver lost a frame without a trace: all that follow are one too early */
	RUN(b, grid(5), &one, &two);
	assert_int_equal(b->merge.twins.counters.parted, 1);
	RUN(b, grid(7), &one, &two);
	assert_int_equal(b->merge.twins.counters.joined, 2); /* with another shift */
	assert_int_equal(b->fill + b->missing + b->repeats, 0);
	bench_free(b);
}

static void
silence_and_loops_fool_nobody(void **state)
{
	static const uint64_t loops[] = { 1, 94, 141 }; /* silence; a jingle of 2 s, of 3 s */

	(void)state;
	for (unsigned i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		struct bench *b = bench_new();
		struct source one = source(0, 1, grid(-1), 0), two = source(1, 2, after(grid(-1), 640 * NS_PER_MS), 0);
		one.loop = two.loop = loops[i];
		b->now = grid(-1);
		RUN(b, grid(8), &one, &two);
		assert_int_equal(b->merge.twins.counters.joined, 0);
		bench_free(b);
	}
}

static void
twins_apart_by_more_than_patience_are_none(void **state)
{
	struct bench *b = bench_new();
	struct source one = source(0, 1, grid(-1), 0),
		      two = source(1, 2, after(grid(-1), PATIENCE + 50 * NS_PER_MS), 0);

	(void)state;
	b->now = grid(-1);
	RUN(b, grid(6), &one, &two);
	assert_int_equal(b->merge.twins.counters.joined, 0);
	bench_free(b);
}

static void
other_format_waits_for_its_boundary(void **state)
{
	struct bench *b = bench_new();
	struct source main_ = source(0, 1, grid(-1), 0), backup = source(1, 2, grid(-1), 10000);

	(void)state;
	backup.run.format = lc44;
	b->now = grid(-1);
	RUN(b, after(grid(1), SECONDS(2)), &main_, &backup);
	assert_false(b->pending);
	RUN(b, grid(3), &backup);
	assert_true(b->pending);
	assert_false(b->new_format);
	b->change_at = (uint64_t)K0 + 4;
	RUN(b, grid(6), &backup);
	assert_true(b->new_format);
	assert_int_equal(b->reasons[MERGE_FORMAT], 1);
	/* main is back in its own format: at the full minute it is wanted, at the station's boundary it is there */
	struct source again = source(0, 3, after(grid(6), NS_PER_S), 20000);
	b->change_at = 0;
	RUN(b, grid(12), &backup, &again);
	assert_string_equal(merge_on_air(&b->merge), "backup");
	assert_int_equal(b->merge.want_format, 0);
	b->change_at = (uint64_t)K0 + 13;
	RUN(b, grid(15), &backup, &again);
	assert_string_equal(merge_on_air(&b->merge), "main");
	assert_int_equal(b->reasons[MERGE_FORMAT], 2);
	assert_int_equal(b->merge.want_format, MERGE_NONE);
	bench_free(b);
}

static void
both_gone_and_back(void **state)
{
	struct bench *b = bench_new();
	struct source main_ = source(0, 1, grid(-1), 0), backup = source(1, 2, after(grid(-1), 3 * NS_PER_MS), 10000);
	struct source again = source(1, 3, after(grid(4), SECONDS(2)), 20000);
	struct source none = source(0, 9, grid(1000), 0);

	(void)state;
	b->now = grid(-1);
	RUN(b, after(grid(1), SECONDS(2)), &main_, &backup);
	RUN(b, after(grid(4), SECONDS(2)), &none);
	RUN(b, grid(7), &again);
	assert_string_equal(merge_on_air(&b->merge), "backup");
	assert_int_equal(b->reasons[MERGE_RETURN], 1);
	assert_true(b->changed.ns - grid(5).ns < samples_to_ns(1024, 48000) &&
		    b->changed.ns >= grid(5).ns - samples_to_ns(512, 48000));
	assert_in_range(b->fill, 46 * 21, 46 * 23); /* to the boundary after it came back */
	bench_free(b);
}

static void
goes_on_exactly_after_a_restart(void **state)
{
	struct bench *b = bench_new();
	struct source backup = source(1, 2, after(grid(-1), 3 * NS_PER_MS), 10000), main_ = source(0, 1, grid(-1), 0);
	struct hour_runs runs = { .count = 1, .run = { { .offset_ns = 40 * NS_PER_MS } } };
	struct wall next = stamp(&backup, 500);

	(void)state;
	memset(runs.run[0].id, 2, HOUR_RUN_ID);
	next.ns += runs.run[0].offset_ns;
	merge_resume(&b->merge, &lc48, next, (uint64_t)K0 + 0, false, &runs);
	b->now = after(grid(0), SECONDS(3));
	b->next = next;
	b->last = 10000 + 500;
	RUN(b, grid(2), &main_, &backup);
	/* the backup was on air, and stays so until the minute; its frames go where they would have gone */
	assert_string_equal(merge_on_air(&b->merge), "backup");
	assert_true(b->worst_seam <= 1);
	assert_int_equal(b->fill + b->missing, 0);
	assert_int_equal(b->runs.run[0].offset_ns, 40 * NS_PER_MS);
	bench_free(b);
}

static void
many_runs_are_bounded(void **state)
{
	struct bench *b = bench_new();
	struct source main_ = source(0, 1, grid(-1), 0);

	(void)state;
	b->now = grid(-1);
	for (uint8_t i = 0; i < 200; i++) { /* a sender in a restart loop */
		struct source other = source(1, (uint8_t)(i + 2), b->now, 100 * (uint64_t)i);
		RUN(b, after(grid(-1), (i + 1) * 100 * NS_PER_MS), &main_, &other);
	}
	assert_string_equal(merge_on_air(&b->merge), "main");
	assert_int_equal(b->merge.twins.counters.runs, 201);
	assert_true(b->merge.twins.counters.dropped_runs >= 201 - MERGE_RUNS);
	assert_int_equal(b->fill + b->missing + b->repeats, 0);
	bench_free(b);
}

static void
wild_indices_are_dropped(void **state)
{
	struct bench *b = bench_new();
	struct source main_ = source(0, 1, grid(-1), 0);

	(void)state;
	b->now = grid(-1);
	RUN(b, grid(1), &main_);
	send_one(b, &main_, main_.index + 100000);
	send_one(b, &main_, UINT64_MAX);
	send_one(b, &main_, UINT64_MAX / 2);
	assert_int_equal(b->merge.twins.counters.full, 3);
	RUN(b, grid(3), &main_);
	assert_int_equal(b->fill + b->missing + b->repeats, 0);
	/* one whose index alone is wild: what follows is taken again */
	struct source wild = main_;
	wild.from.ns -= samples_to_ns(200000 * 1024, 48000);
	send_one(b, &wild, wild.index + 200000);
	RUN(b, grid(5), &main_);
	assert_true(b->fill < 4);
	assert_string_equal(merge_on_air(&b->merge), "main");
	bench_free(b);
}

static void
comparator_is_a_ladder(void **state)
{
	struct run r[2] = { { .anchor_ns = 5 }, { .anchor_ns = 5 } };
	struct choice a = { { true, 9, "z" }, &r[0] }, b = { { false, 1, "a" }, &r[1] };

	(void)state;
	r[1].head.id[15] = 1;
	assert_true(choice_compare(&a, &b) < 0); /* 1. by hand */
	a.input.chosen = false;
	assert_true(choice_compare(&a, &b) > 0); /* 2. priority */
	a.input.priority = 1;
	assert_true(choice_compare(&a, &b) > 0); /* 3. name */
	a.input.name = "a";
	assert_true(choice_compare(&a, &b) < 0); /* 5. run id */
	r[0].anchor_ns = 6;
	assert_true(choice_compare(&a, &b) > 0); /* 4. anchor */
	assert_true(choice_compare(&b, &a) < 0);
	assert_int_equal(choice_compare(&a, &a), 0);
}

static void
file_stands_in(void **state)
{
	static const uint8_t header[] = { 0xff, 0xf1, 0x4c, 0x80, 100 >> 3, (100 & 7) << 5 | 0x1f, 0xfc };
	uint8_t bytes[10 * 100] = { 0 };
	struct fill *f = NULL;
	char why[160];

	(void)state;
	assert_int_equal(fill_new((const uint8_t *)"no audio at all", 15, &f, why), -1);
	assert_null(f);
	for (unsigned i = 0; i < 10; i++) {
		memcpy(bytes + 100 * i, header, sizeof(header));
		bytes[100 * i + 50] = (uint8_t)i;
	}
	assert_int_equal(fill_new(bytes, sizeof(bytes), &f, why), 0);
	assert_int_equal(f->count, 10);
	assert_true(fill_fits(f, &lc48));
	assert_false(fill_fits(f, &lc44));
	/* slots that follow each other play frames that follow each other */
	struct wall at = grid(0);
	for (uint64_t n = 0; n < 1000; n++) {
		const struct fill_frame *x = fill_at(f, after(at, samples_to_ns(n * 1024, 48000)));
		const struct fill_frame *y = fill_at(f, after(at, samples_to_ns((n + 1) * 1024, 48000)));
		assert_int_equal((x->data[50] + 1) % 10, y->data[50]);
	}
	fill_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backup_takes_over),
		cmocka_unit_test(returns_at_a_full_minute),
		cmocka_unit_test(stays_where_a_better_input_has_not_settled),
		cmocka_unit_test(choice_by_hand),
		cmocka_unit_test(short_hole_is_no_reason_to_leave),
		cmocka_unit_test(copies_are_used_once),
		cmocka_unit_test(twins_are_found_and_stand_in),
		cmocka_unit_test(twin_that_parts_is_left),
		cmocka_unit_test(silence_and_loops_fool_nobody),
		cmocka_unit_test(twins_apart_by_more_than_patience_are_none),
		cmocka_unit_test(other_format_waits_for_its_boundary),
		cmocka_unit_test(both_gone_and_back),
		cmocka_unit_test(goes_on_exactly_after_a_restart),
		cmocka_unit_test(many_runs_are_bounded),
		cmocka_unit_test(wild_indices_are_dropped),
		cmocka_unit_test(comparator_is_a_ladder),
		cmocka_unit_test(file_stands_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
