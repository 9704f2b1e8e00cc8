/* /metrics and /healthz of the segmenter. */
#include "segmenter/monitor.h"

#include <string.h>

static void
on_request(void *ctx, const struct small_request *request, struct small_answer *a)
{
	struct pipeline *p = ctx;

	if (strcmp(request->method, "GET") != 0) {
		a->status = 405;
		a->allow = "GET, HEAD";
		text_str(&a->body, "only GET and HEAD are understood here\n");
	} else if (strcmp(request->path, "/metrics") == 0) {
		a->type = "text/plain; version=0.0.4";
		pipeline_metrics(p, &a->body);
	} else if (strcmp(request->path, "/healthz") == 0) {
		bool healthy = pipeline_healthy(p, &a->body);
		if (healthy)
			text_str(&a->body, "ok\n");
		a->status = healthy ? 200 : 503;
	} else {
		a->status = 404;
		text_str(&a->body, "here are /metrics and /healthz\n");
	}
}

int
monitor_open(
    uv_loop_t *loop, const char *listen, struct pipeline *pipeline, struct small_http **out, struct text *errors)
{
	return small_http_open(loop, listen, "[segmenter] metrics", "metrics", on_request, pipeline, out, errors);
}
