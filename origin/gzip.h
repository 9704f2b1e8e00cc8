/* gzip (RFC 1952): whole bodies, once per change; and bodies joined from parts that were deflated before. */
#ifndef HINDCAST_GZIP_H
#define HINDCAST_GZIP_H

#include <stddef.h>
#include <stdint.h>

struct blob;
struct text;

/* `data` as a gzip file, owned by the caller (free), with its length in *out_len. NULL without memory, or when it would
 * not get smaller. */
void *gzip_compress(const void *data, size_t len, size_t *out_len);

/* `data` as raw deflate blocks (RFC 1951) that lean on nothing before them and end at a byte, none of them the last of
 * a stream. One reference, or NULL without memory. */
struct blob *gzip_blocks(const void *data, size_t len);

/* A gzip file in the making. */
struct gzip_join {
	struct text *out;
	uint32_t crc;
	uint64_t size;
};
void gzip_join_begin(struct gzip_join *g, struct text *out);
/* Blocks of gzip_blocks, and CRC-32 and length of what they hold. */
void gzip_join_blocks(struct gzip_join *g, const struct blob *blocks, uint32_t crc, size_t size);
/* A few bytes as they are; at most 65535. */
void gzip_join_plain(struct gzip_join *g, const void *data, size_t len);
/* The end; out->full says whether all went in. */
void gzip_join_end(struct gzip_join *g);

#endif
