/* Samples to ticks. */
#include "media/ticks.h"

struct ticks
ticks_at(struct ticks anchor, uint64_t sample, uint32_t rate)
{
	uint64_t seconds = sample / rate, rest = sample % rate;
	return ticks_add(anchor, seconds * TICKS_PER_S + (rest * TICKS_PER_S + rate / 2) / rate);
}
