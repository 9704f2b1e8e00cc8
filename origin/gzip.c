/* gzip of whole bodies and of joined ones. */
#include "origin/gzip.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/log.h"
#include "base/text.h"
#include "origin/entity.h"

#define WINDOW_BITS_GZIP (15 + 16) /* zlib.h, deflateInit2: a gzip wrapper */
/* Lines of lists repeat within 100 bytes: a small window and small tables compress them as well, in a third of the
 * time. */
#define WINDOW_BITS_RAW (-12)
#define MEMORY_LEVEL_RAW 5
#define MEMORY_LEVEL 8
#define LEVEL 6

void *
gzip_compress(const void *data, size_t len, size_t *out_len)
{
	z_stream z = { 0 };

	if (len == 0 || len > UINT_MAX)
		return NULL;
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
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

struct blob *
gzip_blocks(const void *data, size_t len)
{
	z_stream z = { 0 };

	if (len > UINT_MAX / 2 ||
	    deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_BITS_RAW, MEMORY_LEVEL_RAW, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	size_t room = deflateBound(&z, len) + 16; /* and the marker of the flush */
	unsigned char *out = malloc(room);
	z.next_in = (unsigned char *)(uintptr_t)data;
	z.avail_in = (unsigned)len;
	z.next_out = out;
	z.avail_out = (unsigned)room;
	int rc = out ? deflate(&z, Z_SYNC_FLUSH) : Z_MEM_ERROR;
	struct blob *b = rc == Z_OK && z.avail_in == 0 && z.avail_out > 0 ? blob_new(z.total_out) : NULL;
	if (b)
		memcpy(b->data, out, z.total_out);
	deflateEnd(&z);
	free(out);
	return b;
}

void
gzip_join_begin(struct gzip_join *g, struct text *out)
{
	/* RFC 1952 2.3: no name, no time, an unknown system: the same bytes on every host */
	static const unsigned char head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };

	*g = (struct gzip_join){ .out = out, .crc = (uint32_t)crc32(0, NULL, 0) };
	text_add(out, head, sizeof head);
}

void
gzip_join_blocks(struct gzip_join *g, const struct blob *blocks, uint32_t crc, size_t size)
{
	text_add(g->out, blocks->data, blocks->len);
	g->crc = (uint32_t)crc32_combine(g->crc, crc, (z_off_t)size);
	g->size += size;
}

/* A stored block (RFC 1951 3.2.4). It begins at a byte, as all blocks before it ended at one. */
static void
stored_block(struct gzip_join *g, const void *data, size_t len, bool last)
{
	CHECK(len <= 65535);
	unsigned char head[5] = { last, len & 0xff, len >> 8, ~len & 0xff, ~len >> 8 & 0xff };

	text_add(g->out, head, sizeof head);
	text_add(g->out, data, len);
}

void
gzip_join_plain(struct gzip_join *g, const void *data, size_t len)
{
	stored_block(g, data, len, false);
	g->crc = (uint32_t)crc32(g->crc, data, (unsigned)len);
	g->size += len;
}

void
gzip_join_end(struct gzip_join *g)
{
	unsigned char tail[8];

	stored_block(g, "", 0, true);
	for (int i = 0; i < 4; i++) {
		tail[i] = (unsigned char)(g->crc >> 8 * i);
		tail[4 + i] = (unsigned char)(g->size >> 8 * i);
	}
	text_add(g->out, tail, sizeof tail);
}
