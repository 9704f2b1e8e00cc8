/* Reading the hour file. The text is untrusted: whatever is not exactly what hour_write.c makes is refused. */
#include "rewind/hour.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is left of a line, and whether all of it was as it must be so far. */
struct scan {
	const char *p, *end;
	bool bad;
};

struct reader {
	const char *at, *end;
	unsigned line; /* of `at`, from 1 */
	size_t entries_room, formats_room, runs_room;
	struct hour h;
	char hour[LAYOUT_NAME_SIZE]; /* its name */
	int format;                  /* index of the latest FORMAT line, -1: none yet */
	char *why;
};

/* bytes of an entry: a date, a gap or a segment, EXTINF, a name */
#define ENTRY_LEAST 100

enum result { OK, MORE, FAULT, NOMEM };

static enum result fault(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static enum result
fault(struct reader *r, const char *fmt, ...)
{
	int n = snprintf(r->why, 128, "line %u: ", r->line);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->why + n, (size_t)(128 - n), fmt, ap);
	va_end(ap);
	return FAULT;
}

static enum result
out_of_memory(struct reader *r)
{
	fault(r, "out of memory");
	return NOMEM;
}

/* The next line that has an end, without it; *s untouched when there is none. */
static bool
peek_line(const struct reader *r, struct scan *s)
{
	const char *nl = r->at < r->end ? memchr(r->at, '\n', (size_t)(r->end - r->at)) : NULL;
	if (!nl)
		return false;
	*s = (struct scan){ r->at, nl, false };
	return true;
}

static void
next_line(struct reader *r, const struct scan *s)
{
	r->at = s->end + 1;
	r->line++;
}

static bool
scan_done(const struct scan *s)
{
	return !s->bad && s->p == s->end;
}

static void
scan_text(struct scan *s, const char *want)
{
	size_t n = strlen(want);
	if (s->bad || (size_t)(s->end - s->p) < n || memcmp(s->p, want, n) != 0)
		s->bad = true;
	else
		s->p += n;
}

static bool
scan_if(struct scan *s, const char *want)
{
	struct scan copy = *s;
	scan_text(&copy, want);
	if (!copy.bad)
		*s = copy;
	return !copy.bad;
}

/* A decimal number up to `most`, without leading zeros. */
static uint64_t
scan_number(struct scan *s, uint64_t most)
{
	uint64_t v = 0;
	const char *from = s->p;
	for (; !s->bad && s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
		uint64_t d = (uint64_t)(*s->p - '0');
		if ((v == 0 && s->p > from) || d > most || v > (most - d) / 10)
			s->bad = true;
		v = v * 10 + d;
	}
	if (s->p == from)
		s->bad = true;
	return s->bad ? 0 : v;
}

/* Exactly `n` digits to base 10 or 16 (lower case). */
static uint64_t
scan_digits(struct scan *s, unsigned n, unsigned base)
{
	static const char digit[] = "0123456789abcdef";
	uint64_t v = 0;
	for (; n > 0 && !s->bad; n--, s->p++) {
		const char *d = s->p < s->end ? memchr(digit, *s->p, base) : NULL;
		if (!d) {
			s->bad = true;
			return 0;
		}
		v = v * base + (uint64_t)(d - digit);
	}
	return v;
}

/* "key=N" */
static uint64_t
scan_field(struct scan *s, const char *key, uint64_t most)
{
	scan_text(s, key);
	return scan_number(s, most);
}

/* One line of the head: `tag` and a number. */
static enum result
head_line(struct reader *r, const char *tag, uint64_t most, uint64_t *value)
{
	struct scan s;
	if (!peek_line(r, &s))
		return fault(r, "the head is not complete");
	scan_text(&s, tag);
	if (value)
		*value = scan_number(&s, most);
	if (!scan_done(&s))
		return fault(r, "want %s", tag);
	next_line(r, &s);
	return OK;
}

