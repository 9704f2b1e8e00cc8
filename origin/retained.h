/* What is kept of a rendition: the advertised range, and the gaps in it. Found by looking at the store now and then. */
#ifndef HINDCAST_RETAINED_H
#define HINDCAST_RETAINED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "origin/cache.h"

struct catalogue_station;
struct text;
struct worker;

struct retained {
	struct wall from, to; /* first sample of the oldest segment, grid line after the newest; from.ns 0: nothing */
};

/* What one thread remembers of a rendition. */
struct rendition_view {
	struct wall oldest;  /* first sample of the oldest segment that is advertised; ns 0: none known */
	uint64_t hour;       /* whose file it was found in */
	uint64_t unread;     /* older hours are so many that cannot be read that none of them is looked at again */
	struct mono checked; /* when the folder was last read for it; ns 0: never */
	struct wall newest;  /* grid line after the newest segment, while the live list has none; ns 0: none known */
	struct mono newest_checked; /* when the folder was last read for it; ns 0: not since the live list had one */
	struct hour_holes *holes;   /* of hours, oldest first; owned */
	size_t hole_count;
};
void rendition_view_fini(struct rendition_view *v);

/* The advertised span of a rendition (its index in the station): to the end of its live list, from what retention
 * leaves.
 */
struct retained retained_rendition(struct worker *w, const struct catalogue_station *s, size_t rendition);
/* Of all its renditions together. */
struct retained retained_station(struct worker *w, const struct catalogue_station *s);

/* {"from":"…","to":"…"} or null. */
void retained_write(struct text *out, struct retained r);

#endif
