/* RTP packets, their header elements, and packets in byte streams. */
#include "relay/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "relay/framing.h"
#include "relay/rtp_run.h"

/* One AAC packet as doc/formats.md draws it. */
static const uint8_t golden[] = {
	0x90, 0xe0, 0x12, 0x34, 0x00, 0x01, 0x02, 0x03, 0xca, 0xfe, 0xba,
	0xbe,                                                        /* V=2 X, M PT=96, sequence, timestamp, SSRC */
	0x10, 0x00, 0x00, 0x13,                                      /* two-byte form, 19 words */
	1, 8, 0xee, 0xac, 0xd0, 0x10, 0x80, 0x00, 0x00, 0x00,        /* wall */
	2, 16, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0x1c, 0x00, /* packet 7, sample 7168 */
	3, 8, 'f', 'i', 'p', '.', 'h', 'i', 'f', 'i',                /* MID */
	4, 4, 'm', 'a', 'i', 'n',                                    /* RtpStreamId */
	5, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, /* run id */
	6, 4, 0xff, 0xf1, 0x50, 0x80,                                /* ADTS fixed header, AAC-LC */
	7, 4, 'm', 'a', 'r', 'k',                                    /* mark */
	0, 0,                                                        /* to the word */
	0xde, 0xad,                                                  /* payload */
};

static const struct audio_format lc = {
	.codec = CODEC_AAC, .header = { 0xff, 0xf1, 0x50, 0x80 }, .rate = 44100, .channels = 2
};
static const uint8_t run_id[RTP_RUN_ID] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static void
test_golden_is_written(void **state)
{
	uint8_t out[RTP_PACKET_MAX];
	struct rtp_writer w;
	struct rtp_head head = {
		.marker = true, .payload_type = 96, .sequence = 0x1234, .timestamp = 0x10203, .ssrc = 0xcafebabe
	};
	struct rtp_position position = { .packet = 7, .sample = 7168 };
	size_t len;
	(void)state;

	rtp_begin(&w, out, sizeof(out), &head);
	/* 4004302864.5 s since 1900 */
	rtp_put_wall(&w, (struct wall){ INT64_C(1795314064500000000) });
	rtp_put_position(&w, &position);
	rtp_put_text(&w, RTP_ID_MID, "fip.hifi");
	rtp_put_text(&w, RTP_ID_RID, "main");
	rtp_put_element(&w, RTP_ID_RUN, run_id, sizeof(run_id));
	rtp_put_format(&w, &lc);
	rtp_put_element(&w, RTP_ID_MARK, "mark", 4);
	rtp_put_payload(&w, "\xde\xad", 2);
	assert_int_equal(rtp_end(&w, &len), 0);
	assert_int_equal(len, sizeof(golden));
	assert_memory_equal(out, golden, sizeof(golden));
}

static void
test_golden_is_read(void **state)
{
	struct rtp_packet p;
	struct wall wall;
	struct rtp_position position;
	char mid[RTP_MID_MAX + 1], rid[RTP_RID_MAX + 1];
	uint8_t id[RTP_RUN_ID];
	struct audio_format format;
	struct rtp_element mark;
	(void)state;

	assert_int_equal(rtp_parse(golden, sizeof(golden), &p), 0);
	assert_true(p.marker);
	assert_int_equal(p.payload_type, 96);
	assert_int_equal(p.sequence, 0x1234);
	assert_int_equal(p.timestamp, 0x10203);
	assert_int_equal(p.ssrc, 0xcafebabe);
	assert_int_equal(p.payload_len, 2);
	assert_memory_equal(p.payload, "\xde\xad", 2);
	assert_int_equal(rtp_wall(&p, &wall), 0);
	assert_int_equal(wall.ns, INT64_C(1795314064500000000));
	assert_int_equal(rtp_position(&p, &position), 0);
	assert_int_equal(position.packet, 7);
	assert_int_equal(position.sample, 7168);
	assert_int_equal(position.deviations, 0);
	assert_int_equal(rtp_mid(&p, mid), 0);
	assert_string_equal(mid, "fip.hifi");
	assert_int_equal(rtp_rid(&p, rid), 0);
	assert_string_equal(rid, "main");
	assert_int_equal(rtp_run_id(&p, id), 0);
	assert_memory_equal(id, run_id, sizeof(id));
	assert_int_equal(rtp_format(&p, &format), 0);
	assert_true(audio_format_equal(&format, &lc));
	assert_int_equal(format.rate, 44100);
	assert_int_equal(rtp_mark(&p, &mark), 0);
	assert_int_equal(mark.len, 4);
}

