/* ADTS headers: every field, what is refused, and frames of several blocks. */
#include "media/adts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* AAC-LC 44.1 kHz stereo, 371 bytes, fullness 7FF */
static const uint8_t lc[ADTS_HEADER] = { 0xff, 0xf1, 0x50, 0x80, 0x2e, 0x7f, 0xfc };

static void
test_fields(void **state)
{
	struct adts h;
	struct audio_format f;
	(void)state;

	assert_int_equal(adts_parse(lc, &h), 0);
	assert_int_equal(h.length, 371);
	assert_int_equal(h.blocks, 1);
	assert_int_equal(h.profile, 1);
	assert_false(h.crc);
	assert_int_equal(h.key, 0xfff15080);
	adts_format(h.key, &f);
	assert_int_equal(f.codec, CODEC_AAC);
	assert_int_equal(f.rate, 44100);
	assert_int_equal(f.channels, 2);
	assert_memory_equal(f.header, "\xff\xf1\x50\x80", 4);
}

/* Of the fixed header only what the decoder must know is in the key. */
static void
test_key_ignores(void **state)
{
	static const struct {
		unsigned byte;
		uint8_t bit;
	} ignored[] = { { 1, 0x01 }, { 2, 0x02 }, { 3, 0x20 }, { 3, 0x10 }, { 3, 0x08 }, { 3, 0x04 }, { 5, 0x01 },
		{ 6, 0x40 }, { 6, 0x01 } };
	static const struct {
		unsigned byte;
		uint8_t bit;
	} kept[] = { { 1, 0x08 }, { 2, 0x80 }, { 2, 0x04 }, { 3, 0x40 } };
	struct adts h;
	(void)state;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		uint8_t p[ADTS_HEADER];
		memcpy(p, lc, sizeof(p));
		p[ignored[i].byte] ^= ignored[i].bit;
		assert_int_equal(adts_parse(p, &h), 0);
		assert_int_equal(h.key, 0xfff15080);
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		uint8_t p[ADTS_HEADER];
		memcpy(p, lc, sizeof(p));
		p[kept[i].byte] ^= kept[i].bit;
		assert_int_equal(adts_parse(p, &h), 0);
		assert_int_not_equal(h.key, 0xfff15080);
	}
}

static void
with_length(uint8_t p[static ADTS_HEADER], unsigned length)
{
	p[3] = (uint8_t)((p[3] & 0xfc) | length >> 11);
	p[4] = (uint8_t)(length >> 3);
	p[5] = (uint8_t)((length & 7) << 5 | (p[5] & 0x1f));
}

static int
parse_length(const uint8_t header[static ADTS_HEADER], unsigned length)
{
	uint8_t p[ADTS_HEADER];
	struct adts h;

	memcpy(p, header, sizeof(p));
	with_length(p, length);
	int rc = adts_parse(p, &h);
	if (rc == 0)
		assert_int_equal(h.length, length);
	return rc;
}

static void
test_length_bounds(void **state)
{
	uint8_t p[ADTS_HEADER];
	(void)state;

	assert_int_equal(parse_length(lc, 7), -1);
	assert_int_equal(parse_length(lc, 8), 0);
	assert_int_equal(parse_length(lc, 7 + 2 * 768), 0);
	assert_int_equal(parse_length(lc, 7 + 2 * 768 + 1), -1);
	memcpy(p, lc, sizeof(p));
	p[6] |= 1; /* two blocks */
	assert_int_equal(parse_length(p, 8), -1);
	assert_int_equal(parse_length(p, 7 + 4 * 768), 0);
	p[1] &= 0xfe; /* with CRC: position, check word, and one behind each block */
	assert_int_equal(parse_length(p, 7 + 2 + 2 + 2 * 2 + 1), -1);
	assert_int_equal(parse_length(p, 7 + 2 + 2 + 2 * 2 + 2), 0);
	memcpy(p, lc, sizeof(p));
	p[3] &= 0x3f; /* channel configuration 0: any number of channels */
	assert_int_equal(parse_length(p, 8191), 0);
}

