/* libcurl over the loop: it says which sockets and times it waits for, and is told when they are there. */
#include "relay/pull.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "relay/framing.h"
#include "relay/relay.h"
#include "relay/settings.h"

#define URL_MOST 2048
#define CONNECT_TIMEOUT_MS 10000L
#define SILENT (5 * NS_PER_S) /* a relay says something every second */
#define NO_ANSWER (20 * NS_PER_S)
#define OVERLAP (30 * NS_PER_S) /* frames are stamped earlier than they arrive; copies cost little */

/* One relay that is pulled from. */
struct upstream {
	struct pull *pull;
	unsigned number;
	char *url;   /* without a query; owned */
	char *shown; /* for the log: without what may be secret; owned */
	CURL *easy;
	struct sender *sender;
	bool running, up, said;
	struct mono heard;
	struct wall last; /* when bytes last came; 0: never */
	struct backoff backoff;
	struct framing framing;
	char error[CURL_ERROR_SIZE];
};

struct pull {
	struct relay *relay;
	void (*arrived)(void *ctx);
	void *ctx;
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	unsigned open_handles;
	bool closing;
	struct mono now;
	struct wall wall;
	struct pull_counters counters;
	unsigned count;
	struct upstream upstream[RELAY_ADDRESSES];
};

/* A socket of libcurl's. */
struct watch {
	struct pull *pull;
	uv_poll_t poll;
	curl_socket_t fd;
};

static void
look_at_clock(struct pull *p)
{
	p->now = clock_mono_now();
	p->wall = clock_wall_now();
}

/* ---- one relay */

static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct upstream *u = ctx;
	struct pull *p = u->pull;
	const uint8_t *bytes = (const uint8_t *)data, *packet;
	size_t left = size * n, len;
	enum framing_result result;

	if (!u->up) {
		u->up = true;
		u->said = false;
		p->counters.up++;
		p->counters.connects++;
		backoff_up(&u->backoff, p->now);
		log_info("relay came url=%s", u->shown);
	}
	u->heard = p->now;
	u->last = p->wall;
	while ((result = framing_next(&u->framing, &bytes, &left, &packet, &len)) == FRAMING_PACKET)
		relay_take(p->relay, u->sender, packet, len, p->now, p->wall);
	if (result == FRAMING_TOO_LONG) {
		relay_drop(p->relay, DROP_OVERSIZED);
		return 0;
	}
	return size * n;
}

/* What it has of the time since the last byte; at the first start of the whole history. */
static int64_t
since_of(const struct upstream *u)
{
	int64_t oldest = u->pull->wall.ns - u->pull->relay->options.history_ns - OVERLAP;
	int64_t last = u->last.ns - OVERLAP;

	return u->last.ns && last > oldest ? last : oldest;
}

static void
begin(struct upstream *u)
{
	struct pull *p = u->pull;
	struct sender_key key = { .kind = SENDER_PULL, .number = u->number };
	char url[URL_MOST + 64];

	u->sender = relay_sender(p->relay, &key, p->now);
	snprintf(url, sizeof url, "%s?since=%" PRId64, u->url, since_of(u));
	if (!u->sender || curl_easy_setopt(u->easy, CURLOPT_URL, url) != CURLE_OK ||
	    curl_multi_add_handle(p->multi, u->easy) != CURLM_OK) {
		backoff_down(&u->backoff, p->now);
		return;
	}
	u->sender->open++;
	framing_init(&u->framing);
	u->error[0] = '\0';
	u->running = true;
	u->up = false;
	u->heard = p->now;
}

/* Failures to connect are told once until it comes. */
static void
end(struct upstream *u, const char *why)
{
	struct pull *p = u->pull;
	char safe[2 * CURL_ERROR_SIZE];

	curl_multi_remove_handle(p->multi, u->easy);
	u->running = false;
	u->sender->open--;
	backoff_down(&u->backoff, p->now);
	if (u->up) {
		p->counters.up--;
		p->counters.disconnects++;
		log_warn("relay left url=%s why=%s", u->shown, log_safe(why, safe, sizeof safe));
	} else {
		p->counters.connect_errors++;
		if (!u->said && !p->closing)
			log_warn("cannot reach relay, tried again until it can url=%s why=%s", u->shown,
			    log_safe(why, safe, sizeof safe));
		u->said = true;
	}
	u->up = false;
}

static void
check_done(struct pull *p)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(p->multi, &left))) {
		struct upstream *u = NULL;
		CURLcode result = m->data.result;
		char text[64];
		long status = 0;
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&u);
		curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		snprintf(text, sizeof text, "it answers %ld", status);
		end(u, result == CURLE_HTTP_RETURNED_ERROR ? text
		       : result == CURLE_OK                ? "it ended the stream"
		       : u->error[0]                       ? u->error
							   : curl_easy_strerror(result));
	}
}

/* ---- libcurl and the loop */

static void
act(struct pull *p, curl_socket_t fd, int events)
{
	uint64_t before = p->relay->counters.packets;
	int running;

	look_at_clock(p);
	curl_multi_socket_action(p->multi, fd, events, &running);
	check_done(p);
	if (p->relay->counters.packets != before)
		p->arrived(p->ctx);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

	act(w->pull, w->fd, status < 0 ? CURL_CSELECT_ERR : what);
}

static void
on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void
release(struct pull *p)
{
	if (--p->open_handles == 0)
		free(p);
}

static void
on_watch_closed(uv_handle_t *handle)
{
	struct watch *w = handle->data;

	release(w->pull);
	free(w);
}

