/* Reads a transport stream segment back, by the standard and by what the writer promises in doc/formats.md. Shares no
 * layout with the writer, so that a mistake there is found here. */
#include "media/ts_read.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "media/psi.h"

enum {
	PACKET_SIZE = 188,
	PES_SIZE_MAX = 6 + 65535,
	NO_PID = 0x1FFF, /* the null packet's: never a stream's here */
};

enum {
	STREAM_TYPE_MPEG1_AUDIO = 0x03,
	STREAM_TYPE_MPEG2_AUDIO = 0x04,
	STREAM_TYPE_ADTS = 0x0F,
	STREAM_TYPE_ID3 = 0x15
};

struct packet {
	size_t at;
	uint16_t pid;
	bool start; /* payload_unit_start_indicator */
	uint8_t counter;
	bool discontinuity, random_access, has_pcr;
	struct ticks pcr;
	struct cursor payload;
};

/* A PES packet as its transport packets come in. */
struct assembly {
	size_t at;
	size_t size, want; /* bytes there are, and bytes by PES_packet_length; 0: none open */
	uint8_t bytes[PES_SIZE_MAX];
};

struct reader {
	char *why;
	const struct ts_read_sink *sink;
	uint64_t msn;
	uint16_t pmt_pid, audio_pid, id3_pid;
	uint8_t stream_type;
	uint32_t audio_packets, id3_packets; /* that carry payload */
	uint8_t id3_counter;
	bool pcr_seen;
	struct ticks pcr;
	size_t id3_left; /* of a PES packet */
	struct assembly audio;
};

