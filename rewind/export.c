/* A span of the store as a file, a stream or a folder. Everything is read twice: once to see whether it can be had, and
 * once to write it; what differs by then, because retention was faster, is said and not written. */
#include "rewind/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "rewind/excerpt.h"
#include "rewind/export_list.h"

#define LIST "index.m3u8"
#define TMP_LIST ".tmp-index.m3u8"
#define TMP_SEGMENT ".tmp-segment"
#define LIST_PIECE (64u << 10)

/* "rewind: fip/hifi: …" */
static void say(const struct export *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
say(const struct export *x, const char *fmt, ...)
{
	va_list ap;
	fprintf(x->out, "rewind: %s/%s: ", x->name.station, x->name.rendition);
	va_start(ap, fmt);
	vfprintf(x->out, fmt, ap);
	va_end(ap);
	fputc('\n', x->out);
}

/* --- what is there, and what is missing --- */

#define INSTANT_SIZE 128

/* "2026-11-21T09:00:06.000Z (10:00:06 on 2026-11-21, Europe/Paris)" */
static const char *
instant(const struct export *x, struct wall at, char out[static INSTANT_SIZE])
{
	char utc[WALL_TEXT_SIZE];
	wall_format(at, utc);
	if (!x->zone || !x->timezone || strcmp(x->timezone, "UTC") == 0) {
		snprintf(out, INSTANT_SIZE, "%s", utc);
		return out;
	}
	struct civil c = zone_local(x->zone, at.ns / NS_PER_S);
	snprintf(out, INSTANT_SIZE, "%s (%02d:%02d:%02d on %04d-%02d-%02d, %.40s)", utc, c.hour, c.minute, c.second,
	    c.year, c.month, c.day, x->timezone);
	return out;
}

static void
say_holes(const struct export *x, const struct excerpt *found)
{
	char from[INSTANT_SIZE], to[INSTANT_SIZE];
	say(x, "%" PRIu64 " gap%s of %" PRId64 ".%03d s in all", found->hole_count, found->hole_count == 1 ? "" : "s",
	    found->hole_ns / NS_PER_S, (int)(found->hole_ns % NS_PER_S / NS_PER_MS));
	for (size_t i = 0; i < found->hole_count && i < EXCERPT_HOLES; i++) {
		const struct excerpt_hole *h = &found->holes[i];
		fprintf(x->out, "  %s to %s%s%s\n", instant(x, h->from, from), instant(x, h->to, to),
		    *h->why ? ": " : "", h->why);
	}
	if (found->hole_count > EXCERPT_HOLES)
		fprintf(x->out, "  and %" PRIu64 " more\n", found->hole_count - EXCERPT_HOLES);
}

/* Look at the span: can it be had? */
static enum export_result
look(const struct export *x, struct excerpt *found)
{
	char a[INSTANT_SIZE], b[INSTANT_SIZE], format[48], other[48];
	int rc = excerpt_read(found, NULL, NULL);
	if (rc < 0) {
		say(x, "cannot be read: %s", strerror(-rc));
		return EXPORT_REFUSED;
	}
	if (found->hole_count)
		say_holes(x, found);
	if (found->segments == 0) {
		say(x, "nothing is stored from %s to %s; `ls` shows what is", instant(x, found->from, a),
		    instant(x, found->to, b));
		return EXPORT_REFUSED;
	}
	if (found->hole_count && !x->gaps) {
		say(x, "ask for a span without gaps, or say --gaps to leave them out");
		return EXPORT_REFUSED;
	}
	if (found->changes && !found->whole) {
		say(x,
		    "%s becomes %s at %s: one file cannot have both; export up to there and from there on, or into a "
		    "folder (-o DIR/)",
		    audio_format_text(&found->format, format), audio_format_text(&found->other, other),
		    instant(x, found->change, a));
		return EXPORT_REFUSED;
	}
	return EXPORT_DONE;
}

static void
say_done(const struct export *x, const struct excerpt *found)
{
	char first[INSTANT_SIZE], last[INSTANT_SIZE];
	if (found->fill)
		say(x, "warning: %" PRId64 ".%03d s of it are silence that was put in while nothing arrived",
		    found->fill_ns / NS_PER_S, (int)(found->fill_ns % NS_PER_S / NS_PER_MS));
	say(x,
	    "first frame %s, last frame %s: %" PRIu64 " frames, %" PRId64 ".%03d s, %" PRIu64 " bytes, %" PRIu64
	    " frames of fill",
	    instant(x, found->first, first), instant(x, found->last, last), found->frames,
	    found->duration_ns / NS_PER_S, (int)(found->duration_ns % NS_PER_S / NS_PER_MS), found->bytes, found->fill);
}

/* Read the span once more, to write it: it must be what it was. */
static enum export_result
write_span(const struct export *x, const struct excerpt *found,
    int (*each)(void *ctx, const struct excerpt_segment *segment), void *ctx)
{
	struct excerpt again = { .dir = found->dir, .from = found->from, .to = found->to, .whole = found->whole };
	int rc = excerpt_read(&again, each, ctx);
	if (rc < 0)
		say(x, "%s",
		    rc == -EEXIST ? "files of other content are in the way; say --force to replace them"
				  : strerror(-rc));
	else if (again.segments != found->segments || again.frames != found->frames || again.bytes != found->bytes)
		say(x, "the store changed meanwhile: try again");
	else
		return EXPORT_DONE;
	return EXPORT_REFUSED;
}

/* The rendition's folder: a descriptor, or -1 after saying why. */
static int
open_rendition(const struct export *x)
{
	char path[2 * INVENTORY_NAME_SIZE + 2];
	snprintf(path, sizeof path, "%s/%s", x->name.station, x->name.rendition);
	int fd = file_open_beneath(x->root, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		say(x, "%s", strerror(-fd));
	return fd < 0 ? -1 : fd;
}

/* --- where it goes --- */

static bool
ends_in(const char *path, const char *extension)
{
	size_t n = strlen(path), m = strlen(extension);
	return n > m && path[n - m - 1] != '/' && strcmp(path + n - m, extension) == 0;
}

enum export_form
export_form(const char *path)
{
	struct stat st;
	if (!path || strcmp(path, "-") == 0)
		return EXPORT_STREAM;
	if (ends_in(path, "/") || strcmp(path, "/") == 0 || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		return EXPORT_FOLDER;
	return ends_in(path, ".aac") || ends_in(path, ".mp3") ? EXPORT_FILE : EXPORT_UNKNOWN;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is this folder the store, or in it? Nothing is written there. -errno when it cannot be told. */
static int
in_store(const struct export *x, int folder)
{
	struct stat root, here, above;
	int fd = dup(folder), in = 0;
	if (fd < 0 || fstat(x->root, &root) < 0 || fstat(fd, &here) < 0)
		in = -errno;
	while (in == 0) {
		int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (same_file(&here, &root))
			in = 1;
		else if (up < 0 || fstat(up, &above) < 0)
			in = -errno;
		close(fd);
		fd = up;
		if (in == 0 && same_file(&here, &above))
			break; /* the root of all */
		here = above;
	}
	if (fd >= 0)
		close(fd);
	return in;
}

/* Open a folder to write to: a descriptor, or -1 with *result after saying why. */
static int
open_target(const struct export *x, const char *path, enum export_result *result)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int in = fd < 0 ? -errno : in_store(x, fd);
	*result = in == 1 ? EXPORT_MISUSED : EXPORT_REFUSED;
	if (in == 0)
		return fd;
	if (in == 1)
		say(x, "%s is in the store, which is only read", path);
	else
		say(x, "%s: %s", path, strerror(-in));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Give a finished file its name: 0 or -errno; -EEXIST when it is taken. */
static int
settle(int dir, const char *tmp, const char *name, bool force)
{
	int rc = force ? renameat(dir, tmp, dir, name) : renameat2(dir, tmp, dir, name, RENAME_NOREPLACE);
	if (rc < 0 && !force && (errno == EINVAL || errno == ENOSYS)) /* a file system that cannot promise it */
		rc = faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? (errno = EEXIST, -1)
									  : renameat(dir, tmp, dir, name);
	return rc < 0 ? -errno : 0;
}

/* --- frames --- */

static int
write_frames(void *ctx, const struct excerpt_segment *segment)
{
	return file_write_all(*(int *)ctx, segment->frames, segment->frames_len);
}

enum export_result
export_stream(const struct export *x, int fd)
{
	struct excerpt found = { .dir = open_rendition(x), .from = x->from, .to = x->to };
	if (found.dir < 0)
		return EXPORT_REFUSED;
	enum export_result result = look(x, &found);
	if (result == EXPORT_DONE)
		result = write_span(x, &found, write_frames, &fd);
	if (result == EXPORT_DONE)
		say_done(x, &found);
	close(found.dir);
	return result;
}

/* A file that nobody else has, as `tmp`, with the rights that any new file gets. A descriptor or -errno. */
static int
create_temporary(int dir, const char *name, char *tmp, size_t size)
{
	for (unsigned n = 0; n < 1000; n++) {
		int len = snprintf(tmp, size, ".tmp-%ld-%u-%s", (long)getpid(), n, name);
		int fd = len < (int)size ? openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)
					 : (errno = ENAMETOOLONG, -1);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}

static enum export_result
write_file(const struct export *x, const struct excerpt *found, int dir, const char *path, const char *name)
{
	char tmp[NAME_MAX + 1];
	int fd = create_temporary(dir, name, tmp, sizeof tmp);
	if (fd < 0) {
		say(x, "%s: %s", path, strerror(-fd));
		return EXPORT_REFUSED;
	}
	enum export_result result = write_span(x, found, write_frames, &fd);
	if (result == EXPORT_DONE) {
		int rc = fdatasync(fd) < 0 ? -errno : settle(dir, tmp, name, x->force);
		if (rc < 0)
			say(x, "%s: %s", path, strerror(-rc));
		result = rc < 0 ? EXPORT_REFUSED : EXPORT_DONE;
	}
	close(fd);
	if (result != EXPORT_DONE)
		unlinkat(dir, tmp, 0);
	return result;
}

/* May the file have this name? */
static enum export_result
check_name(const struct export *x, int dir, const char *path, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return EXPORT_DONE;
	if (!S_ISREG(st.st_mode)) {
		say(x, "%s is no plain file", path);
		return EXPORT_MISUSED;
	}
	if (x->force)
		return EXPORT_DONE;
	say(x, "%s is there already; say --force to replace it", path);
	return EXPORT_REFUSED;
}

static enum export_result
export_into(const struct export *x, int dir, const char *path, const char *name)
{
	enum export_result result = check_name(x, dir, path, name);
	if (result != EXPORT_DONE)
		return result;
	struct excerpt found = { .dir = open_rendition(x), .from = x->from, .to = x->to };
	if (found.dir < 0)
		return EXPORT_REFUSED;
	result = look(x, &found);
	const char *extension = found.format.codec == CODEC_AAC ? ".aac" : ".mp3";
	if (result == EXPORT_DONE && !ends_in(name, extension)) {
		say(x, "%s: this is %s audio, want a name in %s", path, audio_format_codecs(&found.format), extension);
		result = EXPORT_MISUSED;
	}
	if (result == EXPORT_DONE)
		result = write_file(x, &found, dir, path, name);
	if (result == EXPORT_DONE)
		say_done(x, &found);
	close(found.dir);
	return result;
}

/* The folder that `path` is to be in, as open_target gives it. */
static int
open_above(const struct export *x, const char *path, size_t len, enum export_result *result)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	char *above = len ? strndup(path, len) : strdup(".");
	int dir = above ? open_target(x, above, result) : -1;
	free(above);
	return dir;
}

enum export_result
export_file(const struct export *x, const char *path)
{
	enum export_result result = EXPORT_REFUSED;
	const char *slash = strrchr(path, '/');
	int dir = open_above(x, path, strlen(path), &result);
	if (dir < 0)
		return result;
	result = export_into(x, dir, path, slash ? slash + 1 : path);
	close(dir);
	return result;
}

/* --- whole segments --- */

struct folder {
	const struct export *x;
	int store, dir; /* the rendition's folder, and the one that is written */
	struct vod_list list;
	struct text text;
	int list_fd;
};

/* Copy on the disk where the file systems can, else what was read. 0 or -errno. */
static int
copy(const struct folder *f, const char *path, const struct excerpt_segment *segment, int to)
{
	int from = openat(f->store, path, O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };
	int rc = from < 0 || fstat(from, &st) < 0 ? -errno : 0;
	size_t left = segment->file_len;
	while (rc == 0 && left > 0) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, left, 0);
		if (n <= 0)
			break;
		left -= (size_t)n;
	}
	if (rc == 0 && left > 0)
		rc = file_write_all(to, (const char *)segment->file + (segment->file_len - left), left);
	if (rc == 0 && futimens(to, (struct timespec[2]){ { .tv_nsec = UTIME_OMIT }, st.st_mtim }) < 0)
		rc = -errno;
	if (from >= 0)
		close(from);
	return rc;
}

/* 1: the file is there already, 0: it is not, or may go; -EEXIST: other bytes are in the way; -errno. */
static int
is_there(const struct folder *f, const char *path, const struct excerpt_segment *segment)
{
	struct text there;
	text_init(&there, EXCERPT_SEGMENT_MAX);
	int rc = file_read(f->dir, path, &there);
	bool same = rc == 0 && there.len == segment->file_len && memcmp(there.data, segment->file, there.len) == 0;
	text_fini(&there);
	if (same)
		return 1;
	return rc == -ENOENT || f->x->force ? 0 : rc == 0 ? -EEXIST : rc;
}

static int
copy_segment(struct folder *f, const char *path, const struct excerpt_segment *segment)
{
	char hour[LAYOUT_NAME_SIZE];
	int rc = is_there(f, path, segment);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	snprintf(hour, sizeof hour, "%.*s", (int)strcspn(path, "/"), path);
	if (mkdirat(f->dir, hour, 0777) < 0 && errno != EEXIST)
		return -errno;
	int fd = openat(f->dir, TMP_SEGMENT, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	rc = fd < 0 ? -errno : copy(f, path, segment, fd);
	if (fd >= 0)
		close(fd);
	if (rc == 0 && renameat(f->dir, TMP_SEGMENT, f->dir, path) < 0)
		rc = -errno;
	return rc;
}

static int
flush_list(struct folder *f)
{
	int rc = f->text.full ? -ENOMEM : file_write_all(f->list_fd, f->text.data, f->text.len);
	text_clear(&f->text);
	return rc;
}

static int
take_segment(void *ctx, const struct excerpt_segment *segment)
{
	struct folder *f = ctx;
	char path[LAYOUT_NAME_SIZE];
	layout_segment_path(segment->entry->msn, f->list.T, segment->entry->kind, path);
	int rc = copy_segment(f, path, segment);
	vod_list_entries(&f->list, &f->text, segment->entry, 1, segment->hole);
	if (rc == 0 && f->text.len > LIST_PIECE)
		rc = flush_list(f);
	return rc;
}

static enum export_result
write_segments(struct folder *f, const struct excerpt *found)
{
	const struct export *x = f->x;
	/* a list that is to be replaced goes first: it must never name segments of another export */
	if (x->force)
		unlinkat(f->dir, LIST, 0);
	f->list = (struct vod_list){ .T = found->T, .target = found->target, .independent = found->independent };
	f->list_fd = openat(f->dir, TMP_LIST, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (f->list_fd < 0) {
		say(x, TMP_LIST ": %s", strerror(errno));
		return EXPORT_REFUSED;
	}
	text_init(&f->text, 2 * LIST_PIECE);
	enum export_result result = write_span(x, found, take_segment, f);
	if (result == EXPORT_DONE) {
		vod_list_end(&f->text);
		int rc = flush_list(f);
		if (rc == 0) /* all segments are on the disk before there is a list */
			rc = syncfs(f->list_fd) < 0 ? -errno : settle(f->dir, TMP_LIST, LIST, x->force);
		if (rc < 0)
			say(x, LIST ": %s", strerror(-rc));
		result = rc < 0 ? EXPORT_REFUSED : EXPORT_DONE;
	}
	text_fini(&f->text);
	close(f->list_fd);
	unlinkat(f->dir, TMP_SEGMENT, 0);
	if (result != EXPORT_DONE)
		unlinkat(f->dir, TMP_LIST, 0);
	return result;
}

static enum export_result
fill_folder(struct folder *f, const char *path)
{
	const struct export *x = f->x;
	if (flock(f->dir, LOCK_EX | LOCK_NB) < 0) {
		say(x, "%s: %s", path, errno == EWOULDBLOCK ? "another export writes there" : strerror(errno));
		return EXPORT_REFUSED;
	}
	enum export_result result = check_name(x, f->dir, LIST, LIST);
	if (result != EXPORT_DONE)
		return result;
	struct excerpt found = { .dir = f->store, .from = x->from, .to = x->to, .whole = true };
	result = look(x, &found);
	if (result == EXPORT_DONE)
		result = write_segments(f, &found);
	if (result == EXPORT_DONE)
		say_done(x, &found);
	return result;
}

/* Make the folder if it is missing, but not in the store. 0, or -1 with *result after saying why. */
static int
make_target(const struct export *x, const char *path, bool *made, enum export_result *result)
{
	size_t len = strlen(path);
	struct stat st;
	if (stat(path, &st) == 0)
		return 0; /* a folder, or open_target says what it is */
	while (len > 1 && path[len - 1] == '/')
		len--;
	int above = open_above(x, path, len, result);
	if (above < 0)
		return -1;
	close(above);
	*made = mkdir(path, 0777) == 0;
	return 0;
}

enum export_result
export_folder(const struct export *x, const char *path)
{
	enum export_result result = EXPORT_REFUSED;
	struct folder f = { .x = x, .store = open_rendition(x), .dir = -1 };
	if (f.store < 0)
		return result;
	bool made = false;
	if (make_target(x, path, &made, &result) == 0)
		f.dir = open_target(x, path, &result);
	if (f.dir >= 0) {
		result = fill_folder(&f, path);
		close(f.dir);
	}
	if (made && result != EXPORT_DONE)
		rmdir(path); /* stays when there is something in it */
	close(f.store);
	return result;
}
