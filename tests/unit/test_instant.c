/* Words for time: every form, what is refused, and the nights on which clocks change. */
#include "rewind/instant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PARIS "Europe/Paris"
#define NEW_YORK "America/New_York"
#define LORD_HOWE "Australia/Lord_Howe"

static int64_t
ns(const char *text)
{
	struct wall w;
	assert_int_equal(wall_parse(text, &w), 0);
	return w.ns;
}

static int64_t
resolve(const char *text, const char *now, const char *zone)
{
	struct zone *z = zone_new(zone);
	struct instant i;
	assert_non_null(z);
	if (instant_parse(text, &i))
		fail_msg("refused: %s", text);
	struct wall w = instant_resolve(&i, (struct wall){ ns(now) }, z);
	zone_free(&z);
	return w.ns;
}

static void
fixed_forms(void **state)
{
	(void)state;
	static const struct {
		const char *text, *same;
	} cases[] = {
		{ "2026-11-21T09:00:00Z", "20261121T090000Z" },
		{ "2026-11-21T09:00:00+01:00", "20261121T080000Z" },
		{ "2026-11-21T09:00:00 01:00", "20261121T080000Z" },
		{ "2026-11-21T09:00:00-05:00", "20261121T140000Z" },
		{ "2026-11-21T09:00:00+0100", "20261121T080000Z" },
		{ "2026-11-21T09:00:00 0100", "20261121T080000Z" },
		{ "2026-11-21T09:00+01:00", "20261121T080000Z" },
		{ "2026-11-21T09:00 01:00", "20261121T080000Z" },
		{ "2026-11-21T09:00Z", "20261121T090000Z" },
		{ "2026-11-21 09:00Z", "20261121T090000Z" },
		{ "2026-11-21 09:00:00 01:00", "20261121T080000Z" },
		{ "2026-11-21 09:00 01:00", "20261121T080000Z" },
		{ "2026-11-21T09:00:00.25Z", "20261121T090000.25Z" },
		{ "2026-11-21T09:00:00.123456789+01:00", "20261121T080000.123456789Z" },
		{ "20261121T080000Z", "20261121T080000Z" },
		{ "20261121T090000+0100", "20261121T080000Z" },
		{ "20261121T090000 0100", "20261121T080000Z" },
		{ "1795248000", "20261121T080000Z" },
		{ "1795248000.5", "20261121T080000.5Z" },
		{ "100000000", "19730303T094640Z" },
		{ "1970-01-01T00:00:00Z", "0" },
		{ "2099-12-31T23:59:59Z", "4102444799" },
		{ "2028-02-29T00:00:00Z", "20280229T000000Z" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct instant at;
		if (instant_parse(cases[i].text, &at))
			fail_msg("refused: %s", cases[i].text);
		assert_int_equal(at.kind, INSTANT_FIXED);
		assert_true(instant_is_fixed(&at));
		assert_int_equal(at.at.ns, ns(cases[i].same));
	}
}

struct resolved {
	const char *text, *now, *zone, *want;
};

static void
all_resolve(const struct resolved *cases, size_t count, enum instant_kind kind)
{
	for (size_t i = 0; i < count; i++) {
		const struct resolved *c = &cases[i];
		struct instant at;
		assert_int_equal(instant_parse(c->text, &at), 0);
		assert_int_equal(at.kind, kind);
		assert_int_equal(instant_is_fixed(&at), kind == INSTANT_DATED || kind == INSTANT_FIXED);
		int64_t got = resolve(c->text, c->now, c->zone);
		if (got != ns(c->want)) {
			char text[WALL_TEXT_SIZE];
			fail_msg("%s at %s in %s: %s, want %s", c->text, c->now, c->zone,
			    wall_format((struct wall){ got }, text), c->want);
		}
	}
}

static void
dated_local_times(void **state)
{
	(void)state;
	static const struct resolved cases[] = {
		{ "2026-11-21T09:00", "0", PARIS, "20261121T080000Z" },
		{ "2026-11-21T09:00:30", "0", PARIS, "20261121T080030Z" },
		{ "2026-11-21 09:00", "0", PARIS, "20261121T080000Z" },
		{ "2026-11-21 09:00:30", "0", PARIS, "20261121T080030Z" },
		{ "2026-11-21", "0", PARIS, "20261120T230000Z" },
		{ "2026-07-01T09:00", "0", PARIS, "20260701T070000Z" },
		{ "2026-07-01T09:00", "0", NEW_YORK, "20260701T130000Z" },
		{ "2026-07-01T09:00", "0", "UTC", "20260701T090000Z" },
		/* skipped: the moment after; repeated: the first */
		{ "2026-03-29T01:59:59", "0", PARIS, "20260329T005959Z" },
		{ "2026-03-29T02:30", "0", PARIS, "20260329T010000Z" },
		{ "2026-03-29T03:00", "0", PARIS, "20260329T010000Z" },
		{ "2026-10-25T02:30", "0", PARIS, "20261025T003000Z" },
		{ "2026-10-25T03:00", "0", PARIS, "20261025T020000Z" },
		{ "2026-03-08T02:30", "0", NEW_YORK, "20260308T070000Z" },
		{ "2026-11-01T01:30", "0", NEW_YORK, "20261101T053000Z" },
		{ "2026-10-04T02:15", "0", LORD_HOWE, "20261003T153000Z" },
		{ "2026-04-05T01:45", "0", LORD_HOWE, "20260404T144500Z" },
		{ "1970-01-01", "0", PARIS, "0" }, /* would be an hour too early */
	};
	all_resolve(cases, sizeof cases / sizeof cases[0], INSTANT_DATED);
}

static void
clock_times_are_the_latest_past(void **state)
{
	(void)state;
	static const struct resolved cases[] = {
		{ "09:00", "2026-11-21T12:00:00Z", PARIS, "20261121T080000Z" },
		{ "9:00", "2026-11-21T12:00:00Z", PARIS, "20261121T080000Z" },
		{ "9am", "2026-11-21T12:00:00Z", PARIS, "20261121T080000Z" },
		{ "9AM", "2026-11-21T12:00:00Z", PARIS, "20261121T080000Z" },
		{ "09am", "2026-11-21T12:00:00Z", PARIS, "20261121T080000Z" },
		{ "09:00:30", "2026-11-21T12:00:00Z", PARIS, "20261121T080030Z" },
		{ "9:30pm", "2026-11-21T12:00:00Z", PARIS, "20261120T203000Z" },
		{ "12am", "2026-11-21T12:00:00Z", PARIS, "20261120T230000Z" },
		{ "12pm", "2026-11-21T12:00:00Z", PARIS, "20261121T110000Z" },
		{ "12:30Pm", "2026-11-21T12:00:00Z", PARIS, "20261121T113000Z" },
		{ "12:01am", "2026-11-21T12:00:00Z", PARIS, "20261120T230100Z" },
		{ "00:00", "2026-11-21T12:00:00Z", PARIS, "20261120T230000Z" },
		{ "23:59:59", "2026-11-21T12:00:00Z", PARIS, "20261120T225959Z" },
		{ "11pm", "2026-11-21T12:00:00Z", PARIS, "20261120T220000Z" },
		/* exactly now, and a moment before */
		{ "09:00", "2026-11-21T08:00:00Z", PARIS, "20261121T080000Z" },
		{ "09:00", "2026-11-21T07:59:59.999Z", PARIS, "20261120T080000Z" },
		/* over the first of a month, the year, the leap day */
		{ "23:00", "2026-12-31T23:30:00Z", PARIS, "20261231T220000Z" },
		{ "23:00", "2027-01-01T00:30:00Z", PARIS, "20261231T220000Z" },
		{ "01:40", "2027-01-01T00:30:00Z", PARIS, "20261231T004000Z" },
		{ "09:00", "2028-03-01T05:00:00Z", PARIS, "20280229T080000Z" },
		{ "09:00", "2026-03-01T05:00:00Z", PARIS, "20260228T080000Z" },
		/* yesterday is 23 or 25 hours away */
		{ "9am", "2026-03-29T06:30:00Z", PARIS, "20260328T080000Z" },
		{ "9am", "2026-03-29T07:00:00Z", PARIS, "20260329T070000Z" },
		{ "9am", "2026-03-30T06:30:00Z", PARIS, "20260329T070000Z" },
		{ "9am", "2026-10-25T07:30:00Z", PARIS, "20261024T070000Z" },
		{ "9am", "2026-10-26T07:30:00Z", PARIS, "20261025T080000Z" },
		/* skipped: the moment after, once it has come */
		{ "02:30", "2026-03-29T00:59:59Z", PARIS, "20260328T013000Z" },
		{ "02:30", "2026-03-29T01:00:00Z", PARIS, "20260329T010000Z" },
		{ "02:30", "2026-03-29T20:00:00Z", PARIS, "20260329T010000Z" },
		/* repeated: the first, also during the second */
		{ "02:30", "2026-10-25T00:29:59Z", PARIS, "20261024T003000Z" },
		{ "02:30", "2026-10-25T00:30:00Z", PARIS, "20261025T003000Z" },
		{ "02:30", "2026-10-25T01:10:00Z", PARIS, "20261025T003000Z" },
		{ "02:30", "2026-10-25T01:40:00Z", PARIS, "20261025T003000Z" },
		{ "02:30", "2026-10-26T01:20:00Z", PARIS, "20261025T003000Z" },
		{ "01:30", "2026-11-01T06:15:00Z", NEW_YORK, "20261101T053000Z" },
		{ "02:30", "2026-03-08T07:10:00Z", NEW_YORK, "20260308T070000Z" },
		{ "1:45am", "2026-04-04T15:10:00Z", LORD_HOWE, "20260404T144500Z" },
		{ "02:15", "2026-10-03T15:40:00Z", LORD_HOWE, "20261003T153000Z" },
		{ "02:15", "2026-10-03T15:29:00Z", LORD_HOWE, "20261002T154500Z" },
		{ "9am", "1970-01-01T00:00:00Z", NEW_YORK, "0" }, /* would be before 1970 */
	};
	all_resolve(cases, sizeof cases / sizeof cases[0], INSTANT_CLOCK);
}

static void
relative_times(void **state)
{
	(void)state;
	static const struct resolved cases[] = {
		{ "now", "2026-11-21T12:00:00.123Z", PARIS, "20261121T120000.123Z" },
		{ "-30m", "2026-11-21T12:00:00Z", PARIS, "20261121T113000Z" },
		{ "-1h30m", "2026-11-21T12:00:00Z", PARIS, "20261121T103000Z" },
		{ "-3600", "2026-11-21T12:00:00Z", PARIS, "20261121T110000Z" },
		{ "-24h", "2026-10-25T12:00:00Z", PARIS, "20261024T120000Z" },
		{ "-0", "2026-11-21T12:00:00Z", PARIS, "20261121T120000Z" },
		{ "-36525d", "2026-11-21T12:00:00Z", PARIS, "0" },
	};
	all_resolve(cases, sizeof cases / sizeof cases[0], INSTANT_RELATIVE);
}

static void
everything_else_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = { "", " ", " 9am", "9am ", "9 am", "9a", "9amm", "0am", "13pm", "00:30am",
		"9:5am", "9:60am", "9:30:15pm", "9", "0900", "1795248", "9 am", "24:00", "23:60", "23:59:60",
		"09:00:", "09:00:5", "09:", "09:00.5", "09:00Z", "T09:00", "09:00+01:00", "2026-02-30", "2026-02-29",
		"2026-02-30T09:00", "2026-02-30T09:00Z", "2026-13-01", "2026-00-01", "2026-01-00", "2026-1-1",
		"2026-11-21T", "2026-11-21T9:00", "2026-11-21T24:00", "2026-11-21T09", "2026-11-21T09:00:00.5",
		"2026-11-21T09:00.5Z", "2026-11-21T09:00:00.Z", "2026-11-21T09:00:60Z", "2026-11-21T09:00:00z",
		"2026-11-21t09:00", "2026-11-21  09:00", "2026-11-21T09:00:00 +01:00", "2026-11-21T09:00:00  01:00",
		"2026-11-21T09:00:00 Z", "2026-11-21T09:00:00+01", "2026-11-21T09:00:00+1:00",
		"2026-11-21T09:00:00+24:00", "2026-11-21T09:00:00+01:60", "2026-11-21T09:00:00Z ",
		"2026-11-21T09:00:00ZZ", "2026-11-21Z", "2026-11-21+01:00", "2026-11-2109:00", "20261121T080000",
		"20261121T0800Z", "20261121 080000Z", "2026-11-21T090000Z", "20261121T08:00:00Z", "202611-21T080000Z",
		"1969-12-31", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00", "2100-01-01", "2100-01-01T00:00:00Z",
		"2099-12-31T23:30:00-01:00", "4102444800", "99999999999999999999", "+1795248000", "0x10", "1e9", "-",
		"--30m", "- 30m", "-30x", "-m", "-1h-30m", "-30m1h", "-36526d", "-99999999999999999999", "-1.5h",
		"now ", "Now", "now-30m", "n", "today", "noon", "midnight", "\xc3\xa9",
		"2026-11-21T09:00:00.00000000000000000000000000000000000001Z", "0009:00", "+9am", "-9am", "9:am",
		"9:300am", "1795248000Z", "1795248000 0100" };
	const struct instant before = { .kind = INSTANT_RELATIVE, .ago_ns = 7 };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct instant at = before;
		if (instant_parse(cases[i], &at) == 0)
			fail_msg("taken: \"%s\"", cases[i]);
		assert_memory_equal(&at, &before, sizeof at);
	}
}

