/* A VOD playlist out of entries. */
#include "rewind/export_list.h"

#include <inttypes.h>

#include "base/text.h"

#define DATED_NS (600 * NS_PER_S)

static void
write_head(const struct vod_list *list, struct text *out, const struct hour_entry *first)
{
	text_fmt(out,
	    "#EXTM3U\n"
	    "#EXT-X-VERSION:3\n"
	    "%s"
	    "#EXT-X-PLAYLIST-TYPE:VOD\n"
	    "#EXT-X-TARGETDURATION:%" PRIu32 "\n"
	    "#EXT-X-MEDIA-SEQUENCE:%" PRIu64 "\n"
	    "#EXT-X-DISCONTINUITY-SEQUENCE:%" PRIu64 "\n",
	    list->independent ? "#EXT-X-INDEPENDENT-SEGMENTS\n" : "", list->target, first->msn,
	    first->discontinuity_sequence);
}

void
vod_list_entries(struct vod_list *list, struct text *out, const struct hour_entry *entries, size_t count, bool hole)
{
	for (size_t i = 0; i < count; i++) {
		const struct hour_entry *e = &entries[i];
		char date[WALL_TEXT_SIZE], path[LAYOUT_NAME_SIZE];
		hole = hole || e->gap || e->discontinuity;
		if (e->gap)
			continue;
		/* before the first entry there is nothing that it could go on from */
		bool discontinuity = hole && list->any;
		if (!list->any)
			write_head(list, out, e);
		if (discontinuity)
			text_str(out, "#EXT-X-DISCONTINUITY\n");
		if (!list->any || discontinuity || e->start.ns - list->dated.ns >= DATED_NS) {
			text_fmt(out, "#EXT-X-PROGRAM-DATE-TIME:%s\n", wall_format(e->start, date));
			list->dated = e->start;
		}
		text_fmt(out, "#EXTINF:%" PRIu32 ".%06" PRIu32 ",\n%s\n", e->duration_us / 1000000,
		    e->duration_us % 1000000, layout_segment_path(e->msn, list->T, e->kind, path));
		list->any = true;
		hole = false;
	}
}

void
vod_list_end(struct text *out)
{
	text_str(out, "#EXT-X-ENDLIST\n");
}
