/* Frames of silence: of the right format, decodable without a complaint, silent, and welcome between real frames. */
#include "media/framer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "media/adts.h"
#include "media/mpa.h"
#include "tests/unit/media_file.h"

#define REPEAT 12

static struct audio_format
aac(uint32_t rate_index, uint32_t channels, bool mpeg2)
{
	struct audio_format f;
	adts_format(0xfff14000 | (uint32_t)mpeg2 << 19 | rate_index << 10 | channels << 6, &f);
	return f;
}

static struct audio_format
mp3(uint32_t version, uint32_t rate_index, bool mono)
{
	struct audio_format f;
	mpa_format(0xffe20000 | version << 19 | rate_index << 10 | (mono ? 0xc0 : 0), &f);
	return f;
}

/* The framer finds the frames again, in a format that equals the one that was asked for. */
static void
assert_framed(const struct audio_format *f)
{
	uint8_t frame[FRAMER_SILENCE_MAX], stream[3 * FRAMER_SILENCE_MAX];
	struct framer framer;
	struct framer_out out;
	uint32_t len, samples;
	char text[48];

	if (framer_silence(f, frame, &len, &samples) < 0)
		fail_msg("no silence for %s", audio_format_text(f, text));
	for (uint32_t i = 0; i < 3; i++)
		memcpy(stream + i * len, frame, len);
	framer_init(&framer);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(framer_next(&framer, stream + i * len, (3 - i) * len, true, &out), FRAMER_FRAME);
		assert_true(audio_format_equal(&out.format, f));
		assert_int_equal(out.consumed, len);
		assert_int_equal(out.samples, samples);
		assert_memory_equal(out.header, frame, out.header_len);
	}
	assert_int_equal(framer.bytes_skipped, 0);
}

static void
each_format(void (*check)(const struct audio_format *f), uint32_t rate_step)
{
	struct audio_format f;

	for (uint32_t channels = 1; channels <= 7; channels++)
		for (uint32_t rate = 0; rate < 13; rate += rate_step) {
			f = aac(rate, channels, (rate + channels) % 2);
			check(&f);
		}
	for (uint32_t version = 0; version <= 3; version++)
		for (uint32_t rate = 0; rate < 3 && version != 1; rate++)
			for (int mono = 0; mono < 2; mono++) {
				f = mp3(version, rate, mono);
				check(&f);
			}
}

static void
test_framed(void **state)
{
	(void)state;
	each_format(assert_framed, 1);
}

static void
test_impossible(void **state)
{
	uint8_t frame[FRAMER_SILENCE_MAX];
	uint32_t len = 1, samples = 2;
	struct audio_format none = { .codec = CODEC_NONE }, f = aac(4, 0, false);
	(void)state;

	assert_int_equal(framer_silence(&f, frame, &len, &samples), -1);
	assert_int_equal(framer_silence(&none, frame, &len, &samples), -1);
	assert_int_equal(len, 1);
	assert_int_equal(samples, 2);
}

/* --- with ffmpeg as the judge --- */

static char dir[] = "/tmp/hindcast-silence-XXXXXX";

static FILE *
create(char *path, size_t size, enum codec codec)
{
	snprintf(path, size, "%s/x.%s", dir, codec == CODEC_AAC ? "aac" : "mp3");
	FILE *fp = fopen(path, "wb");
	assert_non_null(fp);
	return fp;
}

struct decoded {
	size_t bytes, loud; /* of 16 bit samples; bytes that are not 0 */
	size_t errors;      /* bytes of complaints */
	char complaint[200];
};

static struct decoded
decode(const char *path)
{
	struct decoded d = { 0 };
	char command[400];
	uint8_t buf[8192];
	size_t n;

	snprintf(command, sizeof(command),
	    "ffmpeg -nostdin -threads 1 -v error -err_detect explode -f %s -i %s -f s16le - 2>%s/errors",
	    strrchr(path, '.') + 1, path, dir);
	FILE *fp = popen(command, "r");
	assert_non_null(fp);
	while ((n = fread(buf, 1, sizeof(buf), fp)) > 0) {
		d.bytes += n;
		for (size_t i = 0; i < n; i++)
			d.loud += buf[i] != 0;
	}
	pclose(fp);
	snprintf(command, sizeof(command), "%s/errors", dir);
	fp = fopen(command, "rb");
	assert_non_null(fp);
	d.errors = fread(d.complaint, 1, sizeof(d.complaint) - 1, fp);
	fclose(fp);
	return d;
}

