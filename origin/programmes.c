/* /{station}/programmes.json: a day's programmes, each with its link. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "origin/handlers.h"
#include "origin/request.h"
#include "origin/worker.h"
#include "rewind/instant.h"

#define JSON_MOST (8 << 20)

/* "2026-11-21" as the two local midnights around it. 0, or -1: no such day. */
static int
read_day(const char *text, const struct zone *zone, char day[static 11], struct wall *from, struct wall *to)
{
	struct instant i;

	if (strlen(text) != 10 || instant_parse(text, &i) || i.kind != INSTANT_DATED)
		return -1;
	snprintf(day, 11, "%s", text);
	from->ns = zone_instant(zone, &i.local) * NS_PER_S;
	i.local.day++;
	to->ns = zone_instant(zone, &i.local) * NS_PER_S;
	return 0;
}

static void
write_string(struct text *out, const char *name, const char *value)
{
	text_fmt(out, "\"%s\":", name);
	if (!value) {
		text_str(out, "null,");
		return;
	}
	text_str(out, "\"");
	text_json(out, value);
	text_str(out, "\",");
}

/* With a link where there is something to hear. */
static void
write_programme(struct text *out, const struct programme *p, bool audible)
{
	char start[WALL_TEXT_SIZE], end[WALL_TEXT_SIZE];

	text_str(out, "{");
	write_string(out, "id", p->id);
	write_string(out, "title", p->title);
	write_string(out, "description", p->description);
	write_string(out, "url", p->url);
	text_fmt(
	    out, "\"start\":\"%s\",\"end\":\"%s\",\"play\":", wall_format(p->start, start), wall_format(p->end, end));
	if (audible)
		text_fmt(out, "\"index.m3u8?programme=%s\"}", p->id);
	else
		text_str(out, "null}");
}

static void
write_day(struct worker *w, const struct catalogue_station *s, const char *day, struct wall from, struct wall to,
    struct text *out)
{
	struct retained kept = retained_station(w, s);
	struct programmes *p = schedule_get(w->server->schedule, s->name);
	bool any = false;

	text_fmt(out, "{\"station\":\"%s\",\"timezone\":\"", s->name);
	text_json(out, s->timezone);
	text_fmt(out, "\",\"date\":\"%s\",\"programmes\":[", day);
	for (size_t i = 0; p && i < p->count; i++) {
		const struct programme *one = &p->list[i];
		if (one->start.ns >= to.ns || one->end.ns <= from.ns)
			continue;
		text_str(out, any ? "," : "");
		write_programme(out, one, kept.from.ns && one->start.ns <= w->wall.ns && one->end.ns > kept.from.ns);
		any = true;
	}
	text_str(out, "]}\n");
	programmes_unref(&p);
}

static void
today(const struct worker *w, const struct zone *zone, char day[static 11])
{
	struct civil c = zone_local(zone, w->wall.ns / NS_PER_S);
	snprintf(day, 11, "%04u-%02u-%02u", (unsigned)c.year % 10000, (unsigned)c.month % 100, (unsigned)c.day % 100);
}

/* The value of `date`, or the day that it is. false: answered. */
static bool
wanted_day(
    struct request *r, const struct catalogue_station *s, char day[static 11], struct wall *from, struct wall *to)
{
	char date[11];
	const char *cursor = r->query;
	struct target_parameter p, given = { .value = "" };
	unsigned times = 0;

	while (target_next_parameter(&cursor, &p))
		if (!strcmp(p.name, "date")) {
			given = p;
			times++;
		}
	today(r->worker, s->zone, date);
	if (times < 2 && !read_day(times ? given.value : date, s->zone, day, from, to))
		return true;
	request_fail(r,
	    &(struct problem){ .status = 400,
		.detail = times < 2 ? "want a date such as 2026-11-21" : "the parameter is given twice, want it once",
		.parameter = "date" });
	return false;
}

void
programmes_json(struct request *r)
{
	struct worker *w = r->worker;
	const struct catalogue_station *s = catalogue_station(w->catalogue, r->names.station);
	char day[11], key[TARGET_SIZE + 16];
	struct wall from, to;
	struct text out;

	if (!s || !s->programmes) {
		request_fail(r, &(struct problem){ .status = 404, .detail = "this station announces no programmes" });
		return;
	}
	if (!wanted_day(r, s, day, &from, &to))
		return;
	snprintf(key, sizeof key, "%s?%s", r->target.relative, day);
	struct cache_item *i = cache_find(&w->cache, CACHE_MADE, key);
	if (!i || w->now.ns >= i->expires.ns) {
		text_init(&out, JSON_MOST);
		write_day(w, s, day, from, to, &out);
		struct cache_item fresh = { .entity = entity_new_text(&out, "application/json"),
			.expires = { w->now.ns + NS_PER_S } };
		text_fini(&out);
		if (fresh.entity)
			http_cache_control(HTTP_GROWING, s->T, fresh.entity->cache_control);
		i = fresh.entity ? cache_put(&w->cache, CACHE_MADE, key, &fresh) : NULL;
	}
	if (i)
		request_send(r, i->entity);
	else
		request_failed_open(r, -ENOMEM);
}
