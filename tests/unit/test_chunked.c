/* The chunked coding, whole and cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "segmenter/input/chunked.h"

/* Decode `len` bytes in pieces of `piece`; the body's length or -1. */
static long
decode(const char *coded, size_t len, size_t piece, char *body, bool *done)
{
	uint8_t buf[8192];
	struct chunked c;
	long total = 0;

	chunked_init(&c);
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		memcpy(buf, coded + at, n);
		long got = chunked_decode(&c, buf, n);
		if (got < 0)
			return -1;
		memcpy(body + total, buf, (size_t)got);
		total += got;
	}
	*done = c.done;
	return total;
}

static void
check(const char *coded, const char *body, bool done)
{
	char out[8192];
	bool is_done;

	for (size_t piece = 1; piece <= strlen(coded); piece++) {
		long n = decode(coded, strlen(coded), piece, out, &is_done);
		assert_int_equal(n, strlen(body));
		assert_memory_equal(out, body, (size_t)n);
		assert_int_equal(is_done, done);
	}
}

static void
test_good(void **state)
{
	(void)state;
	check("4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n", "Wikipedia", true);
	check("4\nWiki\n0\n\n", "Wiki", true);
	check("A;ext=\"v;\"\r\n0123456789\r\n", "0123456789", false);
	check("00000a \r\n0123456789\r\n0;x\r\nTrailer: 1\r\nAnother: 2\r\n\r\nbehind", "0123456789", true);
	check("2\r\n\r\n\r\n", "\r\n", false);
	check("0\r\n\r\n", "", true);
	check("0\r\n", "", false);
	check("5\r\nab", "ab", false);
}

static void
test_bad(void **state)
{
	static const char *const bad[] = { "x\r\n", "\r\n", ";x\r\n", "4\r\nWikiX", "-1\r\n", "100000000\r\n",
		"0x4\r\n", "4\r\nWiki\r\n\r\n" };
	char out[8192];
	bool done;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (size_t piece = 1; piece <= strlen(bad[i]); piece++)
			assert_int_equal(decode(bad[i], strlen(bad[i]), piece, out, &done), -1);
}

/* Neither an extension nor a trailer goes on for ever; and bad stays bad. */
static void
test_bounds(void **state)
{
	uint8_t line[8000], end[] = "\n0\r\n\r\n";
	struct chunked c;

	(void)state;
	memset(line, 'e', sizeof(line));
	line[0] = '1';
	line[1] = ';';
	chunked_init(&c);
	assert_int_equal(chunked_decode(&c, line, sizeof(line)), -1);
	assert_int_equal(chunked_decode(&c, end, sizeof(end) - 1), -1);
	memset(line, 'e', sizeof(line));
	memcpy(line, "0\r\nA: ", 6);
	chunked_init(&c);
	assert_int_equal(chunked_decode(&c, line, sizeof(line)), -1);
	for (size_t i = 3; i + 1 < sizeof(line); i += 2)
		memcpy(line + i, "a\n", 2);
	memcpy(line, "0\r\n", 3);
	chunked_init(&c);
	assert_int_equal(chunked_decode(&c, line, sizeof(line)), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
