/* Is this origin fit to be asked? For load balancers and people. */
#include "base/text.h"
#include "origin/handlers.h"
#include "origin/playlist.h"
#include "origin/request.h"
#include "origin/worker.h"

#define REPORT_MOST (1 << 20)

enum station_state {
	STATION_LIVE,    /* every rendition has a fresh list */
	STATION_STALE,   /* one of them had media, and has stopped */
	STATION_WAITING, /* never had any */
};

static const char *const state_name[] = { "live", "stale", "waiting" };

/* Write a station as a JSON member, "fip":{…}. */
static enum station_state
write_station(struct worker *w, const struct catalogue_station *s, struct text *out)
{
	size_t waiting = 0, stale = 0;

	text_fmt(out, "\"%s\":{\"renditions\":{", s->name);
	for (size_t i = 0; i < s->count; i++) {
		struct wall end = playlist_newest_end(w, s, s->renditions[i].name);
		bool old = playlist_is_stale(w, s, end);
		waiting += end.ns == 0;
		stale += end.ns != 0 && old;
		text_fmt(out, "%s\"%s\":{\"state\":\"%s\"", i ? "," : "", s->renditions[i].name,
		    state_name[end.ns == 0 ? STATION_WAITING
			       : old       ? STATION_STALE
					   : STATION_LIVE]);
		if (end.ns)
			text_fmt(out, ",\"newest_age\":%.1f", (double)(w->wall.ns - end.ns) / 1e9);
		text_str(out, "}");
	}
	enum station_state state = waiting == s->count ? STATION_WAITING
				   : stale + waiting   ? STATION_STALE
						       : STATION_LIVE;
	text_fmt(out, "},\"state\":\"%s\"}", state_name[state]);
	return state;
}

static void
add_reason(struct text *reasons, const char *reason, const char *station)
{
	text_fmt(reasons, "%s\"%s%s%s\"", reasons->len ? "," : "", reason, station ? " " : "", station ? station : "");
}

static void
send_report(struct request *r, bool fit, const struct text *reasons, const struct text *stations)
{
	struct text body;

	text_init(&body, REPORT_MOST);
	text_fmt(&body, "{\"status\":\"%s\",\"reasons\":[%s],\"connections\":%u,\"stations\":{%s}}\n",
	    fit ? "ok" : "unfit", reasons->data ? reasons->data : "",
	    atomic_load(&r->worker->server->limits.connections), stations->data ? stations->data : "");
	request_text(r, fit ? 200 : 503, "application/json", HTTP_NO_STORE, &body);
	text_fini(&body);
}

/* A server with one silent station among many is still fit: its caches learn of that station from its list's 503. It is
 * not when it is full, or when every station that ever had media has stopped. */
void
health_all(struct request *r)
{
	struct worker *w = r->worker;
	struct text reasons, stations;
	size_t live = 0, stale = 0;

	text_init(&reasons, REPORT_MOST);
	text_init(&stations, REPORT_MOST);
	for (size_t i = 0; i < w->catalogue->count; i++) {
		const struct catalogue_station *s = &w->catalogue->stations[i];
		if (i > 0)
			text_str(&stations, ",");
		enum station_state state = write_station(w, s, &stations);
		live += state == STATION_LIVE;
		stale += state == STATION_STALE;
		if (state != STATION_LIVE)
			add_reason(&reasons, state_name[state], s->name);
	}
	bool full = limits_full(&w->server->limits);
	if (full)
		add_reason(&reasons, "full", NULL);
	send_report(r, !full && (live > 0 || stale == 0), &reasons, &stations);
	text_fini(&reasons);
	text_fini(&stations);
}

void
health_station(struct request *r)
{
	struct worker *w = r->worker;
	const struct catalogue_station *s = catalogue_station(w->catalogue, r->names.station);
	struct text reasons, stations;

	if (!s) {
		request_not_found(r);
		return;
	}
	text_init(&reasons, REPORT_MOST);
	text_init(&stations, REPORT_MOST);
	enum station_state state = write_station(w, s, &stations);
	if (state != STATION_LIVE)
		add_reason(&reasons, state_name[state], s->name);
	bool full = limits_full(&w->server->limits);
	if (full)
		add_reason(&reasons, "full", NULL);
	send_report(r, state == STATION_LIVE && !full, &reasons, &stations);
	text_fini(&reasons);
	text_fini(&stations);
}
