/* pipe and stdin: writers come and go, are silent, are refused; the FIFO is missing or replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/fake_input.h"

struct fixture {
	struct bench *b;
	char *dir, *path;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	signal(SIGPIPE, SIG_IGN);
	f->dir = temp_dir();
	f->path = temp_path(f->dir, "fifo");
	assert_int_equal(mkfifo(f->path, 0600), 0);
	f->b = bench_new(INPUT_PIPE);
	f->b->settings.path = f->path;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	bench_free(f->b);
	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	free(f->path);
	free(f->dir);
	free(f);
	return 0;
}

/* A writer; the transport has the FIFO open, so this does not wait. */
static int
writer(const struct fixture *f)
{
	int fd = open(f->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
test_writers(void **state)
{
	struct fixture *f = *state;
	struct bench *b = f->b;

	bench_open(b);
	bench_tick(b);
	assert_int_equal(b->in.ups, 0);
	int fd = writer(f);
	bench_tick(b);
	assert_int_equal(b->in.ups, 0); /* not a byte yet */
	assert_int_equal(write(fd, "first", 5), 5);
	bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	assert_string_equal(b->in.peer, f->path);
	for (int i = 0; i < 100; i++)
		bench_tick(b);
	assert_int_equal(b->in.downs, 0); /* silence is no end */
	assert_int_equal(write(fd, " more", 5), 5);
	close(fd);
	bench_tick(b);
	assert_int_equal(b->in.downs, 1);
	assert_string_equal(b->in.why, "the writer has gone");
	bench_tick(b);
	fd = writer(f);
	assert_int_equal(write(fd, "second", 6), 6);
	close(fd);
	bench_tick(b);
	assert_int_equal(b->in.ups, 2);
	assert_int_equal(b->in.downs, 2);
	assert_int_equal(b->in.len, 16);
	assert_memory_equal(b->in.bytes, "first moresecond", 16);
}

static void
test_no_room(void **state)
{
	struct fixture *f = *state;
	struct bench *b = f->b;

	b->in.budget = 3;
	bench_open(b);
	bench_tick(b);
	int fd = writer(f);
	assert_int_equal(write(fd, "paced", 5), 5);
	close(fd);
	bench_tick(b);
	bench_tick(b);
	assert_int_equal(b->in.len, 3);
	assert_int_equal(b->in.downs, 0);
	b->in.budget = SIZE_MAX;
	bench_tick(b);
	assert_int_equal(b->in.len, 5);
	assert_int_equal(b->in.downs, 1);
}

static void
test_missing_then_there(void **state)
{
	struct fixture *f = *state;
	struct bench *b = f->b;

	unlink(f->path);
	bench_open(b);
	for (int i = 0; i < 50; i++)
		bench_tick(b);
	assert_in_range(b->in.counters.connect_errors, 2, 4);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	for (int i = 0; i < 100; i++)
		bench_tick(b);
	int fd = writer(f);
	assert_int_equal(write(fd, "x", 1), 1);
	bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	close(fd);
}

static void
test_replaced(void **state)
{
	struct fixture *f = *state;
	struct bench *b = f->b;

	bench_open(b);
	bench_tick(b);
	unlink(f->path);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	for (int i = 0; i < 20; i++)
		bench_tick(b);
	int fd = writer(f);
	assert_int_equal(write(fd, "new", 3), 3);
	bench_tick(b);
	assert_int_equal(b->in.len, 3);
	close(fd);
}

static void
test_regular_file(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	temp_write(f->path, "audio", 5);
	bench_open(f->b);
	bench_tick(f->b);
	assert_int_equal(f->b->in.ups, 0);
	assert_int_equal(f->b->in.counters.connect_errors, 1);
}

static void
test_refused(void **state)
{
	struct fixture *f = *state;
	struct bench *b = f->b;

	b->in.refuse_at = 3;
	bench_open(b);
	bench_tick(b);
	int fd = writer(f);
	assert_int_equal(write(fd, "ogg", 3), 3);
	bench_tick(b);
	assert_int_equal(b->in.downs, 1);
	assert_string_equal(b->in.why, "this is not audio");
	/* the writer is told */
	assert_int_equal(write(fd, "ogg", 3), -1);
	assert_int_equal(errno, EPIPE);
	close(fd);
	b->in.refuse_at = SIZE_MAX;
	for (int i = 0; i < 30; i++)
		bench_tick(b);
	fd = writer(f);
	assert_int_equal(write(fd, "aac", 3), 3);
	bench_tick(b);
	assert_int_equal(b->in.ups, 2);
	close(fd);
}

static void
test_drop(void **state)
{
	struct fixture *f = *state;
	struct bench *b = f->b;

	bench_open(b);
	bench_tick(b);
	int fd = writer(f);
	assert_int_equal(write(fd, "x", 1), 1);
	bench_tick(b);
	b->ops->drop(b->t, b->now, "dead");
	assert_string_equal(b->in.why, "dead");
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
	for (int i = 0; i < 30; i++)
		bench_tick(b);
	fd = writer(f);
	assert_int_equal(write(fd, "y", 1), 1);
	close(fd);
	bench_tick(b);
	assert_int_equal(b->in.ups, 2);
	assert_int_equal(b->in.downs, 2);
}

/* ---- standard input */

struct standard_input {
	struct bench *b;
	int saved, write_end;
};

static int
stdin_setup(void **state)
{
	struct standard_input *s = calloc(1, sizeof(*s));
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	s->saved = dup(0);
	dup2(fds[0], 0);
	close(fds[0]);
	s->write_end = fds[1];
	s->b = bench_new(INPUT_STDIN);
	*state = s;
	return 0;
}

static int
stdin_teardown(void **state)
{
	struct standard_input *s = *state;

	bench_free(s->b);
	dup2(s->saved, 0);
	close(s->saved);
	if (s->write_end >= 0)
		close(s->write_end);
	free(s);
	return 0;
}

static void
test_stdin(void **state)
{
	struct standard_input *s = *state;
	struct bench *b = s->b;

	bench_open(b);
	bench_tick(b); /* would block if it read without asking */
	assert_int_equal(b->in.ups, 0);
	assert_int_equal(fcntl(0, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(write(s->write_end, "abc", 3), 3);
	bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	assert_int_equal(b->in.len, 3);
	b->ops->drop(b->t, b->now, "dead");
	assert_int_equal(write(s->write_end, "def", 3), 3);
	bench_tick(b);
	assert_int_equal(b->in.len, 6);
	assert_int_equal(b->in.downs, 0);
	close(s->write_end);
	s->write_end = -1;
	for (int i = 0; i < 100; i++)
		bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	assert_int_equal(b->in.downs, 1);
	assert_string_equal(b->in.why, "end of file");
}

static void
test_stdin_refused(void **state)
{
	struct standard_input *s = *state;
	struct bench *b = s->b;

	b->in.refuse_at = 3;
	bench_open(b);
	assert_int_equal(write(s->write_end, "abc", 3), 3);
	bench_tick(b);
	assert_int_equal(b->in.downs, 1);
	assert_int_equal(write(s->write_end, "d", 1), -1);
	assert_int_equal(errno, EPIPE);
	bench_tick(b);
	assert_int_equal(b->in.ups, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_writers),
		TEST(test_no_room),
		TEST(test_missing_then_there),
		TEST(test_replaced),
		TEST(test_regular_file),
		TEST(test_refused),
		TEST(test_drop),
		cmocka_unit_test_setup_teardown(test_stdin, stdin_setup, stdin_teardown),
		cmocka_unit_test_setup_teardown(test_stdin_refused, stdin_setup, stdin_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
