/* Files through the thread's cache. */
#include "origin/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/log.h"
#include "origin/piece.h"
#include "origin/sniff.h"
#include "origin/worker.h"

#define LOOK_AGAIN_NS (100 * NS_PER_MS)
#define CLOSED_LOOK_AGAIN_NS (2 * NS_PER_S) /* hours that are over are rewritten by heal alone */
#define LIST_MOST (8 << 20)                 /* bytes of a list: a day of six-second segments is 1.2 MB */
#define SMALL_FILE_MOST (1 << 20)           /* bytes up to which other files are kept in memory */
#define SEGMENT_MOST (4 << 20)              /* bytes up to which segments are */
#define NEW_SEGMENT_NS (600 * NS_PER_S)     /* younger ones are kept at once: all listeners at live want them */
#define DAY_S 86400
#define FILE_FRESH_S 60
#define PLAYER_FRESH_S 300

static int
root_of(const struct worker *w, enum cache_space space)
{
	return space == CACHE_PLAYER ? w->server->player : w->server->root;
}

/* What a reader must not be able to tell apart from a file that is not there. */
static int
hide(int error)
{
	return error == -ENOTDIR || error == -EXDEV || error == -ELOOP || error == -ENAMETOOLONG ? -ENOENT : error;
}

/* Open a regular file: fd, or a negative errno. O_NONBLOCK: a FIFO must not stop the thread. */
static int
open_regular(int root, const char *path, struct stat *st)
{
	int fd = root < 0 ? -ENOENT : file_open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return hide(fd);
	int error = fstat(fd, st) ? -errno : S_ISREG(st->st_mode) ? 0 : -ENOENT;
	if (error) {
		close(fd);
		return error;
	}
	return fd;
}

/* The first `size` bytes of a file, or fewer if it has become shorter. Owned by the caller, or NULL with *error. */
static struct blob *
read_blob(int fd, uint64_t size, int *error)
{
	struct blob *b = blob_new((size_t)size);
	size_t n = 0;

	while (b && n < b->len) {
		ssize_t got = pread(fd, b->data + n, b->len - n, (off_t)n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*error = -errno;
			blob_unref(b);
			return NULL;
		}
		if (got == 0)
			b->len = n;
		n += (size_t)got;
	}
	if (!b)
		*error = -ENOMEM;
	return b;
}

/* A file as an entity: its bytes in memory, or else the open file. Takes `fd`. NULL with *error. */
static struct entity *
file_entity(int fd, uint64_t size, bool in_memory, int *error)
{
	struct blob *b = NULL;

	if (in_memory) {
		b = read_blob(fd, size, error);
		close(fd);
		if (!b)
			return NULL;
	}
	struct entity *e = b ? entity_new(b) : entity_new_file(fd, size);
	if (!e)
		*error = -ENOMEM;
	return e;
}

/* The item of a path if its file is still the same; looked at on disk when that was last done `age` ns ago. */
static struct cache_item *
find_as_old_as(struct worker *w, enum cache_space space, const char *path, int64_t age)
{
	struct cache_item *i = cache_find(&w->cache, space, path);
	char name[TARGET_SIZE + 8];
	struct stat st;

	if (i && i->expires.ns && w->now.ns >= i->expires.ns)
		i = NULL;
	if (i && w->now.ns - i->checked.ns >= age) {
		snprintf(name, sizeof name, "%s%s", path, i->part ? ".part" : "");
		struct file_id id = { 0 };
		if (!fstatat(root_of(w, space), name, &st, 0))
			id = file_id_of(&st);
		if (file_id_equal(&id, &i->id))
			i->checked = w->now;
		else
			i = NULL;
	}
	counter_add(i ? &w->counters.cache_hits : &w->counters.cache_misses, 1);
	return i;
}

static struct cache_item *
find_valid(struct worker *w, enum cache_space space, const char *path)
{
	return find_as_old_as(w, space, path, LOOK_AGAIN_NS);
}

/* A path that could not be loaded is not kept either. */
static struct cache_item *
drop(struct worker *w, enum cache_space space, const char *path, int error, int *out)
{
	struct cache_item *old = cache_find(&w->cache, space, path);

	if (old)
		cache_remove(&w->cache, old);
	*out = error;
	return NULL;
}

