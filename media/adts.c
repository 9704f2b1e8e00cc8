/* ADTS: one AAC frame with its header (ISO 14496-3 1.A.2.2). */
#include "media/adts.h"

#include <string.h>

#define CHECK_WORD 2 /* crc_check */
#define POSITION 2   /* raw_data_block_position */
/* minimum decoder input buffer of ISO 14496-3 4.5.3.1: 6144 bits a channel */
#define CHANNEL_BYTES_MAX 768
#define SAMPLING_FREQUENCIES 13

#define KEY_MASK UINT32_C(0xfffefdc0)
#define KEY_PROTECTION_ABSENT UINT32_C(0x00010000)

static const uint32_t sampling_frequency[SAMPLING_FREQUENCIES] = { 96000, 88200, 64000, 48000, 44100, 32000, 24000,
	22050, 16000, 12000, 11025, 8000, 7350 };
static const uint8_t channels_of[8] = { 0, 1, 2, 3, 4, 5, 6, 8 };

static unsigned
key_frequency_index(uint32_t key)
{
	return key >> 10 & 15;
}

static unsigned
key_channel_configuration(uint32_t key)
{
	return key >> 6 & 7;
}

/* Bytes before the first raw data block. */
static uint32_t
head_len(const struct adts *h)
{
	if (!h->crc)
		return ADTS_HEADER;
	return ADTS_HEADER + (h->blocks - 1u) * POSITION + CHECK_WORD;
}

/* Check words that follow the blocks: only frames of several blocks have them there. */
static uint32_t
block_check_len(const struct adts *h)
{
	return h->crc && h->blocks > 1 ? CHECK_WORD : 0;
}

/* Whether a decoder's input buffer holds so many bytes of raw data blocks; configuration 0 does not tell. */
static bool
fits_decoder(const struct adts *h, uint32_t len, unsigned blocks)
{
	unsigned channels = channels_of[key_channel_configuration(h->key)];

	return channels == 0 || len <= (uint32_t)CHANNEL_BYTES_MAX * channels * blocks;
}

static bool
length_possible(const struct adts *h)
{
	uint32_t fixed = head_len(h) + h->blocks * block_check_len(h);

	return h->length >= fixed + h->blocks && fits_decoder(h, h->length - fixed, h->blocks);
}

int
adts_parse(const uint8_t p[static ADTS_HEADER], struct adts *h)
{
	if (p[0] != 0xff || (p[1] & 0xf6) != 0xf0)
		return -1;
	uint32_t fixed = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	h->key = (fixed & KEY_MASK) | KEY_PROTECTION_ABSENT;
	if (key_frequency_index(h->key) >= SAMPLING_FREQUENCIES)
		return -1;
	h->length = (uint16_t)((p[3] & 3) << 11 | p[4] << 3 | p[5] >> 5);
	h->blocks = (p[6] & 3) + 1;
	h->profile = p[2] >> 6;
	h->crc = !(p[1] & 1);
	return length_possible(h) ? 0 : -1;
}

/* Where block `i` begins, counted from the first block (1.A.3.2.1: raw_data_block_position(i), none for block 0); for
 * i == blocks, where the frame ends. */
static uint32_t
block_position(const uint8_t *frame, const struct adts *h, unsigned i)
{
	if (i == 0)
		return 0;
	if (i >= h->blocks)
		return h->length - head_len(h);
	const uint8_t *p = frame + ADTS_HEADER + (i - 1) * POSITION;
	return (uint32_t)p[0] << 8 | p[1];
}

int
adts_block(const uint8_t *frame, const struct adts *h, unsigned i, struct adts_block *out)
{
	uint32_t head = head_len(h), check = block_check_len(h);

	if (i >= h->blocks)
		return -1;
	if (!h->crc || h->blocks == 1) {
		*out = (struct adts_block){ frame + head, h->length - head };
		return 0;
	}
	uint32_t begin = 0, end = 0;
	for (unsigned n = 0; n < h->blocks; n++) {
		uint32_t from = block_position(frame, h, n), to = block_position(frame, h, n + 1);
		/* all positions must be in order, or none is to be trusted; from < 65536, so nothing wraps */
		if (to > h->length - head || from + check >= to || !fits_decoder(h, to - check - from, 1))
			return -1;
		if (n == i) {
			begin = from;
			end = to - check;
		}
	}
	*out = (struct adts_block){ frame + head + begin, end - begin };
	return 0;
}

