/* Payloads: golden bytes, what is malformed, and fragments in any order. */
#include "relay/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t
payload_of(struct rtp_writer *w, uint8_t *out)
{
	size_t len;

	assert_int_equal(rtp_end(w, &len), 0);
	memmove(out, out + RTP_HEADER, len - RTP_HEADER);
	return len - RTP_HEADER;
}

static void
test_golden_aac(void **state)
{
	static const uint8_t golden[] = { 0x00, 0x20, 0x00, 0x18, 0x00, 0x10, 'a', 'b', 'c', 'd', 'e' };
	static const uint8_t part[] = { 0x00, 0x10, 0x1f, 0x40, 'x', 'y' };
	struct payload_frame frames[] = { { (const uint8_t *)"abc", 3 }, { (const uint8_t *)"de", 2 } };
	uint8_t out[128];
	struct rtp_writer w;
	struct payload p;
	(void)state;

	rtp_begin(&w, out, sizeof(out), &(struct rtp_head){ 0 });
	payload_put_aac(&w, frames, 2);
	assert_int_equal(payload_of(&w, out), sizeof(golden));
	assert_memory_equal(out, golden, sizeof(golden));
	assert_int_equal(payload_parse_aac(golden, sizeof(golden), &p), 0);
	assert_int_equal(p.frames, 2);
	assert_int_equal(p.frame[1].len, 2);
	assert_memory_equal(p.frame[1].data, "de", 2);
	rtp_begin(&w, out, sizeof(out), &(struct rtp_head){ 0 });
	payload_put_aac_fragment(&w, 1000, (const uint8_t *)"xy", 2);
	assert_int_equal(payload_of(&w, out), sizeof(part));
	assert_memory_equal(out, part, sizeof(part));
	assert_int_equal(payload_parse_aac(part, sizeof(part), &p), 0);
	assert_int_equal(p.frames, 0);
	assert_int_equal(p.total, 1000);
	assert_int_equal(p.frame[0].len, 2);
}

static void
test_golden_mpa(void **state)
{
	uint8_t frame[104] = { 0xff, 0xe3, 0x20, 0xc0 }, out[300]; /* layer III of 104 bytes */
	struct payload_frame frames[] = { { frame, sizeof(frame) }, { frame, sizeof(frame) } };
	struct rtp_writer w;
	struct payload p;
	(void)state;

	rtp_begin(&w, out, sizeof(out), &(struct rtp_head){ 0 });
	payload_put_mpa(&w, frames, 2);
	assert_int_equal(payload_of(&w, out), 4 + 208);
	assert_memory_equal(out, "\0\0\0\0\xff\xe3\x20\xc0", 8);
	assert_int_equal(payload_parse_mpa(out, 4 + 208, &p), 0);
	assert_int_equal(p.frames, 2);
	assert_int_equal(payload_parse_mpa(out, 4 + 150, &p), PAYLOAD_LENGTH);
	assert_int_equal(payload_parse_mpa(out, 4 + 100, &p), 0);
	assert_int_equal(p.frames, 0);
	assert_int_equal(p.total, 104);
	rtp_begin(&w, out, sizeof(out), &(struct rtp_head){ 0 });
	payload_put_mpa_fragment(&w, 100, frame, 4);
	assert_int_equal(payload_of(&w, out), 8);
	assert_int_equal(payload_parse_mpa(out, 8, &p), 0);
	assert_int_equal(p.offset, 100);
	assert_int_equal(p.total, 0);
}

static void
test_malformed(void **state)
{
	static const struct {
		bool mpa;
		int error;
		uint8_t len, bytes[12];
	} bad[] = {
		{ false, PAYLOAD_SHORT, 0, { 0 } }, { false, PAYLOAD_SHORT, 1, { 0 } },
		{ false, PAYLOAD_HEADERS, 2, { 0, 0 } }, { false, PAYLOAD_HEADERS, 4, { 0, 15, 0, 8 } },
		{ false, PAYLOAD_SHORT, 3, { 0, 16, 0 } }, { false, PAYLOAD_INTERLEAVED, 5, { 0, 16, 0, 9, 1 } },
		{ false, PAYLOAD_LENGTH, 4, { 0, 16, 0, 8 } }, { false, PAYLOAD_LENGTH, 5, { 0, 16, 0, 0, 1 } },
		{ false, PAYLOAD_LENGTH, 6, { 0, 16, 0, 8, 1, 2 } },
		{ false, PAYLOAD_LENGTH, 7, { 0, 32, 0, 8, 0, 16, 1 } }, { false, PAYLOAD_MANY, 4, { 4, 16, 0, 8 } },
		{ true, PAYLOAD_SHORT, 3, { 0 } }, { true, PAYLOAD_SHORT, 4, { 0 } },
		{ true, PAYLOAD_FRAME, 8, { 0, 0, 0, 0, 1, 2, 3, 4 } },
		{ true, PAYLOAD_FRAME, 7, { 0, 0, 0, 0, 0xff, 0xfb, 0x90 } },
		{ true, PAYLOAD_FRAME, 8, { 0, 0, 0, 0, 0xff, 0xfd, 0xa4, 0 } }, /* layer II */
		{ true, PAYLOAD_FRAME, 8, { 0, 0, 0, 0, 0xff, 0xfb, 0x00, 0 } }, /* free format */
	};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct payload p;
		uint8_t *exact = malloc(bad[i].len ? bad[i].len : 1);
		for (uint8_t n = 0; n < bad[i].len; n++)
			exact[n] = bad[i].bytes[n];
		int r = (bad[i].mpa ? payload_parse_mpa : payload_parse_aac)(exact, bad[i].len, &p);
		if (r != bad[i].error)
			fail_msg("case %zu: %s", i, payload_error_text(r));
		free(exact);
	}
}

