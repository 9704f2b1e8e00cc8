/* Problem documents (RFC 9457): errors that a machine can read and a person understands. */
#ifndef HINDCAST_PROBLEM_H
#define HINDCAST_PROBLEM_H

#include <stdint.h>

struct text;

#define PROBLEM_TYPE "application/problem+json"

struct problem {
	unsigned status;
	const char *detail;    /* what is wrong with this request, and what to do; NULL: nothing to add */
	const char *parameter; /* the query parameter that is at fault, or NULL */
	int64_t retry_after_s; /* when to ask again; 0: not said */
};

/* {"type":"about:blank","title":"Not Found","status":404,"detail":"…","parameter":"…"}: type about:blank says that
 * the status tells it all (RFC 9457 4.2.1). */
void problem_write(struct text *out, const struct problem *p);

#endif
