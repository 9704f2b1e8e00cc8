/* Lists with time parameters: resolved to a span, planned from its hours, put together from kept pieces. */
#include "origin/timed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/text.h"
#include "origin/gzip.h"
#include "origin/hours.h"
#include "origin/playlist.h"
#include "origin/request.h"
#include "origin/stored.h"
#include "origin/worker.h"

#define LOOK_AGAIN_NS (100 * NS_PER_MS) /* as at files: how often a list is compared with its hours */
#define REMADE_NS (60 * NS_PER_S)       /* its freshness moves with the clock */
#define VARIANTS_NS NS_PER_S
#define VARIANTS_MOST (1 << 20)
#define FIXED_VARIANTS_AGE_S 60
#define ENDED_AGE_S 60 /* of a list that has ended and may still change */
#define DAY_S 86400
#define KEY_SIZE (TARGET_SIZE + 160)
#define LIST_TYPE "application/vnd.apple.mpegurl"

static const char *const names[] = { "from", "to", "duration", "delay", "programme" };

bool
timed_read(struct request *r, struct timed *t)
{
	const char **slot[] = { &t->request.from, &t->request.to, &t->request.duration, &t->request.delay,
		&t->request.programme };
	const char *cursor = r->query;
	struct target_parameter p;

	*t = (struct timed){ 0 };
	while (target_next_parameter(&cursor, &p)) {
		size_t i = 0;
		if (!strcmp(p.name, "_HLS_skip"))
			t->skip = !strcmp(p.value, "YES") || !strcmp(p.value, "v2");
		while (i < sizeof names / sizeof *names && strcmp(p.name, names[i]))
			i++;
		if (i == sizeof names / sizeof *names)
			continue;
		if (*slot[i] || p.cut) {
			request_fail(r, &(struct problem){ .status = 400,
					    .detail = p.cut ? "the value is too long"
							    : "the parameter is given twice, want it once",
					    .parameter = names[i] });
			return false;
		}
		t->value[i] = p;
		*slot[i] = t->value[i].value;
		t->given = true;
	}
	return true;
}

/* What the request is resolved against. */
static struct time_facts
facts_of(struct worker *w, const struct catalogue_station *s)
{
	struct retained all = retained_station(w, s);

	return (struct time_facts){
		.now = w->wall,
		.T = s->T,
		.max_span_ns = s->max_span_ns,
		.oldest = all.from,
		.newest_end = all.to,
		.zone = s->zone,
	};
}

/* false: answered. */
static bool
resolve(struct request *r, const struct catalogue_station *s, const struct timed *t, struct time_span *span)
{
	struct time_facts facts = facts_of(r->worker, s);
	struct programmes *p = t->request.programme ? schedule_get(r->worker->server->schedule, s->name) : NULL;
	struct time_fault fault;

	facts.programmes = p;
	int rc = time_resolve(&t->request, &facts, span, &fault);
	programmes_unref(&p);
	if (!rc)
		return true;
	request_fail(r, &(struct problem){ .status = fault.status,
			    .detail = fault.detail,
			    .parameter = fault.parameter,
			    .retry_after_s = fault.retry_after_s });
	return false;
}

/* There is nothing (yet) to be listed. */
static void
fail_empty(struct request *r, const struct catalogue_station *s, const struct time_span *span)
{
	uint64_t first, end;

	span_bounds(span, s->T, s->window, r->worker->wall, &first, &end);
	bool over =
	    span->kind == TIME_SPAN && r->worker->wall.ns > layout_grid(span->end + SPAN_LATE_SEGMENTS, s->T).ns;
	bool future = span->kind != TIME_DELAY && layout_grid(span->first, s->T).ns > r->worker->wall.ns;
	int64_t wait = layout_grid(span->first + 1, s->T).ns - r->worker->wall.ns;

	request_fail(r, &(struct problem){ .status = 404,
			    .parameter = span->kind == TIME_DELAY ? "delay" : "from",
			    .detail = over     ? "nothing was recorded in this span"
				      : future ? "this time has not come yet"
					       : "nothing has been recorded from this time on; ask again in a moment",
			    .retry_after_s = over     ? 0
					     : future ? (wait / NS_PER_S < 3600 ? wait / NS_PER_S + 1 : 3600)
						      : s->T });
}

/* Multivariant playlists. */

enum { SAID_MOST = 8 };

/* The codecs that were on air in a span, each once, in the order of enum codec and profile. */
struct codecs {
	const char *name[SAID_MOST];
	size_t count;
};

