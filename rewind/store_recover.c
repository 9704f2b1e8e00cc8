/* Opening a rendition: what a writer that ended at any moment left behind becomes whole again. */
#include "rewind/store_rendition.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/log.h"

#define SEGMENT_MAX (64u << 20)
#define RECORD_MAX 1024

static int
refuse(const struct store_rendition *r, uint64_t hour, const char *why, struct text *errors)
{
	char name[LAYOUT_NAME_SIZE];
	text_fmt(errors,
	    "store: %s/%s: hour file %s: %s; move it away and its segments are entered again as they are found\n",
	    r->station, r->name, layout_hour_name(hour, name), why);
	return -1;
}

static int
refuse_errno(const struct store_rendition *r, int rc, struct text *errors)
{
	text_fmt(errors, "store: %s/%s: %s\n", r->station, r->name, strerror(-rc));
	return -1;
}

/* Numbers of another T mean other times. */
static int
check_T(const struct store_rendition *r, const struct hour *h, struct text *errors)
{
	if (h->segment == r->config.T)
		return 0;
	text_fmt(errors,
	    "store: %s/%s was written with segments of %" PRIu32 " s, the configuration says %" PRIu32
	    " s: set segment = %" PRIu32 " again, or move the folder %s/%s away\n",
	    r->station, r->name, h->segment, r->config.T, h->segment, r->station, r->name);
	return -1;
}

/* The newest entry, if there is one; an hour that has only begun says how the numbers of discontinuities go on. */
static void
take_position(struct store_rendition *r, const struct hour *h)
{
	if (h->count == 0) {
		r->discontinuity_sequence = h->discontinuity_sequence;
		return;
	}
	r->discontinuity_sequence = h->entries[h->count - 1].discontinuity_sequence;
	r->entered = true;
	r->newest = h->first_msn + h->count - 1;
}

/* The newest entry with media, if there is one. */
static void
take_media(struct store_rendition *r, const struct hour *h)
{
	for (size_t i = h->count; i > 0; i--) {
		const struct hour_entry *e = &h->entries[i - 1];
		if (e->gap)
			continue;
		r->any = true;
		r->last = *e;
		r->last_format = h->formats[e->format];
		return;
	}
}

static bool
listed(const struct hour_files *f)
{
	return f->final || f->part;
}

static int
read_hour(struct store_rendition *r, uint64_t hour, struct hour *h, struct text *errors)
{
	char why[128];
	int rc = store_read_hour_in(r->dir, hour, h, why);
	if (rc < 0)
		return refuse(r, hour, rc == -EBADMSG ? why : strerror(-rc), errors);
	if (check_T(r, h, errors) < 0) {
		hour_free(h);
		return -1;
	}
	return 0;
}

/* Where the listings of files[0..count) leave off. */
static int
load_state(struct store_rendition *r, const struct hour_files *files, size_t count, struct text *errors)
{
	r->entered = r->any = false;
	r->discontinuity_sequence = 0;
	for (size_t i = count; i > 0 && !(r->entered && r->any); i--) {
		struct hour h;
		if (!listed(&files[i - 1]))
			continue;
		if (read_hour(r, files[i - 1].hour, &h, errors) < 0)
			return -1;
		if (!r->entered)
			take_position(r, &h);
		if (!r->any)
			take_media(r, &h);
		hour_free(&h);
	}
	return 0;
}

/* --- segment files that are not listed --- */

struct found {
	uint64_t msn;
	enum layout_kind kind;
};

struct search {
	const struct store_rendition *r;
	uint64_t hour, from; /* numbers of this hour from here on */
	struct found found[3 * HOUR_ENTRIES_MAX];
	size_t count;
};

static int
add_segment(void *ctx, const char *name)
{
	struct search *s = ctx;
	const int64_t step = (int64_t)s->r->config.T * NS_PER_S;
	struct wall grid;
	enum layout_kind kind;
	if (layout_parse_segment(name, &grid, &kind) < 0 || grid.ns % step != 0)
		return 0;
	uint64_t msn = (uint64_t)(grid.ns / step);
	if (layout_hour(msn, s->r->config.T) == s->hour && msn >= s->from)
		s->found[s->count++] = (struct found){ msn, kind };
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	return x->msn != y->msn ? (x->msn > y->msn) - (x->msn < y->msn) : (int)x->kind - (int)y->kind;
}

