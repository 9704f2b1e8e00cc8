/* The hour file: written byte for byte, read back, torn at every byte. */
#include "rewind/hour.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define FIRST (UINT64_C(498681) * 600)

static const struct audio_format lc = {
	.codec = CODEC_AAC, .header = { 0xff, 0xf1, 0x50, 0x80 }, .rate = 44100, .channels = 2
};
static const struct audio_format he = {
	.codec = CODEC_AAC, .profile = AAC_HE, .header = { 0xff, 0xf1, 0x5c, 0x80 }, .rate = 22050, .channels = 2
};

static struct hour_entry
media(uint64_t msn)
{
	return (struct hour_entry){
		.msn = msn,
		.start = { layout_grid(msn, 6).ns + 4 * NS_PER_MS },
		.duration_us = 5990748,
		.bytes = 98136,
		.audio_bytes = 95873,
		.frames = 258,
		.samples = 264192,
		.xxh64 = 0x0123456789abcdef,
		.anchor = { 126000 },
		.sample = (msn - FIRST + 1) * 264192,
	};
}

static const char golden[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:3\n"
    "#EXT-X-TARGETDURATION:6\n"
    "#EXT-X-MEDIA-SEQUENCE:299208600\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:7\n"
    "#HINDCAST-HOUR:version=1,segment=6\n"
    "#HINDCAST-FORMAT:codecs=mp4a.40.2,header=fff15080,rate=44100,channels=2\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:00.004Z\n"
    "#HINDCAST-SEGMENT:bytes=98136,audio=95873,frames=258,samples=264192,xxh64=0123456789abcdef,anchor=126000,"
    "sample=264192,fill=0,pending=1\n"
    "#EXTINF:5.990748,\n"
    "20261121T09/20261121T090000Z.ts\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:06.000Z\n"
    "#EXT-X-GAP\n"
    "#EXTINF:6.000000,\n"
    "20261121T09/20261121T090006Z.ts\n"
    "#HINDCAST-FORMAT:codecs=mp4a.40.5,header=fff15c80,rate=22050,channels=2\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:12.004Z\n"
    "#HINDCAST-SEGMENT:bytes=98136,audio=95873,frames=258,samples=264192,xxh64=0123456789abcdef,anchor=126000,"
    "sample=792576,fill=258\n"
    "#EXTINF:5.990748,\n"
    "20261121T09/20261121T090012Z.ts\n";

/* The golden file's entries. */
static void
write_three(struct text *t)
{
	struct hour_entry e = media(FIRST);
	e.pending = true;
	hour_write_head(t, FIRST, 6, 7);
	hour_write_entry(t, &e, 6, &lc);
	e = hour_gap(FIRST + 1, 6, LAYOUT_TS, 7);
	hour_write_entry(t, &e, 6, NULL);
	e = media(FIRST + 2);
	e.discontinuity = true;
	e.fill = 258;
	hour_write_entry(t, &e, 6, &he);
}

/* A finished hour: every third number is a gap, every hundredth begins anew. */
static void
write_hour(struct text *t, uint32_t T)
{
	uint64_t first = FIRST * 6 / T;
	struct hour_rate rate = { 0 };
	hour_write_head(t, first, T, 0);
	for (uint64_t i = 0; i < 3600 / T; i++) {
		struct hour_entry e = media(first + i);
		e.start = layout_grid(e.msn, T);
		e.sample = i * 264192;
		e.duration_us = T * 1000000 - 1;
		e.discontinuity = i % 100 == 0;
		if (i % 3 == 1)
			e = hour_gap(first + i, T, LAYOUT_TS, 0);
		hour_rate_add(&rate, &e, T);
		hour_write_entry(t, &e, T, i == 0 ? &lc : NULL);
	}
	hour_write_tail(t, &rate);
}

static void
bytes_are_as_documented(void **state)
{
	(void)state;
	struct text t;
	text_init(&t, HOUR_FILE_MAX);
	write_three(&t);
	assert_string_equal(t.data, golden);
	text_clear(&t);
	hour_write_tail(&t, &(struct hour_rate){ 131248, 58372432, 3592004626 });
	assert_string_equal(
	    t.data, "#HINDCAST-RATE:peak=131248,mean=130006,bytes=58372432,duration_us=3592004626\n#EXT-X-ENDLIST\n");
	text_fini(&t);
}

static void
what_was_written_is_read(void **state)
{
	(void)state;
	struct hour h;
	char why[128];
	assert_int_equal(hour_parse(golden, sizeof golden - 1, &h, why), 0);
	assert_int_equal(h.first_msn, FIRST);
	assert_int_equal(h.segment, 6);
	assert_int_equal(h.discontinuity_sequence, 7);
	assert_int_equal(h.count, 3);
	assert_int_equal(h.complete, sizeof golden - 1);
	assert_int_equal(h.format_count, 2);
	assert_true(audio_format_equal(&h.formats[0], &lc));
	assert_true(audio_format_equal(&h.formats[1], &he));
	assert_false(h.ended);

	struct hour_entry want = media(FIRST);
	want.pending = true;
	want.discontinuity_sequence = 7;
	assert_memory_equal(&h.entries[0].start, &want.start, sizeof want.start);
	assert_int_equal(h.entries[0].bytes, 98136);
	assert_int_equal(h.entries[0].audio_bytes, 95873);
	assert_int_equal(h.entries[0].frames, 258);
	assert_int_equal(h.entries[0].samples, 264192);
	assert_true(h.entries[0].xxh64 == 0x0123456789abcdef);
	assert_int_equal(h.entries[0].anchor.t, 126000);
	assert_int_equal(h.entries[0].sample, 264192);
	assert_int_equal(h.entries[0].duration_us, 5990748);
	assert_true(h.entries[0].pending);
	assert_true(h.entries[1].gap);
	assert_int_equal(h.entries[1].duration_us, 6000000);
	assert_int_equal(h.entries[1].discontinuity_sequence, 7);
	assert_true(h.entries[2].discontinuity);
	assert_int_equal(h.entries[2].discontinuity_sequence, 8);
	assert_int_equal(h.entries[2].format, 1);
	assert_int_equal(h.entries[2].fill, 258);
	hour_free(&h);
}

static void
finished_hours_are_read(void **state)
{
	(void)state;
	static const uint32_t durations[] = { 2, 6, 3600 };
	for (size_t i = 0; i < 3; i++) {
		struct text t;
		struct hour h;
		struct hour_rate rate;
		char why[128];
		text_init(&t, HOUR_FILE_MAX);
		write_hour(&t, durations[i]);
		if (hour_parse(t.data, t.len, &h, why) < 0)
			fail_msg("T %u: %s", durations[i], why);
		assert_true(h.ended);
		assert_int_equal(h.count, 3600 / durations[i]);
		assert_int_equal(h.complete, t.len);
		assert_true(h.rate.peak > 0 && h.rate.bytes > 0);
		size_t from = t.len > 256 ? t.len - 256 : 0;
		assert_int_equal(hour_parse_tail(t.data + from, t.len - from, &rate), 0);
		assert_memory_equal(&rate, &h.rate, sizeof rate);
		assert_int_equal(hour_parse_tail(t.data + from, t.len - from - 1, &rate), -1);
		hour_free(&h);
		text_fini(&t);
	}
}

/* Every prefix is an hour with the entries that it has whole. */
static void
torn_tail_is_left_out(void **state)
{
	(void)state;
	struct text t;
	char why[128];
	text_init(&t, HOUR_FILE_MAX);
	hour_write_head(&t, FIRST, 6, 7);
	size_t head = t.len;
	const char *end[3];
	const char *p = golden;
	for (int i = 0; i < 3; i++)
		p = end[i] = strstr(p, ".ts\n") + 4;
	for (size_t len = 0; len < sizeof golden; len++) {
		struct hour h;
		int rc = hour_parse(golden, len, &h, why);
		assert_int_equal(rc, len < head ? -1 : 0);
		if (rc < 0)
			continue;
		size_t whole = 0, complete = head;
		for (; whole < 3 && len >= (size_t)(end[whole] - golden); whole++)
			complete = (size_t)(end[whole] - golden);
		assert_int_equal(h.count, whole);
		assert_int_equal(h.complete, complete);
		hour_free(&h);
	}
	/* and of a finished one every prefix of the tail */
	text_clear(&t);
	write_hour(&t, 6);
	size_t tail = (size_t)(strstr(t.data, "#HINDCAST-RATE") - t.data);
	for (size_t len = tail; len <= t.len; len++) {
		struct hour h;
		assert_int_equal(hour_parse(t.data, len, &h, why), 0);
		assert_int_equal(h.ended, len == t.len);
		assert_int_equal(h.complete, len == t.len ? t.len : tail);
		hour_free(&h);
	}
	text_fini(&t);
}

/* What a power cut leaves of blocks that never reached the disk. */
static void
zeros_at_the_end_are_a_torn_tail(void **state)
{
	(void)state;
	char text[sizeof golden + 64] = { 0 };
	char why[128];
	struct hour h;
	memcpy(text, golden, sizeof golden - 1);
	assert_int_equal(hour_parse(text, sizeof golden - 1 + 64, &h, why), 0);
	assert_int_equal(h.complete, sizeof golden - 1);
	hour_free(&h);
	memset(text + sizeof golden - 20, 0, 19);
	text[sizeof golden + 10] = '\n';
	assert_int_equal(hour_parse(text, sizeof golden - 1 + 64, &h, why), 0);
	assert_int_equal(h.count, 2);
	hour_free(&h);
}

static void
replace_and_parse(const char *from, const char *to, const char *want)
{
	char text[2 * sizeof golden], why[128] = "";
	const char *at = strstr(golden, from);
	assert_non_null(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - golden), golden, to, at + strlen(from));
	struct hour h = { .count = 12345 };
	assert_int_equal(hour_parse(text, strlen(text), &h, why), -1);
	assert_int_equal(h.count, 12345);
	if (!strstr(why, want))
		fail_msg("'%s' -> '%s': got '%s', want '%s'", from, to, why, want);
}