static struct cache_item *
keep(struct worker *w, enum cache_space space, const char *path, const struct cache_item *item, int *error)
{
	struct cache_item *i = cache_put(&w->cache, space, path, item);

	if (!i)
		*error = -ENOMEM;
	counter_set(&w->counters.cache_bytes, w->cache.bytes);
	counter_set(&w->counters.cache_items, w->cache.items);
	counter_set(&w->counters.cache_evicted, w->cache.evicted);
	return i;
}

/* Fill in what all entities read from files have. */
static void
describe(struct worker *w, struct cache_item *i, const struct stat *st, const char *path)
{
	struct entity *e = i->entity;
	const char *type = http_type_of_name(path, &e->compressible);

	i->checked = w->now;
	i->id = file_id_of(st);
	e->modified_s = st->st_mtim.tv_sec;
	if (e->body)
		e->hash = XXH64(e->body->data, e->body->len, 0);
	snprintf(e->type, sizeof e->type, "%s", type ? type : "application/octet-stream");
}

/* The grid line after the newest listed segment that has media: the last URI without EXT-X-GAP. */
static struct wall
newest_end(const struct blob *b, uint32_t T)
{
	struct wall end = { 0 }, grid;
	bool gap = false;
	enum layout_kind kind;
	const char *s = (const char *)b->data, *stop = s + b->len;

	while (s < stop) {
		const char *eol = memchr(s, '\n', (size_t)(stop - s));
		size_t len = (size_t)((eol ? eol : stop) - s);
		char name[LAYOUT_NAME_SIZE];
		if (len >= 10 && !memcmp(s, "#EXT-X-GAP", 10))
			gap = true;
		if (len > 0 && *s != '#') {
			const char *slash = memrchr(s, '/', len), *base = slash ? slash + 1 : s;
			snprintf(name, sizeof name, "%.*s", (int)(s + len - base), base);
			if (!gap && !layout_parse_segment(name, &grid, &kind))
				end.ns = grid.ns + T * NS_PER_S;
			gap = false;
		}
		s += len + 1;
	}
	return end;
}

/* Read a whole list into an item. 0 or a negative errno with nothing kept. */
static int
load_text(struct worker *w, const char *path, const char *name, struct cache_item *item)
{
	struct stat st;
	int error = 0, fd = open_regular(w->server->root, name, &st);

	if (fd < 0)
		return fd;
	if (st.st_size > LIST_MOST) {
		close(fd);
		return -EFBIG;
	}
	item->entity = file_entity(fd, (uint64_t)st.st_size, true, &error);
	if (!item->entity)
		return error;
	describe(w, item, &st, path);
	return 0;
}

struct cache_item *
stored_list(struct worker *w, const char *path, uint32_t T, int *error)
{
	struct cache_item *i = find_valid(w, CACHE_STORE, path), fresh = { 0 };

	if (i)
		return i;
	int rc = load_text(w, path, path, &fresh);
	if (rc)
		return drop(w, CACHE_STORE, path, rc, error);
	fresh.newest_end = newest_end(fresh.entity->body, T);
	http_cache_control(HTTP_GROWING, T, fresh.entity->cache_control);
	return keep(w, CACHE_STORE, path, &fresh, error);
}

/* Seconds that a closed hour file is fresh: a day, or until it is no longer advertised. */
static int64_t
closed_age(const struct worker *w, const char *station, uint64_t hour)
{
	const struct catalogue_station *s = catalogue_station(w->catalogue, station);

	if (!s)
		return DAY_S;
	int64_t left = (int64_t)hour * 3600 + (s->retention_ns - w->wall.ns) / NS_PER_S;
	return left < 1 ? 1 : left < DAY_S ? left : DAY_S;
}

/* An unfinished hour file: what follows its last complete entry is not for readers. */
static int
cut_tail(struct cache_item *i, const struct hour *h)
{
	struct entity *e = i->entity;

	if (h->count == 0)
		return -ENOENT;
	e->body->len = h->complete;
	e->size = h->complete;
	e->hash = XXH64(e->body->data, e->body->len, 0);
	http_cache_control(HTTP_GROWING, h->segment, e->cache_control);
	return 0;
}

