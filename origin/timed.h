/* Requests with time parameters: from a past instant on, a past span, or live with a delay. doc/time.md. */
#ifndef HINDCAST_TIMED_H
#define HINDCAST_TIMED_H

#include <stdbool.h>

#include "origin/target.h"
#include "rewind/resolve.h"

struct catalogue_station;
struct request;

/* The time parameters of a query. */
struct timed {
	struct target_parameter value[5]; /* what `request` points into */
	struct time_request request;
	bool given; /* there is one at least */
	bool skip;  /* a delta update is wanted: _HLS_skip */
};

/* Read them. false: one is given twice or too long, which has been answered. */
bool timed_read(struct request *r, struct timed *t);

/* Answer a request for the multivariant, or a media playlist of a rendition; t->given. */
void timed_multivariant(struct request *r, const struct catalogue_station *s, const struct timed *t);
void timed_media(struct request *r, const struct catalogue_station *s, const struct timed *t);

#endif
