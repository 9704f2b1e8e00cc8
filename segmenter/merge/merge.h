/* Merge: what the inputs deliver in, one unbroken stream of slots out. Pure: time comes in as a parameter.
 *
 * Runs that carry the same frames are one line (line.h, twins.h); the output goes along the line on air. It asks for
 *the next slot:
 *	1. the line on air has its next frame: out at once;
 *	2. the line on air has none, and a run of the same input and format begins in this slot (its first frame's
 *centre lies in it): so a jump or a reconnect goes on;
 *	3. else wait until the slot's wall time + patience (with several inputs MERGE_SHORT_NS longer, for rung 4);
 *	4. a hole of at most MERGE_SHORT_NS whose other end is there, on the line on air: silence up to it;
 *	5. the best other line that has a frame in place, of the same format (choice.h): at most one frame's worth of
 *seam;
 *	6. fill, until something real is in place: within patience from the begin of the hole anywhere, later at the
 *first segment boundary;
 *	7. after fill_limit, or with fill = gap, segments without anything real are gaps.
 * At a full minute it returns to a better input that had 99 % of its frames for `settle`, when its frame comes in time;
 *to one chosen by hand at the next segment boundary. Another format waits for a boundary at which the whole station may
 * change (may_change). A segment that was begun is always finished, with fill if need be. What comes too late for its
 *slot is dropped and counted.
 *
 * With several inputs nothing but rung 1 is decided before its time is over, so the same frames give the same slots in
 * whatever order they come, as long as each is there within patience. */
#ifndef HINDCAST_MERGE_H
#define HINDCAST_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/format.h"
#include "rewind/hour.h"
#include "segmenter/frame.h"
#include "segmenter/merge/choice.h"
#include "segmenter/merge/fill.h"
#include "segmenter/merge/twins.h"

#define MERGE_INPUTS 16
#define MERGE_SHORT_NS (100 * NS_PER_MS)
#define MERGE_SETTLE_MAX 60 /* seconds */
#define MERGE_SUPPLY 128    /* seconds, more than settle and patience */
#define MERGE_NONE UINT32_MAX

struct merge_config {
	uint32_t T; /* segment duration, seconds */
	int64_t patience_ns;
	int64_t settle_ns;       /* whole seconds, at most MERGE_SETTLE_MAX */
	bool fill_silence;       /* else gap */
	const struct fill *fill; /* stands in instead of silence, for what it fits; NULL: none. Borrowed */
	int64_t fill_limit_ns;
	struct frame_pool *pool;
	/* May the format change at the boundary where segment `msn` begins? */
	bool (*may_change)(void *ctx, uint64_t msn);
	void *ctx;
};

enum merge_result {
	MERGE_WAIT,  /* nothing to say yet */
	MERGE_FRAME, /* slot->frame, whose reference goes to the caller */
	MERGE_GAP,   /* segment slot->msn has no media at all */
};

/* Why a slot is what it is. */
enum merge_reason {
	MERGE_NEXT,    /* the next frame of the line on air */
	MERGE_BEGIN,   /* the first of all */
	MERGE_ADJOINS, /* a run of the same input began here */
	MERGE_BACKUP,  /* the line on air had nothing, another one had */
	MERGE_RETURN,  /* back from fill */
	MERGE_MINUTE,  /* a better input, at a full minute */
	MERGE_CHOSEN,  /* the input chosen by hand, at a boundary */
	MERGE_FORMAT,  /* another format, at a boundary of the station */
	MERGE_BRIDGE,  /* silence in a short hole */
	MERGE_FILL,    /* fill */
	MERGE_REASONS
};
const char *merge_reason_text(enum merge_reason reason);

struct slot {
	struct frame frame;
	uint64_t msn;                      /* the segment that it belongs to */
	const struct audio_format *format; /* of the output, valid until the next call */
	const struct hour_runs *runs;      /* ... of a real frame: what the store says of the runs on air; else NULL */
	enum merge_reason reason;
	bool new_format; /* first slot of another format */
	bool pending;    /* a source of another format is waiting */
};