/* The text of an hour file, under whichever of its names it has now. */
static int
load_hour_text(struct worker *w, const char *path, struct cache_item *i)
{
	char part[TARGET_SIZE + 8];
	int rc = load_text(w, path, path, i);

	if (rc == -ENOENT) {
		snprintf(part, sizeof part, "%s.part", path);
		rc = load_text(w, path, part, i);
		i->part = rc == 0;
	}
	if (rc == -ENOENT) /* it was renamed in between */
		rc = load_text(w, path, path, i);
	return rc;
}

/* 0, or -EBADMSG after saying why. */
static int
parse_hour(const char *path, const struct entity *e, struct hour *h)
{
	char why[128];

	if (!hour_parse((const char *)e->body->data, e->body->len, h, why))
		return 0;
	log_warn("hour file not readable path=%s why=\"%s\"", path, why);
	return -EBADMSG;
}

static int
load_hour(struct worker *w, const char *path, const char *station, uint64_t hour, struct cache_item *i)
{
	struct hour h;
	int rc = load_hour_text(w, path, i);

	if (rc)
		return rc;
	i->expires.ns = w->now.ns + 600 * NS_PER_S; /* closed_age moves with the clock */
	http_cache_control(HTTP_FRESH, closed_age(w, station, hour), i->entity->cache_control);
	if (!i->part)
		return 0;
	rc = parse_hour(path, i->entity, &h);
	if (!rc) {
		rc = cut_tail(i, &h);
		hour_free(&h);
	}
	if (rc)
		entity_free(&i->entity);
	return rc;
}

static void
hour_path(const char *station, const char *rendition, uint64_t hour, char path[static TARGET_SIZE])
{
	char name[LAYOUT_NAME_SIZE];

	snprintf(path, TARGET_SIZE, "%s/%s/%s.m3u8", station, rendition, layout_hour_name(hour, name));
}

static int
load_entries(struct worker *w, const char *path, struct cache_item *i)
{
	struct hour h;
	int rc = load_hour_text(w, path, i);

	if (rc)
		return rc;
	rc = parse_hour(path, i->entity, &h);
	if (!rc)
		i->hour = hour_copy_new(&h, i->part ? 0 : i->entity->hash);
	entity_free(&i->entity);
	return rc ? rc : i->hour ? 0 : -ENOMEM;
}

struct hour_copy *
stored_entries(struct worker *w, const char *station, const char *rendition, uint64_t hour, bool look, int *error)
{
	char path[TARGET_SIZE];
	struct cache_item *i, fresh = { 0 };

	hour_path(station, rendition, hour, path);
	i = cache_find(&w->cache, CACHE_HOURS, path);
	i = find_as_old_as(w, CACHE_HOURS, path, look ? 0 : i && !i->part ? CLOSED_LOOK_AGAIN_NS : LOOK_AGAIN_NS);
	if (!i) {
		int rc = load_entries(w, path, &fresh);
		i = rc ? drop(w, CACHE_HOURS, path, rc, error) : keep(w, CACHE_HOURS, path, &fresh, error);
	}
	return i ? hour_copy_ref(i->hour) : NULL;
}

