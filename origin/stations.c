/* /stations.json: what there is to hear, and how far back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/text.h"
#include "origin/handlers.h"
#include "origin/playlist.h"
#include "origin/request.h"
#include "origin/stored.h"
#include "origin/worker.h"
#include "rewind/store.h"

#define JSON_MOST (8 << 20)
#define MADE_ANEW_NS NS_PER_S
#define FOLDER_READ_NS (30 * NS_PER_S)

struct span {
	struct wall from, to; /* from.ns 0: nothing */
};

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

/* The advertised span of a rendition: to the end of its live list, from what retention leaves. */
static struct span
retained(struct worker *w, const struct catalogue_station *s, size_t rendition)
{
	const char *name = s->renditions[rendition].name;
	struct rendition_view *v = &w->views[s - w->catalogue->stations][rendition];
	struct span span = { .to = playlist_newest_end(w, s, name) };

	if (span.to.ns == 0)
		return span;
	bool expired = v->oldest.ns < w->wall.ns - s->retention_ns;
	if (v->checked.ns == 0 || (expired && w->now.ns - v->checked.ns >= s->T * NS_PER_S) ||
	    w->now.ns - v->checked.ns >= FOLDER_READ_NS)
		find_oldest(w, s, name, v);
	span.from = v->oldest;
	return span;
}

static void
write_span(struct text *out, struct span span)
{
	char from[WALL_TEXT_SIZE], to[WALL_TEXT_SIZE];

	if (span.from.ns == 0)
		text_str(out, "null");
	else
		text_fmt(
		    out, "{\"from\":\"%s\",\"to\":\"%s\"}", wall_format(span.from, from), wall_format(span.to, to));
}

/* One rendition's line in a multivariant playlist: what stands after "#EXT-X-STREAM-INF:". */
struct variant {
	char codecs[64];
	int64_t peak, mean;
};

/* The number after `name`, which includes the "=", or 0. An attribute begins after a comma or the tag's colon. */
static int64_t
attribute_number(const char *line, const char *name)
{
	size_t len = strlen(name);

	for (const char *s = line; (s = strstr(s, name)); s += len)
		if (s[-1] == ',' || s[-1] == ':')
			return strtoll(s + len, NULL, 10);
	return 0;
}

static void
read_attributes(const char *line, struct variant *v)
{
	const char *codecs = strstr(line, "CODECS=\"");

	v->peak = attribute_number(line, "BANDWIDTH=");
	v->mean = attribute_number(line, "AVERAGE-BANDWIDTH=");
	if (codecs) {
		codecs += strlen("CODECS=\"");
		size_t len = strcspn(codecs, "\"");
		len = len < sizeof v->codecs ? len : sizeof v->codecs - 1;
		memcpy(v->codecs, codecs, len);
		v->codecs[len] = '\0';
	}
}

/* Find a rendition in the station's multivariant playlist. */
static void
find_variant(struct worker *w, const struct catalogue_station *s, const char *rendition, struct variant *v)
{
	char path[TARGET_SIZE], line[512], info[512] = "", uri[TARGET_SIZE];
	int error;

	*v = (struct variant){ 0 };
	snprintf(path, sizeof path, "%s/index.m3u8", s->name);
	snprintf(uri, sizeof uri, "%s/index.m3u8", rendition);
	struct cache_item *i = stored_list(w, path, s->T, &error);
	const char *p = i ? (const char *)i->entity->body->data : "", *end = p + (i ? i->entity->body->len : 0);
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((eol ? eol : end) - p);
		snprintf(line, sizeof line, "%.*s", (int)len, p);
		if (!strncmp(line, "#EXT-X-STREAM-INF:", 18))
			memcpy(info, line, sizeof info);
		else if (!strcmp(line, uri))
			read_attributes(info, v);
		p += len + 1;
	}
}

static struct span
write_rendition(struct worker *w, const struct catalogue_station *s, size_t k, struct text *out)
{
	const struct catalogue_rendition *r = &s->renditions[k];
	struct span span = retained(w, s, k);
	struct variant v;

	find_variant(w, s, r->name, &v);
	text_fmt(out, "{\"name\":\"%s\",\"url\":\"%s/%s/index.m3u8\",\"codecs\":", r->name, s->name, r->name);
	if (v.codecs[0]) {
		text_str(out, "\"");
		text_json(out, v.codecs);
		text_str(out, "\"");
	} else {
		text_str(out, "null");
	}
	text_fmt(out, ",\"format\":\"%s\",\"bandwidth\":%" PRId64 ",\"average_bandwidth\":%" PRId64 ",\"retained\":",
	    r->packed ? "packed" : "ts", v.peak ? v.peak : r->bitrate, v.mean ? v.mean : r->bitrate);
	write_span(out, span);
	text_str(out, "}");
	return span;
}

static void
write_station(struct worker *w, const struct catalogue_station *s, struct text *out)
{
	struct span all = { 0 };

	text_fmt(out, "{\"name\":\"%s\",\"title\":\"", s->name);
	text_json(out, s->title);
	text_str(out, "\",\"timezone\":\"");
	text_json(out, s->timezone);
	text_fmt(out, "\",\"segment\":%" PRIu32 ",\"url\":\"%s/index.m3u8\",\"renditions\":[", s->T, s->name);
	for (size_t k = 0; k < s->count; k++) {
		text_str(out, k ? "," : "");
		struct span one = write_rendition(w, s, k, out);
		if (one.from.ns && (all.from.ns == 0 || one.from.ns < all.from.ns))
			all.from = one.from;
		if (one.to.ns > all.to.ns)
			all.to = one.to;
	}
	text_str(out, "],\"retained\":");
	write_span(out, all);
	text_fmt(out, ",\"live\":%s}", all.to.ns && !playlist_is_stale(w, s, all.to) ? "true" : "false");
}

static struct entity *
make(struct worker *w)
{
	struct text out;
	uint32_t T = 3600;
	struct entity *e = NULL;

	text_init(&out, JSON_MOST);
	text_str(&out, "{\"stations\":[");
	for (size_t i = 0; i < w->catalogue->count; i++) {
		const struct catalogue_station *s = &w->catalogue->stations[i];
		text_str(&out, i ? "," : "");
		write_station(w, s, &out);
		T = s->T < T ? s->T : T;
	}
	text_str(&out, "]}\n");
	struct blob *b = out.full ? NULL : blob_new(out.len);
	if (b) {
		memcpy(b->data, out.data, out.len);
		e = entity_new(b);
	}
	if (e) {
		e->hash = XXH64(out.data, out.len, 0);
		snprintf(e->type, sizeof e->type, "application/json");
		http_cache_control(HTTP_GROWING, T, e->cache_control);
		e->compressible = true;
	}
	text_fini(&out);
	return e;
}

void
stations_json(struct request *r)
{
	struct worker *w = r->worker;
	struct cache_item *i = cache_find(&w->cache, CACHE_MADE, "stations.json");

	if (!i || w->now.ns >= i->expires.ns) {
		struct cache_item fresh = { .entity = make(w), .expires = { w->now.ns + MADE_ANEW_NS } };
		i = fresh.entity ? cache_put(&w->cache, CACHE_MADE, "stations.json", &fresh) : NULL;
	}
	if (i)
		request_send(r, i->entity);
	else
		request_fail(r, &(struct problem){ .status = 503, .detail = "out of memory" });
}
