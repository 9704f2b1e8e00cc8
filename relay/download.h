/* An endless GET /rtp from a relay: its history since an instant, then what comes, in the framing of RFC 4571. A relay
 * sends an empty packet when the history is over, and one each second in which it had nothing else. */
#ifndef HINDCAST_DOWNLOAD_H
#define HINDCAST_DOWNLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/transfer.h"

struct download_counters {
	uint64_t bytes;
	uint64_t broken; /* streams whose framing was lost */
};

struct download_sink {
	void (*packet)(void *ctx, const uint8_t *data, size_t len);
	void *ctx;
};

struct download;

/* 0 with *out owned by the caller, or -1 with a line in `errors`. */
int download_open(
    const char *url, const char *ca_file, const struct download_sink *sink, struct download **out, struct text *errors);
void download_close(struct download **d);

/* Is it time to connect (again)? Then the query is wanted. */
bool download_due(const struct download *d, struct mono now);
void download_begin(struct download *d, struct mono now, const char *query);
/* Once a tick: packets go to the sink. */
void download_tick(struct download *d, struct mono now);

/* Has the history of the present connection come? */
bool download_live(const struct download *d);
/* Is it connected, or being connected? */
bool download_running(const struct download *d);
/* When bytes came last; ns 0: never. */
struct mono download_heard(const struct download *d);

const char *download_shown(const struct download *d);
const struct download_counters *download_counters(const struct download *d);
const struct transfer_counters *download_transfer(const struct download *d);

#endif
