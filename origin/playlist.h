/* Live lists: how fresh they are. */
#ifndef HINDCAST_PLAYLIST_H
#define HINDCAST_PLAYLIST_H

#include <stdbool.h>

#include "base/clock.h"

struct catalogue_station;
struct request;
struct worker;

/* The grid line after the newest segment with media of a rendition; ns 0: it has none, or no live list. */
struct wall playlist_newest_end(struct worker *w, const struct catalogue_station *s, const char *rendition);

/* Older than three segments: a list that ends there is of no use to a listener at live. */
bool playlist_is_stale(const struct worker *w, const struct catalogue_station *s, struct wall newest_end);

/* A list that should reach live and has stopped: with `stale = error` a cache is to ask another origin; with `stale =
 * live` only for a list that is `live`, not for one that begins in the past. true: answered. */
bool playlist_refuse_stale(struct request *r, const struct catalogue_station *s, struct wall newest_end, bool live);

#endif