void
adts_write(uint32_t key, uint32_t payload_len, unsigned blocks, uint8_t out[static ADTS_HEADER])
{
	uint32_t length = ADTS_HEADER + payload_len;

	out[0] = (uint8_t)(key >> 24);
	out[1] = (uint8_t)(key >> 16);
	out[2] = (uint8_t)(key >> 8);
	out[3] = (uint8_t)((key & 0xc0) | (length >> 11 & 3));
	out[4] = (uint8_t)(length >> 3);
	out[5] = (uint8_t)((length & 7) << 5 | 0x1f);
	out[6] = (uint8_t)(0xfc | (blocks - 1));
}

void
adts_format(uint32_t key, struct audio_format *out)
{
	*out = (struct audio_format){
		.codec = CODEC_AAC,
		.profile = AAC_LC,
		.header = { (uint8_t)(key >> 24), (uint8_t)(key >> 16), (uint8_t)(key >> 8), (uint8_t)key },
		.rate = sampling_frequency[key_frequency_index(key)],
		.channels = channels_of[key_channel_configuration(key)],
	};
}

/* --- silence --- */

enum { ID_SCE = 0, ID_CPE = 1, ID_LFE = 3, ID_END = 7, ELEMENTS_MAX = 5 };

/* Syntactic elements of each channel configuration (ISO 14496-3 table 1.19), ended by ID_END. */
static const uint8_t elements[8][ELEMENTS_MAX + 1] = {
	{ ID_END },
	{ ID_SCE, ID_END },
	{ ID_CPE, ID_END },
	{ ID_SCE, ID_CPE, ID_END },
	{ ID_SCE, ID_CPE, ID_SCE, ID_END },
	{ ID_SCE, ID_CPE, ID_CPE, ID_END },
	{ ID_SCE, ID_CPE, ID_CPE, ID_LFE, ID_END },
	{ ID_SCE, ID_CPE, ID_CPE, ID_CPE, ID_LFE, ID_END },
};

struct bits {
	uint8_t *out;
	unsigned count;
};

static void
put(struct bits *b, unsigned width, unsigned value)
{
	while (width-- > 0) {
		b->out[b->count / 8] |= (uint8_t)((value >> width & 1) << (7 - b->count % 8));
		b->count++;
	}
}

/* ics_info(): one long window without scale factor bands. */
static void
put_ics_info(struct bits *b)
{
	put(b, 1, 0); /* ics_reserved_bit */
	put(b, 2, 0); /* window_sequence: ONLY_LONG_SEQUENCE */
	put(b, 1, 0); /* window_shape */
	put(b, 6, 0); /* max_sfb */
	put(b, 1, 0); /* predictor_data_present */
}

/* individual_channel_stream(): nothing to scale, no section, no spectrum. */
static void
put_channel(struct bits *b, bool common_window)
{
	put(b, 8, 0); /* global_gain */
	if (!common_window)
		put_ics_info(b);
	put(b, 3, 0); /* pulse_data_present, tns_data_present, gain_control_data_present */
}

static void
put_element(struct bits *b, unsigned id, unsigned tag)
{
	put(b, 3, id);
	put(b, 4, tag);
	if (id != ID_CPE) {
		put_channel(b, false);
		return;
	}
	put(b, 1, 1); /* common_window */
	put_ics_info(b);
	put(b, 2, 0); /* ms_mask_present */
	put_channel(b, true);
	put_channel(b, true);
}

uint32_t
adts_silence(uint32_t key, uint8_t out[static ADTS_SILENCE_MAX])
{
	const uint8_t *e = elements[key_channel_configuration(key)];
	struct bits b = { out + ADTS_HEADER, 0 };
	unsigned tags[4] = { 0 };

	if (*e == ID_END)
		return 0;
	memset(out, 0, ADTS_SILENCE_MAX);
	for (; *e != ID_END; e++)
		put_element(&b, *e, tags[*e]++);
	put(&b, 3, ID_END);
	uint32_t payload = (b.count + 7) / 8;
	adts_write(key, payload, 1, out);
	return ADTS_HEADER + payload;
}
