/* The source port: every kind of client, every refusal, over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "segmenter/input/icecast_listener.h"
#include "tests/unit/fake_input.h"

#define LOGIN "Authorization: Basic c291cmNlOmhhY2ttZQ==\r\n"       /* source:hackme */
#define WRONG_LOGIN "Authorization: Basic c291cmNlOmhhY2ttWA==\r\n" /* source:hackmX */
#define AAC "Content-Type: audio/aac\r\n"

struct fixture {
	struct bench *b; /* mount /m, password hackme */
	struct listener_settings settings;
	struct icecast_listener *l;
};

static void
fixture_listen(struct fixture *f)
{
	struct text errors;

	text_init(&errors, 4096);
	int r = icecast_listener_open(&f->b->loop, &f->settings, &f->l, &errors);
	if (r < 0)
		print_message("%s", errors.data);
	assert_int_equal(r, 0);
	text_fini(&errors);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	signal(SIGPIPE, SIG_IGN);
	f->b = bench_new(INPUT_ICECAST_SOURCE);
	f->b->settings.mount = "/m";
	f->b->settings.password = "hackme";
	bench_open(f->b);
	f->settings.listen = "127.0.0.1:0";
	f->settings.shoutcast = true;
	f->settings.max_connections = 10;
	f->settings.head_timeout = 10 * NS_PER_S;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	icecast_listener_close(&f->l);
	bench_free(f->b);
	free(f);
	return 0;
}

/* ---- a client */

struct client {
	int fd;
	char got[8192];
	size_t len;
	bool eof, reset;
};

