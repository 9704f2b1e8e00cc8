/* A third party's RTP stream: from packets to frames in order. */
#include "relay/rtp_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "media/adts.h"
#include "media/mpa.h"

#define FAR 1000      /* sequence numbers: further away is another stream, or the same begun anew */
#define FAR_PACKETS 3 /* ... when so many come in a row */
#define JUMP_S 1      /* timestamps that jump by more begin a new run */
#define REPORT_S 10   /* a report tells the time of a run that begins so near to it */
#define STUMBLE 4     /* frames */
#define RTCP_SR 200   /* RFC 3550 6.4.1 */
#define NTP_TO_UNIX INT64_C(2208988800)

/* ---- runs and frames */

static struct rtp_stream_slot *
slot_at(struct rtp_stream *s, uint64_t number)
{
	return &s->slots[number % RTP_STREAM_SLOTS];
}

/* Samples at the format's rate. */
static int64_t
position_of(const struct rtp_stream *s, int64_t ticks)
{
	int64_t scaled = ticks * (int64_t)s->format.rate, half = (int64_t)s->sdp.clock / 2;

	return (scaled + (scaled < 0 ? -half : half)) / (int64_t)s->sdp.clock;
}

/* Position in the run of an RTP timestamp, reckoned from the newest frame. */
static int64_t
position_at(const struct rtp_stream *s, uint32_t timestamp)
{
	int64_t newest = (int64_t)(s->next_index - 1) * s->samples;

	return newest + position_of(s, (int32_t)(timestamp - s->newest_timestamp));
}

static void
run_end(struct rtp_stream *s)
{
	s->run = false;
	s->assembling = false;
}

static void
run_begin(struct rtp_stream *s, const struct audio_format *format)
{
	s->run = true;
	s->format = *format;
	s->samples = rtp_run_samples(format);
	s->next_index = 0;
	s->sink.begin(s->sink.ctx, format);
}

/* The index of the frame with this timestamp. Where nothing was lost the next frame is the next one, whatever a
 * sender's timestamps do by a few frames. false: they jump, and it does not fit to the run at hand. */
static bool
place(struct rtp_stream *s, uint32_t timestamp, uint64_t *index)
{
	int64_t apart = (int32_t)(timestamp - s->newest_timestamp);
	int64_t n = (position_of(s, apart) + s->samples / 2) / s->samples;

	if (apart > JUMP_S * (int64_t)s->sdp.clock || apart < -JUMP_S * (int64_t)s->sdp.clock)
		return false;
	if (n < 1 || (!s->hole && n <= STUMBLE))
		n = 1;
	*index = s->next_index - 1 + (uint64_t)n;
	return true;
}

/* A report that came before the run's first frame. */
static void
early_report(struct rtp_stream *s, uint32_t timestamp)
{
	int64_t apart = (int32_t)(timestamp - s->report.timestamp), near = REPORT_S * (int64_t)s->sdp.clock;

	if (s->report.known && s->report.ssrc == s->ssrc && apart <= near && apart >= -near)
		s->sink.sender_time(s->sink.ctx, position_at(s, s->report.timestamp), s->report.wall);
}

/* A whole frame with its header. */
static void
give(struct rtp_stream *s, const struct audio_format *format, const uint8_t *data, uint32_t len, uint32_t timestamp)
{
	uint64_t index = 0;

	if (s->run && (!audio_format_equal(&s->format, format) || !place(s, timestamp, &index)))
		run_end(s);
	bool first = !s->run;
	if (first)
		run_begin(s, format);
	s->next_index = index + 1;
	s->newest_timestamp = timestamp;
	s->hole = false;
	s->counters.frames++;
	struct rtp_frame f = {
		.data = data, .len = len, .samples = s->samples, .index = index, .position = index * s->samples
	};
	s->sink.frame(s->sink.ctx, &f);
	if (first)
		early_report(s, timestamp);
}

static void
give_aac(struct rtp_stream *s, const uint8_t *data, uint32_t len, uint32_t timestamp)
{
	const uint8_t *h = s->sdp.format.header;
	uint32_t key = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3];

	if (len == 0 || len > ADTS_FRAME_MAX - ADTS_HEADER) {
		s->counters.frames_broken++;
		return;
	}
	memmove(s->frame + ADTS_HEADER, data, len);
	adts_write(key, len, 1, s->frame);
	give(s, &s->sdp.format, s->frame, len + ADTS_HEADER, timestamp);
}

static void
give_mpa(struct rtp_stream *s, const uint8_t *data, uint32_t len, uint32_t timestamp)
{
	struct audio_format format;
	struct mpa h;

	if (len < MPA_HEADER || mpa_parse(data, &h) < 0 || h.layer != 3 || h.length != len) {
		s->counters.frames_broken++;
		return;
	}
	mpa_format(h.key, &format);
	give(s, &format, data, len, timestamp);
}