static bool
has_codecs(const struct codecs *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->name[i], name))
			return true;
	return false;
}

static void
add_codecs(struct codecs *c, const char *name)
{
	if (!has_codecs(c, name) && c->count < SAID_MOST)
		c->name[c->count++] = name;
}

/* Those of an hour's segments with numbers in [first, end). */
static void
add_hour_codecs(struct codecs *c, const struct hour *h, uint64_t first, uint64_t end)
{
	bool heard[HOUR_FORMATS_MAX] = { false };

	for (size_t i = 0; i < h->count; i++)
		if (!h->entries[i].gap && h->entries[i].msn >= first && h->entries[i].msn < end)
			heard[h->entries[i].format] = true;
	for (size_t i = 0; i < h->format_count; i++)
		if (heard[i])
			add_codecs(c, audio_format_codecs(&h->formats[i]));
}

/* All codecs of a rendition in a span: a change within it is to be known before it is heard. *any: there is a list of
 * it, for a delay also when it holds gaps alone. */
static int
find_codecs(struct worker *w, const struct catalogue_station *s, const char *rendition, const struct time_span *span,
    struct codecs *c, bool *any)
{
	uint64_t first, end;
	struct hours h = { 0 };

	span_bounds(span, s->T, s->window, w->wall, &first, &end);
	int rc = end > first ? hours_read(w, s, rendition, first, end, &h) : 0;
	for (size_t i = 0; i < h.count; i++)
		add_hour_codecs(c, h.list[i], first, end);
	*any = c->count > 0 || (span->kind == TIME_DELAY && h.count > 0);
	hours_fini(&h);
	return rc;
}

/* The line of a variant, with these codecs. */
static void
write_variant(struct text *out, const char *line, size_t len, const struct codecs *c, bool late)
{
	static const char mark[] = "CODECS=\"";
	const char *at = memmem(line, len, mark, sizeof mark - 1);
	const char *said = at ? at + sizeof mark - 1 : NULL,
		   *end = said ? memchr(said, '"', len - (size_t)(said - line)) : NULL;

	if (!end || c->count == 0) {
		text_add(out, line, len);
		return;
	}
	text_add(out, line, (size_t)(said - line));
	for (size_t i = 0; i < c->count; i++)
		text_fmt(out, "%s%s", i ? "," : "", c->name[i]);
	/* a list with a delay will come to what is live now */
	char now[64];
	snprintf(now, sizeof now, "%.*s", (int)(end - said), said);
	if (late && !has_codecs(c, now))
		text_fmt(out, ",%s", now);
	text_add(out, end, len - (size_t)(end - line));
}

struct variants {
	const struct catalogue_station *station;
	const struct time_span *span;
	const char *query;     /* canonical */
	const char *rendition; /* only this one; its list lies beside the answer. NULL: all */
	bool mpeg;             /* found: there is MPEG audio in it */
};

/* "hifi/index.m3u8" of a station's list: the name before the slash, or false. */
static bool
variant_name(const char *line, size_t len, char name[static 64])
{
	const char *slash = memchr(line, '/', len);
	size_t n = slash ? (size_t)(slash - line) : 0;

	if (n == 0 || n >= 64)
		return false;
	memcpy(name, line, n);
	name[n] = '\0';
	return true;
}

/* The variants of the station's live list, line by line: rates stay, codecs are those of the span, names get the query.
 */
static int
write_variants(struct worker *w, struct variants *v, const struct blob *live, struct text *out)
{
	const char *s = (const char *)live->data, *end = s + live->len, *info = NULL;
	size_t info_len = 0;
	char name[64];

	for (const char *eol; s < end && (eol = memchr(s, '\n', (size_t)(end - s))); s = eol + 1) {
		size_t len = (size_t)(eol - s);
		if (len > 18 && !memcmp(s, "#EXT-X-STREAM-INF:", 18)) {
			info = s;
			info_len = len;
			continue;
		}
		if (!info || *s == '#' || !variant_name(s, len, name) || (v->rendition && strcmp(v->rendition, name)))
			continue;
		struct codecs c = { 0 };
		bool any;
		int rc = find_codecs(w, v->station, name, v->span, &c, &any);
		if (rc)
			return rc;
		if (!any)
			continue; /* it began later, or has gone */
		v->mpeg |= has_codecs(&c, "mp4a.40.34");
		write_variant(out, info, info_len, &c, v->span->kind == TIME_DELAY);
		text_fmt(out, "\n%s%sindex.m3u8?%s\n", v->rendition ? "" : name, v->rendition ? "" : "/", v->query);
		info = NULL;
	}
	return out->full ? -ENOMEM : 0;
}

