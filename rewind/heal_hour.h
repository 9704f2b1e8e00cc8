/* The hour file of an hour that is healed: a pure function of what stood in it and what was found elsewhere. */
#ifndef HINDCAST_HEAL_HOUR_H
#define HINDCAST_HEAL_HOUR_H

#include "rewind/hour.h"

/* Does `own` (NULL: the hour has no file) lack number i of the hour, which `peer` has? */
bool heal_hour_lacks(const struct hour *own, const struct hour *peer, size_t i);

/* The last entry of the hour before, when it has media. */
struct heal_before {
	const struct hour_entry *entry; /* NULL: there is none */
	const struct audio_format *format;
};

/* Put what was found into the gaps. `own`: NULL when the hour has no file; its entries with media stay as they are but
 * for one thing: where found and own media meet, and PTS or format do not go on (hour_entry_follows), the later of the
 * two begins with a discontinuity. `found`: all entries of the hour, gaps where nothing was found (or needed). An entry
 * that is healed takes its discontinuity from `found`, a gap that stays keeps its own. `discontinuity_sequence`: before
 * the first entry. 0 with *out owned by the caller (hour_free), ended and with its rate; or -ENOMEM. */
int heal_hour_merge(const struct hour *own, const struct hour *found, uint64_t discontinuity_sequence,
    const struct heal_before *before, struct hour *out);

/* Let the numbers of discontinuities of an hour follow on the one before, which ends with `discontinuity_sequence`, and
 * let its first entry begin with a discontinuity where it does not go on from `before`. True if anything changed. */
bool heal_hour_follow(struct hour *h, uint64_t discontinuity_sequence, const struct heal_before *before);

/* Number of the last entry, or of the head when there is none. */
uint64_t heal_hour_sequence(const struct hour *h);
/* Its last entry if that has media. Borrows from `h`. */
struct heal_before heal_hour_last(const struct hour *h);

#endif
