/* Joining late: where a rendition is at a peer, so that who begins now, or was away, goes on with the same PTS and the
 * same discontinuity numbers (doc/design.md section 3). */
#ifndef HINDCAST_JOIN_H
#define HINDCAST_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "rewind/hour.h"

struct join;
struct store_settings;

#define JOIN_ENTRIES 4          /* newest entries that are told */
#define JOIN_DISCONTINUITIES 64 /* more of them, or more than a day of hours, are not looked for */

struct join_position {
	bool any;                                  /* the peer has media of now: */
	struct hour_entry last;                    /* newest entry with media */
	struct audio_format format;                /* of it */
	struct hour_entry recent[JOIN_ENTRIES];    /* the newest, gaps or not, oldest first */
	struct audio_format formats[JOIN_ENTRIES]; /* of those with media */
	size_t recent_count;
	uint64_t discontinuity_sequence;                /* of the newest */
	uint64_t discontinuities[JOIN_DISCONTINUITIES]; /* numbers after `since` that begin with one, ascending */
	size_t count;
};

/* The peers of [store]; an answer may take 3 s, and who does not answer is not asked again. NULL: there is none, or no
 * memory. */
struct join *join_new(const struct store_settings *store);
void join_free(struct join **j);

/* Ask the peers, one after the other, for what they have up to now. `since`: the newest number of the own store; 0: it
 * is empty. True with *out filled; false, with a line in the log, when nobody knows: *out is untouched. Blocks. `j` may
 * be NULL. */
bool join_ask(struct join *j, const char *station, const char *rendition, uint32_t T, uint64_t since, struct wall now,
    struct join_position *out);

#endif
