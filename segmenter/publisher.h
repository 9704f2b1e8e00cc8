/* What the inputs of this process deliver, also to [publish]; and inputs of renditions that are cut elsewhere, for
 * which there is no [rendition] here. */
#ifndef HINDCAST_PUBLISHER_H
#define HINDCAST_PUBLISHER_H

#include <stdbool.h>
#include <uv.h>

#include "base/config.h"
#include "relay/publish.h"
#include "segmenter/input/input.h"

struct rtp_inputs;
struct publisher;

struct publisher_context {
	uv_loop_t *loop;
	const struct config *config; /* has a section [publish] */
	struct frame_pool *pool;
	const struct timebase *timebase;
	struct rtp_inputs *rtp_inputs; /* those of type = rtp are added here */
};

/* All is borrowed. 0 with *out owned by the caller, or -1 with lines in `errors`. */
int publisher_open(const struct publisher_context *context, struct publisher **out, struct text *errors);
/* Open the inputs that have no [rendition] here. 0, or -1 with lines in `errors`. */
int publisher_start(struct publisher *p, struct text *errors);
/* The inputs are closed, what waits is sent; the loop ends it. No sink of publisher_tap may be called any more. */
void publisher_close(struct publisher **p);

/* A sink that publishes, then passes on to `next`. Where `p` is NULL it is `next` itself. */
struct input_sink publisher_tap(
    struct publisher *p, const char *rendition, const char *input, const struct input_sink *next);

/* Once a tick, after all inputs. */
void publisher_tick(struct publisher *p, struct mono now);

/* Is there a destination that takes, and does every own input deliver? Reasons, a line each, go to `why`. */
bool publisher_healthy(const struct publisher *p, struct text *why);

const struct publish *publisher_publish(const struct publisher *p);
/* The i-th own input and its labels; NULL when there are no more. */
const struct input *publisher_input(const struct publisher *p, unsigned i, const char **labels);

#endif
