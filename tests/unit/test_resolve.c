/* From a request to a span: a table of requests, in which an answer is written as the canonical query, then what is
 * special about it, or as the status and the parameter. Most of it is station time in Paris on 2026-11-21, one hour
 * ahead of UTC, with fourteen days kept. */
#include "rewind/resolve.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "rewind/layout.h"

#define NOON "20261121T120000Z"
#define NEW_YORK "America/New_York"
#define LORD_HOWE "Australia/Lord_Howe"
#define NOTHING "-"

struct row {
	const char *name;
	struct time_request r;
	const char
	    *want; /* "QUERY", then "moves" when not fixed, "asked INSTANT" when clamped; or "STATUS PARAMETER RETRY" */
	const char *now;                 /* NULL: NOON */
	const char *zone;                /* NULL: Europe/Paris */
	uint32_t T;                      /* 0: 6 */
	int64_t span_s;                  /* 0: a day */
	const char *oldest, *newest_end; /* NULL: 14 days ago; the last grid line. NOTHING: nothing is there */
	bool no_programmes;
};

static int64_t
ns(const char *text)
{
	struct wall w;
	assert_int_equal(wall_parse(text, &w), 0);
	return w.ns;
}

/* Stand-ins while the module is not linked; the table below is all there is. */
static struct programme programme_list[] = {
	{ .id = "backwards" },
	{ .id = "breakfast" },
	{ .id = "night" },
	{ .id = "marathon" },
	{ .id = "noon" },
	{ .id = "odd" },
	{ .id = "long" },
	{ .id = "evening" },
};
static struct programmes programmes = { .list = programme_list, .count = 8 };

static int
set_programmes(void **state)
{
	(void)state;
	static const char *const times[][2] = {
		{ "20261115T080000Z", "20261115T070000Z" }, /* ends before it begins */
		{ "20261121T060000Z", "20261121T090000Z" }, /* over */
		{ "20261106T220000Z", "20261107T140000Z" }, /* partly gone */
		{ "20261118T000000Z", "20261120T060000Z" }, /* over, longer than a day */
		{ "20261121T113000Z", "20261121T123000Z" }, /* on */
		{ "20261121T070002Z", "20261121T075901Z" }, /* off the grid */
		{ "20261119T120000Z", "20261122T120000Z" }, /* on, for longer than a day */
		{ "20261121T180000Z", "20261121T200000Z" }, /* to come */
	};
	for (size_t i = 0; i < programmes.count; i++) {
		programme_list[i].start.ns = ns(times[i][0]);
		programme_list[i].end.ns = ns(times[i][1]);
	}
	return 0;
}

__attribute__((weak)) const struct programme *
programmes_at(const struct programmes *p, struct wall at)
{
	const struct programme *found = NULL;
	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].start.ns <= at.ns && at.ns < p->list[i].end.ns &&
		    (!found || p->list[i].start.ns >= found->start.ns))
			found = &p->list[i];
	return found;
}

__attribute__((weak)) const struct programme *
programmes_find(const struct programmes *p, const char *id)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->list[i].id, id) == 0)
			return &p->list[i];
	return NULL;
}

