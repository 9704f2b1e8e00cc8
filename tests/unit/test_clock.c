/* Conversions of time, the slewed wall time, and instants as text. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"

#define S NS_PER_S

static void
samples_are_rounded_to_nearest(void **state)
{
	(void)state;
	assert_int_equal(samples_to_ns(0, 48000), 0);
	assert_int_equal(samples_to_ns(1, 48000), 20833);       /* 20833.33 */
	assert_int_equal(samples_to_ns(2, 48000), 41667);       /* 41666.67 */
	assert_int_equal(samples_to_ns(1, 44100), 22676);       /* 22675.74 */
	assert_int_equal(samples_to_ns(1024, 44100), 23219955); /* 23219954.65 */
	assert_int_equal(samples_to_ns(1, 2000000000), 1);      /* 0.5 */
	assert_int_equal(samples_to_ns(1, 2000000001), 0);      /* below 0.5 */
}

static void
samples_stay_exact_over_centuries(void **state)
{
	uint64_t seconds = INT64_MAX / S - 1;

	(void)state;
	assert_int_equal(samples_to_ns(seconds * 44100, 44100), (int64_t)seconds * S);
	assert_int_equal(samples_to_ns(seconds * 44100 + 441, 44100), (int64_t)seconds * S + 10 * NS_PER_MS);
	seconds = 4000000000; /* at the highest rate, nearly all that uint64_t can count */
	assert_int_equal(samples_to_ns(seconds * UINT32_MAX + UINT32_MAX - 1, UINT32_MAX), (int64_t)(seconds + 1) * S);
	for (uint64_t n = UINT64_C(1) << 40; n < (UINT64_C(1) << 40) + 100000; n += 977) {
		__int128 exact = ((__int128)n * S * 2 + 44100) / (2 * 44100);
		assert_int_equal(samples_to_ns(n, 44100), (int64_t)exact);
	}
}

static struct timebase
started(int64_t now, int64_t system)
{
	struct timebase tb;

	timebase_init(&tb, (struct mono){ now }, (struct wall){ system }, (struct wall){ 0 });
	return tb;
}

static int64_t
wall_at(const struct timebase *tb, int64_t now)
{
	return timebase_wall(tb, (struct mono){ now }).ns;
}

static int
update(struct timebase *tb, int64_t now, int64_t system)
{
	return (int)timebase_update(tb, (struct mono){ now }, (struct wall){ system });
}

static void
wall_time_follows_monotonic_time(void **state)
{
	struct timebase tb = started(5 * S, 1000 * S);

	(void)state;
	assert_int_equal(wall_at(&tb, 5 * S), 1000 * S);
	assert_int_equal(wall_at(&tb, 65 * S), 1060 * S);
	assert_int_equal(update(&tb, 65 * S, 1060 * S), TIMEBASE_STEADY);
	assert_int_equal(tb.error_ns, 0);
	assert_int_equal(tb.behind, 0);
}

static void
starts_after_the_newest_segment(void **state)
{
	struct timebase tb;

	(void)state;
	timebase_init(&tb, (struct mono){ 7 }, (struct wall){ 1000 * S }, (struct wall){ 1600 * S });
	assert_int_equal(wall_at(&tb, 7), 1600 * S);
	assert_int_equal(tb.behind, 1);
	assert_int_equal(tb.error_ns, -600 * S);
	assert_int_equal(update(&tb, 7 + S, 1001 * S), TIMEBASE_STEADY); /* known since the start: no step */
	assert_true(wall_at(&tb, 7 + S) < 1601 * S);

	timebase_init(&tb, (struct mono){ 7 }, (struct wall){ 1000 * S }, (struct wall){ 1000 * S + S / 2 });
	assert_int_equal(tb.behind, 0);
	assert_int_equal(wall_at(&tb, 7), 1000 * S + S / 2);
}

static void
a_forward_step_is_followed_at_once(void **state)
{
	struct timebase tb = started(0, 1000 * S);

	(void)state;
	assert_int_equal(update(&tb, 10 * S, 1010 * S + S), TIMEBASE_STEADY); /* exactly 1 s: slewed */
	tb = started(0, 1000 * S);
	assert_int_equal(update(&tb, 10 * S, 1011 * S + 1), TIMEBASE_STEPPED_FORWARD);
	assert_int_equal(wall_at(&tb, 10 * S), 1011 * S + 1);
	assert_int_equal(update(&tb, 11 * S, 1012 * S + 1), TIMEBASE_STEADY);
	assert_int_equal(tb.steps_forward, 1);
	assert_int_equal(tb.steps_backward, 0);
}

