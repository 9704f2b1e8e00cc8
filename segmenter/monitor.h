/* /metrics and /healthz of the segmenter. */
#ifndef HINDCAST_MONITOR_H
#define HINDCAST_MONITOR_H

#include "segmenter/pipeline.h"
#include "segmenter/small_http.h"

/* `listen`: "127.0.0.1:8004". 0 with *out owned by the caller (small_http_close); -1 with a line in `errors`. */
int monitor_open(
    uv_loop_t *loop, const char *listen, struct pipeline *pipeline, struct small_http **out, struct text *errors);

#endif
