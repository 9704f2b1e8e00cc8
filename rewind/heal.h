/* Heal: what an hour lacks is fetched from a peer, because names and bytes are the same there (doc/design.md section
 * 7). Only hours that are over, only into gaps, only whole segments that are what their entry says. It happens in three
 * steps, so that fetching never holds up the one who writes:
 *
 *	heal_due                which hours lack something                  any thread
 *	heal_fetch              segments under their own names              any thread, one a rendition at a time
 *	store_rendition_heal    the hour file, by rename                    the rendition's writer (rewind/store.h)
 *
 * The file ".heal" in the rendition's folder names the hour from the first segment on until its hour file and the
 * numbers of all later ones are right: who opens a store that still has it removes what is not listed, and lets the
 * numbers follow. */
#ifndef HINDCAST_HEAL_H
#define HINDCAST_HEAL_H

#include "base/clock.h"
#include "rewind/hour.h"

struct peer;

/* Counters for metrics; written by whoever heals, one aligned word each. */
struct heal_counters {
	uint64_t segments, bytes; /* fetched and good */
	uint64_t hours;           /* hour files that were written anew */
	uint64_t refused_listing; /* hour files that are none, or of another hour or segment duration */
	uint64_t refused_segment; /* segments that are not what their entry says, or whose entry cannot be */
	uint64_t refused_present; /* another file has the name */
	uint64_t peer_failures;   /* not reached, too slow, broken off */
	uint64_t peers_down;      /* at the moment */
};

struct heal {
	int root;                        /* fd of store.path, borrowed */
	const char *station, *rendition; /* borrowed */
	uint32_t T;
	bool packed, sync;
	int64_t min_free; /* with less space than twice this nothing is fetched */
	struct peer *peer;
	struct heal_counters *counters;
};

/* Does an hour lack a file, or has it a gap? Reads the end of the hour file alone. False also for one that is not
 * finished. */
bool heal_due(const struct heal *h, uint64_t hour);

/* Fetch what the hour lacks and the peer has. *found is then owned by the caller (hour_free): all entries of the hour,
 * gaps where there is nothing for us; *count: how many are not. 0; -ENOENT: the peer has no such hour; -EAGAIN: has not
 * finished it; -EHOSTDOWN: it went away, and there may be something in *found nevertheless; -EBADMSG: it sent no good
 * hour file; -ENOSPC: less than twice min_free; -ECANCELED; or another -errno. After a failure with *count 0 nothing is
 * owned. */
int heal_fetch(const struct heal *h, uint64_t hour, struct hour *found, size_t *count);

/* How many segments heal_fetch would fetch, if they are good. Errors as there. */
int heal_look(const struct heal *h, uint64_t hour, size_t *count);

#endif
