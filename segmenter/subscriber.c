/* Frames from [subscribe] to renditions. */
#include "segmenter/subscriber.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

#define AHEAD_MAX 65536
#define MIDS_MAX 8000 /* bytes of a query; a relay reads heads of 32 KiB */

/* One input of one rendition that frames have come for. */
struct owner {
	struct rendition *rendition;
	unsigned input;
	struct owner *next;
};

/* A frame that came ahead of history. */
struct ahead {
	const struct owner *owner;
	struct frame_run run;
	struct frame frame;
};

struct subscriber {
	struct subscriber_context context;
	struct subscribe *subscribe;
	struct text mids;
	struct owner *owners;
	struct frame_chunk *chunk;
	bool history;
	struct ahead *ahead; /* while history comes: what came since the last tick, and what is ahead of it */
	unsigned ahead_count, ahead_size;
	uint64_t dropped;
};

/* ---- renditions */

/* The i-th rendition over all stations, or NULL. */
static struct rendition *
rendition_at(const struct subscriber *s, unsigned i)
{
	for (unsigned k = 0; k < s->context.station_count; k++) {
		if (i < s->context.stations[k].count)
			return &s->context.stations[k].renditions[i];
		i -= s->context.stations[k].count;
	}
	return NULL;
}

/* "fip/hifi" of "fip.hifi". */
static struct rendition *
rendition_of(const struct subscriber *s, const char *mid)
{
	struct rendition *r;
	char name[RTP_MID_MAX + 1];

	snprintf(name, sizeof(name), "%s", mid);
	char *dot = strchr(name, '.');
	if (!dot)
		return NULL;
	*dot = '/';
	for (unsigned i = 0; (r = rendition_at(s, i)); i++)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

static void *
on_begin(void *ctx, const struct rtp_run *run)
{
	struct subscriber *s = ctx;
	struct rendition *r = rendition_of(s, run->mid);
	int input = r ? rendition_input(r, run->rid) : -1;

	if (input < 0) {
		if (r)
			log_warn("too many inputs, one is left out rendition=%s input=%s", r->name, run->rid);
		return NULL;
	}
	for (struct owner *o = s->owners; o; o = o->next)
		if (o->rendition == r && o->input == (unsigned)input)
			return o;
	struct owner *o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	*o = (struct owner){ .rendition = r, .input = (unsigned)input, .next = s->owners };
	s->owners = o;
	return o;
}

/* ---- while history comes
 *
 * A relay begins with the newest packet that introduces a run, and then goes back to where it was asked to begin. Merge
 * would take a run that shows itself in the middle for one that begins a few seconds before. So frames are kept until
 * history has come as far as they are. */

/* False: there is no room. */
static bool
keep(struct subscriber *s, const struct owner *o, const struct frame_run *run, const struct frame *f)
{
	if (s->ahead_count == s->ahead_size) {
		unsigned size = s->ahead_size ? 2 * s->ahead_size : 256;
		struct ahead *more = size <= AHEAD_MAX ? realloc(s->ahead, size * sizeof(*more)) : NULL;
		if (!more)
			return false;
		s->ahead = more;
		s->ahead_size = size;
	}
	s->ahead[s->ahead_count++] = (struct ahead){ .owner = o, .run = *run, .frame = *f };
	return true;
}

static int
by_wall(const void *a, const void *b)
{
	const struct ahead *x = a, *y = b;

	return (x->frame.wall.ns > y->frame.wall.ns) - (x->frame.wall.ns < y->frame.wall.ns);
}

/* What is not ahead of `until` goes on. */
static void
release(struct subscriber *s, struct wall until)
{
	unsigned left = 0;

	qsort(s->ahead, s->ahead_count, sizeof(*s->ahead), by_wall);
	for (unsigned i = 0; i < s->ahead_count; i++) {
		struct ahead *a = &s->ahead[i];
		if (a->frame.wall.ns > until.ns)
			s->ahead[left++] = *a;
		else
			rendition_push(a->owner->rendition, a->owner->input, &a->run, a->frame);
	}
	s->ahead_count = left;
}

static void
on_frame(void *ctx, void *owner, const struct rtp_run *run, const struct rtp_frame *in, unsigned path)
{
	struct subscriber *s = ctx;
	struct owner *o = owner;
	struct frame_run head = { .format = run->format };
	struct frame f;

	_Static_assert(sizeof(head.id) == sizeof(run->id), "one kind of run id");
	memcpy(head.id, run->id, sizeof(head.id));
	if (frame_make(s->context.pool, &s->chunk, in->data, in->len, in->data, 0, &f) < 0) {
		s->dropped++;
		log_error("frame dropped, the memory for frames is used up ([segmenter] memory) rendition=%s",
		    o->rendition->name);
		return;
	}
	f.samples = in->samples;
	f.wall = in->wall;
	f.index = in->index;
	f.position = in->position;
	f.path = (uint8_t)(path + 1 < FRAME_PATHS ? path + 1 : FRAME_PATHS - 1);
	if (!s->history || !keep(s, o, &head, &f))
		rendition_push(o->rendition, o->input, &head, f);
}

/* The oldest that any rendition still has use for. A new rendition has no past. */
static struct wall
on_wanted(void *ctx)
{
	struct subscriber *s = ctx;
	struct wall oldest = { 0 };
	struct rendition *r;

	for (unsigned i = 0; (r = rendition_at(s, i)); i++) {
		struct wall next = rendition_next(r);
		if (next.ns && (!oldest.ns || next.ns < oldest.ns))
			oldest = next;
	}
	return oldest;
}

/* ---- the whole */

/* "&mid=fip.hifi&mid=fip.lofi"; nothing, and so everything, when they are too many for a query. */
static void
mids_make(struct subscriber *s)
{
	struct rendition *r;

	text_init(&s->mids, MIDS_MAX);
	for (unsigned i = 0; (r = rendition_at(s, i)); i++) {
		const char *slash = strchr(r->name, '/');
		text_fmt(&s->mids, "&mid=%.*s.%s", (int)(slash - r->name), r->name, slash + 1);
	}
	if (s->mids.full)
		text_clear(&s->mids);
}

int
subscriber_open(const struct subscriber_context *context, struct subscriber **out, struct text *errors)
{
	struct subscriber *s = calloc(1, sizeof(*s));

	if (!s) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	s->context = *context;
	s->history = true;
	mids_make(s);
	struct subscribe_sink sink = { .begin = on_begin, .frame = on_frame, .wanted = on_wanted, .ctx = s };
	const char *mids = s->mids.data && !s->mids.full ? s->mids.data : "";
	if (subscribe_open(context->loop, config_next(context->config, "subscribe", NULL), mids, &sink, &s->subscribe,
		errors) < 0) {
		subscriber_close(&s);
		return -1;
	}
	*out = s;
	return 0;
}

void
subscriber_close(struct subscriber **sp)
{
	struct subscriber *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	subscribe_close(&s->subscribe);
	for (unsigned i = 0; i < s->ahead_count; i++)
		frame_release(&s->ahead[i].frame);
	free(s->ahead);
	frame_chunk_release(&s->chunk);
	for (struct owner *o = s->owners, *next; o; o = next) {
		next = o->next;
		free(o);
	}
	text_fini(&s->mids);
	free(s);
}

bool
subscriber_tick(struct subscriber *s, struct mono now, struct wall wall, bool full)
{
	struct wall frontier = wall;
	struct rendition *r;

	subscribe_tick(s->subscribe, now, wall, full);
	if (!s->history)
		return false;
	s->history = subscribe_history(s->subscribe, &frontier);
	if (s->ahead_count > 0)
		release(s, (struct wall){ s->history ? frontier.ns + SUBSCRIBE_MARGIN : INT64_MAX });
	for (unsigned i = 0; (r = rendition_at(s, i)); i++)
		rendition_history(r, s->history, frontier);
	return s->history;
}

struct subscribe *
subscriber_subscribe(const struct subscriber *s)
{
	return s->subscribe;
}

uint64_t
subscriber_dropped(const struct subscriber *s)
{
	return s->dropped;
}
