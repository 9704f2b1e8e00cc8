/* The head of a request to the source port. Strict where leniency has no user: no folded lines, no white space before a
 * colon, no control characters; lines may end in a bare LF (RFC 9112 section 2.2). */
#include "segmenter/input/request_head.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static bool
is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* RFC 9110 section 5.6.2. */
static bool
is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
			return false;
	}
	return s.len > 0;
}

static bool
span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

bool
span_equal_nocase(struct span s, const char *text)
{
	return s.len == strlen(text) && strncasecmp(s.p, text, s.len) == 0;
}

static struct span
span_trim(struct span s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Take what lies before the first `c` of *rest, and `c` itself; all of it, and false, when there is none. */
static bool
span_split(struct span *rest, char c, struct span *before)
{
	const char *at = rest->len ? memchr(rest->p, c, rest->len) : NULL;

	before->p = rest->p;
	before->len = at ? (size_t)(at - rest->p) : rest->len;
	size_t taken = before->len + (at != NULL);
	rest->p += taken;
	rest->len -= taken;
	return at != NULL;
}

/* Take a line with its end. false when it has none yet; what there is of it is in *line even then. */
static bool
take_line(struct span *rest, struct span *line)
{
	bool whole = span_split(rest, '\n', line);

	if (line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	return whole;
}

static bool
line_is_text(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (is_control((unsigned char)line.p[i]))
			return false;
	return true;
}

/* Bytes up to the end of the empty line behind `rest`, counted from `buf`; 0 or -1 as request_head_length. */
static long
lines_length(const char *buf, size_t len, struct span rest)
{
	struct span line;

	while (take_line(&rest, &line)) {
		if (line.len == 0)
			return rest.p - buf > REQUEST_HEAD_MAX ? -1 : (long)(rest.p - buf);
		if (!line_is_text(line))
			return -1;
	}
	return len < REQUEST_HEAD_MAX && line_is_text(line) ? 0 : -1;
}

/* RFC 9112 section 2.2: empty lines before the request line are passed over. */
static struct span
skip_empty_lines(const char *buf, size_t len)
{
	struct span rest = { buf, len };

	while (rest.len > 0 && (rest.p[0] == '\r' || rest.p[0] == '\n')) {
		rest.p++;
		rest.len--;
	}
	return rest;
}

long
request_head_length(const char *buf, size_t len)
{
	return lines_length(buf, len, skip_empty_lines(buf, len));
}

long
request_fields_length(const char *buf, size_t len)
{
	return lines_length(buf, len, (struct span){ buf, len });
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 3986 section 2.1. */
static enum request_value
percent_decode(struct span s, bool plus_is_space, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		int c = (unsigned char)s.p[i];
		if (c == '+' && plus_is_space)
			c = ' ';
		if (c == '%') {
			if (s.len - i < 3 || hex_digit(s.p[i + 1]) < 0 || hex_digit(s.p[i + 2]) < 0)
				return REQUEST_VALUE_BAD;
			c = hex_digit(s.p[i + 1]) << 4 | hex_digit(s.p[i + 2]);
			i += 2;
		}
		if (c == 0 || n + 1 >= size)
			return REQUEST_VALUE_BAD;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return REQUEST_VALUE_OK;
}

static enum request_method
method_of(struct span s)
{
	if (span_is(s, "SOURCE"))
		return REQUEST_SOURCE;
	if (span_is(s, "PUT"))
		return REQUEST_PUT;
	return span_is(s, "GET") ? REQUEST_GET : REQUEST_OTHER;
}

static bool
protocol_of(struct span s, enum request_protocol *protocol)
{
	if (span_is(s, "HTTP/1.1"))
		*protocol = REQUEST_HTTP_1_1;
	else if (span_is(s, "HTTP/1.0"))
		*protocol = REQUEST_HTTP_1_0;
	else if (span_is(s, "ICE/1.0"))
		*protocol = REQUEST_ICE_1_0;
	else
		return false;
	return true;
}

/* RFC 9112 section 3.2: origin form, or the absolute form that a server must accept too. */
static bool
target_parse(struct span target, struct request_head *out)
{
	static const char scheme[] = "http://";
	struct span path;

	if (target.len > sizeof(scheme) && strncasecmp(target.p, scheme, sizeof(scheme) - 1) == 0) {
		const char *slash = memchr(target.p + 7, '/', target.len - 7);
		if (!slash)
			return false;
		target.len -= (size_t)(slash - target.p);
		target.p = slash;
	}
	span_split(&target, '?', &path);
	out->query = target;
	return path.len > 0 && path.p[0] == '/' &&
	       percent_decode(path, false, out->path, sizeof(out->path)) == REQUEST_VALUE_OK;
}

static const char *
request_line_parse(struct span line, struct request_head *out)
{
	struct span method, target;

	if (!span_split(&line, ' ', &method) || !is_token(method))
		return "no request line";
	if (!span_split(&line, ' ', &target) || !target_parse(target, out))
		return "bad request target";
	if (!protocol_of(line, &out->protocol))
		return "unknown protocol";
	out->method = method_of(method);
	return NULL;
}

static const char *
fields_parse(struct span rest, struct request_head *out)
{
	struct span line, name;

	out->count = 0;
	while (take_line(&rest, &line) && line.len > 0) {
		if (!line_is_text(line))
			return "control characters in a header line";
		if (out->count == REQUEST_FIELDS_MAX)
			return "too many header lines";
		if (!span_split(&line, ':', &name) || !is_token(name))
			return "bad header line";
		out->fields[out->count++] = (struct request_field){ name, span_trim(line) };
	}
	return NULL;
}

int
request_head_parse(const char *buf, size_t len, struct request_head *out, const char **why)
{
	struct span rest = skip_empty_lines(buf, len), line;

	take_line(&rest, &line);
	*why = line_is_text(line) ? request_line_parse(line, out) : "control characters in the request line";
	if (!*why)
		*why = fields_parse(rest, out);
	return *why ? -1 : 0;
}

int
request_fields_parse(const char *buf, size_t len, struct request_head *out, const char **why)
{
	*why = fields_parse((struct span){ buf, len }, out);
	return *why ? -1 : 0;
}

bool
request_field(const struct request_head *h, const char *name, struct span *value)
{
	for (unsigned i = 0; i < h->count; i++) {
		if (span_equal_nocase(h->fields[i].name, name)) {
			*value = h->fields[i].value;
			return true;
		}
	}
	return false;
}

bool
request_field_has(const struct request_head *h, const char *name, const char *token)
{
	for (unsigned i = 0; i < h->count; i++) {
		struct span rest = h->fields[i].value, item;
		if (!span_equal_nocase(h->fields[i].name, name))
			continue;
		while (rest.len > 0) {
			span_split(&rest, ',', &item);
			if (span_equal_nocase(span_trim(item), token))
				return true;
		}
	}
	return false;
}

enum request_value
request_param(const struct request_head *h, const char *name, char *out, size_t size)
{
	struct span rest = h->query, pair, key;
	enum request_value found = REQUEST_VALUE_ABSENT;

	while (rest.len > 0 && found == REQUEST_VALUE_ABSENT) {
		span_split(&rest, '&', &pair);
		span_split(&pair, '=', &key);
		if (span_is(key, name))
			found = percent_decode(pair, true, out, size);
	}
	if (found != REQUEST_VALUE_OK)
		out[0] = '\0';
	return found;
}

static int
base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* RFC 4648 section 4; the padding may be missing. */
static enum request_value
base64_decode(struct span s, char *out, size_t size)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (int pad = 0; pad < 2 && s.len > 0 && s.p[s.len - 1] == '='; pad++)
		s.len--;
	for (size_t i = 0; i < s.len; i++) {
		int digit = base64_digit(s.p[i]);
		if (digit < 0)
			return REQUEST_VALUE_BAD;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		char c = (char)(bits >> have & 0xff);
		if (c == '\0' || n + 1 >= size)
			return REQUEST_VALUE_BAD;
		out[n++] = c;
	}
	out[n] = '\0';
	return REQUEST_VALUE_OK;
}

enum request_value
request_basic(const struct request_head *h, char out[static REQUEST_VALUE_MAX])
{
	struct span value, scheme;

	out[0] = '\0';
	if (!request_field(h, "Authorization", &value))
		return REQUEST_VALUE_ABSENT;
	span_split(&value, ' ', &scheme);
	if (!span_equal_nocase(scheme, "Basic"))
		return REQUEST_VALUE_ABSENT;
	enum request_value decoded = base64_decode(span_trim(value), out, REQUEST_VALUE_MAX);
	if (decoded != REQUEST_VALUE_OK)
		out[0] = '\0';
	return decoded;
}
