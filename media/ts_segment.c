/* A segment as MPEG transport stream: PAT, PMT, then PES packets of whole frames. Drawn in doc/formats.md.
 *
 * Continuity counters go on over segments without anyone remembering them: PAT and PMT occur once a segment and count
 * with the media sequence number, and the packets of the audio PID are made a multiple of 16, by spreading the last PES
 * over more packets than it needs. Packets that carry nothing but a PCR do not count (ISO 13818-1 2.4.3.3). */
#include <string.h>

#include "base/log.h"
#include "media/pes.h"
#include "media/psi.h"
#include "media/segment.h"
#include "media/ts.h"
#include "media/ts_pcr.h"

#define PES_FRAMES_MAX 24
#define COUNTER_CYCLE 16
#define PCR_PACKET_ROOM (TS_PAYLOAD_MAX - TS_PCR_SIZE)
#define SPREAD_FREELY UINT32_MAX /* into as many packets as the bytes fill */

/* A PES packet of the audio stream: its header, then `frames` frames. */
struct pes {
	struct ts_place begin;
	size_t frames;
	uint64_t size; /* with the header */
};

/* What of a PES goes into the next transport packet. */
struct piece {
	uint32_t size;
	bool pcr;
};

struct writer {
	const struct media_segment *segment;
	uint8_t *out;
	uint32_t packets; /* with payload, of the audio PID */
	struct ts_pcr pcr;
	size_t frame;    /* being copied, ... */
	uint32_t copied; /* ... and how much of it is */
};

static uint32_t
least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The byte of the elementary stream at which a transport packet begins that follows `sent` bytes of the PES. */
static uint64_t
stream_byte(const struct pes *pes, uint64_t sent)
{
	return pes->begin.byte + (sent > PES_HEADER_SIZE ? sent - PES_HEADER_SIZE : 0);
}

/* The payload of the next of `packets` packets that take `left` bytes: an equal share, but at least what the others
 * could not hold if each had a PCR, and the whole header in the first; and a byte remains for each of the others, even
 * if the header of a PES of a few bytes must be divided for it (ISO 13818-1 allows that). */
static uint32_t
share(uint64_t sent, uint64_t left, uint32_t packets)
{
	uint64_t others = packets - 1, size = (left + others) / packets;
	if (left > others * PCR_PACKET_ROOM)
		size = most(size, left - others * PCR_PACKET_ROOM);
	if (!sent)
		size = most(size, PES_HEADER_SIZE + 1);
	return least(least(size, left - others), TS_PAYLOAD_MAX);
}

/* Cut the next piece, `sent` bytes into the PES. It has a PCR if it is the first, or if the one behind it would be too
 * late for it. */
static struct piece
cut(const struct pes *pes, const struct ts_pcr *pcr, uint64_t sent, uint32_t packets)
{
	uint64_t left = pes->size - sent;
	struct piece p;
	p.size = packets == SPREAD_FREELY ? least(left, TS_PAYLOAD_MAX) : share(sent, left, packets);
	p.pcr = !sent || stream_byte(pes, sent + p.size) > ts_pcr_due(pcr);
	if (p.pcr)
		p.size = least(p.size, PCR_PACKET_ROOM);
	return p;
}

/* A PES is cut for trial, by the same steps as pes_write() takes: so many bytes of it fill so many packets. */
struct trial {
	const struct pes *pes;
	struct ts_pcr pcr;
	uint64_t sent;
	uint32_t packets;
};

static void
trial_begin(struct trial *t, const struct media_segment *s, const struct pes *pes)
{
	t->pes = pes;
	t->sent = 0;
	t->packets = 0;
	ts_pcr_init(&t->pcr, s, pes->begin);
}

static void
trial_send(struct trial *t, uint64_t bytes)
{
	while (t->sent < bytes) {
		uint64_t byte = stream_byte(t->pes, t->sent);
		while (ts_pcr_gap(&t->pcr, byte))
			;
		struct piece p = cut(t->pes, &t->pcr, t->sent, SPREAD_FREELY);
		if (p.pcr)
			ts_pcr_mark(&t->pcr, byte);
		t->sent += p.size;
		t->packets++;
	}
}

static uint32_t
pes_packets(const struct media_segment *s, const struct pes *pes)
{
	struct trial t;
	trial_begin(&t, s, pes);
	trial_send(&t, pes->size);
	return t.packets;
}

/* The most frames of this segment that a PES may have: 24, 600 ms, and what PES_packet_length can say. */
static size_t
pes_frames_max(const struct media_segment *s)
{
	uint64_t len = 1, samples = 1;
	for (size_t i = 0; i < s->count; i++) {
		len = most(len, s->frames[i].len);
		samples = most(samples, s->frames[i].samples);
	}
	uint64_t frames = least(PES_FRAMES_MAX, s->format.rate * UINT64_C(6) / 10 / samples);
	return (size_t)most(1, least(frames, PES_DATA_MAX / len));
}

/* Choose how many frames the PES at `begin` gets. What is left of its last transport packet is stuffing, so of the
 * longer half of the possible lengths that one is taken which needs the fewest packets for its bytes. */
static struct pes
pes_choose(const struct media_segment *s, struct ts_place begin, size_t frames_max)
{
	struct pes all = { .begin = begin, .size = PES_HEADER_SIZE };
	for (; all.frames < frames_max && begin.frame + all.frames < s->count; all.frames++)
		all.size += s->frames[begin.frame + all.frames].len;
	if (begin.frame + all.frames == s->count)
		return all; /* the last: it is spread over more packets than it fills anyway */

	struct trial t;
	struct pes p = { .begin = begin, .size = PES_HEADER_SIZE }, best = all;
	uint64_t best_packets = UINT32_MAX;
	trial_begin(&t, s, &all);
	while (p.frames < frames_max) {
		p.size += s->frames[begin.frame + p.frames++].len;
		trial_send(&t, p.size);
		if (p.frames > frames_max / 2 && t.packets * best.size <= best_packets * p.size) {
			best = p;
			best_packets = t.packets;
		}
	}
	return best;
}

