/* What long lists are put together from: parsed hour files, and runs of their entries as text and as deflate blocks.
 * Each is made once and shared by the thread's cache and whoever is composing; counted without locks. */
#ifndef HINDCAST_PIECE_H
#define HINDCAST_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "origin/entity.h"
#include "rewind/hour.h"
#include "rewind/list.h"

/* An hour file's entries. */
struct hour_copy {
	size_t refs;
	struct hour hour;
	uint64_t hash; /* xxh64 of the file, or of entries that no file holds; 0 while it grows, when its entries stay
			  as they are */
};

/* Takes the hour, also on failure: NULL without memory. One reference. */
struct hour_copy *hour_copy_new(struct hour *h, uint64_t hash);
struct hour_copy *hour_copy_ref(struct hour_copy *c);
void hour_copy_unref(struct hour_copy **c);
size_t hour_copy_cost(const struct hour_copy *c); /* bytes; 0 for NULL */

/* A run of entries as they stand in a list. */
struct piece {
	size_t refs;
	struct blob *text;
	uint64_t hash;         /* xxh64 of the text */
	uint32_t crc;          /* CRC-32 of the text, once it is deflated */
	struct blob *deflated; /* raw deflate blocks that end at a byte; NULL until piece_deflate */
};

/* NULL without memory. One reference. */
struct piece *piece_new(const struct hour_entry *entries, size_t count, uint32_t T, enum list_form form);
struct piece *piece_ref(struct piece *p);
void piece_unref(struct piece **p);
size_t piece_cost(const struct piece *p); /* bytes, with what deflating will add; 0 for NULL */
/* 0, or -1 without memory. */
int piece_deflate(struct piece *p);

#endif
