/* Session descriptions (RFC 8866): written for what we send, read for what third parties send. */
#ifndef HINDCAST_SDP_H
#define HINDCAST_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/format.h"
#include "relay/rtp_run.h"

struct text;

#define SDP_ADDRESS_MAX 64
#define SDP_TEXT_MAX 65536

/* What our elements are called in a=extmap (RFC 8285 section 5); those that have no registered name have ours. */
#define SDP_URI_WALL "urn:ietf:params:rtp-hdrext:ntp-64"
#define SDP_URI_POSITION "urn:x-hindcast:position"
#define SDP_URI_MID "urn:ietf:params:rtp-hdrext:sdes:mid"
#define SDP_URI_RID "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
#define SDP_URI_RUN "urn:x-hindcast:run"
#define SDP_URI_FORMAT "urn:x-hindcast:format"
#define SDP_URI_MARK "urn:x-hindcast:mark"

/* Where a run is sent. */
struct sdp_target {
	const char *address; /* numeric, IPv4 or IPv6 */
	uint16_t port;
	uint8_t ttl;  /* of IPv4 multicast; else ignored */
	bool protect; /* by SRTP: the description names the profile and no key */
};

enum sdp_write_error {
	SDP_ADDRESS = -1,  /* not numeric */
	SDP_CHANNELS = -2, /* AAC with channel configuration 0 has no AudioSpecificConfig of its own */
	SDP_FULL = -3,     /* did not fit */
};

/* Append the description of a run. 0 or an error. */
int sdp_write(const struct rtp_run *run, const struct sdp_target *target, struct text *out);

/* A third party's stream. */
struct sdp {
	char address[SDP_ADDRESS_MAX]; /* numeric: multicast group, or the address that it is sent to */
	char source[SDP_ADDRESS_MAX];  /* the only sender, from a=source-filter (RFC 4570); "" for any */
	bool ipv6, multicast;
	uint8_t ttl;        /* IPv4 multicast; 0: not said */
	uint16_t port;      /* RTP */
	uint16_t rtcp_port; /* the same as `port` with a=rtcp-mux; port + 1 unless a=rtcp says another one */
	uint8_t payload_type;
	uint32_t clock;             /* Hz of the RTP timestamp */
	struct audio_format format; /* AAC: from config=; MPEG audio: only codec is set, the frames tell the rest */
	bool has_ssrc;
	uint32_t ssrc; /* a=ssrc: the only source; else any */
	/* Ids of header elements that can be used, 0: not sent. */
	uint8_t id_wall, id_mid, id_rid;
};

/* Read a description with one audio stream that we can take. 0; or -1 with *out untouched and, appended to *why, the
 * line, what is wrong with it and what to do. */
int sdp_read(const char *text, size_t len, struct sdp *out, struct text *why);

#endif
