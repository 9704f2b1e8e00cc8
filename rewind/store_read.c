/* Reading the store: which hours there are, and what is in one. */
#include "rewind/store_rendition.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define TAIL_BYTES 256

int
store_each_name(int dir, int (*each)(void *ctx, const char *name), void *ctx)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d) {
		int rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	int rc = 0;
	while (rc == 0) {
		errno = 0;
		const struct dirent *e = readdir(d);
		if (!e) {
			rc = -errno;
			break;
		}
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = each(ctx, e->d_name);
	}
	closedir(d);
	return rc;
}

static int
remove_temporary(void *ctx, const char *name)
{
	const int *dir = ctx;
	if (strncmp(name, STORE_TMP, strlen(STORE_TMP)) == 0 && unlinkat(*dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

int
store_remove_temporary(int dir)
{
	return store_each_name(dir, remove_temporary, &dir);
}

struct scan {
	struct hour_files *files;
	size_t count, room;
};

static int
add_name(void *ctx, const char *name)
{
	struct scan *s = ctx;
	struct hour_files f = { 0 };
	bool part;
	if (layout_parse_hour_file(name, &f.hour, &part) == 0) {
		f.part = part;
		f.final = !part;
	} else if (layout_parse_hour_dir(name, &f.hour) == 0) {
		f.folder = true;
	} else {
		return 0;
	}
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct hour_files *files = realloc(s->files, room * sizeof *files);
		if (!files)
			return -ENOMEM;
		s->files = files;
		s->room = room;
	}
	s->files[s->count++] = f;
	return 0;
}

static int
by_hour(const void *a, const void *b)
{
	uint64_t x = ((const struct hour_files *)a)->hour, y = ((const struct hour_files *)b)->hour;
	return (x > y) - (x < y);
}

/* What was found of the same hour becomes one. */
static size_t
join(struct hour_files *files, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (n == 0 || files[n - 1].hour != files[i].hour) {
			files[n++] = files[i];
			continue;
		}
		files[n - 1].final |= files[i].final;
		files[n - 1].part |= files[i].part;
		files[n - 1].folder |= files[i].folder;
	}
	return n;
}

int
store_scan(int dir, struct hour_files **out, size_t *count)
{
	struct scan s = { 0 };
	int rc = store_each_name(dir, add_name, &s);
	if (rc < 0) {
		free(s.files);
		return rc;
	}
	if (s.count)
		qsort(s.files, s.count, sizeof *s.files, by_hour);
	*out = s.files;
	*count = join(s.files, s.count);
	return 0;
}

int
store_read_tail(int fd, struct hour_rate *rate)
{
	char tail[TAIL_BYTES];
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t n = size < 0 ? -1 : pread(fd, tail, sizeof tail, size > TAIL_BYTES ? size - TAIL_BYTES : 0);

	return n > 0 ? hour_parse_tail(tail, (size_t)n, rate) : -1;
}

int
store_read_hour_in(int dir, uint64_t hour, struct hour *h, char why[static 128])
{
	char name[LAYOUT_NAME_SIZE], final[LAYOUT_NAME_SIZE + 8], part[LAYOUT_NAME_SIZE + 16];
	layout_hour_name(hour, name);
	snprintf(final, sizeof final, "%s.m3u8", name);
	snprintf(part, sizeof part, "%s.m3u8.part", name);

	struct text t;
	text_init(&t, HOUR_FILE_MAX + 1);
	int rc = file_read(dir, final, &t);
	if (rc == -ENOENT)
		rc = file_read(dir, part, &t);
	if (rc == -ENOENT) /* it was renamed in between */
		rc = file_read(dir, final, &t);
	if (rc == 0 && hour_parse(t.data ? t.data : "", t.len, h, why) < 0)
		rc = -EBADMSG;
	text_fini(&t);
	return rc;
}

/* The rendition's folder: a descriptor, or -errno. */
static int
open_rendition(int root, const char *station, const char *rendition)
{
	struct text path;
	text_init(&path, 4096);
	text_fmt(&path, "%s/%s", station, rendition);
	int fd = path.full ? -ENAMETOOLONG : file_open_beneath(root, path.data, O_RDONLY | O_DIRECTORY, 0);
	text_fini(&path);
	return fd;
}

int
store_read_hour(
    int root, const char *station, const char *rendition, uint64_t hour, struct hour *h, char why[static 128])
{
	int dir = open_rendition(root, station, rendition);
	if (dir < 0)
		return dir;
	int rc = store_read_hour_in(dir, hour, h, why);
	close(dir);
	return rc;
}

int
store_list_hours(int root, const char *station, const char *rendition, struct store_hour **hours, size_t *count)
{
	struct hour_files *files;
	size_t found, n = 0;
	int dir = open_rendition(root, station, rendition);
	if (dir < 0)
		return dir;
	int rc = store_scan(dir, &files, &found);
	close(dir);
	if (rc < 0)
		return rc;
	struct store_hour *out = calloc(found ? found : 1, sizeof *out);
	for (size_t i = 0; out && i < found; i++)
		if (files[i].final || files[i].part)
			out[n++] = (struct store_hour){ files[i].hour, !files[i].final };
	free(files);
	if (!out)
		return -ENOMEM;
	*hours = out;
	*count = n;
	return 0;
}
