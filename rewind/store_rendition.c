/* The writer of one rendition: segment, then entry, then live list, so that nothing listed is ever missing. */
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

enum layout_kind
store_gap_kind(const struct store_rendition *r)
{
	if (r->any)
		return r->last.kind;
	return r->config.packed ? LAYOUT_AAC : LAYOUT_TS;
}

int
store_add_hour(struct store_rendition *r, uint64_t hour, const struct hour_rate *rate)
{
	struct retained_hour *hours = realloc(r->hours, (r->hour_count + 1) * sizeof *hours);
	if (!hours)
		return -ENOMEM;
	r->hours = hours;
	hours[r->hour_count++] = (struct retained_hour){ hour, *rate };
	return 0;
}

void
store_took(struct store_rendition *r, const struct hour_entry *e, const struct audio_format *format)
{
	if (!r->any && !e->gap)
		r->window.born = e->msn;
	window_push(&r->window, e, format ? format->codec : CODEC_NONE, r->config.T);
	r->entered = true;
	r->newest = e->msn;
	r->discontinuity_sequence = e->discontinuity_sequence;
	r->live_stale = true;
	if (e->gap)
		return;
	r->any = true;
	r->last = *e;
	r->last_format = *format;
}

/* The next gap entries of the open hour, number by number; before the last of them there may be a discontinuity. */
static struct hour_entry
gap_entry(const struct store_rendition *r, uint64_t msn, enum layout_kind kind, bool discontinuity)
{
	struct hour_entry gap = hour_gap(msn, r->config.T, kind, r->discontinuity_sequence + discontinuity);
	gap.discontinuity = discontinuity;
	return gap;
}

/* Entries up to, not including, `end` of the open hour, as gaps: one write of whole entries. */
static int
enter_gaps(struct store_rendition *r, uint64_t end, enum layout_kind kind, bool discontinuity)
{
	const uint32_t T = r->config.T;
	struct store_part *p = &r->part;
	if (p->next >= end)
		return 0;
	text_clear(&r->text);
	for (uint64_t msn = p->next; msn < end; msn++) {
		struct hour_entry gap = gap_entry(r, msn, kind, discontinuity && msn + 1 == end);
		hour_write_entry(&r->text, &gap, T, NULL);
	}
	int rc = r->text.full ? -ENOMEM : part_append(p, r->text.data, r->text.len, r->config.sync);
	if (rc < 0)
		return rc;
	for (; p->next < end; p->next++) {
		struct hour_entry gap = gap_entry(r, p->next, kind, discontinuity && p->next + 1 == end);
		store_took(r, &gap, NULL);
		r->counters.gaps++;
	}
	/* an hour of gaps is much larger than an entry */
	text_fini(&r->text);
	text_init(&r->text, LIST_LIVE_MAX);
	return 0;
}

int
store_finish_hour(struct store_rendition *r)
{
	const uint64_t hour = r->part.hour;
	const struct hour_rate rate = r->part.rate;
	int rc = r->part.ended ? 0 : enter_gaps(r, layout_hour_first(hour + 1, r->config.T), store_gap_kind(r), false);
	if (rc == 0)
		rc = part_finish(&r->part, r->dir, r->config.sync);
	if (r->part.fd < 0 && store_add_hour(r, hour, &rate) < 0)
		log_warn("an hour is missing from the measured rates: out of memory station=%s rendition=%s",
		    r->station, r->name);
	return rc;
}

int
store_advance(struct store_rendition *r, uint64_t msn, enum layout_kind kind)
{
	const uint32_t T = r->config.T;
	const uint64_t hour = layout_hour(msn, T);
	int rc = 0;
	if (r->any)
		kind = store_gap_kind(r);
	if (r->part.fd >= 0 && r->part.hour != hour)
		rc = store_finish_hour(r);
	if (rc == 0 && r->part.fd < 0)
		rc = part_create(&r->part, r->dir, hour, T, r->discontinuity_sequence, r->config.sync);
	return rc == 0 ? enter_gaps(r, msn, kind, false) : rc;
}

