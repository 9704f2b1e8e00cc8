/* The kinds of time. Each is its own type, so that mixing them does not compile; all are integers. */
#ifndef HINDCAST_CLOCK_H
#define HINDCAST_CLOCK_H

#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* Wall time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX). */
struct wall {
	int64_t ns;
};

/* Monotonic time: nanoseconds since an arbitrary start; for timeouts and intervals only. */
struct mono {
	int64_t ns;
};

/* Ask the system. No other file of this project does. */
struct wall clock_wall_now(void);
struct mono clock_mono_now(void);

/* Nanoseconds that `samples` last at `rate` Hz, rounded to nearest. Exact for any count below 2^63 / 10^9 seconds. */
int64_t samples_to_ns(uint64_t samples, uint32_t rate);

/* Wall time that the segmenter lives by: monotonic time plus an offset, so that it never goes back.
 * A forward step of the system clock over 1 s is followed at once (and reported, new runs must begin);
 * after a backward step the old time goes on and is slewed towards the system's by at most 100 ppm. */
struct timebase {
	int64_t offset_ns;   /* wall = mono + offset */
	struct mono updated; /* when offset was last slewed */
	int64_t error_ns;    /* system wall - our wall at the last update */
	uint64_t steps_forward, steps_backward;
	int behind; /* non-zero while the system clock is more than 1 s behind */
};

enum timebase_event { TIMEBASE_STEADY, TIMEBASE_STEPPED_FORWARD, TIMEBASE_STEPPED_BACKWARD };

/* Start so that wall time is the later of `system` and `not_before` (the end of the newest stored segment). */
void timebase_init(struct timebase *tb, struct mono now, struct wall system, struct wall not_before);
/* Compare with the system clock; call a few times a second. A BACKWARD event is returned once per step. */
enum timebase_event timebase_update(struct timebase *tb, struct mono now, struct wall system);
struct wall timebase_wall(const struct timebase *tb, struct mono now);

/* "2026-11-21T09:00:06.000Z" (24 characters and NUL): ISO 8601 in UTC with milliseconds, rounded down. */
#define WALL_TEXT_SIZE 32
const char *wall_format(struct wall w, char text[static WALL_TEXT_SIZE]);

/* Read an absolute instant: "2026-11-21T09:00:00Z", with fraction, with +hh:mm, "20261121T090000Z", or
 * Unix seconds. 0, or -1 with *w untouched. */
int wall_parse(const char *text, struct wall *w);

#endif
