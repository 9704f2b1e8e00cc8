/* The runs of a rendition and the lines that they form. */
#include "segmenter/merge/twins.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/log.h"

#define FAR_NS (60 * NS_PER_S) /* ahead of the output, beyond which no run jumps */
#define JOIN_SLOTS 8           /* more than the time between two looks back */

void
twins_init(struct twins *t, int64_t patience_ns)
{
	*t = (struct twins){ .patience_ns = patience_ns, .on_air = TWINS_NONE };
}

void
twins_fini(struct twins *t)
{
	for (unsigned i = 0; i < MERGE_RUNS; i++)
		if (t->lines[i].used)
			line_fini(&t->lines[i]);
}

/* ---- the table of runs */

static unsigned
free_line(const struct twins *t)
{
	unsigned i = 0;

	while (i < MERGE_RUNS && t->lines[i].used)
		i++;
	return i;
}

static void
run_drop(struct twins *t, unsigned run)
{
	struct line *l = &t->lines[t->runs[run].line];

	line_leave(l, run);
	t->runs[run] = (struct run){ 0 };
	if (l->members == 0 && (unsigned)(l - t->lines) != t->on_air)
		line_fini(l);
}

/* The run that is of least use: not on air, and silent for longest. */
static unsigned
least_useful(const struct twins *t)
{
	unsigned least = MERGE_RUNS;

	for (unsigned i = 0; i < MERGE_RUNS; i++) {
		const struct run *r = &t->runs[i];
		if (!r->used)
			return i;
		if (r->line == t->on_air && t->lines[r->line].members == UINT32_C(1) << i)
			continue;
		if (least == MERGE_RUNS || r->last_wall.ns < t->runs[least].last_wall.ns)
			least = i;
	}
	return least;
}

/* What the store says of a run that was on air before a restart. */
static int64_t
known_offset(const struct twins *t, const uint8_t *id)
{
	for (unsigned i = 0; i < t->known.count; i++)
		if (memcmp(t->known.run[i].id, id, RUN_ID_SIZE) == 0)
			return t->known.run[i].offset_ns;
	return 0;
}

/* A line of its own for run `run`. */
static int
own_line(struct twins *t, unsigned run, const struct frame *f)
{
	struct run *r = &t->runs[run];
	unsigned line = free_line(t);

	if (line == MERGE_RUNS || line_init(&t->lines[line], &r->head.format, t->patience_ns, f->samples) < 0)
		return -1;
	if (t->end < line + 1)
		t->end = line + 1;
	r->line = line;
	r->shift = r->samples_shift = 0;
	r->member = f->wall;
	r->from = INT64_MIN;
	t->lines[line].members = UINT32_C(1) << run;
	return 0;
}

static unsigned
run_find(struct twins *t, unsigned input, const struct frame_run *head)
{
	for (unsigned n = 0; n < t->end; n++) {
		unsigned i = (t->newest + n) % t->end; /* the one that came last comes again, mostly */
		const struct run *r = &t->runs[i];
		if (r->used && r->input == input && memcmp(r->head.id, head->id, RUN_ID_SIZE) == 0)
			return i;
	}
	return MERGE_RUNS;
}

static unsigned
run_add(struct twins *t, unsigned input, const struct frame_run *head, const struct frame *f)
{
	unsigned i = least_useful(t);

	if (i == MERGE_RUNS)
		return i;
	if (t->runs[i].used) {
		t->counters.dropped_runs++;
		run_drop(t, i);
	}
	if (t->end < i + 1)
		t->end = i + 1;
	t->runs[i] = (struct run){ .used = true,
		.head = *head,
		.input = input,
		.offset_ns = known_offset(t, head->id),
		.anchor_ns = f->wall.ns - samples_to_ns(f->position, head->format.rate),
		.first = f->index,
		.end = f->index,
		.first_wall = f->wall };
	if (own_line(t, i, f) < 0) {
		t->runs[i] = (struct run){ 0 };
		return MERGE_RUNS;
	}
	t->counters.runs++;
	return i;
}

