/* MPEG audio headers and ID3 sizes: what obstructs or makes up an MP3 stream. */
#include "media/mpa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "media/id3.h"

static void
test_known_headers(void **state)
{
	static const struct {
		uint8_t p[MPA_HEADER];
		uint8_t layer;
		uint16_t length, samples;
		uint32_t rate;
		uint8_t channels;
	} known[] = {
		{ { 0xff, 0xfb, 0x90, 0x64 }, 3, 417, 1152, 44100, 2 }, /* 128k */
		{ { 0xff, 0xfb, 0x92, 0x64 }, 3, 418, 1152, 44100, 2 }, /* padded */
		{ { 0xff, 0xfa, 0x90, 0xc4 }, 3, 417, 1152, 44100, 1 }, /* CRC, mono */
		{ { 0xff, 0xfb, 0xe4, 0x00 }, 3, 960, 1152, 48000, 2 }, /* 320k */
		{ { 0xff, 0xfb, 0xe8, 0x00 }, 3, 1440, 1152, 32000, 2 },
		{ { 0xff, 0xf3, 0x80, 0x00 }, 3, 208, 576, 22050, 2 }, /* 64k LSF */
		{ { 0xff, 0xf3, 0x14, 0x00 }, 3, 24, 576, 24000, 2 },  /* 8k */
		{ { 0xff, 0xe3, 0x28, 0xc0 }, 3, 144, 576, 8000, 1 },  /* 2.5, 16k */
		{ { 0xff, 0xe3, 0x20, 0xc0 }, 3, 104, 576, 11025, 1 },
		{ { 0xff, 0xfd, 0xa4, 0x00 }, 2, 576, 1152, 48000, 2 }, /* layer II 192k */
		{ { 0xff, 0xf5, 0xa4, 0x00 }, 2, 576, 1152, 24000, 2 }, /* layer II LSF 96k */
		{ { 0xff, 0xff, 0xc0, 0x00 }, 1, 416, 384, 44100, 2 },  /* layer I 384k */
		{ { 0xff, 0xff, 0xc2, 0x00 }, 1, 420, 384, 44100, 2 },  /* a slot is 4 bytes */
	};
	struct mpa h;
	struct audio_format f;
	(void)state;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(mpa_parse(known[i].p, &h), 0);
		assert_int_equal(h.layer, known[i].layer);
		assert_int_equal(h.length, known[i].length);
		assert_int_equal(h.samples, known[i].samples);
		mpa_format(h.key, &f);
		assert_int_equal(f.rate, known[i].rate);
		assert_int_equal(f.channels, known[i].channels);
		assert_int_equal(f.codec, CODEC_MP3);
	}
}

