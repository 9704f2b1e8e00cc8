/* Retention: whole hours go, oldest first, the listing before its folder. */
#include "rewind/store_rendition.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define LIST_KEPT_NS (60 * NS_PER_S) /* that long caches keep a list which is no longer advertised */

/* How long after retention the segments of an hour are kept. A list over max_span, rounded up to the grid, is given out
 * until its beginning is retention + max_span old; then for its own length and that of a segment what it names has to
 * be there (RFC 8216 6.2.2). It may begin with the last segment of the hour, whose length that of the hour is counted
 * from. */
static int64_t
folder_kept_ns(const struct store_rendition_config *c)
{
	return 2 * (c->max_span_ns + c->T * NS_PER_S) + LIST_KEPT_NS;
}

static int64_t
free_bytes(const struct store_rendition *r)
{
	return r->config.free_bytes ? r->config.free_bytes(r->config.free_ctx) : file_free_bytes(r->dir);
}

/* Only segments and what a segment was written to; anything else stays, and the folder with it. */
static int
remove_segment(void *ctx, const char *name)
{
	const int *folder = ctx;
	struct wall grid;
	enum layout_kind kind;
	bool ours = layout_parse_segment(name, &grid, &kind) == 0 || strncmp(name, STORE_TMP, strlen(STORE_TMP)) == 0;
	return ours && unlinkat(*folder, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int
remove_folder(int dir, const char *name)
{
	int folder = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0)
		return errno == ENOENT ? 0 : -errno;
	int rc = store_each_name(folder, remove_segment, &folder);
	close(folder);
	return rc == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : rc;
}

static int
remove_listing(struct store_rendition *r, uint64_t hour, const char *name)
{
	static const char *const endings[] = { ".m3u8", ".m3u8.part" };
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		char file[LAYOUT_NAME_SIZE + 16];
		snprintf(file, sizeof file, "%s%s", name, endings[i]);
		if (unlinkat(r->dir, file, 0) < 0 && errno != ENOENT)
			return -errno;
	}
	/* on the disk before its folder goes: a listing that came back after a power cut would name nothing */
	if (r->config.sync && fsync(r->dir) < 0)
		return -errno;
	for (size_t i = 0; i < r->hour_count; i++) {
		if (r->hours[i].hour != hour)
			continue;
		memmove(&r->hours[i], &r->hours[i + 1], (--r->hour_count - i) * sizeof *r->hours);
		break;
	}
	return 0;
}

/* The first hour that stays whatever its age: the open one, the one that it is now, the oldest of the live list, or the
 * one with the newest entry, whose number the next one follows. */
static uint64_t
first_kept(const struct store_rendition *r, struct wall now)
{
	uint64_t hour = (uint64_t)(now.ns / NS_PER_S / 3600);
	if (r->entered && layout_hour(r->newest, r->config.T) < hour)
		hour = layout_hour(r->newest, r->config.T);
	if (r->part.fd >= 0 && r->part.hour < hour)
		hour = r->part.hour;
	if (r->window.count && layout_hour(r->window.entries[0].msn, r->config.T) < hour)
		hour = layout_hour(r->window.entries[0].msn, r->config.T);
	return hour;
}

/* Remove of one hour what is due. 1: nothing is left of it, 0: something stays, or -errno. */
static int
retain_hour(struct store_rendition *r, const struct hour_files *f, bool listing, bool folder)
{
	char name[LAYOUT_NAME_SIZE];
	layout_hour_name(f->hour, name);
	int rc = 0;
	if (listing && (f->final || f->part))
		rc = remove_listing(r, f->hour, name);
	if (rc == 0 && folder && f->folder)
		rc = remove_folder(r->dir, name);
	if (rc < 0) {
		r->counters.errors++;
		log_error("hour is not removed station=%s rendition=%s hour=%s error=\"%s\"", r->station, r->name, name,
		    strerror(-rc));
		return rc;
	}
	return listing && (folder || !f->folder);
}

static int
retain(struct store_rendition *r, const struct hour_files *files, size_t count, struct wall now)
{
	const struct store_rendition_config *c = &r->config;
	const uint64_t kept = first_kept(r, now);
	const int64_t free_now = c->min_free > 0 ? free_bytes(r) : 0;
	bool scarce = c->min_free > 0 && free_now >= 0 && free_now < c->min_free;
	int removed = 0, error = 0;
	for (size_t i = 0; i < count && files[i].hour < kept; i++) {
		int64_t age = now.ns - (int64_t)(files[i].hour + 1) * 3600 * NS_PER_S - c->retention_ns;
		bool folder = age >= folder_kept_ns(c);
		bool for_space = !folder && scarce;
		char name[LAYOUT_NAME_SIZE];
		if (for_space)
			log_error(
			    "disk space is scarce: hour is removed early station=%s rendition=%s hour=%s free=%" PRId64
			    " min_free=%" PRId64,
			    r->station, r->name, layout_hour_name(files[i].hour, name), free_now, c->min_free);
		int rc = retain_hour(r, &files[i], for_space || age >= c->max_span_ns, for_space || folder);
		scarce = scarce && rc != 1;
		if (rc < 0 && !error)
			error = rc;
		if (rc != 1)
			continue;
		removed++;
		r->counters.hours_removed++;
		r->counters.hours_removed_for_space += for_space;
	}
	return removed || !error ? removed : error;
}

int
store_rendition_retain(struct store_rendition *r, struct wall now)
{
	struct hour_files *files;
	size_t count;
	int rc = store_scan(r->dir, &files, &count);
	if (rc < 0)
		return rc;
	rc = retain(r, files, count, now);
	free(files);
	return rc;
}
