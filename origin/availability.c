/* The gaps in what is kept. A closed hour without any is known by its last line, so of a store in good order only the
 * tails of its hour files are read, once. */
#include "origin/availability.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/text.h"
#include "origin/handlers.h"
#include "origin/piece.h"
#include "origin/request.h"
#include "origin/retained.h"
#include "origin/stored.h"
#include "origin/worker.h"
#include "rewind/store.h"

#define JSON_MOST (8 << 20)
/* What one request may do before it has others wait: hours whose file is opened, whose tail is read, and such that are
 * read whole. */
#define LOOKS_MOST 2000
#define TAILS_MOST 2000
#define HOURS_MOST 100
#define KNOWN_NS (10 * NS_PER_S) /* that long an hour that is known is not looked at: heal alone rewrites it */
#define GAPS_MOST 5000           /* told of one rendition */

void
hour_holes_fini(struct hour_holes *h)
{
	free(h->list);
	*h = (struct hour_holes){ 0 };
}

/* The holes among entries. 0 or -ENOMEM. */
static int
find_holes(const struct hour *h, struct hour_holes *out)
{
	struct hole *list = calloc(h->count ? h->count : 1, sizeof *list);
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < h->count; i++) {
		if (!h->entries[i].gap)
			continue;
		if (n == 0 || list[n - 1].to != i)
			list[n++].from = (uint16_t)i;
		list[n - 1].to = (uint16_t)(i + 1);
	}
	struct hole *exact = realloc(list, (n ? n : 1) * sizeof *list);
	out->list = exact ? exact : list;
	out->count = n;
	return 0;
}

/* All of the hour. 0 or -ENOMEM. */
static int
hole_hour(uint32_t entries, struct hour_holes *out)
{
	out->list = malloc(sizeof *out->list);
	if (!out->list)
		return -ENOMEM;
	out->list[0] = (struct hole){ .to = (uint16_t)entries };
	out->count = 1;
	return 0;
}

/* Does the tail of the file say that a whole hour is in it? What is missing lasts at least a segment. */
static bool
is_whole(int fd, uint32_t T)
{
	struct hour_rate rate;

	return !store_read_tail(fd, &rate) && rate.duration_us > UINT64_C(3600) * 1000000 - T * UINT64_C(500000);
}

struct gathering {
	struct worker *worker;
	const struct catalogue_station *station;
	const char *rendition;
	struct hour_holes *known; /* from before, by hour; taken over where still true */
	size_t known_count, at;
	unsigned looks, tails, hours; /* left to do */
};

/* What is known of an hour, or NULL. */
static struct hour_holes *
find_known(struct gathering *g, uint64_t hour)
{
	while (g->at < g->known_count && g->known[g->at].hour < hour)
		g->at++;
	return g->at < g->known_count && g->known[g->at].hour == hour ? &g->known[g->at] : NULL;
}

static int
take(struct hour_holes *known, struct hour_holes *out)
{
	*out = *known;
	known->list = NULL;
	return 0;
}

/* 0 with *out, -EAGAIN when enough has been read for now, or another negative errno: the hour is a gap. What is known
 * is true for a while, and for longer when many ask for more than can be looked at. */
