/* Files: whole reads, replacement by rename, paths that cannot leave a directory. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

#define READ_SIZE 16384
#define PATH_LONGEST 4096
#define NAME_LONGEST 255
#define DEEPEST 8
#define OPEN_TRIES 16

int
file_open_beneath(int dirfd, const char *path, int flags, unsigned mode)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	/* EAGAIN: something was renamed while a ".." was resolved, see openat2(2) */
	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

/* Read to the end. A read of 0 bytes is the end; the ceiling of `out` is the only bound. */
static int
read_all(int fd, struct text *out)
{
	char buffer[READ_SIZE];

	for (;;) {
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		bool too_large = (size_t)n > out->max - out->len;
		text_add(out, buffer, (size_t)n);
		if (out->full)
			return too_large ? -EFBIG : -ENOMEM;
	}
}

int
file_read(int dirfd, const char *path, struct text *out)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	int err = read_all(fd, out);
	close(fd);
	return err;
}

int
file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The modification time goes before fdatasync: the inode that brings the new size to the disk then carries it too. */
static int
fill(int fd, const struct file_replace *how, const void *data, size_t len)
{
	int err = file_write_all(fd, data, len);

	if (err)
		return err;
	if (how->mtime.ns) {
		struct timespec times[2] = {
			{ .tv_nsec = UTIME_OMIT },
			{ .tv_sec = how->mtime.ns / NS_PER_S, .tv_nsec = how->mtime.ns % NS_PER_S },
		};
		if (futimens(fd, times) < 0)
			return -errno;
	}
	return how->sync && fdatasync(fd) < 0 ? -errno : 0;
}

int
file_replace(int dirfd, const struct file_replace *how, const void *data, size_t len)
{
	int fd = openat(dirfd, how->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	int err = fill(fd, how, data, len);
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && renameat(dirfd, how->tmp, dirfd, how->name) < 0)
		err = -errno;
	if (err) {
		unlinkat(dirfd, how->tmp, 0);
		return err;
	}
	return how->sync && fsync(dirfd) < 0 ? -errno : 0;
}

/* Create the last component of `path` in `parent` and open it, seen from `root` so that no link leads out. */
static int
make_and_enter(int root, int parent, const char *path, const char *name)
{
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	return file_open_beneath(root, path, O_PATH | O_DIRECTORY, 0);
}

int
file_mkdirs(int dirfd, const char *path)
{
	char buffer[PATH_LONGEST];
	int at = dirfd, err = 0;
	size_t len = strlen(path);

	if (len >= sizeof buffer)
		return -ENAMETOOLONG;
	if (path[0] == '/')
		return -EXDEV; /* as openat2 says it */
	memcpy(buffer, path, len + 1);
	for (char *name = buffer, *end; *name && !err; name = end) {
		end = name + strcspn(name, "/");
		char *next = end + strspn(end, "/");
		*end = '\0';
		int fd = make_and_enter(dirfd, at, buffer, name);
		if (next < buffer + len)
			*end = '/';
		end = next;
		if (at != dirfd)
			close(at);
		at = fd < 0 ? dirfd : fd;
		err = fd < 0 ? fd : 0;
	}
	if (at != dirfd)
		close(at);
	return err;
}

int
file_lock(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* The directories from the top to the one that is being emptied. */
struct descent {
	struct {
		DIR *dir;
		char name[NAME_LONGEST + 1];
	} level[DEEPEST];
	int top, depth;
};

static int
parent_of(const struct descent *d)
{
	return d->depth == 0 ? d->top : dirfd(d->level[d->depth - 1].dir);
}

static int
enter(struct descent *d, const char *name)
{
	if (d->depth == DEEPEST)
		return -ELOOP;
	int fd = openat(parent_of(d), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		int err = -errno;
		close(fd);
		return err;
	}
	d->level[d->depth].dir = dir;
	snprintf(d->level[d->depth].name, sizeof d->level[d->depth].name, "%s", name);
	d->depth++;
	return 0;
}

/* Leave the directory, which is empty now or else stays. */
static int
leave(struct descent *d)
{
	d->depth--;
	closedir(d->level[d->depth].dir);
	return unlinkat(parent_of(d), d->level[d->depth].name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* A file goes, a directory is entered, anything else stays and so keeps its directory. */
static int
remove_or_enter(struct descent *d, const char *name)
{
	struct stat st;

	if (fstatat(parent_of(d), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return unlinkat(parent_of(d), name, 0) < 0 ? -errno : 0;
	if (S_ISDIR(st.st_mode))
		return enter(d, name);
	return -EPERM;
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int
file_remove_tree(int dirfd, const char *name)
{
	struct descent d = { .top = dirfd };

	if (!*name || is_dots(name) || strchr(name, '/'))
		return -EINVAL;
	int first = remove_or_enter(&d, name);
	while (d.depth > 0) {
		struct dirent *entry = readdir(d.level[d.depth - 1].dir);
		int err = 0;
		if (!entry)
			err = leave(&d);
		else if (!is_dots(entry->d_name))
			err = remove_or_enter(&d, entry->d_name);
		first = first ? first : err;
	}
	return first;
}

int64_t
file_free_bytes(int dirfd)
{
	struct statvfs fs;

	if (fstatvfs(dirfd, &fs) < 0)
		return -errno;
	uint64_t blocks = fs.f_bavail, size = fs.f_frsize;
	return size && blocks > INT64_MAX / size ? INT64_MAX : (int64_t)(blocks * size);
}
