/* The input: bytes from a file or a FIFO in, stamped frames in runs out; the test moves the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "segmenter/input/aac_profile.h"
#include "segmenter/input/input.h"
#include "tests/unit/media_file.h"

#define WALL0 (INT64_C(1795251600) * NS_PER_S) /* 2026-11-21T09:00:00Z */
#define TICK (100 * NS_PER_MS)
#define FRAMES_MAX 4096
#define RUNS_MAX 64

struct fixture {
	uv_loop_t loop;
	struct timebase timebase;
	struct frame_pool pool;
	struct input_settings settings;
	struct input *in;
	struct mono now;
	char dir[40], path[64];
	int writer; /* of the FIFO */
	/* what came out */
	struct frame_run run;
	uint64_t index, position; /* of its next frame */
	struct audio_format runs[RUNS_MAX];
	uint32_t run_frames[RUNS_MAX], run_count, count;
	struct frame frames[FRAMES_MAX];
};

/* A run begins with index and position 0, and both go on without a hole. */
static void
on_frame(void *ctx, const struct frame_run *run, struct frame frame)
{
	struct fixture *f = ctx;

	if (f->run_count == 0 || memcmp(run->id, f->run.id, RUN_ID_SIZE) != 0) {
		assert_true(f->run_count < RUNS_MAX);
		f->runs[f->run_count++] = run->format;
		f->run = *run;
		f->index = f->position = 0;
	}
	assert_true(f->count < FRAMES_MAX);
	assert_true(audio_format_equal(&run->format, &f->run.format));
	assert_int_equal(frame.index, f->index++);
	assert_int_equal(frame.position, f->position);
	f->position += frame.samples;
	f->run_frames[f->run_count - 1]++;
	f->frames[f->count++] = frame;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	CHECK(f && uv_loop_init(&f->loop) == 0);
	signal(SIGPIPE, SIG_IGN);
	snprintf(f->dir, sizeof(f->dir), "/tmp/hindcast-input-XXXXXX");
	CHECK(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/fifo", f->dir);
	frame_pool_init(&f->pool, 32 << 20);
	f->now = clock_mono_now(); /* input_open asks the clock */
	timebase_init(&f->timebase, f->now, (struct wall){ WALL0 }, (struct wall){ 0 });
	f->settings.section.subject[0] = "fip/hifi";
	f->settings.section.subject[1] = "main";
	f->settings.timeout = 10 * NS_PER_S;
	f->writer = -1;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	input_close(&f->in);
	while (uv_run(&f->loop, UV_RUN_DEFAULT))
		;
	for (uint32_t i = 0; i < f->count; i++)
		frame_release(&f->frames[i]);
	if (f->writer >= 0)
		close(f->writer);
	unlink(f->path);
	rmdir(f->dir);
	frame_pool_fini(&f->pool);
	CHECK(uv_loop_close(&f->loop) == 0);
	free(f);
	return 0;
}

static void
begin(struct fixture *f)
{
	struct input_context context = {
		.loop = &f->loop, .pool = &f->pool, .timebase = &f->timebase, .sink = { .frame = on_frame, .ctx = f }
	};
	struct text errors;

	text_init(&errors, 4096);
	int err = input_open(&context, &f->settings, (struct wall){ 0 }, &f->in, &errors);
	if (err < 0)
		fprintf(stderr, "%s", errors.data);
	text_fini(&errors);
	assert_int_equal(err, 0);
}

static void
begin_file(struct fixture *f, char *path, char *start, enum input_pace pace)
{
	f->settings.type = INPUT_FILE;
	f->settings.path = path;
	f->settings.start = start;
	f->settings.pace = (int)pace;
	begin(f);
}

static void
begin_fifo(struct fixture *f)
{
	f->settings.type = INPUT_PIPE;
	f->settings.path = f->path;
	CHECK(mkfifo(f->path, 0600) == 0);
	begin(f);
	f->writer = open(f->path, O_RDWR | O_NONBLOCK); /* the bytes outlive the reader */
	CHECK(f->writer >= 0);
}

static void
tick(struct fixture *f, struct wall limit)
{
	f->now.ns += TICK;
	input_tick(f->in, f->now, limit);
	uv_run(&f->loop, UV_RUN_NOWAIT);
}

static struct wall
wall(const struct fixture *f)
{
	return timebase_wall(&f->timebase, f->now);
}

static void
tick_now(struct fixture *f)
{
	tick(f, (struct wall){ wall(f).ns + TICK });
}

/* A worker's answer comes in real time. */
#define tick_until(f, limit, condition)                                                                                \
	for (int left_ = 20000; !(condition); left_--) {                                                               \
		assert_true(left_ > 0);                                                                                \
		tick(f, limit);                                                                                        \
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);                                             \
	}