static int
look_at_hour(struct gathering *g, uint64_t hour, struct hour_holes *out)
{
	char path[TARGET_SIZE], name[LAYOUT_NAME_SIZE], why[128];
	struct hour_holes *old = find_known(g, hour);
	struct mono now = g->worker->now;
	struct stat st;
	struct hour h;

	if (old && (now.ns - old->checked.ns < KNOWN_NS || g->looks == 0))
		return take(old, out);
	g->looks -= g->looks > 0;
	snprintf(path, sizeof path, "%s/%s/%s.m3u8", g->station->name, g->rendition, layout_hour_name(hour, name));
	int fd = file_open_beneath(g->worker->server->root, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	int rc = fstat(fd, &st) ? -errno : 0;
	struct file_id id = rc ? (struct file_id){ 0 } : file_id_of(&st);
	bool same = !rc && old && file_id_equal(&old->id, &id);
	bool whole = !rc && !same && g->tails > 0 && is_whole(fd, g->station->T);
	close(fd);
	if (same) {
		old->checked = now;
		return take(old, out);
	}
	if (rc)
		return rc;
	*out = (struct hour_holes){ .hour = hour, .id = id, .checked = now };
	if (g->tails == 0 || (!whole && g->hours == 0))
		return -EAGAIN;
	g->tails--;
	if (whole)
		return 0;
	g->hours--;
	rc = store_read_hour(g->worker->server->root, g->station->name, g->rendition, hour, &h, why);
	if (rc == -EBADMSG) /* remembered: many of them would be all that is ever read */
		return hole_hour(3600 / g->station->T, out);
	if (rc)
		return rc;
	rc = find_holes(&h, out);
	hour_free(&h);
	return rc;
}

/* Bring a rendition's view up to date. 0, or a negative errno: -EAGAIN, ask again. */
static int
gather(struct worker *w, const struct catalogue_station *s, size_t rendition, struct gathering *g)
{
	struct rendition_view *v = &w->views[s - w->catalogue->stations][rendition];
	struct store_hour *hours;
	size_t n;
	int rc = store_list_hours(w->server->root, s->name, s->renditions[rendition].name, &hours, &n);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	struct hour_holes *found = calloc(n ? n : 1, sizeof *found);
	size_t count = 0;
	g->rendition = s->renditions[rendition].name;
	g->known = v->holes;
	g->known_count = v->hole_count;
	g->at = 0;
	rc = found ? 0 : -ENOMEM;
	for (size_t i = 0; i < n && !rc; i++) {
		if (hours[i].hour < v->hour)
			continue;
		found[count] = (struct hour_holes){ .hour = hours[i].hour, .part = hours[i].part };
		rc = hours[i].part ? 0 : look_at_hour(g, hours[i].hour, &found[count]);
		if (!rc)
			count++;
		else if (rc != -EAGAIN && rc != -ENOMEM)
			rc = 0; /* a file that cannot be read is a gap */
	}
	free(hours);
	if (!found)
		return rc;
	/* what was not reached is looked at next time */
	for (size_t i = 0; i < v->hole_count; i++)
		hour_holes_fini(&v->holes[i]);
	free(v->holes);
	v->holes = found;
	v->hole_count = count;
	return rc;
}

/* Gaps as they are told, joined over the borders of hours. */
struct teller {
	struct text *out;
	uint64_t from, to; /* the one that is open: numbers [from, to); equal: none */
	size_t told;
	uint32_t T;
};

static void
tell(struct teller *t)
{
	char from[WALL_TEXT_SIZE], to[WALL_TEXT_SIZE];

	if (t->to > t->from && t->told < GAPS_MOST)
		text_fmt(t->out, "%s{\"from\":\"%s\",\"to\":\"%s\"}", t->told ? "," : "",
		    wall_format(layout_grid(t->from, t->T), from), wall_format(layout_grid(t->to, t->T), to));
	t->told += t->to > t->from;
}

/* A gap [from, to), cut to what is retained. */
static void
add_gap(struct teller *t, uint64_t from, uint64_t to)
{
	if (from >= to)
		return;
	if (from != t->to) {
		tell(t);
		t->from = from;
	}
	t->to = to;
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The holes of an hour whose file is not finished: from its entries. */
static int
recent_holes(struct worker *w, const struct catalogue_station *s, const char *rendition, uint64_t hour,
    struct hour_holes *out, size_t *known)
{
	int error = 0;
	struct hour_copy *c = stored_entries(w, s->name, rendition, hour, false, &error);

	if (!c)
		return -ENOENT;
	int rc = find_holes(&c->hour, out);
	*known = c->hour.count;
	hour_copy_unref(&c);
	return rc;
}

static void
write_gaps(struct worker *w, const struct catalogue_station *s, size_t k, struct retained r, struct text *out)
{
	const struct rendition_view *v = &w->views[s - w->catalogue->stations][k];
	struct teller t = { .out = out, .T = s->T };
	uint64_t full = 3600 / s->T;
	/* the first sample lies within half a frame of its grid line */
	uint64_t first = layout_msn(r.from, s->T * NS_PER_S, s->T);
	uint64_t end = (uint64_t)(r.to.ns / NS_PER_S) / s->T;
	size_t at = 0;

	for (uint64_t hour = layout_hour(first, s->T); first < end && hour <= layout_hour(end - 1, s->T); hour++) {
		uint64_t base = layout_hour_first(hour, s->T);
		struct hour_holes made = { 0 };
		const struct hour_holes *h = &made;
		size_t known = full;
		while (at < v->hole_count && v->holes[at].hour < hour)
			at++;
		const struct hour_holes *found = at < v->hole_count && v->holes[at].hour == hour ? &v->holes[at] : NULL;
		if (found && !found->part)
			h = found;
		else if (!found || recent_holes(w, s, s->renditions[k].name, hour, &made, &known))
			known = 0;
		for (size_t i = 0; i < h->count; i++)
			add_gap(&t, most(base + h->list[i].from, first), least(base + h->list[i].to, end));
		add_gap(&t, most(base + known, first), least(base + full, end));
		hour_holes_fini(&made);
	}
	tell(&t);
	text_fmt(out, "]%s", t.told > GAPS_MOST ? ",\"more_gaps\":true" : "");
}

/* 0, or a negative errno. */
static int
write_availability(struct worker *w, const struct catalogue_station *s, struct text *out)
{
	struct gathering g = {
		.worker = w, .station = s, .looks = LOOKS_MOST, .tails = TAILS_MOST, .hours = HOURS_MOST
	};

	text_fmt(out, "{\"station\":\"%s\",\"timezone\":\"", s->name);
	text_json(out, s->timezone);
	text_fmt(out, "\",\"segment\":%" PRIu32 ",\"retained\":", s->T);
	retained_write(out, retained_station(w, s));
	text_str(out, ",\"renditions\":[");
	for (size_t k = 0; k < s->count; k++) {
		struct retained r = retained_rendition(w, s, k);
		int rc = r.from.ns ? gather(w, s, k, &g) : 0;
		if (rc)
			return rc;
		text_fmt(out, "%s{\"name\":\"%s\",\"retained\":", k ? "," : "", s->renditions[k].name);
		retained_write(out, r);
		text_str(out, ",\"gaps\":[");
		if (r.from.ns)
			write_gaps(w, s, k, r, out);
		else
			text_str(out, "]");
		text_str(out, "}");
	}
	text_str(out, "]}\n");
	return out->full ? -ENOMEM : 0;
}

void
availability_json(struct request *r)
{
	struct worker *w = r->worker;
	const struct catalogue_station *s = catalogue_station(w->catalogue, r->names.station);
	struct text out;

	if (!s) {
		request_not_found(r);
		return;
	}
	struct cache_item *i = cache_find(&w->cache, CACHE_MADE, r->target.relative);
	if (i && w->now.ns < i->expires.ns) {
		request_send(r, i->entity);
		return;
	}
	text_init(&out, JSON_MOST);
	int rc = write_availability(w, s, &out);
	struct entity *e = rc ? NULL : entity_new_text(&out, "application/json");
	text_fini(&out);
	struct cache_item fresh = { .entity = e, .expires = { w->now.ns + NS_PER_S } };
	if (e) {
		http_cache_control(HTTP_GROWING, s->T, e->cache_control);
		i = cache_put(&w->cache, CACHE_MADE, r->target.relative, &fresh);
	}
	if (e && i)
		request_send(r, i->entity);
	else
		request_fail(
		    r, &(struct problem){ .status = 503,
			   .detail = rc == -EAGAIN ? "what is kept is being looked through; ask again in a second"
						   : "the store cannot be read at the moment" });
}
