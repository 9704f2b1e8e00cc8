/* Live and multivariant playlists, byte for byte. */
#include "rewind/list.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define FIRST (UINT64_C(498681) * 600)

static void
live_list_is_exact(void **state)
{
	(void)state;
	const struct hour_entry entries[] = {
		{ .msn = FIRST,
		    .start = { layout_grid(FIRST, 6).ns + 4 * NS_PER_MS },
		    .discontinuity = true,
		    .discontinuity_sequence = 3,
		    .duration_us = 5990748,
		    .bytes = 98136,
		    .pending = true },
		hour_gap(FIRST + 1, 6, LAYOUT_TS, 3),
		{ .msn = FIRST + 2,
		    .start = layout_grid(FIRST + 2, 6),
		    .discontinuity = true,
		    .discontinuity_sequence = 4,
		    .duration_us = 6013968,
		    .kind = LAYOUT_AAC },
	};
	struct text t;
	text_init(&t, 4096);
	list_live(&t, entries, 3, 6, true);
	assert_string_equal(t.data, "#EXTM3U\n"
				    "#EXT-X-VERSION:3\n"
				    "#EXT-X-INDEPENDENT-SEGMENTS\n"
				    "#EXT-X-TARGETDURATION:6\n"
				    "#EXT-X-MEDIA-SEQUENCE:299208600\n"
				    "#EXT-X-DISCONTINUITY-SEQUENCE:2\n"
				    "#EXT-X-DISCONTINUITY\n"
				    "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:00.004Z\n"
				    "#EXTINF:5.990748,\n"
				    "20261121T09/20261121T090000Z.ts\n"
				    "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:06.000Z\n"
				    "#EXT-X-GAP\n"
				    "#EXTINF:6.000000,\n"
				    "20261121T09/20261121T090006Z.ts\n"
				    "#EXT-X-DISCONTINUITY\n"
				    "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:12.000Z\n"
				    "#EXTINF:6.013968,\n"
				    "20261121T09/20261121T090012Z.aac\n");
	/* once the first is gone its DISCONTINUITY is counted in the tag (RFC 8216 6.2.2) */
	text_clear(&t);
	list_live(&t, entries + 1, 1, 6, false);
	assert_string_equal(t.data, "#EXTM3U\n"
				    "#EXT-X-VERSION:3\n"
				    "#EXT-X-TARGETDURATION:6\n"
				    "#EXT-X-MEDIA-SEQUENCE:299208601\n"
				    "#EXT-X-DISCONTINUITY-SEQUENCE:3\n"
				    "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:06.000Z\n"
				    "#EXT-X-GAP\n"
				    "#EXTINF:6.000000,\n"
				    "20261121T09/20261121T090006Z.ts\n");
	text_fini(&t);
}

static void
multivariant_list_is_exact(void **state)
{
	(void)state;
	struct list_variant v[] = {
		{ "hifi", { .codec = CODEC_AAC, .profile = AAC_LC }, 131248, 130004 },
		{ "lofi", { .codec = CODEC_AAC, .profile = AAC_HE_V2 }, 1, 1 },
	};
	struct text t;
	text_init(&t, 4096);
	list_multivariant(&t, v, 2);
	assert_string_equal(t.data, "#EXTM3U\n"
				    "#EXT-X-VERSION:3\n"
				    "#EXT-X-INDEPENDENT-SEGMENTS\n"
				    "#EXT-X-STREAM-INF:BANDWIDTH=134218,AVERAGE-BANDWIDTH=134218,CODECS=\"mp4a.40.2\"\n"
				    "hifi/index.m3u8\n"
				    "#EXT-X-STREAM-INF:BANDWIDTH=1,AVERAGE-BANDWIDTH=1,CODECS=\"mp4a.40.29\"\n"
				    "lofi/index.m3u8\n");
	v[1].format.codec = CODEC_MP3; /* its bit reservoir leans on the segment before */
	text_clear(&t);
	list_multivariant(&t, v, 2);
	assert_null(strstr(t.data, "INDEPENDENT"));
	assert_non_null(strstr(t.data, "mp4a.40.34"));
	text_clear(&t);
	list_multivariant(&t, v, 0);
	assert_string_equal(t.data, "#EXTM3U\n#EXT-X-VERSION:3\n");
	text_fini(&t);
}

static void
rate_steps_are_powers(void **state)
{
	(void)state;
	assert_int_equal(list_rate_step(0), 0);
	assert_int_equal(list_rate_step(1), 1);
	for (int n = 0; n <= 454; n++) {
		uint32_t step = (uint32_t)llroundl(powl(1.05L, n));
		assert_int_equal(list_rate_step(step), step);
		uint32_t next = (uint32_t)llroundl(powl(1.05L, n + 1));
		if (next > step && n < 454)
			assert_int_equal(list_rate_step(step + 1), next);
	}
	assert_int_equal(list_rate_step(UINT32_MAX), UINT32_MAX);
	for (uint32_t rate = 1000; rate < 2000000; rate += 997) {
		assert_true(list_rate_step(rate) >= rate);
		assert_true(list_rate_step(rate) <= rate * 1.051);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_list_is_exact),
		cmocka_unit_test(multivariant_list_is_exact),
		cmocka_unit_test(rate_steps_are_powers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
