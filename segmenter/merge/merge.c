/* Merge: what the inputs deliver in, one unbroken stream of slots out. */
#include "segmenter/merge/merge.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "media/framer.h"
#include "rewind/layout.h"
#include "segmenter/merge/home.h"
#include "segmenter/merge/place.h"

#define MINUTE_NS (60 * NS_PER_S)
#define LOOK_BACK_NS (50 * NS_PER_MS)
#define FORGET_NS (120 * NS_PER_S)

void
merge_init(struct merge *m, const struct merge_config *config)
{
	*m = (struct merge){ .config = *config,
		.chosen = MERGE_NONE,
		.want = MERGE_NONE,
		.want_format = MERGE_NONE,
		.slot_samples = 1024 };
	twins_init(&m->twins, config->patience_ns);
}

void
merge_fini(struct merge *m)
{
	twins_fini(&m->twins);
	frame_chunk_release(&m->chunk);
}

/* ---- what comes in */

unsigned
merge_input(struct merge *m, const char *name, unsigned priority, bool one_way)
{
	for (unsigned i = 0; i < m->input_count; i++)
		if (strcmp(m->inputs[i].name, name) == 0)
			return i;
	if (m->input_count == MERGE_INPUTS)
		return MERGE_NONE;
	struct merge_input *in = &m->inputs[m->input_count];
	*in = (struct merge_input){ .priority = priority, .one_way = one_way };
	snprintf(in->name, sizeof(in->name), "%s", name);
	return m->input_count++;
}

void
merge_choose(struct merge *m, unsigned input)
{
	m->chosen = input;
	m->choice_fresh = input != MERGE_NONE;
}

void
merge_push(struct merge *m, unsigned input, const struct frame_run *run, struct frame f)
{
	struct merge_input *in = &m->inputs[input];
	struct wall at = f.wall;
	bool first;

	enum line_result result = twins_push(&m->twins, input, run, f, &first);
	if (result == LINE_LATE)
		m->counters.late_frames++;
	if (result == LINE_FULL)
		return;
	if (!first) {
		in->copies++;
		return;
	}
	in->frames++;
	if (at.ns > in->last.ns)
		in->last = at;
}

/* Nothing more comes for a slot: which inputs have brought it? */
static void
on_seen(void *ctx, const struct line *l, const struct line_slot *s, struct wall at)
{
	struct merge *m = ctx;
	unsigned told = 0;

	for (uint32_t i = 0, runs = s->runs; runs; i++, runs >>= 1) {
		const struct run *r = &m->twins.runs[i];
		if (!(runs & 1) || !r->used || told >> r->input & 1)
			continue;
		told |= 1u << r->input;
		home_supplied(&m->inputs[r->input], at, l->samples, l->format.rate);
	}
}

/* All of it comes through one connection at a time, in order: nothing better can arrive later. */
static bool
is_single(const struct merge *m)
{
	return m->input_count == 1 && m->inputs[0].one_way;
}

/* Is the time over in which the frame of the next slot may come? */
static bool
is_due(const struct merge *m, struct wall at, struct wall now)
{
	return now.ns >= at.ns + m->config.patience_ns + (is_single(m) ? 0 : MERGE_SHORT_NS);
}

/* ---- what goes out */

const char *
merge_reason_text(enum merge_reason reason)
{
	static const char *const texts[MERGE_REASONS] = { "next", "begin", "adjoins", "backup", "return", "minute",
		"chosen", "format", "bridge", "fill" };

	return texts[reason];
}

static void
output_format(struct merge *m, const struct audio_format *format, uint32_t samples)
{
	m->format = *format;
	m->slot_samples = samples;
	if (framer_silence(format, m->silence, &m->silence_len, &m->slot_samples) < 0)
		m->silence_len = 0;
	m->slot_ns = samples_to_ns(m->slot_samples, format->rate);
}

/* The next slot begins so many samples after `base`. */
static void
move_to(struct merge *m, struct wall base, uint64_t samples)
{
	m->base = base;
	m->samples = samples;
	m->next.ns = base.ns + samples_to_ns(samples, m->format.rate);
	m->twins.next = m->next;
}