struct merge_counters {
	uint64_t frames, fill_frames, gap_segments;
	uint64_t late_frames;  /* of the input on air, after their slot had passed */
	uint64_t spare_frames; /* of other inputs, not needed */
	uint64_t before_start_frames;
	uint64_t run_changes;   /* the line on air changed, or came back from fill */
	uint64_t bridged_holes; /* slots of short holes */
	uint64_t adjoined, to_backup, returned, at_minute, chosen, format_changes; /* run_changes by reason */
	uint64_t missed_returns; /* full minutes at which a better input had settled, and its frame did not come */
	uint64_t on_fill;        /* 1 while nothing real is on air */
	uint64_t
	    waited_ns; /* longest time that a slot was waited for beyond its end, in the last full minute of output */
};

struct merge_input {
	char name[64];
	unsigned priority;
	bool one_way;                     /* of this process: its runs follow one another */
	int64_t newest_s;                 /* the second that supply_us[newest_s % MERGE_SUPPLY] is of */
	uint32_t supply_us[MERGE_SUPPLY]; /* how much of each wall second it has brought */
	uint64_t frames, copies;          /* brought, each slot once; ... and again */
	struct wall last;                 /* of its newest frame */
};

struct merge {
	struct merge_config config;
	struct merge_counters counters;
	struct merge_input inputs[MERGE_INPUTS];
	unsigned input_count;
	unsigned chosen;     /* input chosen by hand, or MERGE_NONE */
	bool choice_fresh;   /* ... and not on air since */
	struct twins twins;  /* runs and lines; twins.on_air is the line on air */
	int64_t air_next;    /* the line's slot that comes next */
	unsigned air_inputs; /* bit i: input i supplies the line on air */
	bool begun;          /* the output has a format and a position */
	bool hole;           /* nothing real was there for the last slot */
	bool filling;        /* ... and it goes on until a boundary, however short it is (after a restart) */
	bool gap;            /* the output is at a boundary, and the segment before was a gap */
	struct wall hole_since;
	struct audio_format format;
	struct wall base; /* the output's position: base + samples, */
	uint64_t samples;
	struct wall next;              /* ... where the next slot begins */
	struct wall seen;              /* what lies before it was looked at for twins */
	int64_t slot_ns;               /* duration of a slot */
	uint64_t msn;                  /* segment of the last slot */
	int64_t minute;                /* ... since 1970 */
	unsigned want;                 /* input that is returned to in this slot, or MERGE_NONE */
	unsigned want_format;          /* input of another format that waits for a boundary, or MERGE_NONE */
	struct hour_runs runs;         /* on air */
	enum merge_reason reason;      /* why the line on air is on air */
	enum merge_reason slot_reason; /* of the last slot */
	int64_t waited_ns, waited_minute;
	uint8_t silence[1500];
	uint32_t silence_len, slot_samples;
	struct frame_chunk *chunk;
};

void merge_init(struct merge *m, const struct merge_config *config);
void merge_fini(struct merge *m);

/* The input of this name: its index, or MERGE_NONE when there are MERGE_INPUTS others. What is known keeps its
 * priority. `one_way`: no two runs of it are there at the same time. */
unsigned merge_input(struct merge *m, const char *name, unsigned priority, bool one_way);
/* Choose an input by hand, or MERGE_NONE to lift the choice. */
void merge_choose(struct merge *m, unsigned input);

/* The name of the best input that supplied the last real slot; "" before the first. */
const char *merge_on_air(const struct merge *m);

/* A frame of an input. Takes over its reference. */
void merge_push(struct merge *m, unsigned input, const struct frame_run *run, struct frame f);

/* Go on after a restart: `format` was on air, its next slot begins at `next`; `boundary` says that this is the begin of
 * a segment, else segment `msn` has been begun. `runs`: what the store says of the runs that were on air; they go on
 * exactly when one of them is there. */
void merge_resume(struct merge *m, const struct audio_format *format, struct wall next, uint64_t msn, bool boundary,
    const struct hour_runs *runs);

enum merge_result merge_next(struct merge *m, struct wall now, struct slot *slot);

#endif
