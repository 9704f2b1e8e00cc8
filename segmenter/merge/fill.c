/* A file of audio that stands in while no input delivers. */
#include "segmenter/merge/fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/framer.h"

/* Add the frame that was found. false: it does not fit to those before. */
static bool
add(struct fill *f, const struct framer_out *o, size_t *used, char why[static 160])
{
	if (f->count == 0) {
		f->format = o->format;
		f->samples = o->samples;
	} else if (!audio_format_equal(&f->format, &o->format) || f->samples != o->samples) {
		snprintf(why, 160, "its frames are not all of one format");
		return false;
	}
	uint8_t *to = f->bytes + *used;
	memcpy(to, o->header, o->header_len);
	memcpy(to + o->header_len, o->payload, o->payload_len);
	f->frames[f->count++] = (struct fill_frame){ to, (uint32_t)(o->header_len + o->payload_len) };
	*used += o->header_len + o->payload_len;
	return true;
}

static int
find(struct fill *f, const uint8_t *bytes, size_t len, size_t most, char why[static 160])
{
	struct framer framer;
	struct framer_out o;
	size_t at = 0, used = 0;

	framer_init(&framer);
	for (;;) {
		enum framer_result r = framer_next(&framer, bytes + at, len - at, true, &o);
		if (r == FRAMER_REFUSED) {
			snprintf(why, 160, "%.159s", o.why);
			return -1;
		}
		at += o.consumed;
		if (r != FRAMER_FRAME)
			break;
		if (f->count == most || used + o.header_len + o.payload_len > 2 * len) {
			snprintf(why, 160, "it has too many frames");
			return -1;
		}
		if (!add(f, &o, &used, why))
			return -1;
	}
	if (f->count == 0) {
		snprintf(why, 160, "it has no whole audio frame; want AAC in ADTS or MPEG audio layer III (MP3)");
		return -1;
	}
	return 0;
}

int
fill_new(const uint8_t *bytes, size_t len, struct fill **out, char why[static 160])
{
	struct fill *f = calloc(1, sizeof(*f));
	size_t most = len / 8 + 1; /* no frame is shorter than 8 bytes */

	snprintf(why, 160, "out of memory");
	if (f && len > FILL_FILE_MAX) {
		snprintf(why, 160, "it is larger than %u MB", FILL_FILE_MAX >> 20);
		free(f);
		return -1;
	}
	if (f) {
		f->bytes = malloc(2 * len + 1);
		f->frames = calloc(most, sizeof(*f->frames));
	}
	if (!f || !f->bytes || !f->frames || find(f, bytes, len, most, why) < 0) {
		fill_free(&f);
		return -1;
	}
	*out = f;
	return 0;
}

void
fill_free(struct fill **f)
{
	if (!*f)
		return;
	free((*f)->bytes);
	free((*f)->frames);
	free(*f);
	*f = NULL;
}

bool
fill_fits(const struct fill *f, const struct audio_format *format)
{
	struct audio_format x = f->format;

	x.profile = format->profile;
	return audio_format_equal(&x, format);
}

const struct fill_frame *
fill_at(const struct fill *f, struct wall at)
{
	/* slots of a hole follow each other by a frame's duration, rounded to ns: half a sample keeps them apart */
	unsigned __int128 samples = ((unsigned __int128)(uint64_t)at.ns * f->format.rate + NS_PER_S / 2) / NS_PER_S;

	return &f->frames[(uint64_t)(samples / f->samples) % f->count];
}