static int64_t
minute_of(const struct merge *m, struct wall at)
{
	return (at.ns + place_half(m)) / MINUTE_NS;
}

static enum merge_result
give(struct merge *m, struct frame f, bool fill, enum merge_reason reason, struct slot *slot)
{
	uint64_t msn = layout_msn(f.wall, samples_to_ns(f.samples, m->format.rate), m->config.T);

	f.fill = fill;
	*slot = (struct slot){ .frame = f, .format = &m->format, .reason = reason };
	slot->msn = msn > m->msn ? msn : m->msn;
	slot->pending = (m->hole && place_other_format(m)) || m->want_format != MERGE_NONE;
	m->msn = slot->msn;
	m->slot_reason = reason;
	move_to(m, m->base, m->samples + f.samples);
	m->gap = false;
	if (fill)
		m->counters.fill_frames++;
	else
		m->counters.frames++;
	if (minute_of(m, f.wall) > m->minute) {
		m->minute = minute_of(m, f.wall);
		twins_forget(&m->twins, (struct wall){ f.wall.ns - FORGET_NS });
	}
	return MERGE_FRAME;
}

/* How long the slot has been waited for, beyond the end of its frame. */
static void
note_wait(struct merge *m, const struct frame *f, struct wall now)
{
	int64_t waited = now.ns - f->wall.ns - samples_to_ns(f->samples, m->format.rate);
	int64_t minute = f->wall.ns / MINUTE_NS;

	if (minute != m->waited_minute) {
		m->counters.waited_ns = (uint64_t)m->waited_ns;
		m->waited_ns = 0;
		m->waited_minute = minute;
	}
	if (waited > m->waited_ns)
		m->waited_ns = waited;
}

static unsigned
runs_find(const struct hour_runs *runs, const struct run *r)
{
	unsigned i = 0;

	while (i < runs->count && memcmp(runs->run[i].id, r->head.id, RUN_ID_SIZE) != 0)
		i++;
	return i;
}

static void
runs_add(struct hour_runs *runs, const struct run *r)
{
	if (runs->count == HOUR_RUNS) {
		memmove(&runs->run[0], &runs->run[1], (HOUR_RUNS - 1) * sizeof(runs->run[0]));
		runs->count--;
	}
	memcpy(runs->run[runs->count].id, r->head.id, RUN_ID_SIZE);
	runs->run[runs->count++].offset_ns = run_offset_ns(r);
}

/* Keep the list of runs on air: those of the line, once everybody must know that they belong to it. Who has ended stays
 * in it, so that the end of a twin changes nothing. */
static void
runs_update(struct merge *m, const struct line *l, struct wall at)
{
	struct hour_runs *runs = &m->runs;
	const struct run *leader = l->leader == LINE_NO_RUN ? NULL : &m->twins.runs[l->leader];
	bool same = false;

	for (unsigned i = 0; i < m->twins.end && !same; i++)
		same = (l->members >> i & 1) && runs_find(runs, &m->twins.runs[i]) < runs->count;
	if (!same)
		runs->count = 0;
	if (leader && runs_find(runs, leader) < runs->count)
		runs->run[runs_find(runs, leader)].offset_ns = run_offset_ns(leader);
	else if (leader)
		runs_add(runs, leader);
	for (unsigned i = 0; i < m->twins.end; i++) {
		const struct run *r = &m->twins.runs[i];
		if ((l->members >> i & 1) && r->member.ns + m->config.patience_ns + NS_PER_S <= at.ns &&
		    runs_find(runs, r) == runs->count)
			runs_add(runs, r);
	}
}

static void
count_change(struct merge *m, enum merge_reason reason)
{
	struct merge_counters *c = &m->counters;
	uint64_t *const counters[MERGE_REASONS] = { [MERGE_ADJOINS] = &c->adjoined,
		[MERGE_BACKUP] = &c->to_backup,
		[MERGE_RETURN] = &c->returned,
		[MERGE_MINUTE] = &c->at_minute,
		[MERGE_CHOSEN] = &c->chosen,
		[MERGE_FORMAT] = &c->format_changes };

	c->run_changes++;
	if (counters[reason])
		++*counters[reason];
}