static enum result
read_head(struct reader *r)
{
	uint64_t target, first, sequence, T;
	if (head_line(r, "#EXTM3U", 0, NULL) || head_line(r, "#EXT-X-VERSION:3", 0, NULL) ||
	    head_line(r, "#EXT-X-TARGETDURATION:", 3600, &target) ||
	    head_line(r, "#EXT-X-MEDIA-SEQUENCE:", UINT64_MAX / 3600, &first) ||
	    head_line(r, "#EXT-X-DISCONTINUITY-SEQUENCE:", INT64_MAX, &sequence) ||
	    head_line(r, "#HINDCAST-HOUR:version=1,segment=", 3600, &T))
		return FAULT;
	if (T < 2 || 3600 % T != 0 || target != T)
		return fault(r, "segment=%" PRIu64 " is not a duration, or TARGETDURATION differs", T);
	uint64_t hour = layout_hour(first, (uint32_t)T);
	uint64_t again;
	if (layout_hour_first(hour, (uint32_t)T) != first ||
	    layout_parse_hour_dir(layout_hour_name(hour, r->hour), &again) || again != hour)
		return fault(r, "MEDIA-SEQUENCE does not begin an hour");
	r->h.first_msn = first;
	r->h.segment = (uint32_t)T;
	r->h.discontinuity_sequence = sequence;
	return OK;
}

static const struct {
	const char *text;
	enum codec codec;
	enum aac_profile profile;
} codecs[] = {
	{ "mp4a.40.29", CODEC_AAC, AAC_HE_V2 },
	{ "mp4a.40.2", CODEC_AAC, AAC_LC },
	{ "mp4a.40.5", CODEC_AAC, AAC_HE },
	{ "mp4a.40.34", CODEC_MP3, AAC_LC },
};

/* "codecs=mp4a.40.2,header=fff15080,rate=44100,channels=2" */
static void
scan_format(struct scan *s, struct audio_format *f)
{
	*f = (struct audio_format){ 0 };
	scan_text(s, "codecs=");
	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0] && f->codec == CODEC_NONE; i++) {
		if (!scan_if(s, codecs[i].text))
			continue;
		f->codec = codecs[i].codec;
		f->profile = codecs[i].profile;
	}
	scan_text(s, ",header=");
	uint64_t header = scan_digits(s, 8, 16);
	for (int i = 0; i < 4; i++)
		f->header[i] = (uint8_t)(header >> (24 - 8 * i));
	f->rate = (uint32_t)scan_field(s, ",rate=", 384000);
	f->channels = (uint8_t)scan_field(s, ",channels=", 8);
	if (f->codec == CODEC_NONE || f->rate == 0 || f->channels == 0)
		s->bad = true;
}

/* Room for one more in an array that doubles. */
static void *
grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	size_t more = *room ? *room * 2 : 16;
	void *bigger = realloc(array, more * size);
	if (bigger)
		*room = more;
	return bigger;
}

static enum result
take_format(struct reader *r, const struct audio_format *f)
{
	struct hour *h = &r->h;
	for (size_t i = 0; i < h->format_count; i++) {
		if (audio_format_equal(&h->formats[i], f)) {
			r->format = (int)i;
			return OK;
		}
	}
	if (h->format_count == HOUR_FORMATS_MAX)
		return fault(r, "more than %d formats", HOUR_FORMATS_MAX);
	void *formats = grow(h->formats, h->format_count, &r->formats_room, sizeof *h->formats);
	if (!formats)
		return out_of_memory(r);
	h->formats = formats;
	r->format = (int)h->format_count;
	h->formats[h->format_count++] = *f;
	return OK;
}

/* If the next line begins with `tag`: *s is what follows it, and OK; FAULT when it does not; MORE without a line. */
static enum result
peek_tag(const struct reader *r, const char *tag, struct scan *s)
{
	if (!peek_line(r, s))
		return MORE;
	return scan_if(s, tag) ? OK : FAULT;
}

static enum result
read_format(struct reader *r)
{
	struct scan s;
	struct audio_format f;
	enum result rc = peek_tag(r, "#HINDCAST-FORMAT:", &s);
	if (rc != OK)
		return rc == MORE ? MORE : OK;
	scan_format(&s, &f);
	if (!scan_done(&s))
		return fault(r, "unreadable HINDCAST-FORMAT");
	rc = take_format(r, &f);
	if (rc == OK)
		next_line(r, &s);
	return rc;
}

/* "id=…,wall=…", again for each further run */
static void
scan_runs(struct scan *s, struct hour_runs *runs)
{
	*runs = (struct hour_runs){ 0 };
	do {
		if (runs->count == HOUR_RUNS) {
			s->bad = true;
			return;
		}
		scan_text(s, runs->count ? ",id=" : "id=");
		for (unsigned i = 0; i < HOUR_RUN_ID; i++)
			runs->run[runs->count].id[i] = (uint8_t)scan_digits(s, 2, 16);
		scan_text(s, ",wall=");
		bool minus = scan_if(s, "-");
		int64_t wall = (int64_t)scan_number(s, INT64_MAX);
		if (minus && wall == 0)
			s->bad = true;
		runs->run[runs->count++].offset_ns = minus ? -wall : wall;
	} while (!s->bad && s->p < s->end);
}