static void
a_backward_step_is_told_once_and_slewed(void **state)
{
	struct timebase tb = started(0, 1000 * S);

	(void)state;
	assert_int_equal(update(&tb, 10 * S, 910 * S), TIMEBASE_STEPPED_BACKWARD);
	assert_int_equal(wall_at(&tb, 10 * S), 1010 * S);
	assert_int_equal(tb.error_ns, -100 * S);
	assert_int_equal(tb.behind, 1);
	assert_int_equal(wall_at(&tb, 20 * S), 1020 * S - 10 * S / 10000);
	assert_int_equal(update(&tb, 20 * S, 920 * S), TIMEBASE_STEADY);
	assert_int_equal(wall_at(&tb, 20 * S), 1020 * S - 10 * S / 10000);
	assert_int_equal(tb.steps_backward, 1);
	/* one more, while the first is being made good */
	assert_int_equal(update(&tb, 21 * S, 821 * S), TIMEBASE_STEPPED_BACKWARD);
	assert_int_equal(update(&tb, 22 * S, 822 * S), TIMEBASE_STEADY);
	assert_int_equal(tb.steps_backward, 2);
	/* the clock is set right again: neither step nor news */
	assert_int_equal(update(&tb, 23 * S, 1023 * S), TIMEBASE_STEADY);
	assert_int_equal(tb.behind, 0);
	assert_int_equal(tb.steps_forward, 0);
	/* back, and then far ahead: followed, and no longer behind */
	assert_int_equal(update(&tb, 24 * S, 924 * S), TIMEBASE_STEPPED_BACKWARD);
	assert_int_equal(update(&tb, 25 * S, 2025 * S), TIMEBASE_STEPPED_FORWARD);
	assert_int_equal(tb.behind, 0);
}

static void
a_small_error_is_slewed_away_and_no_further(void **state)
{
	struct timebase tb = started(0, 1000 * S);
	int64_t error = 20 * NS_PER_MS;

	(void)state;
	assert_int_equal(update(&tb, S, 1001 * S + error), TIMEBASE_STEADY);
	assert_int_equal(tb.error_ns, error);
	assert_int_equal(wall_at(&tb, 101 * S), 1101 * S + 10 * NS_PER_MS); /* 100 ppm of 100 s */
	assert_int_equal(wall_at(&tb, 301 * S), 1301 * S + error);
	assert_int_equal(update(&tb, 301 * S, 1301 * S + error), TIMEBASE_STEADY);
	assert_int_equal(tb.error_ns, 0);
}

/* However often it is asked and updated, with the system clock jumping about. */
static void
wall_time_never_goes_back(void **state)
{
	struct timebase tb = started(0, 100000 * S);
	int64_t now = 0, before = 0, step = 0;
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		seed = seed * 1664525 + 1013904223;
		now += (seed >> 8) % (i % 3 ? 100 : 300 * NS_PER_MS);
		if (i % 1000 == 0)
			step = ((int64_t)(seed >> 16) - 32768) * NS_PER_MS / 4;
		int64_t then = wall_at(&tb, now);
		assert_true(then >= before);
		update(&tb, now, 100000 * S + now + step);
		before = wall_at(&tb, now);
		assert_true(before >= then);
	}
	assert_true(tb.steps_forward > 0 && tb.steps_backward > 0);
}

static void
formats_utc_with_milliseconds_rounded_down(void **state)
{
	char text[WALL_TEXT_SIZE];

	(void)state;
	assert_string_equal(wall_format((struct wall){ 0 }, text), "1970-01-01T00:00:00.000Z");
	assert_string_equal(wall_format((struct wall){ 1795251606 * S + 1999999 }, text), "2026-11-21T09:00:06.001Z");
	assert_string_equal(wall_format((struct wall){ -1 }, text), "1969-12-31T23:59:59.999Z");
	assert_string_equal(wall_format((struct wall){ -S }, text), "1969-12-31T23:59:59.000Z");
	assert_string_equal(wall_format((struct wall){ INT64_MAX }, text), "2262-04-11T23:47:16.854Z");
	assert_string_equal(wall_format((struct wall){ INT64_MIN }, text), "1677-09-21T00:12:43.145Z");
}