static const struct row rows[] = {
	/* ---- nothing, and delay */
	{ .name = "no parameters", .r = { 0 }, .want = "" },
	{ .name = "no parameters, nothing stored", .r = { 0 }, .want = "", .oldest = NOTHING },
	{ .name = "delay in minutes", .r = { .delay = "30m" }, .want = "delay=1800" },
	{ .name = "delay in seconds", .r = { .delay = "1800" }, .want = "delay=1800" },
	{ .name = "delay 0", .r = { .delay = "0" }, .want = "delay=0" },
	{ .name = "delay up to the grid", .r = { .delay = "1801" }, .want = "delay=1806" },
	{ .name = "delay of one second", .r = { .delay = "1" }, .want = "delay=6" },
	{ .name = "delay on a grid of 10", .r = { .delay = "1801" }, .want = "delay=1810", .T = 10 },
	{ .name = "delay on a grid of 2", .r = { .delay = "1801" }, .want = "delay=1802", .T = 2 },
	{ .name = "delay on a grid of an hour", .r = { .delay = "1801" }, .want = "delay=3600", .T = 3600 },
	{ .name = "delay of all that is kept", .r = { .delay = "14d" }, .want = "delay=1209600" },
	{ .name = "delay longer than what is kept", .r = { .delay = "14d1s" }, .want = "410 delay 0" },
	{ .name = "delay of a hundred years", .r = { .delay = "36525d" }, .want = "410 delay 0" },
	{ .name = "delay over a hundred years", .r = { .delay = "36526d" }, .want = "400 delay 0" },
	{ .name = "delay 0 with a clock behind",
	    .r = { .delay = "0" },
	    .want = "delay=0",
	    .oldest = "20261121T120001Z",
	    .newest_end = "20261121T130000Z" },
	{ .name = "delay, nothing stored", .r = { .delay = "30m" }, .want = "404 - 6", .oldest = NOTHING },
	{ .name = "delay negative", .r = { .delay = "-30m" }, .want = "400 delay 0" },
	{ .name = "delay an instant", .r = { .delay = "9am" }, .want = "400 delay 0" },
	{ .name = "delay empty", .r = { .delay = "" }, .want = "400 delay 0" },
	{ .name = "delay huge", .r = { .delay = "99999999999999999999" }, .want = "400 delay 0" },
	{ .name = "delay and from", .r = { .delay = "30m", .from = "9am" }, .want = "400 delay 0" },
	{ .name = "delay and to", .r = { .delay = "30m", .to = "9am" }, .want = "400 delay 0" },
	{ .name = "delay and duration", .r = { .delay = "30m", .duration = "1h" }, .want = "400 delay 0" },
	{ .name = "delay and programme", .r = { .delay = "30m", .programme = "now" }, .want = "400 delay 0" },

	/* ---- from alone */
	{ .name = "from this morning", .r = { .from = "9am" }, .want = "from=20261121T080000Z moves" },
	{ .name = "from this morning, 24 hours", .r = { .from = "09:00" }, .want = "from=20261121T080000Z moves" },
	{ .name = "from yesterday night", .r = { .from = "9:30pm" }, .want = "from=20261120T203000Z moves" },
	{ .name = "from midnight", .r = { .from = "12am" }, .want = "from=20261120T230000Z moves" },
	{ .name = "from noon, an hour ago", .r = { .from = "12pm" }, .want = "from=20261121T110000Z moves" },
	{ .name = "from a clock time that is now",
	    .r = { .from = "1pm" },
	    .want = "from=20261121T115954Z moves asked 20261121T120000Z" },
	{ .name = "from a clock time that comes in a second",
	    .r = { .from = "13:00:01" },
	    .want = "from=20261120T120000Z moves" },
	{ .name = "from a dated local time", .r = { .from = "2026-11-21T09:00" }, .want = "from=20261121T080000Z" },
	{ .name = "from a dated local time with a blank",
	    .r = { .from = "2026-11-21 09:00" },
	    .want = "from=20261121T080000Z" },
	{ .name = "from a date", .r = { .from = "2026-11-21" }, .want = "from=20261120T230000Z" },
	{ .name = "from an instant in UTC", .r = { .from = "2026-11-21T09:00:00Z" }, .want = "from=20261121T090000Z" },
	{ .name = "from an instant with an offset",
	    .r = { .from = "2026-11-21T09:00:00+01:00" },
	    .want = "from=20261121T080000Z" },
	{ .name = "from an instant whose plus was decoded",
	    .r = { .from = "2026-11-21T09:00:00 01:00" },
	    .want = "from=20261121T080000Z" },
	{ .name = "from basic form", .r = { .from = "20261121T080000Z" }, .want = "from=20261121T080000Z" },
	{ .name = "from Unix seconds", .r = { .from = "1795248000" }, .want = "from=20261121T080000Z" },
	{ .name = "from Unix seconds with a fraction",
	    .r = { .from = "1795248005.999" },
	    .want = "from=20261121T080000Z" },
	{ .name = "from half an hour ago", .r = { .from = "-30m" }, .want = "from=20261121T113000Z moves" },
	{ .name = "from an hour and a half ago", .r = { .from = "-1h30m" }, .want = "from=20261121T103000Z moves" },
	{ .name = "from 3600 s ago", .r = { .from = "-3600" }, .want = "from=20261121T110000Z moves" },
	{ .name = "from down to the grid", .r = { .from = "20261121T080005Z" }, .want = "from=20261121T080000Z" },
	{ .name = "from the next line", .r = { .from = "20261121T080006Z" }, .want = "from=20261121T080006Z" },
	{ .name = "from down to a grid of 2",
	    .r = { .from = "20261121T080005Z" },
	    .want = "from=20261121T080004Z",
	    .T = 2 },
	{ .name = "from down to a grid of 10",
	    .r = { .from = "20261121T080019Z" },
	    .want = "from=20261121T080010Z",
	    .T = 10 },
	{ .name = "from down to a grid of an hour",
	    .r = { .from = "20261121T085959Z" },
	    .want = "from=20261121T080000Z",
	    .T = 3600 },
	{ .name = "from the last second of a day",
	    .r = { .from = "20261120T235959Z" },
	    .want = "from=20261120T235954Z" },
	{ .name = "from the first second of a year",
	    .r = { .from = "2027-01-01T00:00:00Z" },
	    .want = "from=20270101T000000Z",
	    .now = "20270101T000100Z" },
	{ .name = "from the last second of a year",
	    .r = { .from = "2026-12-31T23:59:59Z" },
	    .want = "from=20261231T235954Z",
	    .now = "20270101T000100Z" },
	{ .name = "from a clock time over the year",
	    .r = { .from = "23:30" },
	    .want = "from=20261231T223000Z moves",
	    .now = "20270101T000100Z" },
	{ .name = "from the leap day",
	    .r = { .from = "2028-02-29" },
	    .want = "from=20280228T230000Z",
	    .now = "20280301T090000Z" },
	{ .name = "from a clock time on the leap day",
	    .r = { .from = "9pm" },
	    .want = "from=20280229T200000Z moves",
	    .now = "20280301T090000Z" },
	{ .name = "from a clock time over a February without",
	    .r = { .from = "9pm" },
	    .want = "from=20260228T200000Z moves",
	    .now = "20260301T090000Z" },
	{ .name = "from the 29th of a February without",
	    .r = { .from = "2026-02-29" },
	    .want = "400 from 0",
	    .now = "20260301T090000Z" },
	{ .name = "from the 30th of February", .r = { .from = "2026-02-30" }, .want = "400 from 0" },
	{ .name = "from 24:00", .r = { .from = "24:00" }, .want = "400 from 0" },
	{ .name = "from 13pm", .r = { .from = "13pm" }, .want = "400 from 0" },
	{ .name = "from with blanks", .r = { .from = " 9am" }, .want = "400 from 0" },
	{ .name = "from nothing", .r = { .from = "" }, .want = "400 from 0" },
	{ .name = "from words", .r = { .from = "yesterday" }, .want = "400 from 0" },
	{ .name = "from a duration", .r = { .from = "30m" }, .want = "400 from 0" },
	{ .name = "from a huge number", .r = { .from = "99999999999999999999" }, .want = "400 from 0" },
	{ .name = "from after 2099", .r = { .from = "2100-01-01T00:00:00Z" }, .want = "400 from 0" },

	/* ---- what lies after now */
	{ .name = "from now", .r = { .from = "now" }, .want = "from=20261121T115954Z moves asked 20261121T120000Z" },
	{ .name = "from a moment ago, in the newest", .r = { .from = "-1" }, .want = "from=20261121T115954Z moves" },
	{ .name = "from 6 s ago", .r = { .from = "-6" }, .want = "from=20261121T115954Z moves" },
	{ .name = "from between newest and now",
	    .r = { .from = "20261121T115958Z" },
	    .want = "from=20261121T115936Z moves asked 20261121T115958Z",
	    .newest_end = "20261121T115942Z" },
	{ .name = "from the end of the newest",
	    .r = { .from = "20261121T115942Z" },
	    .want = "from=20261121T115936Z moves asked 20261121T115942Z",
	    .newest_end = "20261121T115942Z" },
	{ .name = "from within the newest",
	    .r = { .from = "20261121T115941Z" },
	    .want = "from=20261121T115936Z",
	    .newest_end = "20261121T115942Z" },
	{ .name = "span between newest and now",
	    .r = { .from = "20261121T115948Z", .to = "20261121T115954Z" },
	    .want = "from=20261121T115936Z&to=20261121T115954Z moves asked 20261121T115948Z",
	    .newest_end = "20261121T115942Z" },
	{ .name = "span of a day behind a newest that is old",
	    .r = { .from = "20261121T060000Z", .duration = "24h" },
	    .want = "from=20261121T025954Z&to=20261122T025954Z moves asked 20261121T060000Z",
	    .newest_end = "20261121T030000Z" },
	{ .name = "from in a second", .r = { .from = "20261121T120001Z" }, .want = "404 from 7" },
	{ .name = "from in a millisecond", .r = { .from = "20261121T120000.001Z" }, .want = "404 from 7" },
	{ .name = "from in half an hour", .r = { .from = "20261121T123000Z" }, .want = "404 from 1806" },
	{ .name = "from in an hour", .r = { .from = "20261121T130000Z" }, .want = "404 from 3600" },
	{ .name = "from tomorrow", .r = { .from = "2026-11-22" }, .want = "404 from 3600" },
	{ .name = "from 2099", .r = { .from = "20991231T235959Z" }, .want = "404 from 3600" },
	{ .name = "from in a second on a grid of an hour",
	    .r = { .from = "20261121T120001Z" },
	    .want = "404 from 3600",
	    .T = 3600 },
	{ .name = "span to come",
	    .r = { .from = "20261121T130000Z", .to = "20261121T140000Z" },
	    .want = "404 from 3600" },
	{ .name = "programme to come", .r = { .programme = "evening" }, .want = "404 programme 3600" },
	{ .name = "from, nothing stored", .r = { .from = "-1h" }, .want = "404 - 6", .oldest = NOTHING },
	{ .name = "span, nothing stored",
	    .r = { .from = "-1h", .duration = "1h" },
	    .want = "404 - 10",
	    .oldest = NOTHING,
	    .T = 10 },
	{ .name = "from, no newest", .r = { .from = "-1h" }, .want = "404 - 6", .newest_end = NOTHING },
	{ .name = "from tomorrow, nothing stored",
	    .r = { .from = "2026-11-22" },
	    .want = "404 from 3600",
	    .oldest = NOTHING },
	{ .name = "from unreadable, nothing stored", .r = { .from = "x" }, .want = "400 from 0", .oldest = NOTHING },

	/* ---- spans */
	{ .name = "span of two clock times",
	    .r = { .from = "9am", .to = "10am" },
	    .want = "from=20261121T080000Z&to=20261121T090000Z moves" },
	{ .name = "span over midnight",
	    .r = { .from = "11pm", .to = "1am" },
	    .want = "from=20261120T220000Z&to=20261121T000000Z moves" },
	{ .name = "span to a clock time that is yesterday's",
	    .r = { .from = "12:30", .to = "14:00" },
	    .want = "400 to 0" },
	{ .name = "span of two dates",
	    .r = { .from = "2026-11-20", .to = "2026-11-21" },
	    .want = "from=20261119T230000Z&to=20261120T230000Z" },
	{ .name = "span of two instants",
	    .r = { .from = "20261121T080000Z", .to = "20261121T093000Z" },
	    .want = "from=20261121T080000Z&to=20261121T093000Z" },
	{ .name = "span outward to the grid",
	    .r = { .from = "20261121T080001Z", .to = "20261121T093001Z" },
	    .want = "from=20261121T080000Z&to=20261121T093006Z" },
	{ .name = "span outward by a nanosecond",
	    .r = { .from = "20261121T075959.999999999Z", .to = "20261121T093000.000000001Z" },
	    .want = "from=20261121T075954Z&to=20261121T093006Z" },
	{ .name = "span within one segment",
	    .r = { .from = "20261121T080001Z", .to = "20261121T080002Z" },
	    .want = "from=20261121T080000Z&to=20261121T080006Z" },
	{ .name = "span outward to a grid of 10",
	    .r = { .from = "20261121T080001Z", .to = "20261121T080011Z" },
	    .want = "from=20261121T080000Z&to=20261121T080020Z",
	    .T = 10 },
	{ .name = "span outward to a grid of 2",
	    .r = { .from = "20261121T080001Z", .to = "20261121T080011Z" },
	    .want = "from=20261121T080000Z&to=20261121T080012Z",
	    .T = 2 },
	{ .name = "span outward to a grid of an hour",
	    .r = { .from = "20261121T080001Z", .to = "20261121T090001Z" },
	    .want = "from=20261121T080000Z&to=20261121T100000Z",
	    .T = 3600 },
	{ .name = "span over the hour",
	    .r = { .from = "20261121T085957Z", .to = "20261121T090001Z" },
	    .want = "from=20261121T085954Z&to=20261121T090006Z" },
	{ .name = "span over the year",
	    .r = { .from = "2027-01-01T00:30", .to = "2027-01-01T01:30" },
	    .want = "from=20261231T233000Z&to=20270101T003000Z",
	    .now = "20270101T090000Z" },
	{ .name = "span of the leap day",
	    .r = { .from = "2028-02-29", .duration = "24h" },
	    .want = "from=20280228T230000Z&to=20280229T230000Z",
	    .now = "20280301T090000Z" },
	{ .name = "span with a duration",
	    .r = { .from = "9am", .duration = "90m" },
	    .want = "from=20261121T080000Z&to=20261121T093000Z moves" },
	{ .name = "span with a duration in seconds",
	    .r = { .from = "2026-11-21T09:00", .duration = "5400" },
	    .want = "from=20261121T080000Z&to=20261121T093000Z" },
	{ .name = "span with a duration off the grid",
	    .r = { .from = "20261121T080003Z", .duration = "1" },
	    .want = "from=20261121T080000Z&to=20261121T080006Z" },
	{ .name = "span with a duration over a grid line",
	    .r = { .from = "20261121T080005Z", .duration = "2" },
	    .want = "from=20261121T080000Z&to=20261121T080012Z" },
	{ .name = "span to now",
	    .r = { .from = "20261121T080000Z", .to = "now" },
	    .want = "from=20261121T080000Z&to=20261121T120000Z moves" },
	{ .name = "span of relative times",
	    .r = { .from = "-2h", .to = "-1h" },
	    .want = "from=20261121T100000Z&to=20261121T110000Z moves" },
	{ .name = "span into the future",
	    .r = { .from = "20261121T110000Z", .to = "20261121T140000Z" },
	    .want = "from=20261121T110000Z&to=20261121T140000Z" },
	{ .name = "span into the future by a duration",
	    .r = { .from = "20261121T110000Z", .duration = "23h" },
	    .want = "from=20261121T110000Z&to=20261122T100000Z" },
	{ .name = "span from now into the future",
	    .r = { .from = "now", .duration = "1h" },
	    .want = "from=20261121T115954Z&to=20261121T130000Z moves asked 20261121T120000Z" },
	{ .name = "span of as much as is allowed",
	    .r = { .from = "20261120T080000Z", .to = "20261121T080000Z" },
	    .want = "from=20261120T080000Z&to=20261121T080000Z" },
	{ .name = "span of as much, off the grid, is cut",
	    .r = { .from = "20261120T080003Z", .duration = "24h" },
	    .want = "from=20261120T080000Z&to=20261121T080000Z" },
	{ .name = "span too long by a second",
	    .r = { .from = "20261120T080000Z", .to = "20261121T080001Z" },
	    .want = "400 to 0" },
	{ .name = "duration too long by a second",
	    .r = { .from = "20261120T080000Z", .duration = "24h1s" },
	    .want = "400 duration 0" },
	{ .name = "duration of a hundred years",
	    .r = { .from = "20261120T080000Z", .duration = "36525d" },
	    .want = "400 duration 0" },
	{ .name = "most is rounded up",
	    .r = { .from = "20261121T080000Z", .duration = "3606" },
	    .want = "from=20261121T080000Z&to=20261121T090006Z",
	    .span_s = 3601 },
	{ .name = "most is rounded up and no further",
	    .r = { .from = "20261121T080000Z", .duration = "3607" },
	    .want = "400 duration 0",
	    .span_s = 3601 },
	{ .name = "to equals from", .r = { .from = "20261121T080000Z", .to = "20261121T080000Z" }, .want = "400 to 0" },
	{ .name = "to before from", .r = { .from = "20261121T080000Z", .to = "20261121T070000Z" }, .want = "400 to 0" },
	{ .name = "to before from in one segment",
	    .r = { .from = "20261121T080002Z", .to = "20261121T080001Z" },
	    .want = "400 to 0" },
	{ .name = "to unreadable", .r = { .from = "9am", .to = "x" }, .want = "400 to 0" },
	{ .name = "to empty", .r = { .from = "9am", .to = "" }, .want = "400 to 0" },
	{ .name = "to a duration", .r = { .from = "9am", .to = "90m" }, .want = "400 to 0" },
	{ .name = "duration unreadable", .r = { .from = "9am", .duration = "x" }, .want = "400 duration 0" },
	{ .name = "duration 0", .r = { .from = "9am", .duration = "0" }, .want = "400 duration 0" },
	{ .name = "duration negative", .r = { .from = "9am", .duration = "-5m" }, .want = "400 duration 0" },
	{ .name = "duration empty", .r = { .from = "9am", .duration = "" }, .want = "400 duration 0" },
	{ .name = "from unreadable before to", .r = { .from = "x", .to = "x" }, .want = "400 from 0" },
	{ .name = "to alone", .r = { .to = "9am" }, .want = "400 to 0" },
	{ .name = "duration alone", .r = { .duration = "1h" }, .want = "400 duration 0" },
	{ .name = "to and duration", .r = { .from = "9am", .to = "10am", .duration = "1h" }, .want = "400 duration 0" },
	{ .name = "to and duration, no from", .r = { .to = "10am", .duration = "1h" }, .want = "400 duration 0" },

	/* ---- what is kept: from 2026-11-07T12:00Z */
	{ .name = "from the oldest", .r = { .from = "20261107T120000Z" }, .want = "from=20261107T120000Z" },
	{ .name = "from a second too early",
	    .r = { .from = "20261107T115959Z" },
	    .want = "from=20261107T120000Z moves asked 20261107T115959Z" },
	{ .name = "from a day too early, less a segment",
	    .r = { .from = "20261106T120006Z" },
	    .want = "from=20261107T120000Z moves asked 20261106T120006Z" },
	{ .name = "from a day too early", .r = { .from = "20261106T120000Z" }, .want = "410 from 0" },
	{ .name = "from long ago", .r = { .from = "2020-01-01" }, .want = "410 from 0" },
	{ .name = "from 1970", .r = { .from = "1970-01-01T00:00:00Z" }, .want = "410 from 0" },
	{ .name = "an hour alone", .r = { .from = "9" }, .want = "400 from 0" },
	{ .name = "from fourteen days ago", .r = { .from = "-14d" }, .want = "from=20261107T120000Z moves" },
	{ .name = "from fifteen days ago", .r = { .from = "-15d" }, .want = "410 from 0" },
	{ .name = "from a hundred years ago", .r = { .from = "-36525d" }, .want = "410 from 0" },
	{ .name = "span partly too early",
	    .r = { .from = "20261107T110000Z", .to = "20261107T130000Z" },
	    .want = "from=20261107T120000Z&to=20261107T130000Z moves asked 20261107T110000Z" },
	{ .name = "span too early but for a segment",
	    .r = { .from = "20261107T110000Z", .to = "20261107T120001Z" },
	    .want = "from=20261107T120000Z&to=20261107T120006Z moves asked 20261107T110000Z" },
	{ .name = "span too early",
	    .r = { .from = "20261107T110000Z", .to = "20261107T120000Z" },
	    .want = "410 from 0" },
	{ .name = "span with a duration too early",
	    .r = { .from = "20261107T110000Z", .duration = "1h" },
	    .want = "410 from 0" },
	{ .name = "oldest a little before its line",
	    .r = { .from = "20261107T115950Z" },
	    .want = "from=20261107T120000Z moves asked 20261107T115950Z",
	    .oldest = "20261107T115959.990Z" },
	{ .name = "oldest a little behind its line",
	    .r = { .from = "20261107T115950Z" },
	    .want = "from=20261107T120000Z moves asked 20261107T115950Z",
	    .oldest = "20261107T120000.011Z" },
	{ .name = "from the line before the oldest sample",
	    .r = { .from = "20261107T120000Z" },
	    .want = "from=20261107T120000Z",
	    .oldest = "20261107T120000.011Z" },
	{ .name = "from on a grid of an hour, partly",
	    .r = { .from = "20261107T115959Z" },
	    .want = "from=20261107T120000Z moves asked 20261107T115959Z",
	    .T = 3600 },
	{ .name = "only one segment there",
	    .r = { .from = "-1h" },
	    .want = "from=20261121T115954Z moves asked 20261121T110000Z",
	    .oldest = "20261121T115954Z" },
	{ .name = "newest before oldest",
	    .r = { .from = "-1h" },
	    .want = "from=20261121T115954Z moves asked 20261121T110000Z",
	    .oldest = "20261121T115954Z",
	    .newest_end = "20261120T000000Z" },

	/* ---- programmes */
	{ .name = "programme that is over",
	    .r = { .programme = "breakfast" },
	    .want = "from=20261121T060000Z&to=20261121T090000Z" },
	{ .name = "programme that lasts", .r = { .programme = "noon" }, .want = "from=20261121T113000Z moves" },
	{ .name = "programme now", .r = { .programme = "now" }, .want = "from=20261121T113000Z moves" },
	{ .name = "programme off the grid",
	    .r = { .programme = "odd" },
	    .want = "from=20261121T070000Z&to=20261121T075906Z" },
	{ .name = "programme at the moment of its end",
	    .r = { .programme = "noon" },
	    .want = "from=20261121T113000Z&to=20261121T123000Z",
	    .now = "20261121T123000Z" },
	{ .name = "programme a second before its end",
	    .r = { .programme = "noon" },
	    .want = "from=20261121T113000Z moves",
	    .now = "20261121T122959Z" },
	{ .name = "programme that is over and too long",
	    .r = { .programme = "marathon" },
	    .want = "from=20261118T000000Z&to=20261119T000000Z" },
	{ .name = "programme whose first day is gone",
	    .r = { .programme = "marathon" },
	    .want = "410 programme 0",
	    .oldest = "20261119T010000Z" },
	{ .name = "programme that lasts and is too long",
	    .r = { .programme = "long" },
	    .want = "from=20261119T120000Z moves" },
	{ .name = "programme partly gone",
	    .r = { .programme = "night" },
	    .want = "from=20261107T120000Z&to=20261107T140000Z moves asked 20261106T220000Z" },
	{ .name = "programme gone",
	    .r = { .programme = "night" },
	    .want = "410 programme 0",
	    .oldest = "20261107T140000Z" },
	{ .name = "programme that ends before it begins",
	    .r = { .programme = "backwards" },
	    .want = "from=20261115T080000Z&to=20261115T080006Z" },
	{ .name = "programme and to",
	    .r = { .programme = "breakfast", .to = "20261121T070000Z" },
	    .want = "from=20261121T060000Z&to=20261121T070000Z" },
	{ .name = "programme and duration",
	    .r = { .programme = "breakfast", .duration = "10m" },
	    .want = "from=20261121T060000Z&to=20261121T061000Z" },
	{ .name = "programme that lasts, and duration",
	    .r = { .programme = "noon", .duration = "1h" },
	    .want = "from=20261121T113000Z&to=20261121T123000Z" },
	{ .name = "programme and a clock time",
	    .r = { .programme = "breakfast", .to = "8am" },
	    .want = "from=20261121T060000Z&to=20261121T070000Z moves" },
	{ .name = "programme now and duration",
	    .r = { .programme = "now", .duration = "1h" },
	    .want = "from=20261121T113000Z&to=20261121T123000Z moves" },
	{ .name = "programme and to before it",
	    .r = { .programme = "breakfast", .to = "20261121T060000Z" },
	    .want = "400 to 0" },
	{ .name = "programme and duration too long",
	    .r = { .programme = "breakfast", .duration = "25h" },
	    .want = "400 duration 0" },
	{ .name = "programme and to unreadable", .r = { .programme = "breakfast", .to = "x" }, .want = "400 to 0" },
	{ .name = "programme and from", .r = { .programme = "breakfast", .from = "9am" }, .want = "400 programme 0" },
	{ .name = "programme and to and duration",
	    .r = { .programme = "noon", .to = "9am", .duration = "1h" },
	    .want = "400 duration 0" },
	{ .name = "programme unknown", .r = { .programme = "x" }, .want = "404 programme 0" },
	{ .name = "programme empty", .r = { .programme = "" }, .want = "404 programme 0" },
	{ .name = "programme now, none on",
	    .r = { .programme = "now" },
	    .want = "404 programme 0",
	    .now = "20261123T120000Z" },
	{ .name = "programme now, no programmes",
	    .r = { .programme = "now" },
	    .want = "404 programme 0",
	    .no_programmes = true },
	{ .name = "programme, no programmes",
	    .r = { .programme = "breakfast" },
	    .want = "404 programme 0",
	    .no_programmes = true },
	{ .name = "programme, nothing stored",
	    .r = { .programme = "breakfast" },
	    .want = "404 - 6",
	    .oldest = NOTHING },

	/* ---- Paris, 2026-03-29: 02:00 becomes 03:00 at 01:00Z */
	{ .name = "Paris spring, skipped",
	    .r = { .from = "2026-03-29T02:30" },
	    .want = "from=20260329T010000Z",
	    .now = "20260329T120000Z" },
	{ .name = "Paris spring, before",
	    .r = { .from = "2026-03-29T01:30" },
	    .want = "from=20260329T003000Z",
	    .now = "20260329T120000Z" },
	{ .name = "Paris spring, after",
	    .r = { .from = "2026-03-29T03:30" },
	    .want = "from=20260329T013000Z",
	    .now = "20260329T120000Z" },
	{ .name = "Paris spring, two hours are one",
	    .r = { .from = "2026-03-29T01:30", .to = "2026-03-29T03:30" },
	    .want = "from=20260329T003000Z&to=20260329T013000Z",
	    .now = "20260329T120000Z" },
	{ .name = "Paris spring, span of nothing",
	    .r = { .from = "2026-03-29T02:00", .to = "2026-03-29T03:00" },
	    .want = "400 to 0",
	    .now = "20260329T120000Z" },
	{ .name = "Paris spring, 9am",
	    .r = { .from = "9am" },
	    .want = "from=20260329T070000Z moves",
	    .now = "20260329T120000Z" },
	{ .name = "Paris spring, 9am of the day before",
	    .r = { .from = "9am" },
	    .want = "from=20260328T080000Z moves",
	    .now = "20260329T065959Z" },
	{ .name = "Paris spring, 9am a day later",
	    .r = { .from = "9am" },
	    .want = "from=20260329T070000Z moves",
	    .now = "20260330T065959Z" },
	{ .name = "Paris spring, 02:30 just after",
	    .r = { .from = "02:30" },
	    .want = "from=20260329T005954Z moves asked 20260329T010000Z",
	    .now = "20260329T010005Z" },
	{ .name = "Paris spring, 02:30 just before",
	    .r = { .from = "02:30" },
	    .want = "from=20260328T013000Z moves",
	    .now = "20260329T005959Z" },
	{ .name = "Paris spring, the day has 23 hours",
	    .r = { .from = "2026-03-29", .to = "2026-03-30" },
	    .want = "from=20260328T230000Z&to=20260329T220000Z",
	    .now = "20260330T120000Z" },

	/* ---- Paris, 2026-10-25: 03:00 becomes 02:00 at 01:00Z */
	{ .name = "Paris autumn, repeated",
	    .r = { .from = "2026-10-25T02:30" },
	    .want = "from=20261025T003000Z",
	    .now = "20261025T120000Z" },
	{ .name = "Paris autumn, the second by its offset",
	    .r = { .from = "2026-10-25T02:30:00+01:00" },
	    .want = "from=20261025T013000Z",
	    .now = "20261025T120000Z" },
	{ .name = "Paris autumn, after",
	    .r = { .from = "2026-10-25T03:00" },
	    .want = "from=20261025T020000Z",
	    .now = "20261025T120000Z" },
	{ .name = "Paris autumn, an hour is two",
	    .r = { .from = "2026-10-25T02:00", .to = "2026-10-25T03:00" },
	    .want = "from=20261025T000000Z&to=20261025T020000Z",
	    .now = "20261025T120000Z" },
	{ .name = "Paris autumn, 9am",
	    .r = { .from = "9am" },
	    .want = "from=20261025T080000Z moves",
	    .now = "20261025T120000Z" },
	{ .name = "Paris autumn, 9am of the day before",
	    .r = { .from = "9am" },
	    .want = "from=20261024T070000Z moves",
	    .now = "20261025T075959Z" },
	{ .name = "Paris autumn, 02:30 the first time",
	    .r = { .from = "02:30" },
	    .want = "from=20261025T003000Z moves",
	    .now = "20261025T003006Z" },
	{ .name = "Paris autumn, 02:30 between",
	    .r = { .from = "02:30" },
	    .want = "from=20261025T003000Z moves",
	    .now = "20261025T011500Z" },
	{ .name = "Paris autumn, 02:30 the second time",
	    .r = { .from = "02:30" },
	    .want = "from=20261025T003000Z moves",
	    .now = "20261025T013006Z" },
	{ .name = "Paris autumn, the day has 25 hours",
	    .r = { .from = "2026-10-25", .to = "2026-10-26" },
	    .want = "400 to 0",
	    .now = "20261026T120000Z" },
	{ .name = "Paris autumn, 25 hours allowed",
	    .r = { .from = "2026-10-25", .to = "2026-10-26" },
	    .want = "from=20261024T220000Z&to=20261025T230000Z",
	    .now = "20261026T120000Z",
	    .span_s = 90000 },
	{ .name = "Paris autumn, a day ago",
	    .r = { .from = "-24h" },
	    .want = "from=20261024T120000Z moves",
	    .now = "20261025T120000Z" },

	/* ---- New York: 2026-03-08 at 07:00Z, 2026-11-01 at 06:00Z */
	{ .name = "New York spring, skipped",
	    .r = { .from = "2026-03-08T02:30" },
	    .want = "from=20260308T070000Z",
	    .now = "20260308T150000Z",
	    .zone = NEW_YORK },
	{ .name = "New York spring, 9am",
	    .r = { .from = "9am" },
	    .want = "from=20260308T130000Z moves",
	    .now = "20260308T150000Z",
	    .zone = NEW_YORK },
	{ .name = "New York spring, 9am of the day before",
	    .r = { .from = "9am" },
	    .want = "from=20260307T140000Z moves",
	    .now = "20260308T125959Z",
	    .zone = NEW_YORK },
	{ .name = "New York spring, 3am is 2am",
	    .r = { .from = "3am" },
	    .want = "from=20260308T070000Z moves",
	    .now = "20260308T080000Z",
	    .zone = NEW_YORK },
	{ .name = "New York autumn, repeated",
	    .r = { .from = "2026-11-01T01:30" },
	    .want = "from=20261101T053000Z",
	    .now = "20261101T150000Z",
	    .zone = NEW_YORK },
	{ .name = "New York autumn, 1:30am between",
	    .r = { .from = "1:30am" },
	    .want = "from=20261101T053000Z moves",
	    .now = "20261101T061500Z",
	    .zone = NEW_YORK },
	{ .name = "New York autumn, an hour is two",
	    .r = { .from = "1am", .to = "2am" },
	    .want = "from=20261101T050000Z&to=20261101T070000Z moves",
	    .now = "20261101T150000Z",
	    .zone = NEW_YORK },
	{ .name = "New York autumn, 9am",
	    .r = { .from = "9am" },
	    .want = "from=20261101T140000Z moves",
	    .now = "20261101T150000Z",
	    .zone = NEW_YORK },
	{ .name = "New York autumn, 9pm the day before in UTC",
	    .r = { .from = "9pm" },
	    .want = "from=20261102T020000Z moves",
	    .now = "20261102T030000Z",
	    .zone = NEW_YORK },

	/* ---- Lord Howe: 2026-04-04T15:00Z 02:00 becomes 01:30; 2026-10-03T15:30Z 02:00 becomes 02:30 */
	{ .name = "Lord Howe autumn, repeated",
	    .r = { .from = "2026-04-05T01:45" },
	    .want = "from=20260404T144500Z",
	    .now = "20260405T000000Z",
	    .zone = LORD_HOWE },
	{ .name = "Lord Howe autumn, after",
	    .r = { .from = "2026-04-05T02:00" },
	    .want = "from=20260404T153000Z",
	    .now = "20260405T000000Z",
	    .zone = LORD_HOWE },
	{ .name = "Lord Howe autumn, half an hour is one",
	    .r = { .from = "2026-04-05T01:30", .to = "2026-04-05T02:00" },
	    .want = "from=20260404T143000Z&to=20260404T153000Z",
	    .now = "20260405T000000Z",
	    .zone = LORD_HOWE },
	{ .name = "Lord Howe autumn, 9am",
	    .r = { .from = "9am" },
	    .want = "from=20260404T223000Z moves",
	    .now = "20260405T000000Z",
	    .zone = LORD_HOWE },
	{ .name = "Lord Howe autumn, 1:45am between",
	    .r = { .from = "1:45am" },
	    .want = "from=20260404T144500Z moves",
	    .now = "20260404T151000Z",
	    .zone = LORD_HOWE },
	{ .name = "Lord Howe spring, skipped",
	    .r = { .from = "2026-10-04T02:15" },
	    .want = "from=20261003T153000Z",
	    .now = "20261004T000000Z",
	    .zone = LORD_HOWE },
	{ .name = "Lord Howe spring, 9am",
	    .r = { .from = "9am" },
	    .want = "from=20261003T220000Z moves",
	    .now = "20261004T000000Z",
	    .zone = LORD_HOWE },
	{ .name = "Lord Howe spring, 9am of the day before",
	    .r = { .from = "9am" },
	    .want = "from=20261002T223000Z moves",
	    .now = "20261003T215959Z",
	    .zone = LORD_HOWE },
	{ .name = "Lord Howe spring, on a grid of an hour",
	    .r = { .from = "2026-10-04T02:15" },
	    .want = "from=20261003T150000Z",
	    .now = "20261004T000000Z",
	    .zone = LORD_HOWE,
	    .T = 3600 },
};