/* A frame in hand goes on air. */
static enum merge_result
give_real(struct merge *m, struct place at, enum merge_reason reason, struct wall now, struct slot *slot)
{
	struct line *l = &m->twins.lines[at.line];
	bool changes = m->twins.on_air != at.line || m->hole, other = !audio_format_equal(&l->format, &m->format);
	struct frame f = line_take(l, m->twins.runs, at.index);

	if (other)
		output_format(m, &l->format, f.samples);
	if (changes) {
		count_change(m, reason);
		m->reason = reason;
	}
	m->twins.on_air = at.line;
	m->air_next = at.index + 1;
	m->air_inputs = 0;
	for (unsigned i = 0; i < m->twins.end; i++)
		if (l->members >> i & 1)
			m->air_inputs |= 1u << m->twins.runs[i].input;
	m->hole = m->filling = false;
	m->counters.on_fill = 0;
	if (other && m->want_format != MERGE_NONE)
		m->want_format = MERGE_NONE;
	runs_update(m, l, f.wall);
	note_wait(m, &f, now);
	move_to(m, f.wall, 0);
	enum merge_result r = give(m, f, false, reason, slot);
	slot->new_format = other;
	slot->runs = &m->runs;
	return r;
}

/* Nothing was ever on air: the output begins with the first frame that begins a segment. */
static enum merge_result
begin(struct merge *m, struct wall now, struct slot *slot)
{
	struct place best = { TWINS_NONE, 0 };
	uint64_t first = UINT64_MAX;
	struct choice chosen = { .run = NULL };

	for (unsigned i = 0; i < m->twins.end; i++) {
		struct line *l = &m->twins.lines[i];
		const struct frame *f;
		struct wall at;
		while ((f = place_front(m, i, &at)) && (is_single(m) || is_due(m, at, now))) {
			if (place_begins_segment(m, l, f, at))
				break;
			line_pass(l, l->front + 1);
			m->counters.before_start_frames++;
		}
		if (!f || !place_begins_segment(m, l, f, at))
			continue;
		uint64_t msn = place_msn(m, l, f, at);
		/* others may begin the same segment a little later */
		if (!is_single(m) &&
		    !is_due(m,
			(struct wall){ layout_grid(msn, m->config.T).ns + samples_to_ns(f->samples, l->format.rate) },
			now))
			continue;
		struct choice c = place_choice(m, i, l->front, 0);
		if (!c.run || msn > first || (msn == first && choice_compare(&c, &chosen) > 0))
			continue;
		first = msn;
		best = (struct place){ i, l->front };
		chosen = c;
	}
	if (best.line == TWINS_NONE)
		return MERGE_WAIT;
	m->begun = true;
	m->minute = INT64_MAX; /* there is nothing to return from */
	enum merge_result r = give_real(m, best, MERGE_BEGIN, now, slot);
	m->minute = minute_of(m, slot->frame.wall);
	return r;
}

/* ---- where nothing real is */

/* The frame that stands in for the next slot. 0, or -1 without memory. */
static int
stand_in(struct merge *m, struct frame *f)
{
	const struct fill *file = m->config.fill;
	const uint8_t *data = m->silence;
	uint32_t len = m->silence_len, samples = m->slot_samples;

	if (m->hole && file && fill_fits(file, &m->format)) {
		const struct fill_frame *at = fill_at(file, place_next(m));
		data = at->data;
		len = at->len;
		samples = file->samples;
	}
	if (frame_make(m->config.pool, &m->chunk, data, len, data, 0, f) < 0)
		return -1;
	f->samples = samples;
	f->wall = place_next(m);
	return 0;
}