void
twins_forget(struct twins *t, struct wall before)
{
	for (unsigned i = 0; i < t->end; i++) {
		const struct run *r = &t->runs[i];
		bool on_air = r->used && r->line == t->on_air;
		if (!r->used || r->last_wall.ns >= before.ns ||
		    (on_air && t->lines[r->line].members == UINT32_C(1) << i))
			continue;
		if (t->lines[r->line].held == 0 || t->lines[r->line].members != UINT32_C(1) << i)
			run_drop(t, i);
	}
	for (unsigned i = 0; i < t->end; i++) {
		struct line *l = &t->lines[i];
		if (l->used && l->members == 0 && i != t->on_air)
			line_fini(l);
	}
	while (t->end > 0 && !t->runs[t->end - 1].used && !t->lines[t->end - 1].used)
		t->end--;
}

/* ---- frames */

static void
run_leaves(struct twins *t, unsigned run, const struct frame *f)
{
	struct run *r = &t->runs[run];

	log_warn("a run leaves its line: it brought another frame than the others, or came from nowhere index=%" PRIu64,
	    f->index);
	t->counters.parted++;
	line_leave(&t->lines[r->line], run);
	r->offset_ns = 0;
	if (own_line(t, run, f) < 0)
		*r = (struct run){ 0 };
}

static void
count(struct twins *t, struct run *r, enum line_result result)
{
	switch (result) {
	case LINE_TAKEN:
		r->frames++;
		break;
	case LINE_TWIN:
	case LINE_EARLY:
		r->frames++;
		t->counters.twins++;
		break;
	case LINE_COPY:
		r->copies++;
		t->counters.copies++;
		break;
	case LINE_LATE:
		r->late++;
		t->counters.late++;
		break;
	case LINE_FULL:
	case LINE_MISMATCH:
		t->counters.full++;
		break;
	}
}

/* Has another run of the same input supplied it? */
static bool
supplied_by(const struct twins *t, uint32_t supplied, unsigned input)
{
	for (unsigned i = 0; supplied; i++, supplied >>= 1)
		if ((supplied & 1) && t->runs[i].used && t->runs[i].input == input)
			return true;
	return false;
}

/* Is the frame from further ahead than a run can come to? */
static bool
is_wild(const struct twins *t, const struct run *r, const struct frame *f)
{
	const struct line *l = &t->lines[r->line];

	return t->next.ns && l->begun && (int64_t)f->index + r->shift - l->end > LINE_HELD_MAX &&
	       f->wall.ns > t->next.ns + FAR_NS;
}

/* Does it lie behind all that its line remembers, though its time has not come? Then what came before it was wild. */
static bool
is_behind_the_wild(const struct twins *t, const struct run *r, const struct frame *f)
{
	const struct line *l = &t->lines[r->line];

	return t->next.ns && l->begun && (int64_t)f->index + r->shift < l->low && f->wall.ns > t->next.ns;
}

enum line_result
twins_push(struct twins *t, unsigned input, const struct frame_run *head, struct frame f, bool *first)
{
	unsigned i = run_find(t, input, head);
	uint32_t supplied;

	*first = false;
	if (f.index > INT64_MAX / 2 || f.position > INT64_MAX / 2 || f.samples == 0)
		goto drop;
	if (i == MERGE_RUNS)
		i = run_add(t, input, head, &f);
	if (i == MERGE_RUNS)
		goto drop;
	t->newest = i;
	struct run *r = &t->runs[i];
	if (is_wild(t, r, &f))
		goto drop;
	if (is_behind_the_wild(t, r, &f))
		run_leaves(t, i, &f);
	if (!r->used)
		goto drop;
	uint64_t hash = XXH3_64bits(f.data, f.len);
	r->by_path[f.path % FRAME_PATHS]++;
	enum line_result result = line_push(&t->lines[r->line], t->runs, i, &f, hash, &supplied);
	if (result == LINE_MISMATCH) {
		run_leaves(t, i, &f);
		if (!r->used)
			goto drop;
		result = line_push(&t->lines[r->line], t->runs, i, &f, hash, &supplied);
	}
	if (result != LINE_COPY && f.index >= r->end) {
		r->end = f.index + 1;
		r->last_wall = f.wall;
	}
	if (f.index < r->first)
		r->first = f.index;
	count(t, r, result);
	if (result == LINE_TAKEN || result == LINE_TWIN || result == LINE_LATE)
		*first = !supplied_by(t, supplied, input);
	if (result != LINE_TAKEN)
		frame_release(&f);
	return result;
drop:
	t->counters.full++;
	frame_release(&f);
	return LINE_FULL;
}