static uint64_t
noise(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static struct wall
wall_there_and_back(struct wall wall)
{
	uint8_t out[64];
	struct rtp_writer w;
	struct rtp_packet p;
	struct wall back = { 0 };
	size_t len;

	rtp_begin(&w, out, sizeof(out), &(struct rtp_head){ 0 });
	rtp_put_wall(&w, wall);
	assert_int_equal(rtp_end(&w, &len), 0);
	assert_int_equal(rtp_parse(out, len, &p), 0);
	assert_int_equal(rtp_wall(&p, &back), 0);
	return back;
}

static void
test_every_ns_survives(void **state)
{
	static const int64_t edges[] = { 0, 1, -1, 999999999, 1000000000, 1999999999, INT64_C(2085978495999999999),
		INT64_C(2085978496000000000), INT64_C(2085978496000000001), /* 2036: the wrap */
		INT64_C(4233462143999999999), INT64_C(-61505152000000000) };
	uint64_t x = 88172645463325252;
	(void)state;

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		assert_int_equal(wall_there_and_back((struct wall){ edges[i] }).ns, edges[i]);
	for (int i = 0; i < 1000000; i++) {
		struct wall wall = { (int64_t)(noise(&x) % UINT64_C(4233462143000000000)) };
		if (wall_there_and_back(wall).ns != wall.ns)
			fail_msg("%lld", (long long)wall.ns);
	}
}

/* A fraction that rounds up to the next second. */
static void
test_wall_of_others(void **state)
{
	uint8_t packet[] = { 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 3, 0x17, 0x83, 0xaa, 0x7e, 0x80,
		0xff, 0xff, 0xff, 0xff, 0, 0, 0 };
	struct rtp_packet p;
	struct wall wall;
	(void)state;

	assert_int_equal(rtp_parse(packet, sizeof(packet), &p), 0);
	assert_int_equal(rtp_wall(&p, &wall), 0);
	assert_int_equal(wall.ns, NS_PER_S);
	packet[16] = 0x16; /* one byte less */
	assert_int_equal(rtp_parse(packet, sizeof(packet), &p), 0);
	assert_int_equal(rtp_wall(&p, &wall), RTP_VALUE);
}

static void
test_deviations(void **state)
{
	uint8_t out[128];
	struct rtp_writer w;
	struct rtp_packet p;
	struct rtp_position in = { .packet = UINT64_MAX, .sample = 1, .deviations = 2, .deviation = { -5, INT32_MAX } },
			    back;
	size_t len;
	(void)state;

	rtp_begin(&w, out, sizeof(out), &(struct rtp_head){ 0 });
	rtp_put_position(&w, &in);
	assert_int_equal(rtp_end(&w, &len), 0);
	assert_int_equal(rtp_parse(out, len, &p), 0);
	assert_int_equal(rtp_position(&p, &back), 0);
	assert_int_equal(back.packet, UINT64_MAX);
	assert_int_equal(back.deviations, 2);
	assert_int_equal(back.deviation[0], -5);
	assert_int_equal(back.deviation[1], INT32_MAX);
	in.deviation[0] = in.deviation[1] = 0; /* needs no saying */
	rtp_begin(&w, out, sizeof(out), &(struct rtp_head){ 0 });
	rtp_put_position(&w, &in);
	assert_int_equal(rtp_end(&w, &len), 0);
	assert_int_equal(rtp_parse(out, len, &p), 0);
	assert_int_equal(p.element[RTP_ID_POSITION].len, 16);
}

static void
test_bad_packets(void **state)
{
	static const struct {
		int error;
		uint8_t len, bytes[24];
	} bad[] = {
		{ RTP_SHORT, 0, { 0 } },
		{ RTP_SHORT, 11, { 0x80 } },
		{ RTP_VERSION, 12, { 0x40 } },
		{ RTP_VERSION, 12, { 0xc0 } },
		{ RTP_CONTROL, 12, { 0x80, 200 } },
		{ RTP_CSRC, 12, { 0x81 } },
		{ RTP_CSRC, 15, { 0x81 } },
		{ RTP_EXTENSION, 12, { 0x90 } },
		{ RTP_EXTENSION, 15, { 0x90 } },
		{ RTP_EXTENSION, 16, { 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1 } },
		{ RTP_ELEMENT, 20, { 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 1, 3, 0, 0 } },
		{ RTP_ELEMENT, 20, { 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 0, 0, 0, 1 } },
		{ RTP_ELEMENT, 20, { 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1, 0x13, 0, 0, 0 } },
		{ RTP_PADDING, 12, { 0xa0 } },
		{ RTP_PADDING, 13, { 0xa0 } },
		{ RTP_PADDING, 13, { 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 } },
	};
	struct rtp_packet p;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t *exact = malloc(bad[i].len + 1u);
		memcpy(exact, bad[i].bytes, bad[i].len);
		exact = realloc(exact, bad[i].len ? bad[i].len : 1); /* so that a sanitizer sees a read too far */
		if (rtp_parse(exact, bad[i].len, &p) != bad[i].error)
			fail_msg("case %zu: %s", i, rtp_error_text(rtp_parse(exact, bad[i].len, &p)));
		free(exact);
	}
}