static struct wall
fact(const char *text, int64_t otherwise)
{
	if (text && strcmp(text, NOTHING) == 0)
		return (struct wall){ 0 };
	return (struct wall){ text ? ns(text) : otherwise };
}

static struct time_facts
facts(const struct row *row, const struct zone *zone)
{
	struct time_facts f = { .T = row->T ? row->T : 6, .zone = zone };
	f.now.ns = ns(row->now ? row->now : NOON);
	f.max_span_ns = (row->span_s ? row->span_s : 86400) * NS_PER_S;
	f.oldest = fact(row->oldest, f.now.ns - 14 * 86400 * NS_PER_S);
	f.newest_end = fact(row->newest_end, f.now.ns - f.now.ns % (f.T * NS_PER_S));
	f.programmes = row->no_programmes ? NULL : &programmes;
	return f;
}

static void
describe(struct text *out, const struct time_span *s, uint32_t T)
{
	time_span_query(out, s, T);
	if (!s->fixed)
		text_str(out, " moves");
	if (s->clamped) {
		char asked[WALL_TEXT_SIZE];
		time_t t = s->asked.ns / NS_PER_S;
		struct tm tm;
		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(asked, sizeof asked, "%Y%m%dT%H%M%SZ", &tm) > 0);
		text_fmt(out, " asked %s", asked);
	} else {
		assert_int_equal(s->asked.ns, 0);
	}
}

