/* Cut: slots in, segments out. */
#include "segmenter/cut/cut.h"

#include <stdlib.h>

#include "base/log.h"

#define SIX_SECONDS 288 /* frames of AAC at 48 kHz */
#include "media/framer.h"

/* 90 kHz ticks of a wall time, modulo 2^33, rounded to nearest. */
static struct ticks
ticks_of_wall(struct wall w)
{
	int64_t s = w.ns / NS_PER_S, ns = w.ns % NS_PER_S;

	return (struct ticks){ ((uint64_t)s * 90000 + (uint64_t)((ns * 9 + 50000) / 100000)) & TICKS_MASK };
}

static int64_t
offset_of(struct ticks pts, struct wall start)
{
	return (int64_t)((pts.t - ticks_of_wall(start).t) & TICKS_MASK);
}

void
segment_free(struct segment **s)
{
	if (!*s)
		return;
	for (uint32_t i = 0; i < (*s)->count; i++)
		frame_release(&(*s)->frames[i]);
	free((*s)->frames);
	free(*s);
	*s = NULL;
}

struct wall
segment_end(const struct segment *s)
{
	if (s->count == 0)
		return s->start;
	const struct frame *last = &s->frames[s->count - 1];
	return (struct wall){ last->wall.ns + samples_to_ns(last->samples, s->format.rate) };
}

void
cut_init(struct cut *c, struct epoch *epoch, unsigned rendition)
{
	*c = (struct cut){ .epoch = epoch, .rendition = rendition };
}

void
cut_fini(struct cut *c)
{
	segment_free(&c->open);
}

void
cut_resume(struct cut *c, struct ticks anchor, uint64_t sample, uint64_t samples, uint32_t rate, struct wall start,
    bool contiguous)
{
	c->offset = offset_of(ticks_at(anchor, sample, rate), start);
	c->offset_known = true;
	c->anchored = contiguous;
	c->anchor = anchor;
	c->sample = sample + samples;
	c->rate = rate;
}

int64_t
cut_offset(struct ticks anchor, uint64_t sample, uint32_t rate, struct wall start)
{
	return offset_of(ticks_at(anchor, sample, rate), start);
}

void
cut_join(struct cut *c, struct ticks anchor, uint64_t sample, uint64_t samples, uint32_t rate, struct wall start)
{
	c->offset = cut_offset(anchor, sample, rate, start);
	c->offset_known = true;
	c->joined = true;
	c->joined_at.ns = start.ns + samples_to_ns(samples, rate);
	c->joined_anchor = anchor;
	c->joined_sample = sample + samples;
	c->joined_rate = rate;
}

/* Begin on the time line that others are on. */
static bool
cut_anchor_joined(struct cut *c, const struct slot *slot)
{
	const int64_t rate = slot->format->rate, samples = slot->frame.samples;
	bool same = c->joined && samples > 0 && slot->format->rate == c->joined_rate;

	c->joined = false;
	if (!same)
		return false;
	/* frames since then (before it, when audio is laid in from the past), to the nearest: a frame is no whole
	 * number of ns, so numerator and denominator are both multiplied by the rate */
	__int128 since = (__int128)(slot->frame.wall.ns - c->joined_at.ns) * rate, frame = (__int128)samples * NS_PER_S;
	__int128 frames = since >= 0 ? (since + frame / 2) / frame : -((-since + frame / 2) / frame);
	__int128 sample = (__int128)c->joined_sample + frames * samples;
	if (sample < 0 || sample > INT64_MAX)
		return false; /* from before that time line */
	c->anchor = c->joined_anchor;
	c->sample = (uint64_t)sample;
	return true;
}

void
cut_reopen(struct cut *c, struct segment *s)
{
	c->open = s;
	cut_resume(c, s->anchor, s->sample, s->samples, s->format.rate, s->start, true);
}

