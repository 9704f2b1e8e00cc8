/* What a store holds, found by looking at it: what `rewind ls` shows. */
#ifndef HINDCAST_INVENTORY_H
#define HINDCAST_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "media/format.h"

struct text;

#define INVENTORY_NAME_SIZE 64

struct inventory_name {
	char station[INVENTORY_NAME_SIZE], rendition[INVENTORY_NAME_SIZE];
};

/* The renditions in the store by name, or those of `target` ("fip", "fip/hifi"; NULL: all). 0 with *names owned by the
 * caller (free); -ENOENT when the target is not there; -errno. */
int inventory_names(int root, const char *target, struct inventory_name **names, size_t *count);

struct inventory_gap {
	struct wall from, to; /* grid lines */
};

struct inventory {
	struct inventory_name name;
	size_t hours;               /* with a listing */
	bool unfinished;            /* the newest is being written */
	uint64_t segments, bytes;   /* with media */
	uint64_t duration_us;       /* of them */
	struct audio_format format; /* of the newest; codec CODEC_NONE when there is none */
	struct wall from, to;       /* grid lines before the first and after the last */
	struct inventory_gap *gaps; /* between them, and from there to the newest entry; also hours without a listing */
	size_t gap_count;
};

/* Read all listings of a rendition. 0 with *out owned by the caller (inventory_fini), or -1 with a line in `errors`. */
int inventory_read(int root, const struct inventory_name *name, struct inventory *out, struct text *errors);
void inventory_fini(struct inventory *inventory);

/* Lines for people. */
void inventory_text(struct text *out, const struct inventory *list, size_t count);
/* {"stations":[{"name":…,"renditions":[{…}]}]} */
void inventory_json(struct text *out, const struct inventory *list, size_t count);

#endif
