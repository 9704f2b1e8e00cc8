/* AudioSpecificConfig (ISO 14496-3 1.6.2.1). */
#include "relay/asc.h"

#include <stdbool.h>

#include "media/adts.h"

#define AOT_LC 2
#define AOT_SBR 5
#define AOT_PS 29
#define FREQUENCY_ESCAPE 15
#define SYNC_SBR 0x2b7
#define SYNC_PS 0x548

struct bits {
	const uint8_t *p;
	size_t at, count;
	bool bad;
};

static uint32_t
get(struct bits *b, unsigned n)
{
	uint32_t v = 0;

	if (n > b->count - b->at) {
		b->bad = true;
		return 0;
	}
	for (; n > 0; n--, b->at++)
		v = v << 1 | (b->p[b->at / 8] >> (7 - b->at % 8) & 1);
	return v;
}

const char *
asc_error_text(int error)
{
	static const char *const text[] = { "no error", "it is too short", "it is neither AAC-LC nor HE-AAC",
		"its sampling frequency is none of ADTS's", "its channel configuration is 0",
		"its frames do not have 1024 samples" };

	return error <= 0 && error >= ASC_FRAMES ? text[-error] : "unknown";
}

/* Behind the core: SBR, and PS, said in the way that old decoders skip (1.6.6.2). */
static enum aac_profile
backward_compatible(struct bits *b)
{
	if (get(b, 11) != SYNC_SBR || get(b, 5) != AOT_SBR || get(b, 1) != 1 || b->bad)
		return AAC_LC;
	if (get(b, 4) == FREQUENCY_ESCAPE)
		get(b, 24);
	return get(b, 11) == SYNC_PS && get(b, 1) == 1 && !b->bad ? AAC_HE_V2 : AAC_HE;
}

int
asc_parse(const uint8_t *data, size_t len, struct audio_format *out)
{
	struct bits b = { .p = data, .count = len < 64 ? len * 8 : 512 };
	uint32_t object = get(&b, 5), frequency = get(&b, 4), channels = get(&b, 4);
	enum aac_profile profile = object == AOT_PS ? AAC_HE_V2 : object == AOT_SBR ? AAC_HE : AAC_LC;

	if (profile != AAC_LC && !b.bad) {
		if (frequency == FREQUENCY_ESCAPE || get(&b, 4) == FREQUENCY_ESCAPE) /* of the output */
			return ASC_RATE;
		object = get(&b, 5);
	}
	uint32_t frame_flags = get(&b, 3); /* frameLengthFlag, dependsOnCoreCoder, extensionFlag */
	if (b.bad)
		return ASC_SHORT;
	if (object != AOT_LC)
		return ASC_OBJECT;
	if (frequency > 12)
		return ASC_RATE;
	if (channels == 0 || channels > 7)
		return ASC_CHANNELS;
	if (frame_flags != 0)
		return ASC_FRAMES;
	if (profile == AAC_LC)
		profile = backward_compatible(&b);
	adts_format(UINT32_C(0xfff10000) | (object - 1) << 14 | frequency << 10 | channels << 6, out);
	out->profile = profile;
	return 0;
}

int
asc_write(const struct audio_format *f, uint8_t out[static ASC_SIZE])
{
	unsigned frequency = f->header[2] >> 2 & 15, channels = (f->header[2] & 1) << 2 | f->header[3] >> 6;

	if (channels == 0)
		return ASC_CHANNELS;
	uint32_t bits = AOT_LC << 11 | frequency << 7 | channels << 3;
	out[0] = (uint8_t)(bits >> 8);
	out[1] = (uint8_t)bits;
	return 0;
}