#define FRAME_LEN 100

/* The n-th frame of a 48 kHz stream. */
static void
frame_bytes(unsigned n, uint8_t out[static FRAME_LEN])
{
	static const uint8_t header[] = { 0xff, 0xf1, 0x4c, 0x80, FRAME_LEN >> 3, (FRAME_LEN & 7) << 5 | 0x1f, 0xfc };

	memset(out, (int)(n % 100), FRAME_LEN);
	memcpy(out, header, sizeof(header));
	out[8] = (uint8_t)(n >> 8);
	out[9] = (uint8_t)n;
}

/* `bytes` of the stream, from byte `from` on. */
static void
send_bytes(struct fixture *f, size_t from, size_t bytes)
{
	for (size_t i = from; i < from + bytes; i++) {
		uint8_t frame[FRAME_LEN];
		frame_bytes((unsigned)(i / FRAME_LEN), frame);
		CHECK(write(f->writer, &frame[i % FRAME_LEN], 1) == 1);
	}
}

static void
send_frames(struct fixture *f, unsigned first, unsigned count)
{
	send_bytes(f, (size_t)first * FRAME_LEN, (size_t)count * FRAME_LEN);
}

/* Frames `first`, ... came out, one behind the other, the first at `at`. */
static void
check_frames(const struct fixture *f, unsigned first, unsigned count, int64_t at)
{
	assert_int_equal(f->count, count);
	for (unsigned i = 0; i < count; i++) {
		uint8_t frame[FRAME_LEN];
		frame_bytes(first + i, frame);
		assert_int_equal(f->frames[i].len, FRAME_LEN);
		assert_memory_equal(f->frames[i].data, frame, FRAME_LEN);
		assert_int_equal(f->frames[i].wall.ns - at, samples_to_ns(i * 1024, 48000));
	}
}

/* ---- time */

static void
a_burst_is_held_and_laid_into_the_past(void **state)
{
	struct fixture *f = *state;
	unsigned sent = 100;

	begin_fifo(f);
	send_frames(f, 0, 101); /* 2.1 s of the past; the last one waits for the one behind it */
	tick_now(f);
	int64_t first = wall(f).ns - samples_to_ns(100 * 1024, 48000);
	for (int i = 1; i < 10; i++) {
		/* 4 frames in 100 ms: later than the burst, so it stays the lowest */
		send_frames(f, sent + 1, 4);
		sent += 4;
		tick_now(f);
		assert_int_equal(f->count, 0);
	}
	tick_now(f);
	send_frames(f, sent + 1, 1);
	sent++;
	tick_now(f);
	check_frames(f, 0, sent, first);
	assert_int_equal(f->run_count, 1);
}

static void
a_connection_that_goes_while_it_is_held_gives_what_it_had(void **state)
{
	struct fixture *f = *state;

	begin_fifo(f);
	send_frames(f, 0, 10);
	tick_now(f);
	int64_t first = wall(f).ns - samples_to_ns(10 * 1024, 48000); /* the last one too had arrived then */
	assert_int_equal(f->count, 0);
	close(f->writer);
	f->writer = -1;
	tick_now(f);
	check_frames(f, 0, 10, first);
	assert_int_equal(input_counters(f->in)->up, 0);
}

static void
a_given_start_stops_at_the_limit(void **state)
{
	struct fixture *f = *state;
	const int64_t start = WALL0 - 60 * NS_PER_S;

	begin_file(f, "tests/media/aac_lc_48000_mono_64k.aac", "2026-11-21T08:59:00Z", PACE_REAL);
	for (int i = 1; i <= 10; i++) {
		struct wall limit = { start + i * 500 * NS_PER_MS }, frontier;
		tick(f, limit);
		tick(f, limit); /* the first only opens it */
		assert_true(input_catching_up(f->in, &frontier));
		assert_true(frontier.ns >= limit.ns && frontier.ns < limit.ns + 22 * NS_PER_MS);
		assert_true(f->frames[f->count - 1].wall.ns < limit.ns);
	}
	for (uint32_t i = 0; i < f->count; i++)
		assert_int_equal(f->frames[i].wall.ns - start, samples_to_ns(i * 1024, 48000));
}

/* ---- formats */

