/* The programmes of all stations, kept as their iCalendar files are. One thread looks at the files, all threads ask. */
#ifndef HINDCAST_SCHEDULE_H
#define HINDCAST_SCHEDULE_H

#include "base/clock.h"
#include "rewind/programmes.h"

struct config;
struct schedule;

/* A schedule without stations; NULL without memory. */
struct schedule *schedule_new(void);
void schedule_free(struct schedule **s);
/* Go by this configuration from the next look on. What is known of files that stay is kept. 0 or -1 without memory. */
int schedule_configure(struct schedule *s, const struct config *c);
/* Look at the files: read those that have changed, and all once an hour, since a table reaches only some days far. A
 * file that is bad or gone leaves the table as it was, and is logged once. libical is for one thread: so is this. */
void schedule_look(struct schedule *s, struct wall now);
/* The programmes of a station, a reference that the caller owns; NULL when none are known. Any thread. */
struct programmes *schedule_get(struct schedule *s, const char *station);

#endif
