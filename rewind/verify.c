/* Every listed segment against its entry, every hour against the one before it. */
#include "rewind/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/text.h"
#include "rewind/list.h"
#include "rewind/store_rendition.h"
#include "rewind/verify_list.h"

#define SEGMENT_MAX (64u << 20)

/* One rendition while it is walked. */
struct walk {
	struct verify *v;
	const struct inventory_name *name;
	int dir;
	bool any;                        /* an hour was read before this one: */
	uint32_t T;                      /* its segment duration */
	uint64_t discontinuity_sequence; /* after it */
	/* hours that heal is at work on: one may hold what is not listed, those after another may not follow */
	uint64_t healing, renumbering; /* UINT64_MAX: none */
	bool media;                    /* there was an entry with media: */
	struct hour_entry last;
	struct audio_format last_format;
};

void
verify_fault(struct verify *v, const struct inventory_name *name, const char *file, const char *fmt, ...)
{
	va_list ap;
	fprintf(v->out, "%s/%s%s%s: ", name->station, name->rendition, *name->rendition ? "/" : "", file);
	va_start(ap, fmt);
	vfprintf(v->out, fmt, ap);
	va_end(ap);
	fputc('\n', v->out);
	v->faults++;
}

#define fault(w, file, ...) verify_fault((w)->v, (w)->name, file, __VA_ARGS__)

static bool
in_range(const struct verify *v, uint64_t msn, uint32_t T)
{
	int64_t line = layout_grid(msn, T).ns;
	return line >= v->from.ns && line < v->to.ns;
}

/* What the segment says of itself must be what its entry says. The profile is not in it. */
static void
check_facts(struct walk *w, const char *path, const struct hour_entry *e, const struct audio_format *format,
    const struct segment_facts *facts)
{
	struct audio_format got = facts->format;
	got.profile = format->profile;
	if (!audio_format_equal(&got, format)) {
		char a[48], b[48];
		fault(w, path, "holds %s, its entry says %s", audio_format_text(&got, a), audio_format_text(format, b));
	}
	if (facts->frames != e->frames || facts->samples != e->samples || facts->audio_bytes != e->audio_bytes)
		fault(w, path,
		    "holds %" PRIu64 " frames, %" PRIu64 " samples, %" PRIu64 " bytes of audio, its entry says %" PRIu64
		    ", %" PRIu64 ", %" PRIu64,
		    facts->frames, facts->samples, facts->audio_bytes, e->frames, e->samples, e->audio_bytes);
	uint64_t pts = ticks_at(e->anchor, e->sample, format->rate).t;
	if (facts->pts.t != pts)
		fault(w, path, "begins at PTS %" PRIu64 ", its entry says %" PRIu64, facts->pts.t, pts);
}

static void
check_file(struct walk *w, const char *path, const struct hour_entry *e, const struct audio_format *format)
{
	struct text data;
	struct segment_facts facts = { 0 };
	text_init(&data, SEGMENT_MAX);
	int rc = file_read(w->dir, path, &data);
	if (rc < 0)
		fault(w, path, "is listed and cannot be read: %s", strerror(-rc));
	else if (data.len != e->bytes)
		fault(w, path, "has %zu bytes, its entry says %" PRIu64, data.len, e->bytes);
	else if (XXH64(data.data ? data.data : "", data.len, 0) != e->xxh64)
		fault(w, path, "has xxh64 %016" PRIx64 ", its entry says %016" PRIx64,
		    (uint64_t)XXH64(data.data ? data.data : "", data.len, 0), e->xxh64);
	else if (segment_read((const uint8_t *)data.data, data.len, e->kind == LAYOUT_TS, e->msn, &facts, NULL, NULL) <
		 0)
		fault(w, path, "%s", facts.why);
	else
		check_facts(w, path, e, format, &facts);
	text_fini(&data);
}

