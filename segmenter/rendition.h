/* One rendition of a station: its inputs, merge, cut and writer, connected. */
#ifndef HINDCAST_RENDITION_H
#define HINDCAST_RENDITION_H

#include <stdbool.h>

#include "base/text.h"
#include "rewind/settings.h"
#include "rewind/store.h"
#include "segmenter/cut/cut.h"
#include "segmenter/input/input.h"
#include "segmenter/merge/merge.h"
#include "segmenter/write/journal.h"
#include "segmenter/write/writer.h"

struct rendition;

/* One way in which its audio arrives; the same index in `inputs` and in merge. */
struct rendition_input {
	struct rendition *rendition;
	unsigned index;
	struct input *input; /* NULL: it comes through a subscription */
	char labels[512];    /* for metrics */
};

struct rendition {
	char name[130];   /* "fip/hifi" */
	char labels[400]; /* for metrics */
	const struct rendition_settings *settings;
	const struct station_settings *station;
	uint32_t T;
	struct store_rendition *store;
	struct journal_dir *journal;
	int dir;             /* its folder */
	struct text arrived; /* what its inputs had: at the start that of the process before */
	struct rendition_input inputs[MERGE_INPUTS];
	unsigned input_count;
	struct merge merge;
	struct hour_runs resume_runs; /* on air at resume_end */
	bool history;                 /* a subscription still brings what was before, ... */
	struct wall history_frontier; /* ... and has come so far */
	bool behind;                  /* ... or has brought it, and the output has not caught up yet */
	char chosen[64];              /* name of the input chosen by hand, "": none */
	struct cut cut;
	struct writer *writer;
	struct wall resume_end;      /* what the store and the journal have ends here; ns 0: nothing */
	bool on_fill;                /* the last slot was */
	bool ended;                  /* the inputs have ended for good and the last segment was put */
	struct list_variant variant; /* its rates in the steps of the list */
	bool has_variant;
	void (*stored)(void *ctx); /* the station's */
	void *ctx;
};

struct rendition_context {
	uv_loop_t *loop;
	int root; /* fd of store.path */
	const struct store_settings *store;
	struct journal *journals;
	struct frame_pool *pool;
	struct epoch *epoch;       /* of the station */
	unsigned index;            /* in the station */
	bool one_input;            /* all it has: patience T/2 */
	const struct fill *fill;   /* of the station, or NULL; borrowed */
	struct wall now;           /* system time at start */
	void (*stored)(void *ctx); /* a segment is in the store, the variant's facts may have changed */
	void *ctx;
};

/* Open the store of one rendition and recover what a crash left. `r` is the caller's memory. 0, or -1 with lines in
 * `errors`. */
int rendition_open(struct rendition *r, const struct rendition_context *context, const struct station_settings *station,
    const struct rendition_settings *settings, struct text *errors);
/* Writes what is complete; the unfinished segment stays in the journal. The journal itself is flushed by its owner. */
void rendition_close(struct rendition *r);

/* Where the output goes on, once the time base is known: in the unfinished segment, at the next number, or after a gap.
 * `laid_in`: an input brings what was on air meanwhile, so there is none. */
void rendition_resume(struct rendition *r, struct wall now, bool laid_in);

/* The input of this name: its index, added when it is new (with the given priority; 99 is for those that come through a
 * subscription and have no section). `one_way`: of this process. MERGE_NONE when there are too many. */
unsigned rendition_add_input(struct rendition *r, const char *name, unsigned priority, bool one_way);
/* ... for a subscription: its index, or -1 when there are too many. */
int rendition_input(struct rendition *r, const char *name);
/* The sink of an input of this process. */
struct input_sink rendition_sink(struct rendition *r, unsigned input);
/* A frame from a subscription. Takes over its reference. */
void rendition_push(struct rendition *r, unsigned input, const struct frame_run *run, struct frame f);
/* `coming`: a subscription still brings what was before, up to `frontier` so far, and nothing is decided beyond.
 * Whoever says so must take it back. */
void rendition_history(struct rendition *r, bool coming, struct wall frontier);
/* Wall time of the output's next frame, where what is stored ends before the first; ns 0: it is new. */
struct wall rendition_next(const struct rendition *r);

/* Choose an input by hand, "": lift the choice. It is kept over restarts. 0, -ENOENT when there is none of this name,
 * or -errno when it cannot be kept (it holds until the end then). */
int rendition_choose(struct rendition *r, const char *name);

/* Bring back what an input had, before the first tick: its part of `arrived`. */
void rendition_restore(struct rendition *r, unsigned input, struct mono now);

/* Everything that can go out at `now` goes out; while it is behind, not beyond `now`. */
void rendition_run(struct rendition *r, struct wall now);
/* What has arrived up to now goes to the journal with its next flush. */
void rendition_journal(struct rendition *r);
/* The inputs have ended and nothing more will come: the last segment is put as it is. */
void rendition_end(struct rendition *r, struct wall now);

#endif