static enum result
read_runs(struct reader *r)
{
	struct scan s;
	struct hour *h = &r->h;
	enum result rc = peek_tag(r, "#HINDCAST-RUN:", &s);
	if (rc != OK)
		return rc == MORE ? MORE : OK;
	struct hour_runs runs;
	scan_runs(&s, &runs);
	if (!scan_done(&s) || h->runs_count == HOUR_ENTRIES_MAX)
		return fault(r, "unreadable HINDCAST-RUN, or too many");
	struct hour_runs *more = grow(h->runs, h->runs_count, &r->runs_room, sizeof *more);
	if (!more)
		return out_of_memory(r);
	h->runs = more;
	h->runs[h->runs_count++] = runs;
	next_line(r, &s);
	return OK;
}

static enum result
read_discontinuity(struct reader *r, struct hour_entry *e)
{
	struct scan s;
	enum result rc = peek_tag(r, "#EXT-X-DISCONTINUITY", &s);
	if (rc != OK)
		return rc == MORE ? MORE : OK;
	if (!scan_done(&s))
		return fault(r, "want EXT-X-DISCONTINUITY alone");
	e->discontinuity = true;
	next_line(r, &s);
	return OK;
}

/* "2026-11-21T09:00:06.004Z" in the hour of the file, which nearly all are: without a look at the calendar. */
static bool
scan_date_in_hour(const struct reader *r, const char *date, struct wall *w)
{
	const char *h = r->hour;
	struct scan s = { date + 13, date + 24, false };
	if (memcmp(date, h, 4) || date[4] != '-' || memcmp(date + 5, h + 4, 2) || date[7] != '-' ||
	    memcmp(date + 8, h + 6, 5))
		return false;
	scan_text(&s, ":");
	uint64_t minute = scan_digits(&s, 2, 10);
	scan_text(&s, ":");
	uint64_t second = scan_digits(&s, 2, 10);
	scan_text(&s, ".");
	uint64_t ms = scan_digits(&s, 3, 10);
	scan_text(&s, "Z");
	if (!scan_done(&s) || minute > 59 || second > 59)
		return false;
	uint64_t hour = layout_hour(r->h.first_msn, r->h.segment);
	w->ns = (int64_t)(((hour * 60 + minute) * 60 + second) * 1000 + ms) * NS_PER_MS;
	return true;
}

static enum result
read_date(struct reader *r, struct hour_entry *e)
{
	struct scan s;
	enum result rc = peek_tag(r, "#EXT-X-PROGRAM-DATE-TIME:", &s);
	if (rc == MORE)
		return MORE;
	char date[25] = "";
	if (rc == OK && s.end - s.p == 24)
		memcpy(date, s.p, 24);
	if (!scan_date_in_hour(r, date, &e->start) &&
	    (date[23] != 'Z' || date[19] != '.' || wall_parse(date, &e->start) || e->start.ns < 0))
		return fault(r, "want EXT-X-PROGRAM-DATE-TIME:YYYY-MM-DDThh:mm:ss.mmmZ");
	next_line(r, &s);
	return OK;
}

static void
scan_segment(struct scan *s, struct hour_entry *e)
{
	e->bytes = scan_field(s, "bytes=", HOUR_BYTES_MAX);
	e->audio_bytes = scan_field(s, ",audio=", HOUR_BYTES_MAX);
	e->frames = scan_field(s, ",frames=", HOUR_BYTES_MAX);
	e->samples = scan_field(s, ",samples=", HOUR_BYTES_MAX);
	scan_text(s, ",xxh64=");
	e->xxh64 = scan_digits(s, 16, 16);
	e->anchor.t = scan_field(s, ",anchor=", TICKS_MASK);
	e->sample = scan_field(s, ",sample=", INT64_MAX);
	e->fill = scan_field(s, ",fill=", HOUR_BYTES_MAX);
	e->pending = scan_if(s, ",pending=1");
}

