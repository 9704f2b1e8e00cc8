/* What one thread keeps: entities by path, least recently used first to go, bounded by bytes. No locks. */
#ifndef HINDCAST_CACHE_H
#define HINDCAST_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "origin/entity.h"

struct hour_copy;
struct piece;

/* Which file, in which state: equal ids mean equal bytes. */
struct file_id {
	uint64_t device, inode, size;
	int64_t modified_ns, changed_ns;
};
struct file_id file_id_of(const struct stat *st);
bool file_id_equal(const struct file_id *a, const struct file_id *b);

/* Where paths begin. */
enum cache_space { CACHE_STORE, CACHE_PLAYER, CACHE_MADE, CACHE_HOURS, CACHE_PIECES };

struct cache_item {
	struct entity *entity;  /* owned; what is sent. NULL in CACHE_HOURS and CACHE_PIECES, whose items hold */
	struct hour_copy *hour; /* one reference, */
	struct piece *piece;    /* or one reference */

	struct mono checked; /* when the file was last seen to be the same */
	struct mono expires; /* made anew after it, whatever the file says; ns 0: never */
	struct file_id id;
	bool part; /* of an hour file: read under its unfinished name */

	struct wall newest_end; /* media lists: grid line after the newest segment with media; ns 0: there is none */
	uint64_t signature;     /* made lists: of what it was made of */

	/* of the cache */
	char *path;
	enum cache_space space;
	uint64_t key;
	size_t cost;
	struct cache_item *chain, *newer, *older;
};

struct cache {
	struct cache_item **buckets;
	size_t bucket_count; /* a power of two */
	struct cache_item *newest, *oldest;
	size_t bytes, max;
	unsigned items, files; /* files: items that keep a file open */
	uint64_t evicted;
};

/* 0, or -1 without memory. */
int cache_init(struct cache *c, size_t max);
void cache_fini(struct cache *c);
/* Remove everything. */
void cache_clear(struct cache *c);

/* The item, now the most recently used, or NULL. Items are borrowed until the next call that adds or removes. */
struct cache_item *cache_find(struct cache *c, enum cache_space space, const char *path);
/* Add an item, in place of one of the same name; older ones go until it fits. It takes `content` (entity and all that
 * is not "of the cache") also on failure. NULL without memory. */
struct cache_item *cache_put(
    struct cache *c, enum cache_space space, const char *path, const struct cache_item *content);
void cache_remove(struct cache *c, struct cache_item *item);

#endif