/* The query of `s`, cut into its parameters in place. */
static struct time_request
request_of(char *query)
{
	struct time_request r = { 0 };
	char *save;
	for (char *p = strtok_r(query, "&", &save); p; p = strtok_r(NULL, "&", &save)) {
		if (strncmp(p, "from=", 5) == 0)
			r.from = p + 5;
		else if (strncmp(p, "to=", 3) == 0)
			r.to = p + 3;
		else if (strncmp(p, "delay=", 6) == 0)
			r.delay = p + 6;
		else
			fail_msg("in the query: %s", p);
	}
	return r;
}

static void
same_span(const struct time_span *a, const struct time_span *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->first, b->first);
	assert_int_equal(a->end, b->end);
	assert_int_equal(a->delay_s, b->delay_s);
}

/* What was written is canonical, and means the same, to both. */
static void
comes_back(const struct time_span *s, const struct time_facts *f)
{
	char query[128];
	struct text t;
	struct time_span again, resolved;
	struct time_fault why;

	text_init_fixed(&t, query, sizeof query);
	time_span_query(&t, s, f->T);
	assert_false(t.full);
	query[t.len] = '\0';
	struct time_request r = request_of(query);
	assert_true(time_canonical(&r, f->T, f->max_span_ns, &again));
	same_span(&again, s);
	assert_true(again.fixed);
	assert_false(again.clamped);
	if (f->oldest.ns > 0 && f->newest_end.ns > f->oldest.ns) {
		assert_int_equal(time_resolve(&r, f, &resolved, &why), 0);
		same_span(&resolved, &again);
		assert_true(resolved.fixed);
		assert_false(resolved.clamped);
	}
}

