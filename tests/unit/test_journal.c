/* The journal: whatever a kill leaves of it, what is read back is a row of whole frames from the first on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "segmenter/write/journal.h"

#define FRAMES 5
#define RECORD 21
#define RUNS (1 + 2 * 24) /* in the first record */

struct fixture {
	uv_loop_t loop;
	char dir[40];
	int fd;
	struct frame_pool pool;
	struct journal *journal;
	struct journal_dir *folder;
};

static void
journal_begin(struct fixture *f)
{
	f->journal = journal_new(&f->loop);
	assert_non_null(f->journal);
	f->folder = journal_dir_new(f->journal, f->fd);
	assert_non_null(f->folder);
}

/* As at the end of a process: what was handed over is written. */
static void
journal_end(struct fixture *f)
{
	journal_dir_free(&f->folder);
	journal_free(&f->journal);
	uv_run(&f->loop, UV_RUN_DEFAULT);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	CHECK(f);
	CHECK(uv_loop_init(&f->loop) == 0);
	snprintf(f->dir, sizeof(f->dir), "/tmp/hindcast-journal-XXXXXX");
	CHECK(mkdtemp(f->dir));
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY);
	CHECK(f->fd >= 0);
	frame_pool_init(&f->pool, 16 << 20);
	journal_begin(f);
	*state = f;
	return 0;
}

static unsigned
files(const struct fixture *f)
{
	DIR *d = opendir(f->dir);
	unsigned n = 0;

	CHECK(d);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
	closedir(d);
	return n;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	DIR *d = opendir(f->dir);

	if (f->journal)
		journal_end(f);
	for (struct dirent *e; d && (e = readdir(d));)
		unlinkat(f->fd, e->d_name, 0);
	if (d)
		closedir(d);
	close(f->fd);
	rmdir(f->dir);
	frame_pool_fini(&f->pool);
	CHECK(uv_loop_close(&f->loop) == 0);
	free(f);
	return 0;
}

/* A segment of `count` frames; the n-th holds 20 + n bytes of the value msn + n. */
static const struct hour_runs two_runs = { .count = 2, .run = { { { 1 }, -7 }, { { 2 }, INT64_MAX } } };

static struct segment *
segment_new(struct fixture *f, uint64_t msn, uint32_t count)
{
	struct segment *s = calloc(1, sizeof(*s));
	struct frame_chunk *chunk = NULL;

	CHECK(s && (s->frames = calloc(count, sizeof(*s->frames))));
	s->msn = msn;
	s->size = count;
	s->format = (struct audio_format){ .codec = CODEC_AAC,
		.profile = AAC_HE,
		.header = { 0xff, 0xf1, 0x5c, 0x80 },
		.rate = 22050,
		.channels = 2 };
	s->discontinuity = true;
	s->anchor.t = TICKS_MASK - 5;
	s->sample = 123456789;
	for (uint32_t n = 0; n < count; n++) {
		uint8_t bytes[64];
		memset(bytes, (int)(msn + n), sizeof(bytes));
		CHECK(frame_make(&f->pool, &chunk, bytes, 20 + n, bytes, 0, &s->frames[n]) == 0);
		s->frames[n].samples = 1024;
		s->frames[n].wall.ns = (int64_t)(msn * 6 * NS_PER_S) + samples_to_ns(n * 1024, 22050);
		s->frames[n].fill = n == 2;
	}
	frame_chunk_release(&chunk);
	s->count = count;
	s->runs = two_runs;
	return s;
}

static size_t
record_size(uint32_t n)
{
	return RECORD + 20 + n + (n == 0 ? RUNS : 0);
}

/* A journal as one process leaves it. */
static void
write_one(struct fixture *f, uint64_t msn, uint32_t count)
{
	struct segment *s = segment_new(f, msn, count);

	journal_append(f->folder, s);
	assert_int_equal(s->journalled, count);
	segment_free(&s);
}

/* The first `count` frames of segment_new(), and what belongs to them. */
static void
check_segment(const struct segment *s, uint64_t msn, uint32_t count)
{
	uint64_t bytes = 0;

	assert_int_equal(s->msn, msn);
	assert_int_equal(s->count, count);
	assert_int_equal(s->samples, count * 1024);
	assert_int_equal(s->fill, count > 2);
	assert_int_equal(s->anchor.t, TICKS_MASK - 5);
	assert_int_equal(s->sample, 123456789);
	assert_true(s->discontinuity);
	assert_int_equal(s->format.profile, AAC_HE);
	assert_int_equal(s->start.ns, msn * 6 * NS_PER_S);
	for (uint32_t n = 0; n < count; n++) {
		const struct frame *frame = &s->frames[n];
		assert_int_equal(frame->len, 20 + n);
		assert_int_equal(frame->data[0], (uint8_t)(msn + n));
		assert_int_equal(frame->data[frame->len - 1], (uint8_t)(msn + n));
		assert_int_equal(frame->wall.ns, (int64_t)(msn * 6 * NS_PER_S) + samples_to_ns(n * 1024, 22050));
		assert_int_equal(frame->fill, n == 2);
		bytes += frame->len;
	}
	assert_int_equal(s->audio_bytes, bytes);
	assert_true(hour_runs_equal(&s->runs, &two_runs));
}

