/* A small HTTP server for a few clients, driven from the segmenter's loop: libmicrohttpd. Requests are answered at
 * once. */
#ifndef HINDCAST_SMALL_HTTP_H
#define HINDCAST_SMALL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/text.h"

#define SMALL_HTTP_BODY 1024 /* bytes of a request's body; a longer one is cut, and said to be */

struct small_request {
	const char *method, *path;
	const char *authorization; /* the header, or NULL */
	char body[SMALL_HTTP_BODY + 1];
	size_t body_len;
	bool body_too_long;
};

struct small_answer {
	unsigned status;
	const char *type, *allow; /* Content-Type; Allow, or NULL */
	bool challenge;           /* WWW-Authenticate: Bearer */
	struct text body;
};

/* Fills in the answer, whose body is empty. HEAD is asked as GET. */
typedef void (*small_http_handler)(void *ctx, const struct small_request *request, struct small_answer *answer);

struct small_http;

/* `what`: its key for errors, "[segmenter] metrics"; `service`: its name in the log. 0 with *out owned by the caller,
 * or -1 with a line in `errors`. */
int small_http_open(uv_loop_t *loop, const char *listen, const char *what, const char *service,
    small_http_handler handler, void *ctx, struct small_http **out, struct text *errors);
/* Its handles are closed; it is freed later in the loop. */
void small_http_close(struct small_http **h);

#endif
