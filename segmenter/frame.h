/* Frames in memory: small values that share chunks of bytes. Chunks are counted, immutable once filled, and come from
 * one bounded pool: when it is empty the frame is dropped and counted, so nothing that the network sends makes memory
 * grow without bound. One thread (the loop) takes and gives references; workers only read what they were lent. */
#ifndef HINDCAST_FRAME_H
#define HINDCAST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "media/format.h"

struct frame_pool {
	size_t limit, used; /* bytes of chunks in all */
	struct frame_chunk *spare;
	unsigned spares;
	uint64_t refused; /* frames that were not taken because the pool was empty */
};

struct frame_chunk {
	struct frame_pool *pool;
	struct frame_chunk *next; /* in the list of spares */
	uint32_t refs, used;
	uint8_t data[];
};

/* A whole normalised frame. The holder of the value holds one reference on its chunk. Whoever stamps a run gives each of
 * its frames index, position and wall, once; copies of a frame that come by other ways say the same. */
struct frame {
	struct frame_chunk *chunk;
	const uint8_t *data;
	uint32_t len;
	uint32_t samples;
	struct wall wall;  /* of its first sample */
	uint64_t index;    /* in its run, from 0 */
	uint64_t position; /* samples from the run's first frame, at the format's rate */
	uint8_t path;      /* by which way it came, for counting: 0 is this process, up to FRAME_PATHS - 1 */
	bool fill;         /* made here, because nothing real was there */
};
#define FRAME_PATHS 8

/* What the frames of a run have in common: what one input delivers from connect to disconnect, or a part of it on one
 * side of a jump or a change of format. */
#define RUN_ID_SIZE 16
struct frame_run {
	uint8_t id[RUN_ID_SIZE]; /* random, made by whoever stamps it */
	struct audio_format format;
};

void frame_pool_init(struct frame_pool *pool, size_t limit);
/* Every frame must have been released. */
void frame_pool_fini(struct frame_pool *pool);

/* Copy a frame (header, then payload) behind the frames already in *chunk, which is replaced by a new one when it is
 * full. The caller holds one reference on *chunk and gives it back with frame_chunk_release; `out` is a second one,
 * given back with frame_release. 0, or -1 when the pool is empty (counted; nothing changed). */
int frame_make(struct frame_pool *pool, struct frame_chunk **chunk, const uint8_t *header, uint32_t header_len,
    const uint8_t *payload, uint32_t payload_len, struct frame *out);

void frame_chunk_release(struct frame_chunk **chunk);
void frame_release(struct frame *f);

/* A queue of frames: a ring that grows up to `max`. */
struct frame_queue {
	struct frame *ring;
	uint32_t head, count, size, max;
};

void frame_queue_init(struct frame_queue *q, uint32_t max);
/* Releases what is in it. */
void frame_queue_fini(struct frame_queue *q);
void frame_queue_clear(struct frame_queue *q);
/* Takes over the reference. 0, or -1 when it is full or memory is short: the reference stays with the caller. */
int frame_queue_push(struct frame_queue *q, struct frame f);
/* The i-th frame from the front, borrowed; NULL when there are fewer. */
struct frame *frame_queue_at(struct frame_queue *q, uint32_t i);
/* Hands the front's reference to the caller; the queue must not be empty. */
struct frame frame_queue_pop(struct frame_queue *q);

#endif
