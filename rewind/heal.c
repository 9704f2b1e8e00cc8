/* Fetching from a peer what an hour lacks. */
#include "rewind/heal.h"

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
#include "base/text.h"
#include "rewind/heal_hour.h"
#include "rewind/peer.h"
#include "rewind/store_rendition.h"

#define PATH_SIZE 256
#define SEGMENT_RATE 262144 /* bytes a second of audio that no segment is above */
#define SEGMENT_EXTRA 65536

/* One hour that is fetched. */
struct fetch {
	const struct heal *heal;
	uint64_t hour;
	char name[LAYOUT_NAME_SIZE]; /* of the hour */
	int dir, folder;             /* the rendition's and the hour's; -1 */
	struct hour own;             /* count 0: there is no file */
	bool exists;
	struct hour peer;
	struct text data;
};

static int
open_dir(const struct heal *h)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof path, "%s/%s", h->station, h->rendition);
	return file_open_beneath(h->root, path, O_RDONLY | O_DIRECTORY, 0);
}

bool
heal_due(const struct heal *h, uint64_t hour)
{
	char name[LAYOUT_NAME_SIZE], file[LAYOUT_NAME_SIZE + 16];
	struct hour_rate rate;
	struct stat st;
	int dir = open_dir(h);
	if (dir < 0)
		return false;
	snprintf(file, sizeof file, "%s.m3u8", layout_hour_name(hour, name));
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool due = false;
	if (fd >= 0) {
		/* every segment ends within half of a frame of its grid line: less than a second is no gap */
		due = store_read_tail(fd, &rate) == 0 && rate.duration_us + 1000000 < UINT64_C(3600) * 1000000;
		close(fd);
	} else if (errno == ENOENT) {
		snprintf(file, sizeof file, "%s.m3u8.part", name);
		due = fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
	}
	close(dir);
	return due;
}

/* --- what the peer says --- */

static int
refuse_listing(struct fetch *f, const char *why)
{
	char safe[160];
	const struct heal *h = f->heal;
	h->counters->refused_listing++;
	log_warn("peer's hour file is refused station=%s rendition=%s hour=%s peer=%s why=%s", h->station, h->rendition,
	    f->name, peer_name(h->peer), log_safe(why, safe, sizeof safe));
	return -EBADMSG;
}

static int
peer_failed(struct fetch *f, const char *path, int rc)
{
	char safe[160];
	const struct heal *h = f->heal;
	if (rc != -EHOSTDOWN)
		return rc;
	h->counters->peer_failures++;
	log_warn("peer does not answer as it should peer=%s file=%s/%s/%s why=%s", peer_name(h->peer), h->station,
	    h->rendition, path, log_safe(peer_why(h->peer), safe, sizeof safe));
	return rc;
}

static int
get(struct fetch *f, const char *path, size_t most)
{
	char full[PATH_SIZE];
	const struct heal *h = f->heal;
	text_fini(&f->data);
	text_init(&f->data, most + 1);
	snprintf(full, sizeof full, "%s/%s/%s", h->station, h->rendition, path);
	return peer_failed(f, path, peer_get(h->peer, full, most, &f->data));
}

static int
fetch_listing(struct fetch *f)
{
	char path[LAYOUT_NAME_SIZE + 8], why[128] = "";
	const struct heal *h = f->heal;
	snprintf(path, sizeof path, "%s.m3u8", f->name);
	int rc = get(f, path, HOUR_FILE_MAX);
	if (rc == -EFBIG || rc == -EPROTO)
		return refuse_listing(f, peer_why(h->peer));
	if (rc < 0)
		return rc;
	if (hour_parse(f->data.data ? f->data.data : "", f->data.len, &f->peer, why) < 0)
		return refuse_listing(f, why);
	if (f->peer.segment != h->T)
		return refuse_listing(f, "its segments have another duration");
	if (layout_hour(f->peer.first_msn, h->T) != f->hour)
		return refuse_listing(f, "it is of another hour");
	return f->peer.ended ? 0 : -EAGAIN;
}

/* --- one segment --- */