static void
a_change_of_format_is_a_run_that_follows(void **state)
{
	struct fixture *f = *state;
	struct wall all = { WALL0 };

	begin_file(f, "tests/media/change_44100_to_48000.aac", "2026-11-21T08:59:00Z", PACE_NONE);
	tick_until(f, all, input_ended(f->in));
	assert_int_equal(f->run_count, 2);
	assert_int_equal(f->runs[0].rate, 44100);
	assert_int_equal(f->runs[1].rate, 48000);
	assert_int_equal(f->run_frames[0], 430);
	assert_int_equal(f->run_frames[1], 470);
	int64_t at = WALL0 - 60 * NS_PER_S + samples_to_ns(430 * 1024, 44100);
	assert_int_equal(f->frames[430].wall.ns, at);
	assert_int_equal(f->frames[899].wall.ns, at + samples_to_ns(469 * 1024, 48000));
	assert_int_equal(input_counters(f->in)->format_changes, 1);
}

static void
check_profile(struct fixture *f, char *path, enum aac_profile profile, uint32_t frames)
{
	begin_file(f, path, "2026-11-21T08:58:00Z", PACE_NONE);
	tick_until(f, ((struct wall){ WALL0 }), input_ended(f->in));
	assert_int_equal(f->run_count, 1);
	assert_int_equal(f->runs[0].profile, profile);
	assert_int_equal(f->count, frames);
}

static void
he_aac_is_found_by_decoding(void **state)
{
	check_profile(*state, "tests/media/heaac_v1_44100_stereo_48k.aac", AAC_HE, 1295);
}

static void
parametric_stereo_is_found_by_decoding(void **state)
{
	check_profile(*state, "tests/media/heaac_v2_48000_stereo_32k.aac", AAC_HE_V2, 1410);
}

static void
slow_lc_is_lc(void **state)
{
	check_profile(*state, "tests/media/aac_lc_22050_mono_32k.aac", AAC_LC, 648);
}

static void
what_is_gathered_for_the_decoder_keeps_to_the_limit(void **state)
{
	struct fixture *f = *state;
	const int64_t start = WALL0 - 60 * NS_PER_S;
	struct wall limit = { start + 500 * NS_PER_MS }, frontier;

	begin_file(f, "tests/media/heaac_v1_44100_stereo_48k.aac", "2026-11-21T08:59:00Z", PACE_NONE);
	tick_until(f, limit, f->count > 0);
	tick(f, limit);
	assert_int_equal(f->count, 11); /* of 46.44 ms */
	assert_true(input_catching_up(f->in, &frontier));
	assert_int_equal(frontier.ns - start, samples_to_ns(11 * 1024, 22050));
}

static void
a_short_end_waits_for_the_decoder(void **state)
{
	struct fixture *f = *state;
	struct media_file m = media_file_read("heaac_v1_44100_stereo_48k.aac");
	struct wall frontier;

	assert_non_null(m.data);
	FILE *out = fopen(f->path, "wb");
	CHECK(out && fwrite(m.data, 1, 5000, out) == 5000 && fclose(out) == 0);
	free(m.data);
	begin_file(f, f->path, "2026-11-21T08:59:00Z", PACE_NONE);
	for (int i = 0; i < 3; i++)
		input_tick(f->in, f->now, (struct wall){ WALL0 }); /* no answer yet: the loop has not run */
	assert_false(input_ended(f->in));
	assert_true(input_catching_up(f->in, &frontier));
	assert_int_equal(f->count, 0);
	tick_until(f, ((struct wall){ WALL0 }), input_ended(f->in));
	assert_int_equal(f->runs[0].profile, AAC_HE);
	assert_true(f->count > 10);
}

/* ---- what is no audio */

static void
refused_text_is_named(void **state)
{
	struct fixture *f = *state;
	struct wall all = { WALL0 };

	begin_file(f, "tests/media/wrong_html.bin", NULL, PACE_NONE);
	tick_until(f, all, input_ended(f->in));
	assert_int_equal(f->count, 0);
	assert_int_equal(input_counters(f->in)->refused, 1);
	assert_non_null(strstr(input_why(f->in), "HTML"));
}

static void
refused_codecs_are_named(void **state)
{
	struct fixture *f = *state;

	begin_file(f, "tests/media/wrong_vorbis.ogg", NULL, PACE_NONE);
	tick_until(f, ((struct wall){ WALL0 }), input_ended(f->in));
	assert_int_equal(f->count, 0);
	assert_non_null(strstr(input_why(f->in), "Vorbis"));
}