void
stored_expect_entries(struct worker *w, const char *station, const char *rendition, uint64_t hour)
{
	char path[TARGET_SIZE];

	hour_path(station, rendition, hour, path);
	if (cache_find(&w->cache, CACHE_HOURS, path))
		return;
	int fd = file_open_beneath(w->server->root, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return;
	posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
	close(fd);
}

struct cache_item *
stored_hour(struct worker *w, const char *station, const char *rendition, uint64_t hour, int *error)
{
	char path[TARGET_SIZE];
	struct cache_item *i, fresh = { 0 };

	hour_path(station, rendition, hour, path);
	i = find_valid(w, CACHE_STORE, path);
	if (i)
		return i;
	int rc = load_hour(w, path, station, hour, &fresh);
	if (rc)
		return drop(w, CACHE_STORE, path, rc, error);
	return keep(w, CACHE_STORE, path, &fresh, error);
}

/* xxh64 of a whole file, read in pieces. */
static int
hash_file(int fd, uint64_t *hash)
{
	unsigned char piece[16384];
	XXH64_state_t *state = XXH64_createState();
	ssize_t n;

	if (!state)
		return -ENOMEM;
	XXH64_reset(state, 0);
	for (off_t at = 0; (n = pread(fd, piece, sizeof piece, at)) != 0; at += n) {
		if (n < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n < 0)
			break;
		XXH64_update(state, piece, (size_t)n);
	}
	int error = n < 0 ? -errno : 0;
	if (!error)
		*hash = XXH64_digest(state);
	XXH64_freeState(state);
	return error;
}

/* The hash that the hour file has for a segment; from the file itself when it is not listed yet. */
static int
segment_hash(struct worker *w, const struct stored_segment *s, int fd, uint64_t size, uint64_t *hash)
{
	int error = 0;
	struct hour_copy *c = stored_entries(w, s->station, s->rendition, s->hour, false, &error);
	bool listed = false;

	if (c) {
		const struct hour *h = &c->hour;
		int64_t into = s->grid.ns / NS_PER_S - (int64_t)s->hour * 3600;
		uint64_t k = into < 0 || into % h->segment ? UINT64_MAX : (uint64_t)into / h->segment;
		listed = k < h->count && !h->entries[k].gap && h->entries[k].bytes == size;
		if (listed)
			*hash = h->entries[k].xxh64;
		hour_copy_unref(&c);
	}
	if (listed)
		return 0;
	return hash_file(fd, hash);
}

static int
load_segment(struct worker *w, const struct stored_segment *s, bool again, struct cache_item *i)
{
	struct stat st;
	uint64_t hash = 0;
	int error = 0, fd = open_regular(w->server->root, s->path, &st);

	if (fd < 0)
		return fd;
	uint64_t size = (uint64_t)st.st_size;
	bool wanted = again || w->wall.ns - s->grid.ns < NEW_SEGMENT_NS;
	bool in_memory = wanted && size <= SEGMENT_MOST && size <= w->cache.max / 16;
	if (!in_memory)
		error = segment_hash(w, s, fd, size, &hash);
	if (error) {
		close(fd);
		return error;
	}
	i->entity = file_entity(fd, size, in_memory, &error);
	if (!i->entity)
		return error;
	i->entity->hash = hash;
	describe(w, i, &st, s->path);
	i->entity->ranges = true;
	http_cache_control(HTTP_IMMUTABLE, 0, i->entity->cache_control);
	return 0;
}

struct cache_item *
stored_segment(struct worker *w, const struct stored_segment *s, int *error)
{
	struct cache_item *i = find_valid(w, CACHE_STORE, s->path), fresh = { 0 };
	bool large = i && i->entity->size > SEGMENT_MOST;

	if (i && (i->entity->body || large || i->entity->size > w->cache.max / 16))
		return i;
	int rc = load_segment(w, s, i != NULL, &fresh);
	if (rc)
		return drop(w, CACHE_STORE, s->path, rc, error);
	return keep(w, CACHE_STORE, s->path, &fresh, error);
}

static int
load_file(struct worker *w, enum cache_space space, const char *path, struct cache_item *i)
{
	struct stat st;
	char sniffed[sizeof i->entity->type] = "";
	bool compressible;
	int error = 0, fd = open_regular(root_of(w, space), path, &st);

	if (fd < 0)
		return fd;
	if (!http_type_of_name(path, &compressible))
		sniff_type(&w->magic, fd, sniffed, sizeof sniffed);
	i->entity = file_entity(fd, (uint64_t)st.st_size, st.st_size <= SMALL_FILE_MOST, &error);
	if (!i->entity)
		return error;
	describe(w, i, &st, path);
	if (*sniffed)
		memcpy(i->entity->type, sniffed, sizeof sniffed);
	/* too large to be hashed: a name that is used again gets another time or size */
	if (!i->entity->body)
		i->entity->hash = XXH64(&(uint64_t[]){ i->id.size, (uint64_t)i->id.modified_ns }, 16, 0);
	i->entity->ranges = !i->entity->compressible;
	http_cache_control(HTTP_FRESH, space == CACHE_PLAYER ? PLAYER_FRESH_S : FILE_FRESH_S, i->entity->cache_control);
	return 0;
}

struct cache_item *
stored_file(struct worker *w, enum cache_space space, const char *path, int *error)
{
	struct cache_item *i = find_valid(w, space, path), fresh = { 0 };

	if (i)
		return i;
	int rc = load_file(w, space, path, &fresh);
	if (rc)
		return drop(w, space, path, rc, error);
	return keep(w, space, path, &fresh, error);
}