void
store_finish_full(struct store_rendition *r)
{
	if (r->part.next < layout_hour_first(r->part.hour + 1, r->config.T))
		return;
	int rc = store_finish_hour(r);
	if (rc < 0)
		log_warn("hour file is not finished yet station=%s rendition=%s error=\"%s\"", r->station, r->name,
		    strerror(-rc));
}

/* Append the entry in r->text, from which lines that stand already have been left out. */
static int
append_entry(struct store_rendition *r, const struct hour_entry *e, const struct audio_format *format,
    const struct hour_runs *runs)
{
	struct store_part *p = &r->part;
	int rc = r->text.full ? -ENOMEM : part_append(p, r->text.data, r->text.len, r->config.sync);
	if (rc < 0)
		return rc;
	p->next = e->msn + 1;
	p->formatted = true;
	p->format = *format;
	p->runs = *runs;
	r->last_runs = *runs;
	hour_rate_add(&p->rate, e, r->config.T);
	store_took(r, e, format);
	return 0;
}

/* Write the entry to r->text, with its FORMAT and RUN lines; only with those that do not stand in the hour file yet
 * when it is for that. */
static void
write_entry(struct store_rendition *r, const struct hour_entry *e, const struct audio_format *format,
    const struct hour_runs *runs, bool all)
{
	const struct store_part *p = &r->part;
	text_clear(&r->text);
	if (all || !p->formatted || !audio_format_equal(&p->format, format))
		hour_write_format(&r->text, format);
	if (all || !hour_runs_equal(&p->runs, runs))
		hour_write_runs(&r->text, runs);
	hour_write_entry(&r->text, e, r->config.T, NULL);
}

int
store_enter(struct store_rendition *r, const struct hour_entry *e, const struct audio_format *format,
    const struct hour_runs *runs)
{
	write_entry(r, e, format, runs, false);
	return append_entry(r, e, format, runs);
}

static bool
representable(const struct store_rendition *r, const struct store_segment *s, const struct hour_entry *e)
{
	const uint64_t numbers = LAYOUT_HOURS_END * 3600 / r->config.T;
	return s->msn < numbers && s->start.ns >= 0 && s->len > 0 && s->len < HOUR_BYTES_MAX &&
	       s->audio_bytes <= HOUR_BYTES_MAX && s->frames <= HOUR_BYTES_MAX && s->samples <= HOUR_BYTES_MAX &&
	       s->fill <= HOUR_BYTES_MAX && s->anchor.t <= TICKS_MASK && s->sample <= INT64_MAX &&
	       s->format.codec != CODEC_NONE && s->format.channels >= 1 && s->format.channels <= 8 &&
	       e->duration_us > 0 && e->duration_us < UINT64_C(2000000) * r->config.T;
}

static int
entry_of(const struct store_rendition *r, const struct store_segment *s, struct hour_entry *e)
{
	*e = (struct hour_entry){
		.msn = s->msn,
		.start = { s->start.ns - s->start.ns % NS_PER_MS },
		.discontinuity = s->discontinuity,
		.pending = s->pending,
		.bytes = s->len,
		.audio_bytes = s->audio_bytes,
		.frames = s->frames,
		.samples = s->samples,
		.fill = s->fill,
		.anchor = s->anchor,
		.sample = s->sample,
	};
	if (r->config.packed)
		e->kind = s->format.codec == CODEC_MP3 ? LAYOUT_MP3 : LAYOUT_AAC;
	if (r->any && (e->kind != r->last.kind || s->format.codec != r->last_format.codec))
		e->discontinuity = true;
	uint64_t most = 2 * (uint64_t)r->config.T * s->format.rate;
	uint64_t us =
	    s->format.rate > 0 && s->samples < most ? (s->samples * 1000000 + s->format.rate / 2) / s->format.rate : 0;
	e->duration_us = us <= UINT32_MAX ? (uint32_t)us : 0;
	if (!representable(r, s, e))
		return -EINVAL;
	e->xxh64 = XXH64(s->data, s->len, 0);
	return 0;
}

/* Whether the file has just these bytes. 1, 0 or -errno. */
static int
same_bytes(int folder, const char *name, const struct store_segment *s)
{
	struct text t;
	text_init(&t, s->len + 1);
	int rc = file_read(folder, name, &t);
	if (rc == -EFBIG)
		rc = 0;
	else if (rc == 0)
		rc = t.len == s->len && memcmp(t.data, s->data, s->len) == 0;
	text_fini(&t);
	return rc;
}

