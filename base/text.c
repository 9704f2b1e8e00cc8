/* Building text and bytes in bounds. */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define FIRST_SIZE 256

void
text_init(struct text *t, size_t max)
{
	*t = (struct text){ .max = max < SIZE_MAX / 4 ? max : SIZE_MAX / 4 };
}

void
text_init_fixed(struct text *t, char *memory, size_t size)
{
	CHECK(size > 0);
	memory[0] = '\0';
	*t = (struct text){ .data = memory, .size = size, .max = size - 1, .fixed = true };
}

void
text_fini(struct text *t)
{
	if (t->fixed)
		return;
	free(t->data);
	text_init(t, t->max);
}

void
text_clear(struct text *t)
{
	t->len = 0;
	t->full = false;
	if (t->data)
		t->data[0] = '\0';
}

/* Make room for `more` bytes and the NUL after them; false, and full, when they go over the ceiling. */
static bool
grow(struct text *t, size_t more)
{
	if (t->full || more > t->max - t->len) {
		t->full = true;
		return false;
	}
	size_t need = t->len + more + 1;
	if (need <= t->size)
		return true;
	size_t size = t->size ? t->size : FIRST_SIZE;
	while (size < need)
		size *= 2;
	if (size > t->max + 1)
		size = t->max + 1;
	char *data = realloc(t->data, size);
	if (!data) {
		t->full = true;
		return false;
	}
	t->data = data;
	t->size = size;
	return true;
}

void *
text_reserve(struct text *t, size_t len)
{
	if (!grow(t, len))
		return NULL;
	char *p = t->data + t->len;
	t->len += len;
	t->data[t->len] = '\0';
	return p;
}

void
text_add(struct text *t, const void *bytes, size_t len)
{
	void *p = text_reserve(t, len);

	if (p && len)
		memcpy(p, bytes, len);
}

void
text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void
text_fmt(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vfmt(t, fmt, ap);
	va_end(ap);
}

void
text_vfmt(struct text *t, const char *fmt, va_list ap)
{
	va_list again;

	if (t->full)
		return;
	size_t room = t->data ? t->size - t->len : 0;
	va_copy(again, ap);
	int n = vsnprintf(t->data ? t->data + t->len : NULL, room, fmt, ap);
	if (n >= 0 && (size_t)n >= room && grow(t, (size_t)n))
		vsnprintf(t->data + t->len, (size_t)n + 1, fmt, again);
	va_end(again);
	if (n < 0)
		t->full = true;
	if (!t->full)
		t->len += (size_t)n;
	else if (t->data)
		t->data[t->len] = '\0';
}

unsigned
text_utf8_sequence(const char *s, unsigned *bad)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char least = 0x80, most = 0xBF; /* of the second byte */
	unsigned len;

	*bad = 1;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xC2 || u[0] > 0xF4)
		return 0;
	len = u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4;
	if (u[0] == 0xE0)
		least = 0xA0; /* overlong */
	else if (u[0] == 0xED)
		most = 0x9F; /* surrogates */
	else if (u[0] == 0xF0)
		least = 0x90;
	else if (u[0] == 0xF4)
		most = 0x8F; /* above U+10FFFF */
	for (unsigned i = 1; i < len; i++, least = 0x80, most = 0xBF) {
		if (u[i] < least || u[i] > most) {
			*bad = i;
			return 0;
		}
	}
	return len;
}

/* One ASCII character that JSON may not hold as it is, RFC 8259 section 7. */
static void
json_escape(struct text *t, char c)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const char *at = strchr(plain, c);

	if (at)
		text_fmt(t, "\\%c", letter[at - plain]);
	else
		text_fmt(t, "\\u%04x", (unsigned)(unsigned char)c);
}

void
text_json(struct text *t, const char *s)
{
	while (*s) {
		size_t run = 0; /* characters that stand for themselves */
		unsigned len, bad = 0;
		while (s[run] && (unsigned char)s[run] >= 0x20 && s[run] != '"' && s[run] != '\\' &&
		       (len = text_utf8_sequence(s + run, &bad)) > 0)
			run += len;
		text_add(t, s, run);
		s += run;
		if (!*s)
			break;
		if ((unsigned char)*s < 0x80) {
			json_escape(t, *s++);
		} else {
			text_str(t, "\xEF\xBF\xBD"); /* U+FFFD */
			s += bad;
		}
	}
}
