/* The segmenter's own small HTTP listener: libmicrohttpd driven from the segmenter's loop. */
#include "segmenter/monitor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"

#define METRICS_MAX (16 * 1024 * 1024)
#define CONNECTIONS_MAX 32

struct monitor {
	struct pipeline *pipeline;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	int open_handles;
};

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned status, const char *type, struct text *body)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(body->len, body->data ? body->data : "", MHD_RESPMEM_MUST_COPY);

	text_fini(body);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, "Allow", "GET, HEAD");
	enum MHD_Result result = MHD_queue_response(connection, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_size, void **request)
{
	struct monitor *m = cls;
	struct text body;
	static int begun;

	(void)version;
	(void)upload;
	if (!*request) {
		*request = &begun;
		return MHD_YES;
	}
	*upload_size = 0;
	text_init(&body, METRICS_MAX);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		text_str(&body, "only GET and HEAD are understood here\n");
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", &body);
	}
	if (strcmp(url, "/metrics") == 0) {
		pipeline_metrics(m->pipeline, &body);
		return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4", &body);
	}
	if (strcmp(url, "/healthz") == 0) {
		bool healthy = pipeline_healthy(m->pipeline, &body);
		if (healthy)
			text_str(&body, "ok\n");
		return answer(connection, healthy ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", &body);
	}
	text_str(&body, "here are /metrics and /healthz\n");
	return answer(connection, MHD_HTTP_NOT_FOUND, "text/plain", &body);
}

static void on_timer(uv_timer_t *timer);

static void
run(struct monitor *m)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(m->daemon);
	if (MHD_get_timeout(m->daemon, &ms) == MHD_YES)
		uv_timer_start(&m->timer, on_timer, ms, 0);
	else
		uv_timer_stop(&m->timer);
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
monitor_open(uv_loop_t *loop, const char *listen, struct pipeline *pipeline, struct monitor **out, struct text *errors)
{
	struct sockaddr_storage address;
	struct monitor *m;

	if (address_parse(listen, &address) < 0) {
		text_fmt(errors, "[segmenter] metrics = %s: want an address and a port, like 127.0.0.1:8004\n", listen);
		return -1;
	}
	m = calloc(1, sizeof(*m));
	if (!m)
		return -1;
	m->pipeline = pipeline;
	unsigned flags = MHD_USE_EPOLL | (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
	m->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, m, MHD_OPTION_SOCK_ADDR, &address,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 15u, MHD_OPTION_END);
	const union MHD_DaemonInfo *epoll = m->daemon ? MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!epoll) {
		text_fmt(errors, "[segmenter] metrics = %s: cannot listen: %s\n", listen, strerror(errno));
		free(m);
		return -1;
	}
	const union MHD_DaemonInfo *port = MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_BIND_PORT);
	log_info("listening service=metrics address=%s port=%u", listen, port ? port->port : 0);
	uv_poll_init(loop, &m->poll, epoll->epoll_fd);
	uv_timer_init(loop, &m->timer);
	m->poll.data = m->timer.data = m;
	m->open_handles = 2;
	uv_poll_start(&m->poll, UV_READABLE, on_readable);
	*out = m;
	return 0;
}

static void
on_closed(uv_handle_t *handle)
{
	struct monitor *m = handle->data;

	if (--m->open_handles == 0)
		free(m);
}

void
monitor_close(struct monitor **mp)
{
	struct monitor *m = *mp;

	if (!m)
		return;
	*mp = NULL;
	uv_poll_stop(&m->poll);
	uv_close((uv_handle_t *)&m->poll, on_closed);
	uv_close((uv_handle_t *)&m->timer, on_closed);
	MHD_stop_daemon(m->daemon);
}