static void
give_one(struct rtp_stream *s, const uint8_t *data, uint32_t len, uint32_t timestamp)
{
	if (s->sdp.format.codec == CODEC_AAC)
		give_aac(s, data, len, timestamp);
	else
		give_mpa(s, data, len, timestamp);
}

/* ---- payloads */

/* Ticks that one frame of the packet lasts. */
static uint32_t
frame_ticks(const struct rtp_stream *s, const uint8_t *data, uint32_t len)
{
	struct audio_format format = s->sdp.format;
	struct mpa h;

	if (format.codec == CODEC_AAC)
		return (uint32_t)((uint64_t)ADTS_BLOCK_SAMPLES * s->sdp.clock / format.rate);
	if (len < MPA_HEADER || mpa_parse(data, &h) < 0)
		return 0;
	mpa_format(h.key, &format);
	return (uint32_t)(((uint64_t)h.samples * s->sdp.clock + format.rate / 2) / format.rate);
}

static void
fragment(struct rtp_stream *s, const struct payload *p, const struct rtp_stream_slot *slot)
{
	if (!s->assembling || s->assembly.key != slot->timestamp) {
		if (s->assembling)
			s->counters.frames_broken++;
		payload_assembly_init(&s->assembly, slot->timestamp);
		s->assembling = true;
	}
	int r = s->sdp.format.codec == CODEC_AAC ? payload_assembly_aac(&s->assembly, p, slot->number, slot->marker)
						 : payload_assembly_mpa(&s->assembly, p);
	if (r == 0)
		return;
	s->assembling = false;
	if (r < 0) {
		s->counters.frames_broken++;
		return;
	}
	uint8_t whole[PAYLOAD_FRAME_MAX];
	uint32_t len = payload_assembly_take(&s->assembly, whole);
	give_one(s, whole, len, slot->timestamp);
}

static void
read_slot(struct rtp_stream *s, const struct rtp_stream_slot *slot)
{
	struct payload p;
	int err = s->sdp.format.codec == CODEC_AAC ? payload_parse_aac(slot->data, slot->len, &p)
						   : payload_parse_mpa(slot->data, slot->len, &p);
	uint32_t timestamp = slot->timestamp;

	if (err < 0) {
		s->counters.malformed++;
		return;
	}
	if (p.frames == 0) {
		fragment(s, &p, slot);
	} else if (s->assembling) {
		s->counters.frames_broken++;
		s->assembling = false;
	}
	for (uint32_t i = 0; i < p.frames; i++) {
		give_one(s, p.frame[i].data, p.frame[i].len, timestamp);
		timestamp += frame_ticks(s, p.frame[i].data, p.frame[i].len);
	}
	if (slot->wall.ns && s->run)
		s->sink.sender_time(s->sink.ctx, position_at(s, slot->timestamp), slot->wall);
}

/* ---- order */

static void
deliver(struct rtp_stream *s, struct mono now)
{
	while (s->waiting > 0) {
		struct rtp_stream_slot *slot = slot_at(s, s->next);
		if (slot->used && slot->number == s->next) {
			slot->used = false;
			s->waiting--;
			s->next++;
			read_slot(s, slot);
			continue;
		}
		/* a hole: the first one behind it says since when it is waited for */
		uint64_t behind = s->next + 1;
		while (!(slot_at(s, behind)->used && slot_at(s, behind)->number == behind))
			behind++;
		if (now.ns - slot_at(s, behind)->arrived.ns < s->wait_ns)
			return;
		s->counters.lost += behind - s->next;
		s->hole = true;
		s->next = behind;
	}
}

static void
source_begin(struct rtp_stream *s, const struct rtp_packet *p)
{
	for (unsigned i = 0; i < RTP_STREAM_SLOTS; i++)
		s->slots[i].used = false;
	s->waiting = 0;
	s->ssrc = p->ssrc;
	s->started = true;
	s->newest = s->next = (UINT64_C(1) << 32) + p->sequence;
	s->misplaced = 0;
	s->counters.sources++;
	run_end(s);
}

/* Is it the packet of another source, and not to be taken? */
static bool
is_stranger(struct rtp_stream *s, struct mono now, const struct rtp_packet *p)
{
	if (p->payload_type != s->sdp.payload_type || (s->sdp.has_ssrc && p->ssrc != s->sdp.ssrc))
		return true;
	if (s->started && p->ssrc == s->ssrc)
		return false;
	if (s->started && now.ns - s->heard.ns < RTP_STREAM_SILENT)
		return true;
	source_begin(s, p);
	return false;
}

/* The sequence number, extended to the nearest of the newest. 0: too far away. */
static uint64_t
extend(struct rtp_stream *s, const struct rtp_packet *p)
{
	int16_t apart = (int16_t)(p->sequence - (uint16_t)s->newest);

	if (apart > -FAR && apart < FAR) {
		s->misplaced = 0;
		return s->newest + (uint64_t)(int64_t)apart;
	}
	/* RFC 3550 A.1: two packets that follow each other tell a sender that began anew from a stray one */
	s->misplaced = s->misplaced && p->sequence == s->misplaced_next ? s->misplaced + 1 : 1;
	s->misplaced_next = (uint16_t)(p->sequence + 1);
	if (s->misplaced < FAR_PACKETS)
		return 0;
	source_begin(s, p);
	return s->newest;
}

