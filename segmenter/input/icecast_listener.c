/* The source port: accepts connections, reads their heads, answers, and hands sources to their mounts.
 *
 * Until then nobody has logged in: heads are bounded in size and time, and of too many connections the oldest goes, so
 * that a crowd of idle ones does not keep an encoder out. */
#include "segmenter/input/icecast_listener.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "segmenter/input/icecast_request.h"
#include "segmenter/input/icecast_source.h"
#include "segmenter/input/source_connection.h"

#define BACKLOG 64
#define SWEEP_MS 100
#define LINGER_MS 2000
#define ANSWER_MAX 1024
#define PORT_TRIES 32 /* for a free pair of ports */

struct socket {
	uv_tcp_t tcp; /* data: the listener */
	bool open;
	enum connection_state first; /* what its connections begin with */
	struct sockaddr_storage address;
};

struct icecast_listener {
	uv_loop_t *loop;
	struct socket icecast, shoutcast;
	uv_timer_t sweep; /* data: the listener */
	struct source_connection *oldest, *newest;
	int64_t connections, max_connections;
	uint64_t head_timeout; /* ms */
	unsigned handles;      /* that uv has not closed yet */
	struct icecast_listener_counters counters;
};

const struct metric icecast_listener_metrics[ICECAST_LISTENER_METRICS] = {
	{ "hindcast_listener_connections_total", "Connections to the source port", METRIC_COUNTER,
	    offsetof(struct icecast_listener_counters, connections), 0 },
	{ "hindcast_listener_sources_total", "Connections that became a mount's source", METRIC_COUNTER,
	    offsetof(struct icecast_listener_counters, sources), 0 },
	{ "hindcast_listener_refused_total", "Requests that were refused", METRIC_COUNTER,
	    offsetof(struct icecast_listener_counters, refused), 0 },
	{ "hindcast_listener_bad_heads_total", "Connections that sent no request", METRIC_COUNTER,
	    offsetof(struct icecast_listener_counters, bad_heads), 0 },
	{ "hindcast_listener_timeouts_total", "Request heads that did not come in time", METRIC_COUNTER,
	    offsetof(struct icecast_listener_counters, timeouts), 0 },
	{ "hindcast_listener_crowded_out_total", "Connections closed for newer ones", METRIC_COUNTER,
	    offsetof(struct icecast_listener_counters, crowded_out), 0 },
};

/* ---- connections */

static void
list_add(struct icecast_listener *l, struct source_connection *c)
{
	c->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = c;
	l->newest = c;
	l->connections++;
}

static void
list_remove(struct icecast_listener *l, struct source_connection *c)
{
	*(c->older ? &c->older->newer : &l->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &l->newest) = c->older;
	c->older = c->newer = NULL;
	l->connections--;
}

static void
connection_freed(uv_handle_t *h)
{
	free(h->data);
}

void
source_connection_close(struct source_connection **cp)
{
	struct source_connection *c = *cp;

	*cp = NULL;
	uv_close((uv_handle_t *)&c->tcp, connection_freed);
}

int
source_connection_send(struct source_connection *c, const char *text, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)text, (unsigned)len);

	return uv_try_write((uv_stream_t *)&c->tcp, &buf, 1) == (int)len ? 0 : -1;
}

static void
connection_end(struct icecast_listener *l, struct source_connection *c)
{
	list_remove(l, c);
	source_connection_close(&c);
}

/* Say the last word. The connection is closed for writing and read until the client has gone too: closing it with bytes
 * unread makes the kernel send a reset, which may overtake the answer. */
static void
connection_answer(struct icecast_listener *l, struct source_connection *c, const struct text *answer)
{
	uv_os_fd_t fd;

	c->state = CONNECTION_LINGER;
	c->deadline = uv_now(l->loop) + LINGER_MS;
	if (source_connection_send(c, answer->data, answer->len) < 0 || uv_fileno((uv_handle_t *)&c->tcp, &fd) < 0 ||
	    shutdown(fd, SHUT_WR) < 0)
		connection_end(l, c);
}

static void
connection_refuse(struct icecast_listener *l, struct source_connection *c, const struct text *answer)
{
	l->counters.refused++;
	connection_answer(l, c, answer);
}