/* The time line that a segment beginning with this slot is on. */
static void
cut_anchor(struct cut *c, const struct slot *slot, bool new_epoch)
{
	if (new_epoch) {
		c->offset = 0;
		c->joined = false;
	} else if (c->anchored) {
		return;
	} else if (!c->offset_known && !epoch_offset(c->epoch, &c->offset)) {
		c->offset = 0;
	}
	c->offset_known = true;
	if (new_epoch || !cut_anchor_joined(c, slot)) {
		c->anchor.t = (ticks_of_wall(slot->frame.wall).t + (uint64_t)c->offset) & TICKS_MASK;
		c->sample = 0;
	}
	c->rate = slot->format->rate;
	c->anchored = true;
}

static struct segment *
segment_open(struct cut *c, const struct slot *slot)
{
	struct segment *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	bool known = c->offset_known;
	bool new_epoch = epoch_at(c->epoch, slot->msn);
	cut_anchor(c, slot, new_epoch);
	s->msn = slot->msn;
	s->format = *slot->format;
	s->start = slot->frame.wall;
	s->discontinuity = new_epoch && known;
	s->station_sequence = c->epoch->count;
	s->anchor = c->anchor;
	s->sample = c->sample;
	return s;
}

static struct segment *
segment_close(struct cut *c)
{
	struct segment *s = c->open;

	c->open = NULL;
	if (!s)
		return NULL;
	c->offset = offset_of(ticks_at(s->anchor, s->sample, s->format.rate), s->start);
	epoch_report(c->epoch, c->rendition, s->msn, c->offset, s->pending);
	return s;
}

static int
segment_add(struct segment *s, const struct slot *slot)
{
	if (s->count == s->size) {
		uint32_t size = s->size ? s->size * 2 : SIX_SECONDS;
		struct frame *frames = realloc(s->frames, size * sizeof(*frames));
		if (!frames)
			return -1;
		s->frames = frames;
		s->size = size;
	}
	s->frames[s->count++] = slot->frame;
	s->samples += slot->frame.samples;
	s->audio_bytes += slot->frame.len;
	s->fill += slot->frame.fill;
	s->pending |= slot->pending;
	return 0;
}

uint32_t
segment_mend(struct segment *s, const struct segment *next, struct frame_pool *pool)
{
	uint8_t silence[FRAMER_SILENCE_MAX];
	uint32_t len, samples, before = s->count;
	struct frame_chunk *chunk = NULL;

	if (next->msn != s->msn + 1 || next->anchor.t != s->anchor.t || next->gap ||
	    framer_silence(&s->format, silence, &len, &samples) < 0)
		return 0;
	while (s->sample + s->samples < next->sample && segment_end(s).ns < next->start.ns) {
		struct slot slot = { .format = &s->format, .msn = s->msn };
		if (frame_make(pool, &chunk, silence, len, silence, 0, &slot.frame) < 0)
			break;
		slot.frame.samples = samples;
		slot.frame.wall = segment_end(s);
		slot.frame.fill = true;
		if (segment_add(s, &slot) < 0) {
			frame_release(&slot.frame);
			break;
		}
	}
	frame_chunk_release(&chunk);
	return s->count - before;
}

struct segment *
cut_frame(struct cut *c, const struct slot *slot)
{
	struct segment *closed = NULL;

	if (c->open && slot->msn != c->open->msn)
		closed = segment_close(c);
	if (!c->open)
		c->open = segment_open(c, slot);
	if (!c->open || segment_add(c->open, slot) < 0) {
		struct frame f = slot->frame;
		frame_release(&f);
		log_error("frame lost, out of memory");
		return closed;
	}
	c->sample += slot->frame.samples;
	return closed;
}

struct segment *
cut_gap(struct cut *c, const struct slot *slot, struct segment **gap)
{
	struct segment *closed = segment_close(c);

	bool new_epoch = epoch_at(c->epoch, slot->msn);

	c->anchored = false;
	if (new_epoch)
		c->offset = 0; /* its siblings' too, from here */
	epoch_report(c->epoch, c->rendition, slot->msn, -1, slot->pending);
	*gap = calloc(1, sizeof(**gap));
	if (*gap) {
		(*gap)->msn = slot->msn;
		(*gap)->gap = true;
		(*gap)->discontinuity = new_epoch;
	}
	return closed;
}

struct segment *
cut_end(struct cut *c)
{
	return segment_close(c);
}
