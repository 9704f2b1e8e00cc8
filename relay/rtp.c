/* RTP packets with header extensions (RFC 3550, RFC 8285). */
#include "relay/rtp.h"

#include <string.h>

#include "base/cursor.h"
#include "media/adts.h"
#include "media/mpa.h"

#define VERSION 2
#define PROFILE_ONE_BYTE 0xbede
#define PROFILE_TWO_BYTE 0x1000 /* the low 4 bits are for applications */
#define ONE_BYTE_STOP 15

#define NTP_TO_UNIX INT64_C(2208988800) /* seconds from 1900 to 1970 */
#define NTP_ERA (INT64_C(1) << 32)
#define NTP_ERA_1 UINT32_C(0x80000000) /* seconds below this are of the era that begins in 2036 */

#define POSITION_LEN 16
#define PROFILE_BITS 15

const char *
rtp_error_text(int error)
{
	static const char *const text[RTP_ERRORS] = { "no error", "shorter than a header", "not version 2",
		"source list longer than the packet", "header extension longer than the packet",
		"element longer than the header extension", "padding longer than the payload", "RTCP",
		"element missing", "element with a wrong value", "no room" };

	return error <= 0 && error > -RTP_ERRORS ? text[-error] : "unknown";
}

/* ---- reading */

static void
keep_element(struct rtp_packet *p, uint8_t id, const uint8_t *data, uint8_t len)
{
	if (id < RTP_IDS && !p->element[id].data)
		p->element[id] = (struct rtp_element){ data, len };
}

/* RFC 8285 4.2: id in 4 bits, length - 1 in 4 bits; 0 is padding, id 15 ends the list. */
static int
parse_one_byte(struct cursor c, struct rtp_packet *p)
{
	while (cursor_left(&c) > 0) {
		uint8_t head = cursor_u8(&c);
		if (head == 0)
			continue;
		if (head >> 4 == ONE_BYTE_STOP)
			return RTP_OK;
		uint8_t len = (head & 15) + 1;
		const uint8_t *data = cursor_take(&c, len);
		if (!data)
			return RTP_ELEMENT;
		if (head >> 4 != 0)
			keep_element(p, head >> 4, data, len);
	}
	return RTP_OK;
}

/* RFC 8285 4.3: id, length, data; id 0 is one byte of padding. */
static int
parse_two_byte(struct cursor c, struct rtp_packet *p)
{
	while (cursor_left(&c) > 0) {
		uint8_t id = cursor_u8(&c);
		if (id == 0)
			continue;
		uint8_t len = cursor_u8(&c);
		const uint8_t *data = cursor_take(&c, len);
		if (!data)
			return RTP_ELEMENT;
		keep_element(p, id, data, len);
	}
	return RTP_OK;
}

static int
parse_extension(struct cursor *c, struct rtp_packet *p)
{
	uint16_t profile = cursor_u16(c);
	size_t len = (size_t)cursor_u16(c) * 4;
	struct cursor elements = cursor_sub(c, len);

	if (c->bad)
		return RTP_EXTENSION;
	if (profile == PROFILE_ONE_BYTE)
		return parse_one_byte(elements, p);
	if ((profile & 0xfff0) == PROFILE_TWO_BYTE)
		return parse_two_byte(elements, p);
	return RTP_OK;
}

int
rtp_parse_header(const uint8_t *data, size_t len, struct rtp_packet *out)
{
	struct cursor c = cursor_of(data, len);
	struct rtp_packet p = { 0 };

	if (len < RTP_HEADER)
		return RTP_SHORT;
	uint8_t first = cursor_u8(&c), second = cursor_u8(&c);
	if (first >> 6 != VERSION)
		return RTP_VERSION;
	if (second >= 192 && second <= 223)
		return RTP_CONTROL;
	p.padded = first & 0x20;
	p.extended = first & 0x10;
	p.csrcs = first & 15;
	p.marker = second & 0x80;
	p.payload_type = second & 0x7f;
	p.sequence = cursor_u16(&c);
	p.timestamp = cursor_u32(&c);
	p.ssrc = cursor_u32(&c);
	if (!cursor_take(&c, p.csrcs * 4u))
		return RTP_CSRC;
	int error = p.extended ? parse_extension(&c, &p) : RTP_OK;
	if (error)
		return error;
	p.payload = c.p;
	p.payload_len = cursor_left(&c);
	*out = p;
	return RTP_OK;
}

int
rtp_parse(const uint8_t *data, size_t len, struct rtp_packet *out)
{
	struct rtp_packet p;
	int error = rtp_parse_header(data, len, &p);

	if (error)
		return error;
	if (p.padded) {
		uint8_t padding = p.payload_len > 0 ? p.payload[p.payload_len - 1] : 0;
		if (padding == 0 || padding > p.payload_len)
			return RTP_PADDING;
		p.payload_len -= padding;
	}
	*out = p;
	return RTP_OK;
}