/* The whole playlist. EXT-X-START stands in the media playlists alone: libavformat takes one here for another variant.
 */
static int
make_variants(struct worker *w, struct variants *v, struct text *out, const char *clamped)
{
	char path[TARGET_SIZE];
	struct text lines;
	int error = 0;

	snprintf(path, sizeof path, "%s/index.m3u8", v->station->name);
	struct cache_item *i = stored_list(w, path, v->station->T, &error);
	if (!i)
		return error;
	struct blob *live = i->entity->body;
	live->refs++; /* reading hours may let go of the item */
	text_init(&lines, VARIANTS_MOST);
	int rc = write_variants(w, v, live, &lines);
	blob_unref(live);
	if (!rc && !lines.len)
		rc = -ENOENT;
	if (!rc) {
		text_str(out, "#EXTM3U\n#EXT-X-VERSION:3\n");
		if (!v->mpeg)
			text_str(out, "#EXT-X-INDEPENDENT-SEGMENTS\n");
		if (*clamped)
			text_fmt(out, "#HINDCAST-CLAMPED-FROM:%s\n", clamped);
		text_add(out, lines.data, lines.len);
	}
	text_fini(&lines);
	return rc ? rc : out->full ? -ENOMEM : 0;
}

static struct entity *
variants_entity(struct worker *w, struct variants *v, const char *clamped, int *error)
{
	struct text out;
	struct entity *e = NULL;

	text_init(&out, VARIANTS_MOST);
	*error = make_variants(w, v, &out, clamped);
	if (!*error) {
		e = entity_new_text(&out, LIST_TYPE);
		*error = e ? 0 : -ENOMEM;
	}
	text_fini(&out);
	if (e) {
		bool fixed = v->span->fixed && !v->span->clamped;
		http_cache_control(HTTP_FRESH, fixed ? FIXED_VARIANTS_AGE_S : v->station->T, e->cache_control);
		snprintf(e->clamped_from, sizeof e->clamped_from, "%s", clamped);
	}
	return e;
}

/* Answer with the canonical links of a span. */
static void
send_variants(struct request *r, const struct catalogue_station *s, const struct time_span *span, const char *rendition)
{
	struct worker *w = r->worker;
	char memory[128], clamped[WALL_TEXT_SIZE] = "", key[KEY_SIZE];
	struct text query;
	int error = 0;

	text_init_fixed(&query, memory, sizeof memory);
	time_span_query(&query, span, s->T);
	if (span->clamped)
		wall_format(span->asked, clamped);
	snprintf(key, sizeof key, "%s/%s variants?%s %s %d", s->name, rendition ? rendition : "", query.data, clamped,
	    span->fixed);
	struct cache_item *i = cache_find(&w->cache, CACHE_MADE, key);
	if (!i || w->now.ns >= i->expires.ns) {
		struct variants v = { s, span, query.data, rendition, false };
		struct cache_item fresh = { .entity = variants_entity(w, &v, clamped, &error),
			.expires = { w->now.ns + VARIANTS_NS } };
		i = fresh.entity ? cache_put(&w->cache, CACHE_MADE, key, &fresh) : NULL;
		if (!i && !error)
			error = -ENOMEM;
	}
	if (i)
		request_send(r, i->entity);
	else if (error == -ENOENT)
		fail_empty(r, s, span);
	else
		request_failed_open(r, error);
}

void
timed_multivariant(struct request *r, const struct catalogue_station *s, const struct timed *t)
{
	struct time_span span;

	if (resolve(r, s, t, &span))
		send_variants(r, s, &span, NULL);
}

/* Media playlists. */

/* A list before it is put together. */
struct made {
	const struct catalogue_station *station;
	const char *rendition;
	struct time_span span;
	struct hours hours;
	struct span_plan plan;
	uint64_t signature;
};

/* Everything that its bytes are made of. */
static uint64_t
sign(const struct made *m)
{
	const struct list_head *head = &m->plan.head;
	uint64_t first[] = { head->msn, head->discontinuity_sequence, head->skipped, head->independent, m->plan.ended,
		m->plan.settled };
	XXH64_hash_t h = XXH64(first, sizeof first, 0);

	for (size_t i = 0; i < m->plan.count; i++) {
		const struct span_part *p = &m->plan.parts[i];
		uint64_t facts[] = { h, m->hours.list[p->hour]->first_msn, m->hours.copies[p->hour]->hash, p->first,
			p->last, p->hole_before };
		h = XXH64(facts, sizeof facts, (XXH64_hash_t)m->plan.form);
	}
	return h;
}

