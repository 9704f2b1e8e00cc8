/* The chunked coding: cut anywhere, it decodes to the same bytes and the same verdict. The first byte says where. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "segmenter/input/chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static long
decode(const uint8_t *data, size_t size, size_t piece, uint8_t *body, bool *done)
{
	struct chunked c;
	long total = 0;

	chunked_init(&c);
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		uint8_t *buf = malloc(n);
		CHECK(buf);
		memcpy(buf, data + at, n);
		long got = chunked_decode(&c, buf, n);
		CHECK(got >= -1 && got <= (long)n);
		if (got > 0)
			memcpy(body + total, buf, (size_t)got);
		free(buf);
		if (got < 0)
			return -1;
		total += got;
	}
	*done = c.done;
	return total;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool done[2] = { false, false };

	if (size < 2)
		return 0;
	size_t piece = 1 + data[0] % 32u;
	uint8_t *body[2] = { malloc(size), malloc(size) };
	CHECK(body[0] && body[1]);
	long whole = decode(data + 1, size - 1, size - 1, body[0], &done[0]);
	long cut = decode(data + 1, size - 1, piece, body[1], &done[1]);
	CHECK(whole == cut && done[0] == done[1]);
	CHECK(whole <= 0 || memcmp(body[0], body[1], (size_t)whole) == 0);
	free(body[0]);
	free(body[1]);
	return 0;
}
