/* A line: runs that carry the same encoded frames, as one sequence of slots. */
#include "segmenter/merge/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define FRAMES_LEAST 64

int64_t
line_ns(int64_t position, uint32_t rate)
{
	return position < 0 ? -samples_to_ns((uint64_t)-position, rate) : samples_to_ns((uint64_t)position, rate);
}

static struct line_slot *
slot(const struct line *l, int64_t index)
{
	return &l->slots[(uint64_t)index & (l->slot_size - 1)];
}

static struct frame *
frame(const struct line *l, int64_t index)
{
	return &l->frames[(uint64_t)index & (l->frame_size - 1)];
}

int
line_init(struct line *l, const struct audio_format *format, int64_t patience_ns, uint32_t samples)
{
	int64_t each = samples_to_ns(samples, format->rate);

	*l = (struct line){ .used = true,
		.format = *format,
		.samples = samples,
		.slot_size = LINE_HISTORY,
		.frame_size = FRAMES_LEAST };
	l->lag = each > 0 ? 2 * patience_ns / each + 1 : LINE_LAG_MAX;
	if (l->lag > LINE_LAG_MAX)
		l->lag = LINE_LAG_MAX;
	l->slots = calloc(l->slot_size, sizeof(*l->slots));
	l->frames = calloc(l->frame_size, sizeof(*l->frames));
	l->window = calloc(1, sizeof(*l->window));
	if (l->slots && l->frames && l->window)
		return 0;
	line_fini(l);
	return -1;
}

void
line_fini(struct line *l)
{
	if (l->slots)
		line_pass(l, l->end);
	free(l->slots);
	free(l->frames);
	free(l->window);
	*l = (struct line){ 0 };
}

struct line_slot *
line_at(const struct line *l, int64_t index)
{
	if (index < l->low || index >= l->end || slot(l, index)->runs == 0)
		return NULL;
	return slot(l, index);
}

struct wall
line_stamp(const struct line_slot *s, const struct run *runs, uint32_t rate)
{
	int64_t offset = s->run == LINE_NO_RUN ? 0 : runs[s->run].offset_ns;

	return (struct wall){ s->base_ns + offset + line_ns(s->position, rate) };
}

/* ---- room */

static uint32_t
power_of_two(uint64_t n, uint32_t least)
{
	uint32_t size = least;

	while (size < n)
		size *= 2;
	return size;
}

static int
slots_resize(struct line *l, uint32_t size)
{
	struct line_slot *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -1;
	int64_t low = l->end - (int64_t)size;
	if (low < l->low)
		low = l->low;
	for (int64_t i = low; i < l->end; i++)
		slots[(uint64_t)i & (size - 1)] = *slot(l, i);
	free(l->slots);
	l->slots = slots;
	l->slot_size = size;
	l->low = low;
	return 0;
}

static int
frames_resize(struct line *l, uint32_t size)
{
	struct frame *frames = calloc(size, sizeof(*frames));

	if (!frames)
		return -1;
	for (int64_t i = l->front; i < l->end; i++)
		if (slot(l, i)->held)
			frames[(uint64_t)i & (size - 1)] = *frame(l, i);
	free(l->frames);
	l->frames = frames;
	l->frame_size = size;
	return 0;
}

/* Give back what a burst needed once it has passed. */
static void
shrink(struct line *l)
{
	uint64_t span = (uint64_t)(l->end - l->front);

	if (l->frame_size > FRAMES_LEAST && span * 8 < l->frame_size)
		frames_resize(l, power_of_two(span * 2, FRAMES_LEAST));
	if (l->slot_size > LINE_HISTORY && (span + LINE_HISTORY) * 4 < l->slot_size)
		slots_resize(l, power_of_two(span + LINE_HISTORY, LINE_HISTORY));
}

