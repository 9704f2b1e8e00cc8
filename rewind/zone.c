/* A zone is a list of instants, each with the offset that is in force from then on. It is made from a TZif file
 * (RFC 8536): of its 64-bit part, and of the rule in its footer for the years behind that. glibc reads these files too,
 * but only for the one zone of the whole process; libical makes recurrence rules of them and loses transitions on the
 * way (Asia/Jerusalem in 2013, Australia/Lord_Howe from 2038). The calendar itself is the C library's: timegm and
 * gmtime_r.
 *
 *	header (44 bytes) with counts | 32-bit data | header | 64-bit data | "\n" footer "\n"
 *	data: times | a type for each | types (utoff 4, isdst 1, name 1) | names | leap seconds | std flags | UT flags
 */
#include "rewind/zone.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#define FILE_MOST (256 << 10)
#define RULE_FIRST 1969 /* the year before: what is in force when 1970 begins */
#define RULE_LAST 2099
#define DAY 86400
/* RFC 8536 section 3.2: local time types are less than 25 hours west and 26 hours east of UTC */
#define WEST_MOST (-25 * 3600 + 1)
#define EAST_MOST (26 * 3600 - 1)

struct since {
	int64_t at; /* Unix seconds; of the first INT64_MIN */
	int32_t east;
};

struct zone {
	size_t count;
	struct since since[];
};

/* ---- the calendar */

static int64_t
seconds_of(int year, int month, int day)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
	return timegm(&tm);
}

static struct tm
calendar(int64_t seconds)
{
	time_t t = seconds;
	struct tm tm;
	CHECK(gmtime_r(&t, &tm));
	return tm;
}

/* ---- the table */

/* `later` than all there is, or at the same time as the last one, which it then replaces. */
static void
append(struct zone *z, struct since later)
{
	struct since *last = &z->since[z->count - 1];
	if (later.at <= 0) {
		z->since[0].east = later.east;
	} else if (later.at == last->at) {
		last->east = later.east;
		if (last->east == last[-1].east)
			z->count--;
	} else if (later.at > last->at && later.east != last->east) {
		z->since[z->count++] = later;
	}
}

