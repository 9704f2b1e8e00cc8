/* Programmes out of an iCalendar file. libical parses it and works out its rules, in local time; instants come from our
 * own zones, since libical loses transitions of some (Asia/Jerusalem, Australia/Lord_Howe).
 *
 * What libical cannot be trusted with is refused: rules that repeat within a day, BYSETPOS, days of the month by weeks,
 * and what it would take long over (lines of a megabyte) or go deep into (components in components). */
#include "rewind/programmes.h"

#include <inttypes.h>
#include <libical/ical.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <xxhash.h>

#include "base/text.h"
#include "rewind/zone.h"

#define ZONES_MOST 64
#define VAIN_WALK 5000   /* what a rule that never comes true counts for: libical searches centuries for it */
#define WALK_MOST 200000 /* instances of rules that are looked at in one file */
#define EVENTS_MOST 20000
#define LONGEST_S (48 * 3600)
#define BEFORE_DAYS 5   /* that long before the window rules are worked out: LONGEST_S, and a day for time zones */
#define LINE_MOST 65536 /* bytes of an unfolded line: libical takes time that grows with the square of it */
#define NESTED_MOST 8
#define DAY_S 86400
#define TITLE_MOST 200
#define DESCRIPTION_MOST 1000
#define URL_MOST 500

/* A TZID: one of the IANA database, or what a VTIMEZONE in the file describes. */
struct named_zone {
	const char *tzid; /* in the file's tree */
	struct zone *zone;
	icaltimezone *described;
};

/* An event that stands for one broadcast of another one. */
struct override {
	uint64_t uid;
	int64_t instant; /* RECURRENCE-ID */
	icalcomponent *event;
	int sequence;
	size_t order; /* in the file */
};

struct reading {
	icalcomponent *root;
	struct zone *station;
	struct named_zone zones[ZONES_MOST];
	size_t zone_count;
	struct override *overrides;
	size_t override_count;
	int64_t from, to; /* Unix seconds */
	unsigned walked;
	struct programmes *out;
	size_t room;
	char *why;
};

/* A DATE or DATE-TIME, as a local time and as an instant. */
struct moment {
	icaltimetype local;
	int64_t at;
	const char *tzid; /* NULL: the station's zone, or UTC */
};

/* How long a broadcast is (RFC 5545 3.3.6): days of the calendar, which have 23 or 25 hours when clocks change, then
 * seconds. */
struct length {
	int days;
	int64_t seconds;
};

