/* gzip of whole bodies, once per change. */
#include "origin/gzip.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#define WINDOW_BITS_GZIP (15 + 16) /* zlib.h, deflateInit2: a gzip wrapper */
#define MEMORY_LEVEL 8

void *
gzip_compress(const void *data, size_t len, size_t *out_len)
{
	z_stream z = { 0 };

	if (len == 0 || len > UINT_MAX)
		return NULL;
	if (deflateInit2(&z, 6, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	unsigned char *out = malloc(len);
	z.next_in = (unsigned char *)(uintptr_t)data;
	z.avail_in = (unsigned)len;
	z.next_out = out;
	z.avail_out = (unsigned)len;
	int rc = out ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
	size_t used = z.total_out;
	deflateEnd(&z);
	if (rc != Z_STREAM_END) {
		free(out);
		return NULL;
	}
	*out_len = used;
	void *exact = realloc(out, used);
	return exact ? exact : out;
}
