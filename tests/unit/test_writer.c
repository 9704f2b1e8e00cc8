/* The writer: what a span of gaps says, and the live list of a disk that is slower than time. */
#include <errno.h>
#include <uv.h>

#include "segmenter/write/writer.h"
#include "tests/unit/store_fixture.h"

#define BURST 5 /* writer_full() */

struct bench {
	uv_loop_t loop;
	struct frame_pool pool;
	struct writer *writer;
	uint64_t next;
	unsigned jobs; /* done */
};

static void
put_segment(struct bench *b, bool gap, bool discontinuity)
{
	struct segment *s = calloc(1, sizeof(*s));
	struct frame_chunk *chunk = NULL;
	uint8_t frame[40];

	assert_non_null(s);
	*s = (struct segment){ .msn = b->next++, .gap = gap, .discontinuity = discontinuity };
	if (!gap) {
		uint64_t first = fixture_edge(s->msn);
		s->format = fixture_format;
		s->start.ns = samples_to_ns(first * 1024, FIXTURE_RATE);
		s->sample = first * 1024;
		s->count = s->size = (uint32_t)(fixture_edge(s->msn + 1) - first);
		s->samples = s->count * 1024;
		s->audio_bytes = s->count * sizeof(frame);
		s->frames = calloc(s->count, sizeof(*s->frames));
		for (uint32_t i = 0; i < s->count; i++) {
			fixture_frame(frame, sizeof(frame), first + i);
			assert_int_equal(
			    frame_make(&b->pool, &chunk, frame, sizeof(frame), frame, 0, &s->frames[i]), 0);
			s->frames[i].samples = 1024;
		}
		frame_chunk_release(&chunk);
	}
	writer_put(b->writer, s, layout_grid(b->next, FIXTURE_T));
}

static void
on_stored(void *ctx)
{
	++*(unsigned *)ctx;
}

static void
bench_begin(struct bench *b, struct fixture *f)
{
	*b = (struct bench){ .next = FIXTURE_FIRST };
	assert_int_equal(fixture_open(f, FIXTURE_FIRST), 0);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	frame_pool_init(&b->pool, 16 << 20);
	struct writer_config config = {
		.loop = &b->loop, .store = f->r, .name = "fip/hifi", .stored = on_stored, .ctx = &b->jobs
	};
	b->writer = writer_new(&config);
	assert_non_null(b->writer);
}

static void
bench_end(struct bench *b)
{
	writer_free(&b->writer);
	frame_pool_fini(&b->pool);
	assert_int_equal(uv_loop_close(&b->loop), 0);
}

/* Gaps that wait are entered as one; the one that begins the station's new time line says so itself. */
static void
test_gaps_that_wait(void **state)
{
	struct fixture *f = *state;
	struct bench b;
	size_t len;

	bench_begin(&b, f);
	put_segment(&b, false, false); /* its job runs, what follows waits */
	put_segment(&b, true, false);
	put_segment(&b, true, true);
	put_segment(&b, true, false);
	put_segment(&b, false, false);
	bench_end(&b);
	char *text = fixture_read(f, "20261121T09.m3u8.part", &len), *at = strstr(text, "#EXT-X-DISCONTINUITY\n");
	assert_non_null(at);
	assert_null(strstr(at + 1, "#EXT-X-DISCONTINUITY\n"));
	assert_null(strstr(at, "20261121T090006Z.ts"));
	assert_non_null(strstr(at, "20261121T090012Z.ts"));
	assert_non_null(strstr(text, "20261121T090024Z.ts"));
	free(text);
}

/* More waits after each job: the live list is written all the same. */
static void
test_disk_slower_than_time(void **state)
{
	struct fixture *f = *state;
	struct bench b;

	bench_begin(&b, f);
	put_segment(&b, false, false);
	for (unsigned done = 0; done < 10; done++) {
		for (unsigned i = 0; i < BURST; i++)
			put_segment(&b, false, false);
		while (b.jobs <= done)
			uv_run(&b.loop, UV_RUN_ONCE);
	}
	bench_end(&b);
	assert_in_range(store_rendition_counters(f->r)->live_lists, 5, 8);
}

/* What was fetched from a peer is entered by the next job, behind what waits; until then it can be taken back. */
static void
test_heal(void **state)
{
	struct fixture *f = *state;
	struct bench b;
	unsigned healed = 0;
	struct writer_heal heal = { .hour = FIXTURE_HOUR, .result = 1, .done = on_stored, .ctx = &healed };

	bench_begin(&b, f);
	put_segment(&b, false, false); /* its job runs */
	writer_heal(b.writer, &heal);
	assert_true(writer_heal_withdraw(b.writer));
	assert_false(writer_heal_withdraw(b.writer));
	writer_heal(b.writer, &heal);
	put_segment(&b, false, false);
	while (b.jobs < 1)
		uv_run(&b.loop, UV_RUN_ONCE);
	assert_int_equal(healed, 0);
	assert_false(writer_heal_withdraw(b.writer)); /* the second job has it */
	while (!healed)
		uv_run(&b.loop, UV_RUN_ONCE);
	assert_int_equal(heal.result, -EAGAIN); /* the hour that is being written */
	assert_int_equal(b.jobs, 2);
	assert_int_equal(writer_counters(b.writer)->newest_entry, FIXTURE_FIRST + 1);
	/* alone it is a job, too */
	writer_heal(b.writer, &heal);
	while (healed < 2)
		uv_run(&b.loop, UV_RUN_ONCE);
	assert_int_equal(b.jobs, 3);
	bench_end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_gaps_that_wait, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_disk_slower_than_time, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_heal, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