static struct segment *
recover(struct fixture *f, uint64_t newest)
{
	struct segment *list;

	assert_int_equal(journal_recover(f->fd, newest, &f->pool, &list), 0);
	return list;
}

static size_t
file_bytes(struct fixture *f, const char *name, uint8_t *out, size_t size)
{
	int fd = openat(f->fd, name, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n = read(fd, out, size);
	close(fd);
	assert_true(n > 0);
	return (size_t)n;
}

static void
file_put(struct fixture *f, const char *name, const uint8_t *data, size_t len)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void
what_is_appended_comes_back(void **state)
{
	struct fixture *f = *state;
	struct segment *s = segment_new(f, 100, FRAMES);

	s->count = 2; /* in two ticks */
	journal_append(f->folder, s);
	assert_true(journal_flush(f->journal));
	assert_false(journal_flush(f->journal)); /* one job at a time; on_done has not run */
	s->count = FRAMES;
	journal_append(f->folder, s);
	journal_append(f->folder, s); /* nothing more to say */
	segment_free(&s);
	journal_end(f);
	s = recover(f, 99);
	assert_non_null(s);
	assert_null(s->next);
	check_segment(s, 100, FRAMES);
	assert_int_equal(s->journalled, FRAMES);
	segment_free(&s);
}

static void
torn_at_any_byte_it_gives_the_frames_before(void **state)
{
	struct fixture *f = *state;
	uint8_t whole[1024];

	write_one(f, 100, FRAMES);
	journal_end(f);
	size_t len = file_bytes(f, ".journal-100", whole, sizeof(whole));
	const size_t head = len - FRAMES * (RECORD + 20) - FRAMES * (FRAMES - 1) / 2 - RUNS;
	for (size_t cut = 1; cut < len; cut++) {
		size_t end = head;
		uint32_t frames = 0;
		while (end + record_size(frames) <= cut)
			end += record_size(frames++);
		file_put(f, ".journal-100", whole, cut);
		struct segment *s = recover(f, 99);
		if (frames == 0) {
			assert_null(s);
			assert_int_equal(files(f), 0);
			continue;
		}
		check_segment(s, 100, frames);
		segment_free(&s);
		/* the tail is gone, so the next process can append */
		assert_int_equal(file_bytes(f, ".journal-100", (uint8_t[1024]){ 0 }, 1024), end);
	}
}

static void
a_torn_journal_goes_on(void **state)
{
	struct fixture *f = *state;
	uint8_t whole[1024];

	write_one(f, 100, FRAMES);
	journal_end(f);
	size_t len = file_bytes(f, ".journal-100", whole, sizeof(whole));
	file_put(f, ".journal-100", whole, len - 7);
	struct segment *got = recover(f, 99), *more = segment_new(f, 100, FRAMES);
	assert_int_equal(got->count, FRAMES - 1);
	journal_begin(f);
	more->journalled = got->journalled;
	journal_append(f->folder, more);
	segment_free(&got);
	segment_free(&more);
	journal_end(f);
	got = recover(f, 99);
	check_segment(got, 100, FRAMES);
	segment_free(&got);
}

static void
a_changed_byte_ends_it_before_its_record(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[1024];
	size_t whole = 0;

	write_one(f, 100, FRAMES);
	journal_end(f);
	size_t len = file_bytes(f, ".journal-100", bytes, sizeof(bytes));
	const size_t head = len - FRAMES * (RECORD + 20) - FRAMES * (FRAMES - 1) / 2 - RUNS;
	for (size_t at = head; at < len; at++) {
		size_t end = head;
		uint32_t frames = 0;
		while (end + record_size(frames) <= at)
			end += record_size(frames++);
		bytes[at] ^= 0x10;
		struct segment *s = journal_read(bytes, len, &f->pool, &whole);
		bytes[at] ^= 0x10;
		assert_int_equal(whole, end);
		assert_int_equal(s ? s->count : 0, frames);
		segment_free(&s);
	}
}

static void
several_come_in_order_and_old_ones_go(void **state)
{
	struct fixture *f = *state;

	write_one(f, 101, 3);
	write_one(f, 99, 2);
	write_one(f, 100, 4);
	write_one(f, 102, 1);
	file_put(f, "index.m3u8", (const uint8_t *)"x", 1);
	file_put(f, ".journal-x", (const uint8_t *)"x", 1);
	journal_end(f);
	struct segment *list = recover(f, 99);
	for (uint64_t msn = 100; msn <= 102; msn++) {
		struct segment *s = list;
		assert_non_null(s);
		list = s->next;
		check_segment(s, msn, msn == 100 ? 4 : msn == 101 ? 3 : 1);
		segment_free(&s);
	}
	assert_null(list);
	assert_int_equal(files(f), 5); /* 99 has gone, the others and what is not ours have not */
}

static void
another_number_than_its_name_is_refused(void **state)
{
	struct fixture *f = *state;

	write_one(f, 100, 3);
	journal_end(f);
	assert_int_equal(renameat(f->fd, ".journal-100", f->fd, ".journal-101"), 0);
	assert_null(recover(f, 99));
	assert_int_equal(files(f), 0);
}

static void
removed_after_its_appends(void **state)
{
	struct fixture *f = *state;

	write_one(f, 100, 3);
	journal_remove(f->folder, 100);
	write_one(f, 101, 3);
	for (uint64_t msn = 200; msn < 210; msn++) /* more than are kept open */
		write_one(f, msn, 1);
	journal_remove(f->folder, 200);
	journal_end(f);
	struct segment *s = recover(f, 0), *next;
	assert_int_equal(s->msn, 101);
	for (unsigned n = 0; s; s = next, n++) {
		next = s->next;
		assert_true(next || n == 9);
		segment_free(&s);
	}
	assert_int_equal(files(f), 10);
}

/* ---- what is in no segment yet */

static void
say(struct fixture *f, const char *bytes)
{
	struct text t;

	text_init(&t, 4096);
	text_str(&t, bytes);
	journal_input(f->folder, &t);
	text_fini(&t);
}

static void
check_said(struct fixture *f, const char *bytes)
{
	struct text t;

	text_init(&t, 4096);
	journal_recover_input(f->folder, &t);
	assert_int_equal(t.len, strlen(bytes));
	if (t.len)
		assert_string_equal(t.data, bytes);
	text_fini(&t);
}

static void
restart(struct fixture *f)
{
	journal_end(f);
	journal_begin(f);
}

static void
of_what_has_arrived_the_last_word_counts(void **state)
{
	struct fixture *f = *state;
	static const char *const words[] = { "one", "two is longer", "3", "", "five" };

	check_said(f, "");
	for (unsigned i = 0; i < 5; i++) {
		say(f, words[i]);
		restart(f);
		check_said(f, words[i]);
	}
	say(f, "six");
	say(f, "seven");
	restart(f);
	check_said(f, "seven");
}

static void
what_was_said_is_not_said_again(void **state)
{
	struct fixture *f = *state;
	uint64_t before = journal_counters(f->journal)->bytes;

	say(f, "one");
	journal_flush(f->journal);
	while (journal_busy(f->journal))
		uv_run(&f->loop, UV_RUN_ONCE);
	uint64_t once = journal_counters(f->journal)->bytes;
	assert_true(once > before);
	say(f, "one");
	journal_flush(f->journal);
	assert_false(journal_busy(f->journal));
	assert_int_equal(journal_counters(f->journal)->bytes, once);
}

static void
a_torn_word_leaves_the_one_before(void **state)
{
	struct fixture *f = *state;

	say(f, "first");
	say(f, "second");
	restart(f);
	int fd = openat(f->fd, ".journal-input", O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "X", 1, 22), 1); /* the second word is in the slot at 0 */
	close(fd);
	check_said(f, "first");
	say(f, "third"); /* goes where the torn one is */
	restart(f);
	check_said(f, "third");
}

/* ---- faults */

static void
a_folder_that_has_gone_is_counted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rmdir(f->dir), 0);
	write_one(f, 100, 3);
	say(f, "one");
	journal_remove(f->folder, 99);
	journal_flush(f->journal);
	while (journal_busy(f->journal))
		uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(journal_counters(f->journal)->errors, 2);
	assert_int_equal(journal_counters(f->journal)->bytes, 0);
	CHECK(mkdir(f->dir, 0700) == 0); /* for the teardown */
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_appended_comes_back),
		TEST(torn_at_any_byte_it_gives_the_frames_before),
		TEST(a_torn_journal_goes_on),
		TEST(a_changed_byte_ends_it_before_its_record),
		TEST(several_come_in_order_and_old_ones_go),
		TEST(another_number_than_its_name_is_refused),
		TEST(removed_after_its_appends),
		TEST(of_what_has_arrived_the_last_word_counts),
		TEST(what_was_said_is_not_said_again),
		TEST(a_torn_word_leaves_the_one_before),
		TEST(a_folder_that_has_gone_is_counted),
	};

	log_init("test_journal", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