static void
connection_attach(struct icecast_listener *l, struct source_connection *c, struct transport *mount, uint32_t head)
{
	l->counters.sources++;
	uv_read_stop((uv_stream_t *)&c->tcp);
	list_remove(l, c);
	c->begin = head;
	c->state = CONNECTION_SOURCE;
	icecast_mount_attach(mount, c);
}

/* Answer a request whose head took `head` bytes. */
static void
connection_conclude(struct icecast_listener *l, struct source_connection *c, const char *path, uint32_t head,
    struct icecast_verdict v, const struct text *answer)
{
	char safe[REQUEST_PATH_MAX];

	if (v.why)
		log_warn("request refused peer=%s mount=%s status=%d why=\"%s\"", c->peer,
		    log_safe(path, safe, sizeof(safe)), v.status, v.why);
	if (!v.mount && v.status >= 400)
		connection_refuse(l, c, answer);
	else if (!v.mount)
		connection_answer(l, c, answer);
	else if (answer->len > 0 && source_connection_send(c, answer->data, answer->len) < 0)
		connection_end(l, c);
	else
		connection_attach(l, c, v.mount, head);
}

static void
connection_bad(struct icecast_listener *l, struct source_connection *c, const char *why)
{
	char memory[ANSWER_MAX];
	struct text answer;

	l->counters.bad_heads++;
	text_init_fixed(&answer, memory, sizeof(memory));
	log_warn("no request peer=%s why=\"%s\"", c->peer, why);
	icecast_bad_request(why, clock_wall_now(), &answer);
	connection_refuse(l, c, &answer);
}

static void
head_arrived(struct icecast_listener *l, struct source_connection *c)
{
	long length = request_head_length(c->buf, c->end);
	struct request_head head;
	char memory[ANSWER_MAX];
	struct text answer;
	const char *why;

	if (length == 0)
		return;
	if (length < 0) {
		connection_bad(l, c, c->end < REQUEST_HEAD_MAX ? "control characters" : "head larger than 8 KiB");
		return;
	}
	if (request_head_parse(c->buf, (size_t)length, &head, &why) < 0) {
		connection_bad(l, c, why);
		return;
	}
	text_init_fixed(&answer, memory, sizeof(memory));
	struct icecast_verdict v = icecast_request(l->loop, &head, c, clock_wall_now(), &answer);
	connection_conclude(l, c, head.path, (uint32_t)length, v, &answer);
}

/* ---- Shoutcast v1:  password CRLF;  "OK2" CRLF "icy-caps:11" CRLF CRLF;  fields, an empty line, audio */

static void
fields_arrived(struct icecast_listener *l, struct source_connection *c)
{
	long length = request_fields_length(c->buf, c->end);
	struct request_head fields;
	char memory[ANSWER_MAX];
	struct text answer;
	const char *why;

	if (length == 0)
		return;
	if (length < 0 || request_fields_parse(c->buf, (size_t)length, &fields, &why) < 0) {
		connection_bad(l, c, length < 0 ? "no header lines" : why);
		return;
	}
	text_init_fixed(&answer, memory, sizeof(memory));
	struct icecast_verdict v =
	    icecast_shoutcast(icecast_mount_find(l->loop, c->mount), &fields, c, clock_wall_now(), &answer);
	connection_conclude(l, c, c->mount, (uint32_t)length, v, &answer);
}

static void
password_refused(struct icecast_listener *l, struct source_connection *c, bool several)
{
	char word[] = "invalid password\r\n";
	struct text answer = { .data = word, .len = sizeof(word) - 1 };

	if (several)
		log_warn("several mounts have this password, a Shoutcast source needs one of its own peer=%s", c->peer);
	else
		log_warn("login refused, no mount has this password service=shoutcast peer=%s", c->peer);
	connection_refuse(l, c, &answer);
}

