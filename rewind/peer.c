/* HTTP requests to another origin, one at a time over one connection. */
#include "rewind/peer.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"

#define HEAD_MOST 65536 /* bytes of an answer's head */
#define CONNECT_MOST 5  /* seconds */
#define SLOW_BYTES 100  /* slower than so many bytes/s ... */
#define SLOW_SECONDS 15 /* ... for so long is too slow */
#define PAUSE_MS 50

struct peer {
	CURL *easy;
	char *url; /* without a slash at its end */
	struct peer_config config;
	struct mono free_at; /* when the rate allows the next answer */
	char error[CURL_ERROR_SIZE], why[CURL_ERROR_SIZE + 64];
};

/* One answer while it comes. */
struct answer {
	struct peer *peer;
	struct text *out;
	size_t most, head, body;
};

bool
peer_url_good(const char *url)
{
	const char *host = strncasecmp(url, "http://", 7) == 0    ? url + 7
			   : strncasecmp(url, "https://", 8) == 0 ? url + 8
								  : "";
	for (const char *s = url; *s; s++)
		if ((unsigned char)*s <= ' ' || strchr("@?#\x7f", *s))
			return false;
	return *host != '\0' && *host != '/' && *host != ':';
}

static size_t
on_head(char *data, size_t size, size_t count, void *ctx)
{
	struct answer *a = ctx;
	(void)data;
	a->head += size * count;
	return a->head > HEAD_MOST ? 0 : size * count;
}

static size_t
on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct answer *a = ctx;
	size_t len = size * count;
	if (len > a->most - a->body)
		return 0;
	text_add(a->out, data, len);
	a->body += len;
	return a->out->full ? 0 : len;
}

static bool
stopped(const struct peer *p)
{
	return p->config.stop && p->config.stop(p->config.ctx);
}

static int
on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	(void)down_total, (void)down, (void)up_total, (void)up;
	return stopped(ctx);
}

static CURLcode
set_up(struct peer *p)
{
	CURLcode r = CURLE_OK;
#define SET(option, value) (r == CURLE_OK ? (r = curl_easy_setopt(p->easy, option, value)) : r)
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "hindcast/" HINDCAST_VERSION);
	SET(CURLOPT_ERRORBUFFER, p->error);
	SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_MOST);
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
	SET(CURLOPT_HEADERFUNCTION, on_head);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, p);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)p->config.rate);
#undef SET
	return r;
}

int
peer_open(const struct peer_config *config, struct peer **out)
{
	if (!peer_url_good(config->url))
		return -EINVAL;
	struct peer *p = calloc(1, sizeof *p);
	if (!p || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(p);
		return -ENOMEM;
	}
	p->config = *config;
	p->url = strdup(config->url);
	p->easy = curl_easy_init();
	if (!p->url || !p->easy || set_up(p) != CURLE_OK) {
		peer_close(&p);
		return -ENOMEM;
	}
	for (size_t n = strlen(p->url); n > 0 && p->url[n - 1] == '/';)
		p->url[--n] = '\0';
	p->config.url = p->url;
	*out = p;
	return 0;
}

void
peer_close(struct peer **pp)
{
	struct peer *p = *pp;
	if (!p)
		return;
	curl_easy_cleanup(p->easy);
	curl_global_cleanup();
	free(p->url);
	free(p);
	*pp = NULL;
}

/* Until the rate allows more. 0 or -ECANCELED. */
static int
wait_turn(const struct peer *p)
{
	while (clock_mono_now().ns < p->free_at.ns) {
		if (stopped(p))
			return -ECANCELED;
		poll(NULL, 0, PAUSE_MS);
	}
	return stopped(p) ? -ECANCELED : 0;
}

/* What an answer of this size counts for. */
static void
take_turn(struct peer *p, struct mono began, size_t bytes)
{
	if (p->config.rate > 0)
		p->free_at.ns = began.ns + (int64_t)((double)bytes * 1e9 / (double)p->config.rate);
}

static int
result(struct peer *p, const struct answer *a, CURLcode r)
{
	long status = 0;
	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	if (r == CURLE_ABORTED_BY_CALLBACK)
		return -ECANCELED;
	if (r == CURLE_WRITE_ERROR) {
		snprintf(p->why, sizeof p->why, "more than the %zu bytes that were wanted",
		    a->head > HEAD_MOST ? (size_t)HEAD_MOST : a->most);
		return -EFBIG;
	}
	if (r != CURLE_OK) {
		snprintf(p->why, sizeof p->why, "%s", p->error[0] ? p->error : curl_easy_strerror(r));
		return r == CURLE_UNSUPPORTED_PROTOCOL || r == CURLE_WEIRD_SERVER_REPLY ? -EPROTO : -EHOSTDOWN;
	}
	snprintf(p->why, sizeof p->why, "status %ld", status);
	if (status == 200)
		return 0;
	if (status == 404 || status == 410)
		return -ENOENT;
	return status >= 500 && status <= 599 ? -EHOSTDOWN : -EPROTO;
}

int
peer_get(struct peer *p, const char *path, size_t most, struct text *out)
{
	struct answer a = { .peer = p, .out = out, .most = most };
	char url[2048];
	int rc = wait_turn(p);
	if (rc < 0)
		return rc;
	struct text t;
	text_init_fixed(&t, url, sizeof url);
	text_fmt(&t, "%s/%s", p->url, path);
	if (t.full)
		return -EPROTO;
	struct mono began = clock_mono_now();
	int64_t ms = p->config.timeout_ns / NS_PER_MS;
	if (p->config.rate > 0)
		ms += (int64_t)most * 2000 / p->config.rate;
	p->error[0] = '\0';
	CURLcode r = curl_easy_setopt(p->easy, CURLOPT_URL, url);
	if (r == CURLE_OK)
		r = curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)ms);
	if (r == CURLE_OK)
		r = curl_easy_setopt(p->easy, CURLOPT_HEADERDATA, &a);
	if (r == CURLE_OK)
		r = curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, &a);
	if (r == CURLE_OK)
		r = curl_easy_perform(p->easy);
	take_turn(p, began, a.body);
	return result(p, &a, r);
}

const char *
peer_why(const struct peer *p)
{
	return p->why;
}

const char *
peer_name(const struct peer *p)
{
	return p->url;
}
