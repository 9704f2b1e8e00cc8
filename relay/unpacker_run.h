/* One run at its receiver: from its packets to its frames. The unpacker's inside. */
#ifndef HINDCAST_UNPACKER_RUN_H
#define HINDCAST_UNPACKER_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/payload.h"
#include "relay/unpacker.h"

#define UNPACKER_SEEN 16384 /* packets before the newest among which duplicates are found without decrypting */
#define UNPACKER_ASSEMBLIES 4

struct unpacker_run_path {
	bool any;
	uint64_t newest, mask; /* mask: bit i: newest - 1 - i has arrived */
};

struct unpacker_run {
	struct rtp_run run;
	struct rtp_base base;
	uint32_t samples;
	struct srtp_run *srtp; /* NULL: in the clear */
	void *user;
	bool any; /* newest is one */
	uint64_t newest;
	uint64_t seen[UNPACKER_SEEN / 64]; /* by packet modulo UNPACKER_SEEN */
	struct payload_assembly *assembly[UNPACKER_ASSEMBLIES];
	bool assembling[UNPACKER_ASSEMBLIES];
	uint32_t next_assembly; /* the one to give up when all are in use */
	struct unpacker_run_path path[UNPACKER_PATHS];
};

/* A packet whose header has been read. */
struct unpacker_packet {
	const uint8_t *data;
	size_t len;
	unsigned path;
	struct rtp_packet rtp;
	struct wall wall;
	struct rtp_position position;
};

/* Memory for one packet and one frame, and where results go. */
struct unpacker_work {
	const struct unpacker_sink *sink;
	struct unpacker_path *paths;
	uint64_t frames_broken;
	_Alignas(8) uint8_t packet[RTP_RECEIVE_MAX];
	uint8_t frame[PAYLOAD_FRAME_MAX];
};

/* Read what the introduction `p` says about its run; with a secret, nothing is believed before a packet of it has been
 * read. 0 with *out to be ended by unpacker_run_fini, or a negative result with nothing to release. */
int unpacker_run_init(struct unpacker_run *out, const struct unpacker_packet *p, const struct srtp_secret *secret);
void unpacker_run_fini(struct unpacker_run *r);

/* Check a packet and decrypt it into work->packet. 0, with p->rtp then in the clear; or what became of it. */
int unpacker_run_open(struct unpacker_run *r, struct unpacker_packet *p, struct unpacker_work *work);
/* Give the frames of an opened packet to the sink. UNPACKER_TAKEN or a negative result. */
int unpacker_run_read(struct unpacker_run *r, const struct unpacker_packet *p, struct unpacker_work *work);

#endif
