/* The unfinished hour file. */
#include "rewind/store_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

struct names {
	char final[LAYOUT_NAME_SIZE + 8], part[LAYOUT_NAME_SIZE + 16];
};

static struct names
names_of(uint64_t hour)
{
	struct names n;
	char name[LAYOUT_NAME_SIZE];
	layout_hour_name(hour, name);
	snprintf(n.final, sizeof n.final, "%s.m3u8", name);
	snprintf(n.part, sizeof n.part, "%s.m3u8.part", name);
	return n;
}

void
part_init(struct store_part *p)
{
	*p = (struct store_part){ .fd = -1, .folder = -1 };
}

void
part_close(struct store_part *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->folder >= 0)
		close(p->folder);
	part_init(p);
}

int
part_create(struct store_part *p, int dir, uint64_t hour, uint32_t T, uint64_t discontinuity_sequence, bool sync)
{
	struct names n = names_of(hour);
	struct stat st;
	if (fstatat(dir, n.final, &st, AT_SYMLINK_NOFOLLOW) == 0 || fstatat(dir, n.part, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	char memory[512];
	struct text head;
	text_init_fixed(&head, memory, sizeof memory);
	hour_write_head(&head, layout_hour_first(hour, T), T, discontinuity_sequence);
	struct file_replace how = { .tmp = ".tmp-hour", .name = n.part, .sync = sync };
	int rc = file_replace(dir, &how, head.data, head.len);
	int fd = rc < 0 ? -1 : openat(dir, n.part, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		rc = rc < 0 ? rc : -errno;
		unlinkat(dir, n.part, 0); /* it may have its name, and only that not be synced */
		return rc;
	}
	part_init(p);
	p->fd = fd;
	p->hour = hour;
	p->next = layout_hour_first(hour, T);
	p->size = (off_t)head.len;
	return 0;
}

static int
read_text(int fd, struct text *t)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > HOUR_FILE_MAX)
		return -EFBIG;
	char *p = st.st_size ? text_reserve(t, (size_t)st.st_size) : NULL;
	if (st.st_size && !p)
		return -ENOMEM;
	for (off_t got = 0; got < st.st_size;) {
		ssize_t n = pread(fd, p + got, (size_t)(st.st_size - got), got);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		got += n;
	}
	return 0;
}

/* Where its entries leave off. */
static void
resume(struct store_part *p, const struct hour *h)
{
	p->next = h->first_msn + h->count;
	p->size = (off_t)h->complete;
	p->ended = h->ended;
	for (size_t i = 0; i < h->count; i++) {
		const struct hour_entry *e = &h->entries[i];
		hour_rate_add(&p->rate, e, h->segment);
		if (e->gap)
			continue;
		p->formatted = true;
		p->format = h->formats[e->format];
	}
}

static int
cut(struct store_part *p, bool sync)
{
	if (ftruncate(p->fd, p->size) < 0 || (sync && fdatasync(p->fd) < 0))
		return -errno;
	return 0;
}

int
part_open(struct store_part *p, int dir, uint64_t hour, bool sync, struct hour *h, char why[static 128])
{
	struct names n = names_of(hour);
	struct store_part part;
	part_init(&part);
	part.hour = hour;
	part.fd = openat(dir, n.part, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (part.fd < 0)
		return -errno;
	struct hour parsed = { 0 };
	struct text t;
	text_init(&t, HOUR_FILE_MAX + 1);
	int rc = read_text(part.fd, &t);
	if (rc == 0 && (t.len == 0 || t.data[0] == '\0'))
		rc = unlinkat(dir, n.part, 0) < 0 ? -errno : -ENODATA; /* a power cut took its blocks */
	if (rc == 0 && hour_parse(t.data, t.len, &parsed, why) < 0)
		rc = -EBADMSG;
	if (rc == 0)
		resume(&part, &parsed);
	if (rc == 0 && t.len > parsed.complete)
		rc = cut(&part, sync);
	text_fini(&t);
	if (rc < 0) {
		hour_free(&parsed);
		close(part.fd);
		return rc;
	}
	*p = part;
	*h = parsed;
	return 0;
}

int
part_append(struct store_part *p, const char *entries, size_t len, bool sync)
{
	if (p->torn && ftruncate(p->fd, p->size) < 0)
		return -errno;
	p->torn = false;
	ssize_t n;
	do
		n = write(p->fd, entries, len);
	while (n < 0 && errno == EINTR);
	int rc = n == (ssize_t)len ? 0 : n < 0 ? -errno : -ENOSPC;
	if (rc == 0 && sync && fdatasync(p->fd) < 0)
		rc = -errno;
	if (rc == 0)
		p->size += n;
	else
		p->torn = n > 0 && ftruncate(p->fd, p->size) < 0;
	return rc;
}

int
part_rewrite(struct store_part *p, int dir, const char *text, size_t len, bool sync)
{
	static const char tmp[] = ".tmp-hour";
	struct names n = names_of(p->hour);
	/* opened before it has the name: it is appended to from then on */
	int fd = openat(dir, tmp, O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	int rc = file_write_all(fd, text, len);
	if (rc == 0 && sync && fdatasync(fd) < 0)
		rc = -errno;
	if (rc == 0 && renameat(dir, tmp, dir, n.part) < 0)
		rc = -errno;
	if (rc < 0) {
		unlinkat(dir, tmp, 0);
		close(fd);
		return rc;
	}
	close(p->fd);
	p->fd = fd;
	p->size = (off_t)len;
	p->torn = false;
	return sync && fsync(dir) < 0 ? -errno : 0;
}

int
part_folder(struct store_part *p, int dir, bool sync)
{
	char name[LAYOUT_NAME_SIZE];
	if (p->folder >= 0)
		return p->folder;
	layout_hour_name(p->hour, name);
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (sync && fsync(dir) < 0) /* also when it was there: the call that made it may have failed here */
		return -errno;
	p->folder = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return p->folder >= 0 ? p->folder : -errno;
}

int
part_finish(struct store_part *p, int dir, bool sync)
{
	struct names n = names_of(p->hour);
	if (!p->ended) {
		char memory[256];
		struct text tail;
		text_init_fixed(&tail, memory, sizeof memory);
		hour_write_tail(&tail, &p->rate);
		int rc = part_append(p, tail.data, tail.len, sync);
		if (rc < 0)
			return rc;
		p->ended = true;
	}
	if (renameat(dir, n.part, dir, n.final) < 0)
		return -errno;
	part_close(p);
	return sync && fsync(dir) < 0 ? -errno : 0;
}
