/* The table of programmes: made once by programmes_ical.c, then only looked into. */
#include "rewind/programmes.h"

#include <stdlib.h>
#include <string.h>

struct programmes *
programmes_ref(struct programmes *p)
{
	if (p)
		atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void
programmes_unref(struct programmes **p)
{
	struct programmes *d = *p;

	*p = NULL;
	if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < d->count; i++) {
		free(d->list[i].id);
		free(d->list[i].title);
		free(d->list[i].description);
		free(d->list[i].url);
	}
	free(d->list);
	free(d);
}

const struct programme *
programmes_at(const struct programmes *p, struct wall at)
{
	const struct programme *found = NULL;

	for (size_t i = 0; i < p->count && p->list[i].start.ns <= at.ns; i++)
		if (p->list[i].end.ns > at.ns)
			found = &p->list[i];
	return found;
}

const struct programme *
programmes_find(const struct programmes *p, const char *id)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->list[i].id, id))
			return &p->list[i];
	return NULL;
}
