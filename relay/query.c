/* The query of GET /rtp. */
#include "relay/query.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "relay/ring.h"
#include "relay/rtp.h"
#include "relay/sources.h"

#define VALUE_LONGEST RTP_MID_MAX
#define NAME_SHOWN 32
#define NS_DIGITS 16 /* so many digits are ns: as seconds it would be a year beyond 300 million */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undo the escapes of `len` bytes. The length, or -1: a bad escape, a NUL, or too long. */
static int
unescape(const char *s, size_t len, char out[static VALUE_LONGEST + 1])
{
	int n = 0;

	for (size_t i = 0; i < len; i++, n++) {
		int c = (unsigned char)s[i];
		if (c == '%') {
			int high = i + 2 < len ? hex(s[i + 1]) : -1, low = high < 0 ? -1 : hex(s[i + 2]);
			c = low < 0 ? 0 : high << 4 | low;
			i += 2;
		}
		if (c == 0 || n == VALUE_LONGEST)
			return -1;
		out[n] = (char)c;
	}
	out[n] = '\0';
	return n;
}

static int
parse_ns(const char *s, int64_t *ns)
{
	int64_t v = 0;

	for (; *s; s++) {
		int digit = *s - '0';
		if (digit < 0 || digit > 9 || v > (INT64_MAX - digit) / 10)
			return -1;
		v = v * 10 + digit;
	}
	*ns = v;
	return 0;
}

/* "+" of a zone may have become a blank on its way. */
static int
parse_since(char *s, int64_t *since)
{
	struct wall w;

	if (strlen(s) >= NS_DIGITS && strspn(s, "0123456789") == strlen(s))
		return parse_ns(s, since);
	for (char *blank = s; (blank = strchr(blank, ' '));)
		*blank = '+';
	if (wall_parse(s, &w))
		return -1;
	*since = w.ns;
	return 0;
}

static int
take_since(struct query *q, char *value, struct text *why)
{
	if (q->since != RING_LIVE) {
		text_str(why, "since: given twice\n");
		return -1;
	}
	if (parse_since(value, &q->since)) {
		text_str(why, "since: want 2026-11-21T09:00:00Z, or seconds or nanoseconds since 1970\n");
		return -1;
	}
	return 0;
}

static int
take_mid(struct query *q, const char *value, struct text *why)
{
	if (!rtp_mid_valid(value)) {
		text_str(why, "mid: want station.rendition, each of a-z, 0-9, _ and -\n");
		return -1;
	}
	if (q->count == QUERY_MIDS_MOST) {
		text_fmt(why, "mid: more than %d\n", QUERY_MIDS_MOST);
		return -1;
	}
	q->mids[q->count++] = source_mid_hash(value, strlen(value));
	return 0;
}

/* "name=value" of `len` bytes. */
static int
take_parameter(struct query *q, const char *s, size_t len, struct text *why)
{
	const char *equals = memchr(s, '=', len);
	size_t name = equals ? (size_t)(equals - s) : len;
	bool is_since = name == 5 && !memcmp(s, "since", 5), is_mid = name == 3 && !memcmp(s, "mid", 3);
	char value[VALUE_LONGEST + 1];

	if (!equals || (!is_since && !is_mid)) {
		text_fmt(why, "%.*s: unknown or without value; here are since and mid\n",
		    (int)(name < NAME_SHOWN ? name : NAME_SHOWN), s);
		return -1;
	}
	if (unescape(equals + 1, len - name - 1, value) < 0) {
		text_fmt(why, "%s: too long, or not escaped well\n", is_since ? "since" : "mid");
		return -1;
	}
	return is_since ? take_since(q, value, why) : take_mid(q, value, why);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int
query_parse(const char *query, struct query *out, struct text *why)
{
	out->since = RING_LIVE;
	out->count = 0;
	for (const char *s = query; *s;) {
		size_t len = strcspn(s, "&");
		if (len > 0 && take_parameter(out, s, len, why))
			return -1;
		s += len + (s[len] == '&');
	}
	qsort(out->mids, out->count, sizeof *out->mids, compare);
	return 0;
}