static void
made_fini(struct made *m)
{
	span_plan_fini(&m->plan);
	hours_fini(&m->hours);
}

/* 0 with what must be made_fini'd, or a negative errno. */
static int
make_plan(struct worker *w, struct made *m, bool skip)
{
	const struct catalogue_station *s = m->station;
	uint64_t first, end;

	span_bounds(&m->span, s->T, s->window, w->wall, &first, &end);
	if (end == first)
		return -ENOENT;
	int rc = hours_read(w, s, m->rendition, first, end, &m->hours);
	if (rc)
		return rc;
	rc = span_plan(&m->plan, &m->span, m->hours.list, m->hours.count, s->window, w->wall, skip);
	if (rc)
		hours_fini(&m->hours);
	else
		m->signature = sign(m);
	return rc;
}

/* The list in the making: once as text, once as gzip; the parts are the same. */
struct writing {
	struct text *out;
	struct gzip_join *gzip; /* NULL: text */
	uint64_t hash;          /* of the parts' hashes: equal ones mean equal bytes */
	uint64_t size;
};

static void
add_plain(struct writing *to, const char *data, size_t len)
{
	if (to->gzip)
		gzip_join_plain(to->gzip, data, len);
	else
		text_add(to->out, data, len);
	to->hash = XXH64(data, len, to->hash);
	to->size += len;
}

static int
add_piece(struct writing *to, struct piece *p)
{
	if (to->gzip && piece_deflate(p))
		return -ENOMEM;
	if (to->gzip)
		gzip_join_blocks(to->gzip, p->deflated, p->crc, p->text->len);
	else
		text_add(to->out, p->text->data, p->text->len);
	to->hash = XXH64(&p->hash, sizeof p->hash, to->hash);
	to->size += p->text->len;
	return 0;
}

static int
write_list(struct worker *w, const struct made *m, struct writing *to)
{
	char memory[1024];
	struct text head;

	text_init_fixed(&head, memory, sizeof memory);
	list_head_write(&head, &m->plan.head);
	add_plain(to, head.data, head.len);
	for (size_t i = 0; i < m->plan.count; i++) {
		const struct span_part *part = &m->plan.parts[i];
		struct piece *p = hours_piece(w, m->station, m->rendition, &m->hours, part, m->plan.form);
		if (p && part->hole_before)
			add_plain(to, LIST_DISCONTINUITY, strlen(LIST_DISCONTINUITY));
		int rc = p ? add_piece(to, p) : -ENOMEM;
		piece_unref(&p);
		if (rc)
			return rc;
	}
	if (m->plan.ended)
		add_plain(to, LIST_END, strlen(LIST_END));
	return to->out->full ? -ENOMEM : 0;
}

/* Seconds that a list may be kept. */
static void
set_freshness(const struct worker *w, const struct made *m, struct entity *e)
{
	const struct catalogue_station *s = m->station;
	int64_t first_s = (int64_t)(m->span.first * s->T), now_s = w->wall.ns / NS_PER_S;
	int64_t left = first_s + s->retention_ns / NS_PER_S - now_s;
	int64_t settles = (int64_t)(m->span.end * s->T) + SPAN_SETTLE_NS / NS_PER_S - now_s;

	if (!m->plan.ended) {
		http_cache_control(HTTP_GROWING, s->T, e->cache_control);
	} else if (m->plan.settled) {
		http_cache_control(HTTP_FRESH,
		    left < ENDED_AGE_S ? ENDED_AGE_S
		    : left < DAY_S     ? left
				       : DAY_S,
		    e->cache_control);
	} else {
		http_cache_control(
		    HTTP_FRESH, settles > 0 && settles < ENDED_AGE_S ? settles : ENDED_AGE_S, e->cache_control);
	}
}

/* When its bytes last changed: a grid line, so that two origins say the same. */
static int64_t
modified_at(const struct made *m)
{
	const struct span_plan *p = &m->plan;
	const uint32_t T = p->head.T;

	if (p->form == LIST_CLOSED)
		return layout_grid(m->span.end, T).ns / NS_PER_S + SPAN_SETTLE_NS / NS_PER_S;
	uint64_t newest = p->head.msn + p->segments;
	if (p->ended && newest < m->span.end)
		newest = m->span.end + SPAN_LATE_SEGMENTS;
	return layout_grid(newest, T).ns / NS_PER_S;
}