/* The element's cursor, if its length is in bounds. */
static int
element(const struct rtp_packet *p, enum rtp_id id, uint8_t min, uint8_t max, struct cursor *c)
{
	const struct rtp_element *e = &p->element[id];

	if (!e->data)
		return RTP_ABSENT;
	if (e->len < min || e->len > max)
		return RTP_VALUE;
	*c = cursor_of(e->data, e->len);
	return RTP_OK;
}

int
rtp_wall(const struct rtp_packet *p, struct wall *out)
{
	struct cursor c;
	int error = element(p, RTP_ID_WALL, 8, 8, &c);

	if (error)
		return error;
	uint32_t seconds = cursor_u32(&c), fraction = cursor_u32(&c);
	int64_t unix_s = (int64_t)seconds - NTP_TO_UNIX + (seconds < NTP_ERA_1 ? NTP_ERA : 0);
	uint64_t ns = ((uint64_t)fraction * NS_PER_S + (UINT64_C(1) << 31)) >> 32;
	*out = (struct wall){ unix_s * NS_PER_S + (int64_t)ns };
	return RTP_OK;
}

int
rtp_position(const struct rtp_packet *p, struct rtp_position *out)
{
	struct cursor c;
	int error = element(p, RTP_ID_POSITION, POSITION_LEN, POSITION_LEN + 4 * RTP_DEVIATIONS_MAX, &c);

	if (error)
		return error;
	if (cursor_left(&c) % 4 != 0)
		return RTP_VALUE;
	*out = (struct rtp_position){ .packet = cursor_be(&c, 8), .sample = cursor_be(&c, 8) };
	while (cursor_left(&c) > 0)
		out->deviation[out->deviations++] = (int32_t)cursor_u32(&c);
	return RTP_OK;
}

static bool
name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool
mid_text(const char *mid, size_t len)
{
	bool dot = false;

	if (len == 0 || len > RTP_MID_MAX || mid[0] == '.' || mid[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!name_character(mid[i]) && (mid[i] != '.' || dot))
			return false;
		dot = dot || mid[i] == '.';
	}
	return true;
}

static bool
rid_text(const char *rid, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = rid[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
			return false;
	}
	return len > 0 && len <= RTP_RID_MAX;
}

bool
rtp_mid_valid(const char *mid)
{
	return mid_text(mid, strlen(mid));
}

bool
rtp_rid_valid(const char *rid)
{
	return rid_text(rid, strlen(rid));
}

/* An element as text that `valid` likes; `out` has room for `max` and the NUL. */
static int
text_element(const struct rtp_packet *p, enum rtp_id id, uint8_t max, bool (*valid)(const char *, size_t), char *out)
{
	struct cursor c;
	int error = element(p, id, 1, max, &c);

	if (error)
		return error;
	size_t len = cursor_left(&c);
	if (!valid((const char *)c.p, len))
		return RTP_VALUE;
	memcpy(out, c.p, len);
	out[len] = '\0';
	return RTP_OK;
}

int
rtp_mid(const struct rtp_packet *p, char out[static RTP_MID_MAX + 1])
{
	return text_element(p, RTP_ID_MID, RTP_MID_MAX, mid_text, out);
}

int
rtp_rid(const struct rtp_packet *p, char out[static RTP_RID_MAX + 1])
{
	return text_element(p, RTP_ID_RID, RTP_RID_MAX, rid_text, out);
}

int
rtp_run_id(const struct rtp_packet *p, uint8_t out[static RTP_RUN_ID])
{
	struct cursor c;
	int error = element(p, RTP_ID_RUN, RTP_RUN_ID, RTP_RUN_ID, &c);

	if (error)
		return error;
	memcpy(out, c.p, RTP_RUN_ID);
	return RTP_OK;
}

/* 4 bytes are a normalised ADTS fixed header when a frame with it can be read and gives the same key. */
static bool
aac_format(uint32_t key, uint8_t profile, struct audio_format *out)
{
	uint8_t header[ADTS_HEADER];
	struct adts h;

	adts_write(key, 64, 1, header);
	if (profile > AAC_HE_V2 || adts_parse(header, &h) < 0 || h.key != key)
		return false;
	adts_format(key, out);
	out->profile = profile;
	return true;
}

static bool
mpa_layer3_format(const uint8_t header[static MPA_HEADER], uint32_t key, struct audio_format *out)
{
	uint8_t probe[MPA_HEADER] = { header[0], header[1], header[2] | 0x10, header[3] }; /* any bit rate */
	struct mpa h;

	if (mpa_parse(probe, &h) < 0 || h.layer != 3 || h.key != key)
		return false;
	mpa_format(key, out);
	return true;
}

int
rtp_format(const struct rtp_packet *p, struct audio_format *out)
{
	struct cursor c;
	int error = element(p, RTP_ID_FORMAT, 4, 4, &c);

	if (error)
		return error;
	const uint8_t *bytes = c.p;
	uint32_t key = cursor_u32(&c);
	if ((bytes[1] & 0x06) == 0) /* layer 00: ADTS */
		return aac_format(key & ~(uint32_t)PROFILE_BITS, key & PROFILE_BITS, out) ? RTP_OK : RTP_VALUE;
	return mpa_layer3_format(bytes, key, out) ? RTP_OK : RTP_VALUE;
}

