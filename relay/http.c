/* HTTP by libmicrohttpd, driven from the relay's loop. A reader that has everything is suspended until there is more.
 */
#include "relay/http.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/log.h"
#include "base/text.h"
#include "relay/framing.h"
#include "relay/query.h"
#include "relay/relay.h"
#include "relay/settings.h"

#define CONNECTION_MEMORY (64 << 10) /* heads, and what goes to or comes from a socket at once */
#define SEND_BUFFER (1 << 20)        /* what the kernel holds for a reader: else it grows to several MB */
#define IDLE_SECONDS 30u             /* a publisher that sends nothing, a reader that takes nothing */
#define OTHER_CONNECTIONS 64         /* beside readers and publishers */
#define METRICS_MOST (4 << 20)
#define ERRORS_MOST 256
#define BAD_IN_A_ROW 64 /* so many packets that are no RTP: the framing is lost */

enum exchange_kind { EXCHANGE_OTHER, EXCHANGE_READ, EXCHANGE_PUBLISH };

/* One request, as libmicrohttpd's context. */
struct exchange {
	struct http *http;
	struct MHD_Connection *connection;
	enum exchange_kind kind;
	bool head_seen;
	char *query; /* what stood after "?", owned */

	/* EXCHANGE_READ */
	struct query wanted;
	struct ring_reader reader;
	bool begun, suspended, sign_due, dropped;
	bool told; /* that the history is over */
	struct mono sent;
	struct exchange *before, *after; /* of all that read */

	/* EXCHANGE_PUBLISH */
	struct sender *sender;
	struct framing framing;
	unsigned bad;
};

struct http {
	struct relay *relay;
	const struct relay_plan *plan;
	struct http_calls calls;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
	struct exchange *reading;
	struct http_counters counters;
	struct mono now;
	struct wall wall;
	bool closing;
};

/* ---- answers */

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
		MHD_add_response_header(r, "Allow", "GET, HEAD, PUT");
	enum MHD_Result result = MHD_queue_response(connection, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result
answer_line(struct MHD_Connection *connection, unsigned status, const char *line)
{
	struct text body;

	text_init(&body, ERRORS_MOST);
	text_str(&body, line);
	return answer(connection, status, "text/plain", &body);
}

static struct in6_addr
client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info && info->client_addr ? network_address(info->client_addr) : in6addr_any;
}

static const char *
client_text(struct MHD_Connection *connection, char text[static ADDRESS_TEXT_SIZE])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_storage address = { 0 };

	if (!info || !info->client_addr)
		return "?";
	memcpy(&address, info->client_addr,
	    info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	return address_format(&address, text);
}

static int
socket_of(struct exchange *e)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static void
hang_up(struct exchange *e)
{
	shutdown(socket_of(e), SHUT_RDWR);
}

