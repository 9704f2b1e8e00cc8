/* Problem documents (RFC 9457). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "origin/problem.h"

static void
writes_all_members(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 1000);
	problem_write(&t, &(struct problem){ .status = 400, .detail = "no \"such\" thing\n", .parameter = "fr\xFFom" });
	assert_string_equal(t.data, "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
				    "\"detail\":\"no \\\"such\\\" thing\\n\",\"parameter\":\"fr\xEF\xBF\xBDom\"}\n");
	text_fini(&t);
}

static void
leaves_out_what_is_not_known(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 1000);
	problem_write(&t, &(struct problem){ .status = 503 });
	assert_string_equal(t.data, "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503}\n");
	text_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_all_members),
		cmocka_unit_test(leaves_out_what_is_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
