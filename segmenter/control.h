/* Control of the segmenter, on a listener of its own:
 *	GET /control/status                          what comes in and what is on air, as JSON (status.h)
 *	POST /control/{station}/{rendition}/input    body: the name of the input to choose; empty or "auto" lifts the
 *choice With a token every request needs "Authorization: Bearer TOKEN" (RFC 6750 section 2.1). */
#ifndef HINDCAST_CONTROL_H
#define HINDCAST_CONTROL_H

#include "segmenter/pipeline.h"
#include "segmenter/settings.h"
#include "segmenter/small_http.h"

struct control;

/* 0 with *out owned by the caller; -1 with a line in `errors`. */
int control_open(uv_loop_t *loop, const struct control_settings *settings, struct pipeline *pipeline,
    struct control **out, struct text *errors);
void control_close(struct control **c);

#endif
