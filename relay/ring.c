/* The ring: a list of packets in the order of arrival, each also in its account's list and in its bucket. */
#include "relay/ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define STRETCH_PACKETS 256
#define FRAME_HEAD 2                   /* RFC 4571: the length before each packet */
#define ALLOCATION 16                  /* what malloc adds, at most */
#define NAMELESS_PASSES (2 * NS_PER_S) /* so long a source may be without a name and still passes filters */

/* Packets in a row with the newest wall time among them, so that a search need not look at each. */
struct ring_stretch {
	struct packet *first;
	struct ring_stretch *before, *after;
	int64_t newest_wall;
	uint64_t at; /* bytes that came in before it */
	unsigned count;
};

struct packet {
	struct packet *before, *after; /* of all, in the order of arrival */
	struct packet *account_after;  /* of its account */
	struct packet *bucket_after;   /* in its bucket */
	struct source *source;
	struct account *account;
	struct ring_stretch *stretch;
	uint64_t index;
	int64_t wall;
	struct mono arrival;
	uint32_t cursors; /* readers whose next it is */
	uint16_t len;
	uint8_t bytes[];
};

static size_t
cost_of(size_t len)
{
	return sizeof(struct packet) + len + ALLOCATION;
}

static size_t
intro_cost(size_t len)
{
	return sizeof(struct packet_copy) + len + ALLOCATION;
}

#define SOURCE_COST (sizeof(struct source) + ALLOCATION)
#define STRETCH_COST (sizeof(struct ring_stretch) + ALLOCATION)

/* ---- copies */

static struct packet **
bucket_of(const struct ring *r, uint32_t ssrc, uint64_t index)
{
	uint64_t h = (index ^ r->seed) * UINT64_C(0x9E3779B97F4A7C15);

	h = (h ^ h >> 32 ^ ssrc) * UINT64_C(0xD6E8FEB86659FD93);
	return &r->buckets[(h ^ h >> 32) & r->bucket_mask];
}

static bool
is_copy(const struct ring *r, uint32_t ssrc, uint64_t index)
{
	const struct packet *p = *bucket_of(r, ssrc, index);

	while (p && (p->index != index || p->source->ssrc != ssrc))
		p = p->bucket_after;
	return p != NULL;
}

/* ---- stretches */

/* The stretch that the next packet belongs to, a new one if need be; NULL without memory. */
static struct ring_stretch *
open_stretch(struct ring *r)
{
	struct ring_stretch *s = r->last_stretch;

	if (s && s->count < STRETCH_PACKETS)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->newest_wall = INT64_MIN;
	s->at = r->appended;
	s->before = r->last_stretch;
	*(s->before ? &s->before->after : &r->first_stretch) = s;
	r->last_stretch = s;
	r->counters.bytes += STRETCH_COST;
	return s;
}

static void
free_stretch(struct ring *r, struct ring_stretch *s)
{
	*(s->before ? &s->before->after : &r->first_stretch) = s->after;
	*(s->after ? &s->after->before : &r->last_stretch) = s->before;
	r->counters.bytes -= STRETCH_COST;
	free(s);
}

static void
leave_stretch(struct ring *r, struct packet *p)
{
	struct ring_stretch *s = p->stretch;

	if (s->first != p)
		return;
	s->first = p->after && p->after->stretch == s ? p->after : NULL;
	if (!s->first)
		free_stretch(r, s);
}

/* ---- leaving */

static void
overrun_readers(struct ring *r, const struct packet *p)
{
	for (struct ring_reader *reader = r->readers; reader; reader = reader->other_after) {
		if (reader->next != p)
			continue;
		reader->next = NULL;
		reader->overrun = true;
	}
}

/* A reader begins with packets that are there, so an intro without others is of no use. */
static void
drop_intro(struct ring *r, struct source *source)
{
	if (source->intro)
		r->counters.bytes -= intro_cost(source->intro->len);
	free(source->intro);
	source->intro = NULL;
}

