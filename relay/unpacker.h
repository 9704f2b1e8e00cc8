/* From packets, in any order and from several paths, to the frames of their runs.
 *
 * A packet belongs to a stream, which is its SSRC and where its sequence numbers start (sequence - packet index,
 * derived from the run id like the SSRC). Packets of a stream are kept, within bounds, until one of them says the run's
 * id, names and format, and, with a secret, has proved it; then what was kept is read. Frames come out as they become
 * whole, in the order of arrival: sorting is the reader's.
 *
 * Third parties' RTP, which has no such elements, is not for this module: see payload.h and sdp.h. */
#ifndef HINDCAST_UNPACKER_H
#define HINDCAST_UNPACKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "relay/rtp_run.h"
#include "relay/srtp.h"

/* What is counted; negative results count at [-result]. */
enum unpacker_result {
	UNPACKER_TAKEN = 0,
	UNPACKER_DUPLICATE = 1,  /* seen before, on this path or another one */
	UNPACKER_KEPT = 2,       /* until its run is known */
	UNPACKER_RTP = -1,       /* no RTP packet: see rtp_errors */
	UNPACKER_FOREIGN = -2,   /* no wall time or position: not ours */
	UNPACKER_MISMATCH = -3,  /* SSRC, sequence number or timestamp are not those of its run and position */
	UNPACKER_FORGED = -4,    /* the tag is wrong: another key, or damaged */
	UNPACKER_CLEAR = -5,     /* in the clear although there is a key */
	UNPACKER_PROTECTED = -6, /* protected, and there is no key */
	UNPACKER_PAYLOAD = -7,   /* the payload is no frames */
	UNPACKER_NAMES = -8,     /* MID, RtpStreamId, run id or format cannot be, or change within the run */
	UNPACKER_BOUNDS = -9,    /* no room for another stream, packet or fragment; or memory is short */
	UNPACKER_RESULTS = 10,
};

const char *unpacker_result_text(int result);

#define UNPACKER_PATHS 8 /* paths that are counted apart */

struct unpacker_limits {
	uint32_t runs;       /* known at once; the one that is silent for longest is forgotten for a new one */
	uint32_t unknown;    /* streams whose run is not known yet */
	uint32_t kept_bytes; /* that their packets may take in all */
	int64_t idle_ns;     /* a run that is silent for so long is over */
};
#define UNPACKER_LIMITS_DEFAULT                                                                                        \
	{                                                                                                              \
		.runs = 1024, .unknown = 256, .kept_bytes = 4 << 20, .idle_ns = 120 * NS_PER_S                         \
	}

struct unpacker_path {
	uint64_t packets;    /* of known runs that arrived on it */
	uint64_t duplicates; /* ... of them had arrived before, here or elsewhere */
	uint64_t lost;       /* numbers between those that arrived which did not */
};

/* Where frames go; each may be NULL. `user` is the reader's own word about a run, NULL at first. The run and what is in
 * the frame are borrowed until the call returns. The unpacker must not be called from inside. */
struct unpacker_sink {
	void *context;
	void (*begin)(void *context, const struct rtp_run *run, void **user);
	void (*frame)(void *context, const struct rtp_run *run, void **user, const struct rtp_frame *frame);
	/* With each packet that carries one: it repeats. */
	void (*mark)(void *context, const struct rtp_run *run, void **user, const uint8_t *mark, size_t len);
	/* The run was silent, or made room for another one. When it speaks again it begins again. */
	void (*end)(void *context, const struct rtp_run *run, void **user);
};

struct unpacker;

/* `secret` NULL: runs in the clear. On the heap; NULL when memory is short. */
struct unpacker *unpacker_new(
    const struct unpacker_limits *limits, const struct srtp_secret *secret, const struct unpacker_sink *sink);
/* Ends all runs. */
void unpacker_free(struct unpacker **u);

/* Take a packet, which stays the caller's, from path `path` (those from UNPACKER_PATHS on are counted as the last one).
 * Returns what became of it (enum unpacker_result). */
int unpacker_put(struct unpacker *u, struct mono now, unsigned path, const uint8_t *packet, size_t len);
/* End runs that are silent and forget what was kept for unknown ones; call about once a second. */
void unpacker_tick(struct unpacker *u, struct mono now);

/* Counters: of results, by [result] for those from 0 and by [-result] for errors; of RTP errors; of a path. */
uint64_t unpacker_count(const struct unpacker *u, int result);
uint64_t unpacker_rtp_errors(const struct unpacker *u, int rtp_error);
void unpacker_path(const struct unpacker *u, unsigned path, struct unpacker_path *out);
/* Runs known, and bytes kept for unknown ones. */
uint32_t unpacker_runs(const struct unpacker *u);
uint32_t unpacker_kept_bytes(const struct unpacker *u);
/* Frames whose fragments never became whole. */
uint64_t unpacker_frames_broken(const struct unpacker *u);

#endif
