/* Parsed hours and pieces of lists. */
#include "origin/piece.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zlib.h>

#include "base/text.h"
#include "origin/gzip.h"

#define DEFLATED_SHARE 8 /* pieces come out smaller than an eighth */

struct hour_copy *
hour_copy_new(struct hour *h, uint64_t hash)
{
	struct hour_copy *c = malloc(sizeof *c);

	if (!c) {
		hour_free(h);
		return NULL;
	}
	/* the reader has made room ahead, which is kept for as long as the hour is */
	struct hour_entry *exact = h->count ? realloc(h->entries, h->count * sizeof *exact) : NULL;
	if (exact)
		h->entries = exact;
	*c = (struct hour_copy){ .refs = 1, .hour = *h, .hash = hash };
	*h = (struct hour){ 0 };
	return c;
}

struct hour_copy *
hour_copy_ref(struct hour_copy *c)
{
	c->refs++;
	return c;
}

void
hour_copy_unref(struct hour_copy **c)
{
	struct hour_copy *d = *c;

	*c = NULL;
	if (!d || --d->refs > 0)
		return;
	hour_free(&d->hour);
	free(d);
}

size_t
hour_copy_cost(const struct hour_copy *c)
{
	return c ? sizeof *c + c->hour.count * sizeof *c->hour.entries + c->hour.format_count * sizeof *c->hour.formats
		 : 0;
}

struct piece *
piece_new(const struct hour_entry *entries, size_t count, uint32_t T, enum list_form form)
{
	struct piece *p = calloc(1, sizeof *p);
	struct text out;

	text_init(&out, LIST_LIVE_MAX);
	list_entries_write(&out, entries, count, T, form);
	if (p)
		p->text = out.full ? NULL : blob_new(out.len);
	if (!p || !p->text) {
		free(p);
		text_fini(&out);
		return NULL;
	}
	if (out.len)
		memcpy(p->text->data, out.data, out.len);
	text_fini(&out);
	p->refs = 1;
	p->hash = XXH64(p->text->data, p->text->len, 0);
	return p;
}

struct piece *
piece_ref(struct piece *p)
{
	p->refs++;
	return p;
}

void
piece_unref(struct piece **p)
{
	struct piece *d = *p;

	*p = NULL;
	if (!d || --d->refs > 0)
		return;
	blob_unref(d->text);
	blob_unref(d->deflated);
	free(d);
}

size_t
piece_cost(const struct piece *p)
{
	return p ? sizeof *p + p->text->len + p->text->len / DEFLATED_SHARE : 0;
}

int
piece_deflate(struct piece *p)
{
	if (p->deflated)
		return 0;
	p->deflated = gzip_blocks(p->text->data, p->text->len);
	p->crc = (uint32_t)crc32(0, p->text->data, (unsigned)p->text->len);
	return p->deflated ? 0 : -1;
}