static int fail(const struct reader *r, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int
fail(const struct reader *r, size_t at, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(r->why, TS_READ_WHY_SIZE, "byte %zu: ", at);
	va_start(ap, fmt);
	vsnprintf(r->why + n, TS_READ_WHY_SIZE - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

static bool
all_ff(struct cursor c)
{
	while (c.p < c.end)
		if (*c.p++ != 0xFF)
			return false;
	return true;
}

/* ISO 13818-1 2.4.3.4. A field of one byte is nothing but a length of 0. */
static int
read_adaptation(const struct reader *r, struct packet *p, struct cursor field)
{
	enum { DISCONTINUITY = 0x80, RANDOM_ACCESS = 0x40, PCR = 0x10 };
	if (!cursor_left(&field))
		return 0;
	uint8_t flags = cursor_u8(&field);
	if (flags & ~(DISCONTINUITY | RANDOM_ACCESS | PCR))
		return fail(r, p->at, "adaptation field with flags %02X", flags);
	p->discontinuity = flags & DISCONTINUITY;
	p->random_access = flags & RANDOM_ACCESS;
	p->has_pcr = flags & PCR;
	if (p->has_pcr) {
		uint64_t bits = cursor_be(&field, 6);
		p->pcr.t = bits >> 15;
		if (!field.bad && (bits & 0x7FFF) != 0x7E00)
			return fail(r, p->at, "PCR extension or its reserved bits are %04X, not 7E00",
			    (unsigned)(bits & 0x7FFF));
	}
	if (field.bad || !all_ff(field))
		return fail(r, p->at, "adaptation field is too short or its stuffing is not FF");
	return 0;
}

static int
read_packet(const struct reader *r, struct cursor *c, size_t at, struct packet *p)
{
	*p = (struct packet){ .at = at, .payload = cursor_sub(c, PACKET_SIZE) };
	uint8_t sync = cursor_u8(&p->payload);
	uint16_t pid = cursor_u16(&p->payload);
	uint8_t control = cursor_u8(&p->payload);
	if (p->payload.bad)
		return fail(r, at, "the last packet is cut short");
	if (sync != 0x47)
		return fail(r, at, "sync byte is %02X, not 47", sync);
	if (pid & 0xA000)
		return fail(r, at, "transport error or priority is set");
	if (control & 0xC0)
		return fail(r, at, "packet is scrambled");
	p->pid = pid & 0x1FFF;
	p->start = pid & 0x4000;
	p->counter = control & 0x0F;
	if (control & 0x20) {
		struct cursor field = cursor_sub(&p->payload, cursor_u8(&p->payload));
		if (p->payload.bad)
			return fail(r, at, "adaptation field is longer than the packet");
		if (read_adaptation(r, p, field) < 0)
			return -1;
	}
	if (!!(control & 0x10) != !!cursor_left(&p->payload))
		return fail(r, at, "adaptation_field_control %u with %zu bytes of payload", control >> 4 & 3,
		    cursor_left(&p->payload));
	return 0;
}

/* The body of the one section in a packet, between its length and its CRC (2.4.4). */
static int
read_section(const struct reader *r, const struct packet *p, uint8_t table_id, struct cursor *body)
{
	struct cursor c = p->payload;
	if (!p->start || p->counter != (r->msn & 15))
		return fail(r, p->at, "PSI packet with counter %u, not msn mod 16, %u, or no section start", p->counter,
		    (unsigned)(r->msn & 15));
	if (cursor_u8(&c) != 0)
		return fail(r, p->at, "section does not begin at once");
	const uint8_t *section = c.p;
	uint8_t id = cursor_u8(&c);
	uint16_t length = cursor_u16(&c);
	*body = cursor_sub(&c, length & 0x0FFF);
	if (c.bad || id != table_id || (length & 0xF000) != 0xB000 || cursor_left(body) < 4)
		return fail(r, p->at, "no section of table %u that fits the packet", table_id);
	if (psi_crc32(section, (size_t)(body->end - section)) != 0)
		return fail(r, p->at, "CRC of table %u is wrong", table_id);
	if (!all_ff(c))
		return fail(r, p->at, "stuffing after table %u is not FF", table_id);
	body->end -= 4;
	return 0;
}

/* transport_stream_id or program_number 1, version 0, current, the only section. */
static bool
read_section_head(struct cursor *body)
{
	return cursor_be(body, 5) == UINT64_C(0x0001C10000);
}

static int
read_pat(struct reader *r, const struct packet *p)
{
	struct cursor body;
	if (p->pid != 0)
		return fail(r, p->at, "the first packet has PID %u and is no PAT", p->pid);
	if (read_section(r, p, 0, &body) < 0)
		return -1;
	bool head = read_section_head(&body);
	uint16_t program = cursor_u16(&body), pid = cursor_u16(&body);
	if (!head || program != 1 || body.bad || cursor_left(&body))
		return fail(r, p->at, "PAT does not name program 1 alone");
	r->pmt_pid = pid & 0x1FFF;
	return 0;
}

static int
add_stream(struct reader *r, const struct packet *p, uint8_t type, uint16_t pid)
{
	bool audio = type == STREAM_TYPE_ADTS || type == STREAM_TYPE_MPEG1_AUDIO || type == STREAM_TYPE_MPEG2_AUDIO;
	uint16_t *slot = audio ? &r->audio_pid : &r->id3_pid;
	if (!audio && type != STREAM_TYPE_ID3)
		return fail(r, p->at, "PMT has a stream of type %02X", type);
	if (*slot != NO_PID || pid == r->pmt_pid || pid < 0x10)
		return fail(r, p->at, "PMT has a second stream of type %02X, or on PID %u", type, pid);
	*slot = pid;
	if (audio)
		r->stream_type = type;
	return 0;
}

static int
read_pmt(struct reader *r, const struct packet *p)
{
	struct cursor body;
	if (p->pid != r->pmt_pid)
		return fail(r, p->at, "the second packet has PID %u and is no PMT", p->pid);
	if (read_section(r, p, 2, &body) < 0)
		return -1;
	bool head = read_section_head(&body);
	uint16_t pcr_pid = cursor_u16(&body) & 0x1FFF;
	cursor_sub(&body, cursor_u16(&body) & 0x0FFF);
	while (!body.bad && cursor_left(&body)) {
		uint8_t type = cursor_u8(&body);
		uint16_t pid = cursor_u16(&body) & 0x1FFF;
		cursor_sub(&body, cursor_u16(&body) & 0x0FFF);
		if (!body.bad && add_stream(r, p, type, pid) < 0)
			return -1;
	}
	if (body.bad || !head || r->audio_pid == NO_PID || r->audio_pid == r->id3_pid || pcr_pid != r->audio_pid)
		return fail(r, p->at, "PMT of program 1 does not name one audio stream that carries PCR");
	return 0;
}

static int
read_pcr(struct reader *r, const struct packet *p)
{
	if (!p->has_pcr)
		return 0;
	int64_t step = ticks_diff(p->pcr, r->pcr);
	if (r->pcr_seen && (step < 0 || step > TS_READ_PCR_SPACING))
		return fail(r, p->at, "PCR is %lld ticks after the one before", (long long)step);
	r->pcr = p->pcr;
	r->pcr_seen = true;
	return 0;
}

/* 2.4.3.7: a marker bit ends each of the three groups of a time stamp. */
static bool
read_pts(struct cursor *c, struct ticks *pts)
{
	uint64_t v = cursor_be(c, 5);
	pts->t = (v >> 33 & 7) << 30 | (v >> 17 & 0x7FFF) << 15 | (v >> 1 & 0x7FFF);
	return (v & UINT64_C(0xF100010001)) == UINT64_C(0x2100010001);
}

/* The header of a whole PES packet; *c is left on its data. */
static int
read_pes_header(const struct reader *r, size_t at, uint8_t stream_id, struct cursor *c, struct ticks *pts)
{
	uint32_t code = cursor_u32(c);
	cursor_u16(c);
	uint64_t flags = cursor_be(c, 3);
	bool marked = read_pts(c, pts);
	if (c->bad || code != (UINT32_C(0x100) | stream_id) || flags != 0x848005 || !marked)
		return fail(r, at, "PES header is not 00 00 01 %02X, length, 84 80 05, PTS", stream_id);
	return 0;
}

/* The audio of a PES must have arrived before it is due: the last PCR stands for the time at which its end came. */
static int
close_pes(struct reader *r)
{
	struct assembly *a = &r->audio;
	struct cursor c = cursor_of(a->bytes, a->size);
	struct ts_read_pes pes = { .at = a->at };
	if (read_pes_header(r, a->at, 0xC0, &c, &pes.pts) < 0)
		return -1;
	int64_t lead = ticks_diff(pes.pts, r->pcr);
	if (lead < 0 || lead > TS_READ_PCR_LEAD)
		return fail(r, a->at, "the PES has arrived %lld ticks before its PTS", (long long)lead);
	pes.data = c.p;
	pes.size = cursor_left(&c);
	a->want = 0;
	return r->sink->pes(r->sink->ctx, &pes);
}

static int
read_first_audio(struct reader *r, const struct packet *p)
{
	struct cursor c = p->payload;
	struct ticks pts;
	if (!p->random_access || !p->has_pcr)
		return fail(r, p->at, "the first audio packet has no random access indicator or no PCR");
	/* Where stuffing leaves less room in it than a PES header, the lead shows at the end of the PES only. */
	cursor_be(&c, 9);
	if (read_pts(&c, &pts) && !c.bad && ticks_diff(pts, p->pcr) != TS_READ_PCR_LEAD)
		return fail(r, p->at, "the first PCR is %lld ticks before the PTS, not %d",
		    (long long)ticks_diff(pts, p->pcr), TS_READ_PCR_LEAD);
	return 0;
}

static int
begin_pes(struct reader *r, const struct packet *p)
{
	struct assembly *a = &r->audio;
	if (a->want)
		return fail(r, p->at, "a PES packet begins before the one from byte %zu is complete", a->at);
	a->at = p->at;
	a->size = 0;
	a->want = PES_SIZE_MAX;
	return 0;
}

/* Add the payload of a packet. PES_packet_length is known once six bytes are there. */
static int
add_payload(struct reader *r, const struct packet *p)
{
	struct assembly *a = &r->audio;
	size_t n = cursor_left(&p->payload);
	if (n > a->want - a->size)
		return fail(r, p->at, "payload goes on behind the end of the PES packet from byte %zu", a->at);
	memcpy(a->bytes + a->size, p->payload.p, n);
	a->size += n;
	if (a->size < 6)
		return 0;
	a->want = 6 + ((size_t)a->bytes[4] << 8 | a->bytes[5]);
	if (a->size > a->want)
		return fail(r, a->at, "PES_packet_length is %zu, but %zu bytes follow it", a->want - 6, a->size - 6);
	return a->size == a->want ? close_pes(r) : 0;
}

static int
read_audio(struct reader *r, const struct packet *p)
{
	bool payload = cursor_left(&p->payload);
	uint8_t counter = (r->audio_packets - !payload) & 15;
	if (p->counter != counter)
		return fail(r, p->at, "continuity counter is %u, not %u", p->counter, counter);
	if (p->discontinuity || (p->random_access && r->audio_packets))
		return fail(r, p->at, "discontinuity, or random access behind the first packet, of the audio PID");
	if (!r->audio_packets && read_first_audio(r, p) < 0)
		return -1;
	if (read_pcr(r, p) < 0)
		return -1;
	if (!payload)
		return p->start ? fail(r, p->at, "packet without payload says that a PES begins") : 0;
	r->audio_packets++;
	if (p->start && begin_pes(r, p) < 0)
		return -1;
	return add_payload(r, p);
}

/* Timed ID3: PES packets of private_stream_1, each with one tag. The first packet starts a new count (2.4.3.5). */
static int
read_id3(struct reader *r, const struct packet *p)
{
	struct cursor c = p->payload;
	if (!cursor_left(&c) || p->has_pcr || p->random_access || p->discontinuity != !r->id3_packets)
		return fail(r, p->at, "ID3 packet without payload, with PCR, or not marked when the first");
	if (r->id3_packets++ && p->counter != ((r->id3_counter + 1) & 15))
		return fail(r, p->at, "continuity counter of the ID3 PID is %u", p->counter);
	r->id3_counter = p->counter;
	if (p->start != !r->id3_left)
		return fail(r, p->at, "an ID3 PES packet begins too early or too late");
	if (p->start) {
		struct ticks pts;
		size_t size = 6 + ((size_t)c.p[4] << 8 | c.p[5]);
		if (read_pes_header(r, p->at, 0xBD, &c, &pts) < 0)
			return -1;
		if (cursor_left(&c) < 3 || memcmp(c.p, "ID3", 3) != 0)
			return fail(r, p->at, "ID3 PES packet does not begin with a tag");
		r->id3_left = size;
	}
	if (cursor_left(&p->payload) > r->id3_left)
		return fail(r, p->at, "payload goes on behind the end of the ID3 PES packet");
	r->id3_left -= cursor_left(&p->payload);
	return 0;
}

static int
read_media(struct reader *r, const struct packet *p)
{
	if (p->pid == r->audio_pid)
		return read_audio(r, p);
	if (p->pid == r->id3_pid)
		return read_id3(r, p);
	return fail(r, p->at, "packet of PID %u, which the PMT does not name or which comes once only", p->pid);
}

static int
read_packets(struct reader *r, const uint8_t *data, size_t len)
{
	struct cursor c = cursor_of(data, len);
	for (size_t i = 0; i < 2 || cursor_left(&c); i++) {
		struct packet p;
		if (read_packet(r, &c, i * PACKET_SIZE, &p) < 0)
			return -1;
		int e = i == 0 ? read_pat(r, &p) : i == 1 ? read_pmt(r, &p) : read_media(r, &p);
		if (e)
			return e;
	}
	if (r->audio.want || r->id3_left)
		return fail(r, len, "the last PES packet is not complete");
	if (!r->audio_packets || r->audio_packets % 16)
		return fail(r, len, "%u audio packets: none, or no multiple of 16", r->audio_packets);
	return 0;
}

int
ts_read(const uint8_t *data, size_t len, uint64_t msn, const struct ts_read_sink *sink, struct ts_read_facts *facts,
    char why[static TS_READ_WHY_SIZE])
{
	struct reader r;
	/* not an initialiser: that would clear 64 KiB of the assembly too */
	memset(&r, 0, offsetof(struct reader, audio.bytes));
	r.why = why;
	r.sink = sink;
	r.msn = msn;
	r.pmt_pid = r.audio_pid = r.id3_pid = NO_PID;
	int e = read_packets(&r, data, len);
	if (e)
		return e;
	*facts = (struct ts_read_facts){ .stream_type = r.stream_type, .last_pcr = r.pcr };
	return 0;
}
