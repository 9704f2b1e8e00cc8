/* Addresses as they stand in [publish] and [subscribe]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/endpoint.h"

static void
test_kinds(void **state)
{
	const char *list = " udp://relay-a:9001,\thttp://b:8003/rtp https://user:pw@c  UDP://[ff15::1]:65535 ";
	struct endpoint e;

	(void)state;
	assert_int_equal(endpoint_next(&list, &e), 1);
	assert_int_equal(e.kind, ENDPOINT_UDP);
	assert_string_equal(e.host, "relay-a");
	assert_int_equal(e.port, 9001);
	assert_int_equal(endpoint_next(&list, &e), 1);
	assert_int_equal(e.kind, ENDPOINT_HTTP);
	assert_string_equal(e.url, "http://b:8003/rtp");
	assert_int_equal(endpoint_next(&list, &e), 1);
	assert_int_equal(e.kind, ENDPOINT_HTTP);
	assert_int_equal(endpoint_next(&list, &e), 1);
	assert_string_equal(e.host, "ff15::1");
	assert_int_equal(e.port, 65535);
	assert_int_equal(endpoint_next(&list, &e), 0);
	assert_int_equal(endpoint_next(&list, &e), 0);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "udp://", "udp://a", "udp://a:", "udp://a:0", "udp://a:65536", "udp://a:1/x",
		"udp://::1:9001", "udp://[::1]", "udp://[::1:9001", "udp://[]:1", "http://", "http:///x", "http://a?b",
		"a:1", "rtp://a:1", "udp://a:1x", "udp://a:+1" };
	struct endpoint e;
	char longest[600];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *list = bad[i];
		assert_int_equal(endpoint_next(&list, &e), -1);
		assert_string_equal(e.url, bad[i]);
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "http://", 7);
	longest[sizeof(longest) - 1] = '\0';
	const char *list = longest;
	assert_int_equal(endpoint_next(&list, &e), -1);
	assert_int_equal(strlen(e.url), ENDPOINT_URL_MAX);
	list = NULL;
	assert_int_equal(endpoint_next(&list, &e), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
