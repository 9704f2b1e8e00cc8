/* A span of a rendition's time, read out of its store segment by segment: which frames are in it, and where there are
 * none. Nothing is believed that was not read back: a segment that is damaged, or not there, is a hole like any other.
 * One hour file and one segment are in memory at a time. */
#ifndef HINDCAST_EXCERPT_H
#define HINDCAST_EXCERPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "rewind/hour.h"

#define EXCERPT_HOLES 5                    /* that are told one by one */
#define EXCERPT_SEGMENT_MAX (256ull << 20) /* bytes: an hour of what eight channels take */

struct excerpt_hole {
	struct wall from, to;
	char why[208]; /* what made it, if that is no gap entry: file and fault; else "" */
};

struct excerpt {
	int dir;              /* the rendition's folder, borrowed */
	struct wall from, to; /* `whole`: rounded to the grid, down and up, once T is known */
	bool whole; /* segments; else the frames whose edge nearest to `from` and `to` bounds them (layout_msn) */

	/* What was found; zeroed by excerpt_read. */
	uint32_t T;      /* seconds; 0: there is no hour file */
	uint32_t target; /* seconds: the longest segment, rounded to nearest, and at least T */
	bool independent;
	uint64_t segments, frames, fill; /* fill: how many of the frames are silence that was put in */
	uint64_t bytes;                  /* of the frames; `whole`: of the files */
	int64_t duration_ns, fill_ns;
	struct wall first, last;    /* starts of the first and the last frame, to the millisecond of their segment */
	struct audio_format format; /* of the first; codec CODEC_NONE when there is none */
	bool changes;               /* it does not stay: */
	struct wall change;         /* the first frame of another format, */
	struct audio_format other;  /* and that format */
	uint64_t hole_count;
	int64_t hole_ns;
	struct excerpt_hole holes[EXCERPT_HOLES]; /* the first of them */
};

/* A segment of which at least a frame is in the span; all borrowed for the call. */
struct excerpt_segment {
	const struct hour_entry *entry;
	const struct audio_format *format;
	bool hole;                 /* between it and the one given before media is missing */
	const void *file, *frames; /* its bytes; the frames in the span one after the other (not `whole`) */
	size_t file_len, frames_len;
};

/* Read the span and give each segment, oldest first, to `each` (NULL: only look), until that returns other than 0,
 * which is returned then. Holes are no failure. 0, or -errno of what kept it from looking. */
int excerpt_read(struct excerpt *x, int (*each)(void *ctx, const struct excerpt_segment *segment), void *ctx);

#endif
