/* Third parties' RTP: order, losses, copies, wraps, sources, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "media/adts.h"
#include "relay/rtp_stream.h"

#define SSRC 0x01020304u

struct heard {
	unsigned runs, frames, times;
	uint64_t index[4096];
	uint8_t tag[4096]; /* first byte of the access unit */
	int64_t position;
	struct wall wall;
};

static struct heard heard;
static struct rtp_stream stream;
static struct mono now;

static void
on_begin(void *ctx, const struct audio_format *format)
{
	(void)ctx;
	assert_int_equal(format->codec, CODEC_AAC);
	heard.runs++;
}

static void
on_frame(void *ctx, const struct rtp_frame *f)
{
	struct adts h;

	(void)ctx;
	assert_int_equal(f->samples, 1024);
	assert_int_equal(f->position, f->index * 1024);
	assert_int_equal(adts_parse(f->data, &h), 0);
	assert_int_equal(h.length, f->len);
	heard.index[heard.frames % 4096] = f->index;
	heard.tag[heard.frames++ % 4096] = f->data[ADTS_HEADER];
}

static void
on_time(void *ctx, int64_t position, struct wall wall)
{
	(void)ctx;
	heard.times++;
	heard.position = position;
	heard.wall = wall;
}

static int
begin(void **state)
{
	static const struct rtp_stream_sink sink = { .begin = on_begin, .frame = on_frame, .sender_time = on_time };
	struct sdp sdp = { .payload_type = 96, .clock = 44100 };

	(void)state;
	adts_format(0xfff15080, &sdp.format);
	memset(&heard, 0, sizeof(heard));
	now.ns = 1000 * NS_PER_S;
	return rtp_stream_init(&stream, &sdp, RTP_STREAM_WAIT, &sink);
}

static int
end(void **state)
{
	(void)state;
	rtp_stream_fini(&stream);
	return 0;
}

static void
send_to(uint32_t ssrc, uint16_t sequence, uint32_t timestamp, uint8_t tag)
{
	const uint8_t au[6] = { tag, 1, 2, 3, 4, 5 };
	struct rtp_writer w;
	uint8_t out[200];
	size_t len = 0;

	rtp_begin(&w, out, sizeof(out),
	    &(struct rtp_head){
		.marker = true, .payload_type = 96, .sequence = sequence, .timestamp = timestamp, .ssrc = ssrc });
	payload_put_aac(&w, &(struct payload_frame){ au, sizeof(au) }, 1);
	assert_int_equal(rtp_end(&w, &len), 0);
	rtp_stream_packet(&stream, now, out, len);
}

/* Frame n of a sender that begins shortly before both numbers wrap. */
static void
frame(unsigned n)
{
	send_to(SSRC, (uint16_t)(65500 + n), 0xfffff000u + n * 1024, (uint8_t)n);
}

static void
pass(int64_t ms)
{
	now.ns += ms * NS_PER_MS;
	rtp_stream_tick(&stream, now);
}

static void
test_in_order(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2000; n++) {
		frame(n);
		pass(23);
	}
	assert_int_equal(heard.frames, 2000);
	assert_int_equal(heard.runs, 1);
	for (unsigned n = 0; n < 2000; n++)
		assert_true(heard.index[n] == n && heard.tag[n] == (uint8_t)n);
	assert_int_equal(stream.counters.lost, 0);
}

/* Reordered and doubled packets within the wait come out in order, once. */
static void
test_reordered(void **state)
{
	(void)state;
	frame(0);
	for (unsigned n = 1; n < 2000; n += 4) {
		frame(n + 3);
		frame(n + 1);
		frame(n + 1);
		pass(50);
		frame(n);
		frame(n + 2);
		frame(n + 3);
		pass(43);
	}
	assert_int_equal(heard.frames, 2001);
	for (unsigned n = 0; n < 2001; n++)
		assert_true(heard.index[n] == n && heard.tag[n] == (uint8_t)n);
	assert_int_equal(stream.counters.copies, 1000);
	assert_int_equal(stream.counters.lost, 0);
}