/* What an entry says by itself and against the one before. */
static void
check_entry(struct walk *w, const char *path, const struct hour_entry *e, const struct audio_format *format)
{
	uint64_t us = (e->samples * 1000000 + format->rate / 2) / format->rate;
	if (e->duration_us != us)
		fault(w, path, "EXTINF is %" PRIu32 " us, its samples last %" PRIu64, e->duration_us, us);
	if (e->duration_us >= w->T * UINT64_C(1000000) + 500000)
		fault(w, path, "EXTINF of %" PRIu32 " us is above the target duration", e->duration_us);
	if (llabs(e->start.ns - layout_grid(e->msn, w->T).ns) > (int64_t)w->T * NS_PER_S / 2)
		fault(w, path, "its start is far from its grid line");
	bool follows = w->media && w->last.msn + 1 == e->msn && !e->discontinuity;
	if (!follows)
		return;
	if (!audio_format_equal(&w->last_format, format))
		fault(w, path, "another format begins without a discontinuity");
	else if (!hour_entry_follows(&w->last, &w->last_format, e, format) &&
		 layout_hour(e->msn, w->T) <= w->renumbering)
		fault(w, path, "PTS jumps without a discontinuity");
}

static void
check_entries(struct walk *w, const struct hour *h)
{
	char path[LAYOUT_NAME_SIZE];
	for (size_t i = 0; i < h->count; i++) {
		const struct hour_entry *e = &h->entries[i];
		if (e->gap && in_range(w->v, e->msn, h->segment))
			w->v->gaps++;
		if (e->gap)
			continue;
		const struct audio_format *format = &h->formats[e->format];
		if (in_range(w->v, e->msn, h->segment)) {
			w->v->segments++;
			layout_segment_path(e->msn, h->segment, e->kind, path);
			check_entry(w, path, e, format);
			check_file(w, path, e, format);
		}
		w->media = true;
		w->last = *e;
		w->last_format = *format;
	}
}

struct folder {
	struct walk *w;
	const struct hour *h;
	bool unfinished;
};

static int
check_listed(void *ctx, const char *name)
{
	struct folder *f = ctx;
	const struct hour *h = f->h;
	struct wall grid;
	enum layout_kind kind;
	char path[LAYOUT_NAME_SIZE] = "", again[LAYOUT_NAME_SIZE];
	if (layout_parse_segment(name, &grid, &kind) < 0)
		return 0;
	uint64_t msn = (uint64_t)(grid.ns / NS_PER_S) / h->segment;
	const struct hour_entry *e = msn - h->first_msn < h->count ? &h->entries[msn - h->first_msn] : NULL;
	layout_segment_path(msn, h->segment, kind, path);
	bool ours = strcmp(strchr(path, '/') + 1, name) == 0;
	if (ours && e && !e->gap && e->kind == kind)
		return 0;
	/* what a writer renames now it lists in a moment; gaps before it come first */
	if (ours && f->unfinished && msn >= h->first_msn + h->count)
		return 0;
	snprintf(
	    again, sizeof again, "%.11s/%.34s", layout_hour_name(layout_hour(h->first_msn, h->segment), path), name);
	if (in_range(f->w->v, msn, h->segment))
		fault(f->w, again, "is not listed");
	return 0;
}

static void
check_folder(struct walk *w, uint64_t hour, const struct hour *h, bool unfinished)
{
	char name[LAYOUT_NAME_SIZE];
	int folder = openat(w->dir, layout_hour_name(hour, name), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0)
		return; /* each segment of it that is listed was said to be missing */
	store_each_name(folder, check_listed, &(struct folder){ w, h, unfinished });
	close(folder);
}

static void
check_tail(struct walk *w, const char *file, const struct hour *h)
{
	struct hour_rate rate = { 0 };
	for (size_t i = 0; i < h->count; i++)
		hour_rate_add(&rate, &h->entries[i], h->segment);
	if (rate.peak != h->rate.peak || rate.bytes != h->rate.bytes || rate.duration_us != h->rate.duration_us)
		fault(w, file, "HINDCAST-RATE is not that of its segments");
}

