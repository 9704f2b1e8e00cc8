/* An input: one way in which a rendition's audio arrives. It finds the frames in a transport's bytes (media/framer.h),
 * stamps them (stamp.h) and passes runs of stamped frames on. */
#ifndef HINDCAST_INPUT_H
#define HINDCAST_INPUT_H

#include "base/clock.h"
#include "media/format.h"
#include "segmenter/frame.h"
#include "segmenter/input/transport.h"
#include "segmenter/settings.h"

/* Where an input's frames go. */
struct input_sink {
	/* Takes over the frame's reference. The run of the frame is borrowed during the call; a run's frames come one
	 * after the other, without those of others between them. */
	void (*frame)(void *ctx, const struct frame_run *run, struct frame f);
	void *ctx;
};

struct input_counters {
	uint64_t frames, runs, jumps, format_changes, refused, timeouts;
	uint64_t frames_damaged, bytes_skipped, tags_skipped; /* of the framer, over all runs */
	uint64_t frames_dropped;                              /* no memory */
	uint64_t up;                                          /* 1 while a transport is connected */
};

struct input_context {
	uv_loop_t *loop;
	struct frame_pool *pool;
	const struct timebase *timebase; /* borrowed; what `now` is in wall time */
	struct input_sink sink;
};

/* `settings` is borrowed. 0 with *out owned by the caller; -1 with lines in `errors`. `wanted`: the wall time of the
 * first frame that is of use (the end of what the store has), or ns 0. */
int input_open(const struct input_context *context, const struct input_settings *settings, struct wall wanted,
    struct input **out, struct text *errors);
void input_close(struct input **in);

/* What has arrived and was not passed on yet, added to `out` as bytes for input_restore in the process that comes
 * after. Nothing when there is nothing, or when the input has a `start` (what is laid in can be had again). */
void input_save(struct input *in, struct text *out);
/* Go on with what input_save gave, before the first tick: a FIFO still has the bytes that follow, so its run goes on;
 * what a connection had delivered is passed on as a run that is over. Bytes that are none of these are ignored. */
void input_restore(struct input *in, struct mono now, const void *data, size_t len);

/* Once a tick: let the transport read, frames flow, time pass. Frames of an input with `start` that begin at or after
 * `limit` are left for later. */
void input_tick(struct input *in, struct mono now, struct wall limit);

/* Does it lie behind the present, with more to be had at once: a file, or what is laid in from `start`? Its frontier
 * then is the wall time up to which it has delivered. */
bool input_catching_up(const struct input *in, struct wall *frontier);
/* Is it never made to wait (pace = none)? */
bool input_unpaced(const struct input *in);
/* Wall time after the last frame that was passed on. */
struct wall input_delivered(const struct input *in);
/* Has it come to its end for good (a file without loop, standard input)? */
bool input_ended(const struct input *in);

const struct input_counters *input_counters(const struct input *in);

#endif
