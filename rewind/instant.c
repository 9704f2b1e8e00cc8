/* Reading the words for time. What names an offset or is a plain number goes through wall_parse, after its written form
 * was completed: seconds that were left out, a plus that was decoded to a blank. */
#include "rewind/instant.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define TEXT_MOST 48                            /* no instant is written longer */
#define END_NS (INT64_C(4102444800) * NS_PER_S) /* 2100 */
#define UNIX_DIGITS 9                           /* 1973 and later */
#define DAY_NS (86400 * NS_PER_S)
#define DURATION_MOST (36525 * DAY_NS)

/* From `least` to `most` decimal digits at *s, which is moved behind them: their value, or -1. */
static int
digits(const char **s, int least, int most)
{
	int v = 0, n = 0;
	for (; n < most && **s >= '0' && **s <= '9'; n++, ++*s)
		v = v * 10 + (**s - '0');
	return n < least ? -1 : v;
}

static bool
skip(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

static bool
is_date(const struct civil *c)
{
	if (c->year < 1970 || c->year > 2099 || c->month < 1 || c->month > 12 || c->day < 1)
		return false;
	struct tm tm = { .tm_year = c->year - 1900, .tm_mon = c->month - 1, .tm_mday = c->day };
	timegm(&tm);
	return tm.tm_mday == c->day; /* else the month was shorter, and timegm went on into the next */
}

static bool
is_time_of_day(const struct civil *c)
{
	return c->hour >= 0 && c->hour <= 23 && c->minute >= 0 && c->minute <= 59 && c->second >= 0 && c->second <= 59;
}

/* "2026-11-21" */
static bool
date(const char **s, struct civil *c)
{
	if ((c->year = digits(s, 4, 4)) < 0 || !skip(s, '-') || (c->month = digits(s, 2, 2)) < 0 || !skip(s, '-') ||
	    (c->day = digits(s, 2, 2)) < 0)
		return false;
	return is_date(c);
}

/* "09:00", "09:00:30", its hour of at least so many digits. *seconds: were they there? */
static bool
time_of_day(const char **s, int hour_digits, struct civil *c, bool *seconds)
{
	if ((c->hour = digits(s, hour_digits, 2)) < 0 || !skip(s, ':') || (c->minute = digits(s, 2, 2)) < 0)
		return false;
	*seconds = skip(s, ':');
	c->second = *seconds ? digits(s, 2, 2) : 0;
	return is_time_of_day(c);
}

/* "9am", "9:30pm", "12AM": 12 is the hour before 1. */
static bool
twelve_hours(const char *s, struct civil *c)
{
	c->hour = digits(&s, 1, 2);
	c->minute = skip(&s, ':') ? digits(&s, 2, 2) : 0;
	bool pm = strcasecmp(s, "pm") == 0;
	if (c->hour < 1 || c->hour > 12 || (!pm && strcasecmp(s, "am") != 0))
		return false;
	c->hour = c->hour % 12 + (pm ? 12 : 0);
	return is_time_of_day(c);
}

static bool
clock_time(const char *text, struct civil *c)
{
	const char *s = text;
	bool seconds;
	return (time_of_day(&s, 1, c, &seconds) && *s == '\0') || twelve_hours(text, c);
}

/* A fraction of a second, which is left out here, and the offset behind it. */
static bool
has_offset(const char *s)
{
	if (skip(&s, '.'))
		s += strspn(s, "0123456789");
	return *s == 'Z' || *s == '+' || *s == '-' || *s == ' ';
}

/* What wall_parse reads once a blank before the last four or five characters is a plus again. */
static bool
fixed(char *text, struct wall *w)
{
	size_t n = strlen(text);
	for (size_t offset = 4; offset <= 5 && offset < n; offset++)
		if (text[n - offset - 1] == ' ')
			text[n - offset - 1] = '+';
	struct wall at;
	if (wall_parse(text, &at) || at.ns < 0 || at.ns >= END_NS)
		return false;
	*w = at;
	return true;
}

/* "2026-11-21", then perhaps a time of day, then perhaps an offset. */
static bool
dated(const char *text, struct instant *i)
{
	const char *s = text;
	bool seconds = false;

	if (!date(&s, &i->local))
		return false;
	i->kind = INSTANT_DATED;
	if (*s == '\0')
		return true;
	if ((!skip(&s, 'T') && !skip(&s, ' ')) || !time_of_day(&s, 2, &i->local, &seconds))
		return false;
	if (*s == '\0')
		return true;
	if (!has_offset(s) || (!seconds && *s == '.'))
		return false;
	char whole[TEXT_MOST + 4]; /* "2026-11-21T09:00" ":00" "+01:00" */
	size_t head = (size_t)(s - text), more = seconds ? 0 : 3;
	memcpy(whole, text, head);
	whole[10] = 'T';
	memcpy(whole + head, ":00", more);
	memcpy(whole + head + more, s, strlen(s) + 1);
	i->kind = INSTANT_FIXED;
	return fixed(whole, &i->at);
}

/* "now", "-1h30m" */
static bool
relative(const char *text, struct instant *i)
{
	i->kind = INSTANT_RELATIVE;
	if (strcmp(text, "now") == 0)
		return true;
	return *text == '-' && duration_parse(text + 1, true, &i->ago_ns) == 0;
}

int
instant_parse(const char *text, struct instant *out)
{
	struct instant i = { 0 };
	char copy[TEXT_MOST + 1];
	bool good;

	size_t n = strlen(text);
	if (n == 0 || n > TEXT_MOST)
		return -1;
	memcpy(copy, text, n + 1);
	if (*text == 'n' || *text == '-') {
		good = relative(text, &i);
	} else if (n > 4 && text[4] == '-') {
		good = dated(text, &i);
	} else if (clock_time(text, &i.local)) {
		i.kind = INSTANT_CLOCK;
		good = true;
	} else {
		/* a number that short is an hour without its minutes, not a second of the year 1970 */
		i = (struct instant){ .kind = INSTANT_FIXED };
		good = (n >= UNIX_DIGITS || strspn(text, "0123456789") < n) && fixed(copy, &i.at);
	}
	if (!good)
		return -1;
	*out = i;
	return 0;
}

/* Nothing that is asked for lies outside of 1970 to 2099, whatever the clock says. */
static struct wall
bounded(int64_t ns)
{
	return (struct wall){ ns < 0 ? 0 : ns >= END_NS ? END_NS - 1 : ns };
}

/* Yesterday's is not after now: the clock on the wall has shown all of yesterday. */
static int64_t
latest(const struct civil *time_of_day, int64_t now_s, const struct zone *z)
{
	struct civil c = zone_local(z, now_s);
	c.hour = time_of_day->hour;
	c.minute = time_of_day->minute;
	c.second = time_of_day->second;
	int64_t t = zone_instant(z, &c);
	if (t <= now_s)
		return t;
	c.day--;
	return zone_instant(z, &c);
}

struct wall
instant_resolve(const struct instant *i, struct wall now, const struct zone *z)
{
	now = bounded(now.ns);
	switch (i->kind) {
	case INSTANT_FIXED:
		return bounded(i->at.ns);
	case INSTANT_DATED:
		return bounded(zone_instant(z, &i->local) * NS_PER_S);
	case INSTANT_CLOCK:
		return bounded(latest(&i->local, now.ns / NS_PER_S, z) * NS_PER_S);
	case INSTANT_RELATIVE:
		break;
	}
	return bounded(now.ns - i->ago_ns);
}

/* Units go from large to small, each at most once; a number without a unit is seconds and stands alone. */
int
duration_parse(const char *text, bool zero, int64_t *ns)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	const char *s = text;
	int64_t total = 0;

	for (size_t u = 0; *s;) {
		bool first = s == text;
		int64_t v = 0;
		if (*s < '0' || *s > '9')
			return -1;
		for (; *s >= '0' && *s <= '9'; ++s)
			if ((v = v * 10 + (*s - '0')) > DURATION_MOST / NS_PER_S)
				return -1;
		if (first && *s == '\0') {
			total = v;
			break;
		}
		while (u < 4 && units[u].letter != *s)
			u++;
		if (u == 4)
			return -1;
		total += v * units[u++].seconds;
		if (total > DURATION_MOST / NS_PER_S)
			return -1;
		s++;
	}
	if (s == text || (total == 0 && !zero))
		return -1;
	*ns = total * NS_PER_S;
	return 0;
}