static void
check_hour(struct walk *w, const struct hour_files *f, bool newest)
{
	char name[LAYOUT_NAME_SIZE], file[LAYOUT_NAME_SIZE + 16], why[128];
	struct hour h;
	snprintf(file, sizeof file, "%s.m3u8%s", layout_hour_name(f->hour, name), f->final ? "" : ".part");
	int rc = store_read_hour_in(w->dir, f->hour, &h, why);
	if (rc == -ENOENT)
		return; /* retention was faster */
	if (rc < 0) {
		fault(w, file, "%s", rc == -EBADMSG ? why : strerror(-rc));
		return;
	}
	w->v->hours++;
	if (w->any && h.segment != w->T)
		fault(w, file, "has segments of %" PRIu32 " s after such of %" PRIu32 " s", h.segment, w->T);
	if (layout_hour(h.first_msn, h.segment) != f->hour)
		fault(w, file, "begins with number %" PRIu64 ", which is of another hour", h.first_msn);
	if (w->any && f->hour <= w->renumbering && h.discontinuity_sequence != w->discontinuity_sequence)
		fault(w, file, "EXT-X-DISCONTINUITY-SEQUENCE is %" PRIu64 ", the hour before ends with %" PRIu64,
		    h.discontinuity_sequence, w->discontinuity_sequence);
	if (!h.ended && (f->final || !newest))
		fault(w, file, "is not finished: %zu of %" PRIu32 " entries", h.count, 3600 / h.segment);
	if (h.ended)
		check_tail(w, file, &h);
	w->T = h.segment;
	check_entries(w, &h);
	if (f->hour != w->healing)
		check_folder(w, f->hour, &h, !h.ended);
	w->any = true;
	w->discontinuity_sequence = h.count ? h.entries[h.count - 1].discontinuity_sequence : h.discontinuity_sequence;
	hour_free(&h);
}

/* Whether an hour has anything to do with the span that is looked at. */
static bool
touches(const struct verify *v, uint64_t hour)
{
	int64_t from = (int64_t)hour * 3600 * NS_PER_S;
	return from < v->to.ns && from + 3600 * NS_PER_S > v->from.ns;
}

static void
check_hours(struct walk *w, const struct hour_files *files, size_t count)
{
	uint64_t oldest = UINT64_MAX, newest = 0;
	for (size_t i = 0; i < count; i++) {
		if (!files[i].final && !files[i].part)
			continue;
		oldest = files[i].hour < oldest ? files[i].hour : oldest;
		newest = files[i].hour;
	}
	for (size_t i = 0; i < count; i++) {
		char name[LAYOUT_NAME_SIZE];
		layout_hour_name(files[i].hour, name);
		if (!touches(w->v, files[i].hour))
			continue;
		if (files[i].final || files[i].part)
			check_hour(w, &files[i], files[i].hour == newest);
		else if (files[i].hour > oldest &&
			 files[i].hour != w->healing) /* older ones only wait for their removal */
			fault(w, name, "has no hour file");
	}
}

void
verify_rendition(struct verify *v, const struct inventory_name *name)
{
	struct walk w = { .v = v, .name = name, .healing = UINT64_MAX, .renumbering = UINT64_MAX };
	struct hour_files *files = NULL;
	size_t count = 0;
	char path[2 * INVENTORY_NAME_SIZE + 2];
	snprintf(path, sizeof path, "%s/%s", name->station, name->rendition);
	w.dir = file_open_beneath(v->root, path, O_RDONLY | O_DIRECTORY, 0);
	int rc = w.dir < 0 ? w.dir : 0;
	struct text live; /* read first: the hour files, read after it, then have all that it names */
	text_init(&live, LIST_LIVE_MAX);
	int live_rc = rc == 0 ? file_read(w.dir, "index.m3u8", &live) : 0;
	if (rc == 0) {
		store_healing(w.dir, &w.healing);
		store_renumbering(w.dir, &w.renumbering);
		rc = store_scan(w.dir, &files, &count);
	}
	if (rc < 0)
		fault(&w, "", "%s", strerror(-rc));
	check_hours(&w, files, count);
	if (live_rc == 0 && live.data)
		verify_live_list(v, name, w.dir, &live);
	else if (rc == 0 && w.media)
		fault(&w, "index.m3u8", "cannot be read: %s", live_rc ? strerror(-live_rc) : "it is empty");
	free(files);
	text_fini(&live);
	if (w.dir >= 0)
		close(w.dir);
}
