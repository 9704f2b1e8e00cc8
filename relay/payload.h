/* Payloads of RTP packets: AAC access units (RFC 3640 mode AAC-hbr) and MPEG audio frames (RFC 2250 section 3.5).
 *
 *   AAC   AU-headers-length(16) in bits | AU-size(13) AU-Index(3) ... | access units, or a fragment of one
 *   MPA   0(16) | Frag_offset(16)       | frames, or a fragment of one
 *
 * Whole frames are read from a packet at once, fragments are put together by an assembly. No I/O, no heap. */
#ifndef HINDCAST_PAYLOAD_H
#define HINDCAST_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/rtp.h"

#define PAYLOAD_FRAMES_MAX 64 /* in one packet */
#define PAYLOAD_FRAME_MAX 8191
#define PAYLOAD_PARTS_MAX 32 /* fragments of one frame */

enum payload_error {
	PAYLOAD_SHORT = -1,       /* no room for the headers that there must be */
	PAYLOAD_HEADERS = -2,     /* AU-headers-length is 0, or no whole number of headers of 16 bits */
	PAYLOAD_INTERLEAVED = -3, /* access units out of order (AU-Index-delta): we ask for none */
	PAYLOAD_LENGTH = -4,      /* the frames are not as long as their headers say */
	PAYLOAD_MANY = -5,        /* more frames, or fragments, than we take */
	PAYLOAD_FRAME = -6,       /* no layer III header where one must be */
	PAYLOAD_CONFLICT = -7,    /* fragments that cannot be of one frame */
	PAYLOAD_ERRORS = 8,
};

const char *payload_error_text(int error);

struct payload_frame {
	const uint8_t *data; /* into the packet; an AAC access unit, or a layer III frame with its header */
	uint32_t len;
};

struct payload {
	uint32_t frames; /* whole ones; 0: `frame[0]` is a fragment */
	struct payload_frame frame[PAYLOAD_FRAMES_MAX];
	/* of a fragment */
	uint32_t offset; /* MPA: in its frame; AAC: not said, 0 */
	uint32_t total;  /* of the frame; MPA: 0 unless offset is 0 */
};

/* 0, or an error with *out undefined. */
int payload_parse_aac(const uint8_t *data, size_t len, struct payload *out);
int payload_parse_mpa(const uint8_t *data, size_t len, struct payload *out);

/* Bytes in front of frames or of a fragment. */
#define PAYLOAD_AAC_HEAD(frames) (2u + 2u * (frames))
#define PAYLOAD_MPA_HEAD 4u

void payload_put_aac(struct rtp_writer *w, const struct payload_frame *frames, unsigned n);
void payload_put_mpa(struct rtp_writer *w, const struct payload_frame *frames, unsigned n);
/* A part of an access unit that has `total` bytes: each fragment says the whole size (RFC 3640 section 3.2.3). */
void payload_put_aac_fragment(struct rtp_writer *w, uint32_t total, const uint8_t *data, size_t len);
void payload_put_mpa_fragment(struct rtp_writer *w, uint32_t offset, const uint8_t *data, size_t len);

/* A frame that is being put together from fragments in any order, some of them twice. */
struct payload_part {
	uint64_t order; /* AAC: the packet's number, MPA: offset */
	uint32_t at, len;
	bool last;
};

struct payload_assembly {
	uint64_t key; /* the user's: which frame this is (its position or timestamp) */
	uint32_t parts, have, total;
	struct payload_part part[PAYLOAD_PARTS_MAX]; /* by order */
	uint8_t data[PAYLOAD_FRAME_MAX];             /* in order of arrival */
};

void payload_assembly_init(struct payload_assembly *a, uint64_t key);

/* Add a fragment. AAC: `number` is the packet's extended sequence number or index, `marker` its marker bit, which is
 * set on the last fragment (RFC 3640 section 3.1). 1: the frame is whole; 0: more are needed, or this one was there
 * already; or an error: the assembly is of no further use. */
int payload_assembly_aac(struct payload_assembly *a, const struct payload *fragment, uint64_t number, bool marker);
int payload_assembly_mpa(struct payload_assembly *a, const struct payload *fragment);
/* Once it is whole: copies it to `out`, returns its length. */
uint32_t payload_assembly_take(const struct payload_assembly *a, uint8_t out[static PAYLOAD_FRAME_MAX]);

#endif
