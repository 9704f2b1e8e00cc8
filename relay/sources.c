/* Tables of senders and sources. */
#include "relay/sources.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/log.h"

/* ---- lists, silent longest first */

static void
list_remove(struct source_list *l, struct source *s)
{
	*(s->older ? &s->older->newer : &l->first) = s->newer;
	*(s->newer ? &s->newer->older : &l->last) = s->older;
	s->older = s->newer = NULL;
}

static void
list_append(struct source_list *l, struct source *s)
{
	s->newer = NULL;
	s->older = l->last;
	*(l->last ? &l->last->newer : &l->first) = s;
	l->last = s;
}

static struct source_list *
list_of(struct source *s)
{
	return s->established ? &s->sender->established : &s->sender->fresh;
}

static void
senders_remove(struct sources *s, struct sender *d)
{
	*(d->older ? &d->older->newer : &s->oldest) = d->newer;
	*(d->newer ? &d->newer->older : &s->newest) = d->older;
	d->older = d->newer = NULL;
}

static void
senders_append(struct sources *s, struct sender *d)
{
	d->newer = NULL;
	d->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = d;
	s->newest = d;
}

/* ---- buckets */

static struct source **
source_bucket(const struct sources *s, uint32_t ssrc)
{
	uint64_t h = (ssrc ^ s->seed) * UINT64_C(0x9E3779B97F4A7C15);

	return &s->source_buckets[(h ^ s->seed) >> 32 & s->source_mask];
}

static struct sender **
sender_bucket(const struct sources *s, const struct sender_key *key)
{
	uint64_t h = XXH3_64bits_withSeed(&key->address, sizeof key->address, s->seed);

	return &s->sender_buckets[(h ^ key->kind ^ key->number * 4u) & s->sender_mask];
}

static bool
same_key(const struct sender_key *a, const struct sender_key *b)
{
	return a->kind == b->kind && a->number == b->number && !memcmp(&a->address, &b->address, sizeof a->address);
}

/* At least `n`, a power of two. */
static unsigned
buckets_for(unsigned n)
{
	unsigned size = 16;

	while (size < n)
		size *= 2;
	return size;
}

int
sources_init(struct sources *s, const struct sources_limits *limits, uint64_t seed)
{
	unsigned source_buckets = buckets_for(limits->sources), sender_buckets = buckets_for(limits->senders);

	*s = (struct sources){
		.limits = *limits, .seed = seed, .source_mask = source_buckets - 1, .sender_mask = sender_buckets - 1
	};
	s->source_buckets = calloc(source_buckets, sizeof *s->source_buckets);
	s->sender_buckets = calloc(sender_buckets, sizeof *s->sender_buckets);
	if (s->source_buckets && s->sender_buckets)
		return 0;
	free(s->source_buckets);
	free(s->sender_buckets);
	return -1;
}

/* ---- sources */

static void
source_free(struct source *source)
{
	free(source->name);
	free(source);
}

/* Take it out of the table; it lives on while it has packets. */
static void
source_leave(struct sources *s, struct source *source)
{
	struct source **at = source_bucket(s, source->ssrc);

	while (*at != source)
		at = &(*at)->next;
	*at = source->next;
	list_remove(list_of(source), source);
	source->sender->sources--;
	source->sender->fresh_count -= !source->established;
	source->sender = NULL;
	s->source_count--;
	if (source->packets == 0)
		source_free(source);
}

void
sources_emptied(struct source *source)
{
	if (!source->sender)
		source_free(source);
}

struct source *
sources_find(const struct sources *s, uint32_t ssrc)
{
	struct source *source = *source_bucket(s, ssrc);

	while (source && source->ssrc != ssrc)
		source = source->next;
	return source;
}

static struct source *
victim_of(const struct sender *d, struct mono now)
{
	if (d->fresh.first)
		return d->fresh.first;
	struct source *silent = d->established.first;
	return silent && now.ns - silent->heard.ns >= SOURCE_SILENT ? silent : NULL;
}

static struct sender *
with_most_fresh(const struct sources *s)
{
	struct sender *most = s->oldest;

	for (struct sender *d = most; d; d = d->newer)
		if (d->fresh_count > most->fresh_count)
			most = d;
	return most;
}

/* Give up one source, so that the sender may have another. false: none may go. */
static bool
make_room(struct sources *s, struct sender *d, struct mono now)
{
	struct source *victim;

	if (d->sources >= s->limits.sources_per_sender) {
		victim = victim_of(d, now);
	} else {
		victim = with_most_fresh(s)->fresh.first;
		if (!victim)
			victim = victim_of(d, now);
	}
	if (!victim)
		return false;
	source_leave(s, victim);
	s->pushed_out++;
	return true;
}

