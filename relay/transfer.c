/* One endless HTTP exchange with a relay. */
#include "relay/transfer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/text.h"

#define URL_MAX 16384
#define CONNECT_TIMEOUT_MS 5000L
#define UNACKNOWLEDGED_MS 5000 /* of a peer that does not answer any more */

/* ---- one exchange */

bool
transfer_due(const struct transfer *t, struct mono now)
{
	return !t->running && (t->at_once || backoff_due(&t->backoff, now));
}

static void
failed(struct transfer *t, struct mono now, const char *why)
{
	char safe[2 * CURL_ERROR_SIZE];

	backoff_down(&t->backoff, now);
	t->counters.connect_errors++;
	if (!t->said)
		log_warn("cannot reach relay, tried again until it can url=%s why=%s", t->shown,
		    log_safe(why, safe, sizeof(safe)));
	t->said = true;
}

void
transfer_begin(struct transfer *t, struct mono now, const char *query)
{
	struct text url;

	t->at_once = false;
	text_init(&url, URL_MAX);
	text_fmt(&url, query ? "%s?%s" : "%s", t->url, query);
	bool good = !url.full && curl_easy_setopt(t->easy, CURLOPT_URL, url.data) == CURLE_OK &&
		    curl_multi_add_handle(t->multi, t->easy) == CURLM_OK;
	text_fini(&url);
	if (!good) {
		failed(t, now, "libcurl does not begin");
		return;
	}
	t->error[0] = '\0';
	t->running = true;
	t->begun = now;
}

void
transfer_up(struct transfer *t, struct mono now)
{
	t->counters.up = 1;
	t->counters.connects++;
	t->said = false;
	t->came = now;
	backoff_up(&t->backoff, now);
	log_info("relay came url=%s", t->shown);
}

void
transfer_drop(struct transfer *t, struct mono now, const char *why)
{
	char safe[2 * CURL_ERROR_SIZE];

	if (!t->running)
		return;
	curl_multi_remove_handle(t->multi, t->easy);
	t->running = false;
	if (!t->counters.up) {
		failed(t, now, why);
		return;
	}
	t->counters.up = 0;
	t->counters.disconnects++;
	t->at_once = now.ns - t->came.ns >= BACKOFF_HEALED;
	backoff_down(&t->backoff, now);
	log_warn("relay left url=%s why=%s", t->shown, log_safe(why, safe, sizeof(safe)));
}

static const char *
why_done(struct transfer *t, CURLcode result, char *text, size_t size)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 300) {
		snprintf(text, size, "it answers %ld", status);
		return text;
	}
	if (result == CURLE_OK)
		return "it ended the stream";
	return t->error[0] ? t->error : curl_easy_strerror(result);
}

bool
transfer_perform(struct transfer *t, struct mono now)
{
	char text[64];
	int left;
	CURLMsg *m;

	if (!t->running)
		return false;
	curl_multi_perform(t->multi, &left);
	while (t->running && (m = curl_multi_info_read(t->multi, &left)))
		if (m->msg == CURLMSG_DONE)
			transfer_drop(t, now, why_done(t, m->data.result, text, sizeof(text)));
	return t->running;
}

/* ---- opening and closing */

/* A peer that has gone without a word is noticed within seconds. */
static int
on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	unsigned timeout = UNACKNOWLEDGED_MS;

	(void)ctx;
	(void)purpose;
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
	return CURL_SOCKOPT_OK;
}

#define SET(option, value) (r == CURLE_OK ? (r = curl_easy_setopt(t->easy, option, value)) : r)

static CURLcode
set_up(struct transfer *t, const char *ca_file)
{
	CURLcode r = CURLE_OK;

	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* who gives up a transfer does not wait for the thread that still asks for its host: that is the whole loop */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_USERAGENT, "hindcast");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
	if (ca_file)
		SET(CURLOPT_CAINFO, ca_file);
	return r;
}

/* The URL with /rtp where it has no path, and as it may be shown. 0, or -1. */
static int
set_url(struct transfer *t, const char *url)
{
	static const CURLUPart secret[] = { CURLUPART_USER, CURLUPART_PASSWORD };
	CURLU *parts = curl_url();
	char *path = NULL, *whole = NULL, *shown = NULL;

	if (!parts || curl_url_set(parts, CURLUPART_URL, url, 0) || curl_url_get(parts, CURLUPART_PATH, &path, 0))
		goto out;
	if (strcmp(path, "/") == 0)
		curl_url_set(parts, CURLUPART_PATH, "/rtp", 0);
	if (curl_url_get(parts, CURLUPART_URL, &whole, 0))
		goto out;
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		curl_url_set(parts, secret[i], NULL, 0);
	if (curl_url_get(parts, CURLUPART_URL, &shown, 0))
		goto out;
	t->url = strdup(whole);
	t->shown = strdup(shown);
out:
	curl_free(path);
	curl_free(whole);
	curl_free(shown);
	curl_url_cleanup(parts);
	return t->url && t->shown ? 0 : -1;
}

int
transfer_open(struct transfer *t, const char *url, const char *ca_file, const char *key, struct text *errors)
{
	*t = (struct transfer){ 0 };
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		text_str(errors, "libcurl does not start\n");
		return -1;
	}
	t->multi = curl_multi_init();
	t->easy = curl_easy_init();
	backoff_init(&t->backoff, backoff_seed());
	if (set_url(t, url) < 0) {
		text_fmt(errors, "%s: %s: not a URL, want http://HOST:PORT\n", key, url);
		return -1;
	}
	CURLcode r = t->multi && t->easy ? set_up(t, ca_file) : CURLE_OUT_OF_MEMORY;
	if (r != CURLE_OK)
		text_fmt(errors, "%s: cannot set up the transfer: %s\n", key, curl_easy_strerror(r));
	return r == CURLE_OK ? 0 : -1;
}

void
transfer_close(struct transfer *t)
{
	if (t->running)
		curl_multi_remove_handle(t->multi, t->easy);
	curl_easy_cleanup(t->easy);
	curl_multi_cleanup(t->multi);
	free(t->url);
	free(t->shown);
	if (t->multi)
		curl_global_cleanup();
	*t = (struct transfer){ 0 };
}