static int
add(struct payload_assembly *a, bool mpa, uint32_t total, uint32_t n, uint32_t parts)
{
	static uint8_t data[PAYLOAD_FRAME_MAX];
	uint32_t at = n * (total / parts), len = n == parts - 1 ? total - at : total / parts;
	struct payload f = { .total = mpa && n > 0 ? 0 : total, .offset = mpa ? at : 0 };

	for (uint32_t i = 0; i < len; i++)
		data[i] = (uint8_t)((at + i) * 31);
	f.frame[0] = (struct payload_frame){ data, len };
	return mpa ? payload_assembly_mpa(a, &f) : payload_assembly_aac(a, &f, 1000 + n, n == parts - 1);
}

static void
is_whole(const struct payload_assembly *a, uint32_t total)
{
	static uint8_t out[PAYLOAD_FRAME_MAX];

	assert_int_equal(payload_assembly_take(a, out), total);
	for (uint32_t i = 0; i < total; i++)
		assert_int_equal(out[i], (uint8_t)(i * 31));
}

/* Every order of four fragments, each twice. */
static void
test_orders(void **state)
{
	static struct payload_assembly a;
	(void)state;

	for (int mpa = 0; mpa < 2; mpa++)
		for (uint32_t code = 0; code < 256; code++) {
			uint32_t order[4] = { code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 };
			if ((1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3]) != 15)
				continue;
			payload_assembly_init(&a, code);
			for (int i = 0; i < 4; i++) {
				assert_int_equal(add(&a, mpa, 4003, order[i], 4), i == 3);
				if (i < 3)
					assert_int_equal(add(&a, mpa, 4003, order[i], 4), 0);
			}
			is_whole(&a, 4003);
		}
}

static void
test_contradictions(void **state)
{
	static struct payload_assembly a;
	static uint8_t data[6000];
	struct payload f = { .total = 12, .frame = { { data, 4 } } };
	(void)state;

	payload_assembly_init(&a, 0); /* two totals */
	assert_int_equal(add(&a, false, 4000, 0, 4), 0);
	assert_int_equal(add(&a, false, 4001, 1, 4), PAYLOAD_CONFLICT);
	payload_assembly_init(&a, 0); /* more bytes than the frame has */
	f.frame[0].len = 13;
	assert_int_equal(payload_assembly_aac(&a, &f, 1, false), PAYLOAD_CONFLICT);
	payload_assembly_init(&a, 0); /* the right sum, with a hole in it */
	f.frame[0].len = 6;
	assert_int_equal(payload_assembly_aac(&a, &f, 1, false), 0);
	assert_int_equal(payload_assembly_aac(&a, &f, 3, true), PAYLOAD_CONFLICT);
	payload_assembly_init(&a, 0); /* no end */
	assert_int_equal(payload_assembly_aac(&a, &f, 1, false), 0);
	assert_int_equal(payload_assembly_aac(&a, &f, 2, false), PAYLOAD_CONFLICT);
	payload_assembly_init(&a, 0); /* MPA: overlapping */
	assert_int_equal(payload_assembly_mpa(&a, &f), 0);
	f.offset = 5;
	f.total = 0;
	assert_int_equal(payload_assembly_mpa(&a, &f), PAYLOAD_CONFLICT);
	payload_assembly_init(&a, 0); /* larger than any frame */
	f.frame[0].len = 6000;
	f.total = 8191;
	assert_int_equal(payload_assembly_aac(&a, &f, 1, false), 0);
	assert_int_equal(payload_assembly_aac(&a, &f, 2, false), PAYLOAD_MANY);
	payload_assembly_init(&a, 0); /* more fragments than are kept */
	f.frame[0].len = 1;
	for (uint64_t i = 0; i < PAYLOAD_PARTS_MAX; i++)
		assert_int_equal(payload_assembly_aac(&a, &f, i, false), 0);
	assert_int_equal(payload_assembly_aac(&a, &f, 99, true), PAYLOAD_MANY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_aac),
		cmocka_unit_test(test_golden_mpa),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_contradictions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