static enum merge_result
give_stand_in(struct merge *m, enum merge_reason reason, struct slot *slot)
{
	struct frame f;

	if (stand_in(m, &f) < 0)
		return MERGE_WAIT;
	return give(m, f, true, reason, slot);
}

/* The station's next segment gets no media: its number passes as a gap once its time is over. */
static enum merge_result
give_gap(struct merge *m, struct wall now, struct slot *slot)
{
	uint64_t msn = m->msn + 1;
	struct wall end = layout_grid(msn + 1, m->config.T);

	if (now.ns < end.ns + m->config.patience_ns)
		return MERGE_WAIT;
	m->msn = msn;
	m->gap = true;
	move_to(m, end, 0);
	m->counters.gap_segments++;
	*slot = (struct slot){ .msn = msn,
		.format = &m->format,
		.reason = MERGE_FILL,
		.pending = place_other_format(m) || m->want_format != MERGE_NONE };
	return MERGE_GAP;
}

/* Is the hole still so short that it may end anywhere? */
static bool
is_young(const struct merge *m)
{
	return !m->filling && !m->gap && place_next(m).ns - m->hole_since.ns <= m->config.patience_ns;
}

/* The end of a hole that is still young is at hand. */
static bool
ends_soon(struct merge *m)
{
	struct wall at;

	for (unsigned i = 0; i < m->twins.end && is_young(m); i++) {
		if (place_front(m, i, &at) && audio_format_equal(&m->twins.lines[i].format, &m->format) &&
		    at.ns <= m->hole_since.ns + m->config.patience_ns)
			return true;
	}
	return false;
}

static bool
fill_is_gap(struct merge *m, struct wall now)
{
	bool file = m->config.fill && fill_fits(m->config.fill, &m->format);

	if (!place_at_boundary(m))
		return false;
	if ((m->silence_len == 0 && !file) || m->gap)
		return true;
	if (!m->config.fill_silence)
		return !ends_soon(m);
	if (place_next(m).ns - m->hole_since.ns >= m->config.fill_limit_ns)
		return true;
	/* nobody was there to fill it in its time: the process was away */
	struct wall over = layout_grid(m->msn + 3, m->config.T);
	return now.ns > over.ns + m->config.patience_ns;
}

/* A short hole of the line on air, whose other end is there. */
static bool
is_short(struct merge *m)
{
	struct wall at, since = m->hole ? m->hole_since : place_next(m);

	if (m->twins.on_air == TWINS_NONE || m->filling || m->gap || m->silence_len == 0)
		return false;
	return place_front(m, m->twins.on_air, &at) && at.ns <= since.ns + MERGE_SHORT_NS + place_half(m);
}

static void
hole_begin(struct merge *m)
{
	if (m->hole)
		return;
	m->hole = true;
	m->hole_since = place_next(m);
}

/* Before a restart one of these runs was on air: its line goes on, when it has the frame. */
static bool
known_line(struct merge *m, struct place *at)
{
	struct place_want want = { .kind = m->filling ? PLACE_BOUNDARY : PLACE_CENTRE, .except = TWINS_NONE };

	if (m->twins.on_air != TWINS_NONE || (m->filling && !place_at_boundary(m)))
		return false;
	for (unsigned i = 0; i < m->twins.end; i++) {
		const struct run *r = &m->twins.runs[i];
		if (r->used && runs_find(&m->runs, r) < m->runs.count && place_has(m, r->line, &want, at))
			return true;
	}
	return false;
}

/* What ends the hole in this slot: in a young one anything in place, else what begins the segment. */
static bool
hole_end(struct merge *m, struct place *at)
{
	struct place_want want = { .kind = PLACE_CENTRE, .except = TWINS_NONE };

	if (is_young(m) && place_best(m, &want, at))
		return true;
	if (!place_at_boundary(m))
		return false;
	want.kind = PLACE_BOUNDARY;
	want.other_format = true;
	if (!place_best(m, &want, at))
		return false;
	if (audio_format_equal(&m->twins.lines[at->line].format, &m->format) ||
	    m->config.may_change(m->config.ctx, m->msn + 1))
		return true;
	want.other_format = false;
	return place_best(m, &want, at);
}

