/* Lists over spans: what they hold as time goes on, how they end, what a delta update leaves out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rewind/span.h"

#define T 6
#define FULL 600
#define HOUR UINT64_C(498681) /* 2026-11-21T09:00:00Z */
#define FIRST (HOUR * FULL)
#define HOURS 30
#define LIST_MOST (8u << 20)

/* HOURS hours of a store that has grown up to `newest`, of 24 kHz-like steady segments; holes and breaks are put in. */
struct shop {
	struct hour hour[HOURS];
	const struct hour *list[HOURS];
	struct audio_format aac, mp3;
};

static void
number(struct shop *s)
{
	uint64_t sequence = 0;
	for (size_t h = 0; h < HOURS; h++) {
		s->hour[h].discontinuity_sequence = sequence;
		for (size_t i = 0; i < FULL; i++)
			s->hour[h].entries[i].discontinuity_sequence = sequence += s->hour[h].entries[i].discontinuity;
	}
}

static int
setup(void **state)
{
	struct shop *s = calloc(1, sizeof *s);
	s->aac = (struct audio_format){ .codec = CODEC_AAC, .rate = 48000, .channels = 2 };
	s->mp3 = (struct audio_format){ .codec = CODEC_MP3, .rate = 48000, .channels = 2 };
	for (size_t h = 0; h < HOURS; h++) {
		s->list[h] = &s->hour[h];
		s->hour[h] = (struct hour){ .first_msn = FIRST + h * FULL,
			.segment = T,
			.count = FULL,
			.entries = calloc(FULL, sizeof(struct hour_entry)),
			.formats = &s->aac,
			.format_count = 1 };
		for (size_t i = 0; i < FULL; i++) {
			uint64_t msn = FIRST + h * FULL + i;
			s->hour[h].entries[i] = (struct hour_entry){ .msn = msn,
				.start = layout_grid(msn, T),
				.duration_us = msn % 3 ? 5994667 : 6016000,
				.frames = 281 };
		}
	}
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct shop *s = *state;
	for (size_t h = 0; h < HOURS; h++)
		free(s->hour[h].entries);
	free(s);
	return 0;
}

static struct hour_entry *
entry(struct shop *s, uint64_t msn)
{
	return &s->hour[(msn - FIRST) / FULL].entries[(msn - FIRST) % FULL];
}

static void
gap(struct shop *s, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		*entry(s, from) = hour_gap(from, T, LAYOUT_TS, 0);
	number(s);
}

/* What is on the disk when `newest` has just been entered, as a reader gets it for these bounds. */
static size_t
grow(struct shop *s, uint64_t newest)
{
	size_t last = (size_t)((newest - FIRST) / FULL);
	for (size_t h = 0; h < HOURS; h++)
		s->hour[h].count = h < last ? FULL : h == last ? (size_t)((newest - FIRST) % FULL + 1) : 0;
	return last + 1;
}

static struct wall
moment(uint64_t msn, int64_t seconds)
{
	return (struct wall){ layout_grid(msn, T).ns + seconds * NS_PER_S };
}

static struct time_span
from_on(uint64_t first, uint64_t segments)
{
	return (struct time_span){ .kind = TIME_FROM, .first = first, .end = first + segments };
}