static int fail(struct reading *r, icalcomponent *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int
fail(struct reading *r, icalcomponent *event, const char *fmt, ...)
{
	const char *name = event ? icalcomponent_get_summary(event) : NULL;
	struct text t;
	va_list ap;

	text_init_fixed(&t, r->why, 160);
	if (event)
		text_fmt(&t, "event \"%.40s\": ", name ? name : "without SUMMARY");
	va_start(ap, fmt);
	text_vfmt(&t, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- time */

/* "/example.org/Europe/Paris" is Europe/Paris to those who make such names. */
static struct zone *
zone_by_suffix(const char *tzid)
{
	struct zone *z = NULL;

	for (const char *s = tzid; s && !z; s = strchr(s, '/')) {
		s += *s == '/';
		z = zone_new(s);
	}
	return z;
}

static const struct named_zone *
find_zone(struct reading *r, icalcomponent *event, const char *tzid)
{
	for (size_t i = 0; i < r->zone_count; i++)
		if (!strcmp(r->zones[i].tzid, tzid))
			return &r->zones[i];
	struct named_zone n = { .tzid = tzid };
	if (r->zone_count == ZONES_MOST) {
		fail(r, event, "more than %d time zones", ZONES_MOST);
		return NULL;
	}
	n.zone = zone_by_suffix(tzid);
	for (icalcomponent *c = r->root; !n.zone && !n.described && c;
	     c = c == r->root ? icalcomponent_get_first_component(r->root, ICAL_VCALENDAR_COMPONENT)
			      : icalcomponent_get_next_component(r->root, ICAL_VCALENDAR_COMPONENT))
		n.described = icalcomponent_get_timezone(c, tzid);
	if (!n.zone && !n.described) {
		fail(r, event, "TZID %.60s is neither known here nor described in the file", tzid);
		return NULL;
	}
	r->zones[r->zone_count] = n;
	return &r->zones[r->zone_count++];
}

static int64_t
seconds_of(const icaltimetype *t)
{
	struct tm tm = { .tm_year = t->year - 1900,
		.tm_mon = t->month - 1,
		.tm_mday = t->day,
		.tm_hour = t->is_date ? 0 : t->hour,
		.tm_min = t->is_date ? 0 : t->minute,
		.tm_sec = t->is_date ? 0 : t->second };
	return timegm(&tm);
}

/* The instant of a local time. 0, or -1 after saying why. */
static int
instant_of(struct reading *r, icalcomponent *event, const icaltimetype *t, const char *tzid, int64_t *at)
{
	if (t->year < 1970 || t->year > 2099)
		return fail(r, event, "the year %d is not one of 1970 to 2099", t->year);
	if (icaltime_is_utc(*t)) {
		*at = seconds_of(t);
		return 0;
	}
	const struct zone *z = r->station;
	if (tzid) {
		const struct named_zone *n = find_zone(r, event, tzid);
		if (!n)
			return -1;
		if (!n->zone) {
			icaltimetype copy = *t;
			int summer;
			*at = seconds_of(t) - icaltimezone_get_utc_offset(n->described, &copy, &summer);
			return 0;
		}
		z = n->zone;
	}
	struct civil c = { t->year, t->month, t->day, t->is_date ? 0 : t->hour, t->is_date ? 0 : t->minute,
		t->is_date ? 0 : t->second };
	*at = zone_instant(z, &c);
	return 0;
}

static const char *
tzid_of(icalproperty *p)
{
	icalparameter *parameter = icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
	return parameter ? icalparameter_get_tzid(parameter) : NULL;
}

/* The value of a property as a moment. 0, or -1 after saying why. */
static int
read_moment(struct reading *r, icalcomponent *event, icalproperty *p, struct moment *m)
{
	const icalvalue *v = icalproperty_get_value(p);
	icaltimetype t;

	switch (v ? icalvalue_isa(v) : ICAL_NO_VALUE) {
	case ICAL_DATE_VALUE:
		t = icalvalue_get_date(v);
		break;
	case ICAL_DATETIME_VALUE:
		t = icalvalue_get_datetime(v);
		break;
	case ICAL_DATETIMEDATE_VALUE:
		t = icalvalue_get_datetimedate(v);
		break;
	case ICAL_DATETIMEPERIOD_VALUE:
		t = icalvalue_get_datetimeperiod(v).time;
		break;
	default:
		t = icaltime_null_time();
	}
	if (icaltime_is_null_time(t) || !icaltime_is_valid_time(t))
		return fail(r, event, "%s is not a date or a time that can be read", icalproperty_get_property_name(p));
	*m = (struct moment){ .local = t, .tzid = icaltime_is_utc(t) ? NULL : tzid_of(p) };
	return instant_of(r, event, &t, m->tzid, &m->at);
}

/* What an event says of its length. 0, or -1 after saying why. */
static int
read_end(struct reading *r, icalcomponent *event, const struct moment *start, struct length *length)
{
	icalproperty *p = icalcomponent_get_first_property(event, ICAL_DTEND_PROPERTY);
	struct moment end;

	if (p) {
		if (read_moment(r, event, p, &end))
			return -1;
		bool dates = start->local.is_date && end.local.is_date;
		int64_t days = dates ? (seconds_of(&end.local) - seconds_of(&start->local)) / DAY_S : 0;
		*length = (struct length){ (int)days, dates ? 0 : end.at - start->at };
	} else if ((p = icalcomponent_get_first_property(event, ICAL_DURATION_PROPERTY))) {
		struct icaldurationtype d = icalproperty_get_duration(p);
		int64_t days = (int64_t)d.weeks * 7 + d.days, most = LONGEST_S / DAY_S + 1; /* more is refused alike */
		int64_t seconds = (int64_t)d.hours * 3600 + (int64_t)d.minutes * 60 + d.seconds;
		*length =
		    d.is_neg ? (struct length){ 0, -1 } : (struct length){ (int)(days < most ? days : most), seconds };
	} else if (start->local.is_date) {
		*length = (struct length){ .days = 1 };
	} else {
		return fail(r, event, "it has neither DTEND nor DURATION");
	}
	return 0;
}

/* When an event begins, and how long it lasts. 0, or -1 after saying why. */
static int
read_length(struct reading *r, icalcomponent *event, struct moment *start, struct length *length)
{
	icalproperty *p = icalcomponent_get_first_property(event, ICAL_DTSTART_PROPERTY);

	if (!p)
		return fail(r, event, "it has no DTSTART");
	if (read_moment(r, event, p, start) || read_end(r, event, start, length))
		return -1;
	int64_t seconds = length->days * (int64_t)DAY_S + length->seconds;
	if (seconds <= 0)
		return fail(r, event, "it ends before it begins");
	if (seconds > LONGEST_S)
		return fail(r, event, "it lasts longer than %d hours", LONGEST_S / 3600);
	return 0;
}

/* When a broadcast of this length ends. 0, or -1 after saying why. */
static int
end_of(struct reading *r, icalcomponent *event, const struct moment *start, const struct length *length, int64_t *end)
{
	icaltimetype last = start->local;
	int64_t at = start->at;

	icaltime_adjust(&last, length->days, 0, 0, 0);
	if (length->days && instant_of(r, event, &last, start->tzid, &at))
		return -1;
	*end = at + length->seconds;
	return 0;
}

/* ---- text */

/* Well-formed UTF-8 without control characters, cut at a character's border. NULL without memory. */
static char *
clean_text(const char *s, size_t most)
{
	struct text t;

	text_init(&t, most);
	while (*s && !t.full) {
		unsigned bad = 1, n = text_utf8_sequence(s, &bad);
		if (!n)
			text_str(&t, "\xef\xbf\xbd");
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			text_add(&t, " ", 1);
		else
			text_add(&t, s, n);
		s += n ? n : bad;
	}
	char *copy = strdup(t.data ? t.data : "");
	text_fini(&t);
	return copy;
}

/* A web address that may stand in a page, or NULL. */
static char *
clean_url(const char *s)
{
	if (!s || (strncmp(s, "https://", 8) && strncmp(s, "http://", 7)) || strlen(s) > URL_MOST)
		return NULL;
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c <= 0x20 || *c == 0x7f || strchr("\"'<>\\`", *c))
			return NULL;
	return strdup(s);
}

static bool
has_uid(icalcomponent *event)
{
	const char *uid = icalcomponent_get_uid(event);
	return uid && *uid;
}

/* A file that was written by hand may have none. */
static const char *
uid_of(icalcomponent *event)
{
	if (has_uid(event))
		return icalcomponent_get_uid(event);
	return icalcomponent_get_summary(event) ? icalcomponent_get_summary(event) : "";
}

static uint64_t
uid_hash(icalcomponent *event)
{
	const char *uid = uid_of(event);
	return XXH64(uid, strlen(uid), 0);
}

/* ---- broadcasts */

static bool
is_cancelled(icalcomponent *event)
{
	return icalcomponent_get_status(event) == ICAL_STATUS_CANCELLED;
}

/* Take a broadcast of `event` if it lies in the window. `by_rule`: the instant that names it. */
static int
add_broadcast(struct reading *r, icalcomponent *event, int64_t by_rule, int64_t start, int64_t end)
{
	struct programmes *out = r->out;

	if (start >= r->to || end <= r->from)
		return 0;
	if (out->count == PROGRAMMES_MOST)
		return fail(r, NULL, "more than %d broadcasts", PROGRAMMES_MOST);
	if (out->count == r->room) {
		size_t room = r->room ? r->room * 2 : 64;
		struct programme *list = realloc(out->list, room * sizeof *list);
		if (!list)
			return fail(r, NULL, "out of memory");
		out->list = list;
		r->room = room;
	}
	const char *title = icalcomponent_get_summary(event), *about = icalcomponent_get_description(event);
	icalproperty *url = icalcomponent_get_first_property(event, ICAL_URL_PROPERTY);
	char id[48];
	time_t t = by_rule;
	struct tm tm;
	gmtime_r(&t, &tm);
	size_t n = strftime(id, sizeof id, "%Y%m%dT%H%M%SZ", &tm);
	const char *uid = uid_of(event);
	snprintf(id + n, sizeof id - n, "-%08" PRIx32, (uint32_t)XXH32(uid, strlen(uid), 0));
	struct programme *p = &out->list[out->count++];
	*p = (struct programme){
		.id = strdup(id),
		.title = clean_text(title && *title ? title : "Untitled", TITLE_MOST),
		.description = about && *about ? clean_text(about, DESCRIPTION_MOST) : NULL,
		.url = url ? clean_url(icalproperty_get_url(url)) : NULL,
		.start = { start * NS_PER_S },
		.end = { end * NS_PER_S },
	};
	return p->id && p->title ? 0 : fail(r, NULL, "out of memory");
}

static int
by_instant(const void *a, const void *b)
{
	const struct override *x = a, *y = b;
	return x->uid != y->uid ? (x->uid > y->uid) - (x->uid < y->uid)
				: (x->instant > y->instant) - (x->instant < y->instant);
}

static int
by_instant_and_order(const void *a, const void *b)
{
	const struct override *x = a, *y = b;
	int by = by_instant(x, y);
	return by ? by : (x->order > y->order) - (x->order < y->order);
}

static bool
is_overridden(const struct reading *r, uint64_t uid, int64_t instant)
{
	const struct override key = { .uid = uid, .instant = instant };
	return r->override_count && bsearch(&key, r->overrides, r->override_count, sizeof key, by_instant);
}

/* Is an instance taken out by an EXDATE? -1 after saying why. */
static int
is_excluded(struct reading *r, icalcomponent *event, const struct moment *instance)
{
	const icaltimetype *local = &instance->local;
	struct moment m;

	for (icalproperty *p = icalcomponent_get_first_property(event, ICAL_EXDATE_PROPERTY); p;
	     p = icalcomponent_get_next_property(event, ICAL_EXDATE_PROPERTY)) {
		if (read_moment(r, event, p, &m))
			return -1;
		bool day = m.local.is_date && m.local.year == local->year && m.local.month == local->month &&
			   m.local.day == local->day;
		if (day || (!m.local.is_date && m.at == instance->at))
			return 1;
	}
	return 0;
}

/* One instance of an event by its rule or by RDATE. */
static int
add_instance(struct reading *r, icalcomponent *event, const struct moment *instance, const struct length *length)
{
	int64_t at = instance->at, end;

	if (at >= r->to)
		return 0;
	if (end_of(r, event, instance, length, &end))
		return -1;
	if (end <= r->from || is_overridden(r, uid_hash(event), at))
		return 0;
	int excluded = is_excluded(r, event, instance);
	return excluded < 0 ? -1 : excluded ? 0 : add_broadcast(r, event, at, at, end);
}

/* Make a rule fit to be worked out in local time, or refuse it. */
static int
prepare_rule(struct reading *r, icalcomponent *event, const struct moment *start, struct icalrecurrencetype *rule)
{
	if (rule->freq != ICAL_DAILY_RECURRENCE && rule->freq != ICAL_WEEKLY_RECURRENCE &&
	    rule->freq != ICAL_MONTHLY_RECURRENCE && rule->freq != ICAL_YEARLY_RECURRENCE)
		return fail(r, event, "RRULE: want FREQ of DAILY, WEEKLY, MONTHLY or YEARLY");
	if (rule->by_set_pos[0] != ICAL_RECURRENCE_ARRAY_MAX)
		return fail(r, event, "RRULE: BYSETPOS is not taken; say it with BYDAY=-1SU and the like");
	if (rule->by_second[0] != ICAL_RECURRENCE_ARRAY_MAX || rule->by_minute[0] != ICAL_RECURRENCE_ARRAY_MAX ||
	    rule->by_hour[0] != ICAL_RECURRENCE_ARRAY_MAX)
		return fail(
		    r, event, "RRULE: BYHOUR, BYMINUTE and BYSECOND are not taken; want an event for each time");
	if (rule->by_week_no[0] != ICAL_RECURRENCE_ARRAY_MAX || rule->by_year_day[0] != ICAL_RECURRENCE_ARRAY_MAX)
		return fail(r, event,
		    "RRULE: BYWEEKNO and BYYEARDAY are not taken; say it with BYMONTH and BYMONTHDAY or BYDAY");
	for (int i = 0; rule->freq == ICAL_DAILY_RECURRENCE && rule->by_month_day[i] != ICAL_RECURRENCE_ARRAY_MAX; i++)
		if (rule->by_month_day[i] < 0)
			return fail(r, event, "RRULE: days from a month's end are taken with MONTHLY, not with DAILY");
	bool month_days = rule->by_month_day[0] != ICAL_RECURRENCE_ARRAY_MAX;
	if (month_days && (rule->freq == ICAL_WEEKLY_RECURRENCE ||
			      (rule->freq == ICAL_YEARLY_RECURRENCE && rule->by_month[0] == ICAL_RECURRENCE_ARRAY_MAX)))
		return fail(
		    r, event, "RRULE: BYMONTHDAY is taken with MONTHLY, with DAILY, and with YEARLY and BYMONTH");
	if (rule->interval < 1 || rule->interval > 1000)
		return fail(r, event, "RRULE: want an INTERVAL of 1 to 1000");
	icaltimetype *until = &rule->until;
	if (!icaltime_is_null_time(*until) && icaltime_is_utc(*until)) {
		int64_t at = seconds_of(until), zero = 0;
		/* what the event's own clock shows then */
		icaltimetype floating = *until;
		floating.zone = NULL;
		if (instant_of(r, event, &floating, start->tzid, &zero))
			return -1;
		int64_t east = icaltime_is_utc(start->local) ? 0 : seconds_of(until) - zero;
		time_t local = at + east;
		struct tm tm;
		gmtime_r(&local, &tm);
		*until = (icaltimetype){ .year = tm.tm_year + 1900,
			.month = tm.tm_mon + 1,
			.day = tm.tm_mday,
			.hour = tm.tm_hour,
			.minute = tm.tm_min,
			.second = tm.tm_sec };
	} else if (!icaltime_is_null_time(*until) && until->is_date && !start->local.is_date) {
		*until = (icaltimetype){ .year = until->year,
			.month = until->month,
			.day = until->day,
			.hour = 23,
			.minute = 59,
			.second = 59 };
	}
	return 0;
}

/* Begin a rule by days or weeks shortly before the window: whole intervals later it goes on as from its beginning.
 * Without this an event costs more from year to year, and all events of a station were too many one day. */
static void
skip_past(const struct reading *r, const struct icalrecurrencetype *rule, icaltimetype *first)
{
	int64_t days = rule->interval * (rule->freq == ICAL_WEEKLY_RECURRENCE ? 7 : 1);
	int64_t before = (r->from - seconds_of(first)) / DAY_S - BEFORE_DAYS;

	if (rule->count == 0 && before > days &&
	    (rule->freq == ICAL_DAILY_RECURRENCE || rule->freq == ICAL_WEEKLY_RECURRENCE))
		icaltime_adjust(first, (int)(before / days * days), 0, 0, 0);
}

/* A rule that ends before long is searched no further. */
static bool
ends_soon(const struct reading *r, const struct icalrecurrencetype *rule)
{
	return !icaltime_is_null_time(rule->until) && seconds_of(&rule->until) < r->to + 366 * (int64_t)DAY_S;
}

/* All instances in the window of a rule that counts from `first`, a time without zone. */
static int
walk(struct reading *r, icalcomponent *event, struct icalrecurrencetype rule, icaltimetype first,
    const struct moment *start, const struct length *length)
{
	int rc = 0;
	bool any = false;

	skip_past(r, &rule, &first);
	icalrecur_iterator *i = icalrecur_iterator_new(rule, first);

	if (!i)
		return fail(r, event, "RRULE cannot be worked out");
	for (icaltimetype t; !rc && !icaltime_is_null_time(t = icalrecur_iterator_next(i));) {
		struct moment m = { .local = t, .tzid = start->tzid };
		any = true;
		m.local.zone = start->local.zone;
		if (t.year > 2099)
			break;
		if (r->walked++ == WALK_MOST)
			rc = fail(r, event, "RRULE: more than %d repetitions up to now", WALK_MOST);
		else
			rc = instant_of(r, event, &m.local, m.tzid, &m.at);
		if (rc || m.at >= r->to)
			break;
		rc = add_instance(r, event, &m, length);
	}
	icalrecur_iterator_free(i);
	r->walked += any || ends_soon(r, &rule) ? 0 : VAIN_WALK;
	return rc || r->walked <= WALK_MOST ? rc : fail(r, event, "RRULE: too many rules that never come true");
}

/* A rule by every second or third week is one by days for each of its weekdays: libical miscounts such weeks. */
static int
walk_weeks(struct reading *r, icalcomponent *event, struct icalrecurrencetype rule, icaltimetype first,
    const struct moment *start, const struct length *length)
{
	const short none = ICAL_RECURRENCE_ARRAY_MAX;
	int wanted[7], n = 0, rc = 0, today = icaltime_day_of_week(first);
	int monday = rule.week_start ? (int)rule.week_start : ICAL_MONDAY_WEEKDAY;

	for (; n < 7 && rule.by_day[n] != none; n++)
		wanted[n] = (int)icalrecurrencetype_day_day_of_week(rule.by_day[n]);
	if (n == 0)
		wanted[n++] = today;
	if (n > 1 && rule.count)
		return fail(r, event, "RRULE: COUNT with INTERVAL and several days is not taken; want UNTIL");
	rule.by_day[0] = none;
	rule.freq = ICAL_DAILY_RECURRENCE;
	rule.interval = (short)(rule.interval * 7);
	for (int i = 0; i < n && !rc; i++) {
		icaltimetype begin = first;
		int ahead = (wanted[i] - monday + 7) % 7 - (today - monday + 7) % 7;
		icaltime_adjust(&begin, ahead < 0 ? ahead + rule.interval : ahead, 0, 0, 0);
		rc = walk(r, event, rule, begin, start, length);
	}
	return rc;
}

static int
expand_rule(
    struct reading *r, icalcomponent *event, icalproperty *p, const struct moment *start, const struct length *length)
{
	struct icalrecurrencetype rule = icalproperty_get_rrule(p);
	icaltimetype first = start->local;
	int rc = prepare_rule(r, event, start, &rule);

	if (rc)
		return rc;
	first.zone = NULL;
	return rule.freq == ICAL_WEEKLY_RECURRENCE && rule.interval > 1
		   ? walk_weeks(r, event, rule, first, start, length)
		   : walk(r, event, rule, first, start, length);
}

/* All instances that RDATE names. They are read before any is added: a component has but one place in its properties.
 */
static int
expand_dates(struct reading *r, icalcomponent *event, const struct length *length)
{
	int count = icalcomponent_count_properties(event, ICAL_RDATE_PROPERTY), n = 0, rc = 0;
	struct moment *dates = calloc(count > 0 ? (size_t)count : 1, sizeof *dates);

	if (!dates)
		return fail(r, NULL, "out of memory");
	for (icalproperty *p = icalcomponent_get_first_property(event, ICAL_RDATE_PROPERTY); p && !rc && n < count;
	     p = icalcomponent_get_next_property(event, ICAL_RDATE_PROPERTY))
		rc = read_moment(r, event, p, &dates[n++]);
	for (int i = 0; i < n && !rc; i++)
		rc = add_instance(r, event, &dates[i], length);
	free(dates);
	return rc;
}

static int
expand(struct reading *r, icalcomponent *event)
{
	struct moment start;
	struct length length;
	icalproperty *p = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);

	if (read_length(r, event, &start, &length))
		return -1;
	if (is_cancelled(event))
		return 0;
	if (icalcomponent_count_properties(event, ICAL_RRULE_PROPERTY) > 1)
		return fail(r, event, "more than one RRULE, want one");
	/* a DTSTART that is none of its rule's instances is none here either: RFC 5545 3.8.5.3 leaves that open */
	int rc = p ? expand_rule(r, event, p, &start, &length) : add_instance(r, event, &start, &length);
	return rc ? rc : expand_dates(r, event, &length);
}

/* ---- the file */

/* What libical could not read of an event, if it matters. */
static int
check_event(struct reading *r, icalcomponent *event)
{
	static const char *const matter[] = { "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE",
		"RECURRENCE-ID" };

	for (icalproperty *p = icalcomponent_get_first_property(event, ICAL_XLICERROR_PROPERTY); p;
	     p = icalcomponent_get_next_property(event, ICAL_XLICERROR_PROPERTY)) {
		const char *error = icalproperty_get_xlicerror(p);
		for (size_t i = 0; error && i < sizeof matter / sizeof *matter; i++)
			if (strstr(error, matter[i]))
				return fail(r, event, "%s cannot be read", matter[i]);
	}
	return 0;
}

/* Call `each` with every VEVENT, until it is not 0. */
static int
each_event(struct reading *r, int (*each)(struct reading *r, icalcomponent *event))
{
	int rc = 0;
	bool many = icalcomponent_isa(r->root) == ICAL_XROOT_COMPONENT;
	icalcompiter i =
	    icalcomponent_begin_component(r->root, many ? ICAL_VCALENDAR_COMPONENT : ICAL_VEVENT_COMPONENT);

	for (icalcomponent *c; !rc && (c = icalcompiter_deref(&i)); icalcompiter_next(&i)) {
		if (!many) {
			rc = each(r, c);
			continue;
		}
		icalcompiter k = icalcomponent_begin_component(c, ICAL_VEVENT_COMPONENT);
		for (icalcomponent *event; !rc && (event = icalcompiter_deref(&k)); icalcompiter_next(&k))
			rc = each(r, event);
	}
	return rc;
}

/* Note an event that stands for one broadcast. A master is noted too, at INT64_MIN: of two with the same UID the one
 * with the higher SEQUENCE counts, and of those the later one. */
static int
note(struct reading *r, icalcomponent *event)
{
	icalproperty *p = icalcomponent_get_first_property(event, ICAL_RECURRENCEID_PROPERTY);
	struct moment m = { .at = INT64_MIN };

	if (check_event(r, event))
		return -1;
	if (p && icalproperty_get_first_parameter(p, ICAL_RANGE_PARAMETER))
		return fail(
		    r, event, "RECURRENCE-ID with RANGE is not taken; end the rule with UNTIL and begin a new event");
	if (p && read_moment(r, event, p, &m))
		return -1;
	if (r->override_count == EVENTS_MOST)
		return fail(r, NULL, "more than %d events", EVENTS_MOST);
	r->overrides[r->override_count] = (struct override){ .uid = uid_hash(event),
		.instant = m.at,
		.event = event,
		.sequence = icalcomponent_get_sequence(event),
		.order = r->override_count };
	r->override_count++;
	return 0;
}

/* Of those that say the same, the one that counts. Without UID two of one title are two. */
static void
keep_newest(struct reading *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->override_count; i++) {
		struct override *o = &r->overrides[i], *last = n ? &r->overrides[n - 1] : NULL;
		bool apart = !last || by_instant(last, o) || (o->instant == INT64_MIN && !has_uid(o->event));
		if (apart)
			r->overrides[n++] = *o;
		else if (o->sequence >= last->sequence)
			*last = *o;
	}
	r->override_count = n;
}

