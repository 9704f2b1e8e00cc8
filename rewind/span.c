/* Which entries a list over a span holds. */
#include "rewind/span.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

void
span_bounds(const struct time_span *s, uint32_t T, uint32_t window, struct wall now, uint64_t *first, uint64_t *end)
{
	/* a segmenter whose clock is a little ahead may have entered the number that is on air */
	uint64_t on_air = now.ns > 0 ? (uint64_t)(now.ns / NS_PER_S) / T + 1 : 0;

	*first = s->first;
	*end = s->end;
	if (s->kind == TIME_DELAY) {
		uint64_t delay = (uint64_t)s->delay_s / T;
		*end = on_air - 1 > delay ? on_air - 1 - delay : 0;
		*first = *end > window ? *end - window : 0;
	}
	if (*end > on_air)
		*end = on_air;
	if (*end < *first)
		*end = *first;
}

static uint64_t
first_number(const struct hour *const *hours)
{
	return hours[0]->first_msn;
}

/* The entry of a number from the first of the hours up to the newest. */
static const struct hour_entry *
entry_of(const struct hour *const *hours, uint64_t msn)
{
	size_t full = 3600 / hours[0]->segment, at = (size_t)(msn - first_number(hours));
	return &hours[at / full]->entries[at % full];
}

/* Move *first on to media. */
static bool
skip_gaps(const struct hour *const *hours, uint64_t *first, uint64_t end)
{
	while (*first < end && entry_of(hours, *first)->gap)
		++*first;
	return *first < end;
}

static void
drop_gaps_behind(const struct hour *const *hours, uint64_t first, uint64_t *end)
{
	while (*end > first && entry_of(hours, *end - 1)->gap)
		--*end;
}

/* No part of an hour leans on a frame of another segment: there is no MPEG audio in it. */
static bool
is_independent(const struct hour *h)
{
	for (size_t i = 0; i < h->format_count; i++)
		if (h->formats[i].codec != CODEC_AAC)
			return false;
	return true;
}

/* How many segments at the front a delta update leaves out: those further than LIST_SKIP_UNTIL * T from the end, and
 * none from the first discontinuity on. */
static size_t
skippable(const struct hour *const *hours, uint64_t first, uint64_t end)
{
	uint64_t until = (uint64_t)LIST_SKIP_UNTIL * hours[0]->segment * 1000000, kept = 0;

	while (end > first && kept < until)
		kept += entry_of(hours, --end)->duration_us;
	uint64_t n = first;
	while (n < end && !entry_of(hours, n)->discontinuity)
		n++;
	return (size_t)(n - first);
}

/* Lay [first, end) out in parts, an hour each. */
static int
lay_out(struct span_plan *plan, const struct hour *const *hours, uint64_t first, uint64_t end)
{
	size_t full = 3600 / plan->head.T;
	bool hole = false;

	size_t hours_most = (size_t)(end - first) / full + 2;
	plan->parts = calloc(hours_most, sizeof *plan->parts);
	if (!plan->parts)
		return -ENOMEM;
	for (uint64_t msn = first; msn < end;) {
		size_t at = (size_t)(msn - first_number(hours));
		struct span_part p = { .hour = at / full, .first = at % full };
		uint64_t left = end - msn, room = full - p.first;
		p.last = p.first + (size_t)(left < room ? left : room);
		msn += p.last - p.first;
		const struct hour_entry *e = hours[p.hour]->entries;
		if (plan->form == LIST_CLOSED) {
			bool silent = true;
			for (size_t i = p.first; i < p.last && silent; i++)
				silent = e[i].gap;
			if (silent) {
				hole = true;
				continue;
			}
			/* a part that begins with a hole says so itself */
			p.hole_before = hole && !e[p.first].gap && !e[p.first].discontinuity;
			hole = e[p.last - 1].gap;
		}
		plan->parts[plan->count++] = p;
	}
	return 0;
}

/* Is the span over, as far as it will ever be? */
static bool
is_complete(const struct time_span *s, uint64_t end, uint32_t T, struct wall now)
{
	if (s->kind == TIME_DELAY)
		return false;
	return end == s->end || now.ns >= layout_grid(s->end + SPAN_LATE_SEGMENTS, T).ns;
}

static size_t
count_listed(const struct hour *const *hours, const struct span_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = plan->parts[i].first; k < plan->parts[i].last; k++)
			n += plan->form == LIST_DENSE || !hours[plan->parts[i].hour]->entries[k].gap;
	return n;
}

