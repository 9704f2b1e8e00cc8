/* Zones: what their files say, both sides of a change, local times that come twice or never, files that are none.
 * tests/scenario/zones.py compares the whole database with another library. */
#include "rewind/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 2026 */
#define PARIS_FORWARD INT64_C(1774746000)     /* 03-29T01:00Z: 02:00 becomes 03:00 */
#define PARIS_BACK INT64_C(1792890000)        /* 10-25T01:00Z: 03:00 becomes 02:00 */
#define NEW_YORK_FORWARD INT64_C(1772953200)  /* 03-08T07:00Z */
#define NEW_YORK_BACK INT64_C(1793512800)     /* 11-01T06:00Z */
#define LORD_HOWE_BACK INT64_C(1775314800)    /* 04-04T15:00Z: 02:00 becomes 01:30 */
#define LORD_HOWE_FORWARD INT64_C(1791041400) /* 10-03T15:30Z: 02:00 becomes 02:30 */

static struct zone *
known(const char *name)
{
	struct zone *z = zone_new(name);
	assert_non_null(z);
	return z;
}

static int64_t
instant(const struct zone *z, int year, int month, int day, int hour, int minute, int second)
{
	return zone_instant(z, &(struct civil){ year, month, day, hour, minute, second });
}

static void
offsets_change_to_the_second(void **state)
{
	(void)state;
	static const struct {
		const char *zone;
		int64_t at;
		int32_t before, after;
	} cases[] = {
		{ "Europe/Paris", PARIS_FORWARD, 3600, 7200 }, { "Europe/Paris", PARIS_BACK, 7200, 3600 },
		{ "America/New_York", NEW_YORK_FORWARD, -18000, -14400 },
		{ "America/New_York", NEW_YORK_BACK, -14400, -18000 },
		{ "Australia/Lord_Howe", LORD_HOWE_BACK, 39600, 37800 },
		{ "Australia/Lord_Howe", LORD_HOWE_FORWARD, 37800, 39600 }, { "Europe/Dublin", PARIS_FORWARD, 0, 3600 },
		{ "Pacific/Apia", 1325239200, -36000, 50400 },       /* the 30th of December 2011 is left out */
		{ "Asia/Jerusalem", 1364515200, 7200, 10800 },       /* 2013 */
		{ "Europe/Paris", 4078429200, 3600, 7200 },          /* 2099, by the rule in the footer */
		{ "Australia/Lord_Howe", 4078998000, 39600, 37800 }, /* 2099 */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct zone *z = known(cases[i].zone);
		assert_int_equal(zone_offset(z, cases[i].at - 1), cases[i].before);
		assert_int_equal(zone_offset(z, cases[i].at), cases[i].after);
		zone_free(&z);
		assert_null(z);
	}
}

static void
far_away_is_like_the_borders(void **state)
{
	(void)state;
	struct zone *z = known("Europe/Paris");
	assert_int_equal(zone_offset(z, 0), 3600);
	assert_int_equal(zone_offset(z, -86400 * INT64_C(365000)), 3600);
	assert_int_equal(zone_offset(z, INT64_MIN), 3600);
	assert_int_equal(zone_offset(z, INT64_MAX), 3600);
	zone_free(&z);
}

static void
local_time_is_read_back(void **state)
{
	(void)state;
	static const char *const zones[] = { "Europe/Paris", "America/New_York", "Australia/Lord_Howe",
		"Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "UTC" };
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		struct zone *z = known(zones[i]);
		for (int64_t t = 0; t < 4102444800; t += 86400 * 3 + 1237) {
			struct civil c = zone_local(z, t);
			int64_t back = zone_instant(z, &c);
			if (back != t) /* the second of two */
				assert_in_range(t - back, 1800, 3600);
			struct civil again = zone_local(z, back);
			assert_memory_equal(&c, &again, sizeof c);
		}
		zone_free(&z);
	}
}

static void
repeated_time_is_the_first(void **state)
{
	(void)state;
	struct zone *z = known("Europe/Paris");
	assert_int_equal(instant(z, 2026, 10, 25, 1, 59, 59), PARIS_BACK - 3601);
	assert_int_equal(instant(z, 2026, 10, 25, 2, 0, 0), PARIS_BACK - 3600);
	assert_int_equal(instant(z, 2026, 10, 25, 2, 30, 0), PARIS_BACK - 1800);
	assert_int_equal(instant(z, 2026, 10, 25, 2, 59, 59), PARIS_BACK - 1);
	assert_int_equal(instant(z, 2026, 10, 25, 3, 0, 0), PARIS_BACK + 3600);
	assert_int_equal(zone_local(z, PARIS_BACK).hour, 2);
	zone_free(&z);
	z = known("Australia/Lord_Howe");
	assert_int_equal(instant(z, 2026, 4, 5, 1, 29, 59), LORD_HOWE_BACK - 1801);
	assert_int_equal(instant(z, 2026, 4, 5, 1, 30, 0), LORD_HOWE_BACK - 1800);
	assert_int_equal(instant(z, 2026, 4, 5, 1, 59, 59), LORD_HOWE_BACK - 1);
	assert_int_equal(instant(z, 2026, 4, 5, 2, 0, 0), LORD_HOWE_BACK + 1800);
	zone_free(&z);
}