/* The other end of the hole, if it is in this slot. */
static bool
hole_over(struct merge *m, bool due, struct place *at)
{
	struct place_want centre = { .kind = PLACE_CENTRE, .except = TWINS_NONE };

	if (known_line(m, at))
		return true;
	if (is_short(m))
		return place_has(m, m->twins.on_air, &centre, at);
	return (due || is_single(m)) && hole_end(m, at);
}

static enum merge_result
in_hole(struct merge *m, struct wall now, struct slot *slot)
{
	bool due = is_due(m, place_next(m), now);
	struct place at;

	if (hole_over(m, due, &at)) {
		bool other = !audio_format_equal(&m->twins.lines[at.line].format, &m->format);
		return give_real(m, at, other ? MERGE_FORMAT : MERGE_RETURN, now, slot);
	}
	if (!due)
		return MERGE_WAIT;
	if (is_short(m)) {
		m->counters.bridged_holes++;
		return give_stand_in(m, MERGE_BRIDGE, slot);
	}
	m->counters.on_fill = 1;
	if (fill_is_gap(m, now))
		return give_gap(m, now, slot);
	return give_stand_in(m, MERGE_FILL, slot);
}

/* ---- along the line on air */

/* Has the input anything in hand of another format than the output's? */
static bool
waits_with_format(const struct merge *m, unsigned input)
{
	for (unsigned i = 0; i < m->twins.end; i++) {
		const struct line *l = &m->twins.lines[i];
		if (l->used && l->held && !audio_format_equal(&l->format, &m->format) &&
		    place_inputs(m, i, l->front) >> input & 1)
			return true;
	}
	return false;
}

/* At a full minute: is there a better input to return to? */
static void
minute_begins(struct merge *m, int64_t minute)
{
	struct wall at = { minute * MINUTE_NS };

	m->want = home_better(m, at);
	m->minute = minute;
	if (m->want_format != MERGE_NONE && !home_settled(m, &m->inputs[m->want_format], at))
		m->want_format = MERGE_NONE;
	if (m->want == m->want_format)
		m->want = MERGE_NONE;
}

/* The line of an input that is switched to in this slot, whose time is over; it may have to wait for its format. */
static bool
switch_to(struct merge *m, unsigned input, struct place *at)
{
	struct place_want want = { .kind = PLACE_CENTRE, .inputs = 1u << input, .except = m->twins.on_air };

	if (place_best(m, &want, at))
		return true;
	if (waits_with_format(m, input))
		m->want_format = input;
	else
		m->counters.missed_returns++;
	return false;
}

/* Is the choice by hand to be followed in this slot, which begins a segment? */
static bool
follows_choice(struct merge *m, struct wall next)
{
	if (m->chosen == MERGE_NONE || !m->choice_fresh || m->chosen == m->want_format || !place_at_boundary(m))
		return false;
	if (m->twins.on_air != TWINS_NONE && home_on_air(m, m->chosen, next))
		m->choice_fresh = false;
	/* one that is away is followed when it is there */
	return m->choice_fresh && m->inputs[m->chosen].last.ns >= next.ns - 2 * NS_PER_S;
}

/* Which line is to go on in this slot, though the one on air has a frame? The slot's time is over. */
static bool
leave_to(struct merge *m, bool by_hand, struct place *at, enum merge_reason *reason)
{
	struct place_want format = { .kind = PLACE_BOUNDARY, .other_format = true, .except = m->twins.on_air };
	unsigned want = m->want;

	m->want = MERGE_NONE;
	if (m->want_format != MERGE_NONE && place_at_boundary(m) && m->config.may_change(m->config.ctx, m->msn + 1)) {
		format.inputs = 1u << m->want_format;
		*reason = MERGE_FORMAT;
		if (place_best(m, &format, at))
			return true;
	}
	*reason = MERGE_CHOSEN;
	if (by_hand && switch_to(m, m->chosen, at)) {
		m->choice_fresh = false;
		return true;
	}
	*reason = MERGE_MINUTE;
	return want != MERGE_NONE && switch_to(m, want, at);
}

