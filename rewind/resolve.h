/* From the time parameters of a request to a span of segments: a pure function of the request, the time, and what is
 * retained. doc/design.md section 9. */
#ifndef HINDCAST_RESOLVE_H
#define HINDCAST_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "rewind/instant.h"
#include "rewind/programmes.h"

struct text;

/* The parameters as they were given, decoded; NULL when absent. Borrowed. */
struct time_request {
	const char *from, *to, *duration, *delay, *programme;
};

/* What the answer depends on beside the request. */
struct time_facts {
	struct wall now;
	uint32_t T;              /* seconds */
	int64_t max_span_ns;     /* a multiple of T is not required: it is rounded up to one */
	int64_t retention_ns;    /* what is older is not kept */
	struct wall oldest;      /* first sample of the oldest segment that is advertised; ns 0: there is none */
	struct wall newest_end;  /* grid line after the newest segment with media; ns 0: there is none */
	const struct zone *zone; /* of the station */
	const struct programmes *programmes; /* or NULL: the station has none */
};

enum time_kind {
	TIME_LIVE,  /* no time parameters */
	TIME_DELAY, /* live, `delay_s` seconds ago */
	TIME_FROM,  /* start-over: from `first` on through live, at most max_span */
	TIME_SPAN,  /* catch-up: from `first` up to, not including, `end`, which may lie in the future */
};

struct time_span {
	enum time_kind kind;
	uint64_t first, end; /* media sequence numbers, [first, end); FROM: end = first + max_span / T */
	int64_t delay_s;     /* DELAY: rounded up to a multiple of T */
	bool fixed;          /* the same request will mean the same span later on; never when clamped */
	bool clamped;        /* it began before the oldest segment and now begins there; or */
			     /* between the newest segment and now, and now begins with the newest */
	struct wall asked;   /* clamped: the instant that was asked for */
};

struct time_fault {
	unsigned status;       /* 400, 404 or 410 */
	const char *parameter; /* "from", "to", …: static; NULL: none in particular */
	int64_t retry_after_s; /* 404 for a time to come: when to ask again; else 0 */
	char detail[200];      /* one sentence: what is wrong and what to do */
};

/* 0 with *span, or -1 with *fault; the other is untouched. */
int time_resolve(
    const struct time_request *r, const struct time_facts *f, struct time_span *span, struct time_fault *fault);

/* Is the request written in the canonical form (the one that time_span_query writes, instants on the grid)? If so, its
 * span, without a look at what is retained or what time it is: fixed, not clamped. FROM and SPAN are at most max_span
 * long and not empty. */
bool time_canonical(const struct time_request *r, uint32_t T, int64_t max_span_ns, struct time_span *span);

/* The canonical query: "from=20261121T080000Z", "from=20261121T080000Z&to=20261121T093000Z", "delay=1800"; nothing for
 * TIME_LIVE. */
void time_span_query(struct text *out, const struct time_span *s, uint32_t T);

#endif
