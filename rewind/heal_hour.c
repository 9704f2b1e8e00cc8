/* Own entries and found ones become one hour. */
#include "rewind/heal_hour.h"

#include <errno.h>
#include <stdlib.h>

bool
heal_hour_lacks(const struct hour *own, const struct hour *peer, size_t i)
{
	return i < peer->count && !peer->entries[i].gap && (!own || i >= own->count || own->entries[i].gap);
}

uint64_t
heal_hour_sequence(const struct hour *h)
{
	return h->count ? h->entries[h->count - 1].discontinuity_sequence : h->discontinuity_sequence;
}

struct heal_before
heal_hour_last(const struct hour *h)
{
	const struct hour_entry *e = h->count ? &h->entries[h->count - 1] : NULL;
	if (!e || e->gap)
		return (struct heal_before){ 0 };
	return (struct heal_before){ e, &h->formats[e->format] };
}

static bool
goes_on(const struct heal_before *before, const struct hour_entry *e, const struct audio_format *format)
{
	return !before->entry || before->entry->msn + 1 != e->msn ||
	       hour_entry_follows(before->entry, before->format, e, format);
}

/* From the flags of the entries. */
static void
number(struct hour *h)
{
	uint64_t sequence = h->discontinuity_sequence;
	for (size_t i = 0; i < h->count; i++)
		h->entries[i].discontinuity_sequence = sequence += h->entries[i].discontinuity;
}

/* Entry i as it will be; *from: the hour that it comes of. */
static struct hour_entry
choose(const struct hour *own, const struct hour *found, size_t i, const struct hour **from)
{
	const struct hour_entry *mine = own && i < own->count ? &own->entries[i] : NULL;
	*from = mine && (!mine->gap || found->entries[i].gap) ? own : found;
	return (*from)->entries[i];
}

/* Room for all formats of both: those of `own` first. */
static int
join_formats(const struct hour *own, const struct hour *found, struct hour *h)
{
	size_t mine = own ? own->format_count : 0;
	h->format_count = mine + found->format_count;
	h->formats = calloc(h->format_count ? h->format_count : 1, sizeof *h->formats);
	if (!h->formats)
		return -ENOMEM;
	for (size_t i = 0; i < h->format_count; i++)
		h->formats[i] = i < mine ? own->formats[i] : found->formats[i - mine];
	return 0;
}

int
heal_hour_merge(const struct hour *own, const struct hour *found, uint64_t discontinuity_sequence,
    const struct heal_before *before, struct hour *out)
{
	struct hour h = {
		.first_msn = found->first_msn,
		.segment = found->segment,
		.discontinuity_sequence = discontinuity_sequence,
		.count = found->count,
		.ended = true,
	};
	h.entries = calloc(h.count ? h.count : 1, sizeof *h.entries);
	if (!h.entries || join_formats(own, found, &h) < 0) {
		hour_free(&h);
		return -ENOMEM;
	}
	const struct hour *last = own; /* of which the entry before comes */
	struct heal_before at = *before;
	for (size_t i = 0; i < h.count; i++) {
		const struct hour *from;
		struct hour_entry *e = &h.entries[i];
		*e = choose(own, found, i, &from);
		if (e->gap) {
			at.entry = NULL;
			continue;
		}
		if (from == found && own)
			e->format = (uint16_t)(e->format + own->format_count);
		const struct audio_format *format = &h.formats[e->format];
		if ((from == found || last == found) && !goes_on(&at, e, format))
			e->discontinuity = true;
		hour_rate_add(&h.rate, e, h.segment);
		at = (struct heal_before){ e, format };
		last = from;
	}
	number(&h);
	*out = h;
	return 0;
}

bool
heal_hour_follow(struct hour *h, uint64_t discontinuity_sequence, const struct heal_before *before)
{
	struct hour_entry *e = h->count ? h->entries : NULL;
	bool begins = e && !e->gap && !e->discontinuity && !goes_on(before, e, &h->formats[e->format]);
	if (!begins && h->discontinuity_sequence == discontinuity_sequence)
		return false;
	if (begins)
		e->discontinuity = true;
	h->discontinuity_sequence = discontinuity_sequence;
	number(h);
	return true;
}
