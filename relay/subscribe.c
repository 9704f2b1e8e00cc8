/* Subscribing: packets from relays and sockets to frames. */
#include "relay/subscribe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"
#include "base/text.h"
#include "relay/download.h"
#include "relay/endpoint.h"
#include "relay/receive.h"
#include "relay/unpacker.h"

#define FIRST_TIME (10 * NS_PER_S) /* history that is asked for when nothing is stored */
#define OVERLAP (10 * NS_PER_S)    /* frames are stamped earlier than they arrive; copies cost nothing */
#define STANDSTILL (5 * NS_PER_S)
#define HISTORY_MOST (30 * NS_PER_S)
#define SAY_AGAIN (60 * NS_PER_S)
#define QUERY_MAX 16384

_Static_assert(EXCHANGE_ENDPOINTS <= UNPACKER_PATHS, "each relay is counted apart");

struct path {
	struct subscribe *subscribe;
	unsigned number;
	char shown[ENDPOINT_URL_MAX + 1];
	struct download *download; /* one of the two */
	struct receive *receive;
	/* history, of the first connection */
	bool history;
	struct wall since, newest; /* asked for, and come */
	struct mono moved;
	uint64_t failed_before; /* connect_errors */
};

struct subscribe {
	const struct subscribe_settings *settings;
	const char *mids;
	struct subscribe_sink sink;
	struct srtp_secret secret;
	struct unpacker *unpacker;
	struct path paths[EXCHANGE_ENDPOINTS];
	unsigned count, path; /* path: that of the packet at hand */
	struct mono now, opened, cleaned;
	struct wall wall;
	struct mono said[UNPACKER_RESULTS];
	struct subscribe_counters counters;
};

/* ---- frames */

static void
on_begin(void *ctx, const struct rtp_run *run, void **user)
{
	struct subscribe *s = ctx;

	*user = s->sink.begin(s->sink.ctx, run);
	if (!*user)
		log_info("frames come that nobody asked for rendition=%s input=%s", run->mid, run->rid);
}

static void
on_frame(void *ctx, const struct rtp_run *run, void **user, const struct rtp_frame *frame)
{
	struct subscribe *s = ctx;

	if (!*user) {
		s->counters.frames_unknown++;
		return;
	}
	s->counters.frames++;
	s->sink.frame(s->sink.ctx, *user, run, frame, s->path);
}

/* ---- packets */

/* Packets are refused: said when it begins, and once a minute. */
static void
say_refused(struct subscribe *s, const struct path *p, int result)
{
	struct mono *said = &s->said[-result];

	if (said->ns && s->now.ns - said->ns < SAY_AGAIN)
		return;
	*said = s->now;
	log_warn("packets are not taken from=%s why=\"%s\"", p->shown, unpacker_result_text(result));
}

/* How far history has come. Introductions are passed over: a relay sends the newest ones first. */
static void
follow_history(struct path *p, const uint8_t *data, size_t len)
{
	struct rtp_packet packet;
	struct wall wall;

	if (rtp_parse_header(data, len, &packet) != RTP_OK || packet.element[RTP_ID_MID].data ||
	    rtp_wall(&packet, &wall) != RTP_OK)
		return;
	if (wall.ns <= p->newest.ns || wall.ns > p->subscribe->wall.ns)
		return;
	p->newest = wall;
	p->moved = p->subscribe->now;
}

static void
on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct path *p = ctx;
	struct subscribe *s = p->subscribe;

	if (p->history)
		follow_history(p, data, len);
	s->path = p->number;
	int result = unpacker_put(s->unpacker, s->now, p->number, data, len);
	if (result < 0)
		say_refused(s, p, result);
}

static void
on_datagram(void *ctx, const uint8_t *data, size_t len)
{
	struct path *p = ctx;

	p->subscribe->now = clock_mono_now();
	on_packet(p, data, len);
}

/* ---- relays */

