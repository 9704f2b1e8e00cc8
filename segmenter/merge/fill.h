/* A file of audio that stands in while no input delivers, from memory. Pure. */
#ifndef HINDCAST_MERGE_FILL_H
#define HINDCAST_MERGE_FILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "media/format.h"

#define FILL_FILE_MAX (16u << 20) /* bytes */

struct fill_frame {
	const uint8_t *data;
	uint32_t len;
};

struct fill {
	struct audio_format format; /* its AAC profile is not known: AAC_LC */
	uint32_t samples;           /* of each frame */
	uint32_t count;
	struct fill_frame *frames;
	uint8_t *bytes; /* what they are in */
};

/* Find the frames of a whole file, ADTS or MPEG audio layer III, of one format and one duration. 0 with *out owned by
 * the caller (fill_free); -1 with `why` when it is none, or without memory. `bytes` is not used after the call. */
int fill_new(const uint8_t *bytes, size_t len, struct fill **out, char why[static 160]);
void fill_free(struct fill **f);

/* Can it stand in for this format? */
bool fill_fits(const struct fill *f, const struct audio_format *format);
/* The frame for the slot that begins at `at`: a function of time alone, so that all who fill play the same. */
const struct fill_frame *fill_at(const struct fill *f, struct wall at);

#endif