/* What is wrong with an entry by itself; NULL: nothing. */
static const char *
entry_fault(const struct heal *h, const struct hour_entry *e, const struct audio_format *format)
{
	const int64_t T = h->T;
	if ((e->kind == LAYOUT_TS) == h->packed)
		return "it is in another container";
	if (e->bytes == 0 || e->bytes > (uint64_t)T * SEGMENT_RATE + SEGMENT_EXTRA)
		return "no segment is that large";
	if (e->samples == 0 || e->samples > 2 * (uint64_t)T * format->rate || e->fill > e->frames)
		return "its counts cannot be";
	if (e->duration_us != (e->samples * 1000000 + format->rate / 2) / format->rate)
		return "EXTINF is not what its samples last";
	if (e->duration_us >= (uint64_t)T * 1000000 + 500000)
		return "EXTINF is above the target duration";
	if (llabs(e->start.ns - layout_grid(e->msn, h->T).ns) > T * NS_PER_S / 2)
		return "its start is far from its grid line";
	return NULL;
}

/* What is wrong with the bytes, which are as many as the entry says; NULL: nothing. */
static const char *
bytes_fault(
    const struct fetch *f, const struct hour_entry *e, const struct audio_format *format, struct segment_facts *facts)
{
	if (f->data.len != e->bytes)
		return "it has another size";
	if (XXH64(f->data.data, f->data.len, 0) != e->xxh64)
		return "it has another xxh64";
	if (segment_read((const uint8_t *)f->data.data, f->data.len, e->kind == LAYOUT_TS, e->msn, facts, NULL, NULL) <
	    0)
		return facts->why;
	struct audio_format got = facts->format;
	got.profile = format->profile; /* is not in it */
	if (!audio_format_equal(&got, format))
		return "it holds another format";
	if (facts->frames != e->frames || facts->samples != e->samples || facts->audio_bytes != e->audio_bytes)
		return "it holds other frames";
	if (facts->pts.t != ticks_at(e->anchor, e->sample, format->rate).t)
		return "it begins at another PTS";
	return NULL;
}

/* 0: not for us. */
static int
refuse_segment(const struct fetch *f, const char *path, const char *why)
{
	char safe[200];
	const struct heal *h = f->heal;
	h->counters->refused_segment++;
	log_warn("peer's segment is refused station=%s rendition=%s file=%s peer=%s why=%s", h->station, h->rendition,
	    path, peer_name(h->peer), log_safe(why, safe, sizeof safe));
	return 0;
}