/* What is asked for: all that is of use, but of what has come from this relay not more than the last seconds. */
static struct wall
since(const struct path *p)
{
	const struct subscribe *s = p->subscribe;
	struct wall wanted = s->sink.wanted(s->sink.ctx);
	struct mono heard = download_heard(p->download);
	int64_t from = wanted.ns ? wanted.ns - SUBSCRIBE_MARGIN : s->wall.ns - FIRST_TIME;

	if (heard.ns) {
		int64_t last = s->wall.ns - (s->now.ns - heard.ns) - OVERLAP;
		from = last > from ? last : from;
	}
	return (struct wall){ from };
}

static void
connect_relay(struct path *p)
{
	struct text query;
	struct wall from = since(p);

	text_init(&query, QUERY_MAX);
	text_fmt(&query, "since=%" PRId64 "%s", from.ns, p->subscribe->mids);
	if (p->history && !p->since.ns)
		p->since = p->newest = from;
	p->moved = p->subscribe->now;
	if (!query.full && query.data)
		download_begin(p->download, p->subscribe->now, query.data);
	text_fini(&query);
}

static void
check_history(struct path *p)
{
	struct subscribe *s = p->subscribe;
	bool failed = download_transfer(p->download)->connect_errors > p->failed_before;
	bool stands = s->now.ns - p->moved.ns >= STANDSTILL || s->now.ns - s->opened.ns >= HISTORY_MOST;

	if (!download_live(p->download) && !failed && !stands)
		return;
	p->history = false;
	if (download_live(p->download))
		log_info("history has come from=%s ms=%" PRId64, p->shown, (s->now.ns - s->opened.ns) / NS_PER_MS);
	else
		log_warn("history does not come, goes on without it from=%s", p->shown);
}

void
subscribe_tick(struct subscribe *s, struct mono now, struct wall wall, bool full)
{
	s->now = now;
	s->wall = wall;
	if (!s->opened.ns) {
		s->opened = now;
		for (unsigned i = 0; i < s->count; i++)
			s->paths[i].moved = now;
	}
	for (unsigned i = 0; i < s->count; i++) {
		struct path *p = &s->paths[i];
		if (!p->download || (!full && !p->history))
			continue;
		if (download_due(p->download, now))
			connect_relay(p);
		download_tick(p->download, now);
		if (p->history)
			check_history(p);
	}
	if (full && now.ns - s->cleaned.ns >= NS_PER_S) {
		unpacker_tick(s->unpacker, now);
		s->cleaned = now;
	}
}

bool
subscribe_history(const struct subscribe *s, struct wall *frontier)
{
	int64_t least = INT64_MAX;

	for (unsigned i = 0; i < s->count; i++) {
		const struct path *p = &s->paths[i];
		if (p->history && p->newest.ns - SUBSCRIBE_MARGIN < least)
			least = p->newest.ns - SUBSCRIBE_MARGIN;
	}
	if (least == INT64_MAX)
		return false;
	frontier->ns = least;
	return true;
}

/* ---- opening and closing */

static int
path_add(struct subscribe *s, uv_loop_t *loop, const struct endpoint *e, struct text *errors)
{
	struct path *p = &s->paths[s->count];

	*p = (struct path){ .subscribe = s, .number = s->count };
	snprintf(p->shown, sizeof(p->shown), "%s", e->url);
	if (e->kind == ENDPOINT_HTTP) {
		struct download_sink sink = { .packet = on_packet, .ctx = p };
		if (download_open(e->url, s->settings->ca_file, &sink, &p->download, errors) < 0)
			return -1;
		snprintf(p->shown, sizeof(p->shown), "%s", download_shown(p->download));
		p->history = true;
		s->count++;
		return 0;
	}
	struct receive_config config = { .interface = s->settings->interface, .packet = on_datagram, .ctx = p };
	char text[ENDPOINT_HOST_MAX + 16];
	snprintf(text, sizeof(text), strchr(e->host, ':') ? "[%s]:%u" : "%s:%u", e->host, e->port);
	int err = address_parse(text, &config.at) < 0 ? UV_EINVAL : receive_open(loop, &config, &p->receive);
	if (err < 0) {
		text_fmt(errors, "[subscribe] from: %s: cannot listen: %s\n", e->url, uv_strerror(err));
		return -1;
	}
	log_info("listening service=rtp address=%s", e->url);
	s->count++;
	return 0;
}