static void
any_clock_is_survived(void **state)
{
	(void)state;
	static const char *const words[] = { "now", "9am", "-36525d", "23:59:59", "2099-12-31T23:59:59", "1970-01-01" };
	static const int64_t nows[] = { INT64_MIN, -1, 0, 1, INT64_C(4102444800) * NS_PER_S, INT64_MAX };
	static const char *const zones[] = { "UTC", NEW_YORK, "Pacific/Kiritimati", "Pacific/Niue" };
	for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++) {
		struct zone *zone = zone_new(zones[z]);
		assert_non_null(zone);
		for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
			for (size_t n = 0; n < sizeof nows / sizeof nows[0]; n++) {
				struct instant i;
				assert_int_equal(instant_parse(words[w], &i), 0);
				int64_t at = instant_resolve(&i, (struct wall){ nows[n] }, zone).ns;
				assert_true(at >= 0 && at < INT64_C(4102444800) * NS_PER_S);
			}
		zone_free(&zone);
	}
}

/* Every ten minutes of a year that has both nights: never later than now, never over 25 hours ago. */
static void
clock_times_are_never_far(void **state)
{
	(void)state;
	static const char *const words[] = { "00:00", "01:45", "02:15", "02:30", "9am", "23:59" };
	static const char *const zones[] = { PARIS, NEW_YORK, LORD_HOWE };
	for (size_t z = 0; z < 3; z++) {
		struct zone *zone = zone_new(zones[z]);
		assert_non_null(zone);
		for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
			struct instant i;
			assert_int_equal(instant_parse(words[w], &i), 0);
			for (int64_t now = ns("20260101T000000Z"); now < ns("20270101T000000Z");
			     now += 600 * NS_PER_S) {
				int64_t ago = now - instant_resolve(&i, (struct wall){ now }, zone).ns;
				assert_in_range(ago, 0, 25 * 3600 * NS_PER_S - 1);
			}
		}
		zone_free(&zone);
	}
}

