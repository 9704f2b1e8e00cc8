/* The hour file's lines, and the rates that its tail says. */
#include "rewind/hour.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"

void
hour_write_head(struct text *out, uint64_t first_msn, uint32_t T, uint64_t discontinuity_sequence)
{
	text_fmt(out,
	    "#EXTM3U\n"
	    "#EXT-X-VERSION:3\n"
	    "#EXT-X-TARGETDURATION:%" PRIu32 "\n"
	    "#EXT-X-MEDIA-SEQUENCE:%" PRIu64 "\n"
	    "#EXT-X-DISCONTINUITY-SEQUENCE:%" PRIu64 "\n"
	    "#HINDCAST-HOUR:version=1,segment=%" PRIu32 "\n",
	    T, first_msn, discontinuity_sequence, T);
}

void
hour_write_format(struct text *out, const struct audio_format *format)
{
	const uint8_t *h = format->header;
	text_fmt(out, "#HINDCAST-FORMAT:codecs=%s,header=%02x%02x%02x%02x,rate=%" PRIu32 ",channels=%d\n",
	    audio_format_codecs(format), h[0], h[1], h[2], h[3], format->rate, format->channels);
}

static void
write_segment_comment(struct text *out, const struct hour_entry *e)
{
	text_fmt(out,
	    "#HINDCAST-SEGMENT:bytes=%" PRIu64 ",audio=%" PRIu64 ",frames=%" PRIu64 ",samples=%" PRIu64
	    ",xxh64=%016" PRIx64 ",anchor=%" PRIu64 ",sample=%" PRIu64 ",fill=%" PRIu64 "%s\n",
	    e->bytes, e->audio_bytes, e->frames, e->samples, e->xxh64, e->anchor.t, e->sample, e->fill,
	    e->pending ? ",pending=1" : "");
}

void
hour_write_entry(struct text *out, const struct hour_entry *e, uint32_t T, const struct audio_format *format)
{
	char date[WALL_TEXT_SIZE], path[LAYOUT_NAME_SIZE];
	if (format)
		hour_write_format(out, format);
	if (e->discontinuity)
		text_str(out, "#EXT-X-DISCONTINUITY\n");
	text_fmt(out, "#EXT-X-PROGRAM-DATE-TIME:%s\n", wall_format(e->start, date));
	if (e->gap)
		text_str(out, "#EXT-X-GAP\n");
	else
		write_segment_comment(out, e);
	text_fmt(out, "#EXTINF:%" PRIu32 ".%06" PRIu32 ",\n%s\n", e->duration_us / 1000000, e->duration_us % 1000000,
	    layout_segment_path(e->msn, T, e->kind, path));
}

void
hour_write_tail(struct text *out, const struct hour_rate *rate)
{
	text_fmt(out,
	    "#HINDCAST-RATE:peak=%" PRIu32 ",mean=%" PRIu32 ",bytes=%" PRIu64 ",duration_us=%" PRIu64 "\n"
	    "#EXT-X-ENDLIST\n",
	    rate->peak, hour_rate_mean(rate), rate->bytes, rate->duration_us);
}

void
hour_write(struct text *out, const struct hour *h)
{
	const struct audio_format *stands = NULL;
	struct hour_rate rate = { 0 };
	hour_write_head(out, h->first_msn, h->segment, h->discontinuity_sequence);
	for (size_t i = 0; i < h->count; i++) {
		const struct hour_entry *e = &h->entries[i];
		const struct audio_format *format = e->gap ? stands : &h->formats[e->format];
		bool same = format == stands || (stands && audio_format_equal(stands, format));
		hour_write_entry(out, e, h->segment, same ? NULL : format);
		hour_rate_add(&rate, e, h->segment);
		stands = format;
	}
	if (h->ended)
		hour_write_tail(out, &rate);
}

bool
hour_entry_follows(const struct hour_entry *before, const struct audio_format *before_format,
    const struct hour_entry *e, const struct audio_format *format)
{
	if (before->msn + 1 != e->msn || before->kind != e->kind || !audio_format_equal(before_format, format))
		return false;
	struct ticks end = ticks_at(before->anchor, before->sample + before->samples, format->rate);
	int64_t jump = ticks_diff(ticks_at(e->anchor, e->sample, format->rate), end);
	uint64_t frame = e->sample == 0 && e->frames ? e->samples / e->frames : 0;
	return llabs(jump) <= (int64_t)ticks_at((struct ticks){ 0 }, frame, format->rate).t;
}

struct hour_entry
hour_gap(uint64_t msn, uint32_t T, enum layout_kind kind, uint64_t discontinuity_sequence)
{
	return (struct hour_entry){
		.msn = msn,
		.start = layout_grid(msn, T),
		.kind = kind,
		.gap = true,
		.discontinuity_sequence = discontinuity_sequence,
		.duration_us = T * 1000000,
	};
}

/* Bits over microseconds as bit/s, rounded up; what does not fit is the largest. */
static uint32_t
bit_rate(uint64_t bytes, uint64_t duration_us)
{
	if (duration_us == 0)
		return 0;
	unsigned __int128 rate = ((unsigned __int128)bytes * 8000000 + duration_us - 1) / duration_us;
	return rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
}

uint32_t
hour_entry_rate(const struct hour_entry *e)
{
	return bit_rate(e->bytes, e->duration_us);
}

void
hour_rate_add(struct hour_rate *rate, const struct hour_entry *e, uint32_t T)
{
	if (e->gap)
		return;
	rate->bytes += e->bytes;
	rate->duration_us += e->duration_us;
	uint32_t peak = hour_entry_rate(e);
	if (e->duration_us >= T * 500000 && peak > rate->peak)
		rate->peak = peak;
}

void
hour_rate_join(struct hour_rate *rate, const struct hour_rate *other)
{
	rate->bytes += other->bytes;
	rate->duration_us += other->duration_us;
	if (other->peak > rate->peak)
		rate->peak = other->peak;
}

uint32_t
hour_rate_mean(const struct hour_rate *rate)
{
	return bit_rate(rate->bytes, rate->duration_us);
}
