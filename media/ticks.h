/* The 90 kHz clock of MPEG systems (ISO 13818-1 2.4.2): only TS, PES and ID3 code counts in it. */
#ifndef HINDCAST_TICKS_H
#define HINDCAST_TICKS_H

#include <stdint.h>

#define TICKS_PER_S UINT32_C(90000)
#define TICKS_MASK ((UINT64_C(1) << 33) - 1)

/* Position on the clock, modulo 2^33: it wraps every 26.5 hours, and a wrap is no discontinuity. */
struct ticks {
	uint64_t t;
};

/* PTS of sample `sample` counted from an anchor: anchor + round(sample * 90000 / rate), modulo 2^33. Exact for any
 * count: the whole seconds are converted apart from the rest, so nothing overflows and nothing accumulates. */
struct ticks ticks_at(struct ticks anchor, uint64_t sample, uint32_t rate);

/* `a` + `by` and `a` - `by` around the wrap. */
static inline struct ticks
ticks_add(struct ticks a, uint64_t by)
{
	return (struct ticks){ (a.t + by) & TICKS_MASK };
}

static inline struct ticks
ticks_sub(struct ticks a, uint64_t by)
{
	return (struct ticks){ (a.t - by) & TICKS_MASK };
}

/* How far `a` is ahead of `b` on the shorter way round: -2^32 to 2^32 - 1. */
static inline int64_t
ticks_diff(struct ticks a, struct ticks b)
{
	uint64_t d = (a.t - b.t) & TICKS_MASK;
	return d >> 32 ? (int64_t)d - (INT64_C(1) << 33) : (int64_t)d;
}

#endif