/* ---- finding twins */

static unsigned
bucket(uint64_t hash)
{
	return (unsigned)(hash >> 7) & (LINE_WINDOW - 1);
}

static unsigned
place(int64_t index)
{
	return (unsigned)((uint64_t)index & (LINE_WINDOW - 1));
}

/* What stood at this place leaves the window. */
static void
window_remove(struct line_window *w, unsigned at)
{
	if (!w->has[at])
		return;
	uint16_t *link = &w->heads[bucket(w->hash[at])];
	while (*link && *link != at + 1)
		link = &w->next[*link - 1];
	if (*link)
		*link = w->next[at];
	w->has[at] = w->repeat[at] = false;
}

static void
window_add(struct line_window *w, unsigned at, uint64_t hash)
{
	uint16_t *head = &w->heads[bucket(hash)];

	w->hash[at] = hash;
	w->has[at] = true;
	w->repeat[at] = false;
	for (unsigned i = *head; i; i = w->next[i - 1]) {
		if (w->hash[i - 1] == hash)
			w->repeat[i - 1] = w->repeat[at] = true;
	}
	w->next[at] = *head;
	*head = (uint16_t)(at + 1);
}

/* The index in the window of line `l` of the frame with this hash. false when there is none, or it is a repeat. */
static bool
window_find(const struct line *l, uint64_t hash, int64_t *index)
{
	const struct line_window *w = l->window;
	unsigned i = w->heads[bucket(hash)];

	while (i && w->hash[i - 1] != hash)
		i = w->next[i - 1];
	if (!i || w->repeat[i - 1])
		return false;
	*index = l->seen - 1 - (int64_t)((place(l->seen - 1) - (i - 1)) & (LINE_WINDOW - 1));
	return true;
}

/* Are the frames up to i of line a and up to j of line b the same, and none of them a repeat? */
static bool
same_frames(const struct line *a, int64_t i, const struct line *b, int64_t j)
{
	for (int64_t n = 0; n < TWINS_FRAMES; n++) {
		unsigned x = place(i - n), y = place(j - n);
		if (j - n <= b->seen - 1 - LINE_WINDOW || i - n <= a->seen - 1 - LINE_WINDOW)
			return false;
		if (!a->window->has[x] || !b->window->has[y] || a->window->repeat[x] || b->window->repeat[y] ||
		    a->window->hash[x] != b->window->hash[y])
			return false;
	}
	return true;
}

static bool
known_long(const struct line *l, struct wall at)
{
	return l->seen_first.ns && at.ns - l->seen_first.ns >= TWINS_KNOWN_NS;
}

/* Which of two lines stays? */
static bool
stays(const struct twins *t, unsigned a, unsigned b, int64_t i, int64_t j)
{
	const struct line_slot *x = line_at(&t->lines[a], i), *y = line_at(&t->lines[b], j);

	if (a == t->on_air || b == t->on_air)
		return a == t->on_air;
	if (t->lines[a].seen_first.ns != t->lines[b].seen_first.ns)
		return t->lines[a].seen_first.ns < t->lines[b].seen_first.ns;
	return run_before(&t->runs[x->run], &t->runs[y->run]);
}

/* Line b, whose frame j is frame i of line a, becomes part of it. */
static void
join(struct twins *t, unsigned a, int64_t i, unsigned b, int64_t j, struct wall at)
{
	struct line *to = &t->lines[a], *from = &t->lines[b];
	const struct line_slot *x = line_at(to, i), *y = line_at(from, j);
	int64_t since = i + to->lag + JOIN_SLOTS, d = i - j, samples = x->position - y->position;
	int64_t apart = line_stamp(y, t->runs, from->format.rate).ns - line_stamp(x, t->runs, to->format.rate).ns;
	int64_t offset = x->base_ns + t->runs[x->run].offset_ns - y->base_ns - t->runs[y->run].offset_ns;

	for (unsigned r = 0; r < t->end; r++) {
		if (!(from->members >> r & 1))
			continue;
		t->runs[r].line = a;
		t->runs[r].shift += d;
		t->runs[r].samples_shift += samples;
		t->runs[r].offset_ns += offset;
		t->runs[r].member = at;
		t->runs[r].from = since;
	}
	to->members |= from->members;
	t->counters.twins += line_absorb(to, from, d, samples, since);
	t->counters.joined++;
	line_fini(from);
	log_info("twins found: these runs carry the same frames runs=%d stamps_apart_ms=%" PRId64,
	    __builtin_popcount(to->members), apart / NS_PER_MS);
}