static void
on_timer_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static struct watch *
new_watch(struct pull *p, curl_socket_t fd)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	*w = (struct watch){ .pull = p, .fd = fd };
	if (uv_poll_init_socket(p->loop, &w->poll, fd)) {
		free(w);
		return NULL;
	}
	w->poll.data = w;
	p->open_handles++;
	return w;
}

/* libcurl wants to know of a socket, or no more. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct pull *p = ctx;
	struct watch *w = socket_ctx;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (!w)
			return 0;
		curl_multi_assign(p->multi, fd, NULL);
		uv_poll_stop(&w->poll);
		uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		return 0;
	}
	if (!w) {
		w = new_watch(p, fd);
		if (!w)
			return -1;
		curl_multi_assign(p->multi, fd, w);
	}
	int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	uv_poll_start(&w->poll, events, on_poll);
	return 0;
}

static int
on_wait(CURLM *multi, long ms, void *ctx)
{
	struct pull *p = ctx;

	(void)multi;
	if (ms < 0)
		uv_timer_stop(&p->timer);
	else if (!p->closing)
		uv_timer_start(&p->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

void
pull_second(struct pull *p)
{
	look_at_clock(p);
	for (unsigned i = 0; i < p->count; i++) {
		struct upstream *u = &p->upstream[i];
		if (!u->running && backoff_due(&u->backoff, p->now))
			begin(u);
		else if (u->running && p->now.ns - u->heard.ns >= (u->up ? SILENT : NO_ANSWER))
			end(u, u->up ? "nothing came in 5 s" : "no answer in 20 s");
	}
}

/* ---- opening and closing */

#define SET(option, value) (r == CURLE_OK ? (r = curl_easy_setopt(u->easy, option, value)) : r)

static CURLcode
set_up(struct upstream *u)
{
	CURLcode r = CURLE_OK;

	SET(CURLOPT_PRIVATE, u);
	SET(CURLOPT_ERRORBUFFER, u->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_USERAGENT, "hindcast-relay");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, u);
	return r;
}

#undef SET

/* The URL with /rtp where it has no path, and as it may be shown. 0, or -1. */
static int
set_url(struct upstream *u, const char *url)
{
	static const CURLUPart secret[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT };
	CURLU *parts = curl_url();
	char *path = NULL, *whole = NULL, *shown = NULL;
	int rc = -1;

	if (!parts || curl_url_set(parts, CURLUPART_URL, url, 0) || curl_url_get(parts, CURLUPART_PATH, &path, 0))
		goto out;
	if (strcmp(path, "/") == 0)
		curl_url_set(parts, CURLUPART_PATH, "/rtp", 0);
	curl_url_set(parts, CURLUPART_QUERY, NULL, 0);
	curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
	if (curl_url_get(parts, CURLUPART_URL, &whole, 0) || strlen(whole) > URL_MOST)
		goto out;
	for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
		curl_url_set(parts, secret[i], NULL, 0);
	if (curl_url_get(parts, CURLUPART_URL, &shown, 0))
		goto out;
	u->url = strdup(whole);
	u->shown = strdup(shown);
	rc = u->url && u->shown ? 0 : -1;
out:
	curl_free(path);
	curl_free(whole);
	curl_free(shown);
	curl_url_cleanup(parts);
	return rc;
}

static int
add_upstream(struct pull *p, const char *url, struct text *errors)
{
	struct upstream *u = &p->upstream[p->count];

	*u = (struct upstream){ .pull = p, .number = p->count };
	p->count++;
	backoff_init(&u->backoff, backoff_seed());
	u->easy = curl_easy_init();
	if (!u->easy || set_url(u, url)) {
		text_fmt(errors, "[relay] from: %s: not a URL, want http://HOST:PORT\n", url);
		return -1;
	}
	CURLcode r = set_up(u);
	if (r != CURLE_OK)
		text_fmt(errors, "[relay] from: cannot set up the transfer: %s\n", curl_easy_strerror(r));
	return r == CURLE_OK ? 0 : -1;
}

static int
set_up_multi(struct pull *p)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -1;
	p->multi = curl_multi_init();
	if (!p->multi)
		return -1;
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_wait);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
	return 0;
}

int
pull_open(uv_loop_t *loop, struct relay *relay, const struct relay_plan *plan, void (*arrived)(void *ctx), void *ctx,
    struct pull **out, struct text *errors)
{
	struct pull *p = calloc(1, sizeof *p);

	if (!p) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	*p = (struct pull){ .relay = relay, .arrived = arrived, .ctx = ctx, .loop = loop };
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	p->open_handles = 1;
	int rc = set_up_multi(p);
	if (rc)
		text_str(errors, "libcurl does not start\n");
	for (unsigned i = 0; !rc && i < plan->from_count; i++)
		rc = add_upstream(p, plan->from[i], errors);
	if (rc) {
		pull_close(&p);
		return -1;
	}
	*out = p;
	return 0;
}

void
pull_close(struct pull **pp)
{
	struct pull *p = *pp;

	*pp = NULL;
	if (!p)
		return;
	p->closing = true;
	for (unsigned i = 0; i < p->count; i++) {
		struct upstream *u = &p->upstream[i];
		if (u->running)
			end(u, "ending");
		curl_easy_cleanup(u->easy);
		free(u->url);
		free(u->shown);
	}
	curl_multi_cleanup(p->multi);
	curl_global_cleanup();
	uv_timer_stop(&p->timer);
	uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}

const struct pull_counters *
pull_counters(const struct pull *p)
{
	return &p->counters;
}