static void
test_good_packets(void **state)
{
	static const uint8_t padded[] = { 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 0, 3, 'x' };
	static const uint8_t other[] = { 0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0x12, 0x34, 0, 1, 9, 9, 9,
		9, 5 };
	static const uint8_t stop[] = { 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1, 0xf7, 0x30, 1, 2, 5 };
	struct rtp_packet p;
	(void)state;

	assert_int_equal(rtp_parse(padded, 16, &p), 0);
	assert_int_equal(p.payload_len, 1);
	assert_int_equal(rtp_parse_header(padded, 16, &p), 0); /* what is protected hides its padding */
	assert_int_equal(p.payload_len, 4);
	assert_int_equal(rtp_parse(other, sizeof(other), &p), 0); /* an extension of another kind is passed over */
	assert_int_equal(p.csrcs, 1);
	assert_int_equal(p.payload_len, 1);
	assert_int_equal(rtp_parse(stop, sizeof(stop), &p), 0); /* id 15 ends the elements */
	assert_null(p.element[3].data);
}

/* Names, run ids and formats that cannot be. */
static void
test_bad_values(void **state)
{
	static const struct {
		uint8_t id;
		const char *value;
	} bad[] = { { RTP_ID_MID, "" }, { RTP_ID_MID, "FIP" }, { RTP_ID_MID, "a.b.c" }, { RTP_ID_MID, ".a" },
		{ RTP_ID_MID, "a." }, { RTP_ID_MID, "../x" }, { RTP_ID_RID, "a-b" }, { RTP_ID_RID, "" },
		{ RTP_ID_RUN, "short" }, { RTP_ID_FORMAT, "\xff\xf1\x50" }, { RTP_ID_FORMAT, "\xff\xf1\x50\x83" },
		{ RTP_ID_FORMAT, "\xff\xf0\x50\x80" }, { RTP_ID_FORMAT, "\xff\xfd\x04\x04" },
		{ RTP_ID_FORMAT, "\x01\xf1\x50\x80" }, { RTP_ID_FORMAT, "\xff\xfb\x94\x04" },
		{ RTP_ID_WALL, "1234567" }, { RTP_ID_POSITION, "12345678123456781" },
		{ RTP_ID_POSITION, "123456781234567" } };
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t out[128], id[RTP_RUN_ID];
		char text[RTP_MID_MAX + 1];
		struct rtp_writer w;
		struct rtp_packet p;
		struct audio_format f;
		struct wall wall;
		struct rtp_position position;
		size_t len;
		rtp_begin(&w, out, sizeof(out), &(struct rtp_head){ 0 });
		rtp_put_element(&w, bad[i].id, bad[i].value, (uint8_t)strlen(bad[i].value));
		assert_int_equal(rtp_end(&w, &len), 0);
		assert_int_equal(rtp_parse(out, len, &p), 0);
		int r = bad[i].id == RTP_ID_MID      ? rtp_mid(&p, text)
			: bad[i].id == RTP_ID_RID    ? rtp_rid(&p, text)
			: bad[i].id == RTP_ID_RUN    ? rtp_run_id(&p, id)
			: bad[i].id == RTP_ID_WALL   ? rtp_wall(&p, &wall)
			: bad[i].id == RTP_ID_FORMAT ? rtp_format(&p, &f)
						     : rtp_position(&p, &position);
		if (r != RTP_VALUE)
			fail_msg("case %zu: %d", i, r);
	}
	assert_true(rtp_mid_valid("a_b-c.hifi9"));
	assert_true(rtp_rid_valid("Main2"));
	assert_false(rtp_rid_valid("main_2"));
}

static void
test_profiles_and_layer3(void **state)
{
	struct audio_format formats[] = { lc, lc, lc, { .codec = CODEC_MP3, .header = { 0xff, 0xfa, 0, 0 } },
		{ .codec = CODEC_MP3, .header = { 0xff, 0xf2, 4, 0xc0 } } };
	(void)state;

	formats[1].profile = AAC_HE;
	formats[2].profile = AAC_HE_V2;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		uint8_t out[64];
		struct rtp_writer w;
		struct rtp_packet p;
		struct audio_format back;
		size_t len;
		rtp_begin(&w, out, sizeof(out), &(struct rtp_head){ 0 });
		rtp_put_format(&w, &formats[i]);
		assert_int_equal(rtp_end(&w, &len), 0);
		assert_int_equal(rtp_parse(out, len, &p), 0);
		assert_int_equal(rtp_format(&p, &back), 0);
		assert_true(audio_format_equal(&formats[i], &back));
	}
}

