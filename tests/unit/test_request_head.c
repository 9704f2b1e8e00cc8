/* Request heads: what is a head, what its parts say, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "segmenter/input/request_head.h"

static int
parse(const char *text, struct request_head *h, const char **why)
{
	long n = request_head_length(text, strlen(text));

	if (n <= 0) {
		*why = "no whole head";
		return -1;
	}
	return request_head_parse(text, (size_t)n, h, why);
}

#define assert_span(span, text)                                                                                        \
	do {                                                                                                           \
		assert_int_equal((span).len, strlen(text));                                                            \
		assert_memory_equal((span).p, text, (span).len);                                                       \
	} while (0)

static void
test_length(void **state)
{
	char big[REQUEST_HEAD_MAX + 2];

	(void)state;
	assert_int_equal(request_head_length("", 0), 0);
	assert_int_equal(request_head_length("PUT /m HTTP/1.1\r\n", 17), 0);
	assert_int_equal(request_head_length("PUT /m HTTP/1.1\r\n\r", 18), 0);
	assert_int_equal(request_head_length("PUT /m HTTP/1.1\r\n\r\n", 19), 19);
	assert_int_equal(request_head_length("PUT /m HTTP/1.1\r\n\r\naudio", 24), 19);
	assert_int_equal(request_head_length("PUT /m HTTP/1.1\n\n", 17), 17);
	assert_int_equal(request_head_length("\r\n\r\nPUT /m HTTP/1.1\r\n\r\n", 23), 23);
	assert_int_equal(request_head_length("\x16\x03\x01", 3), -1);
	assert_int_equal(request_head_length("GET / HTTP/1.1\r\nA: b\0\r\n\r\n", 26), -1);
	assert_int_equal(request_head_length("GET /\rx", 7), -1);
	memset(big, 'a', sizeof(big));
	assert_int_equal(request_head_length(big, REQUEST_HEAD_MAX - 1), 0);
	assert_int_equal(request_head_length(big, REQUEST_HEAD_MAX), -1);
	memcpy(big + REQUEST_HEAD_MAX - 4, "\r\n\r\n", 4);
	assert_int_equal(request_head_length(big, REQUEST_HEAD_MAX), REQUEST_HEAD_MAX);
	assert_int_equal(request_fields_length("\r\n", 2), 2);
	assert_int_equal(request_fields_length("icy-name:x\r\n\r\n", 14), 14);
}

static void
test_request_lines(void **state)
{
	struct request_head h;
	const char *why;

	(void)state;
	assert_int_equal(parse("SOURCE /fip-hifi ICE/1.0\r\n\r\n", &h, &why), 0);
	assert_int_equal(h.method, REQUEST_SOURCE);
	assert_int_equal(h.protocol, REQUEST_ICE_1_0);
	assert_string_equal(h.path, "/fip-hifi");
	assert_int_equal(h.query.len, 0);
	assert_int_equal(parse("PUT /a%20b%2F?x=1?2 HTTP/1.1\r\n\r\n", &h, &why), 0);
	assert_int_equal(h.method, REQUEST_PUT);
	assert_int_equal(h.protocol, REQUEST_HTTP_1_1);
	assert_string_equal(h.path, "/a b/");
	assert_span(h.query, "x=1?2");
	assert_int_equal(parse("GET http://host:8001/m?a=b HTTP/1.0\r\n\r\n", &h, &why), 0);
	assert_string_equal(h.path, "/m");
	assert_span(h.query, "a=b");
	assert_int_equal(parse("DELETE /+ HTTP/1.0\r\n\r\n", &h, &why), 0);
	assert_int_equal(h.method, REQUEST_OTHER);
	assert_string_equal(h.path, "/+");
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {
		"PUT\r\n\r\n",
		"PUT /m\r\n\r\n",
		"PUT  /m HTTP/1.1\r\n\r\n",
		"PUT /m HTTP/1.1 \r\n\r\n",
		"PUT /m HTTP/2.0\r\n\r\n",
		"put{ /m HTTP/1.1\r\n\r\n",
		"PUT m HTTP/1.1\r\n\r\n",
		"PUT * HTTP/1.1\r\n\r\n",
		"PUT http://host HTTP/1.1\r\n\r\n",
		"PUT /%zz HTTP/1.1\r\n\r\n",
		"PUT /a%2 HTTP/1.1\r\n\r\n",
		"PUT /a%00b HTTP/1.1\r\n\r\n",
		"PUT /m HTTP/1.1\r\nno colon\r\n\r\n",
		"PUT /m HTTP/1.1\r\nName : space\r\n\r\n",
		"PUT /m HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
		"PUT /m HTTP/1.1\r\n: x\r\n\r\n",
	};
	char long_path[REQUEST_PATH_MAX + 32], many[REQUEST_HEAD_MAX];
	struct request_head h;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		assert_int_equal(parse(bad[i], &h, &why), -1);
		assert_non_null(why);
	}
	memset(long_path, 'x', sizeof(long_path));
	memcpy(long_path, "PUT /", 5);
	memcpy(long_path + 5 + REQUEST_PATH_MAX - 2, " HTTP/1.1\r\n\r\n", 14);
	assert_int_equal(parse(long_path, &h, &why), 0);
	memcpy(long_path + 5 + REQUEST_PATH_MAX - 2, "y HTTP/1.1\r\n\r\n", 15);
	assert_int_equal(parse(long_path, &h, &why), -1);
	size_t n = (size_t)snprintf(many, sizeof(many), "PUT /m HTTP/1.1\r\n");
	for (int i = 0; i < REQUEST_FIELDS_MAX; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "A%d: b\r\n", i);
	snprintf(many + n, sizeof(many) - n, "\r\n");
	assert_int_equal(parse(many, &h, &why), 0);
	assert_int_equal(h.count, REQUEST_FIELDS_MAX);
	snprintf(many + n, sizeof(many) - n, "B: c\r\n\r\n");
	assert_int_equal(parse(many, &h, &why), -1);
	assert_string_equal(why, "too many header lines");
}

static void
test_fields(void **state)
{
	struct request_head h;
	struct span v;
	const char *why;

	(void)state;
	assert_int_equal(parse("PUT /m HTTP/1.1\r\nContent-Type: \t audio/aac \r\nexpect:100-Continue\r\n"
			       "Ice-Name: Fip\xe9:x\r\nEmpty:\r\nConnection: a, Close ,b\r\n\r\n",
			     &h, &why),
	    0);
	assert_int_equal(h.count, 5);
	assert_true(request_field(&h, "content-type", &v));
	assert_span(v, "audio/aac");
	assert_true(request_field(&h, "ICE-NAME", &v));
	assert_span(v, "Fip\xe9:x");
	assert_true(request_field(&h, "Empty", &v));
	assert_int_equal(v.len, 0);
	assert_false(request_field(&h, "Content", &v));
	assert_true(request_field_has(&h, "Expect", "100-continue"));
	assert_true(request_field_has(&h, "connection", "close"));
	assert_false(request_field_has(&h, "connection", "clos"));
	assert_int_equal(request_fields_parse("icy-name:x\r\ncontent-type:audio/aacp\r\n\r\n", 39, &h, &why), 0);
	assert_true(request_field(&h, "content-type", &v));
	assert_span(v, "audio/aacp");
}

static void
test_parameters(void **state)
{
	struct request_head h;
	char out[16];
	const char *why;

	(void)state;
	assert_int_equal(parse("GET /admin/metadata?mount=%2Fm&mode=updinfo&song=a+b%26c%C3%A9&empty=&bare&bad=%4&"
			       "nul=%00&long=0123456789abcdef&mount=2 HTTP/1.0\r\n\r\n",
			     &h, &why),
	    0);
	assert_int_equal(request_param(&h, "mount", out, sizeof(out)), REQUEST_VALUE_OK);
	assert_string_equal(out, "/m");
	assert_int_equal(request_param(&h, "song", out, sizeof(out)), REQUEST_VALUE_OK);
	assert_string_equal(out, "a b&c\xc3\xa9");
	assert_int_equal(request_param(&h, "empty", out, sizeof(out)), REQUEST_VALUE_OK);
	assert_string_equal(out, "");
	assert_int_equal(request_param(&h, "bare", out, sizeof(out)), REQUEST_VALUE_OK);
	assert_int_equal(request_param(&h, "bad", out, sizeof(out)), REQUEST_VALUE_BAD);
	assert_string_equal(out, "");
	assert_int_equal(request_param(&h, "nul", out, sizeof(out)), REQUEST_VALUE_BAD);
	assert_int_equal(request_param(&h, "long", out, sizeof(out)), REQUEST_VALUE_BAD);
	assert_int_equal(request_param(&h, "moun", out, sizeof(out)), REQUEST_VALUE_ABSENT);
}

static void
check_basic(const char *value, enum request_value want, const char *credentials)
{
	char text[1024], out[REQUEST_VALUE_MAX];
	struct request_head h;
	const char *why;

	snprintf(text, sizeof(text), "PUT /m HTTP/1.1\r\n%s%s\r\n\r\n", value[0] ? "Authorization: " : "X: y", value);
	assert_int_equal(parse(text, &h, &why), 0);
	assert_int_equal(request_basic(&h, out), want);
	assert_string_equal(out, credentials);
}

static void
test_basic(void **state)
{
	(void)state;
	check_basic("Basic c291cmNlOmhhY2ttZQ==", REQUEST_VALUE_OK, "source:hackme");
	check_basic("basic  c291cmNlOmhhY2ttZQ", REQUEST_VALUE_OK, "source:hackme");
	check_basic("Basic c291cmNlOmhhY2ttZTE=", REQUEST_VALUE_OK, "source:hackme1");
	check_basic("Basic", REQUEST_VALUE_OK, "");
	check_basic("", REQUEST_VALUE_ABSENT, "");
	check_basic("Digest x", REQUEST_VALUE_ABSENT, "");
	check_basic("Basic c291*", REQUEST_VALUE_BAD, "");
	check_basic("Basic c29=1cmNl", REQUEST_VALUE_BAD, "");
	check_basic("Basic AAAA", REQUEST_VALUE_BAD, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_request_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_basic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