static void
damage_is_refused_with_its_line(void **state)
{
	(void)state;
	replace_and_parse("#EXTM3U", "#EXTM3V", "line 1:");
	replace_and_parse("#EXTM3U", "\xef\xbb\xbf#EXTM3U", "line 1:");
	replace_and_parse("VERSION:3", "VERSION:4", "line 2:");
	replace_and_parse("TARGETDURATION:6", "TARGETDURATION:7", "TARGETDURATION");
	replace_and_parse("segment=6", "segment=7", "segment=7");
	replace_and_parse("segment=6", "segment=0", "segment=0");
	replace_and_parse("version=1", "version=2", "line 6:");
	replace_and_parse("SEQUENCE:299208600", "SEQUENCE:299208601", "does not begin an hour");
	replace_and_parse("SEQUENCE:299208600", "SEQUENCE:18446744073709551615", "line 4:");
	replace_and_parse("SEQUENCE:299208600", "SEQUENCE:5124095576030400", "does not begin");
	replace_and_parse("SEQUENCE:7", "SEQUENCE:-7", "line 5:");
	replace_and_parse("SEQUENCE:7", "SEQUENCE:07", "line 5:");
	replace_and_parse("mp4a.40.2,", "mp4a.40.3,", "line 7:");
	replace_and_parse("header=fff15080", "header=FFF15080", "line 7:");
	replace_and_parse("rate=44100", "rate=0", "line 7:");
	replace_and_parse("channels=2", "channels=9", "line 7:");
	replace_and_parse(
	    "#HINDCAST-FORMAT:codecs=mp4a.40.2,header=fff15080,rate=44100,channels=2\n", "", "before any");
	replace_and_parse("00.004Z", "00.004", "line 8:");
	replace_and_parse("00.004Z", "61.004Z", "line 8:");
	replace_and_parse("2026-11-21T09:00:00", "1926-11-21T09:00:00", "line 8:");
	replace_and_parse("bytes=98136", "bytes=99999999999999999999", "line 9:");
	replace_and_parse("bytes=98136", "bytes=", "line 9:");
	replace_and_parse("xxh64=0123456789abcdef", "xxh64=0123456789abcde", "line 9:");
	replace_and_parse("anchor=126000", "anchor=8589934592", "line 9:");
	replace_and_parse("pending=1", "pending=2", "line 9:");
	replace_and_parse("#EXTINF:5.990748,", "#EXTINF:5.99074,", "line 10:");
	replace_and_parse("#EXTINF:5.990748,", "#EXTINF:599.990748,", "line 10:");
	replace_and_parse("#EXTINF:5.990748,", "#EXTINF:5.990748", "line 10:");
	replace_and_parse("#EXTINF:6.000000,", "#EXTINF:5.000000,", "gap");
	replace_and_parse("20261121T09/20261121T090006Z.ts\n", "20261121T09/20261121T090012Z.ts\n", "line 15:");
	replace_and_parse("20261121T09/20261121T090006Z.ts\n", "../../etc/passwd\n", "line 15:");
	replace_and_parse("#EXT-X-GAP\n", "#EXT-X-GAP:1\n", "line 13:");
	replace_and_parse("#EXT-X-DISCONTINUITY\n", "#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n", "line 18:");
	replace_and_parse("#EXT-X-GAP\n", "#EXT-X-GAP\r\n", "line 13:");
	replace_and_parse("#EXT-X-GAP\n", "#EXT-X-ENDLIST\n", "line 13:");
}

