/* Titles as UTF-8. */
#include "segmenter/input/title.h"

#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 sequence at the front, 0 when it is none (RFC 3629 section 4: no overlong form, no surrogate,
 * nothing above U+10FFFF). */
static size_t
utf8_length(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	bool low = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
	bool high = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
	return low || high ? 0 : n;
}

static bool
is_utf8(const uint8_t *p, size_t len)
{
	for (size_t i = 0, n; i < len; i += n)
		if ((n = utf8_length(p + i, len - i)) == 0)
			return false;
	return true;
}

/* One character as UTF-8. ISO-8859-1 is the first 256 code points; 0x7f to 0x9f are control characters in both. */
static size_t
character(const uint8_t *p, size_t n, uint8_t to[4])
{
	uint32_t code = n == 1 ? p[0] : n == 2 ? (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f) : UINT32_MAX;

	if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
		to[0] = ' ';
		return 1;
	}
	if (n > 1 || code < 0x80) {
		memcpy(to, p, n);
		return n;
	}
	to[0] = (uint8_t)(0xc0 | code >> 6);
	to[1] = (uint8_t)(0x80 | (code & 0x3f));
	return 2;
}

size_t
title_utf8(const char *s, size_t len, bool latin1, char *out, size_t size)
{
	const uint8_t *p = (const uint8_t *)s;
	bool utf8 = !latin1 && is_utf8(p, len);
	size_t done = 0;
	uint8_t to[4];

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8 ? utf8_length(p + i, len - i) : 1;
		size_t add = character(p + i, n, to);
		if (add > size - done)
			break;
		memcpy(out + done, to, add);
		done += add;
	}
	return done;
}
