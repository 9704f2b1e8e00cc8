/* Subscribing: packets from all relays and sockets of [subscribe], each frame once, to whoever wants it.
 *
 * A relay is asked for what it has since the first frame that is of use. As long as it brings history, what has not
 * come yet may still come: subscribe_history says up to where decisions can be made. */
#ifndef HINDCAST_SUBSCRIBE_H
#define HINDCAST_SUBSCRIBE_H

#include <stdbool.h>
#include <uv.h>

#include "base/clock.h"
#include "relay/exchange.h"
#include "relay/rtp_run.h"
#include "relay/unpacker.h"

struct text;
struct subscribe;

/* Frames of different inputs do not come in the order of their stamps: what is older than the newest by so much may be
 * taken to have come. */
#define SUBSCRIBE_MARGIN (2 * NS_PER_S)

struct subscribe_sink {
	/* A run begins to come: whose it is, handed back with its frames; NULL when nobody wants it. */
	void *(*begin)(void *ctx, const struct rtp_run *run);
	/* A frame, borrowed, in any order. `path`: from 0, in the order of `from`. */
	void (*frame)(void *ctx, void *owner, const struct rtp_run *run, const struct rtp_frame *f, unsigned path);
	/* Wall time of the oldest frame that is of use now; ns 0: nothing is known. */
	struct wall (*wanted)(void *ctx);
	void *ctx;
};

struct subscribe_counters {
	uint64_t frames;
	uint64_t frames_unknown; /* of renditions or inputs that nobody wants */
	uint64_t runs;           /* gauge: known now */
	uint64_t kept_bytes;     /* gauge: of packets whose run is not known yet */
	/* packets that were not taken */
	uint64_t malformed, foreign, mismatched, forged, in_clear, no_key, bad_payload, bad_names, no_room;
	uint64_t frames_broken; /* of which fragments are missing */
};

struct subscribe_path_counters {
	uint64_t up, packets, bytes, copies, lost, connects, disconnects, connect_errors;
	uint64_t overflows; /* UDP: dropped by the kernel */
};

/* `settings` is borrowed. `mids`: "&mid=fip.hifi&mid=…", what relays are asked for, or "" for everything; borrowed. 0
 * with *out owned by the caller, or -1 with lines in `errors`. */
int subscribe_open(uv_loop_t *loop, const struct subscribe_settings *settings, const char *mids,
    const struct subscribe_sink *sink, struct subscribe **out, struct text *errors);
/* Begins to close; the loop ends it. The sink is not called any more. */
void subscribe_close(struct subscribe **s);

/* Connect, receive. `full`: the regular tick; any other only lets history come faster. */
void subscribe_tick(struct subscribe *s, struct mono now, struct wall wall, bool full);
/* Is history still coming? Then *frontier is up to where it has come: from what is before it nothing more is to be
 * expected. It ends for each relay when it says so, when it cannot be reached, or when it has brought nothing new for
 * 5 s; and for all after 30 s. */
bool subscribe_history(const struct subscribe *s, struct wall *frontier);

/* Brings *s up to date. */
const struct subscribe_counters *subscribe_counters(struct subscribe *s);
/* The i-th relay or socket as it may be shown, its counters in *out; NULL when there are no more. */
const char *subscribe_path(const struct subscribe *s, unsigned i, struct subscribe_path_counters *out);

#endif
