/* The store as one writer per rendition sees it. All calls block on the disk: they are made from worker threads, one at
 * a time per rendition. */
#ifndef HINDCAST_STORE_H
#define HINDCAST_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "media/format.h"
#include "media/segment.h"
#include "rewind/list.h"

struct text;

struct store_rendition_config {
	int root;                   /* fd of store.path, borrowed */
	const char *station, *name; /* borrowed during open */
	uint32_t T;                 /* seconds */
	uint32_t window;            /* live list, in segments */
	bool packed;                /* else TS */
	bool sync;                  /* fdatasync and directory fsync */
	int64_t retention_ns, max_span_ns;
	int64_t min_free; /* bytes; 0: no matter */
	/* Free bytes of the store, or -errno; NULL: asks the file system. */
	int64_t (*free_bytes)(void *ctx);
	void *free_ctx;
};

struct store_rendition;

/* What a restarted segmenter goes on from. */
struct store_resume {
	bool any;                        /* the store has at least one entry with media */
	uint64_t next_msn;               /* after the newest entry, gap or not; 0 when there is none */
	struct audio_format format;      /* of the newest entry with media */
	struct hour_entry last;          /* the newest entry with media */
	uint64_t discontinuity_sequence; /* of the newest entry */
	struct wall end;                 /* grid line after the newest entry */
};

/* Create the folders if missing, take the lock (".lock"), recover: remove temporary files (".tmp-*"), cut a torn tail,
 * verify and enter segment files newer than the last entry (what is damaged, or lies in the future of `now`, is removed
 * with a log line; a number missing between becomes a gap), read the rates of the retained hours. The newest hour file
 * stays open even if its hour is over, because a journal or a relay may still have what belongs into it: the first put
 * or gap in a later hour fills it with gaps and finishes it. An hour without hour file is entered again from its
 * folder. A store whose T differs is refused, and the message says the way out. 0 with *out owned
 * (store_rendition_close); -1 with lines in `errors`. */
int store_rendition_open(const struct store_rendition_config *config, struct wall now, struct store_rendition **out,
    struct store_resume *resume, struct text *errors);
void store_rendition_close(struct store_rendition **r);

/* What to do about an error that a call of this header returned, for the message that tells of it. */
const char *store_way_out(int error);

struct store_segment {
	uint64_t msn;
	struct wall start; /* of its first sample */
	bool discontinuity, pending;
	struct audio_format format;
	struct ticks anchor;
	uint64_t sample, samples, frames, fill, audio_bytes;
	uint64_t
	    station_sequence; /* discontinuity number of its siblings here: a rendition's first entry takes it over */
	const void *data;     /* whole file, borrowed */
	size_t len;
};

/* Publish a segment: file (temporary name, mtime (k+1)*T, sync, rename), then its entry. Numbers between the newest
 * entry and this one become gap entries first; hours that end thereby are closed. A number at or below the newest entry
 * is refused (-EEXIST). A file of that name that is already there with the same bytes is entered as it is; with other
 * bytes: -EEXIST. -EINVAL for what could not be read back (no data, a duration of 0 or above 2 T, counts out of
 * bounds). Another container or codec than that of the entry before gets a discontinuity even if not asked for. 0 or
 * -errno; on failure nothing is listed that is not whole, and the same call may be made again. */
int store_rendition_put(struct store_rendition *r, const struct store_segment *s);
/* Enter numbers up to and including `msn` as gaps; those entered already are left alone, and a rendition that never had
 * media gets none. `discontinuity`: the station begins a new time line at `msn`. Hours that lie wholly between get no
 * file. 0 or -errno. */
int store_rendition_gap(struct store_rendition *r, uint64_t msn, bool discontinuity);
/* Write the live list by rename if it is not up to date (call after put/gap; may be left out while more is coming). */
int store_rendition_live(struct store_rendition *r);

/* Remove what is older than retention (+ max_span for listings, + twice max_span and a little for folders of segments:
 * for as long as a list that names them may be played), whole hours, oldest first, the listing before its folder, never
 * the current hour nor one that the live list names. With less than min_free bytes free the oldest hour goes whatever
 * its age, loudly: one a call, so that the renditions of a store give way in turn. Returns hours of which nothing is
 * left, or -errno. */
int store_rendition_retain(struct store_rendition *r, struct wall now);

/* May this hour be healed: it is over, and the live list does not name it (any more)? */
bool store_rendition_may_heal(const struct store_rendition *r, uint64_t hour);
/* Enter what heal_fetch (rewind/heal.h) has put into an hour's folder: the hour file is written anew by rename, the
 * rates are counted again, and the discontinuity numbers of all later hours follow, as does the live list (call
 * store_rendition_live). Entries with media are never changed, but for a discontinuity where PTS do not go on. `found`:
 * all entries of the hour, gaps where there is nothing; entries whose file has gone become gaps in it. 0; -EAGAIN: not
 * now (store_rendition_may_heal); -ENOENT: nothing is left to enter; -errno: may be called again. */
int store_rendition_heal(struct store_rendition *r, uint64_t hour, struct hour *found);

/* Facts for the multivariant list: rates over the retained hours and the current one. false while there is no media. */
bool store_rendition_variant(const struct store_rendition *r, struct list_variant *v);

/* Counters for metrics. */
struct store_counters {
	uint64_t segments, gaps, bytes, errors, hours_removed, hours_removed_for_space, live_lists;
};
const struct store_counters *store_rendition_counters(const struct store_rendition *r);

/* The multivariant list of a station: one writer (".lock" in the station's folder). */
struct store_station;
int store_station_open(int root, const char *station, bool sync, struct store_station **out, struct text *errors);
/* Write it by rename if its bytes would change. 0 or -errno. */
int store_station_write(struct store_station *s, const struct list_variant *variants, size_t count);
void store_station_close(struct store_station **s);

/* Walk the hours of a rendition that have a file, oldest first: readers and the tool. hours: owned by the caller
 * (free). 0 or -errno. */
struct store_hour {
	uint64_t hour;
	bool part; /* only the unfinished file is there */
};
int store_list_hours(int root, const char *station, const char *rendition, struct store_hour **hours, size_t *count);
/* What the last line of a finished hour file says, `fd` open on it: 0, or -1 with *rate untouched when it is not
 * finished or cannot be read. */
int store_read_tail(int fd, struct hour_rate *rate);
/* Read an hour file, whichever of its two names it has at this instant (one that is being written ends with its last
 * complete entry). 0 with *h owned, -ENOENT, -errno, or -EBADMSG
 * with `why`. */
int store_read_hour(
    int root, const char *station, const char *rendition, uint64_t hour, struct hour *h, char why[static 128]);

#endif