/* The line on air has nothing for this slot: the next run of the same input, or another line. */
static bool
successor(struct merge *m, bool due, struct place *at, enum merge_reason *reason)
{
	struct place_want adjoins = { .kind = PLACE_CENTRE,
		.inputs = m->air_inputs,
		.first = m->air_inputs && !is_single(m),
		.except = m->twins.on_air };
	struct place_want any = { .kind = PLACE_CENTRE, .except = TWINS_NONE };

	*reason = MERGE_ADJOINS;
	if ((due || is_single(m)) && place_best(m, &adjoins, at))
		return true;
	*reason = MERGE_BACKUP;
	return due && !is_short(m) && place_best(m, &any, at);
}

static enum merge_result
on_line(struct merge *m, struct wall now, struct slot *slot)
{
	struct wall next = place_next(m);
	struct place at = { m->twins.on_air, m->air_next };
	bool here = at.line != TWINS_NONE && line_frame(&m->twins.lines[at.line], at.index);
	bool due = is_due(m, next, now);
	enum merge_reason reason = MERGE_NEXT;

	if (minute_of(m, next) > m->minute && (here || due))
		minute_begins(m, minute_of(m, next));
	bool by_hand = follows_choice(m, next);
	if (by_hand || m->want != MERGE_NONE || (m->want_format != MERGE_NONE && place_at_boundary(m))) {
		struct place to;
		if (!due)
			return MERGE_WAIT;
		if (leave_to(m, by_hand, &to, &reason))
			return give_real(m, to, reason, now, slot);
	}
	if (here || known_line(m, &at))
		return give_real(m, at, MERGE_NEXT, now, slot);
	if (successor(m, due, &at, &reason))
		return give_real(m, at, reason, now, slot);
	if (!due)
		return MERGE_WAIT;
	hole_begin(m);
	return in_hole(m, now, slot);
}

const char *
merge_on_air(const struct merge *m)
{
	if (m->twins.on_air == TWINS_NONE || !line_at(&m->twins.lines[m->twins.on_air], m->air_next - 1))
		return "";
	struct choice c = place_choice(m, m->twins.on_air, m->air_next - 1, 0);
	return c.run ? c.input.name : "";
}

/* Look for twins, and at what each input brings, up to where nothing more can come: not beyond the next slot. */
static void
look_back(struct merge *m, struct wall now)
{
	struct wall until = { now.ns - m->config.patience_ns };

	if (m->begun && until.ns > m->next.ns)
		until = m->next;
	if (until.ns - m->seen.ns < LOOK_BACK_NS && !(m->begun && is_due(m, m->next, now)))
		return;
	m->seen = until;
	twins_see(&m->twins, until, on_seen, m);
}

enum merge_result
merge_next(struct merge *m, struct wall now, struct slot *slot)
{
	look_back(m, now);
	if (!m->begun)
		return begin(m, now, slot);
	place_pass(m);
	return m->hole ? in_hole(m, now, slot) : on_line(m, now, slot);
}

void
merge_resume(struct merge *m, const struct audio_format *format, struct wall next, uint64_t msn, bool boundary,
    const struct hour_runs *runs)
{
	output_format(m, format, 1024);
	if (boundary) {
		/* what a store tells of its end is rounded down to milliseconds; that must not count as the segment
		 * before */
		int64_t first = layout_grid(msn, m->config.T).ns - m->slot_ns / 2;
		if (next.ns < first)
			next.ns = first;
	}
	m->begun = true;
	m->hole = m->filling = boundary; /* in mid-segment a short hole can still be bridged */
	m->hole_since = next;
	m->twins.on_air = TWINS_NONE;
	move_to(m, next, 0);
	m->msn = boundary ? msn - 1 : msn;
	m->minute = minute_of(m, next);
	m->gap = false;
	m->runs = m->twins.known = runs ? *runs : (struct hour_runs){ 0 };
}
