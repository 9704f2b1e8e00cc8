/* Third parties' RTP: packets and reports in any order; frames that come out are whole, their indices go up within a
 * run.
 *
 * Input: u8 flags (1 MPEG audio, 2 ntp-64 as element 1), then records: u8 kind and time (bit 7: RTCP, else the lower 7
 * bits are ms to pass before), u8 length, bytes. A record of kind 0x7f is a packet with a good header around its bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/log.h"
#include "media/adts.h"
#include "media/mpa.h"
#include "relay/rtp_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct state {
	bool any, begun;
	uint64_t last;
	enum codec codec;
};

static void
on_begin(void *ctx, const struct audio_format *format)
{
	struct state *s = ctx;

	s->begun = true;
	s->any = false;
	CHECK(format->codec == s->codec && format->rate > 0);
}

static void
on_frame(void *ctx, const struct rtp_frame *f)
{
	struct state *s = ctx;
	struct adts a;
	struct mpa m;

	CHECK(s->begun && f->position == f->index * f->samples && f->samples > 0);
	CHECK(!s->any || f->index > s->last);
	if (s->codec == CODEC_AAC)
		CHECK(f->len > ADTS_HEADER && adts_parse(f->data, &a) == 0 && a.length == f->len);
	else
		CHECK(f->len > MPA_HEADER && mpa_parse(f->data, &m) == 0 && m.length == f->len);
	s->any = true;
	s->last = f->index;
}

static void
on_time(void *ctx, int64_t position, struct wall wall)
{
	const struct state *s = ctx;

	(void)position;
	(void)wall;
	CHECK(s->begun);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cursor c = cursor_of(data, len);
	uint8_t flags = cursor_u8(&c);
	bool mpa = flags & 1;
	struct sdp sdp = { .payload_type = mpa ? 14 : 96, .clock = mpa ? 90000 : 44100, .id_wall = flags & 2 ? 1 : 0 };
	struct state state = { .codec = mpa ? CODEC_MP3 : CODEC_AAC };
	struct rtp_stream_sink sink = { on_begin, on_frame, on_time, &state };
	struct mono now = { NS_PER_S };
	struct rtp_stream s;
	uint16_t sequence = 65530;

	if (mpa)
		sdp.format.codec = CODEC_MP3;
	else
		adts_format(0xfff15080, &sdp.format);
	CHECK(rtp_stream_init(&s, &sdp, RTP_STREAM_WAIT, &sink) == 0);
	while (cursor_left(&c) > 2) {
		uint8_t kind = cursor_u8(&c);
		size_t n = cursor_u8(&c);
		const uint8_t *bytes = cursor_take(&c, n < cursor_left(&c) ? n : cursor_left(&c));
		n = (size_t)(c.p - bytes);
		uint8_t *copy = malloc(n + 12); /* its end is the end of memory */
		now.ns += (kind & 0x7f) * NS_PER_MS;
		if (kind == 0x7f) {
			const uint8_t head[12] = { 0x80, sdp.payload_type, (uint8_t)(sequence >> 8),
				(uint8_t)sequence };
			memcpy(copy, head, 12);
			memcpy(copy + 12, bytes, n);
			memset(copy + 4, (uint8_t)(sequence * 4), 4);
			memset(copy + 8, 1, 4);
			sequence++;
			rtp_stream_packet(&s, now, copy, n + 12);
		} else {
			memcpy(copy + 12, bytes, n);
			if (kind & 0x80)
				rtp_stream_control(&s, copy + 12, n);
			else
				rtp_stream_packet(&s, now, copy + 12, n);
		}
		free(copy);
		rtp_stream_tick(&s, now);
		CHECK(s.waiting <= RTP_STREAM_SLOTS);
	}
	rtp_stream_fini(&s);
	return 0;
}
