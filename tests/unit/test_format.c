/* Formats: when frames can follow each other, and what lists, PMTs and logs call them. */
#include "media/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct audio_format lc = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x50, 0x80 }, 44100, 2 };
static const struct audio_format he = { CODEC_AAC, AAC_HE, { 0xff, 0xf1, 0x5c, 0x80 }, 22050, 2 };
static const struct audio_format he2 = { CODEC_AAC, AAC_HE_V2, { 0xff, 0xf1, 0x58, 0x40 }, 24000, 1 };
static const struct audio_format mp3 = { CODEC_MP3, AAC_LC, { 0xff, 0xfa, 0x00, 0x00 }, 44100, 2 };
static const struct audio_format lsf = { CODEC_MP3, AAC_LC, { 0xff, 0xf2, 0x00, 0xc0 }, 22050, 1 };
static const struct audio_format mpeg25 = { CODEC_MP3, AAC_LC, { 0xff, 0xe2, 0x00, 0x00 }, 11025, 2 };
static const struct audio_format none;

static void
test_equal(void **state)
{
	struct audio_format f = lc;
	(void)state;

	assert_true(audio_format_equal(&f, &lc));
	f.profile = AAC_HE;
	assert_false(audio_format_equal(&f, &lc));
	f = lc;
	f.header[3] ^= 0x40;
	assert_false(audio_format_equal(&f, &lc));
	f = mp3;
	f.profile = AAC_HE; /* means nothing there */
	assert_true(audio_format_equal(&f, &mp3));
	assert_false(audio_format_equal(&mp3, &lsf));
	assert_false(audio_format_equal(&mp3, &lc));
}

static void
test_codecs(void **state)
{
	(void)state;
	assert_string_equal(audio_format_codecs(&lc), "mp4a.40.2");
	assert_string_equal(audio_format_codecs(&he), "mp4a.40.5");
	assert_string_equal(audio_format_codecs(&he2), "mp4a.40.29");
	assert_string_equal(audio_format_codecs(&mp3), "mp4a.40.34");
}

static void
test_stream_type(void **state)
{
	(void)state;
	assert_int_equal(audio_format_stream_type(&he), 0x0f);
	assert_int_equal(audio_format_stream_type(&mp3), 0x03);
	assert_int_equal(audio_format_stream_type(&lsf), 0x04);
	assert_int_equal(audio_format_stream_type(&mpeg25), 0x04);
}

static void
test_text(void **state)
{
	char s[48];
	(void)state;

	assert_string_equal(audio_format_text(&lc, s), "AAC-LC 44100 Hz 2 ch");
	assert_string_equal(audio_format_text(&he, s), "HE-AAC 44100 Hz 2 ch");
	assert_string_equal(audio_format_text(&he2, s), "HE-AAC v2 48000 Hz 2 ch");
	assert_string_equal(audio_format_text(&lsf, s), "MP3 22050 Hz 1 ch");
	assert_string_equal(audio_format_text(&none, s), "no audio 0 Hz 0 ch");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_codecs),
		cmocka_unit_test(test_stream_type),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