/* The entry that was about to be appended when the writer ended, if it is this file's. */
static bool
entry_recorded(const struct store_rendition *r, const struct found *f, const struct text *data, struct hour_entry *e,
    struct audio_format *format)
{
	char text[RECORD_MAX], why[128];
	struct hour_entry got;
	struct audio_format of = { 0 };
	ssize_t n = pread(r->record, text, sizeof text, 0);
	if (n <= 0 || hour_parse_entry(text, (size_t)n, f->msn, r->config.T, &got, &of, why) < 0 || got.gap ||
	    of.codec == CODEC_NONE || got.kind != f->kind || got.bytes != data->len ||
	    got.xxh64 != XXH64(data->data, data->len, 0))
		return false;
	*e = got;
	*format = of;
	return true;
}

/* Whether PTS and format go on from the entry before. */
static bool
goes_on(const struct store_rendition *r, const struct found *f, const struct segment_facts *facts)
{
	const struct hour_entry *last = &r->last;
	if (!r->any || last->msn + 1 != f->msn || last->kind != f->kind ||
	    !audio_format_equal(&facts->format, &r->last_format))
		return false;
	return ticks_at(last->anchor, last->sample + last->samples, facts->format.rate).t == facts->pts.t;
}

/* The entry as the segment itself says; its start, which is not in it, is where the one before ends. */
static bool
entry_read(const struct store_rendition *r, const struct found *f, const struct text *data, struct hour_entry *e,
    struct audio_format *format, char why[static 160])
{
	struct segment_facts facts = { 0 };
	if (segment_read((const uint8_t *)data->data, data->len, f->kind == LAYOUT_TS, f->msn, &facts, NULL, NULL) <
	    0) {
		snprintf(why, 160, "%s", facts.why);
		return false;
	}
	if (r->any && facts.format.codec == CODEC_AAC) { /* the profile is not in it either */
		struct audio_format known = facts.format;
		known.profile = r->last_format.profile;
		if (audio_format_equal(&known, &r->last_format))
			facts.format = known;
	}
	bool on = goes_on(r, f, &facts);
	*e = (struct hour_entry){
		.msn = f->msn,
		.start = layout_grid(f->msn, r->config.T),
		.kind = f->kind,
		.discontinuity = r->any && !on,
		.duration_us = (uint32_t)((facts.samples * 1000000 + facts.format.rate / 2) / facts.format.rate),
		.bytes = data->len,
		.audio_bytes = facts.audio_bytes,
		.frames = facts.frames,
		.samples = facts.samples,
		.xxh64 = XXH64(data->data, data->len, 0),
		.anchor = on ? r->last.anchor : facts.pts,
		.sample = on ? r->last.sample + r->last.samples : 0,
	};
	if (on) {
		int64_t end = r->last.start.ns + samples_to_ns(r->last.samples, facts.format.rate);
		e->start.ns = end - end % NS_PER_MS;
	}
	*format = facts.format;
	return true;
}

/* Enter one file, with gaps before it; what is damaged is removed, for nothing may ever list it. */
static int
enter_found(struct store_rendition *r, int folder, const struct found *f)
{
	char path[LAYOUT_NAME_SIZE], why[160] = "its number is entered already";
	const char *name = strchr(layout_segment_path(f->msn, r->config.T, f->kind, path), '/') + 1;
	struct text data;
	struct hour_entry e;
	struct audio_format format;
	text_init(&data, SEGMENT_MAX);
	int rc = file_read(folder, name, &data);
	bool taken = r->part.fd >= 0 && f->msn < r->part.next;
	bool whole = rc == 0 && !taken &&
		     (entry_recorded(r, f, &data, &e, &format) || entry_read(r, f, &data, &e, &format, why));
	text_fini(&data);
	if (rc == 0 && whole && (rc = store_advance(r, f->msn, f->kind)) == 0) {
		e.discontinuity_sequence = r->discontinuity_sequence + e.discontinuity;
		rc = store_enter(r, &e, &format);
		log_info("segment is entered that was not listed yet station=%s rendition=%s file=%s", r->station,
		    r->name, path);
	} else if (rc == 0 && !whole) {
		log_warn("segment that was never listed is removed station=%s rendition=%s file=%s why=\"%s\"",
		    r->station, r->name, path, why);
		rc = unlinkat(folder, name, 0) < 0 ? -errno : 0;
	}
	return rc;
}