/* Index of the entry that is in force. */
static size_t
in_force(const struct zone *z, int64_t unix_s)
{
	size_t low = 0, high = z->count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (z->since[middle].at <= unix_s)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* ---- the footer: a rule as in the environment variable TZ (POSIX.1-2008 section 8.3, RFC 8536 section 3.3.1) */

struct day_rule {
	uint8_t form; /* 'M', 'J', or '0' for days from 0 with leap days */
	int month, week, day;
	int32_t time; /* seconds after the local midnight that the day begins with; may be negative or over a day */
};

struct footer {
	int32_t standard, summer; /* east; in Ireland and Morocco "summer" is the winter */
	bool has_rules;
	struct day_rule begin, end; /* of summer */
};

static bool
at(const struct cursor *c, uint8_t byte)
{
	return !c->bad && cursor_left(c) > 0 && *c->p == byte;
}

static bool
skip(struct cursor *c, uint8_t byte)
{
	return at(c, byte) && cursor_take(c, 1);
}

/* As skip, but it must be there. */
static void
want(struct cursor *c, uint8_t byte)
{
	if (!skip(c, byte))
		c->bad = true;
}

static bool
at_digit(const struct cursor *c)
{
	return !c->bad && cursor_left(c) > 0 && *c->p >= '0' && *c->p <= '9';
}

static int32_t
number(struct cursor *c, int32_t least, int32_t most)
{
	int32_t v = 0;
	unsigned digits = 0;
	for (; at_digit(c) && digits < 4; digits++)
		v = v * 10 + (cursor_u8(c) - '0');
	if (digits == 0 || v < least || v > most)
		c->bad = true;
	return c->bad ? 0 : v;
}

/* "CET" or "<+1030>" */
static void
abbreviation(struct cursor *c)
{
	if (skip(c, '<')) {
		while (!c->bad && !skip(c, '>'))
			cursor_u8(c);
		return;
	}
	size_t n = 0;
	for (; !c->bad && cursor_left(c) > 0; n++, cursor_u8(c))
		if ((*c->p | 0x20) < 'a' || (*c->p | 0x20) > 'z')
			break;
	if (n < 3)
		c->bad = true;
}

/* "-1", "3:30", "+02:00:00" */
static int32_t
hms(struct cursor *c, int32_t hours_most)
{
	int32_t sign = skip(c, '-') ? -1 : 1;
	if (sign > 0)
		skip(c, '+');
	int32_t seconds = number(c, 0, hours_most) * 3600;
	if (skip(c, ':'))
		seconds += number(c, 0, 59) * 60;
	if (skip(c, ':'))
		seconds += number(c, 0, 59);
	return sign * seconds;
}

/* "M10.5.0/3", "J60", "59/-1:30" */
static struct day_rule
day_rule(struct cursor *c)
{
	struct day_rule r = { .form = '0', .time = 2 * 3600 };
	if (skip(c, 'M')) {
		r.form = 'M';
		r.month = number(c, 1, 12);
		want(c, '.');
		r.week = number(c, 1, 5);
		want(c, '.');
		r.day = number(c, 0, 6);
	} else if (skip(c, 'J')) {
		r.form = 'J';
		r.day = number(c, 1, 365);
	} else {
		r.day = number(c, 0, 365);
	}
	if (skip(c, '/'))
		r.time = hms(c, 167);
	return r;
}

/* Offsets in it count westward. */
static struct footer
parse_footer(struct cursor *c)
{
	struct footer f = { 0 };
	abbreviation(c);
	f.standard = -hms(c, 24);
	if (at(c, '\n') || c->bad)
		return f;
	f.has_rules = true;
	abbreviation(c);
	f.summer = at(c, ',') ? f.standard + 3600 : -hms(c, 24);
	want(c, ',');
	f.begin = day_rule(c);
	want(c, ',');
	f.end = day_rule(c);
	return f;
}

/* Seconds of the day's local midnight, as if local time were UTC, plus its time. */
static int64_t
rule_in_year(const struct day_rule *r, int year)
{
	if (r->form == '0')
		return seconds_of(year, 1, 1 + r->day) + r->time;
	if (r->form == 'J') { /* the 29th of February is never counted: month and day are those of any common year */
		struct tm common = calendar(seconds_of(2001, 1, r->day));
		return seconds_of(year, common.tm_mon + 1, common.tm_mday) + r->time;
	}
	int first_weekday = calendar(seconds_of(year, r->month, 1)).tm_wday;
	int day = 1 + (r->day - first_weekday + 7) % 7 + (r->week - 1) * 7;
	int64_t s = seconds_of(year, r->month, day);
	if (calendar(s).tm_mon + 1 != r->month) /* week 5 is the last one, be it the 4th */
		s -= 7 * DAY;
	return s + r->time;
}

/* What the rule gives for the years after the last transition that the file lists, which may be anything. */
static void
append_rules(struct zone *z, const struct footer *f, int64_t after)
{
	if (after >= seconds_of(RULE_LAST + 1, 1, 1))
		return;
	if (!f->has_rules) {
		append(z, (struct since){ after, f->standard });
		return;
	}
	int year = after < 0 ? RULE_FIRST : calendar(after).tm_year + 1900;
	for (; year <= RULE_LAST; year++) {
		struct since begin = { rule_in_year(&f->begin, year) - f->standard, f->summer };
		struct since end = { rule_in_year(&f->end, year) - f->summer, f->standard };
		bool south = end.at < begin.at;
		if ((south ? end : begin).at > after)
			append(z, south ? end : begin);
		if ((south ? begin : end).at > after)
			append(z, south ? begin : end);
	}
}

/* ---- the file */

struct counts {
	uint8_t version;
	uint32_t ut, standard, leap, times, types, names;
};

static struct counts
parse_header(struct cursor *c)
{
	const uint8_t *magic = cursor_take(c, 4);
	if (magic && memcmp(magic, "TZif", 4) != 0)
		c->bad = true;
	struct counts n = { .version = cursor_u8(c) };
	cursor_take(c, 15);
	n.ut = cursor_u32(c);
	n.standard = cursor_u32(c);
	n.leap = cursor_u32(c);
	n.times = cursor_u32(c);
	n.types = cursor_u32(c);
	n.names = cursor_u32(c);
	return n;
}

/* A table of what the 64-bit data list; the cursor stands behind them. *last is the last transition, whether it changed
 * the offset or not. NULL when it is not as the RFC wants it, or without memory. */
static struct zone *
parse_transitions(struct cursor *c, const struct counts *n, int64_t *last)
{
	struct cursor times = cursor_sub(c, (size_t)n->times * 8);
	struct cursor indices = cursor_sub(c, n->times);
	struct cursor types = cursor_sub(c, (size_t)n->types * 6);
	cursor_take(c, (size_t)n->names + (size_t)n->leap * 12 + n->standard + n->ut);
	if (c->bad || n->types == 0 || n->leap > 0) /* with leap seconds ("right/…") it would not be Unix time */
		return NULL;
	struct zone *z =
	    malloc(sizeof *z + (1 + (size_t)n->times + 2 * (RULE_LAST - RULE_FIRST + 1)) * sizeof z->since[0]);
	if (!z)
		return NULL;
	*last = INT64_MIN;
	for (uint32_t i = 0; i <= n->times; i++) { /* before all of them type 0 is in force */
		int64_t when = i == 0 ? INT64_MIN : (int64_t)cursor_be(&times, 8);
		uint8_t index = i == 0 ? 0 : cursor_u8(&indices);
		struct cursor type = types;
		cursor_take(&type, (size_t)index * 6);
		int32_t east = (int32_t)cursor_u32(&type);
		if (type.bad || east < WEST_MOST || east > EAST_MOST || (i > 0 && when <= *last)) {
			free(z);
			return NULL;
		}
		if (i == 0) {
			z->count = 1;
			z->since[0] = (struct since){ INT64_MIN, east };
		} else {
			append(z, (struct since){ when, east });
		}
		*last = when;
	}
	return z;
}

struct zone *
zone_read(const void *tzif, size_t len)
{
	struct cursor c = cursor_of(tzif, len);
	struct counts n = parse_header(&c);
	cursor_take(&c, (size_t)n.times * 5 + (size_t)n.types * 6 + n.names + (size_t)n.leap * 8);
	cursor_take(&c, (size_t)n.standard + n.ut);
	n = parse_header(&c);
	if (c.bad || n.version < '2')
		return NULL;
	int64_t last;
	struct zone *z = parse_transitions(&c, &n, &last);
	if (!z)
		return NULL;
	want(&c, '\n');
	if (!at(&c, '\n')) {
		struct footer f = parse_footer(&c);
		want(&c, '\n');
		if (!c.bad)
			append_rules(z, &f, last);
	}
	if (c.bad)
		zone_free(&z);
	return z;
}

/* A machine without the database has at least this one, which is the default. */
static struct zone *
utc(void)
{
	struct zone *z = malloc(sizeof *z + sizeof z->since[0]);
	if (z) {
		z->count = 1;
		z->since[0] = (struct since){ INT64_MIN, 0 };
	}
	return z;
}

struct zone *
zone_new(const char *name)
{
	const char *folder = getenv("TZDIR");
	struct zone *z = NULL;
	struct text bytes;

	if (strcmp(name, "UTC") == 0)
		return utc();
	if (name[0] == '/' || strstr(name, ".."))
		return NULL;
	int fd = open(folder && *folder ? folder : "/usr/share/zoneinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text_init(&bytes, FILE_MOST);
	if (file_read(fd, name, &bytes) == 0)
		z = zone_read(bytes.data, bytes.len);
	text_fini(&bytes);
	close(fd);
	return z;
}

void
zone_free(struct zone **z)
{
	free(*z);
	*z = NULL;
}

int32_t
zone_offset(const struct zone *z, int64_t unix_s)
{
	return z->since[in_force(z, unix_s)].east;
}

struct civil
zone_local(const struct zone *z, int64_t unix_s)
{
	struct tm tm = calendar(unix_s + zone_offset(z, unix_s));
	return (struct civil){
		tm.tm_year + 1900,
		tm.tm_mon + 1,
		tm.tm_mday,
		tm.tm_hour,
		tm.tm_min,
		tm.tm_sec,
	};
}

/* The first instant at which the clock shows `local` or more: that is the first of two, and of a time that is skipped
 * the moment of the change. No offset is as large as two days, so nothing older can show it. */
int64_t
zone_instant(const struct zone *z, const struct civil *local)
{
	struct tm tm = {
		.tm_year = local->year - 1900,
		.tm_mon = local->month - 1,
		.tm_mday = local->day,
		.tm_hour = local->hour,
		.tm_min = local->minute,
		.tm_sec = local->second,
	};
	int64_t shown = timegm(&tm);
	for (size_t i = in_force(z, shown - 2 * DAY);; i++) {
		int64_t t = shown - z->since[i].east;
		if (t < z->since[i].at)
			t = z->since[i].at;
		if (i + 1 == z->count || t < z->since[i + 1].at)
			return t;
	}
}