static void
test_refused(void **state)
{
	struct adts h;
	uint8_t p[ADTS_HEADER];
	(void)state;

	for (unsigned i = 0; i < 16; i++) {
		memcpy(p, lc, sizeof(p));
		p[2] = (uint8_t)((p[2] & 0xc3) | i << 2);
		assert_int_equal(adts_parse(p, &h), i < 13 ? 0 : -1);
	}
	for (unsigned bit = 0; bit < 15; bit++) {
		if (bit == 12) /* ID */
			continue;
		memcpy(p, lc, sizeof(p));
		p[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		assert_int_equal(adts_parse(p, &h), -1); /* sync and layer */
	}
}

static void
test_rates_and_channels(void **state)
{
	static const uint32_t rates[] = { 96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025,
		8000, 7350 };
	static const uint8_t channels[] = { 0, 1, 2, 3, 4, 5, 6, 8 };
	struct audio_format f;
	(void)state;

	for (uint32_t rate = 0; rate < 13; rate++)
		for (uint32_t c = 0; c < 8; c++) {
			adts_format(0xfff14000 | rate << 10 | c << 6, &f);
			assert_int_equal(f.rate, rates[rate]);
			assert_int_equal(f.channels, channels[c]);
		}
}

static void
test_write_parse(void **state)
{
	uint8_t p[ADTS_HEADER];
	struct adts h;
	(void)state;

	adts_write(0xfff15080, 371 - 7, 1, p);
	assert_memory_equal(p, lc, sizeof(p));
	for (unsigned n = 1; n <= 4; n++) {
		adts_write(0xfff15040, 700 * n, n, p);
		assert_int_equal(adts_parse(p, &h), 0);
		assert_int_equal(h.length, 7 + 700 * n);
		assert_int_equal(h.blocks, n);
		assert_int_equal(h.key, 0xfff15040);
	}
}

/* Three blocks of 5, 6 and 7 bytes with CRC. */
static size_t
several_blocks(uint8_t frame[static 64])
{
	static const uint8_t head[] = { 0, 7, 0, 15, 0xcc, 0xcc }; /* positions and check word */
	size_t n = ADTS_HEADER;

	adts_write(0xfff05080, sizeof(head) + 18 + 6, 3, frame);
	memcpy(frame + n, head, sizeof(head));
	n += sizeof(head);
	for (unsigned block = 0; block < 3; block++) {
		memset(frame + n, 'a' + (int)block, 5 + block);
		n += 5 + block;
		memset(frame + n, 0xcc, 2);
		n += 2;
	}
	return n;
}

static void
test_blocks(void **state)
{
	uint8_t frame[64];
	struct adts h;
	struct adts_block b;
	(void)state;

	size_t n = several_blocks(frame);
	assert_int_equal(adts_parse(frame, &h), 0);
	assert_int_equal(h.length, n);
	assert_true(h.crc);
	assert_int_equal(adts_block(frame, &h, 0, &b), 0);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.data, "aaaaa", 5);
	assert_int_equal(adts_block(frame, &h, 1, &b), 0);
	assert_int_equal(b.len, 6);
	assert_memory_equal(b.data, "bbbbbb", 6);
	assert_int_equal(adts_block(frame, &h, 2, &b), 0);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "ccccccc", 7);
}

static void
test_bad_positions(void **state)
{
	static const uint8_t bad[][4] = { { 0, 0, 0, 15 }, { 0, 2, 0, 15 }, { 0, 15, 0, 7 }, { 0, 7, 0, 7 },
		{ 0, 7, 0, 22 }, { 0, 7, 0xff, 0xff }, { 0xff, 0xff, 0, 15 } };
	uint8_t frame[64];
	struct adts h;
	struct adts_block b;
	(void)state;

	several_blocks(frame);
	assert_int_equal(adts_parse(frame, &h), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(frame + ADTS_HEADER, bad[i], 4);
		for (unsigned block = 0; block < 3; block++)
			assert_int_equal(adts_block(frame, &h, block, &b), -1);
	}
}

static void
test_one_block(void **state)
{
	uint8_t frame[64] = { 0 };
	struct adts h;
	struct adts_block b;
	(void)state;

	adts_write(0xfff05080, 12, 1, frame); /* CRC */
	assert_int_equal(adts_parse(frame, &h), 0);
	assert_int_equal(adts_block(frame, &h, 0, &b), 0);
	assert_ptr_equal(b.data, frame + 9);
	assert_int_equal(b.len, 10);
	adts_write(0xfff15080, 12, 2, frame); /* two blocks, inseparable */
	assert_int_equal(adts_parse(frame, &h), 0);
	assert_int_equal(adts_block(frame, &h, 0, &b), 0);
	assert_ptr_equal(b.data, frame + 7);
	assert_int_equal(b.len, 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_key_ignores),
		cmocka_unit_test(test_length_bounds),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rates_and_channels),
		cmocka_unit_test(test_write_parse),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_bad_positions),
		cmocka_unit_test(test_one_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
