/* Lists over spans: which entries of which hours a list holds, and how it begins and ends. A pure function of the hour
 * files, the span and the time. doc/design.md section 8. */
#ifndef HINDCAST_SPAN_H
#define HINDCAST_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rewind/hour.h"
#include "rewind/list.h"
#include "rewind/resolve.h"

/* A list that has ended keeps the form of its growth for so long, so that players which followed it see nothing but its
 * end; then holes are left out. */
#define SPAN_SETTLE_NS (300 * NS_PER_S)

/* What the writer may still enter after a segment's time is over, in segments; without it a span that is over is
 * complete as it is. */
#define SPAN_LATE_SEGMENTS 3

/* Longest span of a list, in segments: what bounds the work and memory of a request. */
#define SPAN_SEGMENTS_MOST 120000
#define SPAN_BYTES_MOST (16u << 20) /* and of its text */

/* Entries [first, last) of one hour. */
struct span_part {
	size_t hour; /* index in the caller's array */
	size_t first, last;
	bool hole_before; /* EXT-X-DISCONTINUITY stands before it, which its own text does not have */
};

struct span_plan {
	struct list_head head;
	enum list_form form;
	bool ended;             /* ENDLIST */
	bool settled;           /* it will not change any more but by heal */
	size_t segments;        /* listed, with those that a delta update skips */
	struct wall newest_end; /* grid line after the newest listed segment with media */
	struct span_part *parts;
	size_t count;
};

/* Numbers whose entries a list over the span can hold at this time: [*first, *end), where *end is at most what has been
 * on air. For TIME_DELAY the last `window` segments. */
void span_bounds(
    const struct time_span *s, uint32_t T, uint32_t window, struct wall now, uint64_t *first, uint64_t *end);

/* Plan the list. hours: those of span_bounds, `count` of them in order without a hole (span_hour_fill), all but the
 * last with all their entries; the last may be short or have none; `T` is that of all. `skip`: a delta update is
 * wanted; it is planned when it saves something and hides no discontinuity. 0 with *plan owned by the caller
 * (span_plan_fini); -ENOENT when there is no media in the span (yet); -ENOMEM. */
int span_plan(struct span_plan *plan, const struct time_span *s, const struct hour *const *hours, size_t count,
    uint32_t window, struct wall now, bool skip);
void span_plan_fini(struct span_plan *plan);

/* The whole list; origin puts the same together from kept pieces. */
void span_write(struct text *out, const struct span_plan *plan, const struct hour *const *hours);

/* An hour of which not all entries are known, as all others must be: *out is owned by the caller and holds those of `h`
 * (NULL: there is no file) and gaps up to the hour's end. `next`: the hour after it. 0 or -ENOMEM. */
int span_hour_fill(const struct hour *h, uint64_t hour, const struct hour *next, struct hour *out);

#endif
