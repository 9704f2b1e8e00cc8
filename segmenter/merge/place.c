/* Which lines have a frame in place for the next slot of the output. */
#include "segmenter/merge/place.h"

#include "rewind/layout.h"

#define BOUNDARY_LOOK 4 /* frames: phases differ by less than one */

struct wall
place_next(const struct merge *m)
{
	return m->next;
}

int64_t
place_half(const struct merge *m)
{
	return m->slot_ns / 2;
}

bool
place_at_boundary(const struct merge *m)
{
	return m->gap || layout_msn(m->next, m->slot_ns, m->config.T) > m->msn;
}

const struct frame *
place_front(struct merge *m, unsigned line, struct wall *at)
{
	struct line *l = &m->twins.lines[line];

	if (!l->used || l->held == 0)
		return NULL;
	*at = line_wall(l, m->twins.runs, l->front);
	return line_frame(l, l->front);
}

bool
place_begins_segment(const struct merge *m, const struct line *l, const struct frame *f, struct wall at)
{
	int64_t duration = samples_to_ns(f->samples, l->format.rate);
	/* times of frames are rounded to nanoseconds: at half a frame before a grid line one decides */
	struct wall before = { at.ns - duration - 1 };

	return layout_msn(at, duration, m->config.T) != layout_msn(before, duration, m->config.T);
}

uint64_t
place_msn(const struct merge *m, const struct line *l, const struct frame *f, struct wall at)
{
	return layout_msn(at, samples_to_ns(f->samples, l->format.rate), m->config.T);
}

/* The number of the segment that the next slot belongs to. */
static uint64_t
next_msn(const struct merge *m)
{
	if (m->gap)
		return m->msn + 1;
	uint64_t msn = layout_msn(m->next, m->slot_ns, m->config.T);
	return msn > m->msn ? msn : m->msn;
}

unsigned
place_inputs(const struct merge *m, unsigned line, int64_t index)
{
	const struct line_slot *s = line_at(&m->twins.lines[line], index);
	unsigned inputs = 0;

	for (uint32_t i = 0, runs = s ? s->runs : 0; runs; i++, runs >>= 1)
		if ((runs & 1) && m->twins.runs[i].used)
			inputs |= 1u << m->twins.runs[i].input;
	return inputs;
}

/* Is the frame over: neither for this slot nor for one that comes? */
static bool
is_over(const struct merge *m, const struct line *l, const struct frame *f, struct wall at)
{
	int64_t half = samples_to_ns(f->samples, l->format.rate) / 2;

	if (m->format.rate == l->format.rate)
		half = place_half(m);
	if (at.ns >= place_next(m).ns - half)
		return false;
	return !(m->hole && place_at_boundary(m) && place_msn(m, l, f, at) == next_msn(m) &&
		 place_begins_segment(m, l, f, at));
}

void
place_pass(struct merge *m)
{
	for (unsigned i = 0; i < m->twins.end; i++) {
		struct line *l = &m->twins.lines[i];
		const struct frame *f;
		struct wall at;
		if (!l->used)
			continue;
		while ((f = place_front(m, i, &at))) {
			if (i == m->twins.on_air && !m->hole && l->front <= m->air_next)
				break; /* it follows on the frame before, whatever its time */
			if (!is_over(m, l, f, at))
				break;
			if (!m->air_inputs || place_inputs(m, i, l->front) & m->air_inputs)
				m->counters.late_frames++;
			else
				m->counters.spare_frames++;
			line_pass(l, l->front + 1);
		}
	}
}

struct choice
place_choice(const struct merge *m, unsigned line, int64_t index, unsigned inputs)
{
	const struct line_slot *s = line_at(&m->twins.lines[line], index);
	struct choice best = { .run = NULL };

	for (uint32_t i = 0, runs = s->runs; runs; i++, runs >>= 1) {
		const struct run *r = &m->twins.runs[i];
		if (!(runs & 1) || !r->used || (inputs && !(inputs >> r->input & 1)))
			continue;
		const struct merge_input *in = &m->inputs[r->input];
		struct choice c = { { m->chosen == r->input, in->priority, in->name }, r };
		if (!best.run || choice_compare(&c, &best) < 0)
			best = c;
	}
	return best;
}

/* Is the frame the first of a run of one of these inputs? */
static bool
begins_run(const struct merge *m, unsigned line, int64_t index, unsigned inputs)
{
	const struct line_slot *s = line_at(&m->twins.lines[line], index);

	for (uint32_t i = 0, runs = s->runs; runs; i++, runs >>= 1) {
		const struct run *r = &m->twins.runs[i];
		if ((runs & 1) && r->used && inputs >> r->input & 1 && index == r->shift)
			return true;
	}
	return false;
}

/* The frame of a line that begins the segment that the slot begins: the first in hand that is not of the one before. */
static bool
begins_here(struct merge *m, struct line *l, int64_t *index)
{
	for (int64_t i = l->front; i < l->end && i < l->front + BOUNDARY_LOOK; i++) {
		const struct frame *f = line_frame(l, i);
		if (!f)
			continue;
		struct wall at = line_wall(l, m->twins.runs, i);
		uint64_t msn = place_msn(m, l, f, at);
		if (msn < next_msn(m))
			continue;
		*index = i;
		return msn == next_msn(m) && place_begins_segment(m, l, f, at);
	}
	return false;
}

bool
place_has(struct merge *m, unsigned line, const struct place_want *want, struct place *at)
{
	struct line *l = &m->twins.lines[line];
	int64_t index = l->front;
	struct wall wall;

	if (!place_front(m, line, &wall) || (!want->other_format && !audio_format_equal(&l->format, &m->format)))
		return false;
	if (want->kind == PLACE_CENTRE ? wall.ns >= place_next(m).ns + place_half(m) : !begins_here(m, l, &index))
		return false;
	if (want->first && !begins_run(m, line, index, want->inputs))
		return false;
	*at = (struct place){ line, index };
	return true;
}

bool
place_best(struct merge *m, const struct place_want *want, struct place *at)
{
	struct choice chosen = { .run = NULL };
	struct place p;

	for (unsigned i = 0; i < m->twins.end; i++) {
		const struct line *l = &m->twins.lines[i];
		if (!l->used || l->held == 0 || i == want->except || !place_has(m, i, want, &p))
			continue;
		struct choice c = place_choice(m, i, p.index, want->inputs);
		if (!c.run || (chosen.run && choice_compare(&c, &chosen) >= 0))
			continue;
		*at = p;
		chosen = c;
	}
	return chosen.run != NULL;
}

bool
place_other_format(const struct merge *m)
{
	for (unsigned i = 0; i < m->twins.end; i++) {
		const struct line *l = &m->twins.lines[i];
		if (l->used && l->held && !audio_format_equal(&l->format, &m->format))
			return true;
	}
	return false;
}
