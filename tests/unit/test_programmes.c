/* Programmes from iCalendar files: rules in local time, exceptions, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rewind/programmes.h"

#define HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n"
#define TAIL "END:VCALENDAR\r\n"
#define EVENT(body) "BEGIN:VEVENT\r\nUID:a@b\r\nSUMMARY:Show\r\n" body "END:VEVENT\r\n"
#define FILE_OF(body) HEAD EVENT(body) TAIL
#define NINE "DTSTART;TZID=Europe/Paris:20260105T090000\r\nDTEND;TZID=Europe/Paris:20260105T120000\r\n"

static struct wall
at(const char *text)
{
	struct wall w;
	assert_int_equal(wall_parse(text, &w), 0);
	return w;
}

/* The broadcasts as text: "2026-11-21T08:00Z-11:00Z Show; …", or "!why". Owned by the caller. */
static char *
told(const char *file, const char *from, const char *to)
{
	struct programmes *p;
	char why[160], start[WALL_TEXT_SIZE], end[WALL_TEXT_SIZE];
	struct text out;

	text_init(&out, 1 << 20);
	if (programmes_parse(file, strlen(file), "Europe/Paris", at(from), at(to), &p, why)) {
		text_fmt(&out, "!%s", why);
		return out.data;
	}
	for (size_t i = 0; i < p->count; i++)
		text_fmt(&out, "%s%.16s-%.5s %s", i ? "; " : "", wall_format(p->list[i].start, start),
		    wall_format(p->list[i].end, end) + 11, p->list[i].title);
	programmes_unref(&p);
	return out.data ? out.data : strdup("");
}

