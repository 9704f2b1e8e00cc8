/* What a request to the source port gets: the mount it asks for, or an answer in Icecast's words. */
#ifndef HINDCAST_ICECAST_REQUEST_H
#define HINDCAST_ICECAST_REQUEST_H

#include <uv.h>

#include "base/clock.h"
#include "segmenter/input/request_head.h"

struct source_connection;
struct text;
struct transport;

struct icecast_verdict {
	struct transport *mount; /* the request is its source, `answer` says welcome; NULL: `answer` is the last word */
	int status;              /* of `answer` */
	const char *why;         /* a constant, for the log; NULL when nothing is wrong */
};

/* Decide on a head. PUT and SOURCE make a source; GET /admin/metadata and /admin.cgi pass a title on to the input. Sets
 * in `c` how the body is sent. `answer` gets the bytes to send. */
struct icecast_verdict icecast_request(const uv_loop_t *loop, const struct request_head *head,
    struct source_connection *c, struct wall now, struct text *answer);

/* The answer to bytes that are no request. */
struct icecast_verdict icecast_bad_request(const char *why, struct wall now, struct text *answer);
/* ... to a head that did not come in time. */
struct icecast_verdict icecast_timed_out(struct wall now, struct text *answer);
/* ... to a Shoutcast v1 source, which gave its password but cannot have `mount` (NULL: it is no more); or a verdict
 * with that mount and an empty answer. */
struct icecast_verdict icecast_shoutcast(struct transport *mount, const struct request_head *fields,
    struct source_connection *c, struct wall now, struct text *answer);

#endif
