/* The session description of what we send. */
#include "relay/sdp.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/text.h"
#include "relay/asc.h"

/* profile-level-id (ISO 14496-1 table 5 of audio profiles): AAC profile level 2 and 4, HE-AAC level 2, HE-AAC v2. */
static unsigned
profile_level(const struct audio_format *f)
{
	switch (f->profile) {
	case AAC_HE:
		return 44;
	case AAC_HE_V2:
		return 48;
	default:
		return f->channels > 2 ? 42 : 41;
	}
}

static void
write_aac(const struct audio_format *f, unsigned type, const uint8_t config[static ASC_SIZE], struct text *out)
{
	text_fmt(out, "a=rtpmap:%u mpeg4-generic/%" PRIu32 "/%u\r\n", type, rtp_run_clock(f), f->channels);
	text_fmt(out,
	    "a=fmtp:%u streamtype=5;profile-level-id=%u;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;"
	    "config=%02X%02X\r\n",
	    type, profile_level(f), config[0], config[1]);
}

static void
write_elements(struct text *out)
{
	static const char *const uri[] = { [RTP_ID_WALL] = SDP_URI_WALL,
		[RTP_ID_POSITION] = SDP_URI_POSITION,
		[RTP_ID_MID] = SDP_URI_MID,
		[RTP_ID_RID] = SDP_URI_RID,
		[RTP_ID_RUN] = SDP_URI_RUN,
		[RTP_ID_FORMAT] = SDP_URI_FORMAT,
		[RTP_ID_MARK] = SDP_URI_MARK };

	for (unsigned id = RTP_ID_WALL; id <= RTP_ID_MARK; id++)
		text_fmt(out, "a=extmap:%u %s\r\n", id, uri[id]);
}

/* c=: the time to live is said for IPv4 multicast, and only there (RFC 8866 section 5.7). */
static int
write_connection(const struct sdp_target *t, struct text *out)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, t->address, &v4) == 1) {
		bool multicast = (ntohl(v4.s_addr) >> 28) == 14;
		text_fmt(out, "c=IN IP4 %s", t->address);
		if (multicast)
			text_fmt(out, "/%u", t->ttl);
	} else if (inet_pton(AF_INET6, t->address, &v6) == 1) {
		text_fmt(out, "c=IN IP6 %s", t->address);
	} else {
		return SDP_ADDRESS;
	}
	text_str(out, "\r\n");
	return 0;
}

int
sdp_write(const struct rtp_run *run, const struct sdp_target *t, struct text *out)
{
	const struct audio_format *f = &run->format;
	uint8_t config[ASC_SIZE], type = rtp_run_payload_type(f, t->protect);
	struct rtp_base base;
	struct in6_addr v6;

	if (f->codec == CODEC_AAC && asc_write(f, config) < 0)
		return SDP_CHANNELS;
	rtp_run_base(run->id, &base);
	text_fmt(out, "v=0\r\no=- %" PRIu32 " 0 IN %s\r\ns=%s %s\r\n", base.ssrc,
	    inet_pton(AF_INET6, t->address, &v6) == 1 ? "IP6 ::1" : "IP4 127.0.0.1", run->mid, run->rid);
	if (write_connection(t, out) < 0)
		return SDP_ADDRESS;
	text_fmt(out, "t=0 0\r\na=recvonly\r\nm=audio %u RTP/%s %u\r\n", t->port, t->protect ? "SAVP" : "AVP", type);
	if (f->codec == CODEC_AAC)
		write_aac(f, type, config, out);
	else
		text_fmt(out, "a=rtpmap:%u MPA/90000\r\n", type);
	text_fmt(out, "a=ssrc:%" PRIu32 " cname:%s\r\n", base.ssrc, run->mid);
	write_elements(out);
	return out->full ? SDP_FULL : 0;
}