static int
put_file(struct store_rendition *r, const struct store_segment *s, const struct hour_entry *e)
{
	int folder = part_folder(&r->part, r->dir, r->config.sync);
	if (folder < 0)
		return folder;
	char path[LAYOUT_NAME_SIZE];
	const char *name = strchr(layout_segment_path(e->msn, r->config.T, e->kind, path), '/') + 1;
	struct stat st;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		int same = same_bytes(folder, name, s);
		if (same <= 0)
			return same < 0 ? same : -EEXIST;
		/* the call that wrote it may have failed here */
		return r->config.sync && fsync(folder) < 0 ? -errno : 0;
	}
	struct file_replace how = {
		.tmp = STORE_TMP "segment",
		.name = name,
		.mtime = layout_grid(e->msn + 1, r->config.T),
		.sync = r->config.sync,
	};
	int rc = file_replace(folder, &how, s->data, s->len);
	if (rc == -ENOENT) {
		/* somebody removed it: the next try makes it anew */
		close(r->part.folder);
		r->part.folder = -1;
	}
	return rc;
}

/* Say what the segment file that comes next is about, should only the file be left of this call. */
static int
put_record(struct store_rendition *r)
{
	if (r->text.full)
		return -ENOMEM;
	ssize_t n = pwrite(r->record, r->text.data, r->text.len, 0);
	if (n != (ssize_t)r->text.len)
		return n < 0 ? -errno : -ENOSPC;
	return r->config.sync && fdatasync(r->record) < 0 ? -errno : 0;
}

static int
put(struct store_rendition *r, const struct store_segment *s)
{
	struct hour_entry e;
	int rc = entry_of(r, s, &e);
	if (rc == 0 && r->entered && s->msn <= r->newest)
		rc = -EEXIST;
	if (rc == 0 && !r->entered && s->station_sequence > e.discontinuity)
		r->discontinuity_sequence = s->station_sequence - e.discontinuity;
	if (rc == 0)
		rc = store_advance(r, s->msn, e.kind);
	if (rc < 0)
		return rc;
	e.discontinuity_sequence = r->discontinuity_sequence + e.discontinuity;
	const struct hour_runs runs = s->runs.count ? s->runs : r->last_runs;
	write_entry(r, &e, &s->format, &runs, true);
	if ((rc = put_record(r)) < 0 || (rc = put_file(r, s, &e)) < 0)
		return rc;
	return store_enter(r, &e, &s->format, &runs);
}

int
store_rendition_put(struct store_rendition *r, const struct store_segment *s)
{
	int rc = put(r, s);
	if (rc < 0) {
		r->counters.errors++;
		return rc;
	}
	r->counters.segments++;
	r->counters.bytes += s->len;
	store_finish_full(r);
	return 0;
}

int
store_rendition_gap(struct store_rendition *r, uint64_t msn, bool discontinuity)
{
	if (!r->any || msn <= r->newest)
		return 0;
	int rc = store_advance(r, msn, store_gap_kind(r));
	if (rc == 0)
		rc = enter_gaps(r, msn + 1, store_gap_kind(r), discontinuity);
	if (rc == 0)
		store_finish_full(r);
	r->counters.errors += rc < 0;
	return rc;
}

int
store_rendition_live(struct store_rendition *r)
{
	if (!r->live_stale || !r->any)
		return 0;
	size_t count;
	const struct hour_entry *entries = window_listed(&r->window, &count);
	text_clear(&r->text);
	list_live(&r->text, entries, count, r->config.T, window_independent(&r->window));
	/* not synced: it is written anew at every start */
	struct file_replace how = { .tmp = STORE_TMP "index.m3u8", .name = "index.m3u8" };
	int rc = r->text.full ? -ENOMEM : file_replace(r->dir, &how, r->text.data, r->text.len);
	if (rc < 0) {
		r->counters.errors++;
		return rc;
	}
	r->live_stale = false;
	r->counters.live_lists++;
	return 0;
}