static struct client
client_to(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(c.fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return c;
}

static void
client_send(struct client *c, const void *data, size_t len)
{
	assert_int_equal(send(c->fd, data, len, MSG_NOSIGNAL), len);
}

static void
client_say(struct client *c, const char *text)
{
	client_send(c, text, strlen(text));
}

static struct client
client_new(struct fixture *f, const char *text)
{
	if (!f->l)
		fixture_listen(f);
	struct client c = client_to(icecast_listener_port(f->l));
	client_say(&c, text);
	return c;
}

static bool
client_poll(struct client *c)
{
	ssize_t n = recv(c->fd, c->got + c->len, sizeof(c->got) - 1 - c->len, MSG_DONTWAIT);

	if (n > 0)
		c->len += (size_t)n;
	c->reset = n < 0 && errno != EAGAIN;
	if (n == 0 || c->reset)
		c->eof = true;
	c->got[c->len] = '\0';
	return c->eof;
}

static bool
client_has(struct client *c, const char *text)
{
	client_poll(c);
	return strstr(c->got, text) != NULL;
}

static void
client_close(struct client *c)
{
	close(c->fd);
}

static void
expect(struct fixture *f, struct client *c, const char *text)
{
	bool ok = bench_until(f->b, client_has(c, text) || c->eof) && strstr(c->got, text);

	if (!ok)
		print_message("got: %s\nwant: %s\n", c->got, text);
	assert_true(ok);
}

/* The whole answer: this status line and body, then the end. */
static void
expect_refusal(struct fixture *f, const char *request, const char *status_line, const char *body)
{
	struct client c = client_new(f, request);

	assert_true(bench_until(f->b, client_poll(&c)));
	if (strncmp(c.got, status_line, strlen(status_line)) != 0)
		print_message("got: %s\nwant: %s\n", c.got, status_line);
	assert_memory_equal(c.got, status_line, strlen(status_line));
	const char *end = strstr(c.got, "\r\n\r\n");
	assert_non_null(end);
	assert_string_equal(end + 4, body);
	client_close(&c);
}

/* ---- sources */

static void
check_source(struct fixture *f, const char *head, const char *answer)
{
	struct input *in = &f->b->in;
	unsigned ups = in->ups, downs = in->downs;
	struct client c = client_new(f, head);

	expect(f, &c, "200 OK\r\n\r\n");
	assert_string_equal(c.got, answer);
	assert_true(bench_until(f->b, in->ups == ups + 1));
	client_say(&c, "audio");
	size_t from = in->run_begin;
	assert_true(bench_until(f->b, in->len == from + 5));
	assert_memory_equal(in->bytes + from, "audio", 5);
	client_close(&c);
	assert_true(bench_until(f->b, in->downs == downs + 1));
	assert_string_equal(in->why, "connection closed by the encoder");
}

#define WELCOME "HTTP/1.0 200 OK\r\n\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n"

static void
test_sources(void **state)
{
	struct fixture *f = *state;

	check_source(f, "PUT /m HTTP/1.1\r\nHost: h\r\n" LOGIN AAC "Expect: 100-continue\r\n\r\n", CONTINUE WELCOME);
	check_source(f, "PUT /m HTTP/1.1\r\nHost: h\r\n" LOGIN AAC "\r\n", WELCOME);
	check_source(f, "PUT /m HTTP/1.0\r\n" LOGIN AAC "\r\n", WELCOME);
	check_source(f, "SOURCE /m ICE/1.0\r\n" LOGIN AAC "\r\n", WELCOME);
	check_source(f, "SOURCE /m HTTP/1.0\r\n" LOGIN "\r\n", WELCOME);
	check_source(f, "SOURCE /m HTTP/1.1\r\n" LOGIN "Content-Type: audio/mpeg\r\n\r\n", WELCOME);
	assert_int_equal(icecast_listener_counters(f->l)->sources, 6);
	assert_int_equal(f->b->in.counters.refused_logins, 0);
}

/* Audio that comes in one packet with the head, and more of it than the input has room for. */
static void
test_audio_behind_head(void **state)
{
	struct fixture *f = *state;
	uint8_t *audio = pattern_new(200000);
	struct client c = client_new(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "\r\nearly audio");

	f->b->in.room_most = 4;
	assert_true(bench_until(f->b, f->b->in.len == 11));
	assert_memory_equal(f->b->in.bytes, "early audio", 11);
	f->b->in.room_most = 1500;
	f->b->in.budget = 100000;
	client_send(&c, audio, 100000);
	client_send(&c, audio + 100000, 20000);
	assert_true(bench_until(f->b, f->b->in.budget == 0));
	assert_true(f->b->in.up);
	f->b->in.budget = SIZE_MAX;
	client_close(&c);
	assert_true(bench_until(f->b, f->b->in.downs == 1));
	assert_int_equal(f->b->in.len, 120011);
	assert_true(is_pattern(f->b->in.bytes + 11, 120000, 0));
	free(audio);
}

static void
test_chunked(void **state)
{
	struct fixture *f = *state;
	struct client c = client_new(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "Transfer-Encoding: chunked\r\n\r\n5\r\nfi");

	assert_true(bench_until(f->b, f->b->in.len == 2));
	client_say(&c, "rst\r\n6\r\nsecond\r\n0\r\n\r\n");
	assert_true(bench_until(f->b, f->b->in.downs == 1));
	assert_int_equal(f->b->in.len, 11);
	assert_memory_equal(f->b->in.bytes, "firstsecond", 11);
	assert_string_equal(f->b->in.why, "end of the request body");
	assert_true(bench_until(f->b, client_poll(&c)));
	client_close(&c);
	c = client_new(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "Transfer-Encoding: chunked\r\n\r\nnot chunked");
	assert_true(bench_until(f->b, f->b->in.downs == 2));
	assert_string_equal(f->b->in.why, "bad chunked transfer coding");
	client_close(&c);
}

static void
test_content_length(void **state)
{
	struct fixture *f = *state;
	struct client c = client_new(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "Content-Length: 6\r\n\r\nabcdefGHI");

	assert_true(bench_until(f->b, f->b->in.downs == 1));
	assert_int_equal(f->b->in.len, 6);
	assert_memory_equal(f->b->in.bytes, "abcdef", 6);
	client_close(&c);
}

static void
test_refused_stream(void **state)
{
	struct fixture *f = *state;

	f->b->in.refuse_at = 4;
	struct client c = client_new(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "\r\nOggS");
	assert_true(bench_until(f->b, f->b->in.downs == 1));
	assert_string_equal(f->b->in.why, "this is not audio");
	assert_true(bench_until(f->b, client_poll(&c)));
	client_close(&c);
}

static void
test_drop(void **state)
{
	struct fixture *f = *state;
	struct client c = client_new(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "\r\n");

	assert_true(bench_until(f->b, f->b->in.ups == 1));
	f->b->ops->drop(f->b->t, f->b->now, "dead");
	assert_string_equal(f->b->in.why, "dead");
	assert_true(bench_until(f->b, client_poll(&c)));
	client_close(&c);
	check_source(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "\r\n", WELCOME);
}

static void
test_busy(void **state)
{
	struct fixture *f = *state;
	struct client c = client_new(f, "SOURCE /m ICE/1.0\r\n" LOGIN AAC "\r\n");

	assert_true(bench_until(f->b, f->b->in.ups == 1));
	expect_refusal(f, "SOURCE /m ICE/1.0\r\n" LOGIN AAC "\r\n", "HTTP/1.0 403 Forbidden\r\n", "Mountpoint in use");
	expect_refusal(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "Expect: 100-continue\r\n\r\n", "HTTP/1.0 403 Forbidden\r\n",
	    "Mountpoint in use");
	assert_true(f->b->in.up);
	assert_int_equal(f->b->in.counters.refused_logins, 2);
	client_close(&c);
}

/* An encoder that comes back before a tick has seen it go is welcome, and nothing of what it sent before is lost. */
static void
test_reconnect_at_once(void **state)
{
	struct fixture *f = *state;
	struct client c = client_new(f, "SOURCE /m ICE/1.0\r\n" LOGIN AAC "\r\n");

	assert_true(bench_until(f->b, f->b->in.ups == 1));
	client_say(&c, "one");
	client_close(&c);
	c = client_new(f, "SOURCE /m ICE/1.0\r\n" LOGIN AAC "\r\ntwo");
	int64_t until = real_ns() + REAL_PATIENCE;
	while (!client_has(&c, "\r\n\r\n") && real_ns() < until)
		uv_run(&f->b->loop, UV_RUN_NOWAIT); /* no tick */
	assert_string_equal(c.got, WELCOME);
	assert_true(bench_until(f->b, f->b->in.len == 6));
	assert_int_equal(f->b->in.ups, 2);
	assert_int_equal(f->b->in.downs, 1);
	assert_memory_equal(f->b->in.bytes, "onetwo", 6);
	client_close(&c);
}

/* ---- refusals */

#define PAGE(code, what)                                                                                               \
	"<html><head><title>Error " code "</title></head><body><b>" code " - " what "</b></body></html>\r\n"

static void
test_refusals(void **state)
{
	struct fixture *f = *state;

	expect_refusal(f, "PUT /m HTTP/1.1\r\n" WRONG_LOGIN AAC "\r\n", "HTTP/1.0 401 Authentication Required\r\n",
	    "You need to authenticate\r\n");
	expect_refusal(f, "SOURCE /m ICE/1.0\r\n" AAC "\r\n", "HTTP/1.0 401 Authentication Required\r\n",
	    "You need to authenticate\r\n");
	expect_refusal(f, "PUT /m HTTP/1.1\r\n" LOGIN "\r\n", "HTTP/1.0 403 Forbidden\r\n", "No Content-type given");
	expect_refusal(f, "PUT /m HTTP/1.1\r\n" LOGIN "Content-Type: application/ogg; x=y\r\n\r\n",
	    "HTTP/1.0 403 Forbidden\r\n", "Content-type not supported");
	expect_refusal(f, "SOURCE /m ICE/1.0\r\n" LOGIN "Content-Type: video/webm\r\n\r\n",
	    "HTTP/1.0 403 Forbidden\r\n", "Content-type not supported");
	assert_int_equal(f->b->in.counters.refused_logins, 5);
	expect_refusal(
	    f, "PUT /n HTTP/1.1\r\n" LOGIN AAC "\r\n", "HTTP/1.0 404 File Not Found\r\n", PAGE("404", "No such mount"));
	expect_refusal(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "Transfer-Encoding: gzip\r\n\r\n",
	    "HTTP/1.0 501 Not Implemented\r\n", "Transfer-Encoding not supported");
	expect_refusal(f, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.0 404 File Not Found\r\n",
	    PAGE("404", "The file you requested could not be found"));
	expect_refusal(f, "POST / HTTP/1.1\r\n\r\n", "HTTP/1.0 400 Bad Request\r\n", PAGE("400", "unknown request"));
	expect_refusal(f, "hello\r\n\r\n", "HTTP/1.0 400 Bad Request\r\n", PAGE("400", "Bad Request"));
	expect_refusal(f, "\x16\x03\x01\x02", "HTTP/1.0 400 Bad Request\r\n", PAGE("400", "Bad Request"));
	assert_int_equal(icecast_listener_counters(f->l)->bad_heads, 2);
	assert_int_equal(icecast_listener_counters(f->l)->refused, 11);
	assert_int_equal(f->b->in.ups, 0);
}

static void
test_realm(void **state)
{
	struct fixture *f = *state;
	struct client c = client_new(f, "PUT /m HTTP/1.1\r\n" AAC "\r\n");

	expect(f, &c, "\r\nWWW-Authenticate: Basic realm=\"Icecast2 Server\"\r\n");
	client_close(&c);
}

/* The refusal reaches a client that sends on and on. */
static void
test_refusal_is_not_reset(void **state)
{
	struct fixture *f = *state;
	uint8_t *audio = pattern_new(60000);
	struct client c = client_new(f, "PUT /m HTTP/1.1\r\n" WRONG_LOGIN AAC "\r\n");

	client_send(&c, audio, 60000);
	expect(f, &c, "You need to authenticate\r\n");
	client_send(&c, audio, 60000);
	assert_true(bench_until(f->b, client_poll(&c)));
	assert_false(c.reset);
	client_close(&c);
	free(audio);
}

static void
test_large_head(void **state)
{
	struct fixture *f = *state;
	char *head = malloc(20000);

	memset(head, 'a', 20000);
	memcpy(head, "PUT /m HTTP/1.1\r\nX: ", 20);
	head[19999] = '\0';
	expect_refusal(f, head, "HTTP/1.0 400 Bad Request\r\n", PAGE("400", "Bad Request"));
	free(head);
}

static void
test_slow_head(void **state)
{
	struct fixture *f = *state;

	f->settings.head_timeout = 150 * NS_PER_MS;
	expect_refusal(f, "PUT /m HTTP/1.1\r\nHost:", "HTTP/1.0 408 Request Timeout\r\n",
	    "The request head did not come in time\r\n");
	expect_refusal(f, "", "HTTP/1.0 408 Request Timeout\r\n", "The request head did not come in time\r\n");
	assert_int_equal(icecast_listener_counters(f->l)->timeouts, 2);
}

/* Idle connections do not keep an encoder out. */
static void
test_crowd(void **state)
{
	struct fixture *f = *state;
	struct client idle[30];

	for (int i = 0; i < 30; i++) {
		idle[i] = client_new(f, "PUT");
		bench_tick(f->b);
	}
	check_source(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "\r\n", WELCOME);
	assert_true(icecast_listener_counters(f->l)->crowded_out >= 20);
	assert_true(bench_until(f->b, client_poll(&idle[0])));
	for (int i = 0; i < 30; i++)
		client_close(&idle[i]);
}

/* ---- Shoutcast v1 */

static void
test_shoutcast(void **state)
{
	struct fixture *f = *state;

	fixture_listen(f);
	uint16_t port = (uint16_t)(icecast_listener_port(f->l) + 1);
	struct client c = client_to(port);
	client_say(&c, "hack");
	bench_tick(f->b);
	client_say(&c, "me\r\n");
	expect(f, &c, "icy-caps:11\r\n\r\n");
	assert_string_equal(c.got, "OK2\r\nicy-caps:11\r\n\r\n");
	client_say(&c, "icy-name:Fip\r\nicy-br:128\r\ncontent-type:audio/aacp\r\n\r\naudio");
	assert_true(bench_until(f->b, f->b->in.len == 5));
	assert_memory_equal(f->b->in.bytes, "audio", 5);

	struct client second = client_to(port);
	client_say(&second, "hackme\nicy-name:x\n\n");
	expect(f, &second, "Mountpoint in use");
	client_close(&second);
	client_close(&c);
	assert_true(bench_until(f->b, f->b->in.downs == 1));

	c = client_to(port);
	client_say(&c, "wrong\r\n");
	expect(f, &c, "invalid password\r\n");
	client_close(&c);
	c = client_to(port);
	client_say(&c, "hackme\r\ncontent-type:audio/ogg\r\n\r\n");
	expect(f, &c, "Content-type not supported");
	client_close(&c);
	c = client_to(port);
	client_say(&c, "hackme\r\n\r\nraw"); /* no header lines at all */
	assert_true(bench_until(f->b, f->b->in.len == 8));
	client_close(&c);
}

/* A password that two mounts share does not say which is meant. */
static void
test_shoutcast_ambiguous(void **state)
{
	struct fixture *f = *state;
	struct input_settings other = { .mount = "/other", .password = "hackme" };
	struct transport *t = NULL;
	struct text errors;

	text_init(&errors, 1024);
	assert_int_equal(f->b->ops->open(&f->b->loop, &f->b->in, &other, &t, &errors), 0);
	fixture_listen(f);
	struct client c = client_to((uint16_t)(icecast_listener_port(f->l) + 1));
	client_say(&c, "hackme\r\n");
	expect(f, &c, "invalid password\r\n");
	client_close(&c);
	f->b->ops->close(&t);
	text_fini(&errors);
}

/* ---- titles */

#define XML(what, code)                                                                                                \
	"<?xml version=\"1.0\"?>\n<iceresponse><message>" what "</message><return>" code "</return></iceresponse>\n"

static void
check_title(struct fixture *f, const char *query, const char *titles)
{
	char request[512];

	f->b->in.titles[0] = '\0';
	snprintf(
	    request, sizeof(request), "GET /admin/metadata?mount=/m&mode=updinfo&%s HTTP/1.0\r\n" LOGIN "\r\n", query);
	expect_refusal(f, request, "HTTP/1.0 200 OK\r\n", XML("Metadata update successful", "1"));
	assert_string_equal(f->b->in.titles, titles);
}

static void
test_titles(void **state)
{
	struct fixture *f = *state;
	struct client c = client_new(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "\r\n");

	assert_true(bench_until(f->b, f->b->in.ups == 1));
	check_title(f, "song=A+-+B%26C", "A - B&C|");
	check_title(f, "song=caf%C3%A9&charset=UTF-8", "caf\xc3\xa9|");
	check_title(f, "song=caf%E9", "caf\xc3\xa9|");
	check_title(f, "song=%C3%A9&charset=ISO-8859-1", "\xc3\x83\xc2\xa9|");
	check_title(f, "song=a%0D%0Ab%7F", "a  b |");
	check_title(f, "artist=A&title=B", "A - B|");
	check_title(f, "title=B", "B|");
	check_title(f, "x=y", "");
	expect_refusal(f, "GET /admin/metadata?mount=/m&mode=other&song=x HTTP/1.0\r\n" LOGIN "\r\n",
	    "HTTP/1.0 200 OK\r\n", XML("No such action", "0"));
	expect_refusal(f, "GET /admin/metadata?mount=/m&song=x HTTP/1.0\r\n" LOGIN "\r\n",
	    "HTTP/1.0 400 Bad Request\r\n", PAGE("400", "Missing parameter"));
	expect_refusal(f, "GET /admin/metadata?mode=updinfo&song=x HTTP/1.0\r\n" LOGIN "\r\n",
	    "HTTP/1.0 401 Authentication Required\r\n", "You need to authenticate\r\n");
	expect_refusal(f, "GET /admin/metadata?mount=/m&mode=updinfo&song=x HTTP/1.0\r\n" WRONG_LOGIN "\r\n",
	    "HTTP/1.0 401 Authentication Required\r\n", "You need to authenticate\r\n");
	expect_refusal(f, "GET /admin/metadata?mount=/n&mode=updinfo&song=x HTTP/1.0\r\n" LOGIN "\r\n",
	    "HTTP/1.0 400 Bad Request\r\n", PAGE("400", "Source does not exist"));
	client_close(&c);
	assert_true(bench_until(f->b, f->b->in.downs == 1));
	expect_refusal(f, "GET /admin/metadata?mount=/m&mode=updinfo&song=x HTTP/1.0\r\n" LOGIN "\r\n",
	    "HTTP/1.0 400 Bad Request\r\n", PAGE("400", "Source does not exist"));
}

static void
test_admin_cgi(void **state)
{
	struct fixture *f = *state;
	struct client c = client_new(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "\r\n");

	assert_true(bench_until(f->b, f->b->in.ups == 1));
	expect_refusal(f, "GET /admin.cgi?pass=hackme&mode=updinfo&song=A+-+B HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n",
	    "<html><head><title>Admin request successful</title></head>"
	    "<body><p>Metadata update successful</p></body></html>");
	assert_string_equal(f->b->in.titles, "A - B|");
	expect_refusal(f, "GET /admin.cgi?pass=wrong&mode=updinfo&song=x HTTP/1.0\r\n\r\n",
	    "HTTP/1.0 401 Authentication Required\r\n", "You need to authenticate\r\n");
	expect_refusal(f, "GET /admin.cgi?mode=updinfo&song=x HTTP/1.0\r\n\r\n", "HTTP/1.0 400 Bad Request\r\n",
	    PAGE("400", "missing pass parameter"));
	expect_refusal(f, "GET /admin.cgi?pass=hackme&mode=updinfo HTTP/1.0\r\n\r\n", "HTTP/1.0 400 Bad Request\r\n",
	    PAGE("400", "Missing parameter"));
	expect_refusal(f, "GET /admin.cgi?pass=hackme&mode=zz&song=x HTTP/1.0\r\n\r\n", "HTTP/1.0 400 Bad Request\r\n",
	    PAGE("400", "No such action"));
	client_close(&c);
}

/* ---- opening */

static void
test_port_in_use(void **state)
{
	struct fixture *f = *state;
	struct listener_settings same = f->settings;
	struct icecast_listener *l = NULL;
	struct text errors;
	char address[32];

	fixture_listen(f);
	text_init(&errors, 1024);
	snprintf(address, sizeof(address), "127.0.0.1:%u", icecast_listener_port(f->l));
	same.listen = address;
	assert_int_equal(icecast_listener_open(&f->b->loop, &same, &l, &errors), -1);
	assert_non_null(strstr(errors.data, "cannot listen on"));
	assert_non_null(strstr(errors.data, "address already in use"));
	/* also when it is the port after it that is taken */
	snprintf(address, sizeof(address), "127.0.0.1:%u", icecast_listener_port(f->l) - 1);
	text_clear(&errors);
	assert_int_equal(icecast_listener_open(&f->b->loop, &same, &l, &errors), -1);
	assert_non_null(strstr(errors.data, "address already in use"));
	same.listen = "nowhere";
	text_clear(&errors);
	assert_int_equal(icecast_listener_open(&f->b->loop, &same, &l, &errors), -1);
	assert_non_null(strstr(errors.data, "want ADDRESS:PORT"));
	assert_null(l);
	text_fini(&errors);
}

static void
test_mount_taken(void **state)
{
	struct fixture *f = *state;
	struct transport *t = NULL;
	struct text errors;

	text_init(&errors, 1024);
	assert_int_equal(f->b->ops->open(&f->b->loop, &f->b->in, &f->b->settings, &t, &errors), -1);
	assert_non_null(strstr(errors.data, "another input has this mount"));
	text_fini(&errors);
}

/* Closing with connections in every state leaves nothing behind. */
static void
test_close_in_flight(void **state)
{
	struct fixture *f = *state;
	struct client a = client_new(f, "PUT /m HTTP/1.1\r\n" LOGIN AAC "\r\naudio");

	assert_true(bench_until(f->b, f->b->in.ups == 1));
	struct client b = client_new(f, "PUT /m"), c = client_new(f, "GET / HTTP/1.0\r\n\r\n");
	struct client d = client_to((uint16_t)(icecast_listener_port(f->l) + 1));
	client_say(&d, "hackme\r\nicy");
	expect(f, &d, "OK2");
	expect(f, &c, "404");
	icecast_listener_close(&f->l);
	f->b->ops->close(&f->b->t);
	assert_int_equal(f->b->in.downs, 0); /* not called any more */
	client_close(&a);
	client_close(&b);
	client_close(&c);
	client_close(&d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sources),
		TEST(test_audio_behind_head),
		TEST(test_chunked),
		TEST(test_content_length),
		TEST(test_refused_stream),
		TEST(test_drop),
		TEST(test_busy),
		TEST(test_reconnect_at_once),
		TEST(test_refusals),
		TEST(test_realm),
		TEST(test_refusal_is_not_reset),
		TEST(test_large_head),
		TEST(test_slow_head),
		TEST(test_crowd),
		TEST(test_shoutcast),
		TEST(test_shoutcast_ambiguous),
		TEST(test_titles),
		TEST(test_admin_cgi),
		TEST(test_port_in_use),
		TEST(test_mount_taken),
		TEST(test_close_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
