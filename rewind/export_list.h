/* The list of an exported span: a media playlist that is complete and never changes (RFC 8216 4.3.3.5, VOD). */
#ifndef HINDCAST_EXPORT_LIST_H
#define HINDCAST_EXPORT_LIST_H

#include "rewind/hour.h"

struct text;

/* Its state while it is written; a zeroed one begins. Only T and the two below are the caller's. */
struct vod_list {
	uint32_t T;       /* seconds, of the names */
	uint32_t target;  /* TARGETDURATION */
	bool independent; /* every segment decodes alone (rewind/list.h) */
	/* private */
	bool any;
	struct wall dated; /* of the newest PROGRAM-DATE-TIME */
};

/* Append entries, oldest first; the head of the list comes before the first one. Gap entries are left out. `hole`:
 * between the entry before and the first of these media is missing. A hole of any length is one EXT-X-DISCONTINUITY, so
 * numbers in the list go on where those of the store do not. PROGRAM-DATE-TIME stands on the first entry, behind every
 * discontinuity and every ten minutes. */
void vod_list_entries(
    struct vod_list *list, struct text *out, const struct hour_entry *entries, size_t count, bool hole);
/* The end of the list. */
void vod_list_end(struct text *out);

#endif
