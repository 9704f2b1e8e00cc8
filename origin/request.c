/* From a request's head to its handler, and back to a response. */
#include "origin/request.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "origin/settings.h"
#include "origin/worker.h"

#define ALLOWED "GET, HEAD, OPTIONS"
#define PROBLEM_MOST 2048

static void
count(struct request *r, unsigned status, uint64_t bytes)
{
	struct counters *c = &r->worker->counters;
	enum route_kind kind = r->route ? r->route->kind : ROUTE_NONE;

	counter_add(&c->requests[kind][status / 100 - 2], 1);
	counter_add(&c->bytes[kind], r->head ? 0 : bytes);
	if (status == 304)
		counter_add(&c->not_modified, 1);
}

/* Queue a response that is kept by somebody else. */
static void
queue(struct request *r, unsigned status, struct MHD_Response *response, uint64_t bytes)
{
	count(r, status, bytes);
	MHD_queue_response(r->connection, status, response);
}

/* Queue a response made for this request, and let go of it. */
static void
queue_once(struct request *r, unsigned status, struct MHD_Response *response, uint64_t bytes)
{
	if (!response)
		return; /* without memory: libmicrohttpd closes a connection that got no answer */
	if (r->close)
		MHD_add_response_header(response, "Connection", "close");
	queue(r, status, response, bytes);
	MHD_destroy_response(response);
}

static struct MHD_Response *
copied(const struct text *body)
{
	return MHD_create_response_from_buffer(
	    body ? body->len : 0, body && body->len ? body->data : (void *)(uintptr_t) "", MHD_RESPMEM_MUST_COPY);
}

static void
add_freshness(struct MHD_Response *response, enum http_freshness freshness, int64_t seconds)
{
	char value[HTTP_CACHE_CONTROL_SIZE];
	MHD_add_response_header(response, "Cache-Control", http_cache_control(freshness, seconds, value));
}

static void
fail_with(struct request *r, const struct problem *p, const char *field, const char *value)
{
	char memory[PROBLEM_MOST];
	struct text body;

	text_init_fixed(&body, memory, sizeof memory);
	problem_write(&body, p);
	struct MHD_Response *response = copied(&body);
	if (response) {
		MHD_add_response_header(response, "Content-Type", PROBLEM_TYPE);
		add_freshness(response, HTTP_FRESH, http_error_age(p->status));
		if (p->retry_after_s || p->status == 503 || p->status == 429) {
			char seconds[24];
			snprintf(seconds, sizeof seconds, "%" PRId64, p->retry_after_s ? p->retry_after_s : 1);
			MHD_add_response_header(response, "Retry-After", seconds);
		}
		if (field)
			MHD_add_response_header(response, field, value);
		entity_common_fields(response);
	}
	queue_once(r, p->status, response, body.len);
}

void
request_fail(struct request *r, const struct problem *p)
{
	fail_with(r, p, NULL, NULL);
}

void
request_not_found(struct request *r)
{
	request_fail(r, &(struct problem){ .status = 404, .detail = "nothing is stored under this path" });
}

void
request_failed_open(struct request *r, int error)
{
	char path[256];

	if (error == -ENOENT) {
		request_not_found(r);
		return;
	}
	counter_add(&r->worker->counters.open_errors, 1);
	log_warn("file not readable path=%s error=\"%s\"", log_safe(r->target.relative, path, sizeof path),
	    strerror(-error));
	if (error == -EACCES || error == -EPERM)
		request_not_found(r);
	else
		request_fail(r, &(struct problem){ .status = 503, .detail = "the file cannot be read at the moment" });
}

/* Is the client's copy still good (RFC 9110 13.2.2)? Its tag is compared with that of the coding that would be sent.
 * If-Modified-Since counts only without If-None-Match. */
static bool
not_modified(const struct request *r, const struct entity *e, enum entity_coding coding)
{
	char etag[ENTITY_ETAG_SIZE];
	int64_t since;

	if (r->if_none_match)
		return http_etag_listed(r->if_none_match, entity_etag(e, coding, etag));
	return r->if_modified_since && e->modified_s > 0 && !http_parse_date(r->if_modified_since, &since) &&
	       e->modified_s <= since;
}

/* Answer a range, which is for GET alone (RFC 9110 14.2); false: the whole is to be sent. */
static bool
send_part(struct request *r, struct entity *e)
{
	struct http_range part;
	char etag[ENTITY_ETAG_SIZE], size[40];

	if (!r->range || r->head || !e->ranges ||
	    !http_if_range(r->if_range, entity_etag(e, ENTITY_IDENTITY, etag), e->modified_s))
		return false;
	switch (http_parse_range(r->range, e->size, &part)) {
	case HTTP_RANGE_NONE:
		return false;
	case HTTP_RANGE_UNSATISFIABLE:
		snprintf(size, sizeof size, "bytes */%llu", (unsigned long long)e->size);
		fail_with(r, &(struct problem){ .status = 416, .detail = "the range lies behind the end" },
		    "Content-Range", size);
		return true;
	case HTTP_RANGE_ONE:
		queue_once(r, 206, entity_part(e, &part), part.length);
		return true;
	}
	return false;
}

