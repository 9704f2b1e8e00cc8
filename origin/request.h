/* One request, as its handler sees it, and the ways to answer it. */
#ifndef HINDCAST_REQUEST_H
#define HINDCAST_REQUEST_H

#include <stdbool.h>

#include "origin/entity.h"
#include "origin/problem.h"
#include "origin/routes.h"
#include "origin/target.h"

struct MHD_Connection;
struct text;
struct worker;

struct request {
	struct worker *worker;
	struct MHD_Connection *connection;
	const struct route *route;
	struct route_names names;
	struct target target;
	const char *query; /* still escaped, without "?"; "" when there is none */
	bool head;         /* HEAD: the fields of an answer without its body */
	bool close;        /* end the connection after the answer */

	/* header fields, NULL when absent */
	const char *if_none_match, *if_modified_since, *accept_encoding, *range, *if_range;
};

/* Answer one request whose head is complete. `url` is its path, still escaped; `query` as above. */
void request_handle(struct worker *w, struct MHD_Connection *connection, const char *method, const char *url,
    const char *query, bool too_long);
/* Answer a connection that is over a limit, and end it. */
void request_refuse(struct worker *w, struct MHD_Connection *connection, unsigned status);

/* The ways to answer; a handler calls exactly one of them, once. Conditions, ranges, HEAD and counters are dealt with
 * here. */
void request_send(struct request *r, struct entity *e);
void request_fail(struct request *r, const struct problem *p);
/* 404 without more. */
void request_not_found(struct request *r);
/* A failed open or read, as a negative errno: 404 for what is not there, 503 for what is wrong with this machine. */
void request_failed_open(struct request *r, int error);
/* Permanently at another path of this server (relative). */
void request_redirect(struct request *r, const char *location);
/* Text made for this request alone. */
void request_text(
    struct request *r, unsigned status, const char *type, enum http_freshness freshness, const struct text *body);

#endif
