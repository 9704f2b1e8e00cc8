/* Files: whole reads, replacement by rename, paths that cannot leave a directory. Errors are -errno. */
#ifndef HINDCAST_FILE_H
#define HINDCAST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct text;

/* Open relative to `dirfd` so that no component leaves it: openat2 with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS
 * (symbolic links that stay beneath are followed). fd >= 0, or -errno. */
int file_open_beneath(int dirfd, const char *path, int flags, unsigned mode);

/* Append the whole file to `out` (whose ceiling bounds it; -EFBIG when it is larger). 0 or -errno. */
int file_read(int dirfd, const char *path, struct text *out);

/* Write all bytes, over short writes and EINTR. 0 or -errno. */
int file_write_all(int fd, const void *data, size_t len);

struct file_replace {
	const char *tmp;   /* temporary name in the same directory: begins with '.' */
	const char *name;  /* final name */
	struct wall mtime; /* ns 0: leave as it is */
	bool sync;         /* fdatasync before the rename, fsync of the directory after it */
};

/* Write `data` to tmp and rename it to name, both relative to dirfd (which is the directory itself, not a parent).
 * On failure tmp is removed and whatever `name` was stays (but for a failed fsync of the directory, when the new file
 * is in place and may not outlive a power cut). 0 or -errno. */
int file_replace(int dirfd, const struct file_replace *how, const void *data, size_t len);

/* mkdir -p beneath dirfd, mode 0755. 0 or -errno. */
int file_mkdirs(int dirfd, const char *path);

/* Take the exclusive lock file `name` in dirfd (flock, created if missing). fd to keep open; -EWOULDBLOCK when another
 * process has it. */
int file_lock(int dirfd, const char *name);

/* Remove a regular file, or a directory with the regular files and directories in it, at most 8 deep. Links are neither
 * followed nor removed; what is of another kind stays (-EPERM), and so do the directories above it. Goes on after a
 * failure; 0, or -errno of the first. */
int file_remove_tree(int dirfd, const char *name);

/* Bytes that an unprivileged process can still write on this file system, or -errno. */
int64_t file_free_bytes(int dirfd);

#endif
