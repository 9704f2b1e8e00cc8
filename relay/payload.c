/* Payloads of RTP packets (RFC 3640, RFC 2250). */
#include "relay/payload.h"

#include <string.h>

#include "base/cursor.h"
#include "media/mpa.h"

#define AU_HEADER_BITS 16
#define AU_SIZE_MAX 8191

const char *
payload_error_text(int error)
{
	static const char *const text[PAYLOAD_ERRORS] = { "no error", "shorter than its headers",
		"AU headers that are not of mode AAC-hbr", "interleaved access units",
		"frames of another length than said", "too many frames or fragments", "no layer III header",
		"fragments that contradict each other" };

	return error <= 0 && error > -PAYLOAD_ERRORS ? text[-error] : "unknown";
}

/* ---- reading */

/* RFC 3640 3.2.1: the sizes from the AU headers. */
static int
parse_au_headers(struct cursor *c, struct payload *p)
{
	uint32_t bits = cursor_u16(c);

	if (c->bad)
		return PAYLOAD_SHORT;
	if (bits == 0 || bits % AU_HEADER_BITS != 0)
		return PAYLOAD_HEADERS;
	p->frames = bits / AU_HEADER_BITS;
	if (p->frames > PAYLOAD_FRAMES_MAX)
		return PAYLOAD_MANY;
	for (uint32_t i = 0; i < p->frames; i++) {
		uint16_t header = cursor_u16(c);
		if ((header & 7) != 0)
			return PAYLOAD_INTERLEAVED;
		p->frame[i].len = header >> 3;
	}
	return c->bad ? PAYLOAD_SHORT : 0;
}

int
payload_parse_aac(const uint8_t *data, size_t len, struct payload *out)
{
	struct cursor c = cursor_of(data, len);
	int error = parse_au_headers(&c, out);

	if (error)
		return error;
	out->offset = out->total = 0;
	if (out->frames == 1 && out->frame[0].len > cursor_left(&c) && cursor_left(&c) > 0) {
		out->frames = 0;
		out->total = out->frame[0].len;
		out->frame[0] = (struct payload_frame){ c.p, (uint32_t)cursor_left(&c) };
		return 0;
	}
	for (uint32_t i = 0; i < out->frames; i++) {
		struct payload_frame *f = &out->frame[i];
		f->data = cursor_take(&c, f->len);
		if (!f->data || f->len == 0)
			return PAYLOAD_LENGTH;
	}
	return cursor_left(&c) == 0 ? 0 : PAYLOAD_LENGTH;
}

/* The length of the layer III frame that begins here, or 0. */
static uint32_t
mpa_frame_len(const struct cursor *c)
{
	struct mpa h;

	if (cursor_left(c) < MPA_HEADER || mpa_parse(c->p, &h) < 0 || h.layer != 3)
		return 0;
	return h.length;
}

int
payload_parse_mpa(const uint8_t *data, size_t len, struct payload *out)
{
	struct cursor c = cursor_of(data, len);

	cursor_u16(&c); /* MBZ: to be ignored */
	out->frames = 0;
	out->total = 0;
	out->offset = cursor_u16(&c);
	if (c.bad || cursor_left(&c) == 0)
		return PAYLOAD_SHORT;
	if (out->offset > 0) {
		out->frame[0] = (struct payload_frame){ c.p, (uint32_t)cursor_left(&c) };
		return 0;
	}
	while (cursor_left(&c) > 0) {
		uint32_t n = mpa_frame_len(&c);
		if (n == 0)
			return PAYLOAD_FRAME;
		if (n > cursor_left(&c) && out->frames == 0) {
			out->total = n;
			out->frame[0] = (struct payload_frame){ c.p, (uint32_t)cursor_left(&c) };
			return 0;
		}
		if (out->frames == PAYLOAD_FRAMES_MAX)
			return PAYLOAD_MANY;
		const uint8_t *p = cursor_take(&c, n);
		if (!p)
			return PAYLOAD_LENGTH;
		out->frame[out->frames++] = (struct payload_frame){ p, n };
	}
	return 0;
}

/* ---- writing */

