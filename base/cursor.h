/* Reading untrusted bytes: every read is bounded, a failed read makes the cursor sticky-bad. */
#ifndef HINDCAST_CURSOR_H
#define HINDCAST_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *p, *end;
	bool bad; /* a read wanted more than there was; all later reads give 0 */
};

static inline struct cursor
cursor_of(const void *data, size_t len)
{
	return (struct cursor){ .p = data, .end = (const uint8_t *)data + len };
}

static inline size_t
cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->p);
}

/* Take `n` bytes: a pointer to them, or NULL (and bad) when there are fewer. */
static inline const uint8_t *
cursor_take(struct cursor *c, size_t n)
{
	if (c->bad || n > cursor_left(c)) {
		c->bad = true;
		return NULL;
	}
	const uint8_t *p = c->p;
	c->p += n;
	return p;
}

/* A cursor over the next `n` bytes, which this one skips: nested lengths narrow the view. */
static inline struct cursor
cursor_sub(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_take(c, n);
	if (!p)
		return (struct cursor){ .bad = true };
	return cursor_of(p, n);
}

/* Big-endian integers. */
static inline uint64_t
cursor_be(struct cursor *c, unsigned bytes)
{
	const uint8_t *p = cursor_take(c, bytes);
	uint64_t v = 0;
	for (unsigned i = 0; p && i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint8_t
cursor_u8(struct cursor *c)
{
	return (uint8_t)cursor_be(c, 1);
}

static inline uint16_t
cursor_u16(struct cursor *c)
{
	return (uint16_t)cursor_be(c, 2);
}

static inline uint32_t
cursor_u32(struct cursor *c)
{
	return (uint32_t)cursor_be(c, 4);
}

#endif
