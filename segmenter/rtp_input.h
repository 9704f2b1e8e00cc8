/* type = rtp: third parties' RTP, described by one SDP file, or by two for two paths of the same packets (SMPTE
 * 2022-7).
 *
 * Frames are stamped from the sender's RTCP reports (RFC 3550 section 6.4.1) or ntp-64 elements (RFC 6051); by arrival
 * while there are none. It stands beside input.c because inputs know nothing of relay/, where RTP is read. */
#ifndef HINDCAST_RTP_INPUT_H
#define HINDCAST_RTP_INPUT_H

#include "relay/rtp_stream.h"
#include "segmenter/input/input.h"

struct rtp_input;

/* All of a process. */
struct rtp_inputs {
	struct rtp_input *first;
};

struct rtp_input_counters {
	struct rtp_stream_counters stream;
	uint64_t up; /* gauge: frames came in the last `timeout` */
	uint64_t bytes, runs, frames_dropped;
	uint64_t by_arrival;   /* gauge: 1 while nothing but arrival tells the time */
	uint64_t time_refused; /* times of the sender that were not used, because its clock differs from ours */
};

/* Listen. `settings` (type = rtp) and `labels` are borrowed, as is what `context` points to. 0; or -1 with lines in
 * `errors`. */
int rtp_input_open(struct rtp_inputs *all, const struct input_context *context, const struct input_settings *settings,
    const char *labels, struct text *errors);
/* The sinks are not called any more; the loop ends it. */
void rtp_inputs_close(struct rtp_inputs *all);
/* Once a tick: what has been waited for goes on. */
void rtp_inputs_tick(struct rtp_inputs *all, struct mono now);

/* The i-th one's counters and labels; NULL when there are no more. */
const struct rtp_input_counters *rtp_inputs_at(struct rtp_inputs *all, unsigned i, const char **labels);

#endif