static int
take(struct reading *r, const struct override *o)
{
	struct moment start;
	struct length length;
	int64_t end;

	if (o->instant == INT64_MIN)
		return expand(r, o->event);
	if (read_length(r, o->event, &start, &length) || end_of(r, o->event, &start, &length, &end))
		return -1;
	return is_cancelled(o->event) ? 0 : add_broadcast(r, o->event, o->instant, start.at, end);
}

static int
by_start(const void *a, const void *b)
{
	const struct programme *x = a, *y = b;
	return x->start.ns != y->start.ns ? (x->start.ns > y->start.ns) - (x->start.ns < y->start.ns)
					  : strcmp(x->id, y->id);
}

/* RDATE may name what the rule gives already. */
static void
drop_doubles(struct programmes *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (n == 0 || strcmp(p->list[n - 1].id, p->list[i].id)) {
			p->list[n++] = p->list[i];
			continue;
		}
		free(p->list[i].id);
		free(p->list[i].title);
		free(p->list[i].description);
		free(p->list[i].url);
	}
	p->count = n;
}

/* Is it fit to be parsed? */
static int
check_lines(struct reading *r, const char *text)
{
	size_t length = 0;
	int depth = 0;

	for (const char *s = text; *s;) {
		size_t n = strcspn(s, "\n");
		length = *s == ' ' || *s == '\t' ? length + n : n;
		depth += !strncasecmp(s, "BEGIN:", 6);
		depth -= !strncasecmp(s, "END:", 4);
		if (length > LINE_MOST)
			return fail(r, NULL, "a line is longer than %d bytes", LINE_MOST);
		if (depth > NESTED_MOST)
			return fail(r, NULL, "components lie in each other more than %d deep", NESTED_MOST);
		s += n + (s[n] == '\n');
	}
	return 0;
}

