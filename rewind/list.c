/* Playlists out of entries. */
#include "rewind/list.h"

#include <inttypes.h>

#include "base/text.h"

#define DATED_EVERY_S 600

static void
write_entry(struct text *out, const struct hour_entry *e, uint32_t T, const char *hour, bool discontinuity, bool dated)
{
	char date[WALL_TEXT_SIZE], path[LAYOUT_NAME_SIZE];
	if (discontinuity)
		text_str(out, LIST_DISCONTINUITY);
	if (dated)
		text_fmt(out, "#EXT-X-PROGRAM-DATE-TIME:%s\n", wall_format(e->start, date));
	text_fmt(out, "%s#EXTINF:%" PRIu32 ".%06" PRIu32 ",\n%s\n", e->gap ? "#EXT-X-GAP\n" : "",
	    e->duration_us / 1000000, e->duration_us % 1000000, layout_segment_path_in(hour, e->msn, T, e->kind, path));
}

void
list_entry_write(struct text *out, const struct hour_entry *e, uint32_t T, bool discontinuity, bool dated)
{
	char hour[LAYOUT_NAME_SIZE];
	layout_hour_name(layout_hour(e->msn, T), hour);
	write_entry(out, e, T, hour, discontinuity, dated);
}

void
list_head_write(struct text *out, const struct list_head *h)
{
	static const char *const type[] = { "", "#EXT-X-PLAYLIST-TYPE:EVENT\n", "#EXT-X-PLAYLIST-TYPE:VOD\n" };
	text_fmt(out,
	    "#EXTM3U\n"
	    "#EXT-X-VERSION:%d\n"
	    "%s"
	    "#EXT-X-TARGETDURATION:%" PRIu32 "\n"
	    "%s"
	    "#EXT-X-MEDIA-SEQUENCE:%" PRIu64 "\n"
	    "#EXT-X-DISCONTINUITY-SEQUENCE:%" PRIu64 "\n"
	    "%s",
	    h->skipped ? 9 : 3, h->independent ? "#EXT-X-INDEPENDENT-SEGMENTS\n" : "", h->T, type[h->type], h->msn,
	    h->discontinuity_sequence, h->type == LIST_EVENT ? LIST_START : "");
	if (h->can_skip)
		text_fmt(out, "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=%" PRIu32 ".0\n", LIST_SKIP_UNTIL * h->T);
	if (h->skipped)
		text_fmt(out, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%zu\n", h->skipped);
}

void
list_live(struct text *out, const struct hour_entry *entries, size_t count, uint32_t T, bool independent)
{
	const struct hour_entry *first = count ? &entries[0] : &(struct hour_entry){ 0 };
	list_head_write(out, &(struct list_head){ .type = LIST_SLIDING,
				 .T = T,
				 .independent = independent,
				 .msn = first->msn,
				 .discontinuity_sequence = first->discontinuity_sequence - first->discontinuity });
	for (size_t i = 0; i < count; i++)
		list_entry_write(out, &entries[i], T, entries[i].discontinuity, true);
}

/* Does a line of ten minutes lie between the segment before and this one? */
static bool
is_dated(uint64_t msn, uint32_t T)
{
	return msn == 0 || msn * T / DATED_EVERY_S != (msn - 1) * T / DATED_EVERY_S;
}

void
list_entries_write(struct text *out, const struct hour_entry *entries, size_t count, uint32_t T, enum list_form form)
{
	bool first = true, hole = false;
	char hour[LAYOUT_NAME_SIZE];
	layout_hour_name(count ? layout_hour(entries[0].msn, T) : 0, hour);
	for (size_t i = 0; i < count; i++) {
		const struct hour_entry *e = &entries[i];
		if (e->gap && form == LIST_CLOSED) {
			hole = true;
			continue;
		}
		bool discontinuity = e->discontinuity || hole;
		write_entry(out, e, T, hour, discontinuity, first || discontinuity || is_dated(e->msn, T));
		first = hole = false;
	}
}

static bool
all_independent(const struct list_variant *variants, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (variants[i].format.codec != CODEC_AAC)
			return false;
	return count > 0;
}

void
list_multivariant(struct text *out, const struct list_variant *variants, size_t count)
{
	text_str(out, "#EXTM3U\n#EXT-X-VERSION:3\n");
	if (all_independent(variants, count))
		text_str(out, "#EXT-X-INDEPENDENT-SEGMENTS\n");
	for (size_t i = 0; i < count; i++) {
		const struct list_variant *v = &variants[i];
		text_fmt(out,
		    "#EXT-X-STREAM-INF:BANDWIDTH=%" PRIu32 ",AVERAGE-BANDWIDTH=%" PRIu32 ",CODECS=\"%s\"\n"
		    "%s/index.m3u8\n",
		    list_rate_step(v->peak), list_rate_step(v->mean), audio_format_codecs(&v->format), v->rendition);
	}
}

uint32_t
list_rate_step(uint32_t rate)
{
	if (rate == 0)
		return 0;
	/* 1.05^n with 64 bits behind the point: cut off at every step, which is far from showing after the 455 steps to
	 * 2^32 */
	const unsigned __int128 one = (unsigned __int128)1 << 64;
	for (unsigned __int128 power = one;; power = power * 21 / 20) {
		uint64_t step = (uint64_t)((power + one / 2) >> 64);
		if (step > UINT32_MAX)
			return UINT32_MAX;
		if (step >= rate)
			return (uint32_t)step;
	}
}
