/* What a reader asks for: the query of GET /rtp. */
#ifndef HINDCAST_QUERY_H
#define HINDCAST_QUERY_H

#include <stdint.h>

struct text;

#define QUERY_MIDS_MOST 1024

struct query {
	int64_t since;                  /* wall, ns; RING_LIVE: not given */
	unsigned count;                 /* of mids; 0: all renditions */
	uint64_t mids[QUERY_MIDS_MOST]; /* source_mid_hash() of each, ascending */
};

/* Read "since=…&mid=…&mid=…", escapes of RFC 3986 undone. `since` is an instant as wall_parse() reads it, or whole ns
 * since 1970 (16 digits and more). A name that is unknown, `since` twice, an unreadable value or more than
 * QUERY_MIDS_MOST renditions is an error. 0, or -1 with a line in `why` that names the parameter; *out is then
 * unusable. */
int query_parse(const char *query, struct query *out, struct text *why);

#endif
