/* Header fields of HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "origin/http.h"

static void
dates(void **state)
{
	static const char *const same[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994" };
	char text[HTTP_DATE_SIZE];
	int64_t s;

	(void)state;
	for (int i = 0; i < 3; i++) {
		s = -1;
		assert_int_equal(http_parse_date(same[i], &s), 0);
		assert_int_equal(s, 784111777);
	}
	assert_string_equal(http_date(784111777, text), same[0]);
	s = 5;
	assert_int_equal(http_parse_date("yesterday", &s), -1);
	assert_int_equal(http_parse_date("Sun, 06 Nov 1994 08:49:37 GMT+1", &s), -1);
	assert_int_equal(s, 5);
	assert_string_equal(http_date(INT64_MAX, text), "");
}

static void
entity_tags(void **state)
{
	static const struct {
		const char *list;
		bool want;
	} rows[] = { { "\"a\"", true }, { "W/\"a\"", true }, { "*", true }, { "\"b\", \"a\"", true },
		{ "\"b\" , W/\"a\" ", true }, { "\"ab\"", false }, { "\"a", false }, { "a", false }, { "", false },
		{ ",,\"a\"", true }, { "\"x,\"a\"", false }, { "W/", false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (http_etag_listed(rows[i].list, "\"a\"") != rows[i].want)
			fail_msg("%s", rows[i].list);
}

static void
codings(void **state)
{
	static const struct {
		const char *value;
		bool want;
	} rows[] = { { NULL, false }, { "", false }, { "gzip", true }, { "GZIP", true }, { "x-gzip", true },
		{ "br, gzip", true }, { "gzip;q=0", false }, { "gzip; q=0.000", false }, { "gzip;q=0.001", true },
		{ "gzip;q=1", true }, { "*", true }, { "*;q=0", false }, { "gzip;q=0, *", false },
		{ "identity", false }, { "gzipped", false }, { "br;q=1,*;q=0.1", true }, { ",;,;q", false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (http_accepts_gzip(rows[i].value) != rows[i].want)
			fail_msg("%s", rows[i].value ? rows[i].value : "(none)");
}

static void
ranges(void **state)
{
	static const struct {
		const char *value;
		uint64_t size;
		enum http_range_result want;
		uint64_t first, length;
	} rows[] = {
		{ NULL, 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=0-0", 10, HTTP_RANGE_ONE, 0, 1 },
		{ "Bytes= 2-5 ", 10, HTTP_RANGE_ONE, 2, 4 },
		{ "bytes=9-", 10, HTTP_RANGE_ONE, 9, 1 },
		{ "bytes=3-99", 10, HTTP_RANGE_ONE, 3, 7 },
		{ "bytes=-4", 10, HTTP_RANGE_ONE, 6, 4 },
		{ "bytes=-40", 10, HTTP_RANGE_ONE, 0, 10 },
		{ "bytes=0-99999999999999999999999", 10, HTTP_RANGE_ONE, 0, 10 },
		{ "bytes=0-18446744073709551615", 10, HTTP_RANGE_ONE, 0, 10 },
		{ "bytes=10-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=99999999999999999999999-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=-1", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=5-2", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=1-2,4-5", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=-", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=x-y", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "seconds=1-2", 10, HTTP_RANGE_NONE, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http_range r = { 0, 0 };
		if (http_parse_range(rows[i].value, rows[i].size, &r) != rows[i].want || r.first != rows[i].first ||
		    r.length != rows[i].length)
			fail_msg("%s", rows[i].value ? rows[i].value : "(none)");
	}
}

static void
if_range(void **state)
{
	(void)state;
	assert_true(http_if_range(NULL, "\"a\"", 1));
	assert_true(http_if_range("\"a\"", "\"a\"", 1));
	assert_false(http_if_range("W/\"a\"", "\"a\"", 1));
	assert_false(http_if_range("\"b\"", "\"a\"", 1));
	assert_true(http_if_range("Sun, 06 Nov 1994 08:49:37 GMT", "\"a\"", 784111777));
	assert_false(http_if_range("Sun, 06 Nov 1994 08:49:37 GMT", "\"a\"", 784111776));
}

static void
freshness(void **state)
{
	char v[HTTP_CACHE_CONTROL_SIZE];

	(void)state;
	assert_string_equal(http_cache_control(HTTP_GROWING, 6, v), "public, max-age=2, stale-while-revalidate=2");
	assert_string_equal(http_cache_control(HTTP_GROWING, 2, v), "public, max-age=1");
	assert_string_equal(http_cache_control(HTTP_IMMUTABLE, 0, v), "public, max-age=31536000, immutable");
	assert_string_equal(http_cache_control(HTTP_FRESH, 0, v), "public, max-age=1");
	assert_string_equal(http_cache_control(HTTP_FRESH, 86400, v), "public, max-age=86400");
	assert_string_equal(http_cache_control(HTTP_NO_STORE, 0, v), "no-store");
	http_cache_control(HTTP_GROWING, INT64_MAX, v);
	/* never 0: Varnish would stop joining requests */
	for (unsigned status = 400; status < 600; status++)
		assert_true(http_error_age(status) >= 1);
	assert_int_equal(http_error_age(400), 60);
	assert_int_equal(http_error_age(404), 1);
	assert_int_equal(http_error_age(410), 60);
}

static void
types(void **state)
{
	bool compressible;

	(void)state;
	assert_string_equal(http_type_of_name("a/b.m3u8", &compressible), "application/vnd.apple.mpegurl");
	assert_true(compressible);
	assert_string_equal(http_type_of_name("b.ts", &compressible), "video/mp2t");
	assert_false(compressible);
	assert_string_equal(http_type_of_name("b.aac", &compressible), "audio/aac");
	assert_string_equal(http_type_of_name("b.mp3", &compressible), "audio/mpeg");
	assert_null(http_type_of_name("b.xyz", &compressible));
	assert_null(http_type_of_name("ts", &compressible));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates),
		cmocka_unit_test(entity_tags),
		cmocka_unit_test(codings),
		cmocka_unit_test(ranges),
		cmocka_unit_test(if_range),
		cmocka_unit_test(freshness),
		cmocka_unit_test(types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