int
subscribe_open(uv_loop_t *loop, const struct subscribe_settings *settings, const char *mids,
    const struct subscribe_sink *sink, struct subscribe **out, struct text *errors)
{
	static const struct unpacker_limits limits = UNPACKER_LIMITS_DEFAULT;
	struct subscribe *s = calloc(1, sizeof(*s));
	const char *list = settings->from;
	struct endpoint e;

	if (!s) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	s->settings = settings;
	s->mids = mids;
	s->sink = *sink;
	s->now = clock_mono_now();
	if (settings->key_file && exchange_key("subscribe", settings->key_file, &s->secret, errors) < 0)
		goto fail;
	struct unpacker_sink frames = { .context = s, .begin = on_begin, .frame = on_frame };
	s->unpacker = unpacker_new(&limits, settings->key_file ? &s->secret : NULL, &frames);
	if (!s->unpacker) {
		text_str(errors, "out of memory\n");
		goto fail;
	}
	while (s->count < EXCHANGE_ENDPOINTS && endpoint_next(&list, &e) > 0)
		if (path_add(s, loop, &e, errors) < 0)
			goto fail;
	*out = s;
	return 0;
fail:
	subscribe_close(&s);
	return -1;
}

void
subscribe_close(struct subscribe **sp)
{
	struct subscribe *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	for (unsigned i = 0; i < s->count; i++) {
		download_close(&s->paths[i].download);
		receive_close(&s->paths[i].receive);
	}
	unpacker_free(&s->unpacker);
	explicit_bzero(&s->secret, sizeof(s->secret));
	free(s);
}

/* ---- what is said of it */

const struct subscribe_counters *
subscribe_counters(struct subscribe *s)
{
	struct subscribe_counters *c = &s->counters;
	const struct {
		uint64_t *to;
		int result;
	} refused[] = {
		{ &c->malformed, UNPACKER_RTP },
		{ &c->foreign, UNPACKER_FOREIGN },
		{ &c->mismatched, UNPACKER_MISMATCH },
		{ &c->forged, UNPACKER_FORGED },
		{ &c->in_clear, UNPACKER_CLEAR },
		{ &c->no_key, UNPACKER_PROTECTED },
		{ &c->bad_payload, UNPACKER_PAYLOAD },
		{ &c->bad_names, UNPACKER_NAMES },
		{ &c->no_room, UNPACKER_BOUNDS },
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		*refused[i].to = unpacker_count(s->unpacker, refused[i].result);
	c->runs = unpacker_runs(s->unpacker);
	c->kept_bytes = unpacker_kept_bytes(s->unpacker);
	c->frames_broken = unpacker_frames_broken(s->unpacker);
	return c;
}

const char *
subscribe_path(const struct subscribe *s, unsigned i, struct subscribe_path_counters *out)
{
	struct unpacker_path path;

	if (i >= s->count)
		return NULL;
	unpacker_path(s->unpacker, i, &path);
	*out =
	    (struct subscribe_path_counters){ .packets = path.packets, .copies = path.duplicates, .lost = path.lost };
	if (s->paths[i].download) {
		const struct transfer_counters *t = download_transfer(s->paths[i].download);
		out->up = t->up;
		out->bytes = download_counters(s->paths[i].download)->bytes;
		out->connects = t->connects;
		out->disconnects = t->disconnects;
		out->connect_errors = t->connect_errors;
	} else {
		out->up = 1;
		out->bytes = receive_counters(s->paths[i].receive)->bytes;
		out->overflows = receive_overflows(s->paths[i].receive);
	}
	return s->paths[i].shown;
}
