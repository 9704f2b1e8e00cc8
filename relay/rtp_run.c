/* A run as packets name it. */
#include "relay/rtp_run.h"

#include <xxhash.h>

#include "media/ticks.h"

void
rtp_run_base(const uint8_t id[static RTP_RUN_ID], struct rtp_base *out)
{
	uint64_t first = XXH64(id, RTP_RUN_ID, 0), second = XXH64(id, RTP_RUN_ID, 1);

	*out = (struct rtp_base){
		.ssrc = (uint32_t)(first >> 32),
		.timestamp = (uint32_t)first,
		.sequence = second & 0x7fff,
	};
}

uint32_t
rtp_run_samples(const struct audio_format *f)
{
	if (f->codec == CODEC_AAC)
		return 1024;
	if (f->codec != CODEC_MP3)
		return 0;
	bool mpeg1 = (f->header[1] >> 3 & 3) == 3;
	return mpeg1 ? 1152 : 576;
}

uint32_t
rtp_run_clock(const struct audio_format *f)
{
	return f->codec == CODEC_MP3 ? TICKS_PER_S : f->rate;
}

uint32_t
rtp_run_timestamp(const struct audio_format *f, uint32_t base, uint64_t position)
{
	if (f->codec == CODEC_MP3) /* ticks wrap at 2^33, of which 2^32 is a half */
		position = ticks_at((struct ticks){ 0 }, position, f->rate).t;
	return base + (uint32_t)position;
}

uint8_t
rtp_run_payload_type(const struct audio_format *f, bool protect)
{
	if (f->codec == CODEC_MP3)
		return protect ? RTP_PT_MPA_PROTECTED : RTP_PT_MPA;
	return protect ? RTP_PT_AAC_PROTECTED : RTP_PT_AAC;
}
