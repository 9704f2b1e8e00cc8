/* MPEG audio: frames of layers I to III (ISO 11172-3 2.4.1, ISO 13818-3 2.4.1 for the lower rates, and "2.5").
 *
 *   byte 0        1         2         3
 *   ssssssss sssVVLLN bbbbrrpP mmeecoEE
 *
 * s sync, V version (3: MPEG-1, 2: MPEG-2, 0: 2.5), L layer (3: I, 2: II, 1: III), N no CRC, b bitrate_index,
 * r sampling_frequency, p padding, P private, m mode, e mode_extension, c copyright, o original, E emphasis. */
#ifndef HINDCAST_MPA_H
#define HINDCAST_MPA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/format.h"

#define MPA_HEADER 4

struct mpa {
	uint32_t key;     /* normalised header, as in audio_format.header, big endian */
	uint16_t length;  /* of the frame in bytes, header included; 0: free format, the header does not say */
	uint16_t samples; /* per channel */
	uint8_t layer;    /* 1 to 3 */
	bool crc, padding;
};

/* Read a header. 0, or -1 with *h undefined: no sync, or a reserved version, layer, bit rate or sampling frequency. */
int mpa_parse(const uint8_t p[static MPA_HEADER], struct mpa *h);

/* Whether a whole layer III frame is no audio but a Xing, Info or VBRI table about the file it stood in. */
bool mpa_is_info(const uint8_t *frame, const struct mpa *h);

void mpa_format(uint32_t key, struct audio_format *out);

/* A whole layer III frame of silence: side information that says "no main data", at the lowest bit rate.
 * Returns its length; *samples per channel. */
#define MPA_SILENCE_MAX 192
uint32_t mpa_silence(uint32_t key, uint8_t out[static MPA_SILENCE_MAX], uint32_t *samples);

#endif
