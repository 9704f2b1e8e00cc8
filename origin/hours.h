/* The hours that a list is made of, as they were at one moment. */
#ifndef HINDCAST_HOURS_H
#define HINDCAST_HOURS_H

#include <stddef.h>
#include <stdint.h>

#include "origin/piece.h"
#include "rewind/resolve.h"
#include "rewind/span.h"

struct catalogue_station;
struct worker;

struct hours {
	struct hour_copy **copies; /* owned references */
	const struct hour **list;  /* what is in them, as span_plan wants it */
	size_t count;
};

/* Read the hours of numbers [first, end) that have a file, and make up those between that have none. Read from the
 * newest backwards, so that an hour that ends meanwhile is seen whole. 0 with *out owned by the caller (hours_fini;
 * count 0: there is none), or a negative errno. */
int hours_read(struct worker *w, const struct catalogue_station *s, const char *rendition, uint64_t first, uint64_t end,
    struct hours *out);
void hours_fini(struct hours *h);

/* The text of a part of a plan, from the thread's cache; an owned reference, NULL without memory. */
struct piece *hours_piece(struct worker *w, const struct catalogue_station *s, const char *rendition,
    const struct hours *h, const struct span_part *part, enum list_form form);

#endif
