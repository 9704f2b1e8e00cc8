/* Text in bounds, on the heap and in given memory, and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static void
grows_to_its_ceiling(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 1000);
	assert_null(t.data);
	for (int i = 0; i < 100; i++)
		text_str(&t, "0123456789");
	assert_false(t.full);
	assert_int_equal(t.len, 1000);
	assert_int_equal(strlen(t.data), 1000);
	text_str(&t, "");
	assert_false(t.full);
	text_str(&t, "x");
	assert_true(t.full);
	assert_int_equal(t.len, 1000);
	text_fini(&t);
	assert_null(t.data);
}

static void
stays_full_once_something_did_not_fit(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 8);
	text_str(&t, "abcd");
	text_str(&t, "efghi");
	assert_true(t.full);
	text_str(&t, "x");
	text_fmt(&t, "%d", 1);
	assert_null(text_reserve(&t, 1));
	assert_string_equal(t.data, "abcd");
	text_clear(&t);
	assert_false(t.full);
	assert_string_equal(t.data, "");
	text_str(&t, "12345678");
	assert_string_equal(t.data, "12345678");
	assert_false(t.full);
	text_fini(&t);
}

static void
formats_over_the_end_of_its_memory(void **state)
{
	struct text t;
	char want[601];

	(void)state;
	memset(want, 'y', 600);
	want[600] = '\0';
	text_init(&t, 4096);
	text_fmt(&t, "%s", "");
	assert_false(t.full);
	text_fmt(&t, "%0250d", 0); /* nearly the first allocation */
	text_fmt(&t, "%s|%d", want, -7);
	assert_int_equal(t.len, 250 + 600 + 3);
	assert_string_equal(t.data + 250 + 600, "|-7");
	assert_memory_equal(t.data + 250, want, 600);
	text_fmt(&t, "%s%s%s%s%s%s", want, want, want, want, want, want);
	assert_true(t.full);
	assert_int_equal(t.len, 853);
	assert_int_equal(strlen(t.data), 853);
	text_fini(&t);
}

static void
formats_to_the_last_byte(void **state)
{
	char memory[9];
	struct text t;

	(void)state;
	for (int width = 7; width <= 9; width++) {
		memset(memory, 'x', sizeof memory);
		text_init_fixed(&t, memory, sizeof memory);
		text_fmt(&t, "%*d", width, 1);
		assert_int_equal(t.full, width > 8);
		assert_int_equal(t.len, width > 8 ? 0 : width);
		assert_int_equal(strlen(t.data), t.len);
	}
}

static void
writes_into_given_memory(void **state)
{
	char memory[8] = "garbage";
	struct text t;

	(void)state;
	text_init_fixed(&t, memory, sizeof memory);
	assert_string_equal(memory, "");
	text_str(&t, "abc");
	text_fmt(&t, "%s", "defg");
	assert_false(t.full);
	assert_string_equal(memory, "abcdefg");
	text_add(&t, "h", 1);
	assert_true(t.full);
	text_fini(&t);
	assert_string_equal(memory, "abcdefg");
}

static void
takes_bytes_and_gives_room(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 100);
	text_add(&t, "a\0b", 3);
	char *p = text_reserve(&t, 2);
	assert_non_null(p);
	memcpy(p, "cd", 2);
	assert_int_equal(t.len, 5);
	assert_memory_equal(t.data, "a\0bcd", 6);
	assert_null(text_reserve(&t, SIZE_MAX));
	assert_true(t.full);
	text_fini(&t);
	text_init(&t, SIZE_MAX);
	text_add(&t, NULL, 0);
	assert_false(t.full);
	text_fini(&t);
}

static void
check_json(const char *in, const char *want)
{
	struct text t;

	text_init(&t, 1000);
	text_str(&t, "");
	text_json(&t, in);
	assert_string_equal(t.data, want);
	text_fini(&t);
}

static void
escapes_json(void **state)
{
	(void)state;
	check_json("", "");
	check_json("plain text / <>&'", "plain text / <>&'");
	check_json("\"\\\b\f\n\r\t", "\\\"\\\\\\b\\f\\n\\r\\t");
	check_json("\x01\x1f\x7f", "\\u0001\\u001f\x7f");
	check_json("Ch\xC3\xA2teau \xE2\x82\xAC \xF0\x9F\x8E\xB5", "Ch\xC3\xA2teau \xE2\x82\xAC \xF0\x9F\x8E\xB5");
}

#define BAD "\xEF\xBF\xBD"

/* The first row is the example of Unicode 15, table 3-8; then overlong forms, surrogates, above U+10FFFF, cut short. */
static void
replaces_what_is_not_utf8(void **state)
{
	(void)state;
	check_json("a\xF1\x80\x80\xE1\x80\xC2"
		   "b\x80"
		   "c\x80\xBF"
		   "d",
	    "a" BAD BAD BAD "b" BAD "c" BAD BAD "d");
	check_json("\xC0\xAF", BAD BAD);
	check_json("\xE0\x80\xAF", BAD BAD BAD);
	check_json("\xF0\x80\x80\x80", BAD BAD BAD BAD);
	check_json("\xED\xA0\x80", BAD BAD BAD);
	check_json("\xF4\x90\x80\x80", BAD BAD BAD BAD);
	check_json("\xF5\xFF\xFE", BAD BAD BAD);
	check_json("x\xE2\x82", "x" BAD);
	check_json("\xC3\"", BAD "\\\"");
	check_json("caf\xE9", "caf" BAD);
	check_json("\xEF\xBF\xBF\xF4\x8F\xBF\xBF\xED\x9F\xBF", "\xEF\xBF\xBF\xF4\x8F\xBF\xBF\xED\x9F\xBF");
}

static void
json_stops_at_the_ceiling(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 6);
	text_json(&t, "abc\n\n");
	assert_true(t.full);
	assert_string_equal(t.data, "abc\\n");
	text_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_to_its_ceiling),
		cmocka_unit_test(stays_full_once_something_did_not_fit),
		cmocka_unit_test(formats_over_the_end_of_its_memory),
		cmocka_unit_test(formats_to_the_last_byte),
		cmocka_unit_test(writes_into_given_memory),
		cmocka_unit_test(takes_bytes_and_gives_room),
		cmocka_unit_test(escapes_json),
		cmocka_unit_test(replaces_what_is_not_utf8),
		cmocka_unit_test(json_stops_at_the_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
