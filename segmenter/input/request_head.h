/* The head of a request to the source port: "METHOD SP target SP protocol", header lines, an empty line (RFC 9112
 * section 3 and 5; Icecast's own protocol name ICE/1.0 beside HTTP's). Pure: bytes in, spans of the same bytes out. */
#ifndef HINDCAST_REQUEST_HEAD_H
#define HINDCAST_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_HEAD_MAX 8192
#define REQUEST_FIELDS_MAX 64
#define REQUEST_PATH_MAX 256
#define REQUEST_VALUE_MAX 512

enum request_method { REQUEST_OTHER, REQUEST_GET, REQUEST_PUT, REQUEST_SOURCE };
enum request_protocol { REQUEST_ICE_1_0, REQUEST_HTTP_1_0, REQUEST_HTTP_1_1 };

/* Bytes of the caller's, not NUL-terminated. */
struct span {
	const char *p;
	size_t len;
};

struct request_field {
	struct span name, value;
};

struct request_head {
	enum request_method method;
	enum request_protocol protocol;
	char path[REQUEST_PATH_MAX]; /* of the target, percent-decoded; begins with '/' */
	struct span query;           /* behind '?', as received; empty when there is none */
	unsigned count;
	struct request_field fields[REQUEST_FIELDS_MAX];
};

/* How many bytes of buf[0..len) the head takes, its empty line and empty lines before it included; 0 when it goes on
 * behind `len`; -1 when it never will be one: REQUEST_HEAD_MAX bytes without an end, or control characters in it. */
long request_head_length(const char *buf, size_t len);

/* Read a whole head of `len` bytes, as told by request_head_length. 0 with *out pointing into `buf`, or -1 with what is
 * wrong in *why (a constant). */
int request_head_parse(const char *buf, size_t len, struct request_head *out, const char **why);

/* The same two for header lines without a request line, as a Shoutcast v1 source sends them; nothing but `count` and
 * `fields` is set. */
long request_fields_length(const char *buf, size_t len);
int request_fields_parse(const char *buf, size_t len, struct request_head *out, const char **why);

/* The value of the first field of this name (in any case), without the white space around it. */
bool request_field(const struct request_head *h, const char *name, struct span *value);

/* Is `token` among the comma-separated values of the fields of this name? In any case (RFC 9110 section 5.6.1). */
bool request_field_has(const struct request_head *h, const char *name, const char *token);

/* Is it this text, but for case? */
bool span_equal_nocase(struct span s, const char *text);

enum request_value { REQUEST_VALUE_OK, REQUEST_VALUE_ABSENT, REQUEST_VALUE_BAD };

/* The first parameter of this name in the query, percent-decoded and with '+' as a space, NUL-terminated. BAD: an
 * escape that is none, a NUL, or longer than fits. `out` is empty unless the answer is OK. */
enum request_value request_param(const struct request_head *h, const char *name, char *out, size_t size);

/* "user:password" of an Authorization field of the Basic scheme (RFC 7617 section 2), NUL-terminated; empty unless OK.
 */
enum request_value request_basic(const struct request_head *h, char out[static REQUEST_VALUE_MAX]);

#endif