static void
frames_copy(struct writer *w, uint8_t *to, uint32_t size)
{
	while (size) {
		const struct media_frame *f = &w->segment->frames[w->frame];
		uint32_t n = least(size, f->len - w->copied);
		memcpy(to, f->data + w->copied, n);
		to += n;
		size -= n;
		w->copied += n;
		if (w->copied == f->len) {
			w->frame++;
			w->copied = 0;
		}
	}
}

/* Send what PCR-only packets are due before the packet that begins at `byte`. */
static void
gap_write(struct writer *w, uint64_t byte)
{
	while (ts_pcr_gap(&w->pcr, byte)) {
		const struct ts_packet packet = { .pid = TS_PID_AUDIO,
			.continuity_counter = (uint8_t)(w->packets - 1),
			.has_pcr = true,
			.pcr = ts_pcr_value(&w->pcr) };
		ts_packet_write(&packet, w->out);
		w->out += TS_PACKET_SIZE;
	}
}

/* `sent` bytes into the PES, the header may still have to be sent, or its rest. */
static void
piece_write(struct writer *w, const uint8_t header[static PES_HEADER_SIZE], uint64_t sent, struct piece p)
{
	const struct ts_packet packet = { .pid = TS_PID_AUDIO,
		.continuity_counter = (uint8_t)w->packets,
		.payload_unit_start = !sent,
		.random_access = !w->packets,
		.has_pcr = p.pcr,
		.pcr = p.pcr ? ts_pcr_value(&w->pcr) : (struct ticks){ 0 },
		.payload_size = p.size };
	uint8_t *payload = ts_packet_write(&packet, w->out);
	uint32_t of_header = sent < PES_HEADER_SIZE ? least(p.size, PES_HEADER_SIZE - sent) : 0;
	if (of_header)
		memcpy(payload, header + sent, of_header);
	frames_copy(w, payload + of_header, p.size - of_header);
	w->out += TS_PACKET_SIZE;
	w->packets++;
}

/* Write a PES into `packets` packets, or as few as it fills. */
static void
pes_write(struct writer *w, const struct pes *pes, uint32_t packets)
{
	const struct media_segment *s = w->segment;
	uint8_t header[PES_HEADER_SIZE];
	struct ticks pts = ticks_at(s->anchor, s->sample + pes->begin.sample, s->format.rate);
	pes_header_write(PES_AUDIO_STREAM_0, (uint32_t)pes->size - PES_HEADER_SIZE, pts, header);
	for (uint64_t sent = 0; sent < pes->size;) {
		gap_write(w, stream_byte(pes, sent));
		struct piece p = cut(pes, &w->pcr, sent, packets);
		if (p.pcr)
			ts_pcr_mark(&w->pcr, stream_byte(pes, sent));
		piece_write(w, header, sent, p);
		sent += p.size;
		if (packets != SPREAD_FREELY)
			packets--;
	}
}

static struct ts_place
pes_end(const struct media_segment *s, const struct pes *pes)
{
	struct ts_place end = pes->begin;
	end.byte += pes->size - PES_HEADER_SIZE;
	for (; end.frame < pes->begin.frame + pes->frames; end.frame++)
		end.sample += s->frames[end.frame].samples;
	return end;
}

static void
audio_write(struct writer *w)
{
	const struct media_segment *s = w->segment;
	size_t frames_max = pes_frames_max(s);
	struct ts_place at = { 0 };
	ts_pcr_init(&w->pcr, s, at);
	while (at.frame < s->count) {
		struct pes pes = pes_choose(s, at, frames_max);
		uint32_t packets = SPREAD_FREELY;
		at = pes_end(s, &pes);
		if (at.frame == s->count) {
			packets = pes_packets(s, &pes);
			packets += -(w->packets + packets) % COUNTER_CYCLE;
		}
		pes_write(w, &pes, packets);
	}
	gap_write(w, at.byte);
}

size_t
ts_segment_bound(const struct media_segment *s, bool id3)
{
	(void)id3; /* its announcement fits the PMT's packet */
	uint64_t bytes = 0, samples = 0;
	for (size_t i = 0; i < s->count; i++) {
		bytes += PES_HEADER_SIZE + s->frames[i].len;
		samples += s->frames[i].samples;
	}
	/* As if every frame were a PES with a part-filled packet, and every packet had a PCR. */
	uint64_t audio = bytes / PCR_PACKET_ROOM + s->count + COUNTER_CYCLE;
	uint64_t pcr = samples / ts_pcr_interval(s->format.rate);
	return (size_t)(2 + audio + pcr) * TS_PACKET_SIZE;
}

size_t
ts_segment_write(const struct media_segment *s, bool id3, uint8_t *out)
{
	struct writer w = { .segment = s, .out = out };
	for (size_t i = 0; i < s->count; i++)
		CHECK(s->frames[i].len >= 2 && s->frames[i].len <= PES_DATA_MAX && s->frames[i].samples);
	psi_pat_write((uint8_t)s->msn, w.out);
	w.out += TS_PACKET_SIZE;
	psi_pmt_write((uint8_t)s->msn, audio_format_stream_type(&s->format), id3, w.out);
	w.out += TS_PACKET_SIZE;
	audio_write(&w);
	return (size_t)(w.out - out);
}
