/* /stations.json: what there is to hear, and how far back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "origin/handlers.h"
#include "origin/playlist.h"
#include "origin/request.h"
#include "origin/retained.h"
#include "origin/stored.h"
#include "origin/worker.h"

#define JSON_MOST (8 << 20)
#define MADE_ANEW_NS NS_PER_S

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

static void
write_rendition(struct worker *w, const struct catalogue_station *s, size_t k, struct text *out)
{
	const struct catalogue_rendition *r = &s->renditions[k];
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
	retained_write(out, retained_rendition(w, s, k));
	text_str(out, "}");
}

static void
write_station(struct worker *w, const struct catalogue_station *s, struct text *out)
{
	struct retained all = retained_station(w, s);

	text_fmt(out, "{\"name\":\"%s\",\"title\":\"", s->name);
	text_json(out, s->title);
	text_str(out, "\",\"timezone\":\"");
	text_json(out, s->timezone);
	text_fmt(out,
	    "\",\"segment\":%" PRIu32 ",\"max_span\":%" PRId64
	    ",\"url\":\"%s/index.m3u8\",\"availability\":\"%s/availability.json\",\"programmes\":",
	    s->T, s->max_span_ns / NS_PER_S, s->name, s->name);
	if (s->programmes)
		text_fmt(out, "\"%s/programmes.json\"", s->name);
	else
		text_str(out, "null");
	text_str(out, ",\"renditions\":[");
	for (size_t k = 0; k < s->count; k++) {
		text_str(out, k ? "," : "");
		write_rendition(w, s, k, out);
	}
	text_str(out, "],\"retained\":");
	retained_write(out, all);
	text_fmt(out, ",\"live\":%s}", all.to.ns && !playlist_is_stale(w, s, all.to) ? "true" : "false");
}

static struct entity *
make(struct worker *w)
{
	struct text out;
	uint32_t T = 3600;

	text_init(&out, JSON_MOST);
	text_str(&out, "{\"stations\":[");
	for (size_t i = 0; i < w->catalogue->count; i++) {
		const struct catalogue_station *s = &w->catalogue->stations[i];
		text_str(&out, i ? "," : "");
		write_station(w, s, &out);
		T = s->T < T ? s->T : T;
	}
	text_str(&out, "]}\n");
	struct entity *e = entity_new_text(&out, "application/json");
	if (e)
		http_cache_control(HTTP_GROWING, T, e->cache_control);
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
