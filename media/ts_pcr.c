/* Pacing of PCRs, in samples: rounding to ticks comes last. */
#include "media/ts_pcr.h"

static void
place_advance(struct ts_place *p, const struct media_segment *s)
{
	p->byte += s->frames[p->frame].len;
	p->sample += s->frames[p->frame].samples;
	p->frame++;
}

static uint64_t
sample_at(struct ts_pcr *pcr, uint64_t byte)
{
	const struct media_segment *s = pcr->segment;
	struct ts_place *p = &pcr->now;
	while (p->frame < s->count && p->byte + s->frames[p->frame].len <= byte)
		place_advance(p, s);
	if (p->frame == s->count)
		return p->sample;
	const struct media_frame *f = &s->frames[p->frame];
	return p->sample + (byte - p->byte) * f->samples / f->len;
}

/* The last byte that is not behind sample `sample`; the end, if that comes earlier. */
static uint64_t
byte_at(struct ts_pcr *pcr, uint64_t sample)
{
	const struct media_segment *s = pcr->segment;
	struct ts_place *p = &pcr->ahead;
	while (p->frame < s->count && p->sample + s->frames[p->frame].samples <= sample)
		place_advance(p, s);
	if (p->frame == s->count)
		return p->byte;
	const struct media_frame *f = &s->frames[p->frame];
	return p->byte + (sample - p->sample) * f->len / f->samples;
}

static uint64_t
interval(const struct ts_pcr *pcr)
{
	return ts_pcr_interval(pcr->segment->format.rate);
}

static void
mark_sample(struct ts_pcr *pcr, uint64_t sample)
{
	pcr->last = sample;
	pcr->due = byte_at(pcr, sample + interval(pcr));
}

void
ts_pcr_init(struct ts_pcr *pcr, const struct media_segment *segment, struct ts_place from)
{
	*pcr = (struct ts_pcr){ .segment = segment, .now = from, .ahead = from };
	mark_sample(pcr, from.sample);
}

void
ts_pcr_mark(struct ts_pcr *pcr, uint64_t byte)
{
	mark_sample(pcr, sample_at(pcr, byte));
}

bool
ts_pcr_gap(struct ts_pcr *pcr, uint64_t byte)
{
	if (byte <= pcr->due || sample_at(pcr, byte) <= pcr->last + interval(pcr))
		return false;
	mark_sample(pcr, pcr->last + interval(pcr));
	return true;
}

struct ticks
ts_pcr_value(const struct ts_pcr *pcr)
{
	const struct media_segment *s = pcr->segment;
	return ticks_sub(ticks_at(s->anchor, s->sample + pcr->last, s->format.rate), TS_PCR_LEAD);
}
