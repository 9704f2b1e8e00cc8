/* Transport packets, ticks, and what holds over consecutive segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/adts.h"
#include "media/segment.h"
#include "media/ts.h"

#define AAC_LC_44100_STEREO UINT32_C(0xFFF15080)
#define AAC_LC_8000_MONO UINT32_C(0xFFF16C40)

static void
ticks_are_exact(void **state)
{
	(void)state;
	struct ticks zero = { 0 }, late = { TICKS_MASK };
	assert_int_equal(ticks_at(zero, 0, 44100).t, 0);
	assert_int_equal(ticks_at(zero, 1024, 44100).t, 2090); /* 2089.8 */
	assert_int_equal(ticks_at(zero, 44100, 44100).t, 90000);
	assert_int_equal(ticks_at(late, 48000, 48000).t, 89999);
	/* a century at 48 kHz: sample * 90000 alone would not fit in 64 bits */
	uint64_t seconds = UINT64_C(100) * 366 * 86400 * 1000;
	assert_int_equal(ticks_at(zero, seconds * 48000 + 24000, 48000).t, (seconds * 90000 + 45000) & TICKS_MASK);
	assert_int_equal(ticks_diff((struct ticks){ 5 }, late), 6);
	assert_int_equal(ticks_diff(late, (struct ticks){ 5 }), -6);
	assert_int_equal(ticks_sub((struct ticks){ 5 }, 6).t, TICKS_MASK);
}

static void
packet_is(const struct ts_packet *p, const char *head, size_t head_len)
{
	uint8_t out[TS_PACKET_SIZE];
	memset(out, 0xEE, sizeof out);
	uint8_t *payload = ts_packet_write(p, out);
	assert_ptr_equal(payload, out + TS_PACKET_SIZE - p->payload_size);
	assert_memory_equal(out, head, head_len);
	for (uint8_t *b = out + head_len; b < payload; b++)
		assert_int_equal(*b, 0xFF);
	for (uint8_t *b = payload; b < out + TS_PACKET_SIZE; b++)
		assert_int_equal(*b, 0xEE);
}

static void
packet_headers_are_golden(void **state)
{
	(void)state;
	struct ts_packet p = { .pid = TS_PID_AUDIO, .continuity_counter = 0x2B, .payload_size = 184 };
	packet_is(&p, "\x47\x01\x00\x1B", 4);
	p.payload_unit_start = true;
	packet_is(&p, "\x47\x41\x00\x1B", 4);
	p.payload_size = 183; /* one byte of stuffing */
	packet_is(&p, "\x47\x41\x00\x3B\x00", 5);
	p.payload_size = 182;
	packet_is(&p, "\x47\x41\x00\x3B\x01\x00", 6);
	p.payload_size = 1;
	packet_is(&p, "\x47\x41\x00\x3B\xB6\x00", 6);
	p = (struct ts_packet){ .pid = TS_PID_PMT, .has_pcr = true, .random_access = true, .pcr.t = 63000 };
	p.payload_size = ts_packet_room(&p);
	assert_int_equal(p.payload_size, 176);
	packet_is(&p, "\x47\x10\x00\x30\x07\x50\x00\x00\x7B\x0C\x7E\x00", 12);
	p.payload_size = 0;
	p.random_access = false;
	p.pcr.t = TICKS_MASK;
	packet_is(&p, "\x47\x10\x00\x20\xB7\x10\xFF\xFF\xFF\xFF\xFE\x00", 12);
	p = (struct ts_packet){ .pid = TS_PID_ID3, .discontinuity = true };
	p.payload_size = ts_packet_room(&p);
	packet_is(&p, "\x47\x01\x01\x30\x01\x80", 6);
}

/* Frames of `len` bytes; the caller frees .frames and the bytes of the first. */
static struct media_segment
frames_of(uint32_t key, size_t count, uint32_t len)
{
	struct media_frame *f = calloc(count, sizeof *f);
	uint8_t *bytes = calloc(count, len);
	struct media_segment s = { .frames = f, .count = count, .anchor.t = 126000 };
	assert_true(f && bytes);
	adts_format(key, &s.format);
	for (size_t i = 0; i < count; i++) {
		adts_write(key, len - ADTS_HEADER, 1, bytes + i * len);
		f[i] = (struct media_frame){ .data = bytes + i * len, .len = len, .samples = ADTS_BLOCK_SAMPLES };
	}
	return s;
}

static void
frames_free(struct media_segment *s)
{
	free((void *)s->frames[0].data);
	free((void *)s->frames);
}

static void
first_audio_packet_is_golden(void **state)
{
	(void)state;
	static const uint8_t expected[] = { 0x47, 0x41, 0x00, 0x30,     /* PUSI, PID 0x100, both, counter 0 */
		0xA8, 0x50, 0x00, 0x00, 0x7B, 0x0C, 0x7E, 0x00, 0xFF }; /* random access, PCR 63000 */
	static const uint8_t pes[] = { 0x00, 0x00, 0x01, 0xC0, 0x00, 0xD0, 0x84, 0x80, 0x05, 0x21, 0x00, 0x07, 0xD8,
		0x61, 0xFF };
	struct media_segment s = frames_of(AAC_LC_44100_STEREO, 2, 100);
	uint8_t *out = malloc(ts_segment_bound(&s, true));
	assert_int_equal(ts_segment_write(&s, true, out), 18 * TS_PACKET_SIZE);
	assert_memory_equal(out + 2 * TS_PACKET_SIZE, expected, sizeof expected);
	assert_memory_equal(out + 3 * TS_PACKET_SIZE - sizeof pes, pes, sizeof pes);
	free(out);
	frames_free(&s);
}