/* Packets leave in the order in which their account got them. */
static void
remove_packet(struct ring *r, struct packet *p)
{
	struct packet **at = bucket_of(r, p->source->ssrc, p->index);

	CHECK(p->account->first == p);
	if (p->cursors > 0)
		overrun_readers(r, p);
	while (*at != p)
		at = &(*at)->bucket_after;
	*at = p->bucket_after;
	leave_stretch(r, p);
	*(p->before ? &p->before->after : &r->first) = p->after;
	*(p->after ? &p->after->before : &r->last) = p->before;
	p->account->first = p->account_after;
	if (!p->account->first)
		p->account->last = NULL;
	p->account->bytes -= cost_of(p->len);
	r->counters.bytes -= cost_of(p->len);
	r->counters.packets--;
	if (--p->source->packets == 0) {
		r->counters.bytes -= SOURCE_COST;
		drop_intro(r, p->source);
		sources_emptied(p->source);
	}
	free(p);
}

/* An account's list is in the order of arrival too, so the oldest of all is the first of its account. */
void
ring_expire(struct ring *r, struct mono now)
{
	while (r->first && now.ns - r->first->arrival.ns > r->history_ns) {
		remove_packet(r, r->first);
		r->counters.aged++;
	}
}

static struct account *
largest_account(struct ring *r)
{
	struct account *largest = &r->fresh;

	for (struct sender *d = r->sources->oldest; d; d = d->newer)
		if (d->account.bytes > largest->bytes)
			largest = &d->account;
	return largest;
}

/* Make room for `need` bytes. */
static void
evict(struct ring *r, size_t need)
{
	while (r->first && r->counters.bytes + need > r->memory) {
		remove_packet(r, largest_account(r)->first);
		r->counters.evicted++;
	}
}

/* The same, without losing the source: what makes room may be its last packet. */
static void
make_room(struct ring *r, struct source *source, size_t need)
{
	bool had = source->packets > 0;

	source->packets++;
	evict(r, need);
	if (--source->packets > 0 || !had)
		return;
	r->counters.bytes -= SOURCE_COST;
	drop_intro(r, source);
}

/* ---- coming in */

/* Readers that had read everything have this one to read. */
static void
wake_readers(struct ring *r, struct packet *p)
{
	for (struct ring_reader *reader = r->waiting; reader; reader = reader->next_waiting) {
		reader->next = p;
		reader->waiting = false;
		p->cursors++;
	}
	r->waiting = NULL;
}

static void
append(struct ring *r, struct packet *p)
{
	struct packet **bucket = bucket_of(r, p->source->ssrc, p->index);

	p->bucket_after = *bucket;
	*bucket = p;
	p->before = r->last;
	*(r->last ? &r->last->after : &r->first) = p;
	r->last = p;
	*(p->account->last ? &p->account->last->account_after : &p->account->first) = p;
	p->account->last = p;
	p->account->bytes += cost_of(p->len);
	if (!p->stretch->first)
		p->stretch->first = p;
	p->stretch->count++;
	if (p->wall > p->stretch->newest_wall)
		p->stretch->newest_wall = p->wall;
	if (p->source->packets++ == 0)
		r->counters.bytes += SOURCE_COST;
	r->counters.bytes += cost_of(p->len);
	r->counters.packets++;
	r->appended += p->len + FRAME_HEAD;
}

/* Remember it for readers to come; without memory there is none until the next. */
static void
keep_intro(struct ring *r, struct source *source, const struct ring_arrival *a)
{
	drop_intro(r, source);
	source->intro = malloc(sizeof *source->intro + a->len);
	if (!source->intro)
		return;
	source->intro->len = a->len;
	memcpy(source->intro->bytes, a->bytes, a->len);
	r->counters.bytes += intro_cost(a->len);
}

