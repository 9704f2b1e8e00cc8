/* The list of an exported folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "rewind/export_list.h"

/* 2026-11-21T09:00:00Z in segments of 6 s */
#define FIRST UINT64_C(299208600)

static struct hour_entry
entry(uint64_t k, bool discontinuity)
{
	return (struct hour_entry){
		.msn = FIRST + k,
		.start = { layout_grid(FIRST + k, 6).ns + 4 * NS_PER_MS },
		.discontinuity = discontinuity,
		.discontinuity_sequence = 7,
		.duration_us = 5990748,
	};
}

static void
holes_are_discontinuities(void **state)
{
	(void)state;
	const struct hour_entry entries[] = {
		entry(0, true),
		entry(1, false),
		hour_gap(FIRST + 2, 6, LAYOUT_TS, 7),
		hour_gap(FIRST + 3, 6, LAYOUT_TS, 7),
		entry(4, true),
		entry(5, true),
		entry(6, false),
	};
	struct vod_list list = { .T = 6, .target = 6, .independent = true };
	struct text out;
	text_init(&out, 1 << 20);
	vod_list_entries(&list, &out, entries, 7, false);
	/* one that the caller found, in the next piece */
	struct hour_entry more = entry(9, false);
	vod_list_entries(&list, &out, &more, 1, true);
	vod_list_end(&out);
	assert_string_equal(out.data, "#EXTM3U\n"
				      "#EXT-X-VERSION:3\n"
				      "#EXT-X-INDEPENDENT-SEGMENTS\n"
				      "#EXT-X-TARGETDURATION:6\n"
				      "#EXT-X-PLAYLIST-TYPE:VOD\n"
				      "#EXT-X-MEDIA-SEQUENCE:299208600\n"
				      "#EXT-X-DISCONTINUITY-SEQUENCE:7\n"
				      "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:00.004Z\n"
				      "#EXTINF:5.990748,\n20261121T09/20261121T090000Z.ts\n"
				      "#EXTINF:5.990748,\n20261121T09/20261121T090006Z.ts\n"
				      "#EXT-X-DISCONTINUITY\n"
				      "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:24.004Z\n"
				      "#EXTINF:5.990748,\n20261121T09/20261121T090024Z.ts\n"
				      "#EXT-X-DISCONTINUITY\n"
				      "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:30.004Z\n"
				      "#EXTINF:5.990748,\n20261121T09/20261121T090030Z.ts\n"
				      "#EXTINF:5.990748,\n20261121T09/20261121T090036Z.ts\n"
				      "#EXT-X-DISCONTINUITY\n"
				      "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:54.004Z\n"
				      "#EXTINF:5.990748,\n20261121T09/20261121T090054Z.ts\n"
				      "#EXT-X-ENDLIST\n");
	text_fini(&out);
}

static void
dates_come_every_ten_minutes(void **state)
{
	(void)state;
	struct vod_list list = { .T = 6, .target = 6 };
	struct text out;
	text_init(&out, 1 << 20);
	for (uint64_t k = 0; k < 301; k++) {
		struct hour_entry e = entry(k, false);
		size_t before = out.len;
		vod_list_entries(&list, &out, &e, 1, false);
		bool dated = strstr(out.data + before, "#EXT-X-PROGRAM-DATE-TIME:") != NULL;
		assert_int_equal(dated, k % 100 == 0);
	}
	assert_null(strstr(out.data, "INDEPENDENT"));
	assert_null(strstr(out.data, "#EXT-X-DISCONTINUITY\n"));
	text_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_discontinuities),
		cmocka_unit_test(dates_come_every_ten_minutes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
