/* Healing a station that no segmenter writes: what `rewind heal` does. */
#ifndef HINDCAST_HEAL_STATION_H
#define HINDCAST_HEAL_STATION_H

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/config.h"
#include "rewind/heal.h"

struct heal_station {
	int root;                    /* fd of the store, borrowed */
	const struct config *config; /* describes store and station, borrowed */
	const char *station;         /* borrowed, as all here */
	const char *rendition;       /* NULL: all of the station */
	const char *peer;            /* URLs; NULL: those of [store] */
	struct wall from, to;        /* hours that have a part in [from, to) */
	struct wall now;
	bool look; /* only say what would be fetched */
	FILE *out; /* a line for each hour, and for what is wrong */
	/* what came of it */
	struct heal_counters counters;
	uint64_t there; /* segments that the peers have for us; with `look` alone */
	uint64_t left;  /* hours that still lack something that a peer may have */
};

enum heal_result {
	HEAL_DONE,    /* all is here that the peers have */
	HEAL_LEFT,    /* a peer did not answer, or sent what was refused; what was good is entered */
	HEAL_MISUSED, /* not described, no peer, or somebody else writes the station */
};

/* Newest hours first, one after the other, over all retained hours that are over. Holds the locks of the station and
 * of all its renditions meanwhile; `look` needs none. Lists follow. */
enum heal_result heal_station(struct heal_station *s);

#endif
