/* Splitting and decoding what stands in the request line. */
#include "origin/target.h"

#include <string.h>
#include <strings.h>

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that "%XY" at `s` stands for, or -1. */
static int
unescape(const char *s, const char *end)
{
	if (end - s < 3 || hex(s[1]) < 0 || hex(s[2]) < 0)
		return -1;
	return hex(s[1]) << 4 | hex(s[2]);
}

/* Absolute form, "http://host/path" (RFC 9112 3.2.2): only its path counts here. */
static const char *
skip_authority(const char *s, const char *end)
{
	size_t scheme = 0;
	if (end - s >= 7 && !strncasecmp(s, "http://", 7))
		scheme = 7;
	else if (end - s >= 8 && !strncasecmp(s, "https://", 8))
		scheme = 8;
	if (!scheme)
		return s;
	const char *slash = memchr(s + scheme, '/', (size_t)(end - s) - scheme);
	return slash ? slash : end;
}

static enum target_error
decode_byte(const char **s, const char *end, char *out)
{
	int c = (unsigned char)**s;
	size_t used = 1;
	if (c == '%') {
		c = unescape(*s, end);
		used = 3;
		if (c < 0)
			return TARGET_BAD_ESCAPE;
		if (c == '/')
			return TARGET_SLASH;
	}
	if (c <= 0x20 || c == 0x7F)
		return TARGET_CONTROL;
	if (c == '\\')
		return TARGET_SLASH;
	*out = (char)c;
	*s += used;
	return TARGET_OK;
}

static bool
is_dot_segment(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void
join(struct target *t)
{
	char *out = t->relative;
	for (unsigned i = 0; i < t->count; i++) {
		size_t len = strlen(t->component[i]);
		if (i > 0)
			*out++ = '/';
		memcpy(out, t->component[i], len);
		out += len;
	}
	*out = '\0';
}

enum target_error
target_parse(const char *raw, size_t len, struct target *t)
{
	const char *end = raw + len, *s = skip_authority(raw, end);
	char *out = t->path;

	t->count = 0;
	t->directory = true;
	if (len >= TARGET_SIZE)
		return TARGET_TOO_LONG;
	if (s < end && *s != '/')
		return TARGET_NOT_A_PATH;
	while (s < end) {
		s++; /* the slash */
		t->directory = s == end;
		if (t->directory)
			break;
		if (*s == '/')
			return TARGET_EMPTY;
		if (t->count == TARGET_COMPONENTS)
			return TARGET_TOO_DEEP;
		char *name = out;
		for (; s < end && *s != '/'; out++) {
			enum target_error e = decode_byte(&s, end, out);
			if (e)
				return e;
		}
		*out++ = '\0';
		if (is_dot_segment(name))
			return TARGET_DOT_SEGMENT;
		t->component[t->count++] = name;
	}
	join(t);
	return TARGET_OK;
}

const char *
target_error_text(enum target_error e)
{
	static const char *const text[] = {
		[TARGET_OK] = "nothing",
		[TARGET_TOO_LONG] = "the path is too long",
		[TARGET_NOT_A_PATH] = "the request target is not a path: it has to begin with a slash",
		[TARGET_BAD_ESCAPE] = "a percent sign in the path has to be followed by two hexadecimal digits",
		[TARGET_CONTROL] = "the path holds a control character or a space",
		[TARGET_SLASH] = "the path holds an escaped slash or a backslash",
		[TARGET_EMPTY] = "the path holds two slashes in a row",
		[TARGET_DOT_SEGMENT] = "the path holds \".\" or \"..\", which a client removes before it asks",
		[TARGET_TOO_DEEP] = "the path has too many components",
	};
	return text[e];
}

bool
target_is_hidden(const struct target *t)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->component[i][0] == '.')
			return true;
	return false;
}

/* Decode up to one of the two stops; what does not fit is left out. Returns where it stopped. */
static const char *
decode_text(const char *s, char stop, char *out, size_t size, bool *cut)
{
	const char *end = s + strlen(s);
	size_t n = 0;
	for (; s < end && *s != '&' && *s != stop; s++) {
		int c = (unsigned char)*s;
		if (c == '+') {
			c = ' ';
		} else if (c == '%' && unescape(s, end) > 0) {
			c = unescape(s, end);
			s += 2;
		}
		if (n + 1 < size)
			out[n++] = (char)c;
		else
			*cut = true;
	}
	out[n] = '\0';
	return s;
}

bool
target_next_parameter(const char **cursor, struct target_parameter *p)
{
	const char *s = *cursor;

	while (*s == '&')
		s++;
	if (*s == '\0')
		return false;
	p->cut = false;
	p->value[0] = '\0';
	s = decode_text(s, '=', p->name, sizeof p->name, &p->cut);
	if (*s == '=')
		s = decode_text(s + 1, '&', p->value, sizeof p->value, &p->cut);
	*cursor = s;
	return true;
}
