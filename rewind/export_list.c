/* A VOD playlist out of entries. */
#include "rewind/export_list.h"

#include "base/text.h"
#include "rewind/list.h"

#define DATED_NS (600 * NS_PER_S)

void
vod_list_entries(struct vod_list *list, struct text *out, const struct hour_entry *entries, size_t count, bool hole)
{
	for (size_t i = 0; i < count; i++) {
		const struct hour_entry *e = &entries[i];
		hole = hole || e->gap || e->discontinuity;
		if (e->gap)
			continue;
		/* before the first entry there is nothing that it could go on from */
		bool discontinuity = hole && list->any;
		if (!list->any)
			list_head_write(out, &(struct list_head){ .type = LIST_VOD,
						 .T = list->target,
						 .independent = list->independent,
						 .msn = e->msn,
						 .discontinuity_sequence = e->discontinuity_sequence });
		bool dated = !list->any || discontinuity || e->start.ns - list->dated.ns >= DATED_NS;
		if (dated)
			list->dated = e->start;
		list_entry_write(out, e, list->T, discontinuity, dated);
		list->any = true;
		hole = false;
	}
}

void
vod_list_end(struct text *out)
{
	text_str(out, LIST_END);
}
