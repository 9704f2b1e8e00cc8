/* What the writers write is read back frame by frame, and what they would not write is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/adts.h"
#include "media/psi.h"
#include "media/segment.h"
#include "media/ts.h"

#define AAC_STEREO_44100 UINT32_C(0xFFF15080)
#define AAC_MONO_7350 UINT32_C(0xFFF17040)
#define AAC_71_48000 UINT32_C(0xFFF14DC0)
#define FRAMES_MAX 600

static uint64_t random_state;

static uint32_t
random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 20) % n);
}

/* A segment under test, all of it in one place. */
struct subject {
	struct media_segment segment;
	struct media_frame frames[FRAMES_MAX];
	uint8_t bytes[FRAMES_MAX * ADTS_FRAME_MAX];
	size_t used, seen;
	uint8_t *out;
	size_t len;
};

static struct subject *
subject_new(void)
{
	struct subject *s = calloc(1, sizeof *s);
	assert_non_null(s);
	s->segment.frames = s->frames;
	s->segment.msn = 0x2345;
	s->segment.anchor.t = 126000;
	return s;
}

static void
subject_free(struct subject *s)
{
	free(s->out);
	free(s);
}

static uint8_t *
add_frame(struct subject *s, uint32_t len, uint32_t samples)
{
	uint8_t *p = s->bytes + s->used;
	assert_true(s->segment.count < FRAMES_MAX);
	s->frames[s->segment.count++] = (struct media_frame){ .data = p, .len = len, .samples = samples };
	s->used += len;
	for (uint32_t i = 0; i < len; i++)
		p[i] = (uint8_t)random_below(256);
	return p;
}

static void
add_aac(struct subject *s, uint32_t key, uint32_t len, unsigned blocks)
{
	adts_format(key, &s->segment.format);
	adts_write(key, len - ADTS_HEADER, blocks, add_frame(s, len, blocks * ADTS_BLOCK_SAMPLES));
}

/* MPEG-1 layer III at 320 kbit/s and 44.1 kHz: 1044 bytes and a padding slot now and then. */
static void
add_mp3(struct subject *s, bool padding)
{
	static const struct audio_format format = {
		.codec = CODEC_MP3, .header = { 0xFF, 0xFA }, .rate = 44100, .channels = 2
	};
	const uint8_t header[] = { 0xFF, 0xFB, padding ? 0xE2 : 0xE0, 0x00 };
	s->segment.format = format;
	memcpy(add_frame(s, 1044 + padding, 1152), header, sizeof header);
}

static void
see_frame(void *ctx, const uint8_t *frame, size_t len)
{
	struct subject *s = ctx;
	assert_true(s->seen < s->segment.count);
	assert_int_equal(len, s->frames[s->seen].len);
	assert_memory_equal(frame, s->frames[s->seen].data, len);
	s->seen++;
}

static void
subject_write(struct subject *s, bool ts, bool id3)
{
	size_t bound = ts ? ts_segment_bound(&s->segment, id3) : packed_segment_bound(&s->segment);
	free(s->out);
	s->out = malloc(bound);
	assert_non_null(s->out);
	s->len = ts ? ts_segment_write(&s->segment, id3, s->out) : packed_segment_write(&s->segment, s->out);
	assert_true(s->len <= bound);
}

static void
reads_back_as(struct subject *s, bool ts)
{
	struct segment_facts facts = { .why = "" };
	uint64_t samples = 0;
	s->seen = 0;
	int e = segment_read(s->out, s->len, ts, s->segment.msn, &facts, see_frame, s);
	assert_string_equal(facts.why, "");
	assert_int_equal(e, 0);
	for (size_t i = 0; i < s->segment.count; i++)
		samples += s->frames[i].samples;
	assert_int_equal(s->seen, s->segment.count);
	assert_int_equal(facts.frames, s->segment.count);
	assert_int_equal(facts.audio_bytes, s->used);
	assert_int_equal(facts.samples, samples);
	assert_int_equal(facts.format.codec, s->segment.format.codec);
	assert_int_equal(facts.format.rate, s->segment.format.rate);
	assert_int_equal(facts.pts.t, ticks_at(s->segment.anchor, s->segment.sample, s->segment.format.rate).t);
}

static void
reads_back(struct subject *s)
{
	subject_write(s, true, true);
	reads_back_as(s, true);
	subject_write(s, true, false);
	reads_back_as(s, true);
	subject_write(s, false, false);
	reads_back_as(s, false);
}

static void
random_frames_read_back(void **state)
{
	(void)state;
	random_state = 42;
	for (int round = 0; round < 300; round++) {
		struct subject *s = subject_new();
		uint32_t count = 1 + random_below(300), least = 8 + random_below(200), spread = 1 + random_below(1200);
		s->segment.msn = random_below(UINT32_MAX);
		s->segment.anchor.t = (uint64_t)random_below(UINT32_MAX) << 1;
		s->segment.sample = (uint64_t)random_below(UINT32_MAX) * 1024;
		for (uint32_t i = 0; i < count; i++)
			add_aac(s, AAC_STEREO_44100, least + random_below(spread), 1);
		reads_back(s);
		subject_free(s);
	}
}