static void
put_u16(struct rtp_writer *w, uint32_t v)
{
	uint8_t bytes[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	rtp_put_payload(w, bytes, sizeof(bytes));
}

void
payload_put_aac(struct rtp_writer *w, const struct payload_frame *frames, unsigned n)
{
	put_u16(w, n * AU_HEADER_BITS);
	for (unsigned i = 0; i < n; i++)
		put_u16(w, frames[i].len << 3);
	for (unsigned i = 0; i < n; i++)
		rtp_put_payload(w, frames[i].data, frames[i].len);
}

void
payload_put_mpa(struct rtp_writer *w, const struct payload_frame *frames, unsigned n)
{
	put_u16(w, 0);
	put_u16(w, 0);
	for (unsigned i = 0; i < n; i++)
		rtp_put_payload(w, frames[i].data, frames[i].len);
}

void
payload_put_aac_fragment(struct rtp_writer *w, uint32_t total, const uint8_t *data, size_t len)
{
	put_u16(w, AU_HEADER_BITS);
	put_u16(w, total << 3);
	rtp_put_payload(w, data, len);
}

void
payload_put_mpa_fragment(struct rtp_writer *w, uint32_t offset, const uint8_t *data, size_t len)
{
	put_u16(w, 0);
	put_u16(w, offset);
	rtp_put_payload(w, data, len);
}

/* ---- assembly */

void
payload_assembly_init(struct payload_assembly *a, uint64_t key)
{
	a->key = key;
	a->parts = a->have = a->total = 0;
}

/* Keep a copy at its place in the order. 1, or 0 when it was there already. */
static int
keep(struct payload_assembly *a, uint64_t order, const struct payload_frame *f, bool last)
{
	uint32_t i = a->parts;

	while (i > 0 && a->part[i - 1].order > order)
		i--;
	if (i > 0 && a->part[i - 1].order == order)
		return 0;
	if (a->parts == PAYLOAD_PARTS_MAX || f->len > sizeof(a->data) - a->have)
		return PAYLOAD_MANY;
	memmove(a->part + i + 1, a->part + i, (a->parts - i) * sizeof(a->part[0]));
	a->part[i] = (struct payload_part){ order, a->have, f->len, last };
	memcpy(a->data + a->have, f->data, f->len);
	a->have += f->len;
	a->parts++;
	return 1;
}

/* All parts, in order, make exactly the frame. */
static int
whole(const struct payload_assembly *a)
{
	if (a->have > a->total && a->total > 0)
		return PAYLOAD_CONFLICT;
	return a->total > 0 && a->have == a->total;
}

int
payload_assembly_aac(struct payload_assembly *a, const struct payload *fragment, uint64_t number, bool marker)
{
	if (a->parts > 0 && a->total != fragment->total)
		return PAYLOAD_CONFLICT;
	a->total = fragment->total;
	int r = keep(a, number, &fragment->frame[0], marker);
	if (r != 1)
		return r;
	r = whole(a);
	if (r != 1)
		return r;
	for (uint32_t i = 0; i < a->parts; i++)
		if (a->part[i].last != (i == a->parts - 1) || a->part[i].order != a->part[0].order + i)
			return PAYLOAD_CONFLICT;
	return 1;
}

int
payload_assembly_mpa(struct payload_assembly *a, const struct payload *fragment)
{
	if (fragment->total > 0)
		a->total = fragment->total;
	int r = keep(a, fragment->offset, &fragment->frame[0], false);
	if (r != 1)
		return r;
	r = whole(a);
	if (r != 1)
		return r;
	for (uint32_t i = 0, at = 0; i < a->parts; at += a->part[i++].len)
		if (a->part[i].order != at)
			return PAYLOAD_CONFLICT;
	return 1;
}

uint32_t
payload_assembly_take(const struct payload_assembly *a, uint8_t out[static PAYLOAD_FRAME_MAX])
{
	uint32_t len = 0;

	for (uint32_t i = 0; i < a->parts; i++) {
		memcpy(out + len, a->data + a->part[i].at, a->part[i].len);
		len += a->part[i].len;
	}
	return len;
}