static void
test_no_room(void **state)
{
	uint8_t out[40];
	struct rtp_writer w;
	size_t len = 77;
	(void)state;

	for (size_t size = 0; size < sizeof(out); size++) {
		rtp_begin(&w, out, size, &(struct rtp_head){ 0 });
		rtp_put_wall(&w, (struct wall){ 0 });
		size_t room = rtp_room(&w);
		assert_int_equal(room, size < 28 ? 0 : size - 28);
		rtp_put_payload(&w, "abcdefghijklm", 13);
		assert_int_equal(rtp_end(&w, &len), RTP_FULL);
		assert_int_equal(len, 77);
	}
}

/* Whoever sends a run sends the same: these numbers are part of the format. */
static void
test_base_of_a_run(void **state)
{
	struct rtp_base base;
	struct audio_format mp3 = { .codec = CODEC_MP3, .header = { 0xff, 0xfb, 0, 0 }, .rate = 44100 };
	(void)state;

	rtp_run_base(run_id, &base);
	assert_int_equal(base.ssrc, 0x44b6ef2f);
	assert_int_equal(base.timestamp, 0xb84169f7);
	assert_int_equal(base.sequence, 0x28c1);
	assert_int_equal(rtp_run_timestamp(&lc, 5, (UINT64_C(1) << 32) + 10), 15);
	assert_int_equal(rtp_run_timestamp(&mp3, 5, 44100), 90005);
	assert_int_equal(rtp_run_timestamp(&mp3, 0, 1152), 2351);
	/* 49711 s: beyond 2^32 ticks */
	assert_int_equal(rtp_run_timestamp(&mp3, 0, UINT64_C(44100) * 47722), (uint32_t)(UINT64_C(90000) * 47722));
}

/* ---- framing */

static void
test_framing_in_all_pieces(void **state)
{
	static const uint8_t stream[] = { 0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd', 0, 2, 'e', 'f' };
	static struct framing f;
	(void)state;

	for (size_t piece = 1; piece <= sizeof(stream); piece++) {
		char got[16] = "";
		size_t n = 0;
		framing_init(&f);
		for (size_t at = 0; at < sizeof(stream); at += piece) {
			const uint8_t *data = stream + at, *packet;
			size_t len = sizeof(stream) - at < piece ? sizeof(stream) - at : piece, packet_len;
			while (framing_next(&f, &data, &len, &packet, &packet_len) == FRAMING_PACKET) {
				memcpy(got + n, packet, packet_len);
				n += packet_len;
				got[n++] = ' ';
			}
			assert_int_equal(len, 0);
		}
		assert_string_equal(got, "abc d ef ");
		assert_int_equal(f.packets, 3);
		assert_int_equal(f.empty, 1);
	}
}

static void
test_framing_bound(void **state)
{
	static struct framing f;
	static uint8_t stream[2 + RTP_RECEIVE_MAX];
	const uint8_t *data = stream, *packet;
	size_t len = sizeof(stream), packet_len;
	(void)state;

	framing_init(&f);
	framing_write(RTP_RECEIVE_MAX, stream);
	assert_int_equal(framing_next(&f, &data, &len, &packet, &packet_len), FRAMING_PACKET);
	assert_int_equal(packet_len, RTP_RECEIVE_MAX);
	framing_write(RTP_RECEIVE_MAX + 1, stream);
	data = stream;
	len = 2;
	assert_int_equal(framing_next(&f, &data, &len, &packet, &packet_len), FRAMING_TOO_LONG);
	data = stream;
	len = 1;
	framing_init(&f);
	assert_int_equal(framing_next(&f, &data, &len, &packet, &packet_len), FRAMING_MORE);
	len = 1;
	assert_int_equal(framing_next(&f, &data, &len, &packet, &packet_len), FRAMING_TOO_LONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_is_written),
		cmocka_unit_test(test_golden_is_read),
		cmocka_unit_test(test_every_ns_survives),
		cmocka_unit_test(test_wall_of_others),
		cmocka_unit_test(test_deviations),
		cmocka_unit_test(test_bad_packets),
		cmocka_unit_test(test_good_packets),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_profiles_and_layer3),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_base_of_a_run),
		cmocka_unit_test(test_framing_in_all_pieces),
		cmocka_unit_test(test_framing_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
