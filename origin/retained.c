/* The advertised range of renditions. */
#include "origin/retained.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "origin/availability.h"
#include "origin/playlist.h"
#include "origin/worker.h"
#include "rewind/store.h"

#define FOLDER_READ_NS (30 * NS_PER_S)
#define HOURS_MOST 48 /* unfinished or odd ones that are read whole for one segment */

/* Does a finished hour hold gaps alone? Its tail says so. */
static bool
is_silent(const struct worker *w, const char *station, const char *rendition, uint64_t hour)
{
	char path[TARGET_SIZE], name[LAYOUT_NAME_SIZE];
	struct hour_rate rate;

	snprintf(path, sizeof path, "%s/%s/%s.m3u8", station, rendition, layout_hour_name(hour, name));
	int fd = file_open_beneath(w->server->root, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool silent = !store_read_tail(fd, &rate) && rate.duration_us == 0;
	close(fd);
	return silent;
}

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
	unsigned left = HOURS_MOST;
	for (size_t i = 0; i < n && v->oldest.ns == 0; i++) {
		if (hours[i].hour < hour || hours[i].hour < v->unread ||
		    is_silent(w, s->name, rendition, hours[i].hour))
			continue;
		if (left-- == 0) { /* the next look goes on here */
			v->unread = hours[i].hour;
			break;
		}
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

	v->newest_checked = w->now;
	v->newest.ns = 0;
	if (store_list_hours(w->server->root, s->name, rendition, &hours, &n))
		return;
	for (unsigned left = HOURS_MOST; n > 0 && hours[n - 1].hour >= v->hour && v->newest.ns == 0 && left > 0;) {
		if (is_silent(w, s->name, rendition, hours[n - 1].hour)) {
			n--;
			continue;
		}
		left--;
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
	    w->now.ns - v->checked.ns >= FOLDER_READ_NS)
		find_oldest(w, s, name, v);
	if (r.to.ns)
		v->newest_checked.ns = 0;
	else if (v->oldest.ns && (v->newest_checked.ns == 0 || w->now.ns - v->newest_checked.ns >= FOLDER_READ_NS))
		find_newest(w, s, name, v);
	r.from = v->oldest;
	r.to = r.to.ns ? r.to : v->newest_checked.ns ? v->newest : r.to;
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
