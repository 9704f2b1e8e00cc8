/* Hours of a rendition, through the thread's cache. */
#include "origin/hours.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/log.h"
#include "origin/stored.h"
#include "origin/worker.h"

/* Whose hours are read. */
struct reading {
	struct worker *worker;
	const struct catalogue_station *station;
	const char *rendition;
};

/* An hour as it is: NULL with *error 0 where there is no file that can be read. */
static struct hour_copy *
read_one(const struct reading *g, uint64_t hour, bool look, int *error)
{
	int rc = 0;
	struct hour_copy *c = stored_entries(g->worker, g->station->name, g->rendition, hour, look, &rc);

	*error = rc == -ENOENT || rc == -EBADMSG ? 0 : rc;
	if (c && (c->hour.segment != g->station->T || c->hour.first_msn != layout_hour_first(hour, g->station->T))) {
		char name[LAYOUT_NAME_SIZE];
		log_warn("hour file of another hour or segment duration is passed over station=%s rendition=%s hour=%s",
		    g->station->name, g->rendition, layout_hour_name(hour, name));
		hour_copy_unref(&c);
	}
	return c;
}

/* An hour before another one that has entries: with all its own. */
static struct hour_copy *
read_whole(const struct reading *g, uint64_t hour, const struct hour *next, int *error)
{
	const size_t full = 3600 / g->station->T;
	struct hour filled;
	struct hour_copy *c = read_one(g, hour, false, error);

	/* what is known of it may be older than what is known of the next one */
	if (!*error && (!c || c->hour.count < full)) {
		if (c)
			hour_copy_unref(&c);
		c = read_one(g, hour, true, error);
	}
	if (*error || (c && c->hour.count == full))
		return c;
	*error = span_hour_fill(c ? &c->hour : NULL, hour, next, &filled);
	if (c)
		hour_copy_unref(&c);
	c = *error ? NULL : hour_copy_new(&filled, 0);
	if (c)
		c->hash = XXH64(c->hour.entries, full * sizeof *c->hour.entries, 0);
	else if (!*error)
		*error = -ENOMEM;
	return c;
}

int
hours_read(struct worker *w, const struct catalogue_station *s, const char *rendition, uint64_t first, uint64_t end,
    struct hours *out)
{
	const struct reading g = { w, s, rendition };
	uint64_t first_hour = layout_hour(first, s->T), hour = layout_hour(end - 1, s->T);
	size_t most = (size_t)(hour - first_hour) + 1;
	struct hours h = { .copies = calloc(most, sizeof *h.copies), .list = calloc(most, sizeof *h.list) };
	int error = h.copies && h.list ? 0 : -ENOMEM;

	/* one disk access after the other would take as many times as long */
	for (uint64_t i = 1; i < most; i++)
		stored_expect_entries(w, s->name, rendition, hour - i);
	/* gathered at the end of the arrays, from there backwards */
	size_t at = most;
	for (uint64_t left = most; left > 0 && !error; left--, hour--) {
		struct hour_copy *c =
		    at == most ? read_one(&g, hour, false, &error) : read_whole(&g, hour, h.list[at], &error);
		if (!c)
			continue; /* nothing here, and nothing after it */
		h.copies[--at] = c;
		h.list[at] = &c->hour;
	}
	h.count = most - at;
	if (h.copies && h.list && at > 0) {
		memmove(h.copies, h.copies + at, h.count * sizeof *h.copies);
		memmove(h.list, h.list + at, h.count * sizeof *h.list);
	}
	if (error)
		hours_fini(&h);
	else
		*out = h;
	return error;
}

void
hours_fini(struct hours *h)
{
	for (size_t i = 0; i < h->count; i++)
		hour_copy_unref(&h->copies[i]);
	free(h->copies);
	free(h->list);
	*h = (struct hours){ 0 };
}

struct piece *
hours_piece(struct worker *w, const struct catalogue_station *s, const char *rendition, const struct hours *h,
    const struct span_part *part, enum list_form form)
{
	const struct hour_copy *c = h->copies[part->hour];
	char key[TARGET_SIZE], name[LAYOUT_NAME_SIZE];
	uint64_t hour = layout_hour(c->hour.first_msn, s->T);
	const struct hour_entry *entries = c->hour.entries + part->first;
	size_t count = part->last - part->first;

	/* entries of a file that grows stay as they are */
	snprintf(key, sizeof key, "%s/%s/%s %016" PRIx64 " %zu %zu %d", s->name, rendition,
	    layout_hour_name(hour, name), c->hash, part->first, part->last, form);
	struct cache_item *i = cache_find(&w->cache, CACHE_PIECES, key);
	if (i)
		return piece_ref(i->piece);
	struct piece *p = piece_new(entries, count, s->T, form);
	if (p) {
		struct cache_item fresh = { .piece = piece_ref(p) };
		cache_put(&w->cache, CACHE_PIECES, key, &fresh);
	}
	return p;
}