enum ring_result
ring_add(struct ring *r, struct sender *sender, struct source *source, const struct ring_arrival *a, struct mono now)
{
	CHECK(a->len <= RING_PACKET_MOST);
	if (is_copy(r, source->ssrc, a->index))
		return RING_COPY;
	make_room(r, source, cost_of(a->len) + SOURCE_COST + STRETCH_COST + (a->intro ? intro_cost(a->len) : 0));
	struct packet *p = malloc(sizeof *p + a->len);
	struct ring_stretch *stretch = p ? open_stretch(r) : NULL;
	if (!stretch) {
		free(p);
		return RING_NO_MEMORY;
	}
	*p = (struct packet){ .source = source,
		.account = source->established ? &sender->account : &r->fresh,
		.stretch = stretch,
		.index = a->index,
		.wall = a->wall,
		.arrival = now,
		.len = a->len };
	memcpy(p->bytes, a->bytes, a->len);
	append(r, p);
	if (a->wall > source->last_wall)
		source->last_wall = a->wall;
	if (a->intro)
		keep_intro(r, source, a);
	wake_readers(r, p);
	return RING_TAKEN;
}

/* ---- readers */

static bool
is_listed(const struct ring_filter *f, uint64_t mid)
{
	unsigned low = 0, high = f->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (f->mids[middle] == mid)
			return true;
		if (f->mids[middle] < mid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* A source whose first packet was lost has no name until its next intro; what comes before that must not be lost to
 * those who want it. */
static bool
is_wanted(const struct ring_filter *f, const struct source *s, struct mono arrival)
{
	if (f->count == 0 || s->collided)
		return true;
	if (s->mid == 0)
		return arrival.ns - s->began.ns < NAMELESS_PASSES;
	return is_listed(f, s->mid);
}

/* The first packet at or after `since`, or NULL. */
static struct packet *
find_since(const struct ring *r, int64_t since)
{
	for (struct ring_stretch *s = r->first_stretch; s; s = s->after) {
		if (s->newest_wall < since)
			continue;
		for (struct packet *p = s->first; p && p->stretch == s; p = p->after)
			if (p->wall >= since)
				return p;
	}
	return NULL;
}

static size_t
write_framed(uint8_t *out, const uint8_t *bytes, uint16_t len)
{
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	memcpy(out + FRAME_HEAD, bytes, len);
	return FRAME_HEAD + (size_t)len;
}

static bool
needs_intro(const struct ring_reader *reader, const struct source *s, int64_t since)
{
	if (!s->intro || s->packets == 0 || !is_wanted(&reader->filter, s, s->heard))
		return false;
	return since == RING_LIVE ? s->live : s->last_wall >= since;
}

/* The intros that a reader gets first count as memory of the ring until they are sent: the next packet makes room. */
static void
drop_reader_intro(struct ring *r, struct ring_reader *reader)
{
	if (reader->intro)
		r->counters.bytes -= reader->intro_size;
	free(reader->intro);
	reader->intro = NULL;
	reader->intro_at = reader->intro_len = reader->intro_size = 0;
}

/* 0, or -1 without memory. */
static int
collect_intros(struct ring *r, struct ring_reader *reader, int64_t since)
{
	size_t len = 0;

	for (struct source *s = sources_next(r->sources, NULL); s; s = sources_next(r->sources, s))
		if (needs_intro(reader, s, since))
			len += FRAME_HEAD + (size_t)s->intro->len;
	if (len == 0)
		return 0;
	if (r->counters.bytes + len > r->memory + r->memory / 2)
		return -1;
	reader->intro = malloc(len);
	if (!reader->intro)
		return -1;
	reader->intro_size = len;
	r->counters.bytes += len;
	for (struct source *s = sources_next(r->sources, NULL); s; s = sources_next(r->sources, s))
		if (needs_intro(reader, s, since))
			reader->intro_len +=
			    write_framed(reader->intro + reader->intro_len, s->intro->bytes, s->intro->len);
	return 0;
}

static void
wait_for_more(struct ring *r, struct ring_reader *reader)
{
	reader->live = true;
	if (reader->waiting)
		return;
	reader->waiting = true;
	reader->next_waiting = r->waiting;
	r->waiting = reader;
}

int
ring_reader_begin(struct ring *r, struct ring_reader *reader, int64_t since, const struct ring_filter *filter)
{
	*reader = (struct ring_reader){ .filter = *filter };
	if (collect_intros(r, reader, since))
		return -1;
	reader->other_after = r->readers;
	if (r->readers)
		r->readers->other_before = reader;
	r->readers = reader;
	reader->next = since == RING_LIVE ? NULL : find_since(r, since);
	if (reader->next)
		reader->next->cursors++;
	else
		wait_for_more(r, reader);
	return 0;
}

void
ring_reader_end(struct ring *r, struct ring_reader *reader)
{
	if (reader->next)
		reader->next->cursors--;
	for (struct ring_reader **at = &r->waiting; *at; at = &(*at)->next_waiting) {
		if (*at == reader) {
			*at = reader->next_waiting;
			break;
		}
	}
	*(reader->other_before ? &reader->other_before->other_after : &r->readers) = reader->other_after;
	if (reader->other_after)
		reader->other_after->other_before = reader->other_before;
	drop_reader_intro(r, reader);
	*reader = (struct ring_reader){ 0 };
}

/* Intros that fit, whole ones. */
static size_t
read_intros(struct ring *r, struct ring_reader *reader, uint8_t *out, size_t size)
{
	size_t n = 0;

	while (reader->intro_at + n < reader->intro_len) {
		const uint8_t *head = reader->intro + reader->intro_at + n;
		size_t len = FRAME_HEAD + ((size_t)head[0] << 8 | head[1]);
		if (n + len > size)
			break;
		n += len;
	}
	memcpy(out, reader->intro + reader->intro_at, n);
	reader->intro_at += n;
	if (reader->intro_at == reader->intro_len)
		drop_reader_intro(r, reader);
	return n;
}

size_t
ring_read(struct ring *r, struct ring_reader *reader, uint8_t *out, size_t size)
{
	size_t n = reader->intro ? read_intros(r, reader, out, size) : 0;
	struct packet *p = reader->next;

	if (reader->intro || reader->overrun)
		return n;
	if (p)
		p->cursors--;
	while (p && n + FRAME_HEAD + p->len <= size) {
		if (is_wanted(&reader->filter, p->source, p->arrival))
			n += write_framed(out + n, p->bytes, p->len);
		p = p->after;
	}
	reader->next = p;
	if (p)
		p->cursors++;
	else
		wait_for_more(r, reader);
	return n;
}

uint64_t
ring_reader_behind(const struct ring *r, const struct ring_reader *reader)
{
	return reader->next ? r->appended - reader->next->stretch->at : 0;
}

bool
ring_oldest_wall(const struct ring *r, int64_t *wall)
{
	if (!r->first)
		return false;
	*wall = r->first->wall;
	return true;
}

/* ---- beginning and end */

int
ring_init(struct ring *r, const struct sources *sources, int64_t history_ns, size_t memory, uint64_t seed)
{
	uint64_t buckets = 1024;

	while (buckets < memory / 512)
		buckets *= 2;
	*r = (struct ring){
		.history_ns = history_ns, .memory = memory, .sources = sources, .bucket_mask = buckets - 1, .seed = seed
	};
	r->buckets = calloc(buckets, sizeof *r->buckets);
	r->counters.bytes = buckets * sizeof *r->buckets;
	return r->buckets ? 0 : -1;
}

void
ring_fini(struct ring *r)
{
	CHECK(r->readers == NULL);
	while (r->first)
		remove_packet(r, r->first);
	free(r->buckets);
	r->buckets = NULL;
}
