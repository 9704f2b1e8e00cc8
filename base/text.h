/* Building text and bytes in bounds. */
#ifndef HINDCAST_TEXT_H
#define HINDCAST_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A growing byte buffer with a ceiling. Once something did not fit (ceiling or memory), `full` stays set and
 * nothing more is added; the caller checks once at the end. data is NUL-terminated beyond len, or NULL while empty. */
struct text {
	char *data;
	size_t len, size, max;
	bool full, fixed;
};

/* At most `max` bytes, not counting the NUL, on the heap. */
void text_init(struct text *t, size_t max);
/* Write into the caller's memory instead of the heap; `size`, at least 1, counts the NUL. text_fini is then a no-op. */
void text_init_fixed(struct text *t, char *memory, size_t size);
void text_fini(struct text *t);
/* Empty it, keep the memory. */
void text_clear(struct text *t);
/* Each piece is added whole or, when it does not fit, not at all. */
void text_add(struct text *t, const void *bytes, size_t len);
void text_str(struct text *t, const char *s);
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vfmt(struct text *t, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* The characters of `s` as the inside of a JSON string (RFC 8259 section 7); invalid UTF-8 becomes U+FFFD. */
void text_json(struct text *t, const char *s);
/* Room for `len` bytes which the caller fills: pointer, or NULL (and full). len is added at once. */
void *text_reserve(struct text *t, size_t len);

/* Length of the well-formed UTF-8 sequence at `s` (1 for NUL), or 0 with *bad the length, at least 1, of the longest
 * part of one that stands there instead: what one U+FFFD replaces (Unicode, table 3-7 and section 3.9). */
unsigned text_utf8_sequence(const char *s, unsigned *bad);

#endif
