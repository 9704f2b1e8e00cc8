/* What is counted. Each thread writes its own set; whoever shows them adds the sets up. */
#ifndef HINDCAST_COUNTERS_H
#define HINDCAST_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "origin/routes.h"

typedef _Atomic uint64_t counter;

#define COUNTERS_CLASSES 4 /* 2xx to 5xx */

struct counters {
	counter requests[ROUTE_KINDS][COUNTERS_CLASSES];
	counter bytes[ROUTE_KINDS];
	counter connections, not_modified, stale, open_errors, over_limit, timed_out;
	counter cache_hits, cache_misses, cache_evicted, cache_bytes, cache_items;
};

/* Only the owning thread writes, so that no read-modify-write has to be atomic. */
static inline void
counter_set(counter *c, uint64_t v)
{
	atomic_store_explicit(c, v, memory_order_relaxed);
}

static inline void
counter_add(counter *c, uint64_t n)
{
	counter_set(c, atomic_load_explicit(c, memory_order_relaxed) + n);
}

#endif
