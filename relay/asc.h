/* AudioSpecificConfig (ISO 14496-3 1.6.2.1): what an SDP says of AAC. */
#ifndef HINDCAST_ASC_H
#define HINDCAST_ASC_H

#include <stddef.h>
#include <stdint.h>

#include "media/format.h"

#define ASC_SIZE 2

enum asc_error {
	ASC_SHORT = -1,    /* bytes are missing */
	ASC_OBJECT = -2,   /* neither AAC-LC nor HE-AAC over it */
	ASC_RATE = -3,     /* a sampling frequency that ADTS cannot say */
	ASC_CHANNELS = -4, /* channel configuration 0: told elsewhere */
	ASC_FRAMES = -5,   /* frames of 960 samples, or scalable */
};

const char *asc_error_text(int error);

/* SBR and PS count as such when they are said explicitly, in either way. 0, or an error with *out untouched. */
int asc_parse(const uint8_t *data, size_t len, struct audio_format *out);
/* The two bytes of the AAC-LC core; SBR and PS are left implicit. 0 or ASC_CHANNELS. */
int asc_write(const struct audio_format *f, uint8_t out[static ASC_SIZE]);

#endif