/* The list as text, owned by the caller; NULL with *rc. */
static char *
list(struct shop *s, const struct time_span *span, uint64_t newest, struct wall now, bool skip, int *rc)
{
	struct span_plan plan;
	struct text out;
	size_t count = grow(s, newest), skipped = (size_t)((span->first - FIRST) / FULL);
	if (span->kind == TIME_DELAY)
		skipped = 0;
	*rc = span_plan(&plan, span, s->list + skipped, count - skipped, 10, now, skip);
	if (*rc)
		return NULL;
	text_init(&out, LIST_MOST);
	span_write(&out, &plan, s->list + skipped);
	span_plan_fini(&plan);
	assert_false(out.full);
	return out.data;
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;
	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

#define has(text, what) assert_non_null(strstr(text, what))
#define lacks(text, what) assert_null(strstr(text, what))

static void
begins_as_promised(void **state)
{
	struct shop *s = *state;
	struct time_span span = from_on(FIRST + 10, 14400);
	int rc;
	char *text = list(s, &span, FIRST + 13, moment(FIRST + 14, 1), false, &rc);
	assert_string_equal(text,
	    "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:6\n#EXT-X-PLAYLIST-TYPE:"
	    "EVENT\n"
	    "#EXT-X-MEDIA-SEQUENCE:299208610\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
	    "#EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=36.0\n"
	    "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:01:00.000Z\n#EXTINF:5.994667,\n20261121T09/20261121T090100Z.ts\n"
	    "#EXTINF:5.994667,\n20261121T09/20261121T090106Z.ts\n#EXTINF:6.016000,\n20261121T09/20261121T090112Z.ts\n"
	    "#EXTINF:5.994667,\n20261121T09/20261121T090118Z.ts\n");
	free(text);
}

static void
dates_every_ten_minutes(void **state)
{
	struct shop *s = *state;
	struct time_span span = from_on(FIRST + 10, 14400);
	int rc;
	char *text = list(s, &span, FIRST + 2 * FULL + 5, moment(FIRST + 2 * FULL + 6, 1), false, &rc);
	/* the first, 09:10 to 10:50, 11:00 */
	assert_int_equal(count(text, "#EXT-X-PROGRAM-DATE-TIME:"), 1 + 11 + 1);
	has(text, "DATE-TIME:2026-11-21T10:50:00.000Z");
	has(text, "DATE-TIME:2026-11-21T11:00:00.000Z");
	free(text);
}

/* Up to the end of a day every list begins with the one before, but for the end. */
static void
grows_for_a_day_and_ends(void **state)
{
	struct shop *s = *state;
	gap(s, FIRST + 700, FIRST + 705);
	entry(s, FIRST + 5000)->discontinuity = true;
	number(s);
	uint64_t first = FIRST + 599;
	struct time_span span = from_on(first, 14400);
	int rc;
	char *before = NULL;
	for (uint64_t newest = first; newest < first + 14400 + 20; newest += newest < first + 14390 ? 97 : 1) {
		char *text = list(s, &span, newest, moment(newest + 1, 1), false, &rc);
		bool over = newest >= first + 14399;
		uint64_t last = over ? first + 14399 : newest;
		assert_int_equal(count(text, "#EXTINF:"), last - first + 1);
		assert_int_equal(count(text, LIST_END), over);
		if (before && !strstr(before, LIST_END))
			assert_memory_equal(before, text, strlen(before));
		else if (before)
			assert_string_equal(before, text);
		free(before);
		before = text;
	}
	has(before, "#EXT-X-GAP");
	free(before);
	/* five minutes after its end the hole is left out */
	char *text = list(s, &span, first + 14460, moment(first + 14400, 300), false, &rc);
	lacks(text, "#EXT-X-GAP");
	assert_int_equal(count(text, "#EXTINF:"), 14395);
	assert_int_equal(count(text, LIST_DISCONTINUITY), 2);
	has(text, "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:10:30.000Z\n");
	free(text);
}

/* A hole from one hour into the next is one discontinuity, whether the hours are whole or not. */
static void
joins_holes_over_hours(void **state)
{
	struct shop *s = *state;
	struct time_span span = { .kind = TIME_SPAN, .first = FIRST + 500, .end = FIRST + 3 * FULL + 100 };
	struct wall now = moment(FIRST + 5 * FULL, 0);
	struct {
		uint64_t from, to;
		size_t breaks;
	} cases[] = {
		{ FIRST + 590, FIRST + 610, 1 },                      /* over a border */
		{ FIRST + 590, FIRST + 600, 1 },                      /* up to one */
		{ FIRST + 600, FIRST + 610, 1 },                      /* from one */
		{ FIRST + 590, FIRST + 2 * FULL, 1 },                 /* up to one and a whole hour */
		{ FIRST + FULL, FIRST + 2 * FULL, 1 },                /* a whole hour */
		{ FIRST + 590, FIRST + 3 * FULL + 3, 1 },             /* two whole hours and more */
		{ FIRST + 500, FIRST + 510, 0 },                      /* at the start */
		{ FIRST + 3 * FULL + 50, FIRST + 3 * FULL + 100, 0 }, /* at the end */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		void *other;
		setup(&other);
		int rc;
		gap(other, cases[i].from, cases[i].to);
		char *text = list(other, &span, FIRST + 4 * FULL, now, false, &rc);
		if (count(text, LIST_DISCONTINUITY) != cases[i].breaks)
			fail_msg("case %zu: %zu discontinuities", i, count(text, LIST_DISCONTINUITY));
		assert_int_equal(count(text, "#EXTINF:"), span.end - span.first - (cases[i].to - cases[i].from));
		/* each with its date */
		assert_int_equal(count(text, LIST_DISCONTINUITY "#EXT-X-PROGRAM"), cases[i].breaks);
		lacks(text, LIST_DISCONTINUITY LIST_DISCONTINUITY);
		lacks(text, "#EXT-X-GAP");
		has(text, LIST_END);
		free(text);
		/* a break of its own behind the hole is the same one */
		if (cases[i].to < span.end) {
			entry(other, cases[i].to)->discontinuity = true;
			number(other);
			text = list(other, &span, FIRST + 4 * FULL, now, false, &rc);
			assert_int_equal(count(text, LIST_DISCONTINUITY), 1);
			free(text);
		}
		teardown(&other);
	}
	(void)s;
}

static void
counts_discontinuities(void **state)
{
	struct shop *s = *state;
	entry(s, FIRST + 5)->discontinuity = true;
	entry(s, FIRST + 20)->discontinuity = true;
	entry(s, FIRST + 30)->discontinuity = true;
	number(s);
	int rc;
	struct time_span span = from_on(FIRST + 20, 1000);
	char *text = list(s, &span, FIRST + 50, moment(FIRST + 51, 0), false, &rc);
	/* one before it, its own tag stands in the list */
	has(text, "#EXT-X-DISCONTINUITY-SEQUENCE:1\n");
	assert_int_equal(count(text, LIST_DISCONTINUITY), 2);
	free(text);
	span.first = FIRST + 21;
	text = list(s, &span, FIRST + 50, moment(FIRST + 51, 0), false, &rc);
	has(text, "#EXT-X-DISCONTINUITY-SEQUENCE:2\n");
	assert_int_equal(count(text, LIST_DISCONTINUITY), 1);
	free(text);
}

static void
begins_behind_a_gap(void **state)
{
	struct shop *s = *state;
	int rc;
	gap(s, FIRST + 10, FIRST + 20);
	struct time_span span = from_on(FIRST + 12, 1000);
	assert_null(list(s, &span, FIRST + 15, moment(FIRST + 16, 0), false, &rc));
	assert_int_equal(rc, -ENOENT);
	char *text = list(s, &span, FIRST + 25, moment(FIRST + 26, 0), false, &rc);
	has(text, "#EXT-X-MEDIA-SEQUENCE:299208620\n");
	lacks(text, "#EXT-X-GAP");
	free(text);
	/* nothing but gaps, and over */
	span = (struct time_span){ .kind = TIME_SPAN, .first = FIRST + 11, .end = FIRST + 18 };
	assert_null(list(s, &span, FIRST + 1000, moment(FIRST + 1001, 0), false, &rc));
	assert_int_equal(rc, -ENOENT);
	/* not yet on the disk */
	span = from_on(FIRST + 100, 1000);
	assert_null(list(s, &span, FIRST + 99, moment(FIRST + 101, 0), false, &rc));
	assert_int_equal(rc, -ENOENT);
}

static void
leaves_out_what_a_player_has(void **state)
{
	struct shop *s = *state;
	int rc;
	struct time_span span = from_on(FIRST + 10, 14400);
	char *text = list(s, &span, FIRST + 700, moment(FIRST + 701, 0), true, &rc);
	/* 691 segments; the last six hold the 36 s that must stay */
	has(text, "#EXT-X-VERSION:9\n");
	has(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS=685\n");
	has(text, "#EXT-X-MEDIA-SEQUENCE:299208610\n");
	assert_int_equal(count(text, "#EXTINF:"), 6);
	free(text);
	/* over the border of an hour */
	text = list(s, &span, FIRST + 602, moment(FIRST + 603, 0), true, &rc);
	assert_int_equal(count(text, "#EXTINF:"), 6);
	has(text, "SKIPPED-SEGMENTS=587\n");
	free(text);
	/* too short for it */
	text = list(s, &span, FIRST + 15, moment(FIRST + 16, 0), true, &rc);
	has(text, "#EXT-X-VERSION:3\n");
	lacks(text, "#EXT-X-SKIP");
	free(text);
	/* up to a discontinuity and no further */
	entry(s, FIRST + 40)->discontinuity = true;
	number(s);
	text = list(s, &span, FIRST + 700, moment(FIRST + 701, 0), true, &rc);
	has(text, "SKIPPED-SEGMENTS=30\n");
	assert_int_equal(count(text, "#EXTINF:"), 691 - 30);
	assert_int_equal(count(text, LIST_DISCONTINUITY), 1);
	free(text);
	/* also when it brings the end; a list that has settled is whole */
	span = from_on(FIRST + 50, 600);
	text = list(s, &span, FIRST + 660, moment(FIRST + 661, 0), true, &rc);
	has(text, "SKIPPED-SEGMENTS=594\n");
	has(text, LIST_END);
	free(text);
	text = list(s, &span, FIRST + 710, moment(FIRST + 711, 0), true, &rc);
	lacks(text, "#EXT-X-SKIP");
	lacks(text, "CAN-SKIP");
	free(text);
}

static void
is_live_a_while_ago(void **state)
{
	struct shop *s = *state;
	int rc;
	struct time_span span = { .kind = TIME_DELAY, .delay_s = 600 };
	/* two seconds into number 1000 */
	char *text = list(s, &span, FIRST + 999, moment(FIRST + 1000, 2), false, &rc);
	has(text, "#EXT-X-MEDIA-SEQUENCE:299209490\n"); /* FIRST + 890 */
	assert_int_equal(count(text, "#EXTINF:"), 10);
	lacks(text, "#EXT-X-PLAYLIST-TYPE");
	lacks(text, "#EXT-X-START");
	lacks(text, LIST_END);
	free(text);
	/* the same until the next grid line */
	text = list(s, &span, FIRST + 999, moment(FIRST + 1000, 5), false, &rc);
	has(text, "#EXT-X-MEDIA-SEQUENCE:299209490\n");
	free(text);
	text = list(s, &span, FIRST + 1000, moment(FIRST + 1001, 0), false, &rc);
	has(text, "#EXT-X-MEDIA-SEQUENCE:299209491\n");
	free(text);
}

static void
ends_where_the_segmenter_did(void **state)
{
	struct shop *s = *state;
	int rc;
	struct time_span span = { .kind = TIME_SPAN, .first = FIRST + 10, .end = FIRST + 100 };
	/* it stopped at 50: the span is open until nothing can come any more */
	char *text = list(s, &span, FIRST + 50, moment(FIRST + 100, 17), false, &rc);
	lacks(text, LIST_END);
	free(text);
	text = list(s, &span, FIRST + 50, moment(FIRST + 100, 18), false, &rc);
	has(text, LIST_END);
	assert_int_equal(count(text, "#EXTINF:"), 41);
	free(text);
}

static void
speaks_of_independence_only_where_it_holds(void **state)
{
	struct shop *s = *state;
	int rc;
	struct time_span span = from_on(FIRST + 10, 14400);
	s->hour[1].formats = &s->mp3;
	char *text = list(s, &span, FIRST + 599, moment(FIRST + 600, 0), false, &rc);
	has(text, "#EXT-X-INDEPENDENT-SEGMENTS");
	free(text);
	text = list(s, &span, FIRST + 601, moment(FIRST + 602, 0), false, &rc);
	lacks(text, "#EXT-X-INDEPENDENT-SEGMENTS");
	free(text);
}

static void
fills_hours_that_nobody_saw(void **state)
{
	struct shop *s = *state;
	struct hour out;
	s->hour[2].discontinuity_sequence = 7;
	assert_int_equal(span_hour_fill(NULL, HOUR + 1, &s->hour[2], &out), 0);
	assert_int_equal(out.count, FULL);
	assert_int_equal(out.first_msn, FIRST + FULL);
	for (size_t i = 0; i < FULL; i++) {
		assert_true(out.entries[i].gap);
		assert_int_equal(out.entries[i].msn, FIRST + FULL + i);
		assert_int_equal(out.entries[i].discontinuity_sequence, 7);
	}
	hour_free(&out);
	s->hour[1].count = 20;
	s->hour[1].entries[19].discontinuity_sequence = 5;
	assert_int_equal(span_hour_fill(&s->hour[1], HOUR + 1, &s->hour[2], &out), 0);
	assert_false(out.entries[19].gap);
	assert_true(out.entries[20].gap);
	assert_int_equal(out.entries[20].discontinuity_sequence, 5);
	assert_int_equal(out.format_count, 1);
	hour_free(&out);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(begins_as_promised),
		TEST(dates_every_ten_minutes),
		TEST(grows_for_a_day_and_ends),
		TEST(joins_holes_over_hours),
		TEST(counts_discontinuities),
		TEST(begins_behind_a_gap),
		TEST(leaves_out_what_a_player_has),
		TEST(is_live_a_while_ago),
		TEST(ends_where_the_segmenter_did),
		TEST(speaks_of_independence_only_where_it_holds),
		TEST(fills_hours_that_nobody_saw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
