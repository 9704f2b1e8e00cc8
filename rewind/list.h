/* Playlists: pure functions of entries. */
#ifndef HINDCAST_LIST_H
#define HINDCAST_LIST_H

#include "rewind/hour.h"

#define LIST_LIVE_MAX (8u << 20) /* bytes: a day of two-second segments is 4.8 MB */

/* The live media playlist of a rendition (RFC 8216 4.4) over the given entries, oldest first, their numbers
 * consecutive. URIs are relative to the rendition's folder. `independent`: every segment decodes alone (AAC; not MPEG
 * audio, whose bit reservoir leans on the one before). */
void list_live(struct text *out, const struct hour_entry *entries, size_t count, uint32_t T, bool independent);

/* How holes stand in a list over a span (doc/design.md section 8). */
enum list_form {
	LIST_DENSE,  /* as EXT-X-GAP: the list may still grow, its numbers are the clock */
	LIST_CLOSED, /* left out, one EXT-X-DISCONTINUITY for each: players that stall at gaps play on; numbers count on
		      */
};

enum list_type { LIST_SLIDING, LIST_EVENT, LIST_VOD };

struct list_head {
	enum list_type type;                  /* EVENT: players are told to start at the beginning, EXT-X-START */
	uint32_t T;                           /* TARGETDURATION */
	bool independent;                     /* every segment decodes alone */
	bool can_skip;                        /* delta updates are to be had */
	uint64_t msn, discontinuity_sequence; /* of the first segment; before its own EXT-X-DISCONTINUITY */
	size_t skipped; /* a delta update: so many segments are replaced by EXT-X-SKIP; 0: a full list */
};
/* What stands before the segments. */
void list_head_write(struct text *out, const struct list_head *h);

/* Entries of one hour, numbers consecutive. The first that is listed has a date, and so has one behind a discontinuity
 * or a line of ten minutes: so the text does not depend on what stands before it in a list, and is made once. */
void list_entries_write(
    struct text *out, const struct hour_entry *entries, size_t count, uint32_t T, enum list_form form);

/* One entry; `dated`: with its EXT-X-PROGRAM-DATE-TIME. */
void list_entry_write(struct text *out, const struct hour_entry *e, uint32_t T, bool discontinuity, bool dated);

#define LIST_DISCONTINUITY "#EXT-X-DISCONTINUITY\n"
#define LIST_END "#EXT-X-ENDLIST\n"
/* Delta updates leave out what is further from the end than this many T (RFC 8216bis 4.4.3.8). */
#define LIST_SKIP_UNTIL 6
/* So a player starts at the beginning of a list that grows. An offset of 0 is taken for none by some. */
#define LIST_START "#EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES\n"

struct list_variant {
	const char *rendition; /* folder name; its list is RENDITION/index.m3u8 */
	struct audio_format format;
	uint32_t peak, mean; /* bit/s measured; list_rate_step()ed when written */
};
/* The live multivariant playlist. Nothing but the header when count is 0. */
void list_multivariant(struct text *out, const struct list_variant *variants, size_t count);

/* The smallest of round(1.05^n) that is not below `rate`: declared rates rarely change. 0 gives 0. Integer arithmetic,
 * the same on every host. */
uint32_t list_rate_step(uint32_t rate);

#endif
