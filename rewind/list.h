/* Playlists: pure functions of entries. */
#ifndef HINDCAST_LIST_H
#define HINDCAST_LIST_H

#include "rewind/hour.h"

#define LIST_LIVE_MAX (8u << 20) /* bytes: a day of two-second segments is 4.8 MB */

/* The live media playlist of a rendition (RFC 8216 4.4) over the given entries, oldest first, their numbers
 * consecutive. URIs are relative to the rendition's folder. `independent`: every segment decodes alone (AAC; not MPEG
 * audio, whose bit reservoir leans on the one before). */
void list_live(struct text *out, const struct hour_entry *entries, size_t count, uint32_t T, bool independent);

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