static void
finished_hours_are_complete(void **state)
{
	(void)state;
	struct text t;
	struct hour h;
	char why[128] = "";
	text_init(&t, HOUR_FILE_MAX);
	write_hour(&t, 6);
	/* one number more than an hour has */
	struct hour_entry e = hour_gap(FIRST + 600, 6, LAYOUT_TS, 0);
	t.len = (size_t)(strstr(t.data, "#HINDCAST-RATE") - t.data);
	hour_write_entry(&t, &e, 6, NULL);
	assert_int_equal(hour_parse(t.data, t.len, &h, why), -1);
	/* and the end in the middle */
	text_clear(&t);
	write_three(&t);
	hour_write_tail(&t, &(struct hour_rate){ 0 });
	assert_int_equal(hour_parse(t.data, t.len, &h, why), 0);
	assert_false(h.ended);
	assert_int_equal(h.complete, sizeof golden - 1);
	hour_free(&h);
	text_fini(&t);
}

static void
entries_are_read_alone(void **state)
{
	(void)state;
	struct text t;
	struct hour_entry e = media(FIRST + 9), got = { 0 };
	struct audio_format format = { 0 };
	struct hour_runs runs = { 0 }, two = { .count = 2, .run = { { { 1, 2, 0xff }, -5 }, { { 9 }, INT64_MAX } } };
	char why[128];
	text_init(&t, 4096);
	e.discontinuity = true;
	hour_write_format(&t, &he);
	hour_write_runs(&t, &two);
	hour_write_entry(&t, &e, 6, NULL);
	size_t whole = t.len;
	text_str(&t, "1T090054Z.ts\nleft over\n");
	assert_int_equal(hour_parse_entry(t.data, t.len, FIRST + 9, 6, &got, &format, &runs, why), 0);
	assert_int_equal(got.discontinuity_sequence, 1);
	assert_int_equal(got.sample, e.sample);
	assert_true(audio_format_equal(&format, &he));
	assert_true(hour_runs_equal(&runs, &two));
	assert_int_equal(hour_parse_entry(t.data, t.len, FIRST + 8, 6, &got, &format, &runs, why), -1);
	assert_int_equal(hour_parse_entry(t.data, whole - 1, FIRST + 9, 6, &got, &format, &runs, why), -1);
	text_fini(&t);
}

