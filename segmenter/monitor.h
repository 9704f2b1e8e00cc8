/* The segmenter's own small HTTP listener: /metrics and /healthz. */
#ifndef HINDCAST_MONITOR_H
#define HINDCAST_MONITOR_H

#include <uv.h>

#include "segmenter/pipeline.h"

struct monitor;

/* `listen`: "127.0.0.1:8004"; port 0 takes a free one and logs it. 0 with *out owned by the caller, or -1 with a line
 * in `errors`. */
int monitor_open(
    uv_loop_t *loop, const char *listen, struct pipeline *pipeline, struct monitor **out, struct text *errors);
void monitor_close(struct monitor **m);

#endif
