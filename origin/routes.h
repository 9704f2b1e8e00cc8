/* Which path is answered by whom: one table. */
#ifndef HINDCAST_ROUTES_H
#define HINDCAST_ROUTES_H

#include <stdint.h>

#include "base/clock.h"
#include "origin/target.h"
#include "rewind/layout.h"

struct request;

/* For counters. */
enum route_kind {
	ROUTE_PAGE,
	ROUTE_STATIONS,
	ROUTE_MULTIVARIANT,
	ROUTE_MEDIA,
	ROUTE_HOUR,
	ROUTE_SEGMENT,
	ROUTE_FILE,
	ROUTE_HEALTH,
	ROUTE_METRICS,
	ROUTE_NONE, /* refused before a route was looked for */
	ROUTE_KINDS,
};
const char *route_kind_name(enum route_kind kind);

/* What the components of a path stand for. */
struct route_names {
	const char *station, *rendition;
	uint64_t hour;         /* since 1970; of an hour file or a segment's folder */
	struct wall grid;      /* of a segment */
	enum layout_kind kind; /* of a segment */
};

struct route {
	const char *pattern; /* "{station}", "{rendition}", "{hour}", "{hour}.m3u8", "{segment}"; "*": one or more */
	enum route_kind kind;
	const char
	    *parameters; /* names in the query that mean something, separated by spaces. Others are an error: a mistyped
			    one must not silently mean "live". NULL, for pages and checks: all are passed over */
	void (*handler)(struct request *r);
};

/* The first route that the path fits, with *names set; never NULL: the last route takes everything. */
const struct route *routes_match(const struct target *t, struct route_names *names);

#endif
