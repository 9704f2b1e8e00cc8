/* A line: runs that carry the same encoded frames (twins), as one sequence of slots. Any of its runs supplies any slot;
 * a run's frame goes to slot run.index + run.shift. Pure.
 *
 * Wall time belongs to the line, not to its runs: slot n is at base + position(n). The base is what the leader says,
 * which at the start is the run with the lowest anchor, then run id; it is taken over `lag` slots late, so that it does
 * not depend on who is first at the door. When the leader has brought nothing for `lag` slots, the next best of those
 * that do takes over, with the offset that makes its base the line's at that slot: losing a twin changes nothing. */
#ifndef HINDCAST_MERGE_LINE_H
#define HINDCAST_MERGE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/format.h"
#include "segmenter/frame.h"
#include "segmenter/merge/run.h"

#define LINE_HISTORY 512          /* slots that are remembered behind the output, a power of two */
#define LINE_WINDOW 512           /* slots among which a hash that occurs twice is a repeat, a power of two */
#define LINE_HELD_MAX (64 * 1024) /* frames in hand */
#define LINE_LAG_MAX 240          /* slots */
#define LINE_NO_RUN 255

struct line_slot {
	uint64_t hash;     /* of the frame's bytes */
	int64_t base_ns;   /* wall time of position 0 of run `run`, by its own stamps */
	int64_t position;  /* in the line, samples */
	int64_t mapped_ns; /* the line's base as it is once this slot, supplied or not, has been looked at */
	uint32_t runs;     /* bit i: run i has supplied it; 0: nobody has, and the rest says nothing */
	uint8_t run;       /* the best of them by run_before; LINE_NO_RUN: it has left */
	bool held;         /* its frame is in hand */
};

/* The hashes of the last slots that time has passed, to find twins by (twins.h). */
struct line_window {
	uint64_t hash[LINE_WINDOW];
	uint16_t next[LINE_WINDOW], heads[LINE_WINDOW]; /* place + 1, 0: none */
	bool has[LINE_WINDOW], repeat[LINE_WINDOW];
};

struct line {
	bool used, begun;
	struct audio_format format;
	uint32_t samples; /* of its first frame */
	uint32_t members; /* bit i: run i */
	/* slots [low, end) are remembered; those from `taken` on are still wanted */
	struct line_slot *slots;
	struct frame *frames;
	uint32_t slot_size, frame_size; /* powers of two */
	int64_t low, taken, front, end; /* front: the first that is held; end when there is none */
	uint32_t held;
	/* the mapping */
	bool mapped_any;
	int64_t base_ns, leader_last;
	int64_t mapped;          /* the slot that is looked at next */
	int64_t first_ns, first; /* the base as the first slot said it, and that slot */
	unsigned leader;
	int64_t lag; /* slots */
	/* twins.h */
	struct line_window *window;
	int64_t seen;           /* slots before it are in the window */
	struct wall seen_first; /* where seeing began; ns 0: nothing yet */
};

enum line_result {
	LINE_TAKEN,    /* the slot was empty: the line has the frame now */
	LINE_TWIN,     /* another run has supplied the same frame */
	LINE_COPY,     /* this run has supplied it, or it is older than all that is remembered */
	LINE_EARLY,    /* nobody has supplied it, and this run does not supply it yet (run.from) */
	LINE_LATE,     /* nobody has supplied it, and its time is over */
	LINE_MISMATCH, /* another run has supplied another frame: these runs are no twins (any more); nothing changed */
	LINE_FULL,     /* too far ahead, or no memory */
};

/* 0, or -1 without memory. The lag is twice patience, in frames of `samples`: twins' stamps may differ by patience too.
 */
int line_init(struct line *l, const struct audio_format *format, int64_t patience_ns, uint32_t samples);
/* Releases the frames. */
void line_fini(struct line *l);

/* Frame `f` of run `run`, whose bytes have the hash. Takes over the reference when TAKEN; else it stays with the
 * caller. *supplied: which runs had supplied the slot before. */
enum line_result line_push(
    struct line *l, const struct run *runs, unsigned run, const struct frame *f, uint64_t hash, uint32_t *supplied);

/* A slot that is remembered and was supplied; NULL otherwise. */
struct line_slot *line_at(const struct line *l, int64_t index);
/* Wall time by the stamps of the best run that supplied it, on the line's axis; without the lag. */
struct wall line_stamp(const struct line_slot *s, const struct run *runs, uint32_t rate);

/* Bring the mapping up to the slot at `index` and give its wall time. Indices of successive calls must not go back by
 * more than LINE_HISTORY. The slot must have been supplied. */
struct wall line_wall(struct line *l, struct run *runs, int64_t index);
/* The held frame at `index`, borrowed; NULL when it is not there. */
const struct frame *line_frame(const struct line *l, int64_t index);
/* Take it out, with the line's wall time in it; the reference goes to the caller. Slots up to it are over. */
struct frame line_take(struct line *l, struct run *runs, int64_t index);
/* Slots before `index` are over: their frames are released. How many there were. */
uint32_t line_pass(struct line *l, int64_t index);
/* Run `run` is no member any more: its slots stay, but no longer say its time. */
void line_leave(struct line *l, unsigned run);
/* Put the slots of `from` into `l`: slot i of it is slot i + d, samples later. From slot `since` on frames that are
 * missing are taken over; all others are released, and `from` is empty afterwards. The runs' shifts, offsets and `from`
 * are the caller's: no run supplies what lies before that, so that the slots do not depend on the moment at which the
 * lines were joined. Number of frames released. */
uint32_t line_absorb(struct line *l, struct line *from, int64_t d, int64_t samples, int64_t since);

/* Nanoseconds of a position that may lie before the line's first sample. */
int64_t line_ns(int64_t position, uint32_t rate);

#endif
