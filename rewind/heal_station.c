/* Healing a station that no segmenter writes. */
#include "rewind/heal_station.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "rewind/heal_hour.h"
#include "rewind/peer.h"
#include "rewind/settings.h"
#include "rewind/store.h"

#define PEERS_MOST 16
#define RENDITIONS_MOST 32
#define ANSWER_NS (30 * NS_PER_S)

struct work {
	struct heal_station *s;
	const struct store_settings *store;
	const struct station_settings *station;
	struct peer *peers[PEERS_MOST];
	size_t peer_count;
	struct store_station *list;
	struct rendition_work {
		char name[64];
		const struct rendition_settings *settings;
		struct store_rendition *store; /* NULL with `look` */
		uint64_t newest;               /* hour of its newest entry; 0: it has none */
	} renditions[RENDITIONS_MOST];
	size_t count;
};

static int
say(const struct work *w, const char *what, const char *why)
{
	fprintf(w->s->out, "rewind: %s: %s\n", what, why);
	return -1;
}

/* --- what is needed --- */

static int
open_peers(struct work *w)
{
	const char *at = w->s->peer ? w->s->peer : w->store->peer;
	char url[SETTINGS_URL_SIZE];
	while (settings_next_peer(&at, url)) {
		struct peer_config c = { .url = url, .rate = w->store->heal_rate, .timeout_ns = ANSWER_NS };
		if (w->peer_count == PEERS_MOST)
			return say(w, url, "one peer too many");
		if (peer_open(&c, &w->peers[w->peer_count]) < 0)
			return say(w, url, "want http://HOST:PORT or https://HOST:PORT of an origin");
		w->peer_count++;
	}
	return w->peer_count ? 0 : say(w, w->s->station, "no peer: want --peer URL, or peer = URL in [store]");
}

static int
find_renditions(struct work *w)
{
	const char *at = w->station->renditions;
	bool named = false;
	char name[64], subject[160];
	while (settings_next_rendition(&at, name)) {
		if (w->count == RENDITIONS_MOST)
			return say(w, w->s->station, "too many renditions");
		struct rendition_work *r = &w->renditions[w->count++];
		snprintf(r->name, sizeof r->name, "%s", name);
		snprintf(subject, sizeof subject, "%s/%s", w->s->station, name);
		r->settings = config_find(w->s->config, "rendition", subject);
		named |= w->s->rendition && strcmp(w->s->rendition, name) == 0;
	}
	return named || !w->s->rendition ? 0 : say(w, w->s->rendition, "is no rendition of the station");
}

/* Is somebody at work? A lock that was got is given back. */
static int
check_lock(struct work *w)
{
	int dir = file_open_beneath(w->s->root, w->s->station, O_RDONLY | O_DIRECTORY, 0);
	int lock = dir >= 0 ? file_lock(dir, ".lock") : 0;
	if (dir >= 0)
		close(dir);
	if (lock > 0)
		close(lock);
	return lock == -EWOULDBLOCK ? say(w, w->s->station,
					  "a segmenter writes it: with peer = URL in [store] it heals by itself, some "
					  "minutes after each hour and when it starts; or stop it and try again")
				    : 0;
}

static int
open_store(struct work *w, struct rendition_work *r, struct text *errors)
{
	const struct station_settings *station = w->station;
	struct store_rendition_config c = { .root = w->s->root,
		.station = w->s->station,
		.name = r->name,
		.T = (uint32_t)(station->segment / NS_PER_S),
		.window = (uint32_t)((station->window + station->segment - 1) / station->segment),
		.packed = r->settings->format == CONTAINER_PACKED,
		.sync = w->store->sync == SYNC_SEGMENT,
		.retention_ns = station->retention,
		.max_span_ns = station->max_span,
		.min_free = w->store->min_free };
	struct store_resume resume;
	if (store_rendition_open(&c, w->s->now, &r->store, &resume, errors) < 0)
		return -1;
	r->newest = resume.next_msn ? layout_hour(resume.next_msn - 1, c.T) : 0;
	return 0;
}

static int
open_stores(struct work *w)
{
	struct text errors;
	text_init(&errors, 1 << 16);
	int rc = store_station_open(w->s->root, w->s->station, w->store->sync == SYNC_SEGMENT, &w->list, &errors);
	for (size_t i = 0; rc == 0 && i < w->count; i++)
		rc = open_store(w, &w->renditions[i], &errors);
	if (rc < 0)
		fprintf(w->s->out, "%s", errors.data ? errors.data : "out of memory\n");
	text_fini(&errors);
	return rc;
}

/* Without locks: the newest hour that has a file. */
static int
look_newest(struct work *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct store_hour *hours;
		size_t count;
		if (store_list_hours(w->s->root, w->s->station, w->renditions[i].name, &hours, &count) < 0)
			continue;
		w->renditions[i].newest = count ? hours[count - 1].hour : 0;
		free(hours);
	}
	return 0;
}

/* --- hours --- */

static struct heal
heal_of(const struct work *w, const struct rendition_work *r, struct peer *peer)
{
	return (struct heal){ .root = w->s->root,
		.station = w->s->station,
		.rendition = r->name,
		.T = (uint32_t)(w->station->segment / NS_PER_S),
		.packed = r->settings->format == CONTAINER_PACKED,
		.sync = w->store->sync == SYNC_SEGMENT,
		.min_free = w->store->min_free,
		.peer = peer,
		.counters = &w->s->counters };
}