/* The hour's folder, with the mark that says what happens in it. */
static int
enter_folder(struct fetch *f)
{
	const struct heal *h = f->heal;
	if (f->folder >= 0)
		return 0;
	int rc = store_healing_begin(f->dir, f->hour, h->sync);
	if (rc == 0 && mkdirat(f->dir, f->name, 0755) < 0 && errno != EEXIST)
		rc = -errno;
	if (rc == 0 && h->sync && fsync(f->dir) < 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	f->folder = openat(f->dir, f->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return f->folder < 0 ? -errno : 0;
}

/* A file that has the name already: 1: it is this segment, 0: it is not and stays, -ENOENT: there is none. */
static int
present(struct fetch *f, const char *path, const struct hour_entry *e, const struct audio_format *format)
{
	const struct heal *h = f->heal;
	struct segment_facts facts;
	struct stat st;
	if (fstatat(f->folder, strchr(path, '/') + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	text_fini(&f->data);
	text_init(&f->data, (size_t)e->bytes + 1);
	int rc = S_ISREG(st.st_mode) ? file_read(f->folder, strchr(path, '/') + 1, &f->data) : -EFBIG;
	if (rc == 0 && f->data.len > 0 && !bytes_fault(f, e, format, &facts))
		return 1;
	if (rc < 0 && rc != -EFBIG)
		return rc;
	h->counters->refused_present++;
	log_warn("a file of that name is there already and stays station=%s rendition=%s file=%s", h->station,
	    h->rendition, path);
	return 0;
}

/* 1: the segment of this entry is in its place, 0: it is not for us, or -errno. */
static int
fetch_segment(struct fetch *f, const struct hour_entry *e, const struct audio_format *format)
{
	const struct heal *h = f->heal;
	struct segment_facts facts = { 0 };
	char path[LAYOUT_NAME_SIZE];
	layout_segment_path(e->msn, h->T, e->kind, path);
	const char *fault = entry_fault(h, e, format);
	if (fault)
		return refuse_segment(f, path, fault);
	int rc = enter_folder(f);
	if (rc == 0 && (rc = present(f, path, e, format)) != -ENOENT)
		return rc;
	if (rc == -ENOENT)
		rc = get(f, path, (size_t)e->bytes);
	if (rc == -ENOENT || rc == -EFBIG || rc == -EPROTO)
		return refuse_segment(f, path, peer_why(h->peer));
	if (rc < 0)
		return rc;
	if ((fault = bytes_fault(f, e, format, &facts)))
		return refuse_segment(f, path, fault);
	struct file_replace how = {
		.tmp = STORE_TMP "heal",
		.name = strchr(path, '/') + 1,
		.mtime = layout_grid(e->msn + 1, h->T),
		.sync = h->sync,
	};
	rc = file_replace(f->folder, &how, f->data.data, f->data.len);
	if (rc < 0)
		return rc;
	h->counters->segments++;
	h->counters->bytes += f->data.len;
	return 1;
}

/* --- the hour --- */

/* Below min_free the oldest hours go; were they fetched again at once, it would have no end. */
static bool
scarce(const struct fetch *f)
{
	int64_t left = f->heal->min_free > 0 ? file_free_bytes(f->dir) : 0;
	return f->heal->min_free > 0 && left >= 0 && left / 2 < f->heal->min_free;
}

/* All that the hour lacks; entries that are not for us become gaps. */
static int
fetch_segments(struct fetch *f, size_t *count)
{
	int rc = 0;
	for (size_t i = 0; i < f->peer.count; i++) {
		struct hour_entry *e = &f->peer.entries[i];
		int taken = 0;
		if (rc == 0 && heal_hour_lacks(f->exists ? &f->own : NULL, &f->peer, i)) {
			taken = scarce(f) ? -ENOSPC : fetch_segment(f, e, &f->peer.formats[e->format]);
			rc = taken < 0 ? taken : 0;
		}
		if (taken == 1) {
			++*count;
		} else if (!e->gap) {
			bool discontinuity = e->discontinuity;
			*e = hour_gap(e->msn, f->peer.segment, e->kind, e->discontinuity_sequence);
			e->discontinuity = discontinuity;
		}
	}
	return rc;
}

static int
read_own(struct fetch *f)
{
	char why[128];
	int rc = store_read_hour_in(f->dir, f->hour, &f->own, why);
	if (rc == -ENOENT)
		return 0;
	f->exists = rc == 0;
	if (rc == 0 && (!f->own.ended || f->own.segment != f->heal->T))
		rc = -EAGAIN;
	return rc;
}

static size_t
count_lacking(const struct fetch *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->peer.count; i++)
		n += heal_hour_lacks(f->exists ? &f->own : NULL, &f->peer, i);
	return n;
}

/* Both hour files. 0 or -errno. */
static int
begin(struct fetch *f, const struct heal *h, uint64_t hour)
{
	*f = (struct fetch){ .heal = h, .hour = hour, .folder = -1 };
	layout_hour_name(hour, f->name);
	text_init(&f->data, 1);
	f->dir = open_dir(h);
	int rc = f->dir < 0 ? f->dir : read_own(f);
	return rc == 0 ? fetch_listing(f) : rc;
}

static void
end(struct fetch *f)
{
	hour_free(&f->own);
	hour_free(&f->peer);
	text_fini(&f->data);
	if (f->folder >= 0)
		close(f->folder);
	if (f->dir >= 0)
		close(f->dir);
}

int
heal_look(const struct heal *h, uint64_t hour, size_t *count)
{
	struct fetch f;
	int rc = begin(&f, h, hour);
	*count = rc == 0 ? count_lacking(&f) : 0;
	end(&f);
	return rc;
}

int
heal_fetch(const struct heal *h, uint64_t hour, struct hour *found, size_t *count)
{
	struct fetch f;
	*count = 0;
	int rc = begin(&f, h, hour);
	if (rc == 0 && count_lacking(&f) > 0)
		rc = fetch_segments(&f, count);
	if (f.folder >= 0 && *count == 0)
		store_healing_end(f.dir);
	if (*count) {
		*found = f.peer;
		f.peer = (struct hour){ 0 };
	}
	end(&f);
	return rc;
}
