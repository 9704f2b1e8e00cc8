/* The request target (RFC 9112 section 3.2): path components, decoded, and the query. */
#ifndef HINDCAST_TARGET_H
#define HINDCAST_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#define TARGET_COMPONENTS 16
#define TARGET_SIZE 1024 /* decoded path with its end */

struct target {
	const char *component[TARGET_COMPONENTS]; /* into `path` */
	unsigned count;
	bool directory; /* the path ends with "/" */
	char path[TARGET_SIZE];
	char relative[TARGET_SIZE]; /* the components with "/" between them: a path beneath a folder */
};

enum target_error {
	TARGET_OK,
	TARGET_TOO_LONG,
	TARGET_NOT_A_PATH,  /* does not begin with "/" */
	TARGET_BAD_ESCAPE,  /* "%" without two hexadecimal digits */
	TARGET_CONTROL,     /* a control character or a space, plain or escaped */
	TARGET_SLASH,       /* an escaped "/" or a backslash */
	TARGET_EMPTY,       /* "//" */
	TARGET_DOT_SEGMENT, /* "." or "..": a client removes them before it asks (RFC 3986 5.2.4) */
	TARGET_TOO_DEEP,    /* more than TARGET_COMPONENTS */
};

/* Read the path of a request target, still escaped, in origin or absolute form, without its query. *t is valid only
 * with TARGET_OK. */
enum target_error target_parse(const char *raw, size_t len, struct target *t);

/* What is wrong, for the problem document. */
const char *target_error_text(enum target_error e);

/* Any component begins with a dot. */
bool target_is_hidden(const struct target *t);

/* Walk the parameters of a query (WHATWG URL 5.1: "+" is a space). *cursor begins at the first byte after "?" and is
 * moved on; false at the end. Names and values that do not fit are cut, which is said in `cut`; NUL and bad escapes
 * stay as they were written. */
struct target_parameter {
	char name[64];
	char value[192];
	bool cut;
};
bool target_next_parameter(const char **cursor, struct target_parameter *p);

#endif