/* The list as an entity with one coding. */
static struct entity *
list_entity(struct worker *w, const struct made *m, bool gzip)
{
	struct text out;
	struct gzip_join join;
	struct writing to = { .out = &out, .gzip = gzip ? &join : NULL };

	text_init(&out, SPAN_BYTES_MOST);
	if (gzip)
		gzip_join_begin(&join, &out);
	int rc = write_list(w, m, &to);
	if (gzip)
		gzip_join_end(&join);
	struct blob *b = rc || out.full ? NULL : blob_new(out.len);
	struct entity *e = b ? entity_new_bare(to.size) : NULL;
	if (b)
		memcpy(b->data, out.data, out.len);
	text_fini(&out);
	if (!e) {
		blob_unref(b);
		return NULL;
	}
	snprintf(e->type, sizeof e->type, "%s", LIST_TYPE);
	e->compressible = true;
	e->hash = to.hash;
	e->modified_s = modified_at(m);
	set_freshness(w, m, e);
	if (!gzip)
		e->body = b;
	else if (entity_give_gzip(e, b))
		entity_free(&e);
	return e;
}

/* What a live list would have as the end of its newest segment, if this one should reach live; far away if not. */
static struct wall
reaches(const struct made *m)
{
	const struct span_plan *p = &m->plan;

	if (m->span.kind == TIME_DELAY) /* late on purpose; but it has to move */
		return (
		    struct wall){ layout_grid(p->head.msn + p->segments, p->head.T).ns + m->span.delay_s * NS_PER_S };
	return p->ended ? (struct wall){ INT64_MAX } : p->newest_end;
}

/* The list under its key, made or kept. NULL with *error. */
static struct cache_item *
timed_list(struct worker *w, struct made *m, const char *key, bool skip, bool gzip, int *error)
{
	struct cache_item *i = cache_find(&w->cache, CACHE_MADE, key);

	if (i && w->now.ns - i->checked.ns < LOOK_AGAIN_NS)
		return i;
	*error = make_plan(w, m, skip);
	if (*error)
		return NULL;
	i = cache_find(&w->cache, CACHE_MADE, key); /* reading may have let it go */
	if (i && i->signature == m->signature && w->now.ns < i->expires.ns) {
		i->checked = w->now;
	} else {
		struct cache_item fresh = {
			.entity = list_entity(w, m, gzip),
			.checked = w->now,
			.expires = { w->now.ns + REMADE_NS },
			.signature = m->signature,
			.newest_end = reaches(m),
		};
		i = fresh.entity ? cache_put(&w->cache, CACHE_MADE, key, &fresh) : NULL;
	}
	made_fini(m);
	if (!i)
		*error = -ENOMEM;
	return i;
}

static void
send_list(struct request *r, const struct catalogue_station *s, const struct timed *t, const struct time_span *span)
{
	struct worker *w = r->worker;
	struct made m = { .station = s, .rendition = r->names.rendition, .span = *span };
	bool gzip = r->accept_encoding && http_accepts_gzip(r->accept_encoding);
	char memory[128], key[KEY_SIZE];
	struct text query;
	int error = 0;

	text_init_fixed(&query, memory, sizeof memory);
	time_span_query(&query, span, s->T);
	snprintf(key, sizeof key, "%s/%s/index.m3u8?%s%s%s", s->name, m.rendition, query.data, t->skip ? " skip" : "",
	    gzip ? " gzip" : "");
	struct cache_item *i = timed_list(w, &m, key, t->skip, gzip, &error);
	if (!i && error == -ENOENT)
		fail_empty(r, s, span);
	else if (!i)
		request_failed_open(r, error);
	else if (!playlist_refuse_stale(r, s, i->newest_end, span->kind == TIME_DELAY))
		request_send(r, i->entity);
}

/* What is older than this is on no disk any more, or may go at any moment: hour files stay max_span longer than they
 * are advertised, so that a list which began when it was still advertised goes on to its end. */
static bool
is_beyond(const struct worker *w, const struct catalogue_station *s, const struct time_span *span)
{
	if (span->kind == TIME_DELAY) /* it does not grow old */
		return span->delay_s * NS_PER_S > s->retention_ns;
	return layout_grid(span->first, s->T).ns < w->wall.ns - s->retention_ns - s->max_span_ns;
}

void
timed_media(struct request *r, const struct catalogue_station *s, const struct timed *t)
{
	struct time_span span;

	if (time_canonical(&t->request, s->T, s->max_span_ns, &span) && !is_beyond(r->worker, s, &span))
		send_list(r, s, t, &span);
	else if (resolve(r, s, t, &span))
		send_variants(r, s, &span, r->names.rendition);
}