static void
skipped_time_is_the_moment_of_the_change(void **state)
{
	(void)state;
	struct zone *z = known("Europe/Paris");
	assert_int_equal(instant(z, 2026, 3, 29, 1, 59, 59), PARIS_FORWARD - 1);
	assert_int_equal(instant(z, 2026, 3, 29, 2, 0, 0), PARIS_FORWARD);
	assert_int_equal(instant(z, 2026, 3, 29, 2, 30, 0), PARIS_FORWARD);
	assert_int_equal(instant(z, 2026, 3, 29, 2, 59, 59), PARIS_FORWARD);
	assert_int_equal(instant(z, 2026, 3, 29, 3, 0, 1), PARIS_FORWARD + 1);
	zone_free(&z);
	z = known("Australia/Lord_Howe");
	assert_int_equal(instant(z, 2026, 10, 4, 2, 15, 0), LORD_HOWE_FORWARD);
	assert_int_equal(instant(z, 2026, 10, 4, 2, 30, 0), LORD_HOWE_FORWARD);
	zone_free(&z);
	z = known("Pacific/Apia");
	assert_int_equal(instant(z, 2011, 12, 30, 12, 0, 0), 1325239200);
	zone_free(&z);
}

static void
fields_carry_over(void **state)
{
	(void)state;
	struct zone *z = known("Europe/Paris");
	assert_int_equal(instant(z, 2026, 1, 0, 9, 0, 0), instant(z, 2025, 12, 31, 9, 0, 0));
	assert_int_equal(instant(z, 2026, 12, 32, 9, 0, 0), instant(z, 2027, 1, 1, 9, 0, 0));
	assert_int_equal(instant(z, 2028, 3, 0, 0, 0, 0), instant(z, 2028, 2, 29, 0, 0, 0));
	zone_free(&z);
}

