/* What kind of audio a run of frames is. */
#include "media/format.h"

#include <stdio.h>
#include <string.h>

bool
audio_format_equal(const struct audio_format *a, const struct audio_format *b)
{
	return a->codec == b->codec && (a->codec != CODEC_AAC || a->profile == b->profile) &&
	       memcmp(a->header, b->header, sizeof(a->header)) == 0;
}

const char *
audio_format_codecs(const struct audio_format *f)
{
	if (f->codec == CODEC_MP3)
		return "mp4a.40.34";
	switch (f->profile) {
	case AAC_HE:
		return "mp4a.40.5";
	case AAC_HE_V2:
		return "mp4a.40.29";
	default:
		return "mp4a.40.2";
	}
}

uint8_t
audio_format_stream_type(const struct audio_format *f)
{
	if (f->codec == CODEC_AAC)
		return 0x0f;
	bool mpeg1 = (f->header[1] >> 3 & 3) == 3;
	return mpeg1 ? 0x03 : 0x04;
}

const char *
audio_format_text(const struct audio_format *f, char out[static 48])
{
	static const char *const profiles[] = { "AAC-LC", "HE-AAC", "HE-AAC v2" };
	bool sbr = f->codec == CODEC_AAC && f->profile != AAC_LC;
	bool ps = f->codec == CODEC_AAC && f->profile == AAC_HE_V2;
	const char *name = f->codec == CODEC_AAC ? profiles[f->profile] : f->codec == CODEC_MP3 ? "MP3" : "no audio";

	snprintf(out, 48, "%s %u Hz %d ch", name, f->rate << sbr, ps ? 2 : f->channels);
	return out;
}
