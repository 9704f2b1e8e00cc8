/* A small HTTP server for a few clients, driven from the segmenter's loop. */
#include "segmenter/small_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/address.h"

#define ANSWER_MAX (16 * 1024 * 1024)
#define CONNECTIONS_MAX 32

struct small_http {
	small_http_handler handler;
	void *ctx;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	int open_handles;
};

static enum MHD_Result
answer_send(struct MHD_Connection *connection, struct small_answer *a)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(a->body.len, a->body.data ? a->body.data : "", MHD_RESPMEM_MUST_COPY);

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", a->type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	if (a->allow)
		MHD_add_response_header(r, "Allow", a->allow);
	if (a->challenge)
		MHD_add_response_header(r, "WWW-Authenticate", "Bearer realm=\"hindcast\"");
	enum MHD_Result result = MHD_queue_response(connection, a->status, r);
	MHD_destroy_response(r);
	return result;
}

static void
body_take(struct small_request *request, const char *upload, size_t *size)
{
	size_t room = SMALL_HTTP_BODY - request->body_len, n = *size < room ? *size : room;

	memcpy(request->body + request->body_len, upload, n);
	request->body_len += n;
	request->body_too_long |= n < *size;
	*size = 0;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_size, void **state)
{
	struct small_http *h = cls;
	struct small_request *request = *state;

	(void)version;
	if (!request) {
		*state = calloc(1, sizeof(*request));
		return *state ? MHD_YES : MHD_NO;
	}
	if (*upload_size) {
		body_take(request, upload, upload_size);
		return MHD_YES;
	}
	struct small_answer a = { .status = MHD_HTTP_OK, .type = "text/plain" };
	request->method = strcmp(method, "HEAD") == 0 ? "GET" : method;
	request->path = url;
	request->authorization = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
	text_init(&a.body, ANSWER_MAX);
	h->handler(h->ctx, request, &a);
	enum MHD_Result result = answer_send(connection, &a);
	text_fini(&a.body);
	return result;
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	(void)cls;
	(void)connection;
	(void)code;
	free(*state);
	*state = NULL;
}

static void on_timer(uv_timer_t *timer);

static void
run(struct small_http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(h->daemon);
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
		uv_timer_start(&h->timer, on_timer, ms, 0);
	else
		uv_timer_stop(&h->timer);
}

static void
on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

int
small_http_open(uv_loop_t *loop, const char *listen, const char *what, const char *service, small_http_handler handler,
    void *ctx, struct small_http **out, struct text *errors)
{
	struct sockaddr_storage address;
	struct small_http *h;

	if (address_parse(listen, &address) < 0) {
		text_fmt(errors, "%s = %s: want an address and a port, like 127.0.0.1:8004\n", what, listen);
		return -1;
	}
	h = calloc(1, sizeof(*h));
	if (!h)
		return -1;
	h->handler = handler;
	h->ctx = ctx;
	unsigned flags = MHD_USE_EPOLL | (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
	h->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR, &address,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, 15u, MHD_OPTION_END);
	const union MHD_DaemonInfo *epoll = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!epoll) {
		text_fmt(errors, "%s = %s: cannot listen: %s\n", what, listen, strerror(errno));
		if (h->daemon)
			MHD_stop_daemon(h->daemon);
		free(h);
		return -1;
	}
	const union MHD_DaemonInfo *port = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	log_info("listening service=%s address=%s port=%u", service, listen, port ? port->port : 0);
	uv_poll_init(loop, &h->poll, epoll->epoll_fd);
	uv_timer_init(loop, &h->timer);
	h->poll.data = h->timer.data = h;
	h->open_handles = 2;
	uv_poll_start(&h->poll, UV_READABLE, on_readable);
	*out = h;
	return 0;
}

static void
on_closed(uv_handle_t *handle)
{
	struct small_http *h = handle->data;

	if (--h->open_handles == 0)
		free(h);
}

void
small_http_close(struct small_http **hp)
{
	struct small_http *h = *hp;

	if (!h)
		return;
	*hp = NULL;
	uv_poll_stop(&h->poll);
	uv_close((uv_handle_t *)&h->poll, on_closed);
	uv_close((uv_handle_t *)&h->timer, on_closed);
	MHD_stop_daemon(h->daemon);
}
