/* A client's connection: its limits, and how long it may wait. */
#ifndef HINDCAST_CONNECTION_H
#define HINDCAST_CONNECTION_H

#include <microhttpd.h>
#include <stdbool.h>

#include "base/clock.h"
#include "origin/limits.h"

struct worker;

/* One client's connection, as libmicrohttpd's socket context. */
struct connection {
	struct worker *worker;
	struct MHD_Connection *handle;
	enum limit_verdict verdict;
	bool waiting;      /* for a complete request: is in the worker's list */
	bool head_seen;    /* the handler was called for this request */
	char *query;       /* what stood after "?", owned; NULL: there was no "?" */
	bool too_long;     /* the request target is over url_limit */
	struct mono since; /* when it began to wait */
	struct connection *before, *after;
};

/* Hang up on those that have waited for `patience_ns`: a client that sends a byte a second is let go as surely as a
 * silent one. */
void connection_close_overdue(struct worker *w, int64_t patience_ns);

/* What libmicrohttpd calls; `cls` is the worker. */
enum MHD_Result connection_may_accept(void *cls, const struct sockaddr *from, socklen_t len);
void connection_changed(
    void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode what);
/* The request target, before it is taken apart: the query is kept as it was sent. */
void *connection_target(void *cls, const char *target, struct MHD_Connection *connection);
/* Leaves escapes alone: paths are decoded by target_parse. */
size_t connection_unescape(void *cls, struct MHD_Connection *connection, char *s);
/* Called with the head, with pieces of a body, and at the end. An answer to the first call ends the connection. */
enum MHD_Result connection_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **request);
void connection_completed(
    void *cls, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode how);

#endif
