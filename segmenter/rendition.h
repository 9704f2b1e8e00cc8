/* One rendition of a station: its input, merge, cut and writer, connected. */
#ifndef HINDCAST_RENDITION_H
#define HINDCAST_RENDITION_H

#include <stdbool.h>

#include "base/text.h"
#include "rewind/join.h"
#include "rewind/settings.h"
#include "rewind/store.h"
#include "segmenter/cut/cut.h"
#include "segmenter/input/input.h"
#include "segmenter/merge/merge.h"
#include "segmenter/write/journal.h"
#include "segmenter/write/writer.h"

struct rendition {
	char name[130];   /* "fip/hifi" */
	char labels[400]; /* for metrics */
	char input_labels[512];
	const struct rendition_settings *settings;
	const struct station_settings *station;
	uint32_t T;
	struct store_rendition *store;
	struct journal_dir *journal;
	struct text arrived; /* what input_save gave: at the start that of the process before */
	struct input *input; /* NULL: none configured */
	struct merge merge;
	struct cut cut;
	struct writer *writer;
	struct join_position join;   /* where a peer is, if the store is empty or lags behind */
	struct wall resume_end;      /* what the store and the journal have ends here; ns 0: nothing */
	bool ended;                  /* the input has ended for good and its last segment was put */
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
	bool tcp_only;             /* patience T/2 */
	struct join *join;         /* the peers to ask; NULL: none, or the input brings the past */
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
 * `laid_in`: the input brings what was on air meanwhile, so there is none. */
void rendition_resume(struct rendition *r, struct wall now, bool laid_in);

/* The sink of its input. */
struct input_sink rendition_sink(struct rendition *r);

/* Everything that can go out at `now` goes out. */
void rendition_run(struct rendition *r, struct wall now);
/* What has arrived up to now goes to the journal with its next flush. */
void rendition_journal(struct rendition *r);
/* The input has ended and nothing more will come: the last segment is put as it is. */
void rendition_end(struct rendition *r, struct wall now);

#endif
