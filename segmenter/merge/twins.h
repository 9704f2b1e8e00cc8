/* The runs of a rendition and the lines that they form. Pure.
 *
 * A run begins as a line of its own. Two lines of one format are joined when 8 consecutive frames of both are the same,
 * none of which occurs twice among the last frames of its own line (silence repeats, and so does a jingle in a loop),
 * when one of them is known for 10 s (before that one cannot know what repeats), and when their wall times differ by no
 * more than patience (a later copy could not stand in). This is judged behind the output, at the wall times of the
 * frames, so it does not depend on who is first at the door. Afterwards every frame is compared; a run that brings
 * another one than the line has leaves it. */
#ifndef HINDCAST_MERGE_TWINS_H
#define HINDCAST_MERGE_TWINS_H

#include <stdbool.h>
#include <stdint.h>

#include "rewind/hour.h"
#include "segmenter/merge/line.h"
#include "segmenter/merge/run.h"

#define TWINS_FRAMES 8
#define TWINS_KNOWN_NS (10 * NS_PER_S)
#define TWINS_APART_NS (30 * NS_PER_S) /* however long patience is */
#define TWINS_NONE UINT32_MAX          /* no line */

struct twins_counters {
	uint64_t copies; /* frames that were there already: the same run and index */
	uint64_t twins;  /* frames that a twin had brought already */
	uint64_t late;   /* frames that came after their slot had passed */
	uint64_t full;   /* frames dropped because too many waited, or came from too far ahead */
	uint64_t joined; /* lines found to be twins */
	uint64_t parted; /* runs that brought another frame than their line */
	uint64_t runs, dropped_runs;
};

struct twins {
	struct run runs[MERGE_RUNS];
	struct line lines[MERGE_RUNS];
	int64_t patience_ns;
	unsigned on_air;        /* line, or TWINS_NONE: never dropped, and the one that others join */
	unsigned newest;        /* run that came last */
	unsigned end;           /* runs and lines from there on are not used */
	struct wall next;       /* where the output is; ns 0: it has not begun */
	struct hour_runs known; /* runs that were on air before a restart, and their offsets */
	struct twins_counters counters;
};

void twins_init(struct twins *t, int64_t patience_ns);
void twins_fini(struct twins *t);

/* Takes over the frame's reference. *first: it is the first of its slot that this input brought. Its run is
 * runs[newest] afterwards, unless FULL. */
enum line_result twins_push(struct twins *t, unsigned input, const struct frame_run *run, struct frame f, bool *first);
/* Look for twins among the frames with wall times up to `until`. Each slot of each line is seen once, in the order of
 * time; `seen` is told of it. */
void twins_see(struct twins *t, struct wall until,
    void (*seen)(void *ctx, const struct line *l, const struct line_slot *s, struct wall at), void *ctx);
/* Forget lines that have no frame in hand and ended before `before`, but not the one on air. */
void twins_forget(struct twins *t, struct wall before);

#endif
