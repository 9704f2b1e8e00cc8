/* What is sent: a body with its validators and header fields, and the responses made from it, which are kept and used
 * again. An entity belongs to one thread. */
#ifndef HINDCAST_ENTITY_H
#define HINDCAST_ENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "origin/http.h"

struct MHD_Response;
struct text;

/* Bytes that responses still being sent share with the entity. */
struct blob {
	size_t refs;
	size_t len;
	unsigned char data[];
};

/* One reference, `len` bytes to fill; NULL without memory. */
struct blob *blob_new(size_t len);
void blob_unref(struct blob *b);

#define ENTITY_ETAG_SIZE 32
enum entity_coding { ENTITY_IDENTITY, ENTITY_GZIP, ENTITY_CODINGS };

struct entity {
	struct blob *body; /* or NULL: the file `fd`, which the entity owns; both missing: only gzip is at hand */
	int fd;
	uint64_t size;
	uint64_t hash;      /* xxh64 of the body, or what stands for it: the entity tag */
	int64_t modified_s; /* Last-Modified; 0: none */
	char type[96];
	char cache_control[HTTP_CACHE_CONTROL_SIZE];
	const char *policy;                /* Content-Security-Policy, or NULL; static */
	char clamped_from[WALL_TEXT_SIZE]; /* X-Clamped-From; "": none */
	bool compressible;                 /* may be sent as gzip */
	bool ranges;                       /* parts of it may be asked for */

	struct MHD_Response *response[ENTITY_CODINGS]; /* made when first wanted */
	bool gzip_failed;                              /* it would not get smaller */
	bool gzip_given;                               /* the second response was not made from the body */
	size_t gzip_size;                              /* what the second response holds */
};

/* The caller fills in the rest. Both take what they are given, also on failure; NULL without memory. */
struct entity *entity_new(struct blob *body);
/* A copy of the text, with its hash and type, that may be sent as gzip. */
struct entity *entity_new_text(const struct text *t, const char *type);
struct entity *entity_new_file(int fd, uint64_t size);
/* Without a coding yet: the caller gives those that it wants to send. `size`: of the body. */
struct entity *entity_new_bare(uint64_t size);
/* Give the gzip form of it, once all fields are set; takes the blob, also on failure. 0, or -1 without memory. */
int entity_give_gzip(struct entity *e, struct blob *z);
void entity_free(struct entity **e);

/* Bytes of memory that it holds, or may hold: a compressed form, which is never the larger one, is counted in advance.
 */
size_t entity_cost(const struct entity *e);

/* "0123456789abcdef", with quotes; the gzip form has another one, since a strong tag stands for the bytes sent
 * (RFC 9110 8.8.3.3). */
const char *entity_etag(const struct entity *e, enum entity_coding coding, char out[static ENTITY_ETAG_SIZE]);

/* The coding to send to a client that takes gzip or not. */
enum entity_coding entity_coding(struct entity *e, bool accepts_gzip);

/* The whole of it, borrowed; used for 200, 304 and HEAD alike. NULL without memory. */
struct MHD_Response *entity_response(struct entity *e, enum entity_coding coding);
/* A part of the identity coding with its Content-Range, owned by the caller. NULL without memory. */
struct MHD_Response *entity_part(struct entity *e, const struct http_range *part);

/* The header fields that every answer has: CORS and nosniff. */
void entity_common_fields(struct MHD_Response *r);

#endif
