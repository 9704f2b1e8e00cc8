/* icecast-pull: a stream from an Icecast or Shoutcast server, or any HTTP server that sends one.
 *
 * libcurl does its work in one curl_multi_perform a tick; its sockets are not in the loop. It delivers up to
 * CURL_MAX_WRITE_SIZE bytes at a time and takes "all" or "pause" for an answer, so what the input has no room for is
 * kept here, and while something is kept the transfer is paused. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/text.h"
#include "media/icy.h"
#include "segmenter/input/title.h"
#include "segmenter/input/transport.h"

#define ANSWER_TIMEOUT (20 * NS_PER_S) /* from the first try to the first byte of the stream */
#define CONNECT_TIMEOUT_MS 10000L
#define REDIRECTS_MAX 5L
#define INTERVAL_MAX (1 << 20) /* of ICY metadata; servers use 8 to 64 KiB */

/* Kinds of failure: a CURLcode, or one of these. */
enum { FAILURE_EMPTY = 1000, FAILURE_TIMEOUT, FAILURE_STATUS = 10000 };

struct transport {
	struct input *in;
	const char *url;
	char *shown; /* the URL without what may be secret, for the log */
	char *password;
	CURLM *multi;
	CURL *easy;                  /* NULL between transfers */
	CURL *transfer;              /* the handle, set up once */
	struct curl_slist *headers;  /* of the request */
	struct curl_slist *statuses; /* that mean 200 */
	char error[CURL_ERROR_SIZE];
	long failure, said; /* kind of the present failure to connect, and of the one that was logged last */

	struct mono now, begun;
	struct backoff backoff;
	bool up, refused, paused;
	struct icy icy;
	uint32_t icy_interval; /* of the answer that is being read */
	uint8_t kept[CURL_MAX_WRITE_SIZE];
	size_t kept_begin, kept_end;
};

/* ---- what libcurl calls */

/* "icy-metaint: 16000". Every answer of a chain of redirects begins with its own status line. */
static size_t
pull_header(char *line, size_t size, size_t n, void *ctx)
{
	static const char name[] = "icy-metaint:";
	struct transport *t = ctx;
	uint32_t interval = 0;
	size_t i = sizeof(name) - 1;

	size *= n;
	if ((size >= 5 && strncmp(line, "HTTP/", 5) == 0) || (size >= 4 && strncmp(line, "ICY ", 4) == 0))
		t->icy_interval = 0;
	if (size <= i || strncasecmp(line, name, i) != 0)
		return size;
	while (i < size && line[i] == ' ')
		i++;
	for (; i < size && line[i] >= '0' && line[i] <= '9' && interval <= INTERVAL_MAX; i++)
		interval = interval * 10 + (uint32_t)(line[i] - '0');
	t->icy_interval = interval <= INTERVAL_MAX ? interval : 0;
	return size;
}

static void
pull_title(void *ctx, const char *s, size_t n)
{
	struct transport *t = ctx;
	char title[2 * ICY_TITLE_MAX];

	input_title(t->in, title, title_utf8(s, n, false, title, sizeof(title)));
}

static void
pull_up(struct transport *t)
{
	char *ip = NULL, peer[96];
	long port = 0;

	curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip);
	curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_PORT, &port);
	snprintf(peer, sizeof(peer), ip && strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip ? ip : "?", port);
	icy_init(&t->icy, t->icy_interval);
	t->up = true;
	t->said = 0;
	backoff_up(&t->backoff, t->now);
	input_up(t->in, t->now, peer);
}

/* Give the input what is kept, as far as it has room. */
static void
pull_flush(struct transport *t)
{
	while (t->kept_begin < t->kept_end && !t->refused) {
		size_t room, n = t->kept_end - t->kept_begin;
		uint8_t *to = input_room(t->in, &room);
		if (room == 0)
			return;
		n = n < room ? n : room;
		memcpy(to, t->kept + t->kept_begin, n);
		t->kept_begin += n;
		if (input_fed(t->in, t->now, n) < 0)
			t->refused = true;
	}
}

