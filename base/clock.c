/* The system's clocks, the slewed wall time made from them, and instants as text. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"

#define STEP_NS NS_PER_S
#define SLEW_PART 10000 /* 100 ppm: one part in ten thousand */

static int64_t
system_ns(clockid_t id)
{
	struct timespec ts;

	CHECK(clock_gettime(id, &ts) == 0);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

struct wall
clock_wall_now(void)
{
	return (struct wall){ system_ns(CLOCK_REALTIME) };
}

struct mono
clock_mono_now(void)
{
	return (struct mono){ system_ns(CLOCK_MONOTONIC) };
}

/* Whole seconds and the rest apart: the rest times 10^9 stays below 2^62, so nothing is lost and nothing overflows. */
int64_t
samples_to_ns(uint64_t samples, uint32_t rate)
{
	CHECK(rate > 0);
	uint64_t rest = samples % rate * (uint64_t)NS_PER_S;
	return (int64_t)(samples / rate * (uint64_t)NS_PER_S + (rest + rate / 2) / rate);
}

/* What has been made good of the error since the last update. Growing it with `now`, rather than at each update, is
 * what keeps wall time from jumping back when an update finds the system behind. */
static int64_t
slewed(const struct timebase *tb, struct mono now)
{
	int64_t most = (now.ns - tb->updated.ns) / SLEW_PART;

	if (tb->error_ns > most)
		return most;
	if (tb->error_ns < -most)
		return -most;
	return tb->error_ns;
}

void
timebase_init(struct timebase *tb, struct mono now, struct wall system, struct wall not_before)
{
	int64_t wall = not_before.ns > system.ns ? not_before.ns : system.ns;

	*tb = (struct timebase){
		.offset_ns = wall - now.ns,
		.updated = now,
		.error_ns = system.ns - wall,
		.behind = system.ns - wall < -STEP_NS,
	};
}

enum timebase_event
timebase_update(struct timebase *tb, struct mono now, struct wall system)
{
	int64_t expected = tb->error_ns - slewed(tb, now);
	int64_t wall = timebase_wall(tb, now).ns;
	int64_t error = system.ns - wall;

	tb->offset_ns = wall - now.ns;
	tb->updated = now;
	if (error > STEP_NS) {
		tb->offset_ns += error;
		tb->error_ns = 0;
		tb->behind = 0;
		tb->steps_forward++;
		return TIMEBASE_STEPPED_FORWARD;
	}
	bool again = error - expected < -STEP_NS; /* one more step while an older one is still being made good */
	bool backward = error < -STEP_NS && (!tb->behind || again);
	tb->error_ns = error;
	tb->behind = error < -STEP_NS;
	tb->steps_backward += backward;
	return backward ? TIMEBASE_STEPPED_BACKWARD : TIMEBASE_STEADY;
}

struct wall
timebase_wall(const struct timebase *tb, struct mono now)
{
	return (struct wall){ now.ns + tb->offset_ns + slewed(tb, now) };
}

const char *
wall_format(struct wall w, char text[static WALL_TEXT_SIZE])
{
	int64_t ms = w.ns / NS_PER_MS - (w.ns % NS_PER_MS < 0);
	int64_t part = (ms % 1000 + 1000) % 1000;
	time_t seconds = (ms - part) / 1000;
	struct tm tm;

	CHECK(gmtime_r(&seconds, &tm));
	size_t n = strftime(text, WALL_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, WALL_TEXT_SIZE - n, ".%03dZ", (int)part);
	return text;
}

static bool
skip(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

/* Exactly `n` digits with a value from `least` to `most`. */
static bool
field(const char **s, int n, int least, int most, int *v)
{
	int value = 0;

	for (; n > 0; n--, ++*s) {
		if (**s < '0' || **s > '9')
			return false;
		value = value * 10 + (**s - '0');
	}
	*v = value;
	return value >= least && value <= most;
}

/* ".25" or nothing; what is finer than a nanosecond is left out. */
static bool
fraction(const char **s, int64_t *ns)
{
	*ns = 0;
	if (!skip(s, '.'))
		return true;
	const char *start = *s;
	for (int64_t unit = NS_PER_S / 10; **s >= '0' && **s <= '9'; ++*s, unit /= 10)
		*ns += (**s - '0') * unit;
	return *s > start;
}

/* "Z", "+01:00" or "+0100" */
static bool
zone(const char **s, int *east)
{
	int hours, minutes, sign = **s == '-' ? -1 : 1;

	*east = 0;
	if (skip(s, 'Z'))
		return true;
	if (!skip(s, '+') && !skip(s, '-'))
		return false;
	if (!field(s, 2, 0, 23, &hours))
		return false;
	skip(s, ':');
	if (!field(s, 2, 0, 59, &minutes))
		return false;
	*east = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* "2026-11-21T09:00:00" and "20261121T090000", ISO 8601 extended and basic. Years end where int64_t nanoseconds do. */
static bool
date_and_time(const char **s, time_t *seconds)
{
	struct tm tm = { 0 };

	if (!field(s, 4, 1970, 2261, &tm.tm_year))
		return false;
	bool extended = skip(s, '-');
	if (!field(s, 2, 1, 12, &tm.tm_mon) || skip(s, '-') != extended)
		return false;
	if (!field(s, 2, 1, 31, &tm.tm_mday) || !skip(s, 'T'))
		return false;
	if (!field(s, 2, 0, 23, &tm.tm_hour) || skip(s, ':') != extended)
		return false;
	if (!field(s, 2, 0, 59, &tm.tm_min) || skip(s, ':') != extended)
		return false;
	if (!field(s, 2, 0, 59, &tm.tm_sec))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	int day = tm.tm_mday;
	*seconds = timegm(&tm);
	return tm.tm_mday == day; /* else the month was shorter, and timegm went on into the next */
}

static bool
unix_seconds(const char **s, time_t *seconds)
{
	const char *start = *s;
	int64_t v = 0;

	for (; **s >= '0' && **s <= '9'; ++*s) {
		v = v * 10 + (**s - '0');
		if (v >= INT64_MAX / NS_PER_S)
			return false;
	}
	*seconds = v;
	return *s > start;
}

int
wall_parse(const char *text, struct wall *w)
{
	const char *s = text;
	time_t seconds;
	int64_t ns;
	int east = 0;

	if (date_and_time(&s, &seconds)) {
		if (!fraction(&s, &ns) || !zone(&s, &east))
			return -1;
	} else {
		s = text;
		if (!unix_seconds(&s, &seconds) || !fraction(&s, &ns))
			return -1;
	}
	if (*s)
		return -1;
	w->ns = (seconds - east) * NS_PER_S + ns;
	return 0;
}