static void
spans_are_sound(const struct time_span *s, const struct time_facts *f)
{
	uint64_t most = (uint64_t)((f->max_span_ns + f->T * NS_PER_S - 1) / (f->T * NS_PER_S));
	if (s->kind == TIME_FROM)
		assert_int_equal(s->end - s->first, most);
	if (s->kind == TIME_SPAN) {
		assert_true(s->first < s->end);
		assert_true(s->end - s->first <= most);
	}
	if (s->kind == TIME_LIVE || s->kind == TIME_DELAY)
		assert_true(s->first == 0 && s->end == 0 && s->delay_s % f->T == 0);
}

static void
table(void **state)
{
	(void)state;
	size_t wrong = 0;
	assert_true(sizeof rows / sizeof rows[0] >= 150);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		struct zone *zone = zone_new(row->zone ? row->zone : "Europe/Paris");
		assert_non_null(zone);
		struct time_facts f = facts(row, zone);
		struct time_span span = { .delay_s = -7 }, before = span;
		struct time_fault why = { .status = 7 };
		char got[200] = "";
		struct text t;
		text_init_fixed(&t, got, sizeof got);
		if (time_resolve(&row->r, &f, &span, &why) == 0) {
			assert_int_equal(why.status, 7);
			describe(&t, &span, f.T);
			spans_are_sound(&span, &f);
			comes_back(&span, &f);
		} else {
			assert_memory_equal(&span, &before, sizeof span);
			text_fmt(
			    &t, "%u %s %" PRId64, why.status, why.parameter ? why.parameter : "-", why.retry_after_s);
			assert_true(strlen(why.detail) > 20 && strlen(why.detail) < sizeof why.detail - 1);
		}
		if (strcmp(got, row->want) != 0) {
			print_error("%s: \"%s\", want \"%s\"\n", row->name, got, row->want);
			wrong++;
		}
		zone_free(&zone);
	}
	assert_int_equal(wrong, 0);
}

