/* Which frames of the store a span of time is made of, and where it has none. */
#include "tests/unit/store_fixture.h"

#include "rewind/excerpt.h"

#define FIRST FIXTURE_FIRST
#define LEN 40
/* Three frames last 64 ms; every fourth segment begins on its grid line. */
#define FRAME_MIDDLE_NS (32 * NS_PER_MS)

/* Numbers 590 to 612 of the hour, which goes on into the next, without 604. */
static int
setup(void **state)
{
	if (fixture_setup(state))
		return -1;
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST + 590; k <= FIRST + 612; k++)
		if (k != FIRST + 604)
			assert_int_equal(fixture_put(f, k), 0);
	return 0;
}

static int
gather(void *ctx, const struct excerpt_segment *s)
{
	text_add(ctx, s->frames, s->frames_len);
	return 0;
}

static struct excerpt
take(const struct fixture *f, struct wall from, struct wall to, bool whole, struct text *frames)
{
	char path[256];
	int dir = open(fixture_path(f, "", path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	struct excerpt x = { .dir = dir, .from = from, .to = to, .whole = whole };
	text_init(frames, 8 << 20);
	assert_int_equal(excerpt_read(&x, gather, frames), 0);
	close(dir);
	return x;
}

/* The frames of a span are those of these numbers, and no others. */
static void
expect(const struct fixture *f, struct wall from, struct wall to, uint64_t first, uint64_t end)
{
	struct text got;
	uint8_t frame[LEN];
	struct excerpt x = take(f, from, to, false, &got);
	assert_int_equal(x.frames, end - first);
	assert_int_equal(x.bytes, (end - first) * LEN);
	assert_int_equal(got.len, x.bytes);
	for (uint64_t i = first; i < end; i++) {
		fixture_frame(frame, LEN, i);
		assert_memory_equal(got.data + (i - first) * LEN, frame, LEN);
	}
	int64_t ns = samples_to_ns((end - first) * 1024, FIXTURE_RATE);
	assert_true(llabs(x.duration_ns - ns) <= (int64_t)x.segments);
	assert_true(llabs(x.first.ns - samples_to_ns(first * 1024, FIXTURE_RATE)) <= NS_PER_MS);
	assert_true(llabs(x.last.ns - samples_to_ns((end - 1) * 1024, FIXTURE_RATE)) <= NS_PER_MS);
	assert_int_equal(x.hole_count, 0);
	text_fini(&got);
}

static struct wall
plus(uint64_t k, int64_t ns)
{
	return (struct wall){ layout_grid(k, FIXTURE_T).ns + ns };
}

static void
grid_lines_cut_as_the_segmenter_does(void **state)
{
	struct fixture *f = *state;
	for (uint64_t k = FIRST + 590; k < FIRST + 603; k++) {
		expect(f, plus(k, 0), plus(k + 1, 0), fixture_edge(k), fixture_edge(k + 1));
		expect(f, plus(FIRST + 590, 0), plus(k + 1, 0), fixture_edge(FIRST + 590), fixture_edge(k + 1));
	}
}

static void
edges_between_are_the_nearest(void **state)
{
	struct fixture *f = *state;
	uint64_t k = FIRST + 596, first = fixture_edge(k); /* on its line */
	struct wall end = plus(FIRST + 602, 0);
	uint64_t last = fixture_edge(FIRST + 602);
	/* the second frame's middle is 32 ms behind the line */
	expect(f, plus(k, FRAME_MIDDLE_NS - 1), end, first + 1, last);
	expect(f, plus(k, FRAME_MIDDLE_NS), end, first + 1, last);
	expect(f, plus(k, FRAME_MIDDLE_NS + 1), end, first + 2, last);
	expect(f, plus(k - 3, 0), plus(k, FRAME_MIDDLE_NS), fixture_edge(k - 3), first + 1);
	expect(f, plus(k - 3, 0), plus(k, FRAME_MIDDLE_NS + 1), fixture_edge(k - 3), first + 2);
	/* within one frame there is one, or there is none */
	expect(f, plus(k, FRAME_MIDDLE_NS), plus(k, FRAME_MIDDLE_NS + 1), first + 1, first + 2);
	struct text none;
	assert_int_equal(take(f, plus(k, FRAME_MIDDLE_NS + 1), plus(k, FRAME_MIDDLE_NS + 2), false, &none).frames, 0);
	text_fini(&none);
	/* two halves are the whole, wherever it is cut, over the hour too */
	for (int64_t ns = 0; ns < 13 * NS_PER_S; ns += 77777777) {
		struct text a, b;
		uint64_t begin = fixture_edge(FIRST + 598);
		struct excerpt x = take(f, plus(FIRST + 598, 0), plus(FIRST + 599, ns), false, &a);
		struct excerpt y = take(f, plus(FIRST + 599, ns), end, false, &b);
		assert_int_equal(x.frames + y.frames, last - begin);
		assert_int_equal(x.hole_count + y.hole_count, 0);
		text_fini(&a);
		text_fini(&b);
	}
}

static void
hole(const struct excerpt *x, size_t i, struct wall from, struct wall to, const char *why)
{
	assert_true(i < x->hole_count);
	assert_true(llabs(x->holes[i].from.ns - from.ns) < 25 * NS_PER_MS);
	assert_true(llabs(x->holes[i].to.ns - to.ns) < 25 * NS_PER_MS);
	if (why ? !strstr(x->holes[i].why, why) : *x->holes[i].why)
		fail_msg("want %s, got: %s", why ? why : "no reason", x->holes[i].why);
}

static void
holes_are_found(void **state)
{
	struct fixture *f = *state;
	struct text t;
	char path[256];
	/* an entry that is a gap */
	struct excerpt x = take(f, plus(FIRST + 603, 0), plus(FIRST + 606, 0), false, &t);
	assert_int_equal(x.hole_count, 1);
	hole(&x, 0, plus(FIRST + 604, 0), plus(FIRST + 605, 0), NULL);
	text_fini(&t);
	/* numbers before and after all, and hours without a file */
	x = take(f, plus(FIRST - 1200, 0), plus(FIRST + 5000, 0), false, &t);
	assert_int_equal(x.hole_count, 3);
	assert_int_equal(x.segments, 22);
	hole(&x, 0, plus(FIRST - 1200, 0), plus(FIRST + 590, 0), NULL);
	hole(&x, 2, plus(FIRST + 613, 0), plus(FIRST + 5000, 0), NULL);
	text_fini(&t);
	/* a file that is not there, and one that is damaged, are one hole: its first reason is told */
	assert_int_equal(unlink(fixture_path(f, "20261121T09/20261121T095906Z.ts", path)), 0);
	size_t len;
	char *data = fixture_read(f, "20261121T09/20261121T095912Z.ts", &len);
	data[len / 2] ^= 1;
	fixture_write(f, "20261121T09/20261121T095912Z.ts", data, len);
	free(data);
	x = take(f, plus(FIRST + 590, 0), plus(FIRST + 600, 0), true, &t);
	assert_int_equal(x.hole_count, 1);
	assert_int_equal(x.segments, 8);
	hole(&x, 0, plus(FIRST + 591, 0), plus(FIRST + 593, 0),
	    "20261121T09/20261121T095906Z.ts: cannot be read: No such file");
	text_fini(&t);
	x = take(f, plus(FIRST + 592, 0), plus(FIRST + 600, 0), false, &t);
	hole(&x, 0, plus(FIRST + 592, 0), plus(FIRST + 593, 0), "095912Z.ts: is not what its entry says");
	text_fini(&t);
	/* outside of the span they are nothing to it */
	expect(f, plus(FIRST + 593, 0), plus(FIRST + 600, 0), fixture_edge(FIRST + 593), fixture_edge(FIRST + 600));
	/* an hour file that cannot be read */
	fixture_write(f, "20261121T09.m3u8", "#EXTM3U\nx\n", 10);
	x = take(f, plus(FIRST + 594, 0), plus(FIRST + 602, 0), false, &t);
	hole(&x, 0, plus(FIRST + 594, 0), plus(FIRST + 600, 0), "20261121T09: its hour file: ");
	text_fini(&t);
	/* one that is gone, with the segments still there */
	assert_int_equal(unlink(fixture_path(f, "20261121T09.m3u8", path)), 0);
	x = take(f, plus(FIRST + 594, 0), plus(FIRST + 602, 0), false, &t);
	hole(&x, 0, plus(FIRST + 594, 0), plus(FIRST + 600, 0), NULL);
	text_fini(&t);
}

static void
whole_segments_are_those_of_the_grid(void **state)
{
	struct fixture *f = *state;
	struct text t;
	struct excerpt x = take(f, plus(FIRST + 593, NS_PER_S), plus(FIRST + 601, 1), true, &t);
	assert_int_equal(x.from.ns, plus(FIRST + 593, 0).ns);
	assert_int_equal(x.to.ns, plus(FIRST + 602, 0).ns);
	assert_int_equal(x.segments, 9);
	assert_int_equal(x.frames, fixture_edge(FIRST + 602) - fixture_edge(FIRST + 593));
	assert_int_equal(x.hole_count, 0);
	assert_int_equal(x.T, 6);
	assert_int_equal(x.target, 6);
	assert_true(x.independent);
	text_fini(&t);
	x = take(f, plus(FIRST + 593, 0), plus(FIRST + 594, 0), true, &t);
	assert_int_equal(x.segments, 1);
	text_fini(&t);
}

/* A segment of which only the first `keep` frames came, and after which the time line begins anew. */
static void
short_segments_leave_a_hole(void **state)
{
	struct fixture *f = *state;
	struct text t;
	uint64_t k = FIRST + 613, first = fixture_edge(k);
	struct media_frame frames[100];
	uint8_t bytes[100][LEN];
	for (size_t i = 0; i < 100; i++) {
		fixture_frame(bytes[i], LEN, first + i);
		frames[i] = (struct media_frame){ bytes[i], LEN, 1024 };
	}
	struct media_segment m = {
		.msn = k, .format = fixture_format, .sample = first * 1024, .frames = frames, .count = 100
	};
	uint8_t *out = malloc(ts_segment_bound(&m, true));
	struct fixture_segment s = fixture_make(k, LEN, false);
	s.s.data = out;
	s.s.len = ts_segment_write(&m, true, out);
	s.s.frames = 100;
	s.s.samples = 100 * 1024;
	s.s.audio_bytes = 100 * LEN;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	free(out);
	s = fixture_make(k + 1, LEN, false);
	s.s.discontinuity = true;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	struct excerpt x = take(f, plus(k, 0), plus(k + 2, 0), false, &t);
	assert_int_equal(x.hole_count, 1);
	hole(&x, 0, (struct wall){ samples_to_ns((first + 100) * 1024, FIXTURE_RATE) }, plus(k + 1, 0), NULL);
	text_fini(&t);
	/* a discontinuity alone is none */
	s = fixture_make(k + 2, LEN, false);
	s.s.discontinuity = true;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	expect(f, plus(k + 1, 0), plus(k + 3, 0), fixture_edge(k + 1), fixture_edge(k + 3));
}

/* A segment whose first frame has its middle 0.2 ms behind the grid line: cut to the millisecond, its start says
 * before. */
static void
milliseconds_do_not_move_the_grid(void **state)
{
	struct fixture *f = *state;
	struct text t;
	uint64_t k = FIRST + 613;
	struct fixture_segment s = fixture_make(k, LEN, false);
	s.s.start.ns = layout_grid(k, FIXTURE_T).ns - 10466667;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	struct excerpt x = take(f, plus(k, 0), plus(k + 1, 0), false, &t);
	assert_int_equal(x.frames, fixture_edge(k + 1) - fixture_edge(k));
	text_fini(&t);
	x = take(f, plus(k - 1, 0), plus(k, 0), false, &t);
	assert_int_equal(x.frames, fixture_edge(k) - fixture_edge(k - 1));
	text_fini(&t);
}

/* Wall time is drawn after a source's clock, samples go on: a row stays one. */
static void
a_bent_clock_makes_no_hole(void **state)
{
	struct fixture *f = *state;
	struct text t;
	uint64_t k = FIRST + 613;
	struct fixture_segment s = fixture_make(k, LEN, false);
	s.s.start.ns += 90 * NS_PER_MS;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	assert_int_equal(take(f, plus(k - 2, 0), plus(k + 1, 0), false, &t).hole_count, 0);
	text_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(grid_lines_cut_as_the_segmenter_does, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(edges_between_are_the_nearest, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(holes_are_found, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(whole_segments_are_those_of_the_grid, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(short_segments_leave_a_hole, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(milliseconds_do_not_move_the_grid, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_bent_clock_makes_no_hole, setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