int
rtp_mark(const struct rtp_packet *p, struct rtp_element *out)
{
	if (!p->element[RTP_ID_MARK].data)
		return RTP_ABSENT;
	*out = p->element[RTP_ID_MARK];
	return RTP_OK;
}

/* ---- building */

static uint8_t *
put_be(uint8_t *out, uint64_t v, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0; v >>= 8)
		out[i] = (uint8_t)v;
	return out + bytes;
}

/* Room for `n` bytes, or NULL and full. */
static uint8_t *
grow(struct rtp_writer *w, size_t n)
{
	if (w->full || n > w->size - w->len) {
		w->full = true;
		return NULL;
	}
	uint8_t *p = w->out + w->len;
	w->len += n;
	return p;
}

void
rtp_begin(struct rtp_writer *w, uint8_t *out, size_t size, const struct rtp_head *head)
{
	*w = (struct rtp_writer){ .out = out, .size = size };
	uint8_t *p = grow(w, RTP_HEADER);
	if (!p)
		return;
	*p++ = VERSION << 6;
	*p++ = (uint8_t)(head->marker << 7 | (head->payload_type & 0x7f));
	p = put_be(p, head->sequence, 2);
	p = put_be(p, head->timestamp, 4);
	put_be(p, head->ssrc, 4);
}

void
rtp_put_element(struct rtp_writer *w, uint8_t id, const void *data, uint8_t len)
{
	if (!w->elements) {
		size_t at = w->len;
		uint8_t *head = grow(w, 4);
		if (!head)
			return;
		put_be(head, (uint32_t)PROFILE_TWO_BYTE << 16, 4);
		w->out[0] |= 0x10;
		w->elements = at;
	}
	uint8_t *p = grow(w, 2u + len);
	if (!p)
		return;
	p[0] = id;
	p[1] = len;
	memcpy(p + 2, data, len);
}

void
rtp_put_wall(struct rtp_writer *w, struct wall wall)
{
	int64_t seconds = wall.ns / NS_PER_S, ns = wall.ns % NS_PER_S;
	uint8_t value[8];

	if (ns < 0) {
		ns += NS_PER_S;
		seconds--;
	}
	/* below 2^32: the last ns of a second is 4.3 steps away from the next */
	uint64_t fraction = (((uint64_t)ns << 32) + (uint64_t)NS_PER_S / 2) / (uint64_t)NS_PER_S;
	put_be(put_be(value, (uint64_t)(seconds + NTP_TO_UNIX), 4), fraction, 4);
	rtp_put_element(w, RTP_ID_WALL, value, sizeof(value));
}

void
rtp_put_position(struct rtp_writer *w, const struct rtp_position *position)
{
	uint8_t value[POSITION_LEN + 4 * RTP_DEVIATIONS_MAX];
	uint8_t *p = put_be(put_be(value, position->packet, 8), position->sample, 8);
	uint32_t any = 0;

	for (unsigned i = 0; i < position->deviations && i < RTP_DEVIATIONS_MAX; i++) {
		p = put_be(p, (uint32_t)position->deviation[i], 4);
		any |= (uint32_t)position->deviation[i];
	}
	rtp_put_element(w, RTP_ID_POSITION, value, any ? (uint8_t)(p - value) : POSITION_LEN);
}

void
rtp_put_text(struct rtp_writer *w, uint8_t id, const char *text)
{
	size_t len = strlen(text);

	if (len > UINT8_MAX)
		w->full = true;
	else
		rtp_put_element(w, id, text, (uint8_t)len);
}

void
rtp_put_format(struct rtp_writer *w, const struct audio_format *format)
{
	uint8_t value[4];

	memcpy(value, format->header, sizeof(value));
	if (format->codec == CODEC_AAC)
		value[3] = (uint8_t)((value[3] & ~PROFILE_BITS) | format->profile);
	rtp_put_element(w, RTP_ID_FORMAT, value, sizeof(value));
}

/* Pad the extension to whole words and write its length. */
static void
close_extension(struct rtp_writer *w)
{
	if (w->body || w->full)
		return;
	w->body = true;
	if (!w->elements)
		return;
	size_t len = w->len - w->elements - 4, padding = (4 - len % 4) % 4;
	uint8_t *p = grow(w, padding);
	if (!p)
		return;
	memset(p, 0, padding);
	put_be(w->out + w->elements + 2, (len + padding) / 4, 2);
}

size_t
rtp_room(struct rtp_writer *w)
{
	close_extension(w);
	return w->full ? 0 : w->size - w->len;
}

void
rtp_put_payload(struct rtp_writer *w, const void *data, size_t len)
{
	close_extension(w);
	uint8_t *p = grow(w, len);
	if (p && len > 0)
		memcpy(p, data, len);
}

int
rtp_end(struct rtp_writer *w, size_t *len)
{
	close_extension(w);
	if (w->full)
		return RTP_FULL;
	*len = w->len;
	return RTP_OK;
}
