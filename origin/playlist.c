/* Lists of a station, of a rendition, of an hour; those with time parameters are timed.c's. */
#include "origin/playlist.h"

#include <stdio.h>
#include <string.h>

#include "origin/handlers.h"
#include "origin/request.h"
#include "origin/settings.h"
#include "origin/stored.h"
#include "origin/timed.h"
#include "origin/worker.h"

#define DEFAULT_T 6 /* seconds: freshness of lists in the store that no configuration speaks of */
#define STALE_SEGMENTS 3

bool
playlist_is_stale(const struct worker *w, const struct catalogue_station *s, struct wall newest_end)
{
	return w->wall.ns - newest_end.ns > STALE_SEGMENTS * s->T * NS_PER_S;
}

struct wall
playlist_newest_end(struct worker *w, const struct catalogue_station *s, const char *rendition)
{
	char path[TARGET_SIZE];
	int error;

	snprintf(path, sizeof path, "%s/%s/index.m3u8", s->name, rendition);
	struct cache_item *i = stored_list(w, path, s->T, &error);
	return i ? i->newest_end : (struct wall){ 0 };
}

static bool
has_rendition(const struct catalogue_station *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->renditions[i].name, name))
			return true;
	return false;
}

bool
playlist_refuse_stale(struct request *r, const struct catalogue_station *s, struct wall newest_end, bool live)
{
	int policy = r->worker->catalogue->stale;

	if (!playlist_is_stale(r->worker, s, newest_end))
		return false;
	counter_add(&r->worker->counters.stale, 1);
	if (policy == STALE_SERVE || (policy == STALE_LIVE && !live))
		return false;
	request_fail(
	    r, &(struct problem){ .status = 503,
		   .detail = "the newest segment is older than three segment durations, nothing new is being "
			     "stored: another origin may have newer ones; with `stale = live` lists that begin "
			     "in the past are given all the same" });
	return true;
}

static struct cache_item *
find_list(struct request *r, const struct catalogue_station **s)
{
	int error = 0;

	*s = catalogue_station(r->worker->catalogue, r->names.station);
	struct cache_item *i = stored_list(r->worker, r->target.relative, *s ? (*s)->T : DEFAULT_T, &error);
	if (!i)
		request_failed_open(r, error);
	return i;
}

/* Answer a request with time parameters. false: it has none. */
static bool
answer_timed(
    struct request *r, void (*answer)(struct request *r, const struct catalogue_station *s, const struct timed *t))
{
	const struct catalogue_station *s = catalogue_station(r->worker->catalogue, r->names.station);
	struct timed t;

	if (!timed_read(r, &t))
		return true;
	if (!t.given)
		return false;
	if (s && (!r->names.rendition || has_rendition(s, r->names.rendition)))
		answer(r, s, &t);
	else
		request_not_found(r);
	return true;
}

void
playlist_multivariant(struct request *r)
{
	const struct catalogue_station *s;

	if (*r->query && answer_timed(r, timed_multivariant))
		return;
	struct cache_item *i = find_list(r, &s);

	if (i)
		request_send(r, i->entity);
}

void
playlist_media(struct request *r)
{
	const struct catalogue_station *s;

	if (*r->query && answer_timed(r, timed_media))
		return;
	struct cache_item *i = find_list(r, &s);
	if (!i)
		return;
	bool known = s && has_rendition(s, r->names.rendition);
	if (!known || !playlist_refuse_stale(r, s, i->newest_end, true))
		request_send(r, i->entity);
}

void
playlist_hour(struct request *r)
{
	int error = 0;
	struct cache_item *i = stored_hour(r->worker, r->names.station, r->names.rendition, r->names.hour, &error);

	if (i)
		request_send(r, i->entity);
	else
		request_failed_open(r, error);
}