static void
few_and_small_frames_read_back(void **state)
{
	(void)state;
	for (uint32_t len = 8; len < 40; len++) {
		for (uint32_t count = 1; count < 40; count++) {
			struct subject *s = subject_new();
			for (uint32_t i = 0; i < count; i++)
				add_aac(s, count & 1 ? AAC_STEREO_44100 : AAC_MONO_7350, len, 1);
			reads_back(s);
			subject_free(s);
		}
	}
}

static void
large_frames_read_back(void **state)
{
	(void)state;
	struct subject *s = subject_new();
	for (int i = 0; i < 60; i++)
		add_aac(s, AAC_71_48000, i % 3 ? ADTS_FRAME_MAX : 6000, 2);
	reads_back(s);
	subject_free(s);
	s = subject_new();
	for (int i = 0; i < 230; i++)
		add_mp3(s, i % 7 == 0);
	reads_back(s);
	subject_free(s);
}

static void
silence_between_loud_frames_reads_back(void **state)
{
	(void)state;
	struct subject *s = subject_new();
	for (int i = 0; i < 258; i++)
		add_aac(s, AAC_STEREO_44100, i / 60 % 2 ? 8 : 1500, 1);
	reads_back(s);
	subject_free(s);
}

static void
blocks_and_wrap_read_back(void **state)
{
	(void)state;
	struct subject *s = subject_new();
	s->segment.anchor.t = TICKS_MASK - 3 * TICKS_PER_S;
	for (int i = 0; i < 80; i++)
		add_aac(s, AAC_STEREO_44100, 900, 4); /* a PES holds six of them */
	reads_back(s);
	subject_free(s);
	s = subject_new();
	s->segment.sample = (UINT64_C(1) << 33) * 44100 / 90000 - 3 * 44100;
	for (int i = 0; i < 258; i++)
		add_aac(s, AAC_STEREO_44100, 372, 1);
	reads_back(s);
	subject_free(s);
}

static struct subject *
ordinary(void)
{
	struct subject *s = subject_new();
	random_state = 7;
	for (int i = 0; i < 258; i++)
		add_aac(s, AAC_STEREO_44100, 300 + random_below(150), 1);
	subject_write(s, true, true);
	return s;
}

static bool
refused(const struct subject *s, bool ts, uint64_t msn)
{
	struct segment_facts facts = { .frames = 99 };
	if (segment_read(s->out, s->len, ts, msn, &facts, NULL, NULL) == 0)
		return false;
	assert_int_equal(facts.frames, 99); /* untouched but for the reason */
	assert_memory_equal(facts.why, "byte ", 5);
	assert_non_null(memchr(facts.why, 0, sizeof facts.why));
	return true;
}

static void
wrong_number_and_kind_are_refused(void **state)
{
	(void)state;
	struct subject *s = ordinary();
	assert_false(refused(s, true, s->segment.msn));
	assert_false(refused(s, true, s->segment.msn + 16));
	assert_true(refused(s, true, s->segment.msn + 1));
	assert_true(refused(s, false, s->segment.msn));
	subject_write(s, false, false);
	assert_true(refused(s, true, s->segment.msn));
	subject_free(s);
}

static void
truncation_is_refused(void **state)
{
	(void)state;
	struct subject *s = ordinary();
	size_t whole = s->len;
	for (s->len = 0; s->len < whole; s->len += s->len < 600 ? 1 : 47)
		assert_true(refused(s, true, s->segment.msn));
	subject_free(s);
}