struct source *
sources_enter(struct sources *s, struct sender *sender, uint32_t ssrc, struct mono now)
{
	struct source *source = sources_find(s, ssrc);

	if (source)
		return source;
	bool full = sender->sources >= s->limits.sources_per_sender || s->source_count >= s->limits.sources;
	if (full && !make_room(s, sender, now))
		return NULL;
	source = calloc(1, sizeof *source);
	if (!source)
		return NULL;
	source->ssrc = ssrc;
	source->sender = sender;
	source->began = source->heard = now;
	source->last_wall = INT64_MIN;
	struct source **bucket = source_bucket(s, ssrc);
	source->next = *bucket;
	*bucket = source;
	list_append(&sender->fresh, source);
	sender->sources++;
	sender->fresh_count++;
	s->source_count++;
	return source;
}

void
sources_heard(struct sources *s, struct source *source, struct mono now)
{
	(void)s;
	source->received++;
	source->heard = now;
	list_remove(list_of(source), source);
	if (!source->established && source->received >= SOURCE_PACKETS && now.ns - source->began.ns >= SOURCE_AGE) {
		source->established = true;
		source->sender->fresh_count--;
	}
	list_append(list_of(source), source);
}

/* ---- senders */

static struct sender *
find_sender(const struct sources *s, const struct sender_key *key)
{
	struct sender *d = *sender_bucket(s, key);

	while (d && !same_key(&d->key, key))
		d = d->next;
	return d;
}

static void
sender_leave(struct sources *s, struct sender *d)
{
	struct sender **at = sender_bucket(s, &d->key);

	while (d->fresh.first)
		source_leave(s, d->fresh.first);
	while (d->established.first)
		source_leave(s, d->established.first);
	CHECK(d->account.first == NULL);
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	senders_remove(s, d);
	s->sender_count--;
	free(d);
}

static bool
is_stranger(const struct sender *d)
{
	return !d->established.first && !d->account.first && d->open == 0;
}

/* Give up the stranger that was silent longest. */
static bool
make_sender_room(struct sources *s)
{
	struct sender *d = s->oldest;

	while (d && !is_stranger(d))
		d = d->newer;
	if (d)
		sender_leave(s, d);
	return d != NULL;
}

struct sender *
sources_sender(struct sources *s, const struct sender_key *key, struct mono now)
{
	struct sender *d = find_sender(s, key);

	if (d) {
		d->heard = now;
		if (d != s->newest) {
			senders_remove(s, d);
			senders_append(s, d);
		}
		return d;
	}
	if (s->sender_count >= s->limits.senders && !make_sender_room(s))
		return NULL;
	d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	d->key = *key;
	d->heard = d->filled = now;
	d->tokens = s->limits.rate * NS_PER_S;
	struct sender **bucket = sender_bucket(s, key);
	d->next = *bucket;
	*bucket = d;
	senders_append(s, d);
	s->sender_count++;
	return d;
}

/* A second's worth may come at once. */
bool
sources_may_send(struct sources *s, struct sender *d, struct mono now)
{
	int64_t most = s->limits.rate * NS_PER_S, waited = now.ns - d->filled.ns;

	d->filled = now;
	if (waited >= NS_PER_S || d->tokens + waited * s->limits.rate >= most)
		d->tokens = most;
	else
		d->tokens += waited * s->limits.rate;
	if (d->tokens < NS_PER_S)
		return false;
	d->tokens -= NS_PER_S;
	return true;
}

/* ---- looking after them */

static void
sweep_list(struct sources *s, struct source_list *l, struct mono now, void (*ended)(void *, struct source *), void *ctx)
{
	struct source *after;

	for (struct source *source = l->first; source && now.ns - source->heard.ns >= SOURCE_SILENT; source = after) {
		after = source->newer;
		if (source->live)
			ended(ctx, source);
		source->live = false;
		if (source->packets == 0)
			source_leave(s, source);
	}
}

void
sources_sweep(struct sources *s, struct mono now, void (*ended)(void *ctx, struct source *source), void *ctx)
{
	struct sender *after;

	for (struct sender *d = s->oldest; d; d = after) {
		after = d->newer;
		sweep_list(s, &d->fresh, now, ended, ctx);
		sweep_list(s, &d->established, now, ended, ctx);
		if (is_stranger(d) && d->sources == 0 && now.ns - d->heard.ns >= SOURCE_SILENT)
			sender_leave(s, d);
	}
}

struct source *
sources_next(const struct sources *s, const struct source *after)
{
	unsigned bucket = 0;

	if (after && after->next)
		return after->next;
	if (after)
		bucket = (unsigned)(source_bucket(s, after->ssrc) - s->source_buckets) + 1;
	for (; bucket <= s->source_mask; bucket++)
		if (s->source_buckets[bucket])
			return s->source_buckets[bucket];
	return NULL;
}

void
sources_fini(struct sources *s)
{
	while (s->oldest)
		sender_leave(s, s->oldest);
	free(s->source_buckets);
	free(s->sender_buckets);
	s->source_buckets = NULL;
	s->sender_buckets = NULL;
}

/* ---- names */

uint64_t
source_mid_hash(const void *name, size_t len)
{
	uint64_t h = XXH3_64bits(name, len);

	return h ? h : 1;
}