/* All 2^21 headers behind a sync: what is reserved is refused, the rest has a sound length. */
static void
test_all_headers(void **state)
{
	struct mpa h;
	(void)state;

	for (uint32_t bits = 0; bits < UINT32_C(1) << 21; bits++) {
		uint8_t p[MPA_HEADER] = { 0xff, (uint8_t)(0xe0 | bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits };
		bool reserved = (p[1] >> 3 & 3) == 1 || (p[1] >> 1 & 3) == 0 || p[2] >> 4 == 15 || (p[2] >> 2 & 3) == 3;
		if ((mpa_parse(p, &h) < 0) != reserved)
			fail_msg("%02x%02x%02x%02x", p[0], p[1], p[2], p[3]);
		if (reserved)
			continue;
		if (p[2] >> 4 == 0 ? h.length != 0 : h.length < 21 || h.length > 2881)
			fail_msg("%02x%02x%02x%02x: length %d", p[0], p[1], p[2], p[3], h.length);
	}
}

static void
test_no_sync(void **state)
{
	struct mpa h;
	(void)state;
	assert_int_equal(mpa_parse((const uint8_t *)"\xfe\xfb\x90\x64", &h), -1);
	assert_int_equal(mpa_parse((const uint8_t *)"\xff\xdb\x90\x64", &h), -1);
}

/* Only version, layer, rate and mono or not are in the key. */
static void
test_key(void **state)
{
	struct mpa a, b;
	(void)state;

	assert_int_equal(mpa_parse((const uint8_t *)"\xff\xfb\x90\x64", &a), 0);
	assert_int_equal(a.key, 0xfffa0000);
	assert_int_equal(
	    mpa_parse((const uint8_t *)"\xff\xfa\x33\x9b", &b), 0); /* dual channel, and all else differs */
	assert_int_equal(a.key, b.key);
	assert_int_equal(mpa_parse((const uint8_t *)"\xff\xfb\x90\xc4", &b), 0);
	assert_int_equal(b.key, 0xfffa00c0);
	assert_int_equal(mpa_parse((const uint8_t *)"\xff\xfb\x94\x64", &b), 0);
	assert_int_equal(b.key, 0xfffa0400);
}

static bool
info_frame(const char *header, size_t at, const char *name)
{
	uint8_t frame[1441] = { 0 };
	struct mpa h;

	memcpy(frame, header, MPA_HEADER);
	memcpy(frame + at, name, 4);
	assert_int_equal(mpa_parse(frame, &h), 0);
	return mpa_is_info(frame, &h);
}

static void
test_info(void **state)
{
	(void)state;
	assert_true(info_frame("\xff\xfb\x90\x64", 36, "Xing"));
	assert_true(info_frame("\xff\xfb\x90\x64", 36, "Info"));
	assert_true(info_frame("\xff\xfb\x90\x64", 36, "VBRI"));
	assert_true(info_frame("\xff\xfb\x90\xc4", 21, "Info"));
	assert_true(info_frame("\xff\xfb\x90\xc4", 36, "VBRI"));
	assert_true(info_frame("\xff\xf3\x80\x00", 21, "Xing"));
	assert_true(info_frame("\xff\xe3\x20\xc0", 13, "Xing"));
	assert_true(info_frame("\xff\xfa\x90\x64", 36, "Xing")); /* CRC: both places are in use */
	assert_true(info_frame("\xff\xfa\x90\x64", 38, "Xing"));
	assert_false(info_frame("\xff\xfb\x90\x64", 38, "Xing"));
	assert_false(info_frame("\xff\xfb\x90\x64", 21, "Xing"));
	assert_false(info_frame("\xff\xf3\x14\x00", 21, "xing"));
}

/* A frame with audio whose main data reads "Info". */
static void
test_info_in_audio(void **state)
{
	uint8_t frame[417] = { 0xff, 0xfb, 0x90, 0x64, 0x01 };
	struct mpa h;
	(void)state;

	memcpy(frame + 36, "Info", 4);
	assert_int_equal(mpa_parse(frame, &h), 0);
	assert_false(mpa_is_info(frame, &h));
}

static void
test_id3(void **state)
{
	(void)state;
	assert_int_equal(id3_tag_size((const uint8_t *)"ID3\4\0\0\0\0\0\77"), 73);
	assert_int_equal(id3_tag_size((const uint8_t *)"ID3\3\0\0\0\5\34\4"), 10 + (5 << 14 | 28 << 7 | 4));
	assert_int_equal(id3_tag_size((const uint8_t *)"ID3\4\0\x10\0\0\0\0"), 20); /* footer */
	assert_int_equal(id3_tag_size((const uint8_t *)"ID3\4\0\0\x7f\x7f\x7f\x7f"), (1u << 28) - 1 + 10);
	assert_int_equal(id3_tag_size((const uint8_t *)"ID3\4\0\0\0\0\0\x80"), 0);
	assert_int_equal(id3_tag_size((const uint8_t *)"ID3\4\0\1\0\0\0\0"), 0);
	assert_int_equal(id3_tag_size((const uint8_t *)"ID3\5\0\0\0\0\0\0"), 0);
	assert_int_equal(id3_tag_size((const uint8_t *)"ID3\4\xff\0\0\0\0\0"), 0);
	assert_int_equal(id3_tag_size((const uint8_t *)"ID4\4\0\0\0\0\0\0"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_headers),
		cmocka_unit_test(test_all_headers),
		cmocka_unit_test(test_no_sync),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_info_in_audio),
		cmocka_unit_test(test_id3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
