/* Checking a store against its promises: what `rewind verify` does. A segmenter may be writing meanwhile. */
#ifndef HINDCAST_VERIFY_H
#define HINDCAST_VERIFY_H

#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "rewind/inventory.h"

struct verify {
	int root;             /* fd of the store, borrowed */
	struct wall from, to; /* segments whose grid lines lie in [from, to); the ends of time for all */
	FILE *out;            /* one line a fault: "fip/hifi/20261121T09/20261121T090006Z.ts: …"; borrowed */
	/* counters, readable by all */
	uint64_t segments, gaps, hours, faults;
};

/* One rendition: every listed segment is there, whole, with the counters, PTS, duration, size and xxh64 that its entry
 * says; every hour dense and, when finished, complete; discontinuity numbers going on from hour to hour; no segment
 * that is not listed; the live list made of the newest entries. Faults are written and counted. */
void verify_rendition(struct verify *v, const struct inventory_name *name);

/* The multivariant list of a station: its renditions are there, CODECS are those of the newest segments, BANDWIDTH is
 * true within 5 %. */
void verify_station(struct verify *v, const char *station);

#endif
