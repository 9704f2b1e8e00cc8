/* Reading a span: hours, entries, segments, frames. */
#include "rewind/excerpt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/text.h"
#include "media/adts.h"
#include "media/framer.h"
#include "media/mpa.h"
#include "rewind/store_rendition.h"

#define HOUR_NS (3600 * NS_PER_S)

struct walk {
	struct excerpt *x;
	int (*each)(void *ctx, const struct excerpt_segment *segment);
	void *ctx;
	struct text file, frames;
	struct wall covered;                             /* up to here there is media, or a hole that was told */
	bool any;                                        /* a segment was given: */
	uint64_t msn;                                    /* its number, */
	int64_t frame_ns;                                /* and how long its frames last */
	char why[sizeof((struct excerpt_hole *)0)->why]; /* the first fault since `covered` */
};

static void fault(struct walk *w, const char *file, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
fault(struct walk *w, const char *file, const char *fmt, ...)
{
	if (*w->why)
		return;
	va_list ap;
	int n = snprintf(w->why, sizeof w->why, "%s: ", file);
	va_start(ap, fmt);
	vsnprintf(w->why + n, sizeof w->why - (size_t)n, fmt, ap);
	va_end(ap);
}

/* Media begins or ends at `at`: a hole, if that is later than `covered` by more than `slack`. */
static bool
hole_before(struct walk *w, struct wall at, int64_t slack)
{
	struct excerpt *x = w->x;
	bool hole = at.ns - w->covered.ns > slack;
	if (hole) {
		if (x->hole_count < EXCERPT_HOLES) {
			struct excerpt_hole *h = &x->holes[x->hole_count];
			*h = (struct excerpt_hole){ .from = w->covered, .to = at };
			memcpy(h->why, w->why, sizeof h->why);
		}
		x->hole_count++;
		x->hole_ns += at.ns - w->covered.ns;
	}
	*w->why = '\0';
	return hole;
}

/* --- the frames of a segment --- */

struct choice {
	const struct excerpt *x;
	const struct hour_entry *e;
	const struct audio_format *format;
	struct text *out; /* NULL: only count */
	uint8_t silence[FRAMER_SILENCE_MAX];
	uint32_t silence_len;   /* 0: none can be told */
	uint64_t before;        /* samples before the frame at hand */
	uint64_t from, to;      /* samples of the segment before and after the chosen frames */
	uint64_t last;          /* samples before the last of them */
	uint64_t frames, bytes; /* chosen */
	uint64_t silent;        /* of them */
};

/* Where `halves` half samples of a segment end. The entry's start is cut to the millisecond, and the segment that a
 * frame lies in says to which side of a grid line its middle belongs: where that is as near, the segment is right. */
static int64_t
halfway(const struct excerpt *x, const struct hour_entry *e, uint64_t halves, uint32_t rate)
{
	int64_t line = layout_grid(e->msn, x->T).ns, next = layout_grid(e->msn + 1, x->T).ns;
	int64_t at = e->start.ns + (int64_t)((unsigned __int128)halves * NS_PER_S / (2 * (uint64_t)rate));
	if (at < line && line - at < NS_PER_MS)
		return line;
	return at >= next && at - next < NS_PER_MS ? next - 1 : at;
}

static uint32_t
frame_samples(enum codec codec, const uint8_t *frame)
{
	struct adts a;
	struct mpa m;
	if (codec == CODEC_AAC)
		return adts_parse(frame, &a) == 0 ? a.blocks * ADTS_BLOCK_SAMPLES : 0;
	return mpa_parse(frame, &m) == 0 ? m.samples : 0;
}

static void
choose(void *ctx, const uint8_t *frame, size_t len)
{
	struct choice *c = ctx;
	uint32_t samples = frame_samples(c->format->codec, frame);
	int64_t at = halfway(c->x, c->e, 2 * c->before + samples, c->format->rate);
	bool chosen = c->x->whole || (at >= c->x->from.ns && at < c->x->to.ns);
	if (chosen) {
		if (c->frames++ == 0)
			c->from = c->before;
		c->last = c->before;
		c->to = c->before + samples;
		c->bytes += len;
		c->silent += len == c->silence_len && memcmp(frame, c->silence, len) == 0;
		if (c->out)
			text_add(c->out, frame, len);
	}
	c->before += samples;
}

/* Read a segment's file and its frames; false after saying what is wrong with it. */
static bool
read_segment(struct walk *w, const char *path, const struct hour_entry *e, struct choice *c)
{
	struct segment_facts facts = { 0 };
	text_clear(&w->file);
	text_clear(&w->frames);
	int rc = e->bytes <= EXCERPT_SEGMENT_MAX ? file_read(w->x->dir, path, &w->file) : -EFBIG;
	const char *data = w->file.data ? w->file.data : "";
	if (rc < 0)
		fault(w, path, "cannot be read: %s", strerror(-rc));
	else if (w->file.len != e->bytes || XXH64(data, w->file.len, 0) != e->xxh64)
		fault(w, path, "is not what its entry says");
	else if (segment_read((const uint8_t *)data, w->file.len, e->kind == LAYOUT_TS, e->msn, &facts, choose, c) < 0)
		fault(w, path, "%s", facts.why);
	else if (facts.format.codec != c->format->codec || facts.format.rate != c->format->rate ||
		 facts.frames != e->frames || facts.samples != e->samples)
		fault(w, path, "does not hold what its entry says");
	else if (w->frames.full)
		fault(w, path, "%s", strerror(ENOMEM));
	else
		return true;
	return false;
}

/* --- entries --- */

static struct wall
after(const struct hour_entry *e, uint64_t samples, uint32_t rate)
{
	return (struct wall){ e->start.ns + samples_to_ns(samples, rate) };
}

/* May a frame of it be in the span? What is said of a segment must matter, so this is exact where frames are of one
 * length. */
static bool
touches(const struct excerpt *x, const struct hour_entry *e, const struct audio_format *format)
{
	if (x->whole)
		return layout_grid(e->msn, x->T).ns >= x->from.ns && layout_grid(e->msn, x->T).ns < x->to.ns;
	uint64_t frame = e->frames && e->samples % e->frames == 0 ? e->samples / e->frames : 0;
	return halfway(x, e, 2 * e->samples - frame, format->rate) >= x->from.ns &&
	       halfway(x, e, frame, format->rate) < x->to.ns;
}

static void
count(struct excerpt *x, const struct hour_entry *e, const struct choice *c, size_t file_len)
{
	struct wall first = after(e, c->from, c->format->rate);
	uint32_t seconds = (e->duration_us + 500000) / 1000000;
	/* of a segment that is taken in part the entry says only how much fill it has, not where */
	uint64_t fill = c->frames == e->frames || e->fill < c->silent ? e->fill : c->silent;
	if (x->segments++ == 0) {
		x->first = first;
		x->format = *c->format;
		x->independent = true;
	}
	if (!x->changes && !audio_format_equal(&x->format, c->format)) {
		x->changes = true;
		x->change = first;
		x->other = *c->format;
	}
	x->independent = x->independent && c->format->codec == CODEC_AAC;
	x->target = seconds > x->target ? seconds : x->target;
	x->last = after(e, c->last, c->format->rate);
	x->frames += c->frames;
	x->bytes += x->whole ? file_len : c->bytes;
	x->fill += fill;
	x->duration_ns += samples_to_ns(c->to - c->from, c->format->rate);
	x->fill_ns += samples_to_ns(fill * (e->samples / e->frames), c->format->rate);
}

static int
take_entry(struct walk *w, const struct hour_entry *e, const struct audio_format *format)
{
	struct excerpt *x = w->x;
	struct choice c = { .x = x, .e = e, .format = format, .out = x->whole ? NULL : &w->frames };
	char path[LAYOUT_NAME_SIZE];
	uint32_t samples;
	layout_segment_path(e->msn, x->T, e->kind, path);
	if (framer_silence(format, c.silence, &c.silence_len, &samples) < 0)
		c.silence_len = 0;
	if (!read_segment(w, path, e, &c) || c.frames == 0)
		return 0;

	/* Numbers that follow on each other are one row, however the wall clock bent meanwhile. At the ends of a row
	 * the frames need not meet the grid: each side may be half a frame off, and clocks of two inputs another half.
	 */
	int64_t frame_ns = samples_to_ns(e->samples / e->frames, format->rate);
	int64_t slack = w->any ? w->frame_ns + frame_ns : frame_ns / 2;
	bool follows = w->any && w->msn + 1 == e->msn && !e->discontinuity;
	bool hole = !follows && hole_before(w, after(e, c.from, format->rate), slack + 2 * NS_PER_MS);
	bool first = !w->any;
	count(x, e, &c, w->file.len);
	w->covered = after(e, c.to, format->rate);
	w->any = true;
	w->msn = e->msn;
	w->frame_ns = frame_ns;
	if (!w->each)
		return 0;
	return w->each(w->ctx, &(struct excerpt_segment){
				   .entry = e,
				   .format = format,
				   .hole = hole && !first,
				   .file = w->file.data,
				   .file_len = w->file.len,
				   .frames = w->frames.data,
				   .frames_len = w->frames.len,
			       });
}

/* T is told by the first hour file that can be read. */
static void
know_segment(struct walk *w, uint32_t T)
{
	struct excerpt *x = w->x;
	x->T = x->target = T;
	if (!x->whole)
		return;
	int64_t grid = T * NS_PER_S;
	x->from.ns -= x->from.ns % grid;
	x->to.ns += (grid - x->to.ns % grid) % grid;
	w->covered = x->from;
}

static int
take_hour(struct walk *w, uint64_t hour)
{
	struct excerpt *x = w->x;
	struct hour h;
	char name[LAYOUT_NAME_SIZE], why[128] = "";
	int rc = store_read_hour_in(x->dir, hour, &h, why);
	layout_hour_name(hour, name);
	if (rc < 0) {
		if (rc != -ENOENT)
			fault(w, name, "its hour file: %s", rc == -EBADMSG ? why : strerror(-rc));
		return rc == -ENOMEM ? rc : 0;
	}
	if (x->T == 0)
		know_segment(w, h.segment);
	if (h.segment != x->T)
		fault(w, name, "has segments of %" PRIu32 " s after such of %" PRIu32 " s", h.segment, x->T);
	else if (layout_hour(h.first_msn, h.segment) != hour)
		fault(w, name, "its hour file is that of another hour");
	else
		for (size_t i = 0; rc == 0 && i < h.count; i++)
			if (!h.entries[i].gap && touches(x, &h.entries[i], &h.formats[h.entries[i].format]))
				rc = take_entry(w, &h.entries[i], &h.formats[h.entries[i].format]);
	hour_free(&h);
	return rc;
}

int
excerpt_read(struct excerpt *x, int (*each)(void *ctx, const struct excerpt_segment *segment), void *ctx)
{
	struct hour_files *files = NULL;
	size_t hours = 0;
	*x = (struct excerpt){ .dir = x->dir, .from = x->from, .to = x->to, .whole = x->whole };
	struct walk w = { .x = x, .each = each, .ctx = ctx, .covered = x->from };
	int rc = store_scan(x->dir, &files, &hours);
	text_init(&w.file, EXCERPT_SEGMENT_MAX);
	text_init(&w.frames, EXCERPT_SEGMENT_MAX);
	for (size_t i = 0; rc == 0 && i < hours; i++) {
		int64_t hour = (int64_t)files[i].hour;
		/* a segment may begin a frame before its hour, and lies in the hour in which it begins */
		if (hour >= x->from.ns / HOUR_NS - 1 && hour <= x->to.ns / HOUR_NS + 1)
			rc = take_hour(&w, files[i].hour);
	}
	if (rc == 0)
		hole_before(&w, x->to, w.frame_ns / 2 + 2 * NS_PER_MS);
	free(files);
	text_fini(&w.file);
	text_fini(&w.frames);
	return rc;
}