/* What one looks at who gets segment after segment as one stream. */
struct onlooker {
	unsigned pat, pmt, audio; /* next counters */
	bool pcr_seen;
	struct ticks pcr;
	int64_t widest;
};

static struct ticks
pcr_of(const uint8_t *p)
{
	return (struct ticks){ (uint64_t)p[6] << 25 | (uint64_t)p[7] << 17 | p[8] << 9 | p[9] << 1 | p[10] >> 7 };
}

static void
look(struct onlooker *o, const uint8_t *data, size_t len)
{
	assert_int_equal(len % TS_PACKET_SIZE, 0);
	for (const uint8_t *p = data; p < data + len; p += TS_PACKET_SIZE) {
		unsigned pid = (p[1] & 0x1FU) << 8 | p[2];
		unsigned *next = pid == 0 ? &o->pat : pid == 0x1000 ? &o->pmt : &o->audio;
		bool payload = p[3] & 0x10;
		assert_int_equal(p[0], 0x47);
		assert_int_equal(p[3] & 15, (*next - !payload) & 15);
		*next += payload;
		if (pid != 0x100 || !(p[3] & 0x20) || !p[4] || !(p[5] & 0x10))
			continue;
		int64_t step = ticks_diff(pcr_of(p), o->pcr);
		if (o->pcr_seen) {
			assert_in_range(step, 1, 9000);
			o->widest = step > o->widest ? step : o->widest;
		}
		o->pcr = pcr_of(p);
		o->pcr_seen = true;
	}
}

/* Segments of `count` frames each, whose PTS wraps on the way. */
static void
look_at_segments(uint32_t key, size_t count, uint32_t len)
{
	struct onlooker o = { .pat = 7, .pmt = 7 };
	struct media_segment s = frames_of(key, count, len);
	uint8_t *out = malloc(ts_segment_bound(&s, true));
	s.anchor.t = TICKS_MASK - 200000;
	s.sample = 12345;
	for (s.msn = 0x12345677; s.msn < 0x12345677 + 5; s.msn++) {
		size_t size = ts_segment_write(&s, true, out);
		assert_in_range(size, 18 * TS_PACKET_SIZE, ts_segment_bound(&s, true));
		look(&o, out, size);
		s.sample += count * ADTS_BLOCK_SAMPLES;
	}
	assert_in_range(o.widest, 1, 9000);
	free(out);
	frames_free(&s);
}

static void
segments_follow_each_other(void **state)
{
	(void)state;
	look_at_segments(AAC_LC_44100_STEREO, 258, 372);
	look_at_segments(AAC_LC_44100_STEREO, 258, 1500);
	look_at_segments(AAC_LC_44100_STEREO, 259, 187);
	look_at_segments(AAC_LC_44100_STEREO, 258, 8); /* silence: a packet lasts half a second */
	look_at_segments(AAC_LC_44100_STEREO, 1, 600);
	look_at_segments(AAC_LC_8000_MONO, 47, 8); /* a frame lasts 128 ms */
	look_at_segments(AAC_LC_8000_MONO, 47, 700);
}

static void
bytes_depend_on_the_segment_alone(void **state)
{
	(void)state;
	struct media_segment s = frames_of(AAC_LC_44100_STEREO, 258, 372);
	size_t bound = ts_segment_bound(&s, true);
	uint8_t *a = malloc(bound), *b = malloc(bound);
	memset(a, 0x00, bound);
	memset(b, 0xFF, bound);
	size_t size = ts_segment_write(&s, true, a);
	assert_int_equal(ts_segment_write(&s, true, b), size);
	assert_memory_equal(a, b, size);
	s.msn++;
	ts_segment_write(&s, true, b);
	a[3] |= 1; /* the counters of PAT and PMT are all that the number changes */
	a[TS_PACKET_SIZE + 3] |= 1;
	assert_memory_equal(a, b, size);
	free(a);
	free(b);
	frames_free(&s);
}

static void
container_costs_little(void **state)
{
	(void)state;
	struct media_segment s = frames_of(AAC_LC_44100_STEREO, 258, 371);
	uint8_t *out = malloc(ts_segment_bound(&s, true));
	size_t audio = 258 * 371, size = ts_segment_write(&s, true, out);
	assert_in_range(size, audio, audio * 105 / 100);
	free(out);
	frames_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_exact),
		cmocka_unit_test(packet_headers_are_golden),
		cmocka_unit_test(first_audio_packet_is_golden),
		cmocka_unit_test(segments_follow_each_other),
		cmocka_unit_test(bytes_depend_on_the_segment_alone),
		cmocka_unit_test(container_costs_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