void
request_send(struct request *r, struct entity *e)
{
	enum entity_coding coding = entity_coding(e, r->accept_encoding && http_accepts_gzip(r->accept_encoding));
	struct MHD_Response *response = entity_response(e, coding);

	if (!response)
		request_failed_open(r, -ENOMEM);
	else if (not_modified(r, e, coding))
		queue(r, 304, response, 0);
	else if (!send_part(r, e))
		queue(r, 200, response, coding == ENTITY_GZIP ? e->gzip_size : e->size);
}

void
request_redirect(struct request *r, const char *location)
{
	struct MHD_Response *response = copied(NULL);

	if (response) {
		MHD_add_response_header(response, "Location", location);
		add_freshness(response, HTTP_FRESH, 3600);
		entity_common_fields(response);
	}
	queue_once(r, 308, response, 0);
}

void
request_text(
    struct request *r, unsigned status, const char *type, enum http_freshness freshness, const struct text *body)
{
	struct MHD_Response *response = copied(body);

	if (response) {
		MHD_add_response_header(response, "Content-Type", type);
		add_freshness(response, freshness, 1);
		entity_common_fields(response);
	}
	queue_once(r, status, response, body->len);
}

/* CORS preflight (Fetch standard 4.8), and any other OPTIONS. */
static void
answer_options(struct request *r)
{
	struct MHD_Response *response = copied(NULL);

	if (response) {
		MHD_add_response_header(response, "Allow", ALLOWED);
		MHD_add_response_header(response, "Access-Control-Allow-Methods", ALLOWED);
		/* Range and conditions, and what players add: CMCD (CTA-5004) */
		MHD_add_response_header(response, "Access-Control-Allow-Headers",
		    "Range, If-Range, If-None-Match, If-Modified-Since, Cache-Control, Content-Type, "
		    "X-Requested-With, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status");
		MHD_add_response_header(response, "Access-Control-Max-Age", "86400");
		add_freshness(response, HTTP_FRESH, 86400);
		entity_common_fields(response);
	}
	queue_once(r, 204, response, 0);
}

static enum MHD_Result
note_field(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct request *r = cls;

	(void)kind;
	/* the length tells most fields apart */
	switch (strlen(name)) {
	case 5:
		if (!strcasecmp(name, "Range"))
			r->range = value;
		break;
	case 8:
		if (!strcasecmp(name, "If-Range"))
			r->if_range = value;
		break;
	case 13:
		if (!strcasecmp(name, "If-None-Match"))
			r->if_none_match = value;
		break;
	case 15:
		if (!strcasecmp(name, "Accept-Encoding"))
			r->accept_encoding = value;
		break;
	case 17:
		if (!strcasecmp(name, "If-Modified-Since"))
			r->if_modified_since = value;
		break;
	}
	return MHD_YES;
}

/* The name of the first parameter that means nothing here, or NULL. */
static const char *
unknown_parameter(const struct request *r, struct target_parameter *p)
{
	const char *cursor = r->query;

	while (target_next_parameter(&cursor, p))
		if (strncmp(p->name, "_HLS_", 5) && !origin_settings_has_word(r->route->parameters, p->name) &&
		    !origin_settings_has_word(r->worker->catalogue->edge_tokens, p->name))
			return p->name;
	return NULL;
}

static void
dispatch(struct request *r)
{
	struct target_parameter p;

	r->route = routes_match(&r->target, &r->names);
	const char *unknown = r->route->parameters ? unknown_parameter(r, &p) : NULL;
	if (target_is_hidden(&r->target))
		request_not_found(r);
	else if (unknown)
		request_fail(r, &(struct problem){ .status = 400,
				    .detail = "this query parameter is not known here; leave it out",
				    .parameter = unknown });
	else
		r->route->handler(r);
}

void
request_handle(struct worker *w, struct MHD_Connection *connection, const char *method, const char *url,
    const char *query, bool too_long)
{
	struct request r = { .worker = w, .connection = connection, .query = query, .head = !strcmp(method, "HEAD") };

	if (!strcmp(method, "OPTIONS")) {
		answer_options(&r);
		return;
	}
	if (!r.head && strcmp(method, "GET") != 0) {
		r.close = true; /* its body was not read */
		fail_with(
		    &r, &(struct problem){ .status = 405, .detail = "files are only read here" }, "Allow", ALLOWED);
		return;
	}
	MHD_get_connection_values(connection, MHD_HEADER_KIND, note_field, &r);
	enum target_error e = too_long ? TARGET_TOO_LONG : target_parse(url, strlen(url), &r.target);
	if (e)
		request_fail(&r,
		    &(struct problem){ .status = e == TARGET_TOO_LONG ? 414 : 400, .detail = target_error_text(e) });
	else
		dispatch(&r);
}

void
request_refuse(struct worker *w, struct MHD_Connection *connection, unsigned status)
{
	struct request r = { .worker = w, .connection = connection, .query = "", .close = true };

	counter_add(&w->counters.over_limit, 1);
	request_fail(
	    &r, &(struct problem){ .status = status,
		    .detail = status == 429 ? "too many connections from this address" : "too many connections" });
}