static void
rates_add_up(void **state)
{
	(void)state;
	struct hour_rate rate = { 0 };
	struct hour_entry e = media(FIRST);
	e.bytes = 750000;
	e.duration_us = 6000000;
	assert_int_equal(hour_entry_rate(&e), 1000000);
	e.duration_us = 5999999;
	assert_int_equal(hour_entry_rate(&e), 1000001); /* never below the truth */
	e.duration_us = 6000000;
	hour_rate_add(&rate, &e, 6);
	e.bytes = 375000;
	hour_rate_add(&rate, &e, 6);
	struct hour_entry gap = hour_gap(FIRST + 2, 6, LAYOUT_TS, 0);
	hour_rate_add(&rate, &gap, 6);
	assert_int_equal(rate.peak, 1000000);
	assert_int_equal(hour_rate_mean(&rate), 750000);
	/* a frame alone at the end of a file has the container's weight, not its rate */
	e.bytes = 3384;
	e.duration_us = 21333;
	hour_rate_add(&rate, &e, 6);
	assert_int_equal(rate.peak, 1000000);
	assert_int_equal(hour_rate_mean(&(struct hour_rate){ 0 }), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_as_documented),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(finished_hours_are_read),
		cmocka_unit_test(torn_tail_is_left_out),
		cmocka_unit_test(zeros_at_the_end_are_a_torn_tail),
		cmocka_unit_test(damage_is_refused_with_its_line),
		cmocka_unit_test(finished_hours_are_complete),
		cmocka_unit_test(entries_are_read_alone),
		cmocka_unit_test(rates_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