static void
write_silence(FILE *fp, const struct audio_format *f, uint32_t *samples)
{
	uint8_t frame[FRAMER_SILENCE_MAX];
	uint32_t len;

	assert_int_equal(framer_silence(f, frame, &len, samples), 0);
	for (int i = 0; i < REPEAT; i++)
		assert_int_equal(fwrite(frame, 1, len, fp), len);
}

static void
assert_decodes_to_silence(const struct audio_format *f)
{
	char path[80], text[48];
	uint32_t samples;

	FILE *fp = create(path, sizeof(path), f->codec);
	write_silence(fp, f, &samples);
	fclose(fp);
	struct decoded d = decode(path);
	size_t want = (size_t)samples * f->channels * 2 * REPEAT;
	/* MP3 decoders may leave out the first frame */
	if (d.errors > 0 || d.loud > 0 || d.bytes > want || d.bytes < want / REPEAT * (REPEAT - 1))
		fail_msg("%s: %zu of %zu bytes, %zu not silent; %s", audio_format_text(f, text), d.bytes, want, d.loud,
		    d.complaint);
	unlink(path);
}

static void
test_decodes(void **state)
{
	(void)state;
	/* low rates: 24 kHz and below would be doubled in search of SBR, which changes the number of samples */
	for (uint32_t channels = 1; channels <= 7; channels++)
		for (uint32_t rate = 3; rate <= 5; rate += 2) {
			struct audio_format f = aac(rate, channels, false);
			assert_decodes_to_silence(&f);
		}
	for (uint32_t version = 0; version <= 3; version++)
		for (uint32_t rate = 0; rate < 3 && version != 1; rate++)
			for (int mono = 0; mono < 2; mono++) {
				struct audio_format f = mp3(version, rate, mono);
				assert_decodes_to_silence(&f);
			}
}

/* Real frames, silence, the next real frames. */
static void
splice(const char *name, size_t before, size_t after)
{
	struct media_file m = media_file_read(name);
	struct framer framer;
	struct framer_out out;
	char path[80];
	size_t at = 0;
	uint32_t samples;

	assert_non_null(m.data);
	framer_init(&framer);
	FILE *fp = NULL;
	for (size_t i = 0; i < before + after; i++) {
		assert_int_equal(framer_next(&framer, m.data + at, m.len - at, true, &out), FRAMER_FRAME);
		if (!fp)
			fp = create(path, sizeof(path), out.format.codec);
		if (i == before)
			write_silence(fp, &out.format, &samples);
		assert_int_equal(fwrite(out.header, 1, out.header_len, fp), out.header_len);
		assert_int_equal(fwrite(out.payload, 1, out.payload_len, fp), out.payload_len);
		at += out.consumed;
	}
	fclose(fp);
	struct decoded d = decode(path);
	if (d.errors > 0)
		fail_msg("%s: %s", name, d.complaint);
	assert_true(d.bytes > (before + after) * samples * 2);
	assert_true(d.loud > 0);
	unlink(path);
	free(m.data);
}

static void
test_splices(void **state)
{
	static const char *const names[] = { "aac_lc_22050_mono_32k.aac", "aac_lc_44100_stereo_128k.aac",
		"aac_lc_48000_51_320k.aac", "aac_mpeg2lc_44100_stereo_128k.aac",
		"aac_lc_4blocks_crc_48000_stereo_96k.aac", "mp3_cbr128_44100_js.mp3", "mp3_cbr320_48000.mp3",
		"mp3_crc_cbr128_44100.mp3", "mp3_cbr64_44100_mono.mp3", "mp3_mpeg2_cbr64_22050.mp3",
		"mp3_mpeg25_cbr16_11025_mono.mp3", "mp3_vbr_v4_44100_id3v2_xing_id3v1.mp3" };
	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		splice(names[i], 50 + i, 50);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
	static const char *const names[] = { "x.aac", "x.mp3", "errors" };
	char path[80];
	(void)state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framed),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_decodes),
		cmocka_unit_test(test_splices),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