static void
canonical_is_strict(void **state)
{
	(void)state;
	static const struct {
		struct time_request r;
		bool yes;
	} cases[] = {
		{ .r = { 0 }, .yes = true },
		{ .r = { .from = "20261121T080000Z" }, .yes = true },
		{ .r = { .from = "20261121T080006Z" }, .yes = true },
		{ .r = { .from = "20261121T080000Z", .to = "20261121T093000Z" }, .yes = true },
		{ .r = { .from = "20261121T080000Z", .to = "20261122T080000Z" }, .yes = true },
		{ .r = { .delay = "1800" }, .yes = true },
		{ .r = { .delay = "0" }, .yes = true },
		{ .r = { .delay = "6" }, .yes = true },
		{ .r = { .from = "20261121T080001Z" } },
		{ .r = { .from = "20261121T080000.0Z" } },
		{ .r = { .from = "20261121T080000.Z" } },
		{ .r = { .from = "20261121T080000z" } },
		{ .r = { .from = "20261121T080000" } },
		{ .r = { .from = "20261121T080000+0000" } },
		{ .r = { .from = "2026-11-21T08:00:00Z" } },
		{ .r = { .from = "20260230T080000Z" } },
		{ .r = { .from = "20261121T240000Z" } },
		{ .r = { .from = "1795248000" } },
		{ .r = { .from = "9am" } },
		{ .r = { .from = "now" } },
		{ .r = { .from = "" } },
		{ .r = { .from = "20261121T080000Z", .to = "20261121T080000Z" } },
		{ .r = { .from = "20261121T080000Z", .to = "20261121T075954Z" } },
		{ .r = { .from = "20261121T080000Z", .to = "20261121T093001Z" } },
		{ .r = { .from = "20261121T080000Z", .to = "20261122T080006Z" } },
		{ .r = { .from = "20261121T080000Z", .to = "10am" } },
		{ .r = { .from = "20261121T080000Z", .to = "" } },
		{ .r = { .from = "20261121T080000Z", .duration = "1h" } },
		{ .r = { .from = "20261121T080000Z", .delay = "6" } },
		{ .r = { .from = "20261121T080000Z", .programme = "now" } },
		{ .r = { .to = "20261121T093000Z" } },
		{ .r = { .to = "20261121T093000Z", .delay = "6" } },
		{ .r = { .duration = "1h" } },
		{ .r = { .programme = "now" } },
		{ .r = { .delay = "" } },
		{ .r = { .delay = "7" } },
		{ .r = { .delay = "06" } },
		{ .r = { .delay = "00" } },
		{ .r = { .delay = "6s" } },
		{ .r = { .delay = "30m" } },
		{ .r = { .delay = "+6" } },
		{ .r = { .delay = "-6" } },
		{ .r = { .delay = " 6" } },
		{ .r = { .delay = "6 " } },
		{ .r = { .delay = "99999999999999999996" } },
		{ .r = { .delay = "6", .duration = "6" } },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct time_span span = { .delay_s = -7 };
		if (time_canonical(&cases[i].r, 6, 86400 * NS_PER_S, &span) != cases[i].yes)
			fail_msg("case %zu", i);
		if (!cases[i].yes)
			assert_int_equal(span.delay_s, -7);
	}
}

