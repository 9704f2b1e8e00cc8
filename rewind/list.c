/* Playlists out of entries. */
#include "rewind/list.h"

#include <inttypes.h>

#include "base/text.h"

static void
write_entry(struct text *out, const struct hour_entry *e, uint32_t T)
{
	char date[WALL_TEXT_SIZE], path[LAYOUT_NAME_SIZE];
	text_fmt(out, "%s#EXT-X-PROGRAM-DATE-TIME:%s\n%s#EXTINF:%" PRIu32 ".%06" PRIu32 ",\n%s\n",
	    e->discontinuity ? "#EXT-X-DISCONTINUITY\n" : "", wall_format(e->start, date), e->gap ? "#EXT-X-GAP\n" : "",
	    e->duration_us / 1000000, e->duration_us % 1000000, layout_segment_path(e->msn, T, e->kind, path));
}

void
list_live(struct text *out, const struct hour_entry *entries, size_t count, uint32_t T, bool independent)
{
	const struct hour_entry *first = count ? &entries[0] : &(struct hour_entry){ 0 };
	text_fmt(out,
	    "#EXTM3U\n"
	    "#EXT-X-VERSION:3\n"
	    "%s"
	    "#EXT-X-TARGETDURATION:%" PRIu32 "\n"
	    "#EXT-X-MEDIA-SEQUENCE:%" PRIu64 "\n"
	    "#EXT-X-DISCONTINUITY-SEQUENCE:%" PRIu64 "\n",
	    independent ? "#EXT-X-INDEPENDENT-SEGMENTS\n" : "", T, first->msn,
	    first->discontinuity_sequence - first->discontinuity);
	for (size_t i = 0; i < count; i++)
		write_entry(out, &entries[i], T);
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