/* A lost packet is waited for, then leaves a hole; what comes later is late. */
static void
test_lost(void **state)
{
	(void)state;
	frame(0);
	frame(1);
	frame(3);
	pass(199);
	assert_int_equal(heard.frames, 2);
	pass(1);
	assert_int_equal(heard.frames, 3);
	assert_int_equal(heard.index[2], 3);
	frame(2);
	assert_int_equal(heard.frames, 3);
	assert_int_equal(stream.counters.lost, 1);
	assert_int_equal(stream.counters.late, 1);
	frame(4);
	assert_int_equal(heard.index[3], 4);
	assert_int_equal(heard.runs, 1);
}

/* Timestamps that stumble where nothing was lost move nothing; a jump is a new run. */
static void
test_timestamps(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 100; n++)
		send_to(SSRC, (uint16_t)n, n * 1024 + (n % 3) * 300, (uint8_t)n);
	assert_int_equal(heard.frames, 100);
	assert_int_equal(heard.index[99], 99);
	assert_int_equal(heard.runs, 1);
	send_to(SSRC, 100, 100 * 1024 + 20 * 1024, 100); /* a pause of the sender */
	assert_int_equal(heard.index[100], 120);
	send_to(SSRC, 101, 100 * 44100, 101);
	assert_int_equal(heard.runs, 2);
	assert_int_equal(heard.index[101], 0);
	send_to(SSRC, 102, 5, 102);
	assert_int_equal(heard.runs, 3);
}

/* A stranger is left out while the source speaks, and taken when it is silent; a sender that begins anew is seen. */
static void
test_sources(void **state)
{
	(void)state;
	frame(0);
	send_to(9, 7, 7, 7);
	assert_int_equal(stream.counters.strangers, 1);
	frame(1);
	pass(400);
	send_to(9, 8, 8, 8);
	assert_int_equal(heard.frames, 3);
	assert_int_equal(heard.runs, 2);
	for (uint16_t n = 0; n < 6; n++)
		send_to(9, (uint16_t)(30000 + n), 50 + n * 1024u, n);
	assert_int_equal(stream.counters.sources, 3);
	assert_int_equal(heard.runs, 3);
	assert_int_equal(heard.frames, 3 + 4);
}

/* RFC 3550 6.4.1 */
static void
report(uint32_t ssrc, uint32_t seconds, uint32_t fraction, uint32_t timestamp)
{
	uint8_t sr[28] = { 0x80, 200, 0, 6 };
	const uint32_t words[4] = { ssrc, seconds, fraction, timestamp };

	for (unsigned i = 0; i < 16; i++)
		sr[4 + i] = (uint8_t)(words[i / 4] >> (24 - i % 4 * 8));
	rtp_stream_control(&stream, sr, sizeof(sr));
}

static void
test_reports(void **state)
{
	(void)state;
	report(SSRC, 3900000000u, 0x80000000u, 0xfffff000u); /* before the first packet, as ffmpeg does */
	assert_int_equal(heard.times, 0);
	frame(0);
	assert_int_equal(heard.times, 1);
	assert_int_equal(heard.position, 0);
	assert_int_equal(heard.wall.ns, (3900000000 - INT64_C(2208988800)) * NS_PER_S + NS_PER_S / 2);
	for (unsigned n = 1; n < 10; n++)
		frame(n);
	report(SSRC, 3900000001u, 0, 0xfffff000u + 44100);
	assert_int_equal(heard.times, 2);
	assert_int_equal(heard.position, 44100);
	report(SSRC, 3900000001u, 0, 0xfffff000u - 100);
	assert_int_equal(heard.position, -100);
	report(77, 3900000001u, 0, 5);
	assert_int_equal(heard.times, 3);
	rtp_stream_control(&stream, (const uint8_t *)"\x80\xc8\0\x20", 4);
	assert_int_equal(stream.counters.malformed, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, begin, end),
		cmocka_unit_test_setup_teardown(test_reordered, begin, end),
		cmocka_unit_test_setup_teardown(test_lost, begin, end),
		cmocka_unit_test_setup_teardown(test_timestamps, begin, end),
		cmocka_unit_test_setup_teardown(test_sources, begin, end),
		cmocka_unit_test_setup_teardown(test_reports, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