static void
durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} cases[] = { { "90m", 5400 }, { "1h30m", 5400 }, { "5400", 5400 }, { "90s", 90 }, { "1d", 86400 },
		{ "1d2h3m4s", 93784 }, { "1d4s", 86404 }, { "030m", 1800 }, { "0h5m", 300 }, { "36525d", 3155760000 },
		{ "3155760000", 3155760000 }, { "0", -1 }, { "0s", -1 }, { "0h0m", -1 }, { "", -1 }, { "m", -1 },
		{ "-5m", -1 }, { "+5m", -1 }, { " 5m", -1 }, { "5m ", -1 }, { "5 m", -1 }, { "1h30", -1 },
		{ "30m1h", -1 }, { "1m1m", -1 }, { "1.5h", -1 }, { "5M", -1 }, { "5min", -1 }, { "5ms", -1 },
		{ "1w", -1 }, { "PT5M", -1 }, { "36526d", -1 }, { "36525d1s", -1 }, { "3155760001", -1 },
		{ "9223372036854775807", -1 }, { "18446744073709551616", -1 },
		{ "99999999999999999999999999999999d", -1 }, { "5mx", -1 } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t got = -7;
		int rc = duration_parse(cases[i].text, false, &got);
		if (rc != (cases[i].seconds < 0 ? -1 : 0))
			fail_msg("%s: %d", cases[i].text, rc);
		assert_int_equal(got, cases[i].seconds < 0 ? -7 : cases[i].seconds * NS_PER_S);
	}
	int64_t got = -7;
	assert_int_equal(duration_parse("0", true, &got), 0);
	assert_int_equal(got, 0);
	assert_int_equal(duration_parse("0h0m", true, &got), 0);
	assert_int_equal(duration_parse("", true, &got), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_forms),
		cmocka_unit_test(dated_local_times),
		cmocka_unit_test(clock_times_are_the_latest_past),
		cmocka_unit_test(relative_times),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(any_clock_is_survived),
		cmocka_unit_test(clock_times_are_never_far),
		cmocka_unit_test(durations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
