/* Log lines: one write each, limited repeats, safe values. Standard error is a socket that keeps writes apart. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"

static int catcher, real_stderr;

/* This test stands in for base/clock.c, so that it can move time. */
static struct mono now;

struct mono
clock_mono_now(void)
{
	return now;
}

struct wall
clock_wall_now(void)
{
	return (struct wall){ 0 };
}

const char *
wall_format(struct wall w, char text[static WALL_TEXT_SIZE])
{
	(void)w;
	return strcpy(text, "NOW");
}

static int
catch_stderr(void **state)
{
	int ends[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	real_stderr = dup(STDERR_FILENO);
	dup2(ends[0], STDERR_FILENO);
	close(ends[0]);
	catcher = ends[1];
	now.ns += 1000 * NS_PER_S;
	log_init(NULL, LOG_INFO);
	return 0;
}

static int
release_stderr(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	return close(catcher);
}

/* What one write(2) wrote; "" when there was none. */
static const char *
caught(void)
{
	static char line[8192];
	ssize_t n = recv(catcher, line, sizeof line - 1, MSG_DONTWAIT);

	line[n < 0 ? 0 : n] = '\0';
	return line;
}

static void
writes_one_line_at_once(void **state)
{
	(void)state;
	log_info("source connected station=%s frames=%d", "fip", 12);
	assert_string_equal(caught(), "NOW info  source connected station=fip frames=12\n");
	log_warn("w");
	assert_string_equal(caught(), "NOW warn  w\n");
	log_error("e");
	assert_string_equal(caught(), "NOW error e\n");
	assert_string_equal(caught(), "");
}

static void
leaves_out_what_is_below_the_level(void **state)
{
	(void)state;
	log_debug("d");
	assert_string_equal(caught(), "");
	log_init("segmenter", LOG_DEBUG);
	log_debug("d");
	assert_string_equal(caught(), "NOW debug d program=segmenter\n");
	log_init(NULL, LOG_ERROR);
	log_warn("w");
	assert_string_equal(caught(), "");
}

static void
knows_errno_and_keeps_it(void **state)
{
	(void)state;
	errno = ENOENT;
	log_warn("failed error=\"%s\"", strerror(errno));
	assert_string_equal(caught(), "NOW warn  failed error=\"No such file or directory\"\n");
	assert_int_equal(errno, ENOENT);
}

static void
stays_one_line(void **state)
{
	(void)state;
	log_info("x=%s", "a\nNOW error forged\r\x1b[31m\x7f");
	assert_string_equal(caught(), "NOW info  x=a?NOW error forged??[31m?\n");
}

static void
cuts_long_lines(void **state)
{
	char big[5000], cut[] = "yyy... program=p\n";

	(void)state;
	memset(big, 'y', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	log_init("p", LOG_INFO);
	log_info("x=%s", big);
	const char *line = caught();
	size_t len = strlen(line);
	assert_in_range(len, 1000, 2048);
	assert_string_equal(line + len - strlen(cut), cut);
	assert_null(memchr(line, '\n', len - 1));
}

/* Every length around the bound, so that neither the line end nor the tail is lost. */
static void
cuts_at_the_right_byte(void **state)
{
	(void)state;
	log_init("p", LOG_INFO);
	for (int width = 1990; width < 2060; width++) {
		now.ns += 60 * NS_PER_S;
		log_info("%0*d", width, 7);
		const char *line = caught();
		const char *end = strchr(line, ' ');
		assert_non_null(end);
		size_t len = strlen(line);
		assert_true(len <= 2048);
		assert_string_equal(line + len - 11, " program=p\n");
		if (strstr(line, "..."))
			assert_true(len >= 2047);
		else
			assert_int_equal(len, 10 + width + 11);
	}
}

static void
say(int i)
{
	log_info("again i=%d", i);
}

static void
limits_repeats_and_counts_them(void **state)
{
	char want[64];

	(void)state;
	for (int i = 0; i < 17; i++)
		say(i);
	for (int i = 0; i < 10; i++) {
		snprintf(want, sizeof want, "NOW info  again i=%d\n", i);
		assert_string_equal(caught(), want);
	}
	assert_string_equal(caught(), "");
	log_info("other");
	assert_string_equal(caught(), "NOW info  other\n");
	now.ns += 10 * NS_PER_S - 1;
	say(98);
	assert_string_equal(caught(), "");
	now.ns += 1;
	say(99);
	assert_string_equal(caught(), "NOW info  again i=99 left_out=8\n");
	say(100);
	assert_string_equal(caught(), "NOW info  again i=100\n");
}

/* More formats than there are entries: nothing is lost but the count of the one that was quiet longest. */
static void
forgets_the_quietest_format(void **state)
{
	static char formats[200][16];

	(void)state;
	for (int i = 0; i < 200; i++) {
		now.ns++;
		snprintf(formats[i], sizeof formats[i], "f%d", i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
		log_info(formats[i]);
#pragma GCC diagnostic pop
		assert_true(strlen(caught()) > 0);
	}
}

static void *
write_lines(void *arg)
{
	static const char *const formats[] = { "a thread=%c", "b thread=%c", "c thread=%c", "d thread=%c" };

	for (int i = 0; i < 8; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		log_info(formats[i % 4], *(char *)arg);
#pragma GCC diagnostic pop
	}
	return NULL;
}

static void
threads_do_not_mix(void **state)
{
	char names[8] = "abcdefg";
	pthread_t threads[8];
	int lines = 0;

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &names[i % 7]), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	for (const char *line = caught(); *line; line = caught(), lines++) {
		assert_int_equal(strlen(line), strlen("NOW info  a thread=b\n"));
		assert_memory_equal(line + 11, " thread=", 8);
	}
	assert_int_equal(lines, 4 * 10);
}

static void
check_safe(const char *s, size_t size, const char *want)
{
	char out[256];

	memset(out, '#', sizeof out);
	assert_ptr_equal(log_safe(s, out, size), out);
	assert_string_equal(out, want);
	assert_int_equal(out[size], '#');
}

static void
makes_values_safe(void **state)
{
	(void)state;
	check_safe("plain-text_1:8000/fip.aac", 100, "plain-text_1:8000/fip.aac");
	check_safe("", 100, "\"\"");
	check_safe(NULL, 100, "\"\"");
	check_safe("two words", 100, "\"two words\"");
	check_safe("a=b", 100, "\"a=b\"");
	check_safe("\"\\", 100, "\"\\\"\\\\\"");
	check_safe("a\n\x1b[0m\x7f", 100, "\"a\\x0a\\x1b[0m\\x7f\"");
	check_safe("Ch\xC3\xA2teau", 100, "\"Ch\xC3\xA2teau\"");
	check_safe("\xC2\x9B"
		   "31m",
	    100, "\"\\xc2\\x9b31m\""); /* CSI of ISO 6429 */
	check_safe("caf\xE9 \xC3", 100, "\"caf\\xe9 \\xc3\"");
}

static void
cuts_values_at_whole_characters(void **state)
{
	(void)state;
	check_safe("a b c d", 10, "\"a b c d\"");
	check_safe("a b c d", 9, "\"a b...\"");
	check_safe("abcdefgh", 9, "abcdefgh");
	check_safe("abcdefghij", 9, "abcde...");
	check_safe("a \xE2\x82\xAC\xE2\x82\xAC", 11, "\"a \xE2\x82\xAC\xE2\x82\xAC\"");
	check_safe("a \xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", 12, "\"a \xE2\x82\xAC...\"");
	check_safe("a \xE2\x82\xAC\xE2\x82\xAC", 10, "\"a ...\"");
	check_safe("\n\n\n\n", 6, "\"...\"");
	check_safe("abcdef", 6, "ab...");
}

static void
a_broken_invariant_says_where_and_aborts(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		CHECK(1 + 1 == 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	const char *line = caught();
	assert_non_null(strstr(line, "test_log.c:"));
	assert_non_null(strstr(line, ": broken invariant: 1 + 1 == 3\n"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, catch_stderr, release_stderr)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_one_line_at_once),
		TEST(leaves_out_what_is_below_the_level),
		TEST(knows_errno_and_keeps_it),
		TEST(stays_one_line),
		TEST(cuts_long_lines),
		TEST(cuts_at_the_right_byte),
		TEST(limits_repeats_and_counts_them),
		TEST(forgets_the_quietest_format),
		TEST(threads_do_not_mix),
		TEST(makes_values_safe),
		TEST(cuts_values_at_whole_characters),
		TEST(a_broken_invariant_says_where_and_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