/* A small generator, so that a failure can be had again. */
static uint64_t
dice(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

static void
any_span_comes_back(void **state)
{
	(void)state;
	static const uint32_t durations[] = { 2, 3, 6, 10, 15, 3600 };
	uint64_t seed = 1;
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t T = durations[dice(&seed) % 6];
		uint64_t msn = dice(&seed) % (UINT64_C(4000000000) / T), most = 1 + dice(&seed) % 20000;
		struct time_facts f = { .T = T, .max_span_ns = (int64_t)(most * T) * NS_PER_S };
		struct time_span s = { .kind = (enum time_kind)(dice(&seed) % 4) };
		if (s.kind == TIME_DELAY)
			s.delay_s = (int64_t)(dice(&seed) % 100000 * T);
		if (s.kind == TIME_FROM || s.kind == TIME_SPAN) {
			s.first = msn;
			s.end = msn + (s.kind == TIME_FROM ? most : 1 + dice(&seed) % most);
		}
		comes_back(&s, &f);
	}
}

static void
any_facts_are_survived(void **state)
{
	(void)state;
	static const int64_t walls[] = { INT64_MIN, -1, 0, 1, NS_PER_S, INT64_C(1795262400) * NS_PER_S,
		INT64_C(4102444799) * NS_PER_S, INT64_C(4102444800) * NS_PER_S, INT64_MAX };
	static const int64_t spans[] = { INT64_MIN, 0, 1, 3600 * NS_PER_S, INT64_MAX };
	static const uint32_t durations[] = { 1, 6, 3600, UINT32_MAX };
	static const struct time_request requests[] = { { .from = "now" }, { .from = "9am", .to = "now" },
		{ .from = "0", .duration = "36525d" }, { .from = "4102444799", .duration = "36525d" },
		{ .from = "-36525d" }, { .delay = "36525d" }, { .delay = "1" }, { .programme = "now" },
		{ .programme = "long", .duration = "1" } };
	struct zone *zone = zone_new("Pacific/Kiritimati");
	assert_non_null(zone);
	size_t n = sizeof walls / sizeof walls[0];
	for (size_t i = 0; i < n * n * n * 5 * 4 * 9; i++) {
		struct time_facts f = { { walls[i % n] }, durations[i / n / n / n / 5 % 4], spans[i / n / n / n % 5],
			{ walls[i / n % n] }, { walls[i / n / n % n] }, zone, &programmes };
		struct time_span s;
		struct time_fault why;
		if (time_resolve(&requests[i / n / n / n / 20], &f, &s, &why))
			assert_true(why.status == 400 || why.status == 404 || why.status == 410);
		else
			assert_true(s.kind < TIME_FROM || s.first < s.end);
	}
	zone_free(&zone);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(canonical_is_strict),
		cmocka_unit_test(any_span_comes_back),
		cmocka_unit_test(any_facts_are_survived),
	};
	return cmocka_run_group_tests(tests, set_programmes, NULL);
}
