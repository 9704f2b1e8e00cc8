/* ADTS: one AAC frame with its header (ISO 14496-3 1.A.2.2, tables 1.A.5 to 1.A.11).
 *
 *   byte 0        1         2         3         4         5         6
 *   ssssssss ssssVLLN ppffffPc ccohCSll llllllll lllbbbbb bbbbbbnn
 *
 * s syncword, V ID (1: MPEG-2), L layer 00, N protection_absent, p profile, f sampling_frequency_index, P private,
 * c channel_configuration, o original/copy, h home, C S copyright identification, l frame length, b buffer fullness,
 * n number of raw data blocks - 1. The first 28 bits are the fixed header. */
#ifndef HINDCAST_ADTS_H
#define HINDCAST_ADTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/format.h"

#define ADTS_HEADER 7
#define ADTS_FRAME_MAX 8191
#define ADTS_BLOCK_SAMPLES 1024

struct adts {
	uint32_t key;    /* the normalised fixed header, as in audio_format.header, big endian */
	uint16_t length; /* of the frame in bytes, header included */
	uint8_t blocks;  /* raw data blocks, 1 to 4 */
	uint8_t profile; /* profile_ObjectType: 0 Main, 1 LC, 2 SSR, 3 LTP */
	bool crc;        /* protection_absent was 0: check words follow the header and the blocks */
};

struct adts_block {
	const uint8_t *data; /* one raw_data_block() */
	uint32_t len;
};

/* Read a header. 0, or -1 with *h undefined: no syncword, a reserved sampling frequency, or a length that cannot be:
 * shorter than what must be in the frame or longer than a decoder's input buffer of 6144 bits a channel and block. */
int adts_parse(const uint8_t p[static ADTS_HEADER], struct adts *h);

/* Block `i` of a whole frame of h->length bytes, its check words left out. Frames of several blocks can be taken apart
 * only when they have CRC (the header then says where each block begins); without it block 0 is all of them.
 * 0, or -1 when there is no such block or the positions in the header make no sense. */
int adts_block(const uint8_t *frame, const struct adts *h, unsigned i, struct adts_block *out);

/* Write a normalised header: no CRC, buffer fullness 0x7FF. payload_len at most ADTS_FRAME_MAX - ADTS_HEADER. */
void adts_write(uint32_t key, uint32_t payload_len, unsigned blocks, uint8_t out[static ADTS_HEADER]);

/* The format that a key stands for, its profile AAC_LC. */
void adts_format(uint32_t key, struct audio_format *out);

/* A whole frame of silence: the syntactic elements of the channel configuration, each with max_sfb 0 and so without
 * spectrum. Returns its length (at most ADTS_SILENCE_MAX), or 0 for channel configuration 0. */
#define ADTS_SILENCE_MAX 32
uint32_t adts_silence(uint32_t key, uint8_t out[static ADTS_SILENCE_MAX]);

#endif
