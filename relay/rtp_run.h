/* A run as packets name it, and its frames. */
#ifndef HINDCAST_RTP_RUN_H
#define HINDCAST_RTP_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "media/format.h"
#include "relay/rtp.h"

/* What is said of a run in its packets. */
struct rtp_run {
	uint8_t id[RTP_RUN_ID];
	struct audio_format format;
	char mid[RTP_MID_MAX + 1]; /* "station.rendition" */
	char rid[RTP_RID_MAX + 1]; /* the input's name */
};

/* One whole normalised frame of a run, ADTS or layer III header included. */
struct rtp_frame {
	const uint8_t *data; /* borrowed */
	uint32_t len;
	uint32_t samples;  /* the same in all frames of the run: rtp_run_samples */
	uint64_t index;    /* in the run, from 0 */
	uint64_t position; /* index * samples, at format.rate */
	struct wall wall;  /* of its first sample */
};

/* Where a run's RTP fields start. They are derived from its id (XXH64, seeds 0 and 1), so that whoever sends a run
 * sends the same packets, and so that a packet of another run that has the same SSRC by chance is told from its own. */
struct rtp_base {
	uint32_t ssrc, timestamp;
	uint16_t sequence; /* below 2^15 (RFC 3711 section 3.3.1 wants a new stream's first packet far from the wrap) */
};
void rtp_run_base(const uint8_t id[static RTP_RUN_ID], struct rtp_base *out);

/* Samples of each frame: 1024 for AAC (at the rate of the header, HE-AAC too), 1152 or 576 for layer III; 0: no codec.
 */
uint32_t rtp_run_samples(const struct audio_format *f);
/* Hz of the RTP timestamp: the format's rate for AAC (RFC 3640 section 3.3.1), 90000 for MPEG audio (RFC 2250 section
 * 1.2). */
uint32_t rtp_run_clock(const struct audio_format *f);
/* The RTP timestamp of a position: base + position in units of the clock, rounded to nearest, modulo 2^32. */
uint32_t rtp_run_timestamp(const struct audio_format *f, uint32_t base, uint64_t position);

/* Payload types: in the clear (14 is static for MPA, RFC 3551), and protected by SRTP, so that a receiver without the
 * key, or with one where none is used, can say so. */
enum rtp_payload_type { RTP_PT_MPA = 14, RTP_PT_AAC = 96, RTP_PT_AAC_PROTECTED = 98, RTP_PT_MPA_PROTECTED = 99 };
uint8_t rtp_run_payload_type(const struct audio_format *f, bool protect);

#endif