static void
a_source_without_frames_is_dropped(void **state)
{
	struct fixture *f = *state;
	const struct input_counters *c;

	begin_fifo(f);
	c = input_counters(f->in);
	tick_now(f);
	for (int i = 0; i < 95; i++) {
		CHECK(write(f->writer, "no audio at all ", 16) == 16);
		tick_now(f);
		assert_int_equal(c->timeouts, 0);
		assert_int_equal(c->up, 1);
	}
	for (int i = 0; i < 10 && !c->timeouts; i++) {
		CHECK(write(f->writer, "no audio at all ", 16) == 16);
		tick_now(f);
	}
	assert_int_equal(c->timeouts, 1);
	assert_int_equal(c->up, 0);
}

/* ---- from one process to the next */

/* As a kill does it: the input is gone, what it had saved is there. */
static void
pass_to_the_next(struct fixture *f)
{
	struct text saved;

	text_init(&saved, 1 << 20);
	input_save(f->in, &saved);
	input_close(&f->in);
	begin(f);
	input_restore(f->in, f->now, saved.data, saved.len);
	text_fini(&saved);
}

static void
a_fifo_goes_on_to_the_byte(void **state)
{
	struct fixture *f = *state;
	size_t at = 0;
	int64_t first = 0;

	begin_fifo(f);
	for (unsigned i = 0; i < 60; i++) {
		size_t n = i == 0 ? 1050 : 455; /* torn everywhere */
		send_bytes(f, at, n);
		at += n;
		tick_now(f);
		if (i == 0)
			first = wall(f).ns - samples_to_ns(10 * 1024, 48000);
		if (i % 7 < 3)
			pass_to_the_next(f); /* while it is held, and later */
	}
	assert_true(f->count > 200);
	check_frames(f, 0, f->count, first);
	assert_true(f->count >= at / FRAME_LEN - 1);
}

static void
what_a_connection_had_is_a_run_of_its_own(void **state)
{
	struct fixture *f = *state;

	begin_fifo(f);
	send_bytes(f, 0, 1050);
	tick_now(f);
	int64_t first = wall(f).ns - samples_to_ns(10 * 1024, 48000);
	assert_int_equal(f->count, 0);
	/* the next process takes it by another way: there is nothing to go on with */
	f->settings.type = INPUT_COMMAND;
	f->settings.command = "exec sleep 60";
	f->now.ns += 5 * NS_PER_S;
	pass_to_the_next(f);
	check_frames(f, 0, 10, first);
	assert_int_equal(f->run_count, 1);
	assert_int_equal(input_counters(f->in)->refused, 0); /* the torn end was good audio */
}

static void
saved_bytes_cut_anywhere_do_no_harm(void **state)
{
	struct fixture *f = *state;
	struct text saved;

	begin_fifo(f);
	send_bytes(f, 0, 450);
	tick_now(f);
	text_init(&saved, 1 << 20);
	input_save(f->in, &saved);
	assert_true(saved.len > 300);
	for (size_t len = 0; len < saved.len - 150; len++) { /* the rest is of any length */
		char *exact = malloc(len ? len : 1);
		memcpy(exact, saved.data, len);
		input_close(&f->in);
		begin(f);
		input_restore(f->in, f->now, exact, len);
		free(exact);
		tick_now(f);
		assert_int_equal(f->count, 0);
	}
	text_fini(&saved);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_burst_is_held_and_laid_into_the_past),
		TEST(a_connection_that_goes_while_it_is_held_gives_what_it_had),
		TEST(a_given_start_stops_at_the_limit),
		TEST(a_change_of_format_is_a_run_that_follows),
		TEST(he_aac_is_found_by_decoding),
		TEST(parametric_stereo_is_found_by_decoding),
		TEST(slow_lc_is_lc),
		TEST(what_is_gathered_for_the_decoder_keeps_to_the_limit),
		TEST(a_short_end_waits_for_the_decoder),
		TEST(refused_text_is_named),
		TEST(refused_codecs_are_named),
		TEST(a_source_without_frames_is_dropped),
		TEST(a_fifo_goes_on_to_the_byte),
		TEST(what_a_connection_had_is_a_run_of_its_own),
		TEST(saved_bytes_cut_anywhere_do_no_harm),
	};

	(void)argc;
	if (strcmp(argv[0], AAC_PROFILE_CHILD) == 0)
		return aac_profile_child_main();
	log_init("test_input", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
