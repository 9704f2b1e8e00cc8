/* file: once, in a loop, paced, missing, not a file, refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/fake_input.h"

#define SIZE 300000

struct fixture {
	struct bench *b;
	char *dir, *path;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint8_t *bytes = pattern_new(SIZE);

	f->dir = temp_dir();
	f->path = temp_path(f->dir, "a.aac");
	temp_write(f->path, bytes, SIZE);
	free(bytes);
	f->b = bench_new(INPUT_FILE);
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
	rmdir(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	free(f->path);
	free(f->dir);
	free(f);
	return 0;
}

static void
test_once(void **state)
{
	struct fixture *f = *state;
	struct bench *b = f->b;

	bench_open(b);
	bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	assert_string_equal(b->in.peer, f->path);
	assert_int_equal(b->in.len, SIZE);
	assert_true(is_pattern(b->in.bytes, SIZE, 0));
	assert_int_equal(b->in.downs, 1);
	assert_string_equal(b->in.why, "end of file");
	/* and never again */
	for (int i = 0; i < 1000; i++)
		bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	assert_int_equal(b->in.downs, 1);
}

static void
test_bounded_per_tick(void **state)
{
	struct bench *b = ((struct fixture *)*state)->b;

	b->in.room_most = 1000;
	bench_open(b);
	bench_tick(b);
	assert_int_equal(b->in.len, 64 * 1000);
	assert_true(b->in.up);
	for (int i = 0; i < 5; i++)
		bench_tick(b);
	assert_int_equal(b->in.len, SIZE);
	assert_true(is_pattern(b->in.bytes, SIZE, 0));
	assert_false(b->in.up);
}

static void
test_no_room(void **state)
{
	struct bench *b = ((struct fixture *)*state)->b;

	b->in.budget = 5000;
	bench_open(b);
	bench_tick(b);
	bench_tick(b);
	assert_int_equal(b->in.len, 5000);
	assert_true(b->in.up);
	b->in.budget = SIZE_MAX;
	bench_tick(b);
	assert_int_equal(b->in.len, SIZE);
	assert_true(is_pattern(b->in.bytes, SIZE, 0));
}

static void
test_loop(void **state)
{
	struct bench *b = ((struct fixture *)*state)->b;

	b->settings.loop = true;
	b->in.budget = 3 * SIZE + 1234;
	bench_open(b);
	for (int i = 0; i < 10; i++)
		bench_tick(b);
	/* one run without a seam */
	assert_int_equal(b->in.ups, 1);
	assert_int_equal(b->in.downs, 0);
	assert_int_equal(b->in.len, 3 * SIZE + 1234);
	for (size_t round = 0; round < 3; round++)
		assert_true(is_pattern(b->in.bytes + round * SIZE, SIZE, 0));
	assert_true(is_pattern(b->in.bytes + 3 * SIZE, 1234, 0));
}

/* A looped file that has become empty does not spin. */
static void
test_loop_of_nothing(void **state)
{
	struct fixture *f = *state;
	struct bench *b = f->b;

	b->settings.loop = true;
	b->in.budget = 100000;
	bench_open(b);
	bench_tick(b);
	assert_int_equal(truncate(f->path, 0), 0);
	b->in.budget = SIZE_MAX;
	bench_tick(b);
	assert_int_equal(b->in.downs, 1);
	for (int i = 0; i < 100; i++)
		bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	assert_true(b->in.counters.connect_errors > 0);
	temp_write(f->path, "back", 4);
	for (int i = 0; i < 320; i++)
		bench_tick(b);
	assert_int_equal(b->in.ups, 2);
}

static void
test_missing_then_there(void **state)
{
	struct fixture *f = *state;
	struct bench *b = f->b;
	char *moved = temp_path(f->dir, "b.aac");

	assert_int_equal(rename(f->path, moved), 0);
	bench_open(b);
	for (int i = 0; i < 600; i++)
		bench_tick(b);
	assert_int_equal(b->in.ups, 0);
	assert_int_equal(b->in.downs, 0);
	/* 1, 2, 4, 8, 16 and 30 s with their jitter: a minute sees four to six tries */
	assert_in_range(b->in.counters.connect_errors, 4, 6);
	assert_int_equal(rename(moved, f->path), 0);
	for (int i = 0; i < 310; i++)
		bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	assert_int_equal(b->in.len, SIZE);
	free(moved);
}

static void
test_directory(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(mkdir(f->path, 0700), 0);
	bench_open(f->b);
	bench_tick(f->b);
	assert_int_equal(f->b->in.ups, 0);
	assert_int_equal(f->b->in.counters.connect_errors, 1);
}

static void
test_refused(void **state)
{
	struct bench *b = ((struct fixture *)*state)->b;

	b->in.refuse_at = 70000;
	bench_open(b);
	for (int i = 0; i < 100; i++)
		bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	assert_int_equal(b->in.downs, 1);
	assert_string_equal(b->in.why, "this is not audio");
}

static void
test_drop(void **state)
{
	struct bench *b = ((struct fixture *)*state)->b;

	b->settings.loop = true;
	b->in.budget = 1000;
	bench_open(b);
	bench_tick(b);
	b->ops->drop(b->t, b->now, "dead");
	assert_int_equal(b->in.downs, 1);
	assert_string_equal(b->in.why, "dead");
	b->ops->drop(b->t, b->now, "dead");
	assert_int_equal(b->in.downs, 1);
	bench_tick(b);
	assert_int_equal(b->in.ups, 1);
	for (int i = 0; i < 20; i++)
		bench_tick(b);
	assert_int_equal(b->in.ups, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_once),
		TEST(test_bounded_per_tick),
		TEST(test_no_room),
		TEST(test_loop),
		TEST(test_loop_of_nothing),
		TEST(test_missing_then_there),
		TEST(test_directory),
		TEST(test_refused),
		TEST(test_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