/* Enter what an hour's folder has from number `from` on. */
static int
enter_unlisted(struct store_rendition *r, uint64_t hour, uint64_t from)
{
	char name[LAYOUT_NAME_SIZE];
	int folder = openat(r->dir, layout_hour_name(hour, name), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0)
		return errno == ENOENT ? 0 : -errno;
	struct search *s = calloc(1, sizeof *s);
	int rc = s ? store_remove_temporary(folder) : -ENOMEM;
	if (rc == 0) {
		*s = (struct search){ .r = r, .hour = hour, .from = from };
		rc = store_each_name(folder, add_segment, s);
	}
	if (rc == 0)
		qsort(s->found, s->count, sizeof *s->found, by_number);
	for (size_t i = 0; rc == 0 && i < s->count; i++)
		rc = enter_found(r, folder, &s->found[i]);
	free(s);
	close(folder);
	return rc;
}

/* --- unfinished hours --- */

/* Go on with an unfinished hour file. */
static int
reopen_part(struct store_rendition *r, uint64_t hour, struct text *errors)
{
	struct hour h;
	char why[128];
	int rc = part_open(&r->part, r->dir, hour, r->config.sync, &h, why);
	if (rc == -ENODATA) {
		log_warn("empty hour file is removed station=%s rendition=%s", r->station, r->name);
		return 0;
	}
	if (rc < 0)
		return refuse(r, hour, rc == -EBADMSG ? why : strerror(-rc), errors);
	rc = check_T(r, &h, errors);
	take_position(r, &h);
	take_media(r, &h);
	hour_free(&h);
	return rc;
}

/* A finished name without its end: somebody cut it. */
static bool
lacks_tail(int dir, uint64_t hour, struct hour_rate *rate)
{
	char name[LAYOUT_NAME_SIZE + 8], end[256];
	layout_hour_name(hour, name);
	snprintf(name + strlen(name), 8, ".m3u8");
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	if (fd < 0)
		return true;
	off_t at = fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof end ? st.st_size - (off_t)sizeof end : 0;
	ssize_t n = pread(fd, end, sizeof end, at);
	close(fd);
	return n <= 0 || hour_parse_tail(end, (size_t)n, rate) < 0;
}

/* One of the two names goes, so that there is one truth. */
static int
tidy(struct store_rendition *r, struct hour_files *f, bool newest)
{
	char name[LAYOUT_NAME_SIZE], final[LAYOUT_NAME_SIZE + 8], part[LAYOUT_NAME_SIZE + 16];
	struct hour_rate rate;
	layout_hour_name(f->hour, name);
	snprintf(final, sizeof final, "%s.m3u8", name);
	snprintf(part, sizeof part, "%s.m3u8.part", name);
	if (f->final && f->part) {
		log_warn("hour file is finished, its unfinished one is removed station=%s rendition=%s hour=%s",
		    r->station, r->name, name);
		f->part = false;
		return unlinkat(r->dir, part, 0) < 0 ? -errno : 0;
	}
	if (newest && f->final && lacks_tail(r->dir, f->hour, &rate)) {
		log_warn("hour file lacks its end and is written on station=%s rendition=%s hour=%s", r->station,
		    r->name, name);
		f->final = false;
		f->part = true;
		return renameat(r->dir, final, r->dir, part) < 0 ? -errno : 0;
	}
	return 0;
}

/* Make one hour whole that has no finished listing: all but the newest are finished too. */
static int
recover_hour(struct store_rendition *r, const struct hour_files *f, struct text *errors)
{
	if (f->part && reopen_part(r, f->hour, errors) < 0)
		return -1;
	bool open = r->part.fd >= 0 && r->part.hour == f->hour;
	int rc = 0;
	if (!open || !r->part.ended)
		rc = enter_unlisted(r, f->hour, open ? r->part.next : 0);
	if (rc < 0)
		return refuse_errno(r, rc, errors);
	if (r->part.fd >= 0 && r->part.hour == f->hour)
		store_finish_full(r);
	return 0;
}

/* Whether it is for recover_hour: unfinished, or newer than every listing, with segments and not of the future. */
static bool
unfinished(const struct hour_files *f, uint64_t newest_listed, struct wall now)
{
	return f->part ||
	       (!f->final && f->folder && f->hour > newest_listed && (int64_t)f->hour <= now.ns / NS_PER_S / 3600);
}