int
span_plan(struct span_plan *plan, const struct time_span *s, const struct hour *const *hours, size_t count,
    uint32_t window, struct wall now, bool skip)
{
	uint64_t first, end;

	if (count == 0)
		return -ENOENT;
	const uint32_t T = hours[0]->segment;
	span_bounds(s, T, window, now, &first, &end);
	CHECK(first >= first_number(hours));
	uint64_t known = hours[count - 1]->first_msn + hours[count - 1]->count;
	end = end < known ? end : known;
	if (end <= first)
		return -ENOENT;
	struct span_plan p = { .head = { .type = s->kind == TIME_DELAY ? LIST_SLIDING : LIST_EVENT, .T = T } };
	p.ended = is_complete(s, end, T, now);
	p.form = p.ended && now.ns >= layout_grid(s->end, T).ns + SPAN_SETTLE_NS ? LIST_CLOSED : LIST_DENSE;
	p.settled = p.form == LIST_CLOSED && end == s->end;
	if (s->kind == TIME_DELAY) {
		while (end - first > 3 && entry_of(hours, first)->gap)
			first++;
	} else if (!skip_gaps(hours, &first, end)) {
		return -ENOENT;
	}
	uint64_t media_end = end;
	drop_gaps_behind(hours, first, &media_end);
	p.newest_end = layout_grid(media_end, T);
	if (p.form == LIST_CLOSED)
		end = media_end;
	const struct hour_entry *e = entry_of(hours, first);
	p.head.msn = first;
	p.head.discontinuity_sequence = e->discontinuity_sequence - e->discontinuity;
	p.head.can_skip = p.head.type == LIST_EVENT && p.form == LIST_DENSE; /* kept at the end: only ENDLIST is new */
	p.head.skipped = skip && p.head.can_skip ? skippable(hours, first, end) : 0;
	int rc = lay_out(&p, hours, first + p.head.skipped, end);
	if (rc)
		return rc;
	p.head.independent = true;
	for (size_t i = (size_t)(first - first_number(hours)) / (3600 / T); i < count; i++)
		p.head.independent = p.head.independent && is_independent(hours[i]);
	p.segments = p.head.skipped + count_listed(hours, &p);
	*plan = p;
	return 0;
}

void
span_plan_fini(struct span_plan *plan)
{
	free(plan->parts);
	*plan = (struct span_plan){ 0 };
}

void
span_write(struct text *out, const struct span_plan *plan, const struct hour *const *hours)
{
	list_head_write(out, &plan->head);
	for (size_t i = 0; i < plan->count; i++) {
		const struct span_part *p = &plan->parts[i];
		if (p->hole_before)
			text_str(out, LIST_DISCONTINUITY);
		list_entries_write(
		    out, hours[p->hour]->entries + p->first, p->last - p->first, plan->head.T, plan->form);
	}
	if (plan->ended)
		text_str(out, LIST_END);
}

int
span_hour_fill(const struct hour *h, uint64_t hour, const struct hour *next, struct hour *out)
{
	const uint32_t T = next->segment;
	const size_t full = 3600 / T, known = h ? h->count : 0;
	struct hour filled = { .segment = T, .first_msn = layout_hour_first(hour, T), .count = full };

	filled.entries = calloc(full, sizeof *filled.entries);
	if (h && h->format_count)
		filled.formats = malloc(h->format_count * sizeof *h->formats);
	if (!filled.entries || (h && h->format_count && !filled.formats)) {
		hour_free(&filled);
		return -ENOMEM;
	}
	if (filled.formats) {
		memcpy(filled.formats, h->formats, h->format_count * sizeof *h->formats);
		filled.format_count = h->format_count;
	}
	if (known)
		memcpy(filled.entries, h->entries, known * sizeof *h->entries);
	uint64_t sequence = next->discontinuity_sequence;
	filled.discontinuity_sequence = h ? h->discontinuity_sequence : sequence;
	enum layout_kind kind = next->count ? next->entries[0].kind : LAYOUT_TS;
	if (known) {
		sequence = h->entries[known - 1].discontinuity_sequence;
		kind = h->entries[known - 1].kind;
	}
	for (size_t i = known; i < full; i++)
		filled.entries[i] = hour_gap(filled.first_msn + i, T, kind, sequence);
	*out = filled;
	return 0;
}
