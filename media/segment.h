/* A segment is a pure function of the frames in it and its number: these write it, byte for byte. */
#ifndef HINDCAST_SEGMENT_H
#define HINDCAST_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/format.h"
#include "media/ticks.h"

struct media_frame {
	const uint8_t *data; /* a whole normalised frame, borrowed */
	uint32_t len;
	uint32_t samples;
};

struct media_segment {
	uint64_t msn;               /* media sequence number k */
	struct audio_format format; /* of every frame in it */
	struct ticks anchor;        /* PTS of sample 0 ... */
	uint64_t sample;            /* ... and the first frame's sample count from there */
	const struct media_frame *frames;
	size_t count;
};

/* An upper bound of the bytes that a writer makes of this segment. */
size_t ts_segment_bound(const struct media_segment *s, bool id3);
/* MPEG transport stream (ISO 13818-1), layout in doc/formats.md. `id3`: announce the timed ID3 stream in the PMT.
 * Frames have 2 to 65527 bytes and last at least a sample. Returns the length, never above the bound. */
size_t ts_segment_write(const struct media_segment *s, bool id3, uint8_t *out);

size_t packed_segment_bound(const struct media_segment *s);
/* Packed audio (RFC 8216 3.4): an ID3 tag with the transport stream timestamp, then the frames. */
size_t packed_segment_write(const struct media_segment *s, uint8_t *out);

/* What a stored segment holds, found by reading it back: for verification and recovery. */
struct segment_facts {
	struct audio_format format; /* profile cannot be known: AAC_LC */
	struct ticks pts;           /* of the first frame */
	uint64_t samples;           /* all frames together */
	uint64_t frames, audio_bytes;
	char why[160]; /* when it is refused: what is wrong, and at which byte */
};

/* Read a whole .ts (`ts`) or packed segment and check everything that the writer promises: sync, PAT, PMT, continuity
 * counters (PAT's and PMT's = msn mod 16, audio a multiple of 16), PCR spacing, PES headers, PTS of every PES against
 * the sample count, frames whole, normalised and of one format. `each`, if not NULL, is called with every frame in
 * order, as far as they are good; a frame is borrowed until it returns. Takes 64 KiB of stack. 0, or -1 with facts->why
 * set and the other facts untouched. */
int segment_read(const uint8_t *data, size_t len, bool ts, uint64_t msn, struct segment_facts *facts,
    void (*each)(void *ctx, const uint8_t *frame, size_t frame_len), void *ctx);

#endif
