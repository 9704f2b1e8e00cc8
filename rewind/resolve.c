/* The rules of doc/time.md, one step a function: which parameters go together, what their words mean, where that lies
 * against what is kept. All of it is arithmetic on the grid. A step that finds a fault fills it in and ends the way. */
#include "rewind/resolve.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "rewind/layout.h"

#define RETRY_MOST 3600
#define CANONICAL_SIZE 17 /* "20261121T080000Z" */

#define INSTANT_WORDS                                                                                                  \
	"write an instant such as 2026-11-21T09:00:00Z, 2026-11-21T09:00, 09:00 or 9am (the station's time), -30m or " \
	"now"
#define DURATION_WORDS "write a duration such as 90m, 1h30m or 5400 (seconds)"

/* What was asked for, before anybody looks at what is kept. */
struct wish {
	const char *from_name, *end_name; /* the parameters that `from` and `end` come from */
	struct wall from, end;
	bool has_end;
	bool cut;   /* too long is not a fault: its end goes */
	bool fixed; /* the words mean the same later on */
};

static int fault(struct time_fault *out, unsigned status, const char *parameter, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static int
fault(struct time_fault *out, unsigned status, const char *parameter, const char *fmt, ...)
{
	va_list ap;

	out->status = status;
	out->parameter = parameter;
	out->retry_after_s = 0;
	va_start(ap, fmt);
	vsnprintf(out->detail, sizeof out->detail, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- the grid */

static int64_t
line_ns(uint32_t T)
{
	return T * NS_PER_S;
}

static uint64_t
floor_to_grid(struct wall w, uint32_t T)
{
	return (uint64_t)(w.ns / line_ns(T));
}

static int64_t
divide_up(int64_t n, int64_t by)
{
	return n / by + (n % by != 0);
}

static uint64_t
ceil_to_grid(struct wall w, uint32_t T)
{
	return (uint64_t)divide_up(w.ns, line_ns(T));
}

static uint64_t
most_segments(int64_t max_span_ns, uint32_t T)
{
	return max_span_ns > 0 ? (uint64_t)divide_up(max_span_ns, line_ns(T)) : 1;
}

/* 1970 to 2099, like all that is asked for: then no sum of it and of spans leaves 63 bits. */
static struct wall
bounded(struct wall w)
{
	struct instant i = { .kind = INSTANT_FIXED, .at = w };
	return instant_resolve(&i, w, NULL);
}

/* ---- which parameters go together */

static int
check_together(const struct time_request *r, struct time_fault *out)
{
	if (r->delay && (r->from || r->to || r->duration || r->programme))
		return fault(out, 400, "delay",
		    "delay stands alone: it is live radio, shifted; for a time in the past use from without it");
	if (r->programme && r->from)
		return fault(
		    out, 400, "programme", "programme and from both say where to begin: leave one of them out");
	if (r->to && r->duration)
		return fault(out, 400, "duration", "to and duration both say where to end: leave one of them out");
	if (r->to && !r->from && !r->programme)
		return fault(out, 400, "to", "to says where to end: say with from or programme where to begin");
	if (r->duration && !r->from && !r->programme)
		return fault(out, 400, "duration", "duration says how long: say with from or programme where to begin");
	return 0;
}

/* ---- what the words mean */

static int
read_instant(const char *text, const char *name, const struct time_facts *f, struct wall *at, bool *fixed,
    struct time_fault *out)
{
	struct instant i;

	if (instant_parse(text, &i))
		return fault(out, 400, name, "%s cannot be read: " INSTANT_WORDS, name);
	*at = instant_resolve(&i, f->now, f->zone);
	*fixed = *fixed && instant_is_fixed(&i);
	return 0;
}

/* One that is over has an end; one that lasts goes on, and will have one. */
static int
read_programme(const struct time_request *r, const struct time_facts *f, struct wish *w, struct time_fault *out)
{
	bool on_now = strcmp(r->programme, "now") == 0;

	if (!f->programmes)
		return fault(out, 404, "programme", "this station announces no programmes: use from");
	const struct programme *p =
	    on_now ? programmes_at(f->programmes, f->now) : programmes_find(f->programmes, r->programme);
	if (!p && on_now)
		return fault(out, 404, "programme", "no programme is on now: use from, or the id of a programme");
	if (!p)
		return fault(
		    out, 404, "programme", "there is no programme of this id: programmes.json lists those there are");
	w->from = bounded(p->start);
	w->from_name = "programme";
	w->fixed = !on_now;
	if (r->to || r->duration)
		return 0;
	if (p->end.ns <= f->now.ns) {
		w->end = bounded(p->end);
		w->end_name = "programme";
		w->has_end = true;
		w->cut = true;
	} else {
		w->fixed = false;
	}
	return 0;
}

static int
read_end(const struct time_request *r, const struct time_facts *f, struct wish *w, struct time_fault *out)
{
	int64_t ns;

	if (r->to) {
		if (read_instant(r->to, "to", f, &w->end, &w->fixed, out))
			return -1;
		w->end_name = "to";
	} else if (r->duration) {
		if (duration_parse(r->duration, false, &ns))
			return fault(out, 400, "duration", "duration cannot be read: " DURATION_WORDS);
		w->end.ns = w->from.ns + ns; /* 2100 and a hundred years are within 63 bits */
		w->end_name = "duration";
	}
	w->has_end = w->has_end || r->to || r->duration;
	return 0;
}

static int
read_wish(const struct time_request *r, const struct time_facts *f, struct wish *w, struct time_fault *out)
{
	*w = (struct wish){ .fixed = true, .from_name = "from" };
	int rc =
	    r->programme ? read_programme(r, f, w, out) : read_instant(r->from, "from", f, &w->from, &w->fixed, out);
	return rc ? rc : read_end(r, f, w, out);
}

static int
check_wish(const struct wish *w, const struct time_facts *f, uint64_t most, struct time_fault *out)
{
	if (w->has_end && w->end.ns <= w->from.ns && !w->cut)
		return fault(out, 400, w->end_name,
		    "this is not after the beginning (a time of day alone is the latest that is past): give both a "
		    "date, "
		    "or use duration");
	if (w->has_end && !w->cut && divide_up(w->end.ns - w->from.ns, line_ns(f->T)) > (int64_t)most)
		return fault(out, 400, w->end_name,
		    "the span is too long: at most %" PRIu64 " s (max_span) can be had at once", most * f->T);
	if (w->from.ns > f->now.ns) {
		int64_t wait = divide_up(w->from.ns - f->now.ns, NS_PER_S) + f->T;
		fault(out, 404, w->from_name, "this is yet to come: ask again when it has begun");
		out->retry_after_s = wait < RETRY_MOST ? wait : RETRY_MOST;
		return -1;
	}
	return 0;
}

/* ---- where it lies against what is kept */

static int
check_stored(const struct time_facts *f, struct time_fault *out)
{
	if (f->oldest.ns > 0 && f->newest_end.ns > 0)
		return 0;
	fault(out, 404, NULL, "nothing has been recorded yet: ask again soon");
	out->retry_after_s = f->T;
	return -1;
}

static int
gone(const struct time_facts *f, const char *parameter, struct time_fault *out)
{
	char oldest[WALL_TEXT_SIZE];

	return fault(out, 410, parameter, "this is no longer kept: the oldest that is begins at %s",
	    wall_format(f->oldest, oldest));
}

static int
resolve_delay(const struct time_request *r, const struct time_facts *f, struct time_span *span, struct time_fault *out)
{
	int64_t ns;

	if (duration_parse(r->delay, true, &ns))
		return fault(out, 400, "delay", "delay cannot be read: " DURATION_WORDS);
	if (check_stored(f, out))
		return -1;
	ns = divide_up(ns, line_ns(f->T)) * line_ns(f->T);
	if (ns > 0 && f->now.ns - ns < f->oldest.ns)
		return gone(f, "delay", out);
	*span = (struct time_span){ .kind = TIME_DELAY, .delay_s = ns / NS_PER_S, .fixed = true };
	return 0;
}

static int
place(const struct wish *w, const struct time_facts *f, uint64_t most, struct time_span *span, struct time_fault *out)
{
	/* the first sample lies within half a frame of its grid line: the nearest line is its number */
	uint64_t oldest = layout_msn(f->oldest, line_ns(f->T), f->T);
	uint64_t newest = floor_to_grid(f->newest_end, f->T);
	struct time_span s = { .kind = w->has_end ? TIME_SPAN : TIME_FROM, .asked = w->from };

	newest = newest > oldest ? newest - 1 : oldest;
	s.first = floor_to_grid(w->from, f->T);
	s.end = w->has_end ? ceil_to_grid(w->end, f->T) : s.first + most;
	if (s.end <= s.first) /* a programme without length */
		s.end = s.first + 1;
	if (s.end - s.first > most)
		s.end = s.first + most;
	if (s.end <= oldest)
		return gone(f, w->from_name, out);
	s.clamped = s.first < oldest || s.first > newest;
	if (s.clamped)
		s.first = s.first < oldest ? oldest : newest;
	if (s.kind == TIME_FROM || s.end - s.first > most)
		s.end = s.first + most;
	if (!s.clamped)
		s.asked = (struct wall){ 0 };
	s.fixed = w->fixed && !s.clamped;
	*span = s;
	return 0;
}

int
time_resolve(
    const struct time_request *r, const struct time_facts *facts, struct time_span *span, struct time_fault *out)
{
	struct time_facts f = *facts;
	struct wish w;

	CHECK(f.T > 0);
	uint64_t most = most_segments(f.max_span_ns, f.T);
	f.now = bounded(f.now);
	f.oldest = bounded(f.oldest);
	f.newest_end = bounded(f.newest_end);
	if (check_together(r, out))
		return -1;
	if (r->delay)
		return resolve_delay(r, &f, span, out);
	if (!r->from && !r->programme) {
		*span = (struct time_span){ .kind = TIME_LIVE, .fixed = true };
		return 0;
	}
	if (read_wish(r, &f, &w, out) || check_wish(&w, &f, most, out) || check_stored(&f, out))
		return -1;
	return place(&w, &f, most, span, out);
}

/* ---- the canonical form */

static void
add_grid_time(struct text *out, const char *name, uint64_t msn, uint32_t T)
{
	char text[CANONICAL_SIZE];
	time_t seconds = layout_grid(msn, T).ns / NS_PER_S;
	struct tm tm;

	CHECK(gmtime_r(&seconds, &tm));
	strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &tm);
	text_fmt(out, "%s=%s", name, text);
}

void
time_span_query(struct text *out, const struct time_span *s, uint32_t T)
{
	switch (s->kind) {
	case TIME_LIVE:
		break;
	case TIME_DELAY:
		text_fmt(out, "delay=%" PRId64, s->delay_s);
		break;
	case TIME_FROM:
		add_grid_time(out, "from", s->first, T);
		break;
	case TIME_SPAN:
		add_grid_time(out, "from", s->first, T);
		add_grid_time(out, "&to", s->end, T);
		break;
	}
}

static bool
is_digits(const char *s, size_t n)
{
	return strspn(s, "0123456789") >= n;
}

/* "20261121T080000Z" on the grid. */
static bool
canonical_instant(const char *text, uint32_t T, uint64_t *msn)
{
	struct wall w;

	if (strlen(text) != CANONICAL_SIZE - 1 || !is_digits(text, 8) || text[8] != 'T' || !is_digits(text + 9, 6) ||
	    text[15] != 'Z' || wall_parse(text, &w) || w.ns % line_ns(T) != 0)
		return false;
	*msn = floor_to_grid(w, T);
	return true;
}

static bool
canonical_delay(const char *text, uint32_t T, int64_t *seconds)
{
	int64_t ns;

	if (!is_digits(text, strlen(text)) || (text[0] == '0' && text[1] != '\0') || duration_parse(text, true, &ns) ||
	    ns % line_ns(T) != 0)
		return false;
	*seconds = ns / NS_PER_S;
	return true;
}

bool
time_canonical(const struct time_request *r, uint32_t T, int64_t max_span_ns, struct time_span *span)
{
	struct time_span s = { .kind = TIME_LIVE, .fixed = true };
	uint64_t most = most_segments(max_span_ns, T);

	if (r->duration || r->programme)
		return false;
	if (r->delay) {
		s.kind = TIME_DELAY;
		if (r->from || r->to || !canonical_delay(r->delay, T, &s.delay_s))
			return false;
	} else if (r->from) {
		s.kind = r->to ? TIME_SPAN : TIME_FROM;
		if (!canonical_instant(r->from, T, &s.first))
			return false;
		s.end = s.first + most;
		if (r->to && (!canonical_instant(r->to, T, &s.end) || s.end <= s.first || s.end - s.first > most))
			return false;
	} else if (r->to) {
		return false;
	}
	*span = s;
	return true;
}
