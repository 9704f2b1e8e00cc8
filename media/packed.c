/* Packed audio: one ID3v2.4 tag of 73 bytes, then the frames. Drawn byte by byte in doc/formats.md. */
#include <string.h>

#include "media/segment.h"

#define OWNER "com.apple.streaming.transportStreamTimestamp"

enum {
	TIMESTAMP_SIZE = 8,
	ID3_HEADER_SIZE = 10,
	ID3_FRAME_HEADER_SIZE = 10,
	PRIV_SIZE = sizeof OWNER + TIMESTAMP_SIZE, /* the owner's NUL belongs to it */
	TAG_SIZE = ID3_FRAME_HEADER_SIZE + PRIV_SIZE,
};
/* Sizes are synchsafe (ID3v2.4 6.2), seven bits a byte; below 128 that is the number itself. */
_Static_assert(TAG_SIZE < 128, "one synchsafe byte holds the sizes");

/* The PTS of the first frame, 33 bits in 64, big endian (RFC 8216 3.4). */
static void
timestamp_write(struct ticks pts, uint8_t out[static TIMESTAMP_SIZE])
{
	for (int i = 0; i < TIMESTAMP_SIZE; i++)
		out[i] = (uint8_t)(pts.t >> (56 - 8 * i));
}

static size_t
tag_write(struct ticks pts, uint8_t *out)
{
	static const uint8_t header[ID3_HEADER_SIZE] = { 'I', 'D', '3', 4, 0, 0, 0, 0, 0, TAG_SIZE };
	static const uint8_t priv[ID3_FRAME_HEADER_SIZE] = { 'P', 'R', 'I', 'V', 0, 0, 0, PRIV_SIZE, 0, 0 };
	uint8_t *at = out;
	memcpy(at, header, sizeof header);
	at += sizeof header;
	memcpy(at, priv, sizeof priv);
	at += sizeof priv;
	memcpy(at, OWNER, sizeof OWNER);
	at += sizeof OWNER;
	timestamp_write(pts, at);
	at += TIMESTAMP_SIZE;
	return (size_t)(at - out);
}

size_t
packed_segment_bound(const struct media_segment *s)
{
	size_t size = ID3_HEADER_SIZE + TAG_SIZE;
	for (size_t i = 0; i < s->count; i++)
		size += s->frames[i].len;
	return size;
}

size_t
packed_segment_write(const struct media_segment *s, uint8_t *out)
{
	size_t size = tag_write(ticks_at(s->anchor, s->sample, s->format.rate), out);
	for (size_t i = 0; i < s->count; i++) {
		memcpy(out + size, s->frames[i].data, s->frames[i].len);
		size += s->frames[i].len;
	}
	return size;
}
