/* Where a segment's PCRs go and what they say.
 *
 * The packets are meant to arrive as the audio in them is played: the first byte of a packet arrives TS_PCR_LEAD before
 * the presentation of the sample that it stands for. Positions inside a frame are interpolated by its bytes. */
#ifndef HINDCAST_TS_PCR_H
#define HINDCAST_TS_PCR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/segment.h"

/* 0.7 s. More than the longest PES lasts, so that also a demultiplexer which collects whole PES packets has each
 * before its PTS. */
#define TS_PCR_LEAD 63000

/* PCRs are at most this many samples apart: 100 ms (ISO 13818-1 2.7.2), rounded down. */
static inline uint32_t
ts_pcr_interval(uint32_t rate)
{
	return rate / 10;
}

/* A frame, and where it begins in the segment. */
struct ts_place {
	size_t frame;
	uint64_t byte;   /* of the elementary stream */
	uint64_t sample; /* from the segment's first */
};

struct ts_pcr {
	/* private */
	const struct media_segment *segment;
	struct ts_place now, ahead;
	uint64_t last; /* sample that the last PCR stands for */
	uint64_t due;
};

/* Begin with a PCR in the packet that begins with the frame at `from`, which is in the segment. */
void ts_pcr_init(struct ts_pcr *pcr, const struct media_segment *segment, struct ts_place from);

/* A packet that begins at elementary stream byte `byte` carries a PCR. Bytes never go back. */
void ts_pcr_mark(struct ts_pcr *pcr, uint64_t byte);

/* The first byte of a packet must not lie behind this one unless a PCR was sent meanwhile. */
static inline uint64_t
ts_pcr_due(const struct ts_pcr *pcr)
{
	return pcr->due;
}

/* The next packet begins at `byte`: is the last PCR too far back for that, because few bytes last long? Then a packet
 * with nothing but a PCR goes before it (which this call counts as sent); ask again. */
bool ts_pcr_gap(struct ts_pcr *pcr, uint64_t byte);

/* What the PCR says that was asked for last. */
struct ticks ts_pcr_value(const struct ts_pcr *pcr);

#endif
