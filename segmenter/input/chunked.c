/* Undoes the chunked transfer coding:
 *
 *   chunk-size [; extension] CRLF  data CRLF  ...  0 [; extension] CRLF  *( field CRLF )  CRLF
 */
#include "segmenter/input/chunked.h"

#include <string.h>

#define DIGITS_MAX 8         /* of a size: no chunk of 4 GiB */
#define PASSED_OVER_MAX 4096 /* bytes of extensions of one chunk, or of all trailers */

enum { SIZE, EXTENSION, DATA, DATA_END, TRAILER_START, TRAILER, DONE, BAD };

void
chunked_init(struct chunked *c)
{
	*c = (struct chunked){ .state = SIZE };
}

/* The size line is through. */
static int
size_end(const struct chunked *c)
{
	if (c->digits == 0)
		return BAD;
	return c->left > 0 ? DATA : TRAILER_START;
}

static int
size_byte(struct chunked *c, uint8_t b)
{
	int digit = b >= '0' && b <= '9'                     ? b - '0'
		    : (b | 0x20) >= 'a' && (b | 0x20) <= 'f' ? (b | 0x20) - 'a' + 10
							     : -1;

	if (digit >= 0) {
		c->left = c->left << 4 | (uint64_t)digit;
		return ++c->digits > DIGITS_MAX ? BAD : SIZE;
	}
	if (b == '\n')
		return size_end(c);
	c->line = 0;
	return c->digits > 0 && (b == ';' || b == ' ' || b == '\t' || b == '\r') ? EXTENSION : BAD;
}

/* One byte of what is not data. */
static int
frame_byte(struct chunked *c, uint8_t b)
{
	switch (c->state) {
	case SIZE:
		return size_byte(c, b);
	case EXTENSION:
		if (b == '\n')
			return size_end(c);
		return ++c->line > PASSED_OVER_MAX ? BAD : EXTENSION;
	case DATA_END:
		if (b == '\r')
			return DATA_END;
		c->digits = 0;
		return b == '\n' ? SIZE : BAD;
	case TRAILER_START:
	case TRAILER:
		if (b == '\n')
			return c->state == TRAILER_START ? DONE : ++c->line > PASSED_OVER_MAX ? BAD : TRAILER_START;
		if (++c->line > PASSED_OVER_MAX)
			return BAD;
		return b == '\r' ? c->state : TRAILER;
	default:
		return c->state;
	}
}

long
chunked_decode(struct chunked *c, uint8_t *data, size_t len)
{
	size_t out = 0, in = 0;

	while (in < len && c->state != DONE && c->state != BAD) {
		if (c->state != DATA) {
			c->state = frame_byte(c, data[in++]);
			continue;
		}
		size_t n = c->left < len - in ? (size_t)c->left : len - in;
		memmove(data + out, data + in, n);
		out += n;
		in += n;
		c->left -= n;
		if (c->left == 0)
			c->state = DATA_END;
	}
	c->done = c->state == DONE;
	return c->state == BAD ? -1 : (long)out;
}