static void
reads_instants(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-21T09:00:06Z", 1795251606 * S },
		{ "2026-11-21T09:00:06.001Z", 1795251606 * S + NS_PER_MS },
		{ "2026-11-21T09:00:06.123456789Z", 1795251606 * S + 123456789 },
		{ "2026-11-21T09:00:06.1234567899Z", 1795251606 * S + 123456789 },
		{ "2026-11-21T10:00:06+01:00", 1795251606 * S },
		{ "2026-11-21T10:30:06+0130", 1795251606 * S },
		{ "2026-11-21T01:00:06.5-08:00", 1795251606 * S + S / 2 },
		{ "20261121T090006Z", 1795251606 * S },
		{ "20261121T090006.25Z", 1795251606 * S + S / 4 },
		{ "2024-02-29T00:00:00Z", 1709164800 * S },
		{ "1795251606", 1795251606 * S },
		{ "1795251606.5", 1795251606 * S + S / 2 },
		{ "0", 0 },
		{ "9223372035", 9223372035 * S },
		{ "20261121", 20261121 * S }, /* digits alone are seconds */
		{ "2261-12-31T23:59:59Z", 9214646399 * S },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wall w = { -1 };
		if (wall_parse(rows[i].text, &w) != 0 || w.ns != rows[i].ns)
			fail_msg("%s gives %lld", rows[i].text, (long long)w.ns);
	}
}

static void
refuses_what_is_no_instant(void **state)
{
	static const char *const rows[] = { "", "Z", "now", "2026-11-21", "2026-11-21T09:00:06", "2026-11-21T09:00Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-31T00:00:00Z",
		"2026-11-00T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T09:60:00Z", "2026-11-21T09:00:60Z",
		"2026-11-21T09:00:06ZZ", "2026-11-21T09:00:06.Z", "2026-11-21T09:00:06+1", "2026-11-21T09:00:06+24:00",
		"2026-11-21T09:00:06+01:60", "2026-11-21 09:00:06Z", "2026-1121T090006Z", "20261121T09:00:06Z",
		"20261121T09", "1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "-1", "+1", " 1", "1 ", "1x", "1.", ".5",
		"9223372036", "99999999999999999999999999", "2026-11-21T0a:00:00Z", "2026-11-21t09:00:06z" };

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wall w = { 42 };
		if (wall_parse(rows[i], &w) != -1 || w.ns != 42)
			fail_msg("\"%s\" was taken", rows[i]);
	}
}

static void
what_is_written_can_be_read(void **state)
{
	char text[WALL_TEXT_SIZE];

	(void)state;
	for (int64_t ms = 0; ms < 9000000000000; ms += 86399999 * INT64_C(173)) {
		struct wall w;
		assert_int_equal(wall_parse(wall_format((struct wall){ ms * NS_PER_MS }, text), &w), 0);
		assert_int_equal(w.ns, ms * NS_PER_MS);
	}
}

static void
the_system_is_asked(void **state)
{
	struct wall w = clock_wall_now();
	struct mono m = clock_mono_now();

	(void)state;
	assert_true(w.ns > 1600000000 * S);
	assert_true(clock_mono_now().ns >= m.ns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_rounded_to_nearest),
		cmocka_unit_test(samples_stay_exact_over_centuries),
		cmocka_unit_test(wall_time_follows_monotonic_time),
		cmocka_unit_test(starts_after_the_newest_segment),
		cmocka_unit_test(a_forward_step_is_followed_at_once),
		cmocka_unit_test(a_backward_step_is_told_once_and_slewed),
		cmocka_unit_test(a_small_error_is_slewed_away_and_no_further),
		cmocka_unit_test(wall_time_never_goes_back),
		cmocka_unit_test(formats_utc_with_milliseconds_rounded_down),
		cmocka_unit_test(reads_instants),
		cmocka_unit_test(refuses_what_is_no_instant),
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(the_system_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
