/* Bodies and their responses. */
#include "origin/entity.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/text.h"
#include "origin/gzip.h"

#define GZIP_LEAST 200 /* bytes below which compression saves nothing that matters */

struct blob *
blob_new(size_t len)
{
	struct blob *b = malloc(sizeof *b + len);
	if (b) {
		b->refs = 1;
		b->len = len;
	}
	return b;
}

void
blob_unref(struct blob *b)
{
	if (b && --b->refs == 0)
		free(b);
}

/* A response lets go of its bytes; libmicrohttpd calls it in the thread that the entity belongs to. */
static void
release_blob(void *cls)
{
	blob_unref(cls);
}

struct entity *
entity_new(struct blob *body)
{
	struct entity *e = body ? calloc(1, sizeof *e) : NULL;
	if (!e) {
		blob_unref(body);
		return NULL;
	}
	e->body = body;
	e->fd = -1;
	e->size = body->len;
	return e;
}

struct entity *
entity_new_text(const struct text *t, const char *type)
{
	struct blob *b = t->full ? NULL : blob_new(t->len);

	if (b && t->len)
		memcpy(b->data, t->data, t->len);
	struct entity *e = b ? entity_new(b) : NULL;
	if (e) {
		e->hash = XXH64(b->data, b->len, 0);
		e->compressible = true;
		snprintf(e->type, sizeof e->type, "%s", type);
	}
	return e;
}

struct entity *
entity_new_file(int fd, uint64_t size)
{
	struct entity *e = calloc(1, sizeof *e);
	if (!e) {
		close(fd);
		return NULL;
	}
	e->fd = fd;
	e->size = size;
	return e;
}

struct entity *
entity_new_bare(uint64_t size)
{
	struct entity *e = calloc(1, sizeof *e);
	if (e) {
		e->fd = -1;
		e->size = size;
	}
	return e;
}

void
entity_free(struct entity **e)
{
	struct entity *d = *e;

	*e = NULL;
	if (!d)
		return;
	for (int i = 0; i < ENTITY_CODINGS; i++)
		if (d->response[i])
			MHD_destroy_response(d->response[i]);
	blob_unref(d->body);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}

size_t
entity_cost(const struct entity *e)
{
	size_t body = e->body ? e->body->len : 0;
	size_t gzip = e->gzip_given ? e->gzip_size : e->compressible ? body : 0;

	return sizeof *e + 1024 + body + gzip;
}

const char *
entity_etag(const struct entity *e, enum entity_coding coding, char out[static ENTITY_ETAG_SIZE])
{
	snprintf(out, ENTITY_ETAG_SIZE, "\"%016" PRIx64 "%s\"", e->hash, coding == ENTITY_GZIP ? "-gzip" : "");
	return out;
}

void
entity_common_fields(struct MHD_Response *r)
{
	MHD_add_response_header(r, "Access-Control-Allow-Origin", "*");
	MHD_add_response_header(
	    r, "Access-Control-Expose-Headers", "Age, Date, Content-Length, Content-Range, ETag, X-Clamped-From");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
}

static void
add_fields(const struct entity *e, enum entity_coding coding, struct MHD_Response *r)
{
	char etag[ENTITY_ETAG_SIZE], date[HTTP_DATE_SIZE];

	MHD_add_response_header(r, "Content-Type", e->type);
	MHD_add_response_header(r, "Cache-Control", e->cache_control);
	MHD_add_response_header(r, "ETag", entity_etag(e, coding, etag));
	if (e->modified_s > 0)
		MHD_add_response_header(r, "Last-Modified", http_date(e->modified_s, date));
	if (e->compressible)
		MHD_add_response_header(r, "Vary", "Accept-Encoding");
	if (coding == ENTITY_GZIP)
		MHD_add_response_header(r, "Content-Encoding", "gzip");
	if (e->ranges)
		MHD_add_response_header(r, "Accept-Ranges", "bytes");
	if (e->clamped_from[0])
		MHD_add_response_header(r, "X-Clamped-From", e->clamped_from);
	if (e->policy)
		MHD_add_response_header(r, "Content-Security-Policy", e->policy);
	entity_common_fields(r);
}

/* A response over a span of the body, without header fields. */
static struct MHD_Response *
span(const struct entity *e, uint64_t first, uint64_t length)
{
	if (!e->body) {
		int fd = fcntl(e->fd, F_DUPFD_CLOEXEC, 3);
		struct MHD_Response *r = fd < 0 ? NULL : MHD_create_response_from_fd_at_offset64(length, fd, first);
		if (!r && fd >= 0)
			close(fd);
		return r;
	}
	struct MHD_Response *r = MHD_create_response_from_buffer_with_free_callback_cls(
	    (size_t)length, e->body->data + first, release_blob, e->body);
	if (r)
		e->body->refs++;
	return r;
}

int
entity_give_gzip(struct entity *e, struct blob *z)
{
	struct MHD_Response *r =
	    z ? MHD_create_response_from_buffer_with_free_callback_cls(z->len, z->data, release_blob, z) : NULL;

	if (!r) {
		blob_unref(z);
		return -1;
	}
	add_fields(e, ENTITY_GZIP, r);
	e->response[ENTITY_GZIP] = r;
	e->gzip_size = z->len;
	e->gzip_given = true;
	return 0;
}

static struct MHD_Response *
make_gzip(struct entity *e)
{
	size_t len;
	void *z = gzip_compress(e->body->data, e->body->len, &len);
	struct MHD_Response *r = z ? MHD_create_response_from_buffer_with_free_callback_cls(len, z, free, z) : NULL;

	if (r)
		e->gzip_size = len;
	else
		free(z);
	return r;
}

enum entity_coding
entity_coding(struct entity *e, bool accepts_gzip)
{
	if (accepts_gzip && e->response[ENTITY_GZIP])
		return ENTITY_GZIP;
	if (!accepts_gzip || !e->compressible || !e->body || e->size < GZIP_LEAST || e->gzip_failed)
		return ENTITY_IDENTITY;
	return entity_response(e, ENTITY_GZIP) ? ENTITY_GZIP : ENTITY_IDENTITY;
}

struct MHD_Response *
entity_response(struct entity *e, enum entity_coding coding)
{
	if (e->response[coding])
		return e->response[coding];
	struct MHD_Response *r = coding == ENTITY_GZIP ? make_gzip(e) : span(e, 0, e->size);
	if (r)
		add_fields(e, coding, r);
	else if (coding == ENTITY_GZIP)
		e->gzip_failed = true;
	e->response[coding] = r;
	return r;
}

struct MHD_Response *
entity_part(struct entity *e, const struct http_range *part)
{
	char range[80];
	struct MHD_Response *r = span(e, part->first, part->length);

	if (!r)
		return NULL;
	add_fields(e, ENTITY_IDENTITY, r);
	snprintf(range, sizeof range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->first,
	    part->first + part->length - 1, e->size);
	MHD_add_response_header(r, "Content-Range", range);
	return r;
}
