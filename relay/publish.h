/* Publishing: every run of every input, as the same packets to every destination of [publish]. */
#ifndef HINDCAST_PUBLISH_H
#define HINDCAST_PUBLISH_H

#include <uv.h>

#include "base/clock.h"
#include "base/config.h"
#include "relay/exchange.h"
#include "relay/rtp_run.h"

struct text;
struct publish;
struct publish_source;

struct publish_counters {
	uint64_t sources; /* gauge: inputs */
	uint64_t runs, frames, packets;
	uint64_t frames_refused; /* cannot be sent: see the log */
	uint64_t frames_old;     /* too far from the present to be of use to anybody */
	uint64_t queue_full;     /* packets that found too many waiting for UDP */
};

struct publish_destination_counters {
	uint64_t up, packets, bytes, dropped, errors, connects, disconnects, connect_errors, queued;
};

/* Frames that lie further than this from the present are not sent. */
#define PUBLISH_AWAY (60 * NS_PER_S)

/* `settings` is borrowed. 0 with *out owned by the caller, or -1 with lines in `errors`. */
int publish_open(uv_loop_t *loop, const struct publish_settings *settings, struct publish **out, struct text *errors);
/* What waits is sent; begins to close, the loop ends it. */
void publish_close(struct publish **p);

/* An input: `mid` "fip.hifi", `rid` "main". Owned by *p. NULL without memory. */
struct publish_source *publish_source(struct publish *p, const char *mid, const char *rid);
/* The next frame of an input. A frame of another run id ends the run before. `f` is borrowed. */
void publish_frame(struct publish_source *s, const uint8_t run_id[static RTP_RUN_ID], const struct audio_format *format,
    const struct rtp_frame *f);
/* Once a tick, after its frames: they go out. */
void publish_tick(struct publish *p, struct mono now, struct wall wall);

const struct publish_counters *publish_counters(const struct publish *p);
/* The i-th destination: its URL as it may be shown, and its counters in *out; NULL when there are no more. */
const char *publish_destination(const struct publish *p, unsigned i, struct publish_destination_counters *out);

#endif