bool
store_rendition_variant(const struct store_rendition *r, struct list_variant *v)
{
	if (!r->any)
		return false;
	struct hour_rate rate = r->part.fd >= 0 ? r->part.rate : (struct hour_rate){ 0 };
	for (size_t i = 0; i < r->hour_count; i++)
		hour_rate_join(&rate, &r->hours[i].rate);
	*v = (struct list_variant){
		.rendition = r->name,
		.format = r->last_format,
		.peak = rate.peak,
		.mean = hour_rate_mean(&rate),
	};
	return true;
}

const struct store_counters *
store_rendition_counters(const struct store_rendition *r)
{
	return &r->counters;
}

const char *
store_way_out(int error)
{
	switch (error) {
	case -ENOSPC:
	case -EDQUOT:
		return "make room on the disk of the store, or set min_free";
	case -EROFS:
	case -EACCES:
	case -EPERM:
		return "make the store writable for this user";
	case -ENOENT:
		return "its folder was removed: start the segmenter anew";
	case -EWOULDBLOCK: /* of a lock */
		return "another process writes it: end that one";
	default:
		return "look after the disk of the store";
	}
}

static int
failed(const struct store_rendition *r, int rc, const char *what, struct text *errors)
{
	text_fmt(errors, "store: %s/%s%s: %s; %s\n", r->station, r->name, what, strerror(-rc), store_way_out(rc));
	return -1;
}

/* The rendition's folder, its lock, its record. */
static int
open_folder(struct store_rendition *r, struct text *errors)
{
	struct text path;
	text_init(&path, 4096);
	text_fmt(&path, "%s/%s", r->station, r->name);
	int rc = path.full ? -ENOMEM : file_mkdirs(r->config.root, path.data);
	if (rc == 0 && (rc = file_open_beneath(r->config.root, path.data, O_RDONLY | O_DIRECTORY, 0)) >= 0)
		r->dir = rc;
	text_fini(&path);
	if (rc < 0)
		return failed(r, rc, "", errors);
	if ((r->lock = file_lock(r->dir, ".lock")) < 0)
		return failed(r, r->lock, "/.lock", errors);
	r->record = openat(r->dir, ".entry", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	return r->record < 0 ? failed(r, -errno, "/.entry", errors) : 0;
}

static void
say_resume(const struct store_rendition *r, struct store_resume *resume)
{
	*resume = (struct store_resume){ .any = r->any };
	if (r->any) {
		resume->format = r->last_format;
		resume->last = r->last;
		resume->runs = r->last_runs;
	}
	if (!r->entered)
		return;
	resume->next_msn = r->newest + 1;
	resume->discontinuity_sequence = r->discontinuity_sequence;
	resume->end = layout_grid(r->newest + 1, r->config.T);
}

int
store_rendition_open(const struct store_rendition_config *config, struct wall now, struct store_rendition **out,
    struct store_resume *resume, struct text *errors)
{
	struct store_rendition *r = calloc(1, sizeof *r);
	if (!r) {
		text_str(errors, "store: out of memory\n");
		return -1;
	}
	r->config = *config;
	r->dir = r->lock = r->record = -1;
	part_init(&r->part);
	text_init(&r->text, LIST_LIVE_MAX);
	r->config.station = r->station = strdup(config->station);
	r->config.name = r->name = strdup(config->name);
	int rc = -1;
	if (!r->station || !r->name || window_init(&r->window, config->window) < 0)
		text_str(errors, "store: out of memory\n");
	else if (open_folder(r, errors) == 0)
		rc = store_recover(r, now, errors);
	if (rc < 0) {
		store_rendition_close(&r);
		return -1;
	}
	say_resume(r, resume);
	*out = r;
	return 0;
}

void
store_rendition_close(struct store_rendition **rp)
{
	struct store_rendition *r = *rp;
	if (!r)
		return;
	part_close(&r->part);
	window_fini(&r->window);
	text_fini(&r->text);
	if (r->record >= 0)
		close(r->record);
	if (r->dir >= 0)
		close(r->dir);
	if (r->lock >= 0)
		close(r->lock); /* last: gives the lock back */
	free(r->hours);
	free(r->station);
	free(r->name);
	free(r);
	*rp = NULL;
}