/* Room for frames [first, end) in hand, and what is remembered behind them. */
static int
room(struct line *l, int64_t first, int64_t end)
{
	int64_t span = end - first;

	if (span > LINE_HELD_MAX)
		return -1;
	if (span > l->frame_size && frames_resize(l, power_of_two((uint64_t)span, FRAMES_LEAST)) < 0)
		return -1;
	uint32_t slots = power_of_two((uint64_t)span + LINE_HISTORY, LINE_HISTORY);
	if (span > LINE_HISTORY / 2 && slots > l->slot_size && slots_resize(l, slots) < 0)
		return -1;
	return 0;
}

/* Slots up to `end` are remembered, empty as yet. */
static void
extend(struct line *l, int64_t end)
{
	if (end - l->end > (int64_t)l->slot_size)
		l->end = end - (int64_t)l->slot_size;
	for (; l->end < end; l->end++)
		*slot(l, l->end) = (struct line_slot){ 0 };
	if (l->low < end - (int64_t)l->slot_size)
		l->low = end - (int64_t)l->slot_size;
}

/* ---- what comes in */

static void
begin(struct line *l, int64_t index)
{
	l->begun = true;
	l->end = l->front = index;
	l->low = l->taken = l->seen = index - LINE_HISTORY / 2; /* what is older may still come, out of order */
	for (int64_t i = l->low; i < l->end; i++)
		*slot(l, i) = (struct line_slot){ 0 };
}

/* The slot is one more that is held. */
static int
hold(struct line *l, int64_t index, const struct frame *f)
{
	int64_t first = l->held == 0 || index < l->front ? index : l->front;
	int64_t end = index >= l->end ? index + 1 : l->end;

	if (room(l, first, end) < 0)
		return -1;
	extend(l, end);
	l->front = first;
	*frame(l, index) = *f;
	slot(l, index)->held = true;
	l->held++;
	return 0;
}

enum line_result
line_push(
    struct line *l, const struct run *runs, unsigned run, const struct frame *f, uint64_t hash, uint32_t *supplied)
{
	const struct run *r = &runs[run];
	int64_t index = (int64_t)f->index + r->shift;
	int64_t base = f->wall.ns - samples_to_ns(f->position, r->head.format.rate);

	*supplied = 0;
	if (!l->begun)
		begin(l, index);
	if (index < l->low)
		return LINE_COPY;
	struct line_slot *s = line_at(l, index);
	if (s) {
		*supplied = s->runs;
		if (s->runs >> run & 1)
			return LINE_COPY;
		if (s->hash != hash)
			return LINE_MISMATCH;
		s->runs |= UINT32_C(1) << run;
		if (index >= r->from && (s->run == LINE_NO_RUN || run_before(r, &runs[s->run]))) {
			s->run = (uint8_t)run;
			s->base_ns = base;
		}
		return LINE_TWIN;
	}
	if (index < r->from)
		return LINE_EARLY;
	bool late = index < l->taken;
	if (late && index >= l->end)
		extend(l, index + 1);
	if (!late && hold(l, index, f) < 0)
		return LINE_FULL;
	s = slot(l, index);
	s->hash = hash;
	s->base_ns = base;
	s->position = (int64_t)f->position + r->samples_shift;
	s->runs = UINT32_C(1) << run;
	s->run = (uint8_t)run;
	return late ? LINE_LATE : LINE_TAKEN;
}

/* ---- the mapping */

/* Look at the slot `l->mapped`. */
static void
map_slot(struct line *l, struct run *runs)
{
	const struct line_slot *s = line_at(l, l->mapped);

	if (!s || s->run == LINE_NO_RUN)
		return;
	struct run *r = &runs[s->run];
	if (s->run != l->leader) {
		bool leader_gone = l->leader == LINE_NO_RUN || l->mapped - l->leader_last > l->lag;
		if (!leader_gone)
			return;
		r->offset_ns = l->base_ns - s->base_ns;
		l->leader = s->run;
	}
	l->base_ns = s->base_ns + r->offset_ns;
	l->leader_last = l->mapped;
}