static void
keep(struct rtp_stream *s, struct mono now, uint64_t number, const struct rtp_packet *p)
{
	/* what is too far ahead for the slots does not wait for what is missing */
	while (number >= s->next + RTP_STREAM_SLOTS && s->waiting > 0)
		deliver(s, (struct mono){ INT64_MAX });
	if (number >= s->next + RTP_STREAM_SLOTS) {
		s->counters.lost += number - s->next;
		s->hole = true;
		s->next = number;
	}
	struct rtp_stream_slot *slot = slot_at(s, number);
	if (slot->used) {
		s->counters.copies++;
		return;
	}
	slot->used = true;
	slot->marker = p->marker;
	slot->len = (uint16_t)p->payload_len;
	slot->number = number;
	slot->timestamp = p->timestamp;
	slot->arrived = now;
	slot->wall.ns = 0;
	memcpy(slot->data, p->payload, p->payload_len);
	const struct rtp_element *e = s->sdp.id_wall < RTP_IDS ? &p->element[s->sdp.id_wall] : NULL;
	if (s->sdp.id_wall && e && e->data) {
		struct rtp_packet view = { 0 };
		view.element[RTP_ID_WALL] = *e;
		rtp_wall(&view, &slot->wall);
	}
	s->waiting++;
	s->counters.packets++;
}

void
rtp_stream_packet(struct rtp_stream *s, struct mono now, const uint8_t *data, size_t len)
{
	struct rtp_packet p;
	int err = rtp_parse(data, len, &p);

	if (err == RTP_CONTROL) {
		rtp_stream_control(s, data, len);
		return;
	}
	if (err < 0 || p.payload_len > RTP_RECEIVE_MAX) {
		s->counters.malformed++;
		return;
	}
	if (is_stranger(s, now, &p)) {
		s->counters.strangers++;
		return;
	}
	s->heard = now;
	uint64_t number = extend(s, &p);
	if (number == 0) {
		s->counters.strangers++;
		return;
	}
	if (number > s->newest)
		s->newest = number;
	if (number < s->next) {
		/* what has been read, or given up */
		const struct rtp_stream_slot *slot = slot_at(s, number);
		if (slot->number == number)
			s->counters.copies++;
		else
			s->counters.late++;
		return;
	}
	keep(s, now, number, &p);
	deliver(s, now);
}

void
rtp_stream_tick(struct rtp_stream *s, struct mono now)
{
	deliver(s, now);
}

/* ---- sender reports */

static void
sender_report(struct rtp_stream *s, struct cursor *c)
{
	uint32_t ssrc = cursor_u32(c), seconds = cursor_u32(c), fraction = cursor_u32(c), timestamp = cursor_u32(c);

	if (c->bad || (seconds == 0 && fraction == 0))
		return;
	int64_t unix_s = (int64_t)seconds - NTP_TO_UNIX + (seconds < 0x80000000u ? INT64_C(1) << 32 : 0);
	int64_t ns = (int64_t)(((uint64_t)fraction * NS_PER_S + (UINT64_C(1) << 31)) >> 32);
	s->report.known = true;
	s->report.ssrc = ssrc;
	s->report.timestamp = timestamp;
	s->report.wall.ns = unix_s * NS_PER_S + ns;
	if (!s->started || ssrc != s->ssrc)
		return;
	s->counters.reports++;
	if (s->run)
		s->sink.sender_time(s->sink.ctx, position_at(s, timestamp), s->report.wall);
}

void
rtp_stream_control(struct rtp_stream *s, const uint8_t *data, size_t len)
{
	struct cursor c = cursor_of(data, len);

	while (cursor_left(&c) >= 4) {
		uint8_t first = cursor_u8(&c), type = cursor_u8(&c);
		struct cursor body = cursor_sub(&c, (size_t)cursor_u16(&c) * 4);
		if (c.bad || first >> 6 != 2) {
			s->counters.malformed++;
			return;
		}
		if (type == RTCP_SR)
			sender_report(s, &body);
	}
}

/* ---- opening and closing */

int
rtp_stream_init(struct rtp_stream *s, const struct sdp *sdp, int64_t wait_ns, const struct rtp_stream_sink *sink)
{
	*s = (struct rtp_stream){ .sdp = *sdp, .wait_ns = wait_ns, .sink = *sink };
	s->slots = calloc(RTP_STREAM_SLOTS, sizeof(*s->slots));
	return s->slots ? 0 : -1;
}

void
rtp_stream_fini(struct rtp_stream *s)
{
	free(s->slots);
	s->slots = NULL;
}
