/* Stamping: the wall time of every sample of a run, from the times at which its bytes arrived. Pure: time comes in as a
 * parameter.
 *
 * A run's wall time is base + media position. The base is the lowest `arrival - media time` seen in the first second,
 * because servers and reconnecting encoders send a burst of old audio first: it then lies in the past, where it
 * belongs. Later the base is slewed by at most 200 ppm towards the lower envelope of arrivals (encoder clocks drift),
 * once that is off by more than 5 ms. When arrivals stay off by more than 1 s for 1 s, audio was lost: a new run
 * begins. */
#ifndef HINDCAST_STAMP_H
#define HINDCAST_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum stamp_state { STAMP_ANCHORING, STAMP_STEADY, STAMP_JUDGING };

enum stamp_verdict {
	STAMP_HOLD,    /* keep what has arrived: it is not known yet what its time is */
	STAMP_RELEASE, /* what is held has its time: stamp_wall() */
	STAMP_NEW_RUN, /* what is held is a new run, whose position 0 is the first held sample; its time is known */
};

struct stamp {
	uint32_t rate; /* Hz of the positions */
	enum stamp_state state;
	bool given;          /* anchored on a given start */
	bool caught_up;      /* a given start has reached the present once: from there arrivals are judged */
	int64_t base_ns;     /* wall time of position 0 */
	int64_t slew_ns;     /* still to be added to base_ns, bit by bit */
	uint64_t slewed_to;  /* position up to which the slew has been spent */
	struct wall since;   /* of ANCHORING, JUDGING: when it began */
	int64_t lowest_ns;   /* ... lowest arrival - media time since then, from position 0 */
	struct wall window;  /* STEADY: begin of the envelope's window */
	int64_t envelope_ns; /* ... lowest arrival - expected in it; INT64_MAX: none yet */
	uint64_t held_from;  /* position of the first held sample */
	uint64_t jumps;      /* new runs that were begun because of arrivals */
};

/* A run whose frames are anchored by their arrival. */
void stamp_init(struct stamp *s, uint32_t rate);
/* A run whose position 0 was on air at `start`: it lies in the past as long as it has not caught up. */
void stamp_init_given(struct stamp *s, uint32_t rate, struct wall start);

/* Frames up to position `end` (exclusive; the first not yet released one begins at `held_from`) had arrived at `now`.
 */
enum stamp_verdict stamp_arrived(struct stamp *s, struct wall now, uint64_t held_from, uint64_t end);
/* Nothing has arrived; time goes on. */
enum stamp_verdict stamp_tick(struct stamp *s, struct wall now);
/* The run is over: what is held is released with the best that is known. HOLD when nothing is known (nothing ever
 * arrived). */
enum stamp_verdict stamp_finish(struct stamp *s);

/* Wall time of a position; positions must not go back (spending the slew moves the base). */
struct wall stamp_wall(struct stamp *s, uint64_t position);

#endif
