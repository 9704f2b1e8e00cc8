/* The journal: frames of segments that are not in the store yet, so that a killed segmenter loses nothing that had
 * arrived.
 *
 * One file for each such segment, ".journal-MSN" in the rendition's folder, append-only. All appends and removals of
 * one tick go to a thread of its own as one job, in order. (libuv's workers wait for the disk whenever segments are
 * stored; what has arrived must not wait behind them.)
 *
 *	"HCJ1", then what the segment is:     (all integers big endian)
 *	u64 msn, u8 codec, u8 profile, u8[4] header, u32 rate, u8 channels, u8 flags (1 discontinuity), u64 anchor,
 *	u64 sample
 *	then one record a frame: u32 length, u32 samples, i64 wall ns, u8 flags (1 fill, 2 pending, 4 runs),
 *	u32 xxh32 of the record so far and the bytes, bytes: those of the frame; with flag 4 before them, counted in the
 *	length, what has changed of the runs on air: u8 count, then u8[16] id, i64 offset ns of each
 *
 * What has arrived and is in no segment yet (input.h) is in ".journal-input": two slots, written in turn, of which the
 * whole one with the higher number counts: "HCJ2", u64 number, u32 length, u32 xxh32 of the number, the length and the
 * bytes, bytes. */
#ifndef HINDCAST_JOURNAL_H
#define HINDCAST_JOURNAL_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/text.h"
#include "segmenter/cut/cut.h"

struct journal;

struct journal_counters {
	uint64_t bytes, errors, recovered_frames;
};

/* One for the process. NULL without memory or thread. */
struct journal *journal_new(uv_loop_t *loop);
/* Waits for the job under way, then writes what is still to be written. The loop must run once more. */
void journal_free(struct journal **j);

/* What one rendition has in its folder, of which it keeps its own descriptor. NULL without memory. */
struct journal_dir;
struct journal_dir *journal_dir_new(struct journal *j, int dirfd);
void journal_dir_free(struct journal_dir **d);

/* Frames of `s` that the journal does not have yet are written with the next flush (copied now). */
void journal_append(struct journal_dir *d, struct segment *s);
/* The segment is in the store (or given up): its journal goes, with the next flush. */
void journal_remove(struct journal_dir *d, uint64_t msn);
/* What has arrived and is in no segment yet, in place of what was said before; goes with the next flush (copied now).
 */
void journal_input(struct journal_dir *d, const struct text *bytes);
/* Hand over what was appended and removed since the last flush. True when it went to the thread; false while a job is
 * under way (call again later). */
bool journal_flush(struct journal *j);
bool journal_busy(const struct journal *j);
const struct journal_counters *journal_counters(const struct journal *j);

/* Recovery, blocking: read the journals of a folder, in order of number; those at or below `newest` and unreadable ones
 * are removed. A torn record ends its segment. *segments: a list through ->next, owned by the caller. Frames come from
 * `pool`. 0 or -errno. */
int journal_recover(int dirfd, uint64_t newest, struct frame_pool *pool, struct segment **segments);
/* ... and what had arrived and was in no segment yet, added to `out`; nothing when there is nothing whole. */
void journal_recover_input(struct journal_dir *d, struct text *out);
/* Read one journal from memory: the part of journal_recover that looks at bytes. *whole: length of the head and all
 * whole records. NULL when there is no whole head or no frame. */
struct segment *journal_read(const uint8_t *data, size_t len, struct frame_pool *pool, size_t *whole);

#endif
