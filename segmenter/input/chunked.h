/* Undoes the chunked transfer coding (RFC 9112 section 7.1), a piece at a time and in place. */
#ifndef HINDCAST_CHUNKED_H
#define HINDCAST_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunked {
	/* private */
	int state;
	uint64_t left;   /* of the chunk's size while it is read, then of its data */
	unsigned digits; /* of the size */
	unsigned line;   /* bytes of extension or trailer passed over */
	/* the last chunk and its trailer are through */
	bool done;
};

void chunked_init(struct chunked *c);

/* Decode data[0..len): the chunks' data is moved to the front and its length returned. Extensions and trailers are
 * dropped, and so is everything behind the end. -1 when it is no such coding; the decoder stays in that state. */
long chunked_decode(struct chunked *c, uint8_t *data, size_t len);

#endif
