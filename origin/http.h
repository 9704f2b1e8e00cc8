/* Header fields of HTTP: reading conditions and ranges, writing dates and freshness. Pure functions. */
#ifndef HINDCAST_HTTP_H
#define HINDCAST_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "Sat, 21 Nov 2026 09:00:06 GMT" (RFC 9110 5.6.7). */
#define HTTP_DATE_SIZE 32
const char *http_date(int64_t unix_s, char out[static HTTP_DATE_SIZE]);
/* All three forms of RFC 9110 5.6.7. 0, or -1 with *unix_s untouched. */
int http_parse_date(const char *s, int64_t *unix_s);

/* Does a list of entity tags (If-None-Match) hold `etag`, weakly compared (RFC 9110 13.1.2)? "*" matches all. */
bool http_etag_listed(const char *list, const char *etag);

/* Does Accept-Encoding take gzip (RFC 9110 12.5.3)? NULL: no. */
bool http_accepts_gzip(const char *accept_encoding);

/* One range of bytes (RFC 9110 14.1.2). */
struct http_range {
	uint64_t first, length;
};
enum http_range_result {
	HTTP_RANGE_NONE,          /* to be ignored: another unit, several ranges, or not readable */
	HTTP_RANGE_ONE,           /* *r is set */
	HTTP_RANGE_UNSATISFIABLE, /* answer 416 */
};
enum http_range_result http_parse_range(const char *value, uint64_t size, struct http_range *r);

/* Is If-Range fulfilled: the same strong entity tag, or exactly this date (RFC 9110 13.1.5)? NULL: yes. */
bool http_if_range(const char *value, const char *etag, int64_t modified_s);

/* How long an answer stays fresh. */
enum http_freshness {
	HTTP_IMMUTABLE, /* a year: the name is never used for other bytes */
	HTTP_GROWING,   /* a list that grows: a third of T, in seconds, at least 1 */
	HTTP_FRESH,     /* so many seconds */
	HTTP_NO_STORE,
};
#define HTTP_CACHE_CONTROL_SIZE 96
/* The value of Cache-Control. `seconds`: T for HTTP_GROWING, the age for HTTP_FRESH. Never max-age=0: Varnish then
 * stops joining requests for two minutes. */
const char *http_cache_control(
    enum http_freshness freshness, int64_t seconds, char out[static HTTP_CACHE_CONTROL_SIZE]);

/* Seconds that an error may be kept: short for what will be there in a moment. */
int64_t http_error_age(unsigned status);

/* "Not Found" (RFC 9110 section 15); "Error" for what is not used here. */
const char *http_reason(unsigned status);

/* Content-Type by the extension of a name, NULL when it is not known. *compressible: worth gzip. */
const char *http_type_of_name(const char *name, bool *compressible);

#endif
