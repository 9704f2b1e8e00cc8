/* A third party's RTP stream, as its SDP file describes it: packets from one or two paths in (SMPTE 2022-7: the first
 * of a sequence number wins), whole frames in order out. Pure; time is a parameter.
 *
 * Packets wait for those before them, but not longer than `wait_ns`. A frame's index and position come from RTP
 * timestamps, so what is lost leaves a hole and moves nothing. Another SSRC, a jump of sequence numbers or timestamps,
 * or a change of format begins a new run. */
#ifndef HINDCAST_RTP_STREAM_H
#define HINDCAST_RTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "media/format.h"
#include "relay/payload.h"
#include "relay/rtp.h"
#include "relay/rtp_run.h"
#include "relay/sdp.h"

#define RTP_STREAM_SLOTS 512u               /* packets that can wait, a power of two */
#define RTP_STREAM_WAIT (200 * NS_PER_MS)   /* the usual wait */
#define RTP_STREAM_SILENT (300 * NS_PER_MS) /* an SSRC that is silent for so long may be succeeded */

struct rtp_stream_counters {
	uint64_t packets, copies; /* taken; had come before, by this path or another */
	uint64_t lost;            /* packets that did not come in time */
	uint64_t late;            /* ... of which this many came after all */
	uint64_t malformed;       /* no RTP, or a payload that is not what the SDP file says */
	uint64_t strangers;       /* of another payload type, or of an SSRC that is not ours (now) */
	uint64_t sources;         /* SSRCs that began */
	uint64_t reports;         /* RTCP sender reports */
	uint64_t frames, frames_broken;
};

/* Where it goes; all borrow `ctx`. */
struct rtp_stream_sink {
	/* A run begins: index and position 0 belong to its first frame. */
	void (*begin)(void *ctx, const struct audio_format *format);
	/* `frame` without wall time; borrowed. */
	void (*frame)(void *ctx, const struct rtp_frame *frame);
	/* The sender says that `position` of the present run (which may lie before its first frame) was at `wall`. */
	void (*sender_time)(void *ctx, int64_t position, struct wall wall);
	void *ctx;
};

struct rtp_stream_slot {
	bool used, marker;
	uint16_t len;
	uint64_t number; /* extended sequence number */
	uint32_t timestamp;
	struct wall wall; /* of an element ntp-64; ns 0: none */
	struct mono arrived;
	uint8_t data[RTP_RECEIVE_MAX]; /* payload */
};

struct rtp_stream {
	/* private */
	struct sdp sdp;
	int64_t wait_ns;
	struct rtp_stream_sink sink;
	struct rtp_stream_slot *slots;
	bool has_ssrc, started;
	uint32_t ssrc;
	struct mono heard;
	uint64_t newest, next; /* extended sequence numbers: highest seen, and wanted */
	uint32_t waiting;
	unsigned misplaced; /* packets far from the others, in a row */
	uint16_t misplaced_next;
	/* the run */
	bool run;
	struct audio_format format;
	uint32_t samples;
	uint32_t newest_timestamp; /* of frame next_index - 1 */
	bool hole;                 /* packets were lost since */
	uint64_t next_index;
	struct {
		bool known;
		uint32_t ssrc, timestamp;
		struct wall wall;
	} report; /* the last sender report, also of a source that has not begun */
	struct payload_assembly assembly;
	bool assembling;
	uint8_t frame[PAYLOAD_FRAME_MAX + 16];
	struct rtp_stream_counters counters;
};

/* 0, or -1 without memory. */
int rtp_stream_init(struct rtp_stream *s, const struct sdp *sdp, int64_t wait_ns, const struct rtp_stream_sink *sink);
void rtp_stream_fini(struct rtp_stream *s);

/* A packet, RTP or (with rtcp-mux) RTCP, from any path. */
void rtp_stream_packet(struct rtp_stream *s, struct mono now, const uint8_t *data, size_t len);
/* A compound RTCP packet (RFC 3550 section 6). */
void rtp_stream_control(struct rtp_stream *s, const uint8_t *data, size_t len);
/* Once a tick: what has been waited for long enough is given up. */
void rtp_stream_tick(struct rtp_stream *s, struct mono now);

#endif
