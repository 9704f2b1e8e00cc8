/* Header fields of HTTP. */
#include "origin/http.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

const char *
http_date(int64_t unix_s, char out[static HTTP_DATE_SIZE])
{
	static const char day[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char month[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
		"Dec" };
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || tm.tm_year > 8099 || tm.tm_year < -1900) {
		out[0] = '\0';
		return out;
	}
	snprintf(out, HTTP_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", day[tm.tm_wday], tm.tm_mday,
	    month[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return out;
}

int
http_parse_date(const char *s, int64_t *unix_s)
{
	/* IMF-fixdate, RFC 850, asctime; strptime's %y takes 69 to 99 as 19xx, as RFC 9110 wants within 50 years */
	static const char *const form[] = { "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
		"%a %b %d %H:%M:%S %Y" };
	for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(s, form[i], &tm);
		if (end && *end == '\0') {
			*unix_s = (int64_t)timegm(&tm);
			return 0;
		}
	}
	return -1;
}

static const char *
skip_space(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

bool
http_etag_listed(const char *list, const char *etag)
{
	size_t len = strlen(etag);

	for (const char *s = skip_space(list); *s; s = skip_space(s)) {
		if (*s == ',') {
			s++;
			continue;
		}
		if (*s == '*')
			return true;
		if (s[0] == 'W' && s[1] == '/')
			s += 2;
		const char *close = *s == '"' ? strchr(s + 1, '"') : NULL;
		if (!close)
			return false;
		if ((size_t)(close + 1 - s) == len && !memcmp(s, etag, len))
			return true;
		s = close + 1;
	}
	return false;
}

/* Is the quality value after a coding zero? `s` is at the parameters. */
static bool
quality_is_zero(const char *s)
{
	s = skip_space(s);
	if (*s != ';')
		return false;
	s = skip_space(s + 1);
	if ((*s | 0x20) != 'q' || s[1] != '=')
		return false;
	s += 2;
	if (*s != '0')
		return false;
	for (s++; *s == '.' || *s == '0'; s++)
		;
	return !(*s >= '1' && *s <= '9');
}

bool
http_accepts_gzip(const char *accept_encoding)
{
	bool any = false, gzip = false, refused = false;

	for (const char *s = accept_encoding; s && *s;) {
		s = skip_space(s);
		size_t len = strcspn(s, ",; \t");
		bool zero = quality_is_zero(s + len);
		if ((len == 4 && !strncasecmp(s, "gzip", 4)) || (len == 6 && !strncasecmp(s, "x-gzip", 6))) {
			gzip |= !zero;
			refused |= zero;
		} else if (len == 1 && *s == '*') {
			any |= !zero;
		}
		s += strcspn(s, ",");
		if (*s == ',')
			s++;
	}
	return gzip || (any && !refused);
}

/* Digits to a number, saturating: a position beyond the end is as good as any other. Returns the first byte after
 * them. */
static const char *
read_number(const char *s, uint64_t *n)
{
	*n = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		*n = *n > UINT64_MAX / 10 - 1 ? UINT64_MAX : *n * 10 + (uint64_t)(*s - '0');
	return s;
}

static enum http_range_result
suffix_range(const char *s, uint64_t size, struct http_range *r)
{
	uint64_t n;
	const char *end = read_number(s, &n);
	if (end == s || *skip_space(end) != '\0')
		return HTTP_RANGE_NONE;
	if (n == 0 || size == 0)
		return HTTP_RANGE_UNSATISFIABLE;
	r->length = n < size ? n : size;
	r->first = size - r->length;
	return HTTP_RANGE_ONE;
}

enum http_range_result
http_parse_range(const char *value, uint64_t size, struct http_range *r)
{
	uint64_t first, last = UINT64_MAX;

	if (!value || strncasecmp(value, "bytes=", 6))
		return HTTP_RANGE_NONE;
	const char *s = skip_space(value + 6);
	if (*s == '-')
		return suffix_range(s + 1, size, r);
	const char *end = read_number(s, &first);
	if (end == s || *end != '-')
		return HTTP_RANGE_NONE;
	s = end + 1;
	end = read_number(s, &last);
	if (end == s)
		last = UINT64_MAX;
	if (*skip_space(end) != '\0' || last < first)
		return HTTP_RANGE_NONE;
	if (first >= size)
		return HTTP_RANGE_UNSATISFIABLE;
	r->first = first;
	r->length = (last < size - 1 ? last : size - 1) - first + 1;
	return HTTP_RANGE_ONE;
}

bool
http_if_range(const char *value, const char *etag, int64_t modified_s)
{
	int64_t date;

	if (!value)
		return true;
	value = skip_space(value);
	if (*value == '"')
		return !strcmp(value, etag);
	return !http_parse_date(value, &date) && date == modified_s;
}

const char *
http_cache_control(enum http_freshness freshness, int64_t seconds, char out[static HTTP_CACHE_CONTROL_SIZE])
{
	int64_t third = seconds / 3;

	switch (freshness) {
	case HTTP_IMMUTABLE:
		snprintf(out, HTTP_CACHE_CONTROL_SIZE, "public, max-age=31536000, immutable");
		break;
	case HTTP_GROWING:
		if (third > 0)
			snprintf(out, HTTP_CACHE_CONTROL_SIZE,
			    "public, max-age=%" PRId64 ", stale-while-revalidate=%" PRId64, third, third);
		else
			snprintf(out, HTTP_CACHE_CONTROL_SIZE, "public, max-age=1");
		break;
	case HTTP_FRESH:
		snprintf(out, HTTP_CACHE_CONTROL_SIZE, "public, max-age=%" PRId64, seconds > 0 ? seconds : 1);
		break;
	case HTTP_NO_STORE:
		snprintf(out, HTTP_CACHE_CONTROL_SIZE, "no-store");
		break;
	}
	return out;
}

static const struct {
	unsigned status;
	int64_t age;
	const char *reason;
} statuses[] = {
	{ 400, 60, "Bad Request" },
	{ 404, 1, "Not Found" },
	{ 405, 60, "Method Not Allowed" },
	{ 410, 60, "Gone" },
	{ 414, 60, "URI Too Long" },
	{ 416, 1, "Range Not Satisfiable" },
	{ 429, 1, "Too Many Requests" },
	{ 500, 1, "Internal Server Error" },
	/* not "no-store": caches would stop joining requests for it, and a second is shorter than any retry */
	{ 503, 1, "Service Unavailable" },
};

int64_t
http_error_age(unsigned status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].status == status)
			return statuses[i].age;
	return 1;
}

