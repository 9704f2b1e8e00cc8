/* The grid and the names. */
#include "rewind/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HOUR UINT64_C(498681) /* 2026-11-21T09:00:00Z */

static void
frame_belongs_to_nearest_edge(void **state)
{
	(void)state;
	const int64_t frame = 23219955; /* 1024 samples at 44.1 kHz */
	const int64_t line = 299208600 * 6 * NS_PER_S;
	/* the frame whose edge lies nearest to the line begins the segment */
	assert_int_equal(layout_msn((struct wall){ line - frame / 2 - 1 }, frame, 6), 299208599);
	assert_int_equal(layout_msn((struct wall){ line - frame / 2 }, frame, 6), 299208600);
	assert_int_equal(layout_msn((struct wall){ line }, frame, 6), 299208600);
	assert_int_equal(layout_msn((struct wall){ line + 6 * NS_PER_S - frame / 2 - 1 }, frame, 6), 299208600);
	assert_int_equal(layout_grid(299208600, 6).ns, line);
}

static void
hours_begin_and_end(void **state)
{
	(void)state;
	static const uint32_t durations[] = { 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 3600 };
	for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
		uint32_t T = durations[i];
		uint64_t first = layout_hour_first(HOUR, T);
		assert_int_equal(layout_grid(first, T).ns, (int64_t)HOUR * 3600 * NS_PER_S);
		assert_int_equal(layout_hour(first, T), HOUR);
		assert_int_equal(layout_hour(first + 3600 / T - 1, T), HOUR);
		assert_int_equal(layout_hour(first + 3600 / T, T), HOUR + 1);
	}
}

static void
names_are_as_documented(void **state)
{
	(void)state;
	char name[LAYOUT_NAME_SIZE];
	assert_string_equal(layout_hour_name(HOUR, name), "20261121T09");
	assert_string_equal(layout_segment_path(HOUR * 600 + 1, 6, LAYOUT_TS, name), "20261121T09/20261121T090006Z.ts");
	assert_string_equal(
	    layout_segment_path(HOUR * 600 + 599, 6, LAYOUT_AAC, name), "20261121T09/20261121T095954Z.aac");
	assert_string_equal(layout_segment_path(HOUR * 1800, 2, LAYOUT_MP3, name), "20261121T09/20261121T090000Z.mp3");
	assert_string_equal(layout_hour_name(0, name), "19700101T00");
}

static void
names_are_read_back(void **state)
{
	(void)state;
	char name[LAYOUT_NAME_SIZE];
	for (uint64_t hour = 0; hour < LAYOUT_HOURS_END; hour += 997) {
		uint64_t back;
		assert_int_equal(layout_parse_hour_dir(layout_hour_name(hour, name), &back), 0);
		assert_int_equal(back, hour);
		struct wall grid;
		enum layout_kind kind;
		const char *file = strchr(layout_segment_path(hour * 600 + 7, 6, LAYOUT_MP3, name), '/') + 1;
		assert_int_equal(layout_parse_segment(file, &grid, &kind), 0);
		assert_int_equal(grid.ns, (int64_t)(hour * 3600 + 42) * NS_PER_S);
		assert_int_equal(kind, LAYOUT_MP3);
	}
	uint64_t hour;
	bool part;
	assert_int_equal(layout_parse_hour_file("20261121T09.m3u8", &hour, &part), 0);
	assert_int_equal(hour, HOUR);
	assert_false(part);
	assert_int_equal(layout_parse_hour_file("20261121T09.m3u8.part", &hour, &part), 0);
	assert_true(part);
}

static void
other_names_are_not_ours(void **state)
{
	(void)state;
	static const char *const dirs[] = { "", "20261121", "20261121T9", "20261121t09", "20261121T24", "20261131T09",
		"20260229T00", "20261121T09x", "20261121T09/", "19691231T23", "2026112 T09", "+0261121T09", ".tmp-hour",
		"20261121T09.m3u8", "index.m3u8", "00001121T09" };
	static const char *const files[] = { "20261121T09", "20261121T09.m3u", "20261121T09.m3u8.par",
		"20261121T09.m3u8.part~", "index.m3u8", ".tmp-20261121T09.m3u8" };
	static const char *const segments[] = { "20261121T090006Z", "20261121T090006Z.ts.tmp", "20261121T090006Z.TS",
		"20261121T090060Z.ts", "20261121T096006Z.ts", "20261121T0900Z.ts", "20261121T090006.ts",
		"20261121T0900-1Z.ts", "x20261121T090006Z.ts", ".tmp-segment" };
	uint64_t hour = 1;
	bool part = true;
	struct wall grid = { 1 };
	enum layout_kind kind = LAYOUT_MP3;
	for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
		assert_int_equal(layout_parse_hour_dir(dirs[i], &hour), -1);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		assert_int_equal(layout_parse_hour_file(files[i], &hour, &part), -1);
	for (size_t i = 0; i < sizeof segments / sizeof segments[0]; i++)
		assert_int_equal(layout_parse_segment(segments[i], &grid, &kind), -1);
	assert_int_equal(hour, 1);
	assert_int_equal(grid.ns, 1);
	assert_int_equal(kind, LAYOUT_MP3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_belongs_to_nearest_edge),
		cmocka_unit_test(hours_begin_and_end),
		cmocka_unit_test(names_are_as_documented),
		cmocka_unit_test(names_are_read_back),
		cmocka_unit_test(other_names_are_not_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