/* Frame `index` of line `a` has just been seen. True when it told that a line is a twin: one of the two is gone. */
static bool
compare(struct twins *t, unsigned a, int64_t index, struct wall at)
{
	struct line *l = &t->lines[a];
	const struct line_slot *s = line_at(l, index);
	int64_t apart_most = t->patience_ns < TWINS_APART_NS ? t->patience_ns : TWINS_APART_NS, j;

	if (l->window->repeat[place(index)])
		return false;
	for (unsigned b = 0; b < t->end; b++) {
		struct line *o = &t->lines[b];
		if (b == a || !o->used || !audio_format_equal(&o->format, &l->format) || !window_find(o, s->hash, &j) ||
		    !same_frames(l, index, o, j))
			continue;
		const struct line_slot *y = line_at(o, j);
		if (!y || y->run == LINE_NO_RUN || s->run == LINE_NO_RUN)
			continue;
		int64_t apart = at.ns - line_stamp(y, t->runs, o->format.rate).ns;
		if (apart > apart_most || apart < -apart_most || (!known_long(l, at) && !known_long(o, at)))
			continue;
		if (stays(t, a, b, index, j))
			join(t, a, index, b, j, at);
		else
			join(t, b, j, a, index, at);
		return true;
	}
	return false;
}

/* The next slot of a line that is to be seen, and its wall time. */
static bool
next_unseen(const struct twins *t, struct line *l, int64_t *index, struct wall *at)
{
	if (l->seen < l->low)
		l->seen = l->low;
	for (int64_t i = l->seen; i < l->end; i++) {
		const struct line_slot *s = line_at(l, i);
		if (!s)
			continue;
		*index = i;
		*at = line_stamp(s, t->runs, l->format.rate);
		return true;
	}
	return false;
}

static void
see(struct line *l, int64_t index, struct wall at)
{
	for (int64_t i = l->seen; i < index && i < l->seen + LINE_WINDOW; i++)
		window_remove(l->window, place(i));
	window_remove(l->window, place(index));
	window_add(l->window, place(index), line_at(l, index)->hash);
	l->seen = index + 1;
	if (!l->seen_first.ns)
		l->seen_first = at;
}

/* Of two that are to be seen at the same time, the better run's. */
static bool
seen_before(const struct twins *t, unsigned a, int64_t i, unsigned b, int64_t j)
{
	const struct line_slot *x = line_at(&t->lines[a], i), *y = line_at(&t->lines[b], j);

	if (x->run == LINE_NO_RUN || y->run == LINE_NO_RUN)
		return y->run == LINE_NO_RUN;
	return run_before(&t->runs[x->run], &t->runs[y->run]);
}

void
twins_see(struct twins *t, struct wall until,
    void (*seen)(void *ctx, const struct line *l, const struct line_slot *s, struct wall at), void *ctx)
{
	for (;;) {
		unsigned first = TWINS_NONE;
		int64_t index = 0, i;
		struct wall at = { 0 }, w;
		for (unsigned b = 0; b < t->end; b++) {
			struct line *l = &t->lines[b];
			if (!l->used || !next_unseen(t, l, &i, &w) || w.ns > until.ns)
				continue;
			if (first != TWINS_NONE &&
			    (w.ns > at.ns || (w.ns == at.ns && !seen_before(t, b, i, first, index))))
				continue;
			first = b;
			index = i;
			at = w;
		}
		if (first == TWINS_NONE)
			return;
		see(&t->lines[first], index, at);
		seen(ctx, &t->lines[first], line_at(&t->lines[first], index), at);
		compare(t, first, index, at);
	}
}
