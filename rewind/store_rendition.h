/* The writer of one rendition, inside: what store_rendition.c, store_recover.c and store_retain.c share. */
#ifndef HINDCAST_STORE_RENDITION_H
#define HINDCAST_STORE_RENDITION_H

#include "base/text.h"
#include "rewind/store.h"
#include "rewind/store_part.h"
#include "rewind/store_window.h"

#define STORE_TMP ".tmp-"

/* A retained hour that has a listing. */
struct retained_hour {
	uint64_t hour;
	struct hour_rate rate;
};

struct store_rendition {
	struct store_rendition_config config; /* its names point to the two below */
	char *station, *name;
	int dir, lock;
	int record; /* ".entry": the entry of the segment that is being published, for recovery */
	struct store_part part;
	struct store_window window;
	struct text text; /* scratch */

	bool entered;                    /* there is an entry */
	uint64_t newest;                 /* number of the newest */
	uint64_t discontinuity_sequence; /* of the newest */
	bool any;                        /* there is one with media: */
	struct hour_entry last;
	struct audio_format last_format;

	struct retained_hour *hours; /* oldest first; the unfinished one is not among them */
	size_t hour_count;
	bool live_stale;
	struct store_counters counters;
};

/* The kind that a name has where there is no media to say it. */
enum layout_kind store_gap_kind(const struct store_rendition *r);
/* Make `msn` the next number to be entered: finish the hour before, begin its own, enter gaps. `kind`: of the names of
 * gaps in a store without media. 0 or -errno; may be called again. */
int store_advance(struct store_rendition *r, uint64_t msn, enum layout_kind kind);
/* Fill the open hour with gaps and give it its final name. 0 or -errno; may be called again. */
int store_finish_hour(struct store_rendition *r);
/* Finish the open hour if it has all its entries; a failure is logged, and tried again by the next store_advance. */
void store_finish_full(struct store_rendition *r);
/* Append an entry, whose number is the next, to the open hour file, and take it into account. 0 or -errno. */
int store_enter(struct store_rendition *r, const struct hour_entry *e, const struct audio_format *format);
/* Take into account an entry that is listed. */
void store_took(struct store_rendition *r, const struct hour_entry *e, const struct audio_format *format);
/* Remember a finished hour. 0 or -ENOMEM. */
int store_add_hour(struct store_rendition *r, uint64_t hour, const struct hour_rate *rate);

/* store_recover.c: after the lock is taken. 0, or -1 with lines in `errors`. */
int store_recover(struct store_rendition *r, struct wall now, struct text *errors);

/* store_heal.c: marks of what heal has under way, by the hour (rewind/heal.h). */

/* `hour` is the one whose folder may hold segments that are not listed yet; what is left of another one is removed. 0
 * or -errno. */
int store_healing_begin(int dir, uint64_t hour, bool sync);
/* What is not listed there is removed, and the mark. 0 or -errno. */
int store_healing_end(int dir);
bool store_healing(int dir, uint64_t *hour);
/* Hours after *hour may have discontinuity numbers that do not follow. */
bool store_renumbering(int dir, uint64_t *hour);
/* Bring to its end what a writer left that ended while it healed; before anything else is read. 0 or -errno. */
int store_heal_recover(struct store_rendition *r);

/* store_read.c: oldest first. */
struct hour_files {
	uint64_t hour;
	bool final, part, folder;
};
/* What is there of each hour in a rendition's folder. 0 with *out owned by the caller (free), or -errno. */
int store_scan(int dir, struct hour_files **out, size_t *count);
/* Like store_read_hour, in the rendition's folder. */
int store_read_hour_in(int dir, uint64_t hour, struct hour *h, char why[static 128]);
/* Call `each` with every name in a folder but "." and "..": until it is not 0, which is returned; 0 or -errno. */
int store_each_name(int dir, int (*each)(void *ctx, const char *name), void *ctx);
/* Remove the temporary files of a folder. 0 or -errno. */
int store_remove_temporary(int dir);

#endif
