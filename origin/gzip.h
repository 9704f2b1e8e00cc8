/* gzip (RFC 1952) of whole bodies. */
#ifndef HINDCAST_GZIP_H
#define HINDCAST_GZIP_H

#include <stddef.h>

/* Compress `len` bytes. The result is owned by the caller (free); NULL without memory or when it would not be smaller.
 * The bytes depend on the input alone: no name, no time. */
void *gzip_compress(const void *data, size_t len, size_t *out_len);

#endif