static size_t
pull_body(char *data, size_t size, size_t n, void *ctx)
{
	struct transport *t = ctx;

	size *= n;
	if (!t->up)
		pull_up(t);
	if (t->kept_begin < t->kept_end) {
		t->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	memcpy(t->kept, data, size);
	t->kept_begin = 0;
	t->kept_end = icy_strip(&t->icy, t->kept, size, pull_title, t);
	pull_flush(t);
	return t->refused ? 0 : size;
}

/* ---- transfers */

static void
pull_begin(struct transport *t, struct mono now)
{
	t->easy = t->transfer;
	t->begun = now;
	t->up = t->refused = t->paused = false;
	t->kept_begin = t->kept_end = 0;
	t->error[0] = '\0';
	if (curl_multi_add_handle(t->multi, t->easy) != CURLM_OK)
		t->easy = NULL;
}

/* Failures to connect are told when they are of another kind, not each time. */
static void
pull_failed(struct transport *t, const char *why)
{
	char safe[2 * CURL_ERROR_SIZE];

	input_transport_counters(t->in)->connect_errors++;
	if (t->failure != t->said)
		log_warn("cannot pull, tried again until it can input=\"%s\" url=%s why=%s", input_name(t->in),
		    t->shown, log_safe(why, safe, sizeof(safe)));
	t->said = t->failure;
}

static void
pull_end(struct transport *t, struct mono now, const char *why)
{
	curl_multi_remove_handle(t->multi, t->easy);
	t->easy = NULL;
	t->kept_begin = t->kept_end = 0;
	backoff_down(&t->backoff, now);
	if (t->up)
		input_down(t->in, now, why);
	else
		pull_failed(t, why);
	t->up = false;
}

static const char *
pull_why(struct transport *t, CURLcode result, char *text, size_t size)
{
	long status = 0;

	t->failure = result == CURLE_OK ? FAILURE_EMPTY : (long)result;
	if (result == CURLE_HTTP_RETURNED_ERROR) {
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		t->failure = FAILURE_STATUS + status;
		snprintf(text, size, "the server answers %ld%s", status, status == 401 ? ": user and password?" : "");
		return text;
	}
	if (result == CURLE_OK)
		return t->up ? "the server ended the stream" : "the server sent an empty answer";
	return t->error[0] ? t->error : curl_easy_strerror(result);
}

/* Has the transfer come to its end? Asked when nothing of it is kept any more. */
static void
pull_check_done(struct transport *t, struct mono now)
{
	char why[96];
	int left;
	CURLMsg *m = curl_multi_info_read(t->multi, &left);

	if (m && m->msg == CURLMSG_DONE)
		pull_end(t, now, pull_why(t, m->data.result, why, sizeof(why)));
}

static void
pull_perform(struct transport *t)
{
	int running;

	if (t->refused)
		return;
	if (t->paused) {
		t->paused = false;
		curl_easy_pause(t->easy, CURLPAUSE_CONT);
	}
	if (!t->refused)
		curl_multi_perform(t->multi, &running);
}

static void
pull_tick(struct transport *t, struct mono now)
{
	t->now = now;
	if (!t->easy && backoff_due(&t->backoff, now))
		pull_begin(t, now);
	if (!t->easy)
		return;
	pull_flush(t);
	if (t->kept_begin < t->kept_end && !t->refused)
		return;
	pull_perform(t);
	if (t->refused)
		pull_end(t, now, input_why(t->in));
	else if (t->kept_begin == t->kept_end)
		pull_check_done(t, now);
	if (t->easy && !t->up && now.ns - t->begun.ns >= ANSWER_TIMEOUT) {
		t->failure = FAILURE_TIMEOUT;
		pull_end(t, now, "no answer in 20 s");
	}
}

static void
pull_drop(struct transport *t, struct mono now, const char *why)
{
	if (t->easy)
		pull_end(t, now, why);
}

/* ---- opening and closing */

static void
pull_close(struct transport **tp)
{
	struct transport *t = *tp;

	if (!t)
		return;
	*tp = NULL;
	if (t->easy)
		curl_multi_remove_handle(t->multi, t->easy);
	curl_easy_cleanup(t->transfer);
	curl_multi_cleanup(t->multi);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->statuses);
	curl_global_cleanup();
	if (t->password) {
		explicit_bzero(t->password, strlen(t->password));
		free(t->password);
	}
	free(t->shown);
	free(t);
}