static void
bound_send_buffer(struct exchange *e)
{
	int fd = socket_of(e), size = SEND_BUFFER / 2; /* the kernel doubles it */

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* ---- readers */

static void
say_slow(struct exchange *e)
{
	char client[ADDRESS_TEXT_SIZE];

	if (e->dropped)
		return;
	e->dropped = true;
	e->http->counters.readers_slow++;
	log_warn("reader dropped, it was too slow address=%s behind=%" PRIu64, client_text(e->connection, client),
	    ring_reader_behind(&e->http->relay->ring, &e->reader));
}

/* libmicrohttpd wants bytes: what has come, a sign of life, or nothing until the next flush. */
static ssize_t
read_packets(void *cls, uint64_t at, char *out, size_t size)
{
	struct exchange *e = cls;
	struct http *h = e->http;

	(void)at;
	if (h->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (size < RING_PACKET_MOST + FRAMING_HEADER)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	size_t n = ring_read(&h->relay->ring, &e->reader, (uint8_t *)out, size);
	if (n == 0 && e->reader.overrun) {
		say_slow(e);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (n == 0 && (e->sign_due || !e->told)) {
		e->told = true;
		framing_write(0, (uint8_t *)out);
		n = FRAMING_HEADER;
	}
	if (n == 0) {
		e->suspended = true;
		MHD_suspend_connection(e->connection);
		return 0;
	}
	e->sign_due = false;
	e->sent = h->now;
	h->counters.read_bytes += n;
	return (ssize_t)n;
}

/* How far back the ring goes. */
static void
add_history(struct http *h, struct MHD_Response *r)
{
	char text[WALL_TEXT_SIZE];
	struct wall oldest = h->wall;

	ring_oldest_wall(&h->relay->ring, &oldest.ns);
	MHD_add_response_header(r, "X-History-From", wall_format(oldest, text));
}

static enum MHD_Result
begin_reading(struct exchange *e)
{
	struct http *h = e->http;
	struct ring_filter filter = { .mids = e->wanted.mids, .count = e->wanted.count };
	char client[ADDRESS_TEXT_SIZE];
	struct MHD_Response *r =
	    MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, CONNECTION_MEMORY, read_packets, e, NULL);

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", "application/octet-stream");
	MHD_add_response_header(r, "Cache-Control", "no-store");
	add_history(h, r);
	if (ring_reader_begin(&h->relay->ring, &e->reader, e->wanted.since, &filter)) {
		MHD_destroy_response(r);
		return MHD_NO;
	}
	bound_send_buffer(e);
	e->begun = true;
	e->sent = h->now;
	e->after = h->reading;
	if (h->reading)
		h->reading->before = e;
	h->reading = e;
	h->counters.readers++;
	h->counters.readers_came++;
	log_info("reader came address=%s renditions=%u history=%s", client_text(e->connection, client), e->wanted.count,
	    e->wanted.since == RING_LIVE ? "no" : "yes");
	enum MHD_Result result = MHD_queue_response(e->connection, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return result;
}

static void
end_reading(struct exchange *e)
{
	struct http *h = e->http;
	char client[ADDRESS_TEXT_SIZE];

	if (!e->dropped)
		log_info("reader left address=%s", client_text(e->connection, client));
	ring_reader_end(&h->relay->ring, &e->reader);
	*(e->before ? &e->before->after : &h->reading) = e->after;
	if (e->after)
		e->after->before = e->before;
	h->counters.readers--;
}

static enum MHD_Result
answer_read(struct exchange *e, bool head)
{
	struct http *h = e->http;
	struct in6_addr client = client_of(e->connection);
	char memory[ERRORS_MOST];
	struct text why;

	if (!network_holds(&h->plan->readers, &client)) {
		h->counters.readers_refused++;
		return answer_line(e->connection, MHD_HTTP_FORBIDDEN, "this address is not among [relay] readers\n");
	}
	text_init_fixed(&why, memory, sizeof memory);
	if (query_parse(e->query ? e->query : "", &e->wanted, &why))
		return answer_line(e->connection, MHD_HTTP_BAD_REQUEST, why.len ? why.data : "not readable\n");
	if (head)
		return answer_line(e->connection, MHD_HTTP_OK, "");
	if (http_full(h)) {
		h->counters.readers_refused++;
		return answer_line(e->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "as many readers as max_readers\n");
	}
	return begin_reading(e);
}

/* ---- publishers */

/* 0, or the status of the refusal. */
static unsigned
begin_publishing(struct exchange *e)
{
	struct http *h = e->http;
	struct in6_addr client = client_of(e->connection);

	if (!relay_allows(h->relay, &client))
		return MHD_HTTP_FORBIDDEN;
	if (h->counters.publishers >= h->relay->options.limits.senders)
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	struct sender_key key = { .kind = SENDER_PUT, .address = client };
	e->sender = relay_sender(h->relay, &key, h->now);
	if (!e->sender)
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	e->sender->open++;
	e->kind = EXCHANGE_PUBLISH;
	framing_init(&e->framing);
	h->counters.publishers++;
	h->counters.publishers_came++;
	return 0;
}

static enum MHD_Result
answer_publish_head(struct exchange *e)
{
	char client[ADDRESS_TEXT_SIZE];
	unsigned status = begin_publishing(e);

	client_text(e->connection, client);
	if (status == 0) {
		log_info("publisher came address=%s", client);
		return MHD_YES;
	}
	e->http->counters.publishers_refused++;
	log_warn("publisher refused address=%s status=%u", client, status);
	return answer_line(e->connection, status,
	    status == MHD_HTTP_FORBIDDEN ? "this address is not in [relay] allow\n" : "too many publishers\n");
}

static void
end_publishing(struct exchange *e)
{
	char client[ADDRESS_TEXT_SIZE];

	log_info("publisher left address=%s packets=%" PRIu64, client_text(e->connection, client), e->framing.packets);
	e->sender->open--;
	e->http->counters.publishers--;
}

/* A piece of a body. 0, or -1 when the framing is lost. */
static int
take_body(struct exchange *e, const char *data, size_t size)
{
	struct relay *r = e->http->relay;
	const uint8_t *bytes = (const uint8_t *)data, *packet;
	enum framing_result result;
	size_t len;

	while ((result = framing_next(&e->framing, &bytes, &size, &packet, &len)) == FRAMING_PACKET) {
		uint64_t bad = r->counters.dropped[DROP_MALFORMED];
		relay_take(r, e->sender, packet, len, e->http->now, e->http->wall);
		e->bad = r->counters.dropped[DROP_MALFORMED] == bad ? 0 : e->bad + 1;
		if (e->bad == BAD_IN_A_ROW)
			return -1;
	}
	if (result == FRAMING_TOO_LONG)
		relay_drop(r, DROP_OVERSIZED);
	return result == FRAMING_TOO_LONG ? -1 : 0;
}

static enum MHD_Result
publish(struct exchange *e, const char *upload, size_t *size)
{
	char client[ADDRESS_TEXT_SIZE];

	if (*size == 0)
		return answer_line(e->connection, MHD_HTTP_OK, "taken\n");
	int rc = take_body(e, upload, *size);
	*size = 0;
	e->http->calls.arrived(e->http->calls.ctx);
	if (rc == 0)
		return MHD_YES;
	e->http->counters.publishers_broken++;
	log_warn("publisher sends no RTP in the framing of RFC 4571, hung up address=%s",
	    client_text(e->connection, client));
	return MHD_NO;
}

/* ---- requests */

/* The request target, before libmicrohttpd takes it apart. */
static void *
on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	const char *query = strchr(target, '?');
	struct exchange *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	e->http = cls;
	e->connection = connection;
	e->query = query ? strdup(query + 1) : NULL;
	return e;
}

static enum MHD_Result
answer_other(struct exchange *e, const char *url)
{
	struct http *h = e->http;
	struct text body;

	text_init(&body, METRICS_MOST);
	if (strcmp(url, "/metrics") == 0) {
		h->calls.metrics(h->calls.ctx, &body);
		return answer(e->connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
	}
	if (strcmp(url, "/healthz") == 0) {
		bool healthy = h->calls.healthy(h->calls.ctx, &body);
		if (healthy)
			text_str(&body, "ok\n");
		return answer(e->connection, healthy ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", &body);
	}
	text_str(&body, "here are /rtp, /metrics and /healthz\n");
	return answer(e->connection, MHD_HTTP_NOT_FOUND, "text/plain", &body);
}

/* Called with the head, with pieces of a body, and at its end. */
static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *size, void **context)
{
	struct exchange *e = *context;
	bool is_rtp = strcmp(url, "/rtp") == 0, is_head = strcmp(method, "HEAD") == 0;

	(void)cls, (void)connection, (void)version;
	if (!e)
		return MHD_NO;
	if (!e->head_seen) {
		e->head_seen = true;
		return is_rtp && strcmp(method, "PUT") == 0 ? answer_publish_head(e) : MHD_YES;
	}
	if (e->kind == EXCHANGE_PUBLISH)
		return publish(e, upload, size);
	if (*size > 0) {
		*size = 0; /* a body says nothing here */
		return MHD_YES;
	}
	if (!is_head && strcmp(method, "GET") != 0)
		return answer_line(e->connection, MHD_HTTP_METHOD_NOT_ALLOWED, "here are GET, HEAD and PUT /rtp\n");
	return is_rtp ? answer_read(e, is_head) : answer_other(e, url);
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode how)
{
	struct exchange *e = *context;

	(void)cls, (void)connection, (void)how;
	*context = NULL;
	if (!e)
		return;
	if (e->begun)
		end_reading(e);
	if (e->kind == EXCHANGE_PUBLISH)
		end_publishing(e);
	free(e->query);
	free(e);
}

/* ---- the loop */

static void on_timer(uv_timer_t *timer);

static void
run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	h->now = clock_mono_now();
	h->wall = clock_wall_now();
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

static void
look_after(struct http *h, struct exchange *e)
{
	/* one that is suspended had everything a moment ago */
	if (!e->suspended && !e->dropped && e->reader.live &&
	    ring_reader_behind(&h->relay->ring, &e->reader) > h->plan->reader_queue) {
		say_slow(e);
		hang_up(e);
	}
	if (e->suspended && (!e->reader.waiting || e->sign_due || h->closing)) {
		e->suspended = false;
		MHD_resume_connection(e->connection);
	}
}

void
http_flush(struct http *h)
{
	bool any = false;

	for (struct exchange *e = h->reading; e; e = e->after) {
		bool was = e->suspended;
		look_after(h, e);
		any |= was && !e->suspended;
	}
	if (any)
		run(h);
}

void
http_second(struct http *h)
{
	struct mono now = clock_mono_now();

	for (struct exchange *e = h->reading; e; e = e->after)
		if (e->suspended && now.ns - e->sent.ns >= NS_PER_S)
			e->sign_due = true;
	http_flush(h);
}

const struct http_counters *
http_counters(const struct http *h)
{
	return &h->counters;
}

bool
http_full(const struct http *h)
{
	return h->counters.readers >= h->plan->max_readers;
}

/* ---- opening and closing */

static struct MHD_Daemon *
start_daemon(struct http *h)
{
	const struct sockaddr_storage *address = &h->plan->http;
	unsigned flags =
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (address->ss_family == AF_INET6 ? MHD_USE_DUAL_STACK : 0);

	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR, address,
	    MHD_OPTION_CONNECTION_LIMIT, h->plan->max_readers + h->relay->options.limits.senders + OTHER_CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_URI_LOG_CALLBACK, on_target, h, MHD_OPTION_END);
}

int
http_open(uv_loop_t *loop, struct relay *relay, const struct relay_plan *plan, const struct http_calls *calls,
    struct http **out, struct text *errors)
{
	struct sockaddr_storage bound = plan->http;
	struct http *h = calloc(1, sizeof *h);
	char text[ADDRESS_TEXT_SIZE];

	if (!h) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	*h = (struct http){ .relay = relay, .plan = plan, .calls = *calls };
	h->daemon = start_daemon(h);
	const union MHD_DaemonInfo *epoll = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!epoll) {
		text_fmt(
		    errors, "[relay] http: %s: cannot listen: %s\n", address_format(&bound, text), strerror(errno));
		free(h);
		return -1;
	}
	uv_poll_init(loop, &h->poll, epoll->epoll_fd);
	uv_timer_init(loop, &h->timer);
	h->poll.data = h->timer.data = h;
	h->open_handles = 2;
	uv_poll_start(&h->poll, UV_READABLE, on_readable);
	const union MHD_DaemonInfo *port = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	address_set_port(&bound, port ? port->port : 0);
	log_info("listening service=http address=%s", address_format(&bound, text));
	*out = h;
	return 0;
}

static void
on_closed(uv_handle_t *handle)
{
	struct http *h = handle->data;

	if (--h->open_handles == 0)
		free(h);
}

void
http_close(struct http **hp)
{
	struct http *h = *hp;

	*hp = NULL;
	if (!h)
		return;
	h->closing = true;
	http_flush(h);
	uv_poll_stop(&h->poll);
	uv_timer_stop(&h->timer);
	MHD_stop_daemon(h->daemon);
	uv_close((uv_handle_t *)&h->poll, on_closed);
	uv_close((uv_handle_t *)&h->timer, on_closed);
}
