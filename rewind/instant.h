/* The words for time that listeners and command lines use: instants and durations. All forms are in doc/time.md.
 *
 *	2026-11-21T09:00:00Z  2026-11-21T09:00:00+01:00  20261121T080000Z  1795248000    fixed
 *	2026-11-21T09:00  2026-11-21T09:00:30  2026-11-21 (midnight)                     local, dated
 *	09:00  9:00  09:00:30  9am  9:30pm                                               local, the latest that is past
 *	now  -30m  -1h30m  -3600                                                         relative to now
 */
#ifndef HINDCAST_INSTANT_H
#define HINDCAST_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "rewind/zone.h"

enum instant_kind { INSTANT_FIXED, INSTANT_DATED, INSTANT_CLOCK, INSTANT_RELATIVE };

struct instant {
	enum instant_kind kind;
	struct wall at;     /* FIXED */
	struct civil local; /* DATED; CLOCK: its time of day */
	int64_t ago_ns;     /* RELATIVE: not negative */
};

/* Read one, decoded ("+" in a query stands for a space: "2026-11-21T09:00:00 01:00" is taken for +01:00). Instants lie
 * in 1970 to 2099. 0, or -1 with *out untouched. */
int instant_parse(const char *text, struct instant *out);
/* When it is. */
struct wall instant_resolve(const struct instant *i, struct wall now, const struct zone *z);
/* Does it stay the same as time goes on? */
static inline bool
instant_is_fixed(const struct instant *i)
{
	return i->kind == INSTANT_FIXED || i->kind == INSTANT_DATED;
}

/* "90m", "1h30m", "1d", "5400" (seconds), "90s": positive, at most 100 years. 0 or -1 with *ns untouched. `zero`: 0 is
 * taken too. */
int duration_parse(const char *text, bool zero, int64_t *ns);

#endif