/* The URL without user, password, query and fragment: any of them may hold a secret. */
static char *
url_shown(const char *url)
{
	static const CURLUPart parts[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT };
	CURLU *u = curl_url();
	char *text = NULL, *copy = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK) {
		for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			curl_url_set(u, parts[i], NULL, 0);
		if (curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK)
			copy = strdup(text);
	}
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}

static bool
slist_add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer)
		*list = longer;
	return longer != NULL;
}

static CURLcode
transfer_set_access(struct transport *t, const struct input_settings *s)
{
	CURLcode r = CURLE_OK;

	if (s->ca_file)
		r = curl_easy_setopt(t->transfer, CURLOPT_CAINFO, s->ca_file);
	if (r == CURLE_OK && s->user)
		r = curl_easy_setopt(t->transfer, CURLOPT_USERNAME, s->user);
	if (r == CURLE_OK && t->password)
		r = curl_easy_setopt(t->transfer, CURLOPT_PASSWORD, t->password);
	return r;
}

#define SET(option, value) (r == CURLE_OK ? (r = curl_easy_setopt(t->transfer, option, value)) : r)

static CURLcode
transfer_set(struct transport *t, const struct input_settings *s)
{
	CURLcode r = transfer_set_access(t, s);

	SET(CURLOPT_URL, t->url);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* who gives up a transfer does not wait for the thread that still asks for its host: that is the whole loop */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_USERAGENT, "hindcast");
	SET(CURLOPT_HTTPHEADER, t->headers);
	/* Shoutcast v1 answers "ICY 200 OK" */
	SET(CURLOPT_HTTP200ALIASES, t->statuses);
	/* one stream a connection, and no window of megabytes to fill while it is paused */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_HEADERFUNCTION, pull_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, pull_body);
	SET(CURLOPT_WRITEDATA, t);
	return r;
}

/* 0, or -1 with a line in `errors`. */
static int
pull_password(struct transport *t, const struct input_settings *s, struct text *errors)
{
	if (!s->password && !s->password_file && !s->password_env)
		return 0;
	t->password = s->password ? strdup(s->password) : config_secret(s->password_file, s->password_env, errors);
	if (!t->password && s->password)
		text_str(errors, "out of memory\n");
	return t->password ? 0 : -1;
}

static int
pull_open(uv_loop_t *loop, struct input *in, const struct input_settings *settings, struct transport **out,
    struct text *errors)
{
	struct transport *t = calloc(1, sizeof(*t));
	CURLcode r = CURLE_OUT_OF_MEMORY;

	(void)loop;
	if (!t || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(t);
		text_str(errors, "libcurl does not start\n");
		return -1;
	}
	t->in = in;
	t->url = settings->url;
	backoff_init(&t->backoff, backoff_seed());
	t->multi = curl_multi_init();
	t->transfer = curl_easy_init();
	t->shown = url_shown(t->url);
	if (!t->shown) {
		text_fmt(
		    errors, "[input %s] url: not a URL, want http://HOST:PORT/PATH or https://…\n", input_name(in));
		goto fail;
	}
	if (pull_password(t, settings, errors) < 0)
		goto fail;
	if (t->multi && t->transfer && slist_add(&t->headers, "Icy-MetaData: 1") &&
	    slist_add(&t->statuses, "ICY 200 OK"))
		r = transfer_set(t, settings);
	if (r != CURLE_OK) {
		text_fmt(errors, "[input %s] cannot set up the transfer: %s\n", input_name(in), curl_easy_strerror(r));
		goto fail;
	}
	*out = t;
	return 0;
fail:
	pull_close(&t);
	return -1;
}

const struct transport_ops transport_icecast_pull = {
	.type = "icecast-pull",
	.open = pull_open,
	.tick = pull_tick,
	.drop = pull_drop,
	.close = pull_close,
};
