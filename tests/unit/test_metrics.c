/* The text that Prometheus reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/metrics.h"
#include "base/text.h"

struct input {
	uint64_t frames, busy_ns;
	int64_t offset_ms;
	char labels[64];
};

static const struct metric input_table[] = {
	{ "frames_total", "Frames taken in", METRIC_COUNTER, offsetof(struct input, frames), 0 },
	{ "offset_seconds", "Back\\slash and\nline", METRIC_GAUGE, offsetof(struct input, offset_ms), 1000 },
	{ "busy_seconds_total", "Time", METRIC_COUNTER, offsetof(struct input, busy_ns), 1000000000 },
};

struct store {
	uint64_t frames;
};

static const struct metric store_table[] = {
	{ "frames_total", "not shown: the first table's help counts", METRIC_COUNTER, offsetof(struct store, frames),
	    0 },
};

static struct input inputs[2] = {
	{ 18446744073709551615U, 1, -1, "input=\"main\"" },
	{ 0, 1500000000, 12340, "input=\"backup\"" },
};
static const struct store store = { 3 };

static const void *
next_input(void *ctx, unsigned i, const char **labels)
{
	struct input *all = ctx;

	if (i >= 2)
		return NULL;
	*labels = all[i].labels;
	return &all[i];
}

static const void *
next_store(void *ctx, unsigned i, const char **labels)
{
	*labels = "";
	return i == 0 ? ctx : NULL;
}

static void
each_metric_stands_together_with_one_head(void **state)
{
	const struct metric_source sources[] = {
		{ input_table, 3, next_input, inputs },
		{ store_table, 1, next_store, (void *)&store },
	};
	struct text t;

	(void)state;
	text_init(&t, 4096);
	metrics_write(&t, sources, 2);
	assert_string_equal(t.data, "# HELP frames_total Frames taken in\n"
				    "# TYPE frames_total counter\n"
				    "frames_total{input=\"main\"} 18446744073709551615\n"
				    "frames_total{input=\"backup\"} 0\n"
				    "frames_total 3\n"
				    "# HELP offset_seconds Back\\\\slash and\\nline\n"
				    "# TYPE offset_seconds gauge\n"
				    "offset_seconds{input=\"main\"} -0.001\n"
				    "offset_seconds{input=\"backup\"} 12.34\n"
				    "# HELP busy_seconds_total Time\n"
				    "# TYPE busy_seconds_total counter\n"
				    "busy_seconds_total{input=\"main\"} 0.000000001\n"
				    "busy_seconds_total{input=\"backup\"} 1.5\n");
	text_fini(&t);
}

static void
values_at_the_ends(void **state)
{
	static const struct {
		int64_t value;
		uint32_t divisor;
		const char *want;
	} rows[] = {
		{ INT64_MIN, 0, "-9223372036854775808" }, { INT64_MAX, 1, "9223372036854775807" },
		{ INT64_MIN, 1000, "-9223372036854775.808" }, { -1500, 1000, "-1.5" }, { -3000, 1000, "-3" },
		{ 0, 1000, "0" }, { 1, 3, "0.333333333" }, /* no power of ten: cut off, not endless */
	};
	struct text t;

	(void)state;
	text_init(&t, 4096);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char want[128];
		struct text w;
		const struct metric m = { "x", "X", METRIC_GAUGE, 0, rows[i].divisor };
		const struct metric_source source = { &m, 1, next_store, (void *)&rows[i].value };
		text_clear(&t);
		metrics_write(&t, &source, 1);
		text_init_fixed(&w, want, sizeof want);
		text_fmt(&w, "# HELP x X\n# TYPE x gauge\nx %s\n", rows[i].want);
		assert_string_equal(t.data, want);
	}
	text_fini(&t);
}

static void
labels_are_escaped_and_joined(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 4096);
	metrics_label(&t, "station", "fip");
	metrics_label(&t, "title", "a\"b\\c\nd");
	assert_string_equal(t.data, "station=\"fip\",title=\"a\\\"b\\\\c\\nd\"");
	text_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_metric_stands_together_with_one_head),
		cmocka_unit_test(values_at_the_ends),
		cmocka_unit_test(labels_are_escaped_and_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