static void
unknown_names_are_refused(void **state)
{
	(void)state;
	static const char *const names[] = { "", "Europe", "Europe/Nowhere", "europe/paris", "../zoneinfo/Europe/Paris",
		"/usr/share/zoneinfo/Europe/Paris", "zone.tab", "tzdata.zi", "right/Europe/Paris", "/dev/zero" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_null(zone_new(names[i]));
	setenv("TZDIR", "/nowhere", 1);
	assert_null(zone_new("Europe/Paris"));
	struct zone *z = known("UTC");
	assert_int_equal(zone_offset(z, PARIS_BACK), 0);
	zone_free(&z);
	unsetenv("TZDIR");
}

static size_t
big_endian(uint8_t *out, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
	return bytes;
}

#define HEADER 44
/* A file with one type (`east`), perhaps one transition (to itself), and a footer. */
static size_t
make_file(uint8_t out[static 256], int32_t east, const int64_t *transition, const char *footer)
{
	size_t n = 0, times = transition ? 1 : 0;
	for (int part = 0; part < 2; part++) {
		memset(out + n, 0, HEADER);
		memcpy(out + n, "TZif2", 5);
		big_endian(out + n + 32, part ? times : 0, 4);
		big_endian(out + n + 36, 1, 4);
		big_endian(out + n + 40, 4, 4);
		n += HEADER;
		if (part && transition) {
			n += big_endian(out + n, (uint64_t)*transition, 8);
			out[n++] = 0;
		}
		n += big_endian(out + n, (uint32_t)east, 4);
		memcpy(out + n, "\0\0XYZ", 6);
		n += 6;
	}
	return n + (size_t)snprintf((char *)out + n, 256 - n, "\n%s\n", footer);
}

static void
rules_in_the_footer(void **state)
{
	(void)state;
	static const struct {
		const char *footer;
		int64_t at;
		int32_t before, after;
	} cases[] = {
		/* 2026: 03-29T01:00Z and so on, without a transition in the file */
		{ "CET-1CEST,M3.5.0,M10.5.0/3", PARIS_FORWARD, 3600, 7200 },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", PARIS_BACK, 7200, 3600 },
		{ "CET-1CEST-2:00:00,M3.5.0/2:00,M10.5.0/+3:00:00", PARIS_BACK, 7200, 3600 },
		{ "IST-1GMT0,M10.5.0,M3.5.0/1", PARIS_FORWARD, 0, 3600 },
		{ "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", LORD_HOWE_BACK, 39600, 37800 },
		{ "EET-2EEST,M3.4.4/50,M10.4.4/50", 1774656000, 7200, 10800 },      /* Gaza: 03-28T02:00, a Saturday */
		{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", PARIS_FORWARD, -7200, -3600 }, /* Nuuk: 03-28T23:00 */
		{ "AAA0BBB,J60/0,J300/0", 1772323200, 0, 3600 },                    /* 2026-03-01 */
		{ "AAA0BBB,J60/0,J300/0", 1835481600, 0, 3600 },                    /* 2028-03-01, a leap year */
		{ "AAA0BBB,59/0,J300/0", 1772323200, 0, 3600 },                     /* 2026-03-01 */
		{ "AAA0BBB,59/0,J300/0", 1835395200, 0, 3600 },                     /* 2028-02-29 */
	};
	uint8_t bytes[256];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct zone *z = zone_read(bytes, make_file(bytes, 0, NULL, cases[i].footer));
		assert_non_null(z);
		assert_int_equal(zone_offset(z, cases[i].at - 1), cases[i].before);
		assert_int_equal(zone_offset(z, cases[i].at), cases[i].after);
		zone_free(&z);
	}
}

static void
summer_all_year(void **state)
{
	(void)state;
	uint8_t bytes[256];
	struct zone *z = zone_read(bytes, make_file(bytes, -10800, NULL, "XXX3EDT4,0/0,J365/23"));
	assert_non_null(z);
	for (int64_t t = 3600 * 24; t < 4102444800; t += 3600 * 7)
		assert_int_equal(zone_offset(z, t), -14400);
	zone_free(&z);
}

static void
rules_begin_after_the_last_transition(void **state)
{
	(void)state;
	uint8_t bytes[256];
	int64_t last = PARIS_FORWARD;
	struct zone *z = zone_read(bytes, make_file(bytes, 5400, &last, "CET-1CEST,M3.5.0,M10.5.0/3"));
	assert_non_null(z);
	assert_int_equal(zone_offset(z, PARIS_FORWARD), 5400);
	assert_int_equal(zone_offset(z, PARIS_BACK - 1), 5400);
	assert_int_equal(zone_offset(z, PARIS_BACK), 3600);
	zone_free(&z);
	last = INT64_MAX;
	z = zone_read(bytes, make_file(bytes, 5400, &last, "CET-1CEST,M3.5.0,M10.5.0/3"));
	assert_non_null(z);
	assert_int_equal(zone_offset(z, PARIS_BACK), 5400);
	zone_free(&z);
	z = zone_read(bytes, make_file(bytes, 5400, NULL, ""));
	assert_non_null(z);
	assert_int_equal(zone_offset(z, PARIS_BACK), 5400);
	zone_free(&z);
}

static void
broken_files_are_refused(void **state)
{
	(void)state;
	static const char *const footers[] = { "CE-1", "CET", "CET-25", "CET-1CEST", "CET-1CEST,M3.5.0",
		"CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/168", "CET-1CEST,M3.5.0,M10.5.0/3:60",
		"CET-1CEST,J0,J366", "CET-1CEST,J1,J366", "CET-1CEST,0,366", "CET-1CEST,M3.5.0,M10.5.0 ", "<CET-1",
		"CET-1CEST,M3.5.0,M99999999999.5.0" };
	uint8_t bytes[256];
	for (size_t i = 0; i < sizeof footers / sizeof footers[0]; i++)
		assert_null(zone_read(bytes, make_file(bytes, 0, NULL, footers[i])));
	size_t n = make_file(bytes, 0, NULL, "CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t cut = 0; cut < n; cut++)
		assert_null(zone_read(bytes, cut));
	bytes[0] = 't';
	assert_null(zone_read(bytes, n));
	int64_t first = INT64_MIN;
	assert_null(zone_read(bytes, make_file(bytes, 0, &first, "UTC0")));
	assert_null(zone_read(bytes, make_file(bytes, 93600, NULL, "UTC0")));
	assert_null(zone_read(bytes, make_file(bytes, -90000, NULL, "UTC0")));
	n = make_file(bytes, 0, NULL, "UTC0");
	bytes[HEADER + 10 + 4] = '\0'; /* version 1: no 64-bit part */
	assert_null(zone_read(bytes, n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_change_to_the_second),
		cmocka_unit_test(far_away_is_like_the_borders),
		cmocka_unit_test(local_time_is_read_back),
		cmocka_unit_test(repeated_time_is_the_first),
		cmocka_unit_test(skipped_time_is_the_moment_of_the_change),
		cmocka_unit_test(fields_carry_over),
		cmocka_unit_test(unknown_names_are_refused),
		cmocka_unit_test(rules_in_the_footer),
		cmocka_unit_test(summer_all_year),
		cmocka_unit_test(rules_begin_after_the_last_transition),
		cmocka_unit_test(broken_files_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