static void
password_arrived(struct icecast_listener *l, struct source_connection *c)
{
	static const char welcome[] = "OK2\r\nicy-caps:11\r\n\r\n";
	char *end = memchr(c->buf, '\n', c->end);
	bool several = false;

	if (!end && c->end >= REQUEST_VALUE_MAX) {
		connection_bad(l, c, "no password line");
		return;
	}
	if (!end)
		return;
	uint32_t taken = (uint32_t)(end - c->buf) + 1;
	*end = '\0';
	if (end > c->buf && end[-1] == '\r')
		end[-1] = '\0';
	struct transport *mount = icecast_mount_find_password(l->loop, c->buf, &several);
	explicit_bzero(c->buf, taken);
	if (!mount) {
		password_refused(l, c, several);
		return;
	}
	snprintf(c->mount, sizeof(c->mount), "%s", icecast_mount_path(mount));
	memmove(c->buf, c->buf + taken, c->end - taken);
	c->end -= taken;
	c->state = CONNECTION_FIELDS;
	if (source_connection_send(c, welcome, sizeof(welcome) - 1) < 0)
		connection_end(l, c);
	else if (c->end > 0)
		fields_arrived(l, c);
}

/* ---- the loop */

static void
connection_room(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct source_connection *c = h->data;

	(void)suggested;
	if (c->state == CONNECTION_LINGER)
		c->end = 0;
	*buf = uv_buf_init(c->buf + c->end, (unsigned)(sizeof(c->buf) - c->end));
}

static void
connection_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct source_connection *c = stream->data;
	struct icecast_listener *l = c->listener;

	(void)buf;
	if (n == 0)
		return;
	if (n < 0) {
		connection_end(l, c);
		return;
	}
	c->end += (uint32_t)n;
	switch (c->state) {
	case CONNECTION_HEAD:
		head_arrived(l, c);
		break;
	case CONNECTION_PASSWORD:
		password_arrived(l, c);
		break;
	case CONNECTION_FIELDS:
		fields_arrived(l, c);
		break;
	case CONNECTION_LINGER:
	case CONNECTION_SOURCE:
		break;
	}
}

static void
connection_overdue(struct icecast_listener *l, struct source_connection *c)
{
	char memory[ANSWER_MAX];
	struct text answer;

	if (c->state == CONNECTION_LINGER) {
		connection_end(l, c);
		return;
	}
	l->counters.timeouts++;
	log_warn("request head did not come in time peer=%s bytes=%u", c->peer, c->end);
	text_init_fixed(&answer, memory, sizeof(memory));
	icecast_timed_out(clock_wall_now(), &answer);
	connection_refuse(l, c, &answer);
}

static void
connections_sweep(uv_timer_t *timer)
{
	struct icecast_listener *l = timer->data;
	struct source_connection *next;

	for (struct source_connection *c = l->oldest; c; c = next) {
		next = c->newer;
		if (uv_now(l->loop) >= c->deadline)
			connection_overdue(l, c);
	}
	if (!l->oldest)
		uv_timer_stop(timer);
}

static void
peer_name(struct source_connection *c)
{
	struct sockaddr_storage peer = { 0 };
	int len = sizeof(peer);

	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&peer, &len) == 0)
		address_format(&peer, c->peer);
	else
		snprintf(c->peer, sizeof(c->peer), "?");
}

static void
connection_arrived(uv_stream_t *server, int status)
{
	struct icecast_listener *l = server->data;
	struct socket *s = (struct socket *)server; /* whose first member it is */
	struct source_connection *c = status == 0 ? calloc(1, sizeof(*c)) : NULL;

	if (!c || uv_tcp_init(l->loop, &c->tcp) < 0) {
		log_error("cannot accept a connection service=icecast why=\"%s\"",
		    status < 0 ? uv_strerror(status) : "out of memory");
		free(c);
		return;
	}
	c->tcp.data = c;
	if (uv_accept(server, (uv_stream_t *)&c->tcp) < 0 ||
	    uv_read_start((uv_stream_t *)&c->tcp, connection_room, connection_read) < 0) {
		source_connection_close(&c);
		return;
	}
	l->counters.connections++;
	c->listener = l;
	c->state = s->first;
	c->deadline = uv_now(l->loop) + l->head_timeout;
	peer_name(c);
	if (l->connections >= l->max_connections) {
		l->counters.crowded_out++;
		log_warn("too many connections, the oldest is closed peer=%s", l->oldest->peer);
		connection_end(l, l->oldest);
	}
	list_add(l, c);
	if (!uv_is_active((uv_handle_t *)&l->sweep))
		uv_timer_start(&l->sweep, connections_sweep, SWEEP_MS, SWEEP_MS);
}

/* ---- opening and closing */

