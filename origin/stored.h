/* Files of the store and of the player page, through the thread's cache: looked at again at most ten times a second. */
#ifndef HINDCAST_STORED_H
#define HINDCAST_STORED_H

#include "origin/cache.h"
#include "rewind/layout.h"

struct worker;

/* Borrowed items: valid until the next call of any of these. All give NULL with *error, a negative errno; -ENOENT also
 * for what must not be shown (folders, links that lead out). */

/* "fip/index.m3u8": a list that grows. T decides its freshness, and what `newest_end` is counted in. */
struct cache_item *stored_list(struct worker *w, const char *path, uint32_t T, int *error);

/* The hour file of a rendition, closed or growing; of the latter its complete entries. */
struct cache_item *stored_hour(struct worker *w, const char *station, const char *rendition, uint64_t hour, int *error);

/* Its entries: a reference that the caller owns. `look`: whatever was known of it, look at the file now. -EBADMSG: it
 * is there and cannot be read, which is logged. */
struct hour_copy *stored_entries(
    struct worker *w, const char *station, const char *rendition, uint64_t hour, bool look, int *error);

/* It will be wanted in a moment: begin to read it from the disk, unless it is kept already. */
void stored_expect_entries(struct worker *w, const char *station, const char *rendition, uint64_t hour);

/* "fip/hifi/20261121T09/20261121T090006Z.ts". In memory when it is new or asked for again. */
struct stored_segment {
	const char *path, *station, *rendition;
	uint64_t hour;
	struct wall grid;
};
struct cache_item *stored_segment(struct worker *w, const struct stored_segment *s, int *error);

/* Any other file, beneath the store or the player's folder. */
struct cache_item *stored_file(struct worker *w, enum cache_space space, const char *path, int *error);

#endif
