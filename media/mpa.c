/* MPEG audio: frames of layers I to III (ISO 11172-3 2.4.1, ISO 13818-3 2.4.1, and "2.5"). */
#include "media/mpa.h"

#include <string.h>

enum { VERSION_2_5 = 0, VERSION_RESERVED = 1, VERSION_2 = 2, VERSION_1 = 3, MODE_MONO = 3 };

#define KEY_MASK UINT32_C(0xfffe0c00)
#define KEY_MONO UINT32_C(0xc0)
#define CHECK_WORD 2

/* kbit/s by [lower sampling frequencies][layer - 1][bitrate_index]; index 0 is free format, 15 forbidden. */
static const uint16_t bitrate[2][3][15] = {
	{ { 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448 },
	    { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 },
	    { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 } },
	{ { 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256 },
	    { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
	    { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 } },
};
static const uint16_t sampling_frequency[3] = { 44100, 48000, 32000 }; /* of MPEG-1; halved once or twice */

static unsigned
key_version(uint32_t key)
{
	return key >> 19 & 3;
}

static uint32_t
key_rate(uint32_t key)
{
	static const uint8_t halvings[4] = { [VERSION_1] = 0, [VERSION_2] = 1, [VERSION_2_5] = 2 };
	return (uint32_t)sampling_frequency[key >> 10 & 3] >> halvings[key_version(key)];
}

static bool
key_low_rates(uint32_t key)
{
	return key_version(key) != VERSION_1;
}

/* Bytes of a frame (2.4.3.1: N slots of 4 bytes in layer I, of 1 byte in II and III). */
static uint16_t
frame_length(const struct mpa *h, unsigned kbps)
{
	uint32_t rate = key_rate(h->key);

	if (h->layer == 1)
		return (uint16_t)((12000 * kbps / rate + h->padding) * 4);
	return (uint16_t)((uint32_t)h->samples / 8 * 1000 * kbps / rate + h->padding);
}

static uint16_t
frame_samples(unsigned layer, bool low_rates)
{
	if (layer == 1)
		return 384;
	return layer == 3 && low_rates ? 576 : 1152;
}

int
mpa_parse(const uint8_t p[static MPA_HEADER], struct mpa *h)
{
	unsigned version = p[1] >> 3 & 3, layer = p[1] >> 1 & 3, index = p[2] >> 4, frequency = p[2] >> 2 & 3;

	if (p[0] != 0xff || (p[1] & 0xe0) != 0xe0)
		return -1;
	if (version == VERSION_RESERVED || layer == 0 || index == 15 || frequency == 3)
		return -1;
	h->key = ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8) & KEY_MASK;
	if (p[3] >> 6 == MODE_MONO)
		h->key |= KEY_MONO;
	h->layer = (uint8_t)(4 - layer);
	h->crc = !(p[1] & 1);
	h->padding = p[2] >> 1 & 1;
	h->samples = frame_samples(h->layer, key_low_rates(h->key));
	h->length = index == 0 ? 0 : frame_length(h, bitrate[key_low_rates(h->key)][h->layer - 1][index]);
	return 0;
}

/* Bytes of layer III side information (2.4.1.7). */
static unsigned
side_info_len(uint32_t key)
{
	bool mono = key & KEY_MONO;

	if (key_low_rates(key))
		return mono ? 9 : 17;
	return mono ? 17 : 32;
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;
	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

bool
mpa_is_info(const uint8_t *frame, const struct mpa *h)
{
	/* "Xing" and "Info" stand behind the side information, "VBRI" always 32 bytes behind the header */
	const size_t vbri = MPA_HEADER + 32;
	size_t head = MPA_HEADER + (h->crc ? CHECK_WORD : 0);
	size_t xing = MPA_HEADER + side_info_len(h->key);

	/* Some encoders reckon the offset with the CRC and some without. */
	for (int i = 0; i < 2 && xing + 4 <= h->length; i++, xing += CHECK_WORD) {
		bool named = memcmp(frame + xing, "Xing", 4) == 0 || memcmp(frame + xing, "Info", 4) == 0;
		/* side information of zeros: a frame whose main data happens to read "Info" has some */
		if (named && all_zero(frame + head, xing - head))
			return true;
		if (!h->crc)
			break;
	}
	return vbri + 4 <= h->length && memcmp(frame + vbri, "VBRI", 4) == 0;
}

void
mpa_format(uint32_t key, struct audio_format *out)
{
	*out = (struct audio_format){
		.codec = CODEC_MP3,
		.header = { (uint8_t)(key >> 24), (uint8_t)(key >> 16), (uint8_t)(key >> 8), (uint8_t)key },
		.rate = key_rate(key),
		.channels = key & KEY_MONO ? 1 : 2,
	};
}

uint32_t
mpa_silence(uint32_t key, uint8_t out[static MPA_SILENCE_MAX], uint32_t *samples)
{
	struct mpa h;

	/* All fields zero: main_data_begin 0 and part2_3_length 0 in every granule and channel. Even the lowest bit
	 * rate leaves room for the side information; what is over is ancillary data. */
	memset(out, 0, MPA_SILENCE_MAX);
	out[0] = (uint8_t)(key >> 24);
	out[1] = (uint8_t)(key >> 16 | 1);
	out[2] = (uint8_t)(key >> 8 | 0x10);
	out[3] = (uint8_t)key;
	if (mpa_parse(out, &h) < 0 || h.length > MPA_SILENCE_MAX)
		return 0;
	*samples = h.samples;
	return h.length;
}