static int
recover_hours(struct store_rendition *r, struct hour_files *files, size_t count, struct wall now, struct text *errors)
{
	uint64_t newest = 0;
	for (size_t i = 0; i < count; i++)
		if (listed(&files[i]))
			newest = files[i].hour;
	for (size_t i = 0; i < count; i++) {
		int rc = tidy(r, &files[i], files[i].hour == newest);
		if (rc < 0)
			return refuse_errno(r, rc, errors);
	}
	bool loaded = false;
	for (size_t i = 0; i < count; i++) {
		if (!unfinished(&files[i], newest, now))
			continue;
		if (!loaded && load_state(r, files, i, errors) < 0)
			return -1;
		loaded = true;
		int rc = r->part.fd >= 0 ? store_finish_hour(r) : 0;
		if (rc < 0)
			return refuse_errno(r, rc, errors);
		if (recover_hour(r, &files[i], errors) < 0)
			return -1;
	}
	return 0;
}

/* --- what is kept in memory --- */

/* Rates of the finished hours, from their tails. */
static int
load_rates(struct store_rendition *r, const struct hour_files *files, size_t count)
{
	r->hour_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct hour_rate rate = { 0 };
		char name[LAYOUT_NAME_SIZE];
		if (!files[i].final)
			continue;
		if (lacks_tail(r->dir, files[i].hour, &rate))
			log_warn("hour file lacks its end, its rates do not count station=%s rendition=%s hour=%s",
			    r->station, r->name, layout_hour_name(files[i].hour, name));
		int rc = store_add_hour(r, files[i].hour, &rate);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Entries of one listed hour from number `from` on. */
static int
load_entries(struct store_rendition *r, uint64_t hour, uint64_t from, struct text *errors)
{
	struct hour h;
	if (read_hour(r, hour, &h, errors) < 0)
		return -1;
	for (size_t i = 0; i < h.count; i++) {
		const struct hour_entry *e = &h.entries[i];
		if (!e->gap && e->msn < r->window.born)
			r->window.born = e->msn;
		if (e->msn >= from)
			window_push(&r->window, e, e->gap ? CODEC_NONE : h.formats[e->format].codec, r->config.T);
	}
	hour_free(&h);
	return 0;
}

/* The last entries, over hour borders; as a writer that never ended would have them. */
static int
load_window(struct store_rendition *r, const struct hour_files *files, size_t count, struct text *errors)
{
	struct store_window *w = &r->window;
	const uint32_t T = r->config.T;
	w->count = 0;
	w->born = w->dependent = 0;
	if (!r->entered)
		return 0;
	uint64_t from = r->newest + 1 > w->size ? r->newest + 1 - w->size : 0;
	bool older = false, first = true;
	for (size_t i = 0; i < count; i++) {
		if (!listed(&files[i]))
			continue;
		if (files[i].hour < layout_hour(from, T)) {
			older = true;
			continue;
		}
		if (first && !older)
			w->born = UINT64_MAX;
		if (first && older && files[i].hour > layout_hour(from, T)) {
			struct hour_entry gap = hour_gap(from, T, store_gap_kind(r), 0);
			window_push(w, &gap, CODEC_NONE, T);
		}
		first = false;
		if (load_entries(r, files[i].hour, from, errors) < 0)
			return -1;
	}
	return 0;
}

int
store_recover(struct store_rendition *r, struct wall now, struct text *errors)
{
	struct hour_files *files = NULL;
	size_t count = 0;
	int rc = store_remove_temporary(r->dir);
	if (rc == 0)
		rc = store_heal_recover(r);
	if (rc == 0)
		rc = store_scan(r->dir, &files, &count);
	if (rc < 0)
		return refuse_errno(r, rc, errors);
	rc = recover_hours(r, files, count, now, errors);
	free(files);
	if (rc < 0)
		return rc;
	if ((rc = store_scan(r->dir, &files, &count)) < 0)
		return refuse_errno(r, rc, errors);
	if (load_state(r, files, count, errors) < 0 || load_window(r, files, count, errors) < 0)
		rc = -1;
	else if ((rc = load_rates(r, files, count)) < 0)
		rc = refuse_errno(r, rc, errors);
	free(files);
	r->live_stale = true;
	if (rc == 0 && r->entered && layout_grid(r->newest + 1, r->config.T).ns > now.ns + r->config.T * NS_PER_S)
		log_warn(
		    "the clock is behind the store's newest segment: numbers go on after it station=%s rendition=%s",
		    r->station, r->name);
	return rc;
}