const char *
http_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].status == status)
			return statuses[i].reason;
	return "Error";
}

const char *
http_type_of_name(const char *name, bool *compressible)
{
	static const struct {
		const char *extension, *type;
		bool compressible;
	} types[] = {
		{ ".ts", "video/mp2t", false },
		{ ".aac", "audio/aac", false },
		{ ".mp3", "audio/mpeg", false },
		{ ".m3u8", "application/vnd.apple.mpegurl", true }, /* RFC 8216 section 4 */
		{ ".html", "text/html; charset=utf-8", true },
		{ ".js", "text/javascript; charset=utf-8", true }, /* RFC 9239 */
		{ ".mjs", "text/javascript; charset=utf-8", true },
		{ ".css", "text/css; charset=utf-8", true },
		{ ".json", "application/json", true },
		{ ".map", "application/json", true },
		{ ".webmanifest", "application/manifest+json", true },
		{ ".svg", "image/svg+xml", true },
		{ ".png", "image/png", false },
		{ ".jpg", "image/jpeg", false },
		{ ".webp", "image/webp", false },
		{ ".ico", "image/x-icon", false },
		{ ".woff2", "font/woff2", false },
		{ ".txt", "text/plain; charset=utf-8", true },
	};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++) {
		if (!strcmp(dot, types[i].extension)) {
			*compressible = types[i].compressible;
			return types[i].type;
		}
	}
	return NULL;
}
