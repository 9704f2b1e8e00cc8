/* The multivariant list of a station. */
#include "rewind/store_rendition.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define LIST "index.m3u8"
#define LIST_MAX (1u << 20)

struct store_station {
	int dir, lock;
	bool sync;
	struct text written; /* what the file says */
};

static int
failed(const char *station, const char *what, int rc, struct text *errors)
{
	text_fmt(errors, "store: %s%s: %s; %s\n", station, what, strerror(-rc), store_way_out(rc));
	return -1;
}

int
store_station_open(int root, const char *station, bool sync, struct store_station **out, struct text *errors)
{
	struct store_station *s = calloc(1, sizeof *s);
	if (!s)
		return failed(station, "", -ENOMEM, errors);
	s->dir = s->lock = -1;
	s->sync = sync;
	text_init(&s->written, LIST_MAX);
	const char *what = "";
	int rc = file_mkdirs(root, station);
	if (rc == 0)
		rc = s->dir = file_open_beneath(root, station, O_RDONLY | O_DIRECTORY, 0);
	if (rc >= 0) {
		what = "/.lock";
		rc = s->lock = file_lock(s->dir, ".lock");
	}
	if (rc >= 0) {
		what = "/" LIST;
		rc = store_remove_temporary(s->dir);
	}
	if (rc == 0)
		rc = file_read(s->dir, LIST, &s->written);
	if (rc < 0 && rc != -ENOENT) {
		store_station_close(&s);
		return failed(station, what, rc, errors);
	}
	*out = s;
	return 0;
}

int
store_station_write(struct store_station *s, const struct list_variant *variants, size_t count)
{
	struct text list;
	text_init(&list, LIST_MAX);
	list_multivariant(&list, variants, count);
	int rc = list.full ? -ENOMEM : 0;
	bool same = rc == 0 && list.len == s->written.len && memcmp(list.data, s->written.data, list.len) == 0;
	struct file_replace how = { .tmp = STORE_TMP LIST, .name = LIST, .sync = s->sync };
	if (rc == 0 && !same)
		rc = file_replace(s->dir, &how, list.data, list.len);
	if (rc == 0 && !same) {
		text_fini(&s->written);
		s->written = list;
	} else {
		text_fini(&list);
	}
	return rc;
}

void
store_station_close(struct store_station **sp)
{
	struct store_station *s = *sp;
	if (!s)
		return;
	text_fini(&s->written);
	if (s->dir >= 0)
		close(s->dir);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
	*sp = NULL;
}