static void
handle_closed(uv_handle_t *h)
{
	struct icecast_listener *l = h->data;

	if (--l->handles == 0)
		free(l);
}

static void
handle_close(uv_handle_t *h)
{
	uv_close(h, handle_closed);
}

static int
socket_listen(struct icecast_listener *l, struct socket *s, const struct sockaddr_storage *address)
{
	int r = uv_tcp_init(l->loop, &s->tcp), len = sizeof(s->address);

	if (r < 0)
		return r;
	s->open = true;
	s->tcp.data = l;
	l->handles++;
	if ((r = uv_tcp_bind(&s->tcp, (const struct sockaddr *)address, 0)) < 0 ||
	    (r = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, connection_arrived)) < 0)
		return r;
	return uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&s->address, &len);
}

/* The base port, and the one after it for Shoutcast. */
static int
sockets_listen(struct icecast_listener *l, bool shoutcast, struct sockaddr_storage *address)
{
	int r = socket_listen(l, &l->icecast, address);

	if (r < 0 || !shoutcast)
		return r;
	uint16_t port = address_port(&l->icecast.address);
	if (port == UINT16_MAX)
		return UV_EADDRNOTAVAIL;
	address_set_port(address, (uint16_t)(port + 1));
	return socket_listen(l, &l->shoutcast, address);
}

static struct icecast_listener *
listener_new(uv_loop_t *loop, const struct listener_settings *settings)
{
	struct icecast_listener *l = calloc(1, sizeof(*l));

	if (!l || uv_timer_init(loop, &l->sweep) < 0) {
		free(l);
		return NULL;
	}
	l->loop = loop;
	l->sweep.data = l;
	l->handles = 1;
	l->icecast.first = CONNECTION_HEAD;
	l->shoutcast.first = CONNECTION_PASSWORD;
	l->max_connections = settings->max_connections;
	l->head_timeout = (uint64_t)(settings->head_timeout / NS_PER_MS);
	return l;
}

static void
log_listening(const struct socket *s, const char *service)
{
	char text[ADDRESS_TEXT_SIZE];

	if (s->open)
		log_info("listening address=%s service=%s", address_format(&s->address, text), service);
}

int
icecast_listener_open(
    uv_loop_t *loop, const struct listener_settings *settings, struct icecast_listener **out, struct text *errors)
{
	struct sockaddr_storage address;
	struct icecast_listener *l = NULL;
	char text[ADDRESS_TEXT_SIZE];
	int r = UV_EINVAL;

	if (address_parse(settings->listen, &address) < 0) {
		text_fmt(errors,
		    "[icecast-listener] listen = %s: want ADDRESS:PORT, such as 0.0.0.0:8001 or [::]:8001\n",
		    settings->listen);
		return -1;
	}
	bool any_port = address_port(&address) == 0;
	for (int tries = 0; tries < (any_port ? PORT_TRIES : 1); tries++) {
		if (any_port)
			address_set_port(&address, 0);
		if (!(l = listener_new(loop, settings))) {
			text_str(errors, "[icecast-listener] out of memory\n");
			return -1;
		}
		if ((r = sockets_listen(l, settings->shoutcast, &address)) == 0)
			break;
		icecast_listener_close(&l);
	}
	if (r < 0) {
		text_fmt(errors, "[icecast-listener] cannot listen on %s: %s\n", address_format(&address, text),
		    uv_strerror(r));
		return -1;
	}
	log_listening(&l->icecast, "icecast");
	log_listening(&l->shoutcast, "shoutcast");
	*out = l;
	return 0;
}

void
icecast_listener_close(struct icecast_listener **lp)
{
	struct icecast_listener *l = *lp;

	if (!l)
		return;
	*lp = NULL;
	while (l->oldest)
		connection_end(l, l->oldest);
	if (l->icecast.open)
		handle_close((uv_handle_t *)&l->icecast.tcp);
	if (l->shoutcast.open)
		handle_close((uv_handle_t *)&l->shoutcast.tcp);
	handle_close((uv_handle_t *)&l->sweep);
}

const struct icecast_listener_counters *
icecast_listener_counters(const struct icecast_listener *l)
{
	return &l->counters;
}

uint16_t
icecast_listener_port(const struct icecast_listener *l)
{
	return address_port(&l->icecast.address);
}