static enum result
read_segment(struct reader *r, struct hour_entry *e)
{
	struct scan s;
	enum result rc = peek_tag(r, "#EXT-X-GAP", &s);
	if (rc == MORE)
		return MORE;
	if (rc == OK) {
		e->gap = true;
	} else if (scan_if(&s, "#HINDCAST-SEGMENT:")) {
		if (r->format < 0)
			return fault(r, "HINDCAST-SEGMENT before any HINDCAST-FORMAT");
		e->format = (uint16_t)r->format;
		e->runs = (uint16_t)r->h.runs_count;
		scan_segment(&s, e);
	} else {
		s.bad = true;
	}
	if (!scan_done(&s))
		return fault(r, "want EXT-X-GAP or a readable HINDCAST-SEGMENT");
	next_line(r, &s);
	return OK;
}

static enum result
read_duration(struct reader *r, struct hour_entry *e)
{
	struct scan s;
	enum result rc = peek_tag(r, "#EXTINF:", &s);
	if (rc == MORE)
		return MORE;
	s.bad = rc != OK;
	uint64_t seconds = scan_number(&s, r->h.segment < 2000 ? 2 * r->h.segment : UINT32_MAX / 1000000 - 1);
	scan_text(&s, ".");
	e->duration_us = (uint32_t)(seconds * 1000000 + scan_digits(&s, 6, 10));
	scan_text(&s, ",");
	if (!scan_done(&s) || (e->gap && e->duration_us != r->h.segment * 1000000))
		return fault(r, "want EXTINF:S.UUUUUU, and of a gap the segment duration");
	next_line(r, &s);
	return OK;
}

static enum result
read_uri(struct reader *r, struct hour_entry *e)
{
	struct scan s;
	if (!peek_line(r, &s))
		return MORE;
	char want[LAYOUT_NAME_SIZE];
	for (e->kind = LAYOUT_TS;; e->kind++) {
		struct scan copy = s;
		scan_text(&copy, layout_segment_path_in(r->hour, e->msn, r->h.segment, e->kind, want));
		if (scan_done(&copy))
			break;
		if (e->kind == LAYOUT_MP3)
			return fault(r, "want the name of segment %" PRIu64 " like %s", e->msn, want);
	}
	next_line(r, &s);
	return OK;
}

/* One entry at `msn`. MORE: the text ends in it. Only when OK has the reader moved. */
static enum result
read_entry(struct reader *r, uint64_t msn, struct hour_entry *out)
{
	struct reader at = *r;
	struct hour_entry e = { .msn = msn };
	enum result rc = OK;
	if ((rc = read_format(&at)) || (rc = read_runs(&at)) || (rc = read_discontinuity(&at, &e)) ||
	    (rc = read_date(&at, &e)) || (rc = read_segment(&at, &e)) || (rc = read_duration(&at, &e)) ||
	    (rc = read_uri(&at, &e))) {
		/* the arrays may have moved, and what a torn entry brought into them is not wanted */
		r->h.formats = at.h.formats;
		r->formats_room = at.formats_room;
		r->h.runs = at.h.runs;
		r->runs_room = at.runs_room;
		return rc;
	}
	e.discontinuity_sequence = e.discontinuity;
	*r = at;
	*out = e;
	return OK;
}

/* "peak=131248,mean=130004,bytes=58372432,duration_us=3592004626" and the lines' ends. */
static enum result
read_tail(struct reader *r)
{
	struct scan s;
	enum result rc = peek_tag(r, "#HINDCAST-RATE:", &s);
	if (rc != OK)
		return rc;
	struct hour_rate rate = { 0 };
	rate.peak = (uint32_t)scan_field(&s, "peak=", UINT32_MAX);
	scan_field(&s, ",mean=", UINT32_MAX);
	rate.bytes = scan_field(&s, ",bytes=", HOUR_ENTRIES_MAX * HOUR_BYTES_MAX);
	rate.duration_us = scan_field(&s, ",duration_us=", UINT64_C(2) * 3600 * 1000000);
	if (!scan_done(&s))
		return fault(r, "unreadable HINDCAST-RATE");
	struct reader at = *r;
	next_line(&at, &s);
	if ((rc = peek_tag(&at, "#EXT-X-ENDLIST", &s)) == MORE)
		return MORE;
	if (rc != OK || !scan_done(&s))
		return fault(&at, "want EXT-X-ENDLIST");
	next_line(&at, &s);
	if (at.at != at.end)
		return fault(&at, "something follows EXT-X-ENDLIST");
	*r = at;
	r->h.rate = rate;
	r->h.ended = true;
	return OK;
}

