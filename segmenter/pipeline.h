/* The whole of the segmenter: inputs > merge > cut > write, for all stations of a configuration, in one loop. */
#ifndef HINDCAST_PIPELINE_H
#define HINDCAST_PIPELINE_H

#include <stdbool.h>
#include <uv.h>

#include "base/config.h"
#include "base/text.h"

struct pipeline;

/* Open the store (recovering what a crash left), the inputs and the listeners. `config` is borrowed and has been
 * checked. 0 with *out owned by the caller; -1 with lines in `errors`. */
int pipeline_open(uv_loop_t *loop, const struct config *config, struct pipeline **out, struct text *errors);
/* End: inputs are closed, complete segments are written, the unfinished one stays in the journal for the next start. */
void pipeline_close(struct pipeline **p);

/* Called once when every input has come to its end (all are pace = none). */
void pipeline_on_end(struct pipeline *p, void (*ended)(void *ctx), void *ctx);

/* Prometheus text of everything. */
void pipeline_metrics(struct pipeline *p, struct text *out);
/* What comes in and what is on air: JSON (status.h). */
void pipeline_status(struct pipeline *p, struct text *out);
/* Choose an input of a rendition ("fip/hifi") by hand; "": lift the choice. 0, -ENOENT when there is no such rendition
 * or input, or -errno when it cannot be kept over a restart. */
int pipeline_choose(struct pipeline *p, const char *rendition, const char *input);
/* Is every rendition's newest segment at most 3 T old? Reasons, a line each, go to `why`. */
bool pipeline_healthy(struct pipeline *p, struct text *why);

#endif
