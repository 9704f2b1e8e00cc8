/* One endless HTTP exchange with a relay's /rtp, begun again whenever it ends: what uploads and downloads have in
 * common.
 *
 * libcurl works in transfer_perform, once a tick; its sockets are not in the loop. Failures to connect are told once,
 * until it comes. */
#ifndef HINDCAST_TRANSFER_H
#define HINDCAST_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/clock.h"

struct text;

struct transfer_counters {
	uint64_t up; /* gauge: 1 while it is connected */
	uint64_t connects, disconnects, connect_errors;
};

struct transfer {
	CURLM *multi;
	CURL *easy;  /* set up once; the user adds his own options after transfer_open */
	char *url;   /* without a query */
	char *shown; /* for the log: without what may be secret */
	char error[CURL_ERROR_SIZE];
	struct backoff backoff;
	bool running, said;
	bool at_once;            /* it was up for long: the next try does not wait */
	struct mono begun, came; /* when the present try began, and when it was up */
	struct transfer_counters counters;
};

/* `url` as in http://HOST:PORT; without a path it is that of /rtp. `ca_file` may be NULL. `key` for errors: "[publish]
 * to". 0, or -1 with a line in `errors`; transfer_close is right in either case. */
int transfer_open(struct transfer *t, const char *url, const char *ca_file, const char *key, struct text *errors);
void transfer_close(struct transfer *t);

/* Is it time to begin? */
bool transfer_due(const struct transfer *t, struct mono now);
/* Begin; `query` is "since=…" or NULL. A failure counts as one to connect. */
void transfer_begin(struct transfer *t, struct mono now, const char *query);
/* It is connected, and bytes flow: to be said once each time. */
void transfer_up(struct transfer *t, struct mono now);
/* Let libcurl work; true if it still runs afterwards. */
bool transfer_perform(struct transfer *t, struct mono now);
/* Give the present exchange up, if there is one. */
void transfer_drop(struct transfer *t, struct mono now, const char *why);

#endif
