/* A client's connection, as libmicrohttpd reports on it. */
#include "origin/connection.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "origin/request.h"
#include "origin/worker.h"

/* Connections that wait for a complete request stand in a list, oldest first: a client that sends a byte a second is
 * let go as surely as a silent one. */

static void
begin_waiting(struct connection *c)
{
	struct worker *w = c->worker;

	c->since = w->now;
	c->waiting = true;
	c->after = NULL;
	c->before = w->last_waiting;
	*(c->before ? &c->before->after : &w->longest_waiting) = c;
	w->last_waiting = c;
	w->busy--;
}

static void
end_waiting(struct connection *c)
{
	struct worker *w = c->worker;

	if (!c->waiting)
		return;
	*(c->before ? &c->before->after : &w->longest_waiting) = c->after;
	*(c->after ? &c->after->before : &w->last_waiting) = c->before;
	c->waiting = false;
	w->busy++;
}

static void
hang_up(struct connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->handle, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
}

void
connection_close_overdue(struct worker *w, int64_t patience_ns)
{
	while (w->longest_waiting && w->now.ns - w->longest_waiting->since.ns >= patience_ns) {
		struct connection *c = w->longest_waiting;
		end_waiting(c);
		hang_up(c);
		counter_add(&w->counters.timed_out, 1);
	}
}

/* What libmicrohttpd calls. */

enum MHD_Result
connection_may_accept(void *cls, const struct sockaddr *from, socklen_t len)
{
	struct worker *w = cls;
	(void)len;
	return limits_may_accept(&w->server->limits, from) ? MHD_YES : MHD_NO;
}

static const struct sockaddr *
client_address(struct MHD_Connection *connection)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	return info && info->client_addr ? info->client_addr : &none;
}

static void
open_connection(struct worker *w, struct MHD_Connection *connection, void **context)
{
	struct connection *c = calloc(1, sizeof *c);

	*context = c;
	if (!c)
		return;
	c->worker = w;
	c->handle = connection;
	c->verdict = limits_enter(&w->server->limits, client_address(connection));
	w->connections++;
	w->busy++;
	begin_waiting(c);
}

static void
close_connection(struct connection *c)
{
	struct worker *w = c->worker;

	end_waiting(c);
	w->busy--;
	w->connections--;
	limits_leave(&w->server->limits, client_address(c->handle));
	free(c->query);
	free(c);
}

void
connection_changed(
    void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		open_connection(cls, connection, context);
	else if (*context)
		close_connection(*context);
}

static struct connection *
context_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

/* The request target, before libmicrohttpd takes it apart: the query is kept as it was sent. */
void *
connection_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct worker *w = cls;
	struct connection *c = context_of(connection);
	const char *query = strchr(target, '?');

	if (!c)
		return NULL;
	c->head_seen = false;
	c->too_long = strlen(target) > w->server->options.url_limit;
	free(c->query);
	c->query = query && !c->too_long ? strdup(query + 1) : NULL;
	return c;
}

/* Paths are decoded in target.c. */
size_t
connection_unescape(void *cls, struct MHD_Connection *connection, char *s)
{
	(void)cls;
	(void)connection;
	return strlen(s);
}

static bool
is_read(const char *method)
{
	return !strcmp(method, "GET") || !strcmp(method, "HEAD") || !strcmp(method, "OPTIONS");
}

/* Called with the head, with pieces of a body, and at the end. An answer to the first call ends the connection. */
enum MHD_Result
connection_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **request)
{
	struct worker *w = cls;
	struct connection *c = *request;

	(void)version;
	(void)upload;
	if (!c)
		return MHD_NO;
	if (!c->head_seen) {
		c->head_seen = true;
		if (is_read(method) && c->verdict == LIMIT_WITHIN)
			return MHD_YES; /* a body is waited for like the head */
	}
	if (*upload_size > 0) {
		*upload_size = 0; /* a body says nothing here */
		return MHD_YES;
	}
	end_waiting(c);
	if (c->verdict != LIMIT_WITHIN)
		request_refuse(w, connection, c->verdict == LIMIT_ADDRESS ? 429 : 503);
	else
		request_handle(w, connection, method, url, c->query ? c->query : "", c->too_long);
	return MHD_YES;
}

void
connection_completed(void *cls, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode how)
{
	struct connection *c = *request;

	(void)cls;
	(void)connection;
	(void)how;
	*request = NULL;
	if (!c)
		return;
	free(c->query);
	c->query = NULL;
	if (!c->waiting)
		begin_waiting(c);
}