/* Whether a complete entry's name stands somewhere behind: then a fault is no torn tail. */
static bool
names_follow(const struct reader *r)
{
	struct reader at = *r;
	struct scan s;
	for (; peek_line(&at, &s); next_line(&at, &s)) {
		char path[LAYOUT_NAME_SIZE], *slash;
		size_t n = (size_t)(s.end - s.p);
		struct wall grid;
		enum layout_kind kind;
		if (n == 0 || n >= sizeof path)
			continue;
		memcpy(path, s.p, n);
		path[n] = '\0';
		if ((slash = strchr(path, '/')) && layout_parse_segment(slash + 1, &grid, &kind) == 0)
			return true;
	}
	return false;
}

static enum result
add_entry(struct reader *r, struct hour_entry *e)
{
	struct hour *h = &r->h;
	void *entries = grow(h->entries, h->count, &r->entries_room, sizeof *h->entries);
	if (!entries)
		return out_of_memory(r);
	h->entries = entries;
	uint64_t before = h->count ? h->entries[h->count - 1].discontinuity_sequence : h->discontinuity_sequence;
	e->discontinuity_sequence += before;
	h->entries[h->count++] = *e;
	return OK;
}

/* Entries and, when there is one, the tail. */
static enum result
read_body(struct reader *r, const char *text)
{
	struct hour *h = &r->h;
	const size_t full = 3600 / h->segment;
	enum result rc = OK;
	h->complete = (size_t)(r->at - text);
	/* room for a whole hour at once, if there is one: no entry has fewer bytes */
	r->entries_room = (size_t)(r->end - r->at) / ENTRY_LEAST < full ? 16 : full;
	h->entries = malloc(r->entries_room * sizeof *h->entries);
	if (!h->entries)
		return out_of_memory(r);
	while (rc == OK && !h->ended && r->at < r->end) {
		struct hour_entry e;
		struct scan s;
		if (h->count == full || peek_tag(r, "#HINDCAST-RATE:", &s) == OK)
			rc = h->count == full ? read_tail(r)
					      : fault(r, "the hour ends after %zu of %zu entries", h->count, full);
		else if ((rc = read_entry(r, h->first_msn + h->count, &e)) == OK)
			rc = add_entry(r, &e);
		if (rc == OK)
			h->complete = (size_t)(r->at - text);
	}
	if (rc == NOMEM || (rc == FAULT && names_follow(r)))
		return rc;
	return OK;
}

int
hour_parse(const char *text, size_t len, struct hour *h, char why[static 128])
{
	struct reader r = { .at = text, .end = text + len, .line = 1, .format = -1, .why = why };
	if (len > HOUR_FILE_MAX) {
		fault(&r, "more than %u bytes", HOUR_FILE_MAX);
		return -1;
	}
	if (read_head(&r) || read_body(&r, text)) {
		hour_free(&r.h);
		return -1;
	}
	*h = r.h;
	return 0;
}

void
hour_free(struct hour *h)
{
	free(h->formats);
	free(h->runs);
	free(h->entries);
	*h = (struct hour){ 0 };
}

int
hour_parse_entry(const char *text, size_t len, uint64_t msn, uint32_t T, struct hour_entry *e,
    struct audio_format *format, struct hour_runs *runs, char why[static 128])
{
	struct reader r = {
		.at = text, .end = text + len, .line = 1, .format = -1, .why = why, .h.segment = T, .h.first_msn = msn
	};
	layout_hour_name(layout_hour(msn, T), r.hour);
	enum result rc = read_entry(&r, msn, e);
	if (rc == MORE)
		fault(&r, "the entry is not complete");
	if (rc == OK && r.format >= 0)
		*format = r.h.formats[r.format];
	if (rc == OK && r.h.runs_count)
		*runs = r.h.runs[r.h.runs_count - 1];
	free(r.h.formats);
	free(r.h.runs);
	return rc == OK ? 0 : -1;
}

int
hour_parse_tail(const char *end, size_t len, struct hour_rate *rate)
{
	static const char tag[] = "\n#HINDCAST-RATE:";
	char why[128];
	const char *at = len ? memmem(end, len, tag, sizeof tag - 1) : NULL;
	if (!at)
		return -1;
	struct reader r = { .at = at + 1, .end = end + len, .line = 1, .why = why };
	if (read_tail(&r) != OK)
		return -1;
	*rate = r.h.rate;
	return 0;
}
