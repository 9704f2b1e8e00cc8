/* Titles come as UTF-8 or, from older encoders, as ISO-8859-1; on they go as UTF-8. */
#ifndef HINDCAST_TITLE_H
#define HINDCAST_TITLE_H

#include <stdbool.h>
#include <stddef.h>

#define TITLE_MAX 1024

/* Copy s[0..len) to `out` as UTF-8 without control characters (a space stands for each), cut at a character that would
 * not fit. Bytes that are not UTF-8 (RFC 3629), or all with `latin1`, are read as ISO-8859-1. Returns the length; `out`
 * is not NUL-terminated. */
size_t title_utf8(const char *s, size_t len, bool latin1, char *out, size_t size);

#endif
