/* What kind of audio a run of frames is. */
#ifndef HINDCAST_FORMAT_H
#define HINDCAST_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

enum codec { CODEC_NONE, CODEC_AAC, CODEC_MP3 };

/* What an ADTS header does not say (ISO 14496-3 4.5.2.8): HE-AAC is signalled implicitly inside the frames. */
enum aac_profile { AAC_LC, AAC_HE, AAC_HE_V2 };

/* Frames of equal format can follow each other without a discontinuity. */
struct audio_format {
	enum codec codec;
	enum aac_profile profile; /* AAC only */
	/* AAC: the ADTS fixed header's 28 bits, normalised (protection_absent 1, private, original/copy and home 0),
	 * then 4 zero bits. MP3: sync, version, layer, rate and mode (11 for mono, else 00); bit rate, padding, CRC,
	 * private, mode extension, copyright, original and emphasis bits 0. */
	uint8_t header[4];
	uint32_t rate;    /* Hz at which `samples` count: the header's rate (half of the decoded one for HE-AAC) */
	uint8_t channels; /* 1 to 8, as in the header; HE-AAC v2 says 1; 0: channel configuration 0, told inside the
			     frames */
};

bool audio_format_equal(const struct audio_format *a, const struct audio_format *b);

/* RFC 6381 string for CODECS: "mp4a.40.2", ".5", ".29" or, for MP3, ".34". */
const char *audio_format_codecs(const struct audio_format *f);

/* stream_type in a PMT (ISO 13818-1 table 2-34): 0x0F ADTS, 0x03 MPEG-1 audio, 0x04 MPEG-2 audio (LSF, and 2.5). */
uint8_t audio_format_stream_type(const struct audio_format *f);

/* "AAC-LC 44100 Hz 2 ch" for logs and lists: what is heard, so rate and channels are the decoded ones. At most 48
 * bytes. */
const char *audio_format_text(const struct audio_format *f, char out[static 48]);

#endif
