/* Packets in a byte stream (RFC 4571). */
#include "relay/framing.h"

#include <string.h>

void
framing_init(struct framing *f)
{
	f->have = 0;
	f->packets = f->empty = 0;
}

/* Bytes that the unit which begins at `p` has in all, FRAMING_HEADER while its length is not known yet. */
static size_t
unit_len(const uint8_t *p, size_t have)
{
	return have < FRAMING_HEADER ? FRAMING_HEADER : FRAMING_HEADER + ((size_t)p[0] << 8 | p[1]);
}

/* Collect up to `want` bytes in all. */
static void
collect(struct framing *f, size_t want, const uint8_t **data, size_t *len)
{
	size_t n = want - f->have < *len ? want - f->have : *len;

	memcpy(f->data + f->have, *data, n);
	f->have += n;
	*data += n;
	*len -= n;
}

/* One unit, whole in the caller's bytes or collected. FRAMING_PACKET with its bytes, header included, in *unit. */
static enum framing_result
next_unit(struct framing *f, const uint8_t **data, size_t *len, const uint8_t **unit, size_t *size)
{
	if (f->have == 0) {
		size_t want = unit_len(*data, *len);
		if (want > sizeof(f->data))
			return FRAMING_TOO_LONG;
		if (*len >= FRAMING_HEADER && *len >= want) {
			*unit = *data;
			*size = want;
			*data += want;
			*len -= want;
			return FRAMING_PACKET;
		}
	}
	if (f->have < FRAMING_HEADER)
		collect(f, FRAMING_HEADER, data, len);
	if (f->have < FRAMING_HEADER)
		return FRAMING_MORE;
	size_t want = unit_len(f->data, f->have);
	if (want > sizeof(f->data))
		return FRAMING_TOO_LONG;
	collect(f, want, data, len);
	if (f->have < want)
		return FRAMING_MORE;
	f->have = 0;
	*unit = f->data;
	*size = want;
	return FRAMING_PACKET;
}

enum framing_result
framing_next(struct framing *f, const uint8_t **data, size_t *len, const uint8_t **packet, size_t *packet_len)
{
	const uint8_t *unit = NULL;
	size_t size = 0;

	while (*len > 0) {
		enum framing_result r = next_unit(f, data, len, &unit, &size);
		if (r != FRAMING_PACKET)
			return r;
		if (size > FRAMING_HEADER) {
			f->packets++;
			*packet = unit + FRAMING_HEADER;
			*packet_len = size - FRAMING_HEADER;
			return FRAMING_PACKET;
		}
		f->empty++;
	}
	return FRAMING_MORE;
}

void
framing_write(size_t len, uint8_t out[static FRAMING_HEADER])
{
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
}
