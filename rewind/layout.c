/* The grid and the names that follow from it. A name is read back by writing it again: what does not come out the same
 * is not ours. */
#include "rewind/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECONDS_PER_HOUR 3600

uint64_t
layout_msn(struct wall frame, int64_t duration_ns, uint32_t T)
{
	return (uint64_t)(frame.ns + duration_ns / 2) / ((uint64_t)T * NS_PER_S);
}

struct wall
layout_grid(uint64_t msn, uint32_t T)
{
	return (struct wall){ (int64_t)(msn * T) * NS_PER_S };
}

uint64_t
layout_hour(uint64_t msn, uint32_t T)
{
	return msn * T / SECONDS_PER_HOUR;
}

uint64_t
layout_hour_first(uint64_t hour, uint32_t T)
{
	return hour * SECONDS_PER_HOUR / T;
}

const char *
layout_extension(enum layout_kind kind)
{
	static const char *const extension[] = { ".ts", ".aac", ".mp3" };
	return extension[kind];
}

static struct tm
utc(uint64_t seconds)
{
	/* past the end the last hour stands in; such numbers are refused before they get here */
	if (seconds >= LAYOUT_HOURS_END * SECONDS_PER_HOUR)
		seconds = LAYOUT_HOURS_END * SECONDS_PER_HOUR - 1;
	time_t t = (time_t)seconds;
	struct tm tm = { 0 };
	gmtime_r(&t, &tm);
	return tm;
}

/* `n` digits of a number; strftime takes longer than all else that is done to an entry. Returns what follows. */
static char *
put(char *out, int n, int number)
{
	for (int i = n; i-- > 0; number /= 10)
		out[i] = (char)('0' + number % 10);
	return out + n;
}

const char *
layout_hour_name(uint64_t hour, char out[static LAYOUT_NAME_SIZE])
{
	struct tm tm = utc(hour * SECONDS_PER_HOUR);
	char *end = put(put(put(out, 4, tm.tm_year + 1900), 2, tm.tm_mon + 1), 2, tm.tm_mday);
	*end++ = 'T';
	*put(end, 2, tm.tm_hour) = '\0';
	return out;
}

const char *
layout_segment_path_in(
    const char *hour_name, uint64_t msn, uint32_t T, enum layout_kind kind, char out[static LAYOUT_NAME_SIZE])
{
	int into = (int)(msn * T % SECONDS_PER_HOUR);
	size_t n = strlen(hour_name);
	char *end = out + n;
	memcpy(out, hour_name, n);
	*end++ = '/';
	memcpy(end, hour_name, n);
	end = put(put(end + n, 2, into / 60), 2, into % 60);
	*end++ = 'Z';
	const char *extension = layout_extension(kind);
	memcpy(end, extension, strlen(extension) + 1);
	return out;
}

const char *
layout_segment_path(uint64_t msn, uint32_t T, enum layout_kind kind, char out[static LAYOUT_NAME_SIZE])
{
	char name[LAYOUT_NAME_SIZE];
	return layout_segment_path_in(layout_hour_name(layout_hour(msn, T), name), msn, T, kind, out);
}

/* The number that `n` digits at *s say, or -1. */
static int
digits(const char **s, int n)
{
	int v = 0;
	for (; n > 0; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

/* "20261121T09" at *s, which is moved behind it. */
static int
parse_hour(const char **s, uint64_t *hour)
{
	const char *p = *s;
	struct tm tm = { 0 };
	if ((tm.tm_year = digits(&p, 4) - 1900) < 70 || (tm.tm_mon = digits(&p, 2) - 1) < 0 ||
	    (tm.tm_mday = digits(&p, 2)) < 1 || *p++ != 'T' || (tm.tm_hour = digits(&p, 2)) < 0)
		return -1;
	time_t t = timegm(&tm);
	if (t < 0 || t >= (time_t)LAYOUT_HOURS_END * SECONDS_PER_HOUR)
		return -1;
	char again[LAYOUT_NAME_SIZE];
	uint64_t h = (uint64_t)t / SECONDS_PER_HOUR;
	if (strncmp(layout_hour_name(h, again), *s, (size_t)(p - *s)) != 0)
		return -1; /* the 30th of February */
	*s = p;
	*hour = h;
	return 0;
}

int
layout_parse_hour_dir(const char *name, uint64_t *hour)
{
	uint64_t h;
	if (parse_hour(&name, &h) || *name != '\0')
		return -1;
	*hour = h;
	return 0;
}

int
layout_parse_hour_file(const char *name, uint64_t *hour, bool *part)
{
	uint64_t h;
	if (parse_hour(&name, &h))
		return -1;
	bool unfinished = strcmp(name, ".m3u8.part") == 0;
	if (!unfinished && strcmp(name, ".m3u8") != 0)
		return -1;
	*hour = h;
	*part = unfinished;
	return 0;
}

int
layout_parse_segment(const char *name, struct wall *grid, enum layout_kind *kind)
{
	uint64_t hour;
	if (parse_hour(&name, &hour))
		return -1;
	int minute = digits(&name, 2), second = minute < 0 ? -1 : digits(&name, 2);
	if (minute < 0 || minute > 59 || second < 0 || second > 59 || *name++ != 'Z')
		return -1;
	for (enum layout_kind k = LAYOUT_TS; k <= LAYOUT_MP3; k++) {
		if (strcmp(name, layout_extension(k)) != 0)
			continue;
		*grid = (struct wall){ ((int64_t)hour * SECONDS_PER_HOUR + minute * 60 + second) * NS_PER_S };
		*kind = k;
		return 0;
	}
	return -1;
}