static int
read_calendar(struct reading *r)
{
	icalcomponent_kind kind = r->root ? icalcomponent_isa(r->root) : ICAL_NO_COMPONENT;

	if (kind != ICAL_XROOT_COMPONENT && kind != ICAL_VCALENDAR_COMPONENT)
		return fail(r, NULL, "not an iCalendar file: want BEGIN:VCALENDAR");
	if (each_event(r, note))
		return -1;
	if (r->override_count)
		qsort(r->overrides, r->override_count, sizeof *r->overrides, by_instant_and_order);
	keep_newest(r);
	for (size_t i = 0; i < r->override_count; i++)
		if (take(r, &r->overrides[i]))
			return -1;
	if (r->out->count)
		qsort(r->out->list, r->out->count, sizeof *r->out->list, by_start);
	drop_doubles(r->out);
	return 0;
}

int
programmes_parse(const char *text, size_t len, const char *zone, struct wall from, struct wall to,
    struct programmes **out, char why[static 160])
{
	struct reading r = { .from = from.ns / NS_PER_S, .to = to.ns / NS_PER_S, .why = why };
	int rc = -1;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	if (len > PROGRAMMES_FILE_MOST)
		return fail(&r, NULL, "more than %d bytes", PROGRAMMES_FILE_MOST);
	if (memchr(text, '\0', len))
		return fail(&r, NULL, "not an iCalendar file: it holds NUL bytes");
	icalerror_set_errors_are_fatal(0);
	char *copy = strndup(text, len);
	r.station = zone_new(zone);
	r.out = calloc(1, sizeof *r.out);
	r.overrides = malloc(EVENTS_MOST * sizeof *r.overrides);
	if (!copy || !r.station || !r.out || !r.overrides) {
		fail(&r, NULL, "out of memory");
		goto done;
	}
	atomic_init(&r.out->refs, 1);
	if (check_lines(&r, copy))
		goto done;
	r.root = icalparser_parse_string(copy);
	rc = read_calendar(&r);
done:
	if (r.root)
		icalcomponent_free(r.root);
	for (size_t i = 0; i < r.zone_count; i++)
		zone_free(&r.zones[i].zone);
	zone_free(&r.station);
	free(r.overrides);
	free(copy);
	if (rc)
		programmes_unref(&r.out);
	else
		*out = r.out;
	return rc;
}
