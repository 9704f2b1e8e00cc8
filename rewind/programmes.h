/* A station's programmes from an iCalendar file (RFC 5545): RRULE, RDATE, EXDATE, overrides by RECURRENCE-ID, time
 * zones. */
#ifndef HINDCAST_PROGRAMMES_H
#define HINDCAST_PROGRAMMES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* One broadcast of a programme. */
struct programme {
	char *id;    /* "20261121T080000Z-1a2b3c4d": the instant that its rule gives, and a hash of its UID; a broadcast
			that    is moved keeps it */
	char *title; /* SUMMARY; UTF-8 without control characters */
	char *description; /* or NULL */
	char *url;         /* http or https, or NULL */
	struct wall start, end;
};

/* Immutable once made; counted, any thread. */
struct programmes {
	atomic_uint refs;
	struct programme *list; /* by start, then id */
	size_t count;
};

#define PROGRAMMES_MOST 20000          /* broadcasts in one table */
#define PROGRAMMES_FILE_MOST (4 << 20) /* bytes of a file */

/* Read the text of an iCalendar file: the broadcasts that overlap [from, to). Times without a zone are local times in
 * `timezone` (IANA name). 0 with *out, one reference owned by the caller; -1 with *out untouched and `why` saying line
 * or event and fault. Nothing is half taken: a file with a broken event is refused. */
int programmes_parse(const char *text, size_t len, const char *timezone, struct wall from, struct wall to,
    struct programmes **out, char why[static 160]);
struct programmes *programmes_ref(struct programmes *p); /* NULL gives NULL */
void programmes_unref(struct programmes **p);

/* The one that is on at an instant (of several the one that began last), or NULL. */
const struct programme *programmes_at(const struct programmes *p, struct wall at);
const struct programme *programmes_find(const struct programmes *p, const char *id);

#endif
