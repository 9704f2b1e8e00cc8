/* What one thread keeps. */
#include "origin/cache.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "origin/piece.h"

#define BUCKETS_LEAST 64
#define FILES_MOST 64 /* open files that are kept for the next reader */

struct file_id
file_id_of(const struct stat *st)
{
	return (struct file_id){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.modified_ns = st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec,
		.changed_ns = st->st_ctim.tv_sec * NS_PER_S + st->st_ctim.tv_nsec,
	};
}

bool
file_id_equal(const struct file_id *a, const struct file_id *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

int
cache_init(struct cache *c, size_t max)
{
	*c = (struct cache){ .max = max, .bucket_count = BUCKETS_LEAST };
	/* one bucket for every 16 KiB: lists are smaller, segments larger */
	while (c->bucket_count < max >> 14 && c->bucket_count < 1 << 20)
		c->bucket_count *= 2;
	c->buckets = calloc(c->bucket_count, sizeof *c->buckets);
	return c->buckets ? 0 : -1;
}

void
cache_clear(struct cache *c)
{
	while (c->oldest)
		cache_remove(c, c->oldest);
}

void
cache_fini(struct cache *c)
{
	cache_clear(c);
	free(c->buckets);
	c->buckets = NULL;
}

static uint64_t
key_of(enum cache_space space, const char *path)
{
	return XXH3_64bits_withSeed(path, strlen(path), (XXH64_hash_t)space);
}

static void
unlink_age(struct cache *c, struct cache_item *i)
{
	*(i->newer ? &i->newer->older : &c->newest) = i->older;
	*(i->older ? &i->older->newer : &c->oldest) = i->newer;
}

static void
link_newest(struct cache *c, struct cache_item *i)
{
	i->newer = NULL;
	i->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = i;
	c->newest = i;
}

static struct cache_item **
place(struct cache *c, enum cache_space space, const char *path, uint64_t key)
{
	struct cache_item **p = &c->buckets[key & (c->bucket_count - 1)];
	while (*p && ((*p)->key != key || (*p)->space != space || strcmp((*p)->path, path)))
		p = &(*p)->chain;
	return p;
}

struct cache_item *
cache_find(struct cache *c, enum cache_space space, const char *path)
{
	struct cache_item *i = *place(c, space, path, key_of(space, path));

	if (i && i != c->newest) {
		unlink_age(c, i);
		link_newest(c, i);
	}
	return i;
}

static bool
keeps_file(const struct cache_item *i)
{
	return i->entity && i->entity->fd >= 0;
}

static void
free_content(struct cache_item *i)
{
	entity_free(&i->entity);
	hour_copy_unref(&i->hour);
	piece_unref(&i->piece);
}

void
cache_remove(struct cache *c, struct cache_item *item)
{
	struct cache_item **p = place(c, item->space, item->path, item->key);

	*p = item->chain;
	unlink_age(c, item);
	c->bytes -= item->cost;
	c->items--;
	c->files -= keeps_file(item);
	free_content(item);
	free(item->path);
	free(item);
}

/* Make room; the newest item stays, however large. */
static void
shrink(struct cache *c)
{
	while (c->bytes > c->max && c->oldest != c->newest) {
		cache_remove(c, c->oldest);
		c->evicted++;
	}
	for (struct cache_item *i = c->oldest, *next; c->files > FILES_MOST && i && i != c->newest; i = next) {
		next = i->newer;
		if (keeps_file(i))
			cache_remove(c, i);
	}
}

static size_t
cost_of(const struct cache_item *i)
{
	return sizeof *i + strlen(i->path) + (i->entity ? entity_cost(i->entity) : 0) + hour_copy_cost(i->hour) +
	       piece_cost(i->piece);
}

struct cache_item *
cache_put(struct cache *c, enum cache_space space, const char *path, const struct cache_item *content)
{
	uint64_t key = key_of(space, path);
	struct cache_item **p = place(c, space, path, key), *i = malloc(sizeof *i);
	char *name = strdup(path);

	if (!i || !name) {
		struct cache_item gone = *content;
		free_content(&gone);
		free(i);
		free(name);
		return NULL;
	}
	if (*p)
		cache_remove(c, *p);
	*i = *content;
	i->path = name;
	i->space = space;
	i->key = key;
	i->chain = c->buckets[key & (c->bucket_count - 1)];
	c->buckets[key & (c->bucket_count - 1)] = i;
	link_newest(c, i);
	i->cost = cost_of(i);
	c->bytes += i->cost;
	c->items++;
	c->files += keeps_file(i);
	shrink(c);
	return i;
}
