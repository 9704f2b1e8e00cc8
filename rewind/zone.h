/* Time zones of the IANA database, as a table that is read once and then never changes: any thread may ask. */
#ifndef HINDCAST_ZONE_H
#define HINDCAST_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

/* A date and a time of day as a clock on the wall shows them (proleptic Gregorian calendar). */
struct civil {
	int year, month, day;     /* 2026, 1 to 12, 1 to 31 */
	int hour, minute, second; /* 0 to 23, 0 to 59, 0 to 59 */
};

/* Read a zone such as "Europe/Paris" or "UTC": transitions of 1970 to 2099. Owned by the caller; NULL when this machine
 * (/usr/share/zoneinfo, or $TZDIR) does not know it, or without memory. UTC is known everywhere. */
struct zone *zone_new(const char *name);
/* The same from the bytes of a TZif file, version 2 or later and without leap seconds (RFC 8536); NULL when they are
 * not one, or without memory. */
struct zone *zone_read(const void *tzif, size_t len);
void zone_free(struct zone **z);

/* Seconds east of UTC that are in force at an instant (Unix seconds). */
int32_t zone_offset(const struct zone *z, int64_t unix_s);
/* What the clock on the wall shows at an instant. */
struct civil zone_local(const struct zone *z, int64_t unix_s);
/* The instant (Unix seconds) at which it shows that. A time that comes twice (clocks set back) is the first of the two;
 * one that is skipped (clocks set forward) is the moment at which they are set. Fields out of range carry over, as with
 * timegm: the 32nd of a month is the 1st of the next. */
int64_t zone_instant(const struct zone *z, const struct civil *local);

#endif
