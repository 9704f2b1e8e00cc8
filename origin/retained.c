/* The advertised range of renditions. */
#include "origin/retained.h"

#include <stdlib.h>

#include "base/text.h"
#include "origin/availability.h"
#include "origin/playlist.h"
#include "origin/worker.h"
#include "rewind/store.h"

#define FOLDER_READ_NS (30 * NS_PER_S)
#define HOURS_BACK_MOST 48 /* that are read for the newest segment of a rendition that has only gaps since */

/* The first segment with media that starts at or after `since`; ns 0 when the hour has none. */
static struct wall
first_media(const struct worker *w, const char *station, const char *rendition, uint64_t hour, struct wall since)
{
	struct wall found = { 0 };
	struct hour h;
	char why[128];

	if (store_read_hour(w->server->root, station, rendition, hour, &h, why))
		return found;
	for (size_t i = 0; i < h.count && found.ns == 0; i++)
		if (!h.entries[i].gap && h.entries[i].start.ns >= since.ns)
			found = h.entries[i].start;
	hour_free(&h);
	return found;
}

/* Look through the folder of a rendition for the oldest segment that is advertised. */
static void
find_oldest(const struct worker *w, const struct catalogue_station *s, const char *rendition, struct rendition_view *v)
{
	struct wall since = { w->wall.ns - s->retention_ns };
	uint64_t hour = since.ns > 0 ? (uint64_t)(since.ns / (3600 * NS_PER_S)) : 0;
	struct store_hour *hours = NULL;
	size_t n = 0;

	v->checked = w->now;
	v->oldest.ns = 0;
	if (store_list_hours(w->server->root, s->name, rendition, &hours, &n))
		return;
	for (size_t i = 0; i < n && v->oldest.ns == 0; i++) {
		if (hours[i].hour < hour)
			continue;
		v->oldest = first_media(w, s->name, rendition, hours[i].hour, since);
		v->hour = hours[i].hour;
	}
	free(hours);
}

/* The newest segment of a rendition whose live list holds nothing but gaps. */
static void
find_newest(const struct worker *w, const struct catalogue_station *s, const char *rendition, struct rendition_view *v)
{
	struct store_hour *hours = NULL;
	size_t n = 0;
	char why[128];
	struct hour h;

	v->newest.ns = 0;
	if (store_list_hours(w->server->root, s->name, rendition, &hours, &n))
		return;
	for (unsigned read = 0; n > 0 && v->newest.ns == 0 && read < HOURS_BACK_MOST; read++) {
		if (store_read_hour(w->server->root, s->name, rendition, hours[--n].hour, &h, why))
			continue;
		for (size_t i = h.count; i > 0 && v->newest.ns == 0; i--)
			if (!h.entries[i - 1].gap)
				v->newest = layout_grid(h.entries[i - 1].msn + 1, h.segment);
		hour_free(&h);
	}
	free(hours);
}

struct retained
retained_rendition(struct worker *w, const struct catalogue_station *s, size_t rendition)
{
	const char *name = s->renditions[rendition].name;
	struct rendition_view *v = &w->views[s - w->catalogue->stations][rendition];
	struct retained r = { .to = playlist_newest_end(w, s, name) };

	bool expired = v->oldest.ns < w->wall.ns - s->retention_ns;
	if (v->checked.ns == 0 || (expired && w->now.ns - v->checked.ns >= s->T * NS_PER_S) ||
	    w->now.ns - v->checked.ns >= FOLDER_READ_NS) {
		find_oldest(w, s, name, v);
		v->newest.ns = 0;
		if (r.to.ns == 0 && v->oldest.ns)
			find_newest(w, s, name, v);
	}
	r.from = v->oldest;
	r.to = r.to.ns ? r.to : v->newest;
	if (r.to.ns == 0)
		r.from.ns = 0;
	return r;
}

struct retained
retained_station(struct worker *w, const struct catalogue_station *s)
{
	struct retained all = { 0 };

	for (size_t k = 0; k < s->count; k++) {
		struct retained one = retained_rendition(w, s, k);
		if (one.from.ns && (all.from.ns == 0 || one.from.ns < all.from.ns))
			all.from = one.from;
		if (one.to.ns > all.to.ns)
			all.to = one.to;
	}
	return all;
}

void
retained_write(struct text *out, struct retained r)
{
	char from[WALL_TEXT_SIZE], to[WALL_TEXT_SIZE];

	if (r.from.ns == 0)
		text_str(out, "null");
	else
		text_fmt(out, "{\"from\":\"%s\",\"to\":\"%s\"}", wall_format(r.from, from), wall_format(r.to, to));
}

void
rendition_view_fini(struct rendition_view *v)
{
	for (size_t i = 0; i < v->hole_count; i++)
		hour_holes_fini(&v->holes[i]);
	free(v->holes);
	*v = (struct rendition_view){ 0 };
}
