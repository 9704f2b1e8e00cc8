/* RTP packets (RFC 3550 section 5.1) with header extensions in the two-byte form (RFC 8285 section 4.3); the one-byte
 * form is read too.
 *
 *   byte 0         1         2         4           8      12
 *   VV P X CCCC | M PT(7) | sequence | timestamp | SSRC | CSRC * CC | [extension] | payload | [padding]
 *
 *   extension     10 00 | words(16) | elements | 00 ... to the word      element: id(8) length(8) data
 *
 * The elements by which frames travel between machines are listed below; doc/formats.md draws them. No I/O, no heap. */
#ifndef HINDCAST_RTP_H
#define HINDCAST_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "media/format.h"

#define RTP_HEADER 12
/* Bytes of a packet, with the tag of SRTP, that we send: with IPv6 and UDP no more than 1400. */
#define RTP_PACKET_MAX 1352
/* Bytes of a packet that we take from others. */
#define RTP_RECEIVE_MAX 2048

enum rtp_error {
	RTP_OK = 0,
	RTP_SHORT = -1,     /* fewer bytes than the fixed header */
	RTP_VERSION = -2,   /* not version 2 */
	RTP_CSRC = -3,      /* the list of contributing sources is longer than the packet */
	RTP_EXTENSION = -4, /* the header extension is longer than the packet */
	RTP_ELEMENT = -5,   /* an element is longer than the header extension */
	RTP_PADDING = -6,   /* padding of length 0, or longer than the payload */
	RTP_CONTROL = -7,   /* this is RTCP (RFC 5761 section 4: packet types 192 to 223) */
	RTP_ABSENT = -8,    /* the packet has no such element */
	RTP_VALUE = -9,     /* the element's length or value is wrong */
	RTP_FULL = -10,     /* building: there was no room */
	RTP_ERRORS = 11,    /* how many there are, RTP_OK included: counters[-error] */
};

/* "header extension longer than the packet": for logs and as the label of a counter. */
const char *rtp_error_text(int error);

enum rtp_id {
	RTP_ID_WALL = 1,     /* ntp-64: wall time of the first frame in the packet (RFC 6051 section 3.3) */
	RTP_ID_POSITION = 2, /* where the packet is in its run */
	RTP_ID_MID = 3,      /* "station.rendition" (RFC 8843 section 14) */
	RTP_ID_RID = 4,      /* RtpStreamId (RFC 8852): the input's name */
	RTP_ID_RUN = 5,      /* run id */
	RTP_ID_FORMAT = 6,   /* codec configuration */
	RTP_ID_MARK = 7,     /* the current mark */
};

#define RTP_IDS 16 /* elements with ids 1 to 15 are kept, others are passed over */

struct rtp_element {
	const uint8_t *data; /* NULL: absent */
	uint8_t len;
};

/* A view: it points into the packet, which stays the caller's. */
struct rtp_packet {
	bool marker, padded, extended;
	uint8_t payload_type, csrcs;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	struct rtp_element element[RTP_IDS]; /* [id]; the first one when an id occurs twice */
	const uint8_t *payload;              /* without padding */
	size_t payload_len;                  /* may be 0 */
};

/* Read a packet in the clear. 0, or the error, *p then untouched. */
int rtp_parse(const uint8_t *data, size_t len, struct rtp_packet *p);
/* Read the header of a packet that is protected or only handed on: the payload is all that follows, ciphertext, tag and
 * padding included. 0, or the error, *p then untouched. */
int rtp_parse_header(const uint8_t *data, size_t len, struct rtp_packet *p);

/* Where a packet is in its run (RTP_ID_POSITION; big endian, 16 bytes and 4 for each further frame):
 *
 *   packet(64) | sample(64) | [deviation(32) of frame 2, of frame 3, ...]
 *
 * The RTP sequence number is a start that is derived from the run plus `packet`, so both wrap together and the
 * roll-over counter of SRTP (RFC 3711 section 3.3.1) is known from any packet. `sample` counts from the run's first
 * frame to the first frame in this packet, at the format's rate; fragments of one frame carry the same. All frames of
 * a run have the same number of samples, so the index of a frame is sample / samples per frame.
 * The wall time of the n-th further frame is that of the first plus n frames' duration, rounded to the nearest ns, plus
 * the deviation in ns. Deviations are left out when all are 0. */
#define RTP_DEVIATIONS_MAX 7
struct rtp_position {
	uint64_t packet, sample;
	uint8_t deviations;
	int32_t deviation[RTP_DEVIATIONS_MAX];
};

#define RTP_RUN_ID 16
#define RTP_MID_MAX 128
#define RTP_RID_MAX 64
#define RTP_MARK_MAX 255

/* The elements' values: 0, RTP_ABSENT or RTP_VALUE, the result then untouched. */

/* Every ns survives being written and read, from 1968 to 2104 (the 32 bits of seconds wrap in 2036). */
int rtp_wall(const struct rtp_packet *p, struct wall *out);
int rtp_position(const struct rtp_packet *p, struct rtp_position *out);
/* One or two names of [a-z0-9_-] with a '.' between them. */
int rtp_mid(const struct rtp_packet *p, char out[static RTP_MID_MAX + 1]);
/* Letters and digits (RFC 8851 section 10). */
int rtp_rid(const struct rtp_packet *p, char out[static RTP_RID_MAX + 1]);
int rtp_run_id(const struct rtp_packet *p, uint8_t out[static RTP_RUN_ID]);
/* The format that an element stands for: 4 bytes of the ADTS fixed header, whose last 4 bits say the profile (enum
 * aac_profile), or of the MPEG audio header (audio_format.header). Layer III and AAC only. */
int rtp_format(const struct rtp_packet *p, struct audio_format *out);
int rtp_mark(const struct rtp_packet *p, struct rtp_element *out);

bool rtp_mid_valid(const char *mid);
bool rtp_rid_valid(const char *rid);

/* Building: begin, then elements, then payload, then end. What does not fit makes the writer sticky-full. */
struct rtp_writer {
	uint8_t *out;
	size_t size, len, elements; /* elements: where the extension begins, 0 while there is none */
	bool full, body;
};

struct rtp_head {
	bool marker;
	uint8_t payload_type;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
};

/* Write into `out`, which stays the caller's. */
void rtp_begin(struct rtp_writer *w, uint8_t *out, size_t size, const struct rtp_head *head);
/* Before the first rtp_put_payload. `id` 1 to 255. */
void rtp_put_element(struct rtp_writer *w, uint8_t id, const void *data, uint8_t len);
void rtp_put_wall(struct rtp_writer *w, struct wall wall);
void rtp_put_position(struct rtp_writer *w, const struct rtp_position *position);
void rtp_put_text(struct rtp_writer *w, uint8_t id, const char *text);
void rtp_put_format(struct rtp_writer *w, const struct audio_format *format);
/* Bytes of payload that still fit. Pads the extension. */
size_t rtp_room(struct rtp_writer *w);
void rtp_put_payload(struct rtp_writer *w, const void *data, size_t len);
/* 0 with the packet's length in *len, or RTP_FULL. */
int rtp_end(struct rtp_writer *w, size_t *len);

#endif