/* The first slot says it, until the first that lies `lag` back does. */
static void
map_begin(struct line *l, const struct run *runs)
{
	int64_t first = l->low;

	while (!line_at(l, first))
		first++;
	const struct line_slot *s = line_at(l, first);
	l->mapped_any = true;
	l->leader = s->run;
	l->base_ns = s->base_ns + (s->run == LINE_NO_RUN ? 0 : runs[s->run].offset_ns);
	l->mapped = l->leader_last = l->first = first;
	l->first_ns = l->base_ns;
}

struct wall
line_wall(struct line *l, struct run *runs, int64_t index)
{
	const struct line_slot *s = line_at(l, index);

	CHECK(s);
	if (!l->mapped_any)
		map_begin(l, runs);
	if (l->mapped < l->low)
		l->mapped = l->low;
	for (; l->mapped <= index - l->lag; l->mapped++) {
		map_slot(l, runs);
		slot(l, l->mapped)->mapped_ns = l->base_ns;
	}
	int64_t base = l->base_ns, at = index - l->lag;
	if (at < l->first)
		base = l->first_ns;
	else if (at >= l->low)
		base = slot(l, at)->mapped_ns; /* a later slot may have been asked for before */
	return (struct wall){ base + line_ns(s->position, l->format.rate) };
}

/* ---- what goes out */

const struct frame *
line_frame(const struct line *l, int64_t index)
{
	return index >= l->front && index < l->end && slot(l, index)->held ? frame(l, index) : NULL;
}

/* `front` is the first that is held. */
static void
find_front(struct line *l)
{
	while (l->front < l->end && !(l->held && slot(l, l->front)->held))
		l->front++;
}

struct frame
line_take(struct line *l, struct run *runs, int64_t index)
{
	CHECK(line_frame(l, index));
	struct wall at = line_wall(l, runs, index);
	line_pass(l, index);
	struct frame f = *frame(l, index);
	slot(l, index)->held = false;
	l->held--;
	l->taken = index + 1;
	find_front(l);
	f.wall = at;
	return f;
}

uint32_t
line_pass(struct line *l, int64_t index)
{
	uint32_t released = 0;

	while (l->held && l->front < index) {
		struct frame f = *frame(l, l->front);
		slot(l, l->front)->held = false;
		l->held--;
		released++;
		frame_release(&f);
		find_front(l);
	}
	if (l->taken < index)
		l->taken = index;
	shrink(l);
	return released;
}

void
line_leave(struct line *l, unsigned run)
{
	l->members &= ~(UINT32_C(1) << run);
	for (int64_t i = l->low; i < l->end; i++) {
		struct line_slot *s = slot(l, i);
		if (s->runs && s->run == run)
			s->run = LINE_NO_RUN;
		/* a slot that only it supplied stays supplied: by nobody who is here */
		if (s->runs & ~(UINT32_C(1) << run))
			s->runs &= ~(UINT32_C(1) << run);
	}
	if (l->leader == run)
		l->leader = LINE_NO_RUN;
}

uint32_t
line_absorb(struct line *l, struct line *from, int64_t d, int64_t samples, int64_t since)
{
	for (int64_t i = from->low; i < from->end; i++) {
		struct line_slot *s = slot(from, i), *to = line_at(l, i + d);
		int64_t index = i + d;
		if (s->runs == 0)
			continue;
		if (to) {
			to->runs |= to->hash == s->hash ? s->runs : 0;
			continue;
		}
		if (index < since || index < l->taken || !s->held || hold(l, index, frame(from, i)) < 0)
			continue;
		s->held = false;
		from->held--;
		to = slot(l, index);
		to->hash = s->hash;
		to->base_ns = s->base_ns;
		to->position = s->position + samples;
		to->runs = s->runs;
		to->run = s->run;
	}
	find_front(from);
	return line_pass(from, from->end);
}