static void
expands(void **state)
{
	static const struct {
		const char *file, *from, *to, *want;
	} cases[] = {
		{ FILE_OF(NINE), "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "2026-01-05T08:00-11:00 Show" },
		/* nine in the morning stays nine in the morning on either side of both changes */
		{ FILE_OF(NINE "RRULE:FREQ=DAILY\r\n"), "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z",
		    "2026-03-28T08:00-11:00 Show; 2026-03-29T07:00-10:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY\r\n"), "2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z",
		    "2026-10-24T07:00-10:00 Show; 2026-10-25T08:00-11:00 Show" },
		/* at a time that is skipped, and at one that comes twice */
		{ FILE_OF("DTSTART;TZID=Europe/Paris:20260328T023000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY\r\n"),
		    "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", "2026-03-29T01:00-02:00 Show" },
		{ FILE_OF("DTSTART;TZID=Europe/Paris:20261024T023000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY\r\n"),
		    "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z", "2026-10-25T00:30-01:30 Show" },
		/* another zone than the station's, one that libical has wrong, UTC, and none */
		{ FILE_OF("DTSTART;TZID=Australia/Lord_Howe:20260105T090000\r\nDURATION:PT30M\r\nRRULE:FREQ=DAILY\r\n"),
		    "2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z", "2026-07-01T22:30-23:00 Show" },
		{ FILE_OF("DTSTART:20260701T090000Z\r\nDURATION:PT30M\r\n"), "2026-07-01T00:00:00Z",
		    "2026-07-02T00:00:00Z", "2026-07-01T09:00-09:30 Show" },
		{ FILE_OF("DTSTART:20260701T090000\r\nDURATION:PT30M\r\n"), "2026-07-01T00:00:00Z",
		    "2026-07-02T00:00:00Z", "2026-07-01T07:00-07:30 Show" },
		{ FILE_OF("DTSTART;TZID=/example.org/x/Europe/London:20260701T090000\r\nDURATION:PT30M\r\n"),
		    "2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z", "2026-07-01T08:00-08:30 Show" },
		/* an all-day event is a local day */
		{ FILE_OF("DTSTART;VALUE=DATE:20260701\r\n"), "2026-06-30T00:00:00Z", "2026-07-03T00:00:00Z",
		    "2026-06-30T22:00-22:00 Show" },
		/* which has 25 hours in autumn and 23 in spring; a DURATION in days is as long, one in hours is not */
		{ FILE_OF("DTSTART;VALUE=DATE:20261024\r\nRRULE:FREQ=DAILY;COUNT=3\r\n"), "2026-10-20T00:00:00Z",
		    "2026-10-30T00:00:00Z",
		    "2026-10-23T22:00-22:00 Show; 2026-10-24T22:00-23:00 Show; 2026-10-25T23:00-23:00 Show" },
		{ FILE_OF("DTSTART;VALUE=DATE:20260328\r\nDTEND;VALUE=DATE:20260330\r\n"), "2026-03-20T00:00:00Z",
		    "2026-03-30T00:00:00Z", "2026-03-27T23:00-22:00 Show" },
		{ FILE_OF("DTSTART;TZID=Europe/Paris:20261024T120000\r\nDURATION:P1D\r\n"), "2026-10-20T00:00:00Z",
		    "2026-10-30T00:00:00Z", "2026-10-24T10:00-11:00 Show" },
		{ FILE_OF("DTSTART;TZID=Europe/Paris:20261024T120000\r\nDURATION:P1DT1H\r\n"), "2026-10-20T00:00:00Z",
		    "2026-10-30T00:00:00Z", "2026-10-24T10:00-12:00 Show" },
		{ FILE_OF("DTSTART;TZID=Europe/Paris:20261024T120000\r\nDURATION:PT24H\r\n"), "2026-10-20T00:00:00Z",
		    "2026-10-30T00:00:00Z", "2026-10-24T10:00-10:00 Show" },
		/* rules */
		{ FILE_OF(NINE "RRULE:FREQ=WEEKLY;BYDAY=MO,FR\r\n"), "2026-11-15T00:00:00Z", "2026-11-22T00:00:00Z",
		    "2026-11-16T08:00-11:00 Show; 2026-11-20T08:00-11:00 Show" },
		/* every other week, from a Monday; as python-dateutil has it */
		{ FILE_OF(NINE "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO,WE\r\n"), "2026-01-01T00:00:00Z",
		    "2026-01-26T00:00:00Z",
		    "2026-01-05T08:00-11:00 Show; 2026-01-07T08:00-11:00 Show; 2026-01-11T08:00-11:00 Show; "
		    "2026-01-19T08:00-11:00 Show; 2026-01-21T08:00-11:00 Show; 2026-01-25T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU\r\n"), "2026-01-01T00:00:00Z",
		    "2026-01-26T00:00:00Z",
		    "2026-01-05T08:00-11:00 Show; 2026-01-18T08:00-11:00 Show; 2026-01-19T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=WEEKLY;INTERVAL=3;COUNT=2\r\n"), "2026-01-01T00:00:00Z",
		    "2026-03-26T00:00:00Z", "2026-01-05T08:00-11:00 Show; 2026-01-26T08:00-11:00 Show" },
		/* long after: the days of the rule are still those that it counted to */
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;INTERVAL=3\r\n"), "2027-01-01T00:00:00Z", "2027-01-08T00:00:00Z",
		    "2027-01-03T08:00-11:00 Show; 2027-01-06T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU\r\n"), "2027-01-01T00:00:00Z",
		    "2027-01-20T00:00:00Z",
		    "2027-01-03T08:00-11:00 Show; 2027-01-04T08:00-11:00 Show; 2027-01-17T08:00-11:00 Show; "
		    "2027-01-18T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=WEEKLY;BYMONTH=2\r\n"), "2027-01-20T00:00:00Z", "2027-02-10T00:00:00Z",
		    "2027-02-01T08:00-11:00 Show; 2027-02-08T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;COUNT=400\r\n"), "2027-02-07T00:00:00Z", "2027-02-20T00:00:00Z",
		    "2027-02-07T08:00-11:00 Show; 2027-02-08T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=MONTHLY;BYDAY=-1SU\r\n"), "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z",
		    "2026-11-29T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;COUNT=2\r\n"), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z",
		    "2026-01-05T08:00-11:00 Show; 2026-01-06T08:00-11:00 Show" },
		/* UNTIL is the start of the last one, in UTC, in local time, or a day */
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;UNTIL=20260106T080000Z\r\n"), "2026-01-01T00:00:00Z",
		    "2026-02-01T00:00:00Z", "2026-01-05T08:00-11:00 Show; 2026-01-06T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;UNTIL=20260106T075959Z\r\n"), "2026-01-01T00:00:00Z",
		    "2026-02-01T00:00:00Z", "2026-01-05T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;UNTIL=20260106\r\n"), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z",
		    "2026-01-05T08:00-11:00 Show; 2026-01-06T08:00-11:00 Show" },
		/* exceptions and additions, also several, in the middle of each other */
		{ FILE_OF(
		      NINE "RRULE:FREQ=DAILY;COUNT=4\r\nEXDATE;TZID=Europe/Paris:20260106T090000,20260107T090000\r\n"),
		    "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z",
		    "2026-01-05T08:00-11:00 Show; 2026-01-08T08:00-11:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;COUNT=2\r\nEXDATE;VALUE=DATE:20260106\r\n"), "2026-01-01T00:00:00Z",
		    "2026-02-01T00:00:00Z", "2026-01-05T08:00-11:00 Show" },
		{ FILE_OF(
		      NINE "RDATE;TZID=Europe/Paris:20260110T090000,20260111T100000\r\nEXDATE:20260110T080000Z\r\n"),
		    "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z",
		    "2026-01-05T08:00-11:00 Show; 2026-01-11T09:00-12:00 Show" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;COUNT=2\r\nRDATE;TZID=Europe/Paris:20260106T090000\r\n"),
		    "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z",
		    "2026-01-05T08:00-11:00 Show; 2026-01-06T08:00-11:00 Show" },
		/* one broadcast moved over midnight, one cancelled; the newer of two changes counts */
		{ HEAD EVENT(NINE "RRULE:FREQ=DAILY;COUNT=3\r\n")
			EVENT("RECURRENCE-ID;TZID=Europe/Paris:20260106T090000\r\nSEQUENCE:2\r\nDTSTART;TZID=Europe/"
			      "Paris:20260107T003000\r\n"
			      "DURATION:PT1H\r\n")
			    EVENT("RECURRENCE-ID;TZID=Europe/"
				  "Paris:20260106T090000\r\nSEQUENCE:1\r\nDTSTART;TZID=Europe/Paris:20260120T003000\r\n"
				  "DURATION:PT1H\r\n")
				EVENT("RECURRENCE-ID:20260107T080000Z\r\nSTATUS:CANCELLED\r\n" NINE) TAIL,
		    "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z",
		    "2026-01-05T08:00-11:00 Show; 2026-01-06T23:30-00:30 Show" },
		{ FILE_OF(NINE "STATUS:CANCELLED\r\n"), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "" },
		/* what real exports hold */
		{ "\xef\xbb\xbf" HEAD "X-WR-CALNAME:Grid\r\nBEGIN:VTODO\r\nSUMMARY:x\r\nEND:VTODO\r\n" EVENT(
		      NINE "LOCATION:\r\nX-APPLE-TRAVEL:1\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-"
			   "PT5M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n") TAIL,
		    "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "2026-01-05T08:00-11:00 Show" },
		{ HEAD "BEGIN:VTIMEZONE\r\nTZID:Our "
		       "Time\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0300\r\n"
		       "TZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n" EVENT(
			   "DTSTART;TZID=Our Time:20260105T090000\r\nDURATION:PT1H\r\n") TAIL,
		    "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "2026-01-05T06:00-07:00 Show" },
		{ HEAD "BEGIN:VEVENT\nUID:x\nSUMMARY:A\\, b\\; c\\nd \n folded\n" NINE "END:VEVENT\n" TAIL,
		    "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "2026-01-05T08:00-11:00 A, b; c d folded" },
		/* without UID, as by hand: the same title at two times, a change of one of them, and the same twice */
		{ HEAD "BEGIN:VEVENT\nSUMMARY:News\nDTSTART:20260105T080000Z\nDURATION:PT5M\nEND:VEVENT\n"
		       "BEGIN:VEVENT\nSUMMARY:News\nDTSTART:20260105T120000Z\nDURATION:PT5M\nEND:VEVENT\n"
		       "BEGIN:VEVENT\nSUMMARY:News\nRECURRENCE-ID:20260105T120000Z\nDTSTART:20260105T120500Z\n"
		       "DURATION:PT5M\nEND:VEVENT\n"
		       "BEGIN:VEVENT\nSUMMARY:News\nDTSTART:20260105T080000Z\nDURATION:PT5M\nEND:VEVENT\n"
		       "BEGIN:VEVENT\nSUMMARY:News\nDTSTART:20260105T160000Z\nDURATION:PT5M\nEND:VEVENT\n" TAIL,
		    "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z",
		    "2026-01-05T08:00-08:05 News; 2026-01-05T12:05-12:10 News; 2026-01-05T16:00-16:05 News" },
		/* a DTSTART beside its rule */
		{ FILE_OF(NINE "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=2\r\n"), "2026-01-01T00:00:00Z",
		    "2026-02-01T00:00:00Z", "2026-01-06T08:00-11:00 Show; 2026-01-13T08:00-11:00 Show" },
		/* two calendars in one file */
		{ FILE_OF(NINE) HEAD "BEGIN:VEVENT\r\nUID:c\r\nSUMMARY:Other\r\nDTSTART:20260105T130000Z\r\nDURATION:"
				     "PT1H\r\nEND:VEVENT\r\n" TAIL,
		    "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z",
		    "2026-01-05T08:00-11:00 Show; 2026-01-05T13:00-14:00 Other" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *got = told(cases[i].file, cases[i].from, cases[i].to);
		if (strcmp(got, cases[i].want))
			fail_msg("case %zu: %s\nwant %s\nfile %s", i, got, cases[i].want, cases[i].file);
		free(got);
	}
}

static void
refuses(void **state)
{
	static const struct {
		const char *file, *why;
	} cases[] = {
		{ "", "!not an iCalendar file" },
		{ "<html>", "!not an iCalendar file" },
		{ FILE_OF("DTEND:20260105T090000Z\r\n"), "!event \"Show\": it has no DTSTART" },
		{ FILE_OF("DTSTART:20260105T090000Z\r\n"), "!event \"Show\": it has neither DTEND nor DURATION" },
		{ FILE_OF("DTSTART:20260105T090000Z\r\nDTEND:20260105T080000Z\r\n"),
		    "!event \"Show\": it ends before it begins" },
		{ FILE_OF("DTSTART:20260105T090000Z\r\nDURATION:P5D\r\n"), "!event \"Show\": it lasts longer than" },
		{ FILE_OF("DTSTART:20260105T090000Z\r\nDURATION:P99999W\r\n"),
		    "!event \"Show\": it lasts longer than" },
		/* which in 32 bits would be less than a day */
		{ FILE_OF("DTSTART:20260105T090000Z\r\nDURATION:PT1193047H\r\n"),
		    "!event \"Show\": it lasts longer than" },
		{ FILE_OF("DTSTART:20260105T090000Z\r\nDURATION:-P1D\r\n"), "!event \"Show\": it ends before it" },
		{ FILE_OF("DTSTART;TZID=Mars/Base:20260105T090000\r\nDURATION:PT1H\r\n"),
		    "!event \"Show\": TZID Mars/Base" },
		{ FILE_OF("DTSTART:yesterday\r\nDURATION:PT1H\r\n"), "!event \"Show\": DTSTART cannot be read" },
		{ FILE_OF(NINE "RRULE:FREQ=SOMETIMES\r\n"), "!event \"Show\": RRULE" },
		{ FILE_OF(NINE "RRULE:FREQ=SECONDLY\r\n"), "!event \"Show\": RRULE: want FREQ" },
		{ FILE_OF(NINE "RRULE:FREQ=HOURLY\r\n"), "!event \"Show\": RRULE: want FREQ" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;BYHOUR=9,12\r\n"), "!event \"Show\": RRULE: BYHOUR" },
		{ FILE_OF(NINE "RRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1\r\n"), "!event \"Show\": RRULE: BYSETPOS" },
		{ FILE_OF(NINE "RRULE:FREQ=YEARLY;BYWEEKNO=20\r\n"), "!event \"Show\": RRULE: BYWEEKNO" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY;BYMONTHDAY=-1\r\n"), "!event \"Show\": RRULE: days from" },
		{ FILE_OF(NINE "RRULE:FREQ=DAILY\r\nRRULE:FREQ=WEEKLY\r\n"), "!event \"Show\": more than one RRULE" },
		{ FILE_OF(NINE "RECURRENCE-ID;RANGE=THISANDFUTURE:20260106T080000Z\r\n"),
		    "!event \"Show\": RECURRENCE-ID with RANGE" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *got = told(cases[i].file, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
		if (strncmp(got, cases[i].why, strlen(cases[i].why)))
			fail_msg("case %zu: %s\nwant %s", i, got, cases[i].why);
		free(got);
	}
}

/* Rules that give nothing, or far too much, come to an end by themselves or are refused. */
static void
ends_impossible_rules(void **state)
{
	static const struct {
		const char *rule, *want; /* how it begins */
	} cases[] = {
		{ "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "" },
		{ "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "!event \"Show\": RRULE cannot be worked out" },
		{ "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2", "" },
		{ "FREQ=YEARLY;BYWEEKNO=54", "!event \"Show\": RRULE: BYWEEKNO" },
		{ "FREQ=YEARLY;BYYEARDAY=367", "!event \"Show\": RRULE: BYWEEKNO and BYYEARDAY" },
		{ "FREQ=DAILY;INTERVAL=32767", "!event \"Show\": RRULE: want an INTERVAL" },
		{ "FREQ=DAILY;COUNT=2147483647", "2026-01-05T08:00-11:00 Show; 2026-01-06T08:00-11:00 Show; " },
	};
	char file[1024];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(file, sizeof file,
		    HEAD "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Show\r\n" NINE "RRULE:%s\r\nEND:VEVENT\r\n" TAIL,
		    cases[i].rule);
		char *got = told(file, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
		if (*cases[i].want ? strncmp(got, cases[i].want, strlen(cases[i].want)) != 0 : *got != '\0')
			fail_msg("%s: %s", cases[i].rule, got);
		free(got);
	}
}

/* Broadcasts on two days of November 2026 of the events in `t`, which it ends and releases. */
static size_t
count_of(struct text *t)
{
	struct programmes *p;
	char why[160];

	text_str(t, TAIL);
	if (programmes_parse(
		t->data, t->len, "Europe/Paris", at("2026-11-20T23:00:00Z"), at("2026-11-22T23:00:00Z"), &p, why))
		fail_msg("%s", why);
	size_t count = p->count;
	programmes_unref(&p);
	text_fini(t);
	return count;
}

static void
add_series(struct text *t, int id, const char *start, const char *rule)
{
	text_fmt(t,
	    "BEGIN:VEVENT\r\nUID:%d\r\nSUMMARY:Show\r\nDTSTART:%s\r\nDURATION:PT30M\r\nRRULE:FREQ=%s\r\nEND:VEVENT\r\n",
	    id, start, rule);
}

/* Sixty each of series that have ended, or have their season in other months: none of them is a rule that never comes
 * true. */
static void
ended_series_are_taken(void **state)
{
	static const char *const rules[] = { "DAILY;UNTIL=20250601T000000Z", "WEEKLY;UNTIL=20261120",
		"DAILY;BYMONTH=7,8;UNTIL=20261231T000000Z", "WEEKLY;INTERVAL=2;UNTIL=20260101T000000Z" };
	struct text t;

	(void)state;
	text_init(&t, 1 << 16);
	text_str(&t, HEAD);
	for (int i = 0; i < 240; i++)
		add_series(&t, i, "20240101T090000", rules[i % 4]);
	assert_int_equal(count_of(&t), 0);
}

/* Forty programmes a day since 2010, each by its rule: what is past costs nothing. */
static void
old_rules_stay_cheap(void **state)
{
	char start[16];
	struct text t;

	(void)state;
	text_init(&t, 1 << 16);
	text_str(&t, HEAD);
	for (int i = 0; i < 40; i++) {
		snprintf(start, sizeof start, "20100101T%02d%02d00", i / 2, i % 2 * 30);
		add_series(&t, i, start, i % 2 ? "DAILY" : "WEEKLY;BYDAY=SU,MO,TU,WE,TH,FR,SA");
	}
	assert_int_equal(count_of(&t), 2 * 40);
}

static void
is_found(void **state)
{
	static const char file[] = HEAD EVENT(NINE "RRULE:FREQ=DAILY\r\nDESCRIPTION:About\x01it\r\nURL:https://"
						   "fip.example/show\r\n") "BEGIN:VEVENT\r\nUID:n\r\nSUMMARY:"
									   "News\r\nDTSTART:"
									   "20260106T090000Z\r\nDURATION:PT10M\r\nURL:"
									   "javascript:alert(1)\r\nEND:VEVENT\r\n" TAIL;
	struct programmes *p;
	char why[160];

	(void)state;
	assert_int_equal(programmes_parse(file, strlen(file), "UTC", at("2026-01-05T00:00:00Z"),
			     at("2026-01-08T00:00:00Z"), &p, why),
	    0);
	assert_int_equal(p->count, 4);
	assert_null(programmes_at(p, at("2026-01-05T07:59:59Z")));
	assert_string_equal(programmes_at(p, at("2026-01-05T08:00:00Z"))->title, "Show");
	assert_null(programmes_at(p, at("2026-01-05T11:00:00Z")));
	/* of two that are on, the one that began last */
	const struct programme *news = programmes_at(p, at("2026-01-06T09:05:00Z"));
	assert_string_equal(news->title, "News");
	assert_null(news->url);
	assert_string_equal(programmes_at(p, at("2026-01-06T09:10:00Z"))->title, "Show");
	const struct programme *show = programmes_find(p, programmes_at(p, at("2026-01-07T10:00:00Z"))->id);
	assert_int_equal(show->start.ns, at("2026-01-07T08:00:00Z").ns);
	assert_memory_equal(show->id, "20260107T080000Z-", 17);
	assert_string_equal(show->description, "About it");
	assert_string_equal(show->url, "https://fip.example/show");
	assert_null(programmes_find(p, "20260107T080000Z"));
	/* a moved broadcast keeps its name */
	programmes_unref(&p);
	static const char moved[] = HEAD EVENT(NINE "RRULE:FREQ=DAILY\r\n")
	    EVENT("RECURRENCE-ID:20260107T080000Z\r\nDTSTART:20260107T150000Z\r\nDURATION:PT1H\r\n") TAIL;
	assert_int_equal(programmes_parse(moved, strlen(moved), "UTC", at("2026-01-07T00:00:00Z"),
			     at("2026-01-08T00:00:00Z"), &p, why),
	    0);
	assert_int_equal(p->count, 1);
	assert_memory_equal(p->list[0].id, "20260107T080000Z-", 17);
	assert_int_equal(p->list[0].start.ns, at("2026-01-07T15:00:00Z").ns);
	programmes_unref(&p);
}

static void
cuts_text_at_characters(void **state)
{
	char file[2048];
	struct programmes *p;
	char why[160];
	struct text t;

	(void)state;
	text_init_fixed(&t, file, sizeof file);
	text_str(&t, HEAD "BEGIN:VEVENT\r\nUID:a\r\n" NINE "SUMMARY:");
	for (int i = 0; i < 100; i++)
		text_str(&t, "\xe2\x82\xac");
	text_str(&t, "\r\nEND:VEVENT\r\n" TAIL);
	assert_int_equal(
	    programmes_parse(t.data, t.len, "UTC", at("2026-01-05T00:00:00Z"), at("2026-01-08T00:00:00Z"), &p, why), 0);
	assert_int_equal(strlen(p->list[0].title), 198);
	programmes_unref(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expands),
		cmocka_unit_test(refuses),
		cmocka_unit_test(ends_impossible_rules),
		cmocka_unit_test(old_rules_stay_cheap),
		cmocka_unit_test(ended_series_are_taken),
		cmocka_unit_test(is_found),
		cmocka_unit_test(cuts_text_at_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