static void
tell(const struct work *w, const struct rendition_work *r, uint64_t hour, const struct peer *peer, size_t count, int rc)
{
	char name[LAYOUT_NAME_SIZE];
	FILE *out = w->s->out;
	fprintf(out, "%s/%s/%s.m3u8: ", w->s->station, r->name, layout_hour_name(hour, name));
	if (count)
		fprintf(out, "%zu segment%s%s from %s", count, count == 1 ? "" : "s", w->s->look ? " to be had" : "",
		    peer_name(peer));
	if (count && rc)
		fputs("; then ", out);
	if (rc == -EHOSTDOWN)
		fprintf(out, "%s: %s", peer_name(peer), peer_why(peer));
	else if (rc == -EAGAIN)
		fputs("not over yet, here or at the peer", out);
	else if (rc == -EBADMSG)
		fprintf(out, "%s sent no good hour file", peer_name(peer));
	else if (rc)
		fputs(strerror(-rc), out);
	fputc('\n', out);
}

/* One hour from one peer. True when there is no more to be done about it, or may not be. */
static int
heal_from(struct work *w, struct rendition_work *r, uint64_t hour, struct peer *peer)
{
	struct heal h = heal_of(w, r, peer);
	struct hour found;
	size_t count = 0;
	if (w->s->look) {
		int rc = heal_look(&h, hour, &count);
		w->s->there += count;
		if (count || (rc && rc != -ENOENT))
			tell(w, r, hour, peer, count, rc);
		return rc;
	}
	int rc = heal_fetch(&h, hour, &found, &count);
	if (count) {
		int entered = store_rendition_heal(r->store, hour, &found);
		w->s->counters.hours += entered == 0;
		rc = entered < 0 ? entered : rc;
		hour_free(&found);
	}
	if (count || (rc && rc != -ENOENT))
		tell(w, r, hour, peer, count, rc);
	return rc;
}

/* From one peer after the other, while something is lacking. */
static void
heal_one(struct work *w, struct rendition_work *r, uint64_t hour)
{
	struct heal h = heal_of(w, r, NULL);
	bool left = false;
	for (size_t i = 0; i < w->peer_count && heal_due(&h, hour); i++) {
		int rc = heal_from(w, r, hour, w->peers[i]);
		left |= rc != 0 && rc != -ENOENT;
	}
	w->s->left += left && heal_due(&h, hour);
}

static bool
touches(const struct heal_station *s, uint64_t hour)
{
	int64_t from = (int64_t)hour * 3600 * NS_PER_S;
	return from < s->to.ns && from + 3600 * NS_PER_S > s->from.ns;
}

static void
heal_rendition(struct work *w, struct rendition_work *r)
{
	int64_t oldest = (w->s->now.ns - w->station->retention) / NS_PER_S / 3600;
	if (w->s->rendition && strcmp(w->s->rendition, r->name) != 0)
		return;
	if (oldest < 0)
		oldest = 0;
	for (uint64_t hour = r->newest; hour > (uint64_t)oldest; hour--)
		if (touches(w->s, hour) && (w->s->look || store_rendition_may_heal(r->store, hour)))
			heal_one(w, r, hour);
}

/* The lists of what was healed. */
static int
write_lists(struct work *w)
{
	struct list_variant variants[RENDITIONS_MOST];
	size_t count = 0;
	int rc = 0;
	for (size_t i = 0; i < w->count; i++) {
		struct rendition_work *r = &w->renditions[i];
		int live = store_rendition_live(r->store);
		rc = rc ? rc : live;
		struct list_variant *v = &variants[count];
		if (!store_rendition_variant(r->store, v))
			continue;
		if (v->peak == 0)
			v->peak = v->mean = (uint32_t)r->settings->bitrate;
		count++;
	}
	int list = store_station_write(w->list, variants, count);
	rc = rc ? rc : list;
	return rc < 0 ? say(w, "cannot write the lists", strerror(-rc)) : 0;
}

static void
fini(struct work *w)
{
	for (size_t i = 0; i < w->count; i++)
		store_rendition_close(&w->renditions[i].store);
	store_station_close(&w->list);
	for (size_t i = 0; i < w->peer_count; i++)
		peer_close(&w->peers[i]);
}

enum heal_result
heal_station(struct heal_station *s)
{
	struct work w = { .s = s };
	w.store = config_next(s->config, "store", NULL);
	w.station = config_find(s->config, "station", s->station);
	int rc = w.store && w.station ? 0 : say(&w, s->station, "the configuration does not describe it");
	if (rc == 0 && (find_renditions(&w) < 0 || open_peers(&w) < 0))
		rc = -1;
	if (rc == 0)
		rc = s->look ? look_newest(&w) : check_lock(&w) < 0 ? -1 : open_stores(&w);
	enum heal_result result = rc < 0 ? HEAL_MISUSED : HEAL_DONE;
	for (size_t i = 0; rc == 0 && i < w.count; i++)
		heal_rendition(&w, &w.renditions[i]);
	if (rc == 0 && !s->look && write_lists(&w) < 0)
		result = HEAL_LEFT;
	if (s->left || s->counters.refused_segment || s->counters.refused_present)
		result = HEAL_LEFT;
	fini(&w);
	return result;
}
