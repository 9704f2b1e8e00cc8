/* command: its output, its environment, restarts, and that nothing of it outlives the input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/fake_input.h"

static int
setup(void **state)
{
	struct bench *b = bench_new(INPUT_COMMAND);

	/* children live in real time: let the input's pass not much faster */
	b->tick = 10 * NS_PER_MS;
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	if (*state)
		bench_free(*state);
	return 0;
}

static void
start(struct bench *b, const char *command)
{
	b->settings.command = (char *)command;
	bench_open(b);
}

static void
test_output_and_restart(void **state)
{
	struct bench *b = *state;

	start(b, "printf hello; exit 3");
	assert_true(bench_until(b, b->in.downs == 1));
	assert_int_equal(b->in.len, 5);
	assert_memory_equal(b->in.bytes, "hello", 5);
	assert_string_equal(b->in.why, "exited with status 3");
	assert_int_equal(strncmp(b->in.peer, "pid ", 4), 0);
	int64_t before = b->now.ns;
	assert_true(bench_until(b, b->in.downs == 2));
	assert_true(b->now.ns - before >= NS_PER_S - FAKE_TICK);
	assert_int_equal(b->in.len, 10);
	before = b->now.ns;
	assert_true(bench_until(b, b->in.downs == 3));
	assert_true(b->now.ns - before >= 2 * NS_PER_S - FAKE_TICK);
}

static void
test_many_bytes(void **state)
{
	struct bench *b = *state;

	b->in.room_most = 777;
	start(b, "head -c 1000000 /dev/zero");
	assert_true(bench_until(b, b->in.downs == 1));
	assert_int_equal(b->in.len, 1000000);
	assert_string_equal(b->in.why, "exited with status 0");
}

static void
test_environment(void **state)
{
	struct bench *b = *state;

	b->in.start.ns = INT64_C(1795251600123456789);
	start(b, "printf %s \"$HINDCAST_START\"");
	assert_true(bench_until(b, b->in.downs == 1));
	assert_int_equal(b->in.len, 19);
	assert_memory_equal(b->in.bytes, "1795251600123456789", 19);
}

static void
test_no_start(void **state)
{
	struct bench *b = *state;

	start(b, "printf %s \"${HINDCAST_START-none}\"; cat");
	assert_true(bench_until(b, b->in.downs == 1)); /* its standard input is empty */
	assert_memory_equal(b->in.bytes, "none", 4);
}

static void
test_missing_command(void **state)
{
	struct bench *b = *state;

	start(b, "exec /nonexistent/encoder 2>/dev/null");
	assert_true(bench_until(b, b->in.downs == 1));
	assert_string_equal(b->in.why, "exited with status 127");
}

/* The pid that the command printed. */
static int
printed_pid(struct bench *b)
{
	char text[32] = "";

	if (!bench_until(b, b->in.len > 0 && b->in.bytes[b->in.len - 1] == '\n'))
		return 0;
	memcpy(text, b->in.bytes, b->in.len < 31 ? b->in.len : 31);
	return (int)strtol(text, NULL, 10);
}

static bool
process_runs(int pid)
{
	char path[64], state = 'X';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!(f = fopen(path, "r")))
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	fclose(f);
	return state != 'Z' && state != 'X';
}

/* The shell, and what it started, go with the input. */
static void
test_close_ends_group(void **state)
{
	struct bench *b = *state;

	start(b, "sleep 1000 & echo $!; wait");
	int pid = printed_pid(b);
	assert_true(pid > 0 && process_runs(pid));
	bench_free(b);
	*state = NULL;
	assert_false(process_runs(pid));
}

/* Everyone in the group is asked to end before it is killed. */
static void
test_close_asks_first(void **state)
{
	struct bench *b = *state;
	char *dir = temp_dir(), *path = temp_path(dir, "asked"), command[256];

	snprintf(command, sizeof(command),
	    "(trap 'echo > %s; exit' TERM; echo $$; while :; do sleep 0.01; done) & wait", path);
	start(b, command);
	assert_true(printed_pid(b) > 0);
	bench_free(b);
	*state = NULL;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	free(path);
	free(dir);
}

/* Who does not listen to TERM is killed. */
static void
test_close_kills(void **state)
{
	struct bench *b = *state;

	start(b, "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done");
	int pid = printed_pid(b);
	assert_true(pid > 0 && process_runs(pid));
	bench_free(b);
	*state = NULL;
	assert_false(process_runs(pid));
}

static void
test_drop_restarts(void **state)
{
	struct bench *b = *state;

	start(b, "echo $$; exec sleep 1000");
	int pid = printed_pid(b);
	assert_true(pid > 0);
	b->ops->drop(b->t, b->now, "dead");
	assert_string_equal(b->in.why, "dead");
	assert_true(bench_until(b, b->in.ups == 2));
	assert_false(process_runs(pid));
}

/* Without output it is of no use, though it may run on. */
static void
test_closes_output(void **state)
{
	struct bench *b = *state;

	start(b, "exec >&-; exec sleep 1000");
	assert_true(bench_until(b, b->in.downs == 1));
	assert_string_equal(b->in.why, "closed its standard output");
}

static void
test_refused(void **state)
{
	struct bench *b = *state;

	b->in.refuse_at = 10;
	start(b, "cat /dev/zero");
	assert_true(bench_until(b, b->in.downs == 1));
	assert_string_equal(b->in.why, "this is not audio");
}

/* A grandchild that keeps the pipe open does not keep a dead command alive. */
static void
test_grandchild(void **state)
{
	struct bench *b = *state;

	start(b, "sleep 1000 & echo $!; exit 0");
	int pid = printed_pid(b);
	assert_true(bench_until(b, b->in.downs == 1));
	assert_string_equal(b->in.why, "exited with status 0");
	assert_true(bench_until(b, b->in.ups == 2));
	assert_false(process_runs(pid));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output_and_restart),
		TEST(test_many_bytes),
		TEST(test_environment),
		TEST(test_no_start),
		TEST(test_missing_command),
		TEST(test_close_ends_group),
		TEST(test_close_asks_first),
		TEST(test_close_kills),
		TEST(test_drop_restarts),
		TEST(test_closes_output),
		TEST(test_refused),
		TEST(test_grandchild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