/* Every bit of `size` bytes at `at` counts. */
static void
bits_count(struct subject *s, size_t at, size_t size)
{
	for (size_t bit = at * 8; bit < (at + size) * 8; bit++) {
		s->out[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		if (!refused(s, true, s->segment.msn))
			fail_msg("bit %zu of byte %zu does not count", bit % 8, bit / 8);
		s->out[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	}
	assert_false(refused(s, true, s->segment.msn));
}

static void
every_bit_of_the_container_counts(void **state)
{
	(void)state;
	struct subject *s = ordinary();
	bits_count(s, 0, 2 * TS_PACKET_SIZE);          /* PAT, PMT, their stuffing */
	bits_count(s, 2 * TS_PACKET_SIZE, 4 + 8 + 14); /* header, PCR, PES header, */
	bits_count(s, 2 * TS_PACKET_SIZE + 26, 7);     /* ADTS header */
	for (size_t at = 3 * TS_PACKET_SIZE; at < s->len; at += 23 * TS_PACKET_SIZE)
		bits_count(s, at, 4);
	bits_count(s, s->len - TS_PACKET_SIZE, 6); /* with adaptation field */
	subject_free(s);
}

/* A packet is left out, doubled, or changes places with the next. */
static void
packets_in_disorder_are_refused(void **state)
{
	(void)state;
	struct subject *s = ordinary();
	for (size_t at = 0; at + 2 * TS_PACKET_SIZE <= s->len; at += TS_PACKET_SIZE * (1 + random_below(20))) {
		uint8_t a[TS_PACKET_SIZE], b[TS_PACKET_SIZE];
		memcpy(a, s->out + at, sizeof a);
		memcpy(b, s->out + at + sizeof a, sizeof b);
		memcpy(s->out + at, b, sizeof b);
		assert_true(refused(s, true, s->segment.msn));
		memcpy(s->out + at + sizeof a, a, sizeof a);
		assert_true(refused(s, true, s->segment.msn));
		memcpy(s->out + at, a, sizeof a);
		assert_true(refused(s, true, s->segment.msn));
		memcpy(s->out + at + sizeof a, b, sizeof b);
	}
	assert_false(refused(s, true, s->segment.msn));
	subject_free(s);
}

static void
foreign_frames_are_refused(void **state)
{
	(void)state;
	struct subject *s = subject_new();
	for (int i = 0; i < 20; i++)
		add_aac(s, AAC_STEREO_44100, 300, 1);
	add_aac(s, AAC_71_48000, 300, 1);
	subject_write(s, false, false);
	assert_true(refused(s, false, 0));
	s->segment.count--;
	subject_write(s, false, false);
	assert_false(refused(s, false, 0));
	s->len--;
	assert_true(refused(s, false, 0));
	s->len++;
	s->out[73 + 1] &= 0xFE; /* CRC: not as a first receiver leaves it */
	assert_true(refused(s, false, 0));
	s->out[73 + 1] |= 1;
	s->out[65 + 3] = 2; /* PTS 2^33 */
	assert_true(refused(s, false, 0));
	s->len = 73;
	assert_true(refused(s, false, 0));
	subject_free(s);
}

/* A metadata packet as the PMT announces it may stand between the others. */
static void
id3_is_accepted(void **state)
{
	(void)state;
	struct subject *s = ordinary();
	const struct ts_packet packet = { .pid = TS_PID_ID3,
		.continuity_counter = 9,
		.payload_unit_start = true,
		.discontinuity = true,
		.payload_size = 14 + 10 };
	uint8_t *room = realloc(s->out, s->len + TS_PACKET_SIZE);
	assert_non_null(room);
	s->out = room;
	uint8_t *at = s->out + 2 * TS_PACKET_SIZE;
	memmove(at + TS_PACKET_SIZE, at, s->len - 2 * TS_PACKET_SIZE);
	s->len += TS_PACKET_SIZE;
	memcpy(ts_packet_write(&packet, at), "\0\0\1\xBD\0\x12\x84\x80\5\x21\0\7\xD8\x61ID3\4\0\0\0\0\0\0", 24);
	assert_false(refused(s, true, s->segment.msn));
	for (size_t bit = 0; bit < 8 * 6; bit++) {
		if (bit / 4 == 7) /* the first counter is free */
			continue;
		at[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		assert_true(refused(s, true, s->segment.msn));
		at[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	}
	subject_free(s);
}

static void
corruption_is_survived(void **state)
{
	(void)state;
	struct subject *s = ordinary();
	uint8_t *whole = malloc(s->len);
	size_t len = s->len;
	struct segment_facts facts;
	assert_non_null(whole);
	memcpy(whole, s->out, len);
	for (int round = 0; round < 3000; round++) {
		for (uint32_t n = 1 + random_below(8); n; n--)
			s->out[random_below((uint32_t)len)] = (uint8_t)random_below(256);
		s->len = round % 3 ? len : random_below((uint32_t)len);
		segment_read(s->out, s->len, round % 7 != 0, s->segment.msn, &facts, NULL, NULL);
		memcpy(s->out, whole, len);
	}
	free(whole);
	subject_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_frames_read_back),
		cmocka_unit_test(few_and_small_frames_read_back),
		cmocka_unit_test(large_frames_read_back),
		cmocka_unit_test(silence_between_loud_frames_reads_back),
		cmocka_unit_test(blocks_and_wrap_read_back),
		cmocka_unit_test(wrong_number_and_kind_are_refused),
		cmocka_unit_test(truncation_is_refused),
		cmocka_unit_test(every_bit_of_the_container_counts),
		cmocka_unit_test(packets_in_disorder_are_refused),
		cmocka_unit_test(foreign_frames_are_refused),
		cmocka_unit_test(id3_is_accepted),
		cmocka_unit_test(corruption_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
