/* Strict demultiplexer of one stored transport stream segment: for verification, not for streams from outside. */
#ifndef HINDCAST_TS_READ_H
#define HINDCAST_TS_READ_H

#include <stddef.h>
#include <stdint.h>

#include "media/ticks.h"

#define TS_READ_WHY_SIZE 160
#define TS_READ_PCR_LEAD 63000   /* ticks that the first PCR is before the first PTS */
#define TS_READ_PCR_SPACING 9000 /* ticks that PCRs may be apart: 100 ms */

/* A whole PES packet of the audio stream; borrowed until the callback returns. */
struct ts_read_pes {
	struct ticks pts;
	const uint8_t *data;
	size_t size;
	size_t at; /* byte of the segment at which its first transport packet begins */
};

struct ts_read_sink {
	/* Called for every PES packet in order. Non-zero ends the reading; it has said why. */
	int (*pes)(void *ctx, const struct ts_read_pes *pes);
	void *ctx;
};

struct ts_read_facts {
	uint8_t stream_type;
	struct ticks last_pcr;
};

/* Read the whole segment and check all that a transport stream by itself can break: whole packets in sync, PAT and PMT
 * first and nowhere else, with good CRCs and counters of `msn` mod 16; PIDs that the PMT names; adaptation fields and
 * their stuffing; continuity; random access and PCR in the first audio packet, PCRs at most 100 ms apart, never going
 * back, TS_READ_PCR_LEAD before the first PTS and never behind one; PES headers and lengths; a multiple of 16 audio
 * packets. 0, or -1 with the first fault in `why`, or what the sink returned. */
int ts_read(const uint8_t *data, size_t len, uint64_t msn, const struct ts_read_sink *sink, struct ts_read_facts *facts,
    char why[static TS_READ_WHY_SIZE]);

#endif
