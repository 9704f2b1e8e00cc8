/* A station: its renditions in step, and its multivariant list. */
#ifndef HINDCAST_STATION_H
#define HINDCAST_STATION_H

#include <stdbool.h>

#include "segmenter/cut/epoch.h"
#include "segmenter/rendition.h"

enum station_pace {
	STATION_LIVE,    /* everything is at the present: the next tick is soon enough */
	STATION_BEHIND,  /* an input lies in the past and has just moved on: go on at once */
	STATION_HUNGRY,  /* ... but brought nothing this time: look again soon */
	STATION_BLOCKED, /* ... but the disk is behind: go on when a segment has been stored */
	STATION_ENDED,   /* every input has come to its end */
};

struct station {
	const struct station_settings *settings;
	uv_loop_t *loop;
	struct epoch epoch;
	struct rendition *renditions;
	unsigned count;
	enum station_pace pace; /* of the last tick */
	struct store_station *store;
	/* the multivariant list is written by a worker, one at a time */
	uv_work_t work;
	bool writing, again, closing;
	struct list_variant variants[EPOCH_RENDITIONS];
	size_t variant_count;
	int result;
	void (*progress)(void *ctx); /* a segment was stored */
	void *ctx;
};

struct station_context {
	uv_loop_t *loop;
	const struct config *config;
	int root;
	const struct store_settings *store;
	struct journal *journals;
	struct frame_pool *pool;
	struct join *join; /* the peers to ask; NULL: none */
	struct wall now;
	void (*progress)(void *ctx);
	void *ctx;
};

/* Open the store of all its renditions. `s` is the caller's memory. 0, or -1 with lines in `errors`. */
int station_open(struct station *s, const struct station_context *context, const struct station_settings *settings,
    struct text *errors);
/* The end of what is stored and journalled of any rendition; ns 0: nothing. */
struct wall station_resume_end(const struct station *s);
/* Open the inputs and go on. 0, or -1 with lines in `errors`. */
int station_start(
    struct station *s, const struct station_context *context, const struct timebase *timebase, struct text *errors);
void station_close(struct station *s);

/* One tick of all its renditions. `full`: the regular one, at which what has arrived is journalled; any other is for
 * stations that lie in the past. */
enum station_pace station_tick(struct station *s, struct mono now, const struct timebase *timebase, bool full);

#endif
