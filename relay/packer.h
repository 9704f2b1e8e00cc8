/* From the frames of a run to its packets. A packet depends on the run, its frames from the first one on and the marks
 * that were set between them, and on nothing else: every path that a run is sent on carries the same bytes.
 *
 * One frame a packet; up to PACKER_FRAMES_MAX small frames (PACKER_SMALL bytes) of together at most 100 ms in one; a
 * frame that is too large for one is sent in fragments. Elements 3 to 6 (and 7 while there is a mark) are on the first
 * PACKER_INTRODUCTION packets and on each packet that is the first one to begin in a new half second of the run. */
#ifndef HINDCAST_PACKER_H
#define HINDCAST_PACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/rtp_run.h"
#include "relay/srtp.h"

#define PACKER_FRAMES_MAX 3
#define PACKER_SMALL 256
#define PACKER_INTRODUCTION 3

enum packer_error {
	PACKER_NAMES = -1,  /* MID or RtpStreamId cannot be sent: an input's name must be letters and digits */
	PACKER_FORMAT = -2, /* no AAC and no layer III */
	PACKER_MEMORY = -3,
	PACKER_BLOCKS = -4, /* ADTS frame of several blocks: it cannot be split without decoding (RFC 3640 carries one
			       access unit a block) */
	PACKER_FRAME = -5,  /* no whole normalised frame of the run's format */
	PACKER_ORDER = -6,  /* index is not above the frame's before, or position is not index * samples */
};

/* What to tell the operator. */
const char *packer_error_text(int error);

struct packer_packet {
	const uint8_t *data; /* borrowed until the call returns; protected when there is a secret */
	size_t len;
	uint64_t index;    /* in the run */
	struct wall wall;  /* of the first frame in it */
	bool introduction; /* has elements 3 to 6: who begins here understands all that follows */
};

/* Where packets go. */
struct packer_sink {
	void *context;
	void (*packet)(void *context, const struct packer_packet *packet);
};

struct packer {
	/* private */
	struct rtp_run run;
	struct rtp_base base;
	struct srtp_run *srtp; /* NULL: in the clear */
	struct packer_sink sink;
	uint32_t samples;
	uint64_t packet;       /* index of the next one */
	uint64_t next_frame;   /* the least index that a frame may have */
	uint64_t introduce_at; /* half second from which on the next introduction is due */
	bool broken;           /* the next packet does not follow the one before: frames are missing between them */
	uint32_t waiting;      /* frames that wait for their packet to be full */
	uint32_t waiting_len[PACKER_FRAMES_MAX];
	struct wall waiting_wall[PACKER_FRAMES_MAX];
	uint64_t waiting_position;
	uint8_t waiting_data[PACKER_FRAMES_MAX * PACKER_SMALL];
	uint8_t mark[RTP_MARK_MAX], mark_len;
	bool mark_new;
	uint8_t out[RTP_PACKET_MAX];
	/* counters, readable by all */
	uint64_t frames, packets, bytes;
	uint64_t refused; /* frames that were not taken */
	uint64_t failed;  /* packets that could not be protected */
};

/* Begin a run. `secret` NULL: in the clear. 0 or an error, then there is nothing to release. */
int packer_init(
    struct packer *p, const struct rtp_run *run, const struct srtp_secret *secret, const struct packer_sink *sink);
/* Drops what is waiting: flush first. */
void packer_fini(struct packer *p);

/* Take a frame, which stays the caller's; packets that are now full go to the sink. Frames may be missing between two
 * (index and position then say so). 0, or an error: the frame was not taken and was counted. */
int packer_frame(struct packer *p, const struct rtp_frame *frame);
/* Send what waits: at the end of the run, or when no frame has come for a while. */
void packer_flush(struct packer *p);
/* Frames waiting for their packet. */
uint32_t packer_waiting(const struct packer *p);

/* The mark from now on: at most RTP_MARK_MAX bytes, 0 for none. It is on the next packet and on every introduction. */
void packer_mark(struct packer *p, const void *mark, uint8_t len);

#endif
