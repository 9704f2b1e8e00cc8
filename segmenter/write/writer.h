/* The writer of one rendition: segments and gaps go to the store in order. A job in a worker thread takes all that
 * wait: one segment when live, a few when audio is laid in from the past. What fails goes back to the front and is
 * tried again; when too many wait, the oldest is given up (loudly: its number becomes a gap). */
#ifndef HINDCAST_WRITER_H
#define HINDCAST_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "rewind/store.h"
#include "segmenter/cut/cut.h"
#include "segmenter/write/journal.h"

#define WRITER_QUEUE 16 /* segments that may wait: at T = 6 a disk that stands still for 90 s costs nothing */

struct writer_config {
	uv_loop_t *loop;
	struct store_rendition *store; /* borrowed; only the writer calls it while a job runs */
	struct journal_dir *journal;   /* borrowed */
	bool packed, timed_id3;
	const char *name;      /* "fip/hifi", borrowed */
	uint64_t newest_msn;   /* what the store has; 0: nothing */
	uint64_t newest_entry; /* gap or not */
	/* A segment is in the store (or a gap): lists may have changed. Called in the loop, when no job of this
	 * rendition runs. */
	void (*stored)(void *ctx);
	void *ctx;
};

struct writer_counters {
	uint64_t given_up, failures, waiting;
	uint64_t newest_msn;   /* of the newest segment stored */
	uint64_t newest_entry; /* of the newest entry, gap or not */
};

/* An hour that was fetched from a peer (rewind/heal.h), to be entered between segments. */
struct writer_heal {
	uint64_t hour;
	struct hour found;       /* the caller's, also afterwards */
	int result;              /* of store_rendition_heal */
	void (*done)(void *ctx); /* called in the loop */
	void *ctx;
};

struct writer;

struct writer *writer_new(const struct writer_config *config);
/* Waits for the job under way and tries what waits once more (without retries), then frees. */
void writer_free(struct writer **w);

/* Takes over the segment. `now` is for retention. */
void writer_put(struct writer *w, struct segment *s, struct wall now);
/* Try again what failed; call once a tick. */
void writer_tick(struct writer *w, struct mono now);
/* More than a few segments wait: whoever can should wait with more. */
bool writer_full(const struct writer *w);
/* Enter it with the next job, behind the segments that wait. One at a time; `h` is not touched until done(), which
 * comes after stored(). */
void writer_heal(struct writer *w, struct writer_heal *h);
/* Take it back if no job has begun with it: true, and done() is not called. */
bool writer_heal_withdraw(struct writer *w);
bool writer_idle(const struct writer *w);
/* Append to the journal what has been waiting since before this tick. */
void writer_journal(struct writer *w);

const struct writer_counters *writer_counters(const struct writer *w);

#endif
