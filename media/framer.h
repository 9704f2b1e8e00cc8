/* Finds the audio frames in a byte stream: ADTS AAC (ISO 14496-3 1.A.2.2) and MPEG audio layer III (ISO 11172-3 2.4.1,
 * 13818-3, and "2.5"). Keeps no copy of the stream and takes no memory: the caller owns the buffer. */
#ifndef HINDCAST_FRAMER_H
#define HINDCAST_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/format.h"

/* The caller's buffer must be able to hold this much: three of the largest frames and a header. FRAMER_MORE never
 * leaves as much as this unconsumed. */
#define FRAMER_WINDOW 25600
/* Bytes without two frames in a row after which a stream is refused. */
#define FRAMER_PATIENCE (256 * 1024)
#define FRAME_HEADER_MAX 7

enum framer_result {
	FRAMER_MORE,    /* nothing more can be said without more bytes (with eof: the end was reached) */
	FRAMER_FRAME,   /* out->… describes one whole frame */
	FRAMER_REFUSED, /* this is not audio that can be taken; out->why says what it is and what would be taken */
};

struct framer_out {
	size_t consumed; /* bytes to drop from the front of the buffer, whatever the result */
	/* with FRAMER_FRAME: the normalised frame is `header` then `payload` (which points into the caller's buffer) */
	uint8_t header[FRAME_HEADER_MAX];
	uint8_t header_len; /* 7 for AAC, 4 for MP3 */
	const uint8_t *payload;
	uint32_t payload_len;
	uint32_t samples;           /* per channel, at format.rate: 1024 x blocks, 1152 or 576 */
	bool single_block;          /* false: AAC frame with several raw data blocks that could not be split */
	struct audio_format format; /* profile is AAC_LC here: see aac_profile detection */
	bool format_changed;        /* the first frame, or differs from the one before */
	char why[200];              /* with FRAMER_REFUSED */
};

struct framer {
	/* private */
	bool locked;       /* synchronised: a frame of the current format ended where the buffer begins */
	uint8_t block;     /* next raw data block to give of a frame that is being taken apart */
	uint32_t key;      /* format.header as one number; 0: none yet */
	uint32_t emitted;  /* key of the last frame given */
	uint32_t skip;     /* bytes of an ID3 tag still to drop */
	uint32_t searched; /* bytes dropped since the last frame, tags apart */
	struct audio_format format;
	uint64_t position; /* bytes consumed so far */
	/* counters, readable by all */
	uint64_t frames;         /* given */
	uint64_t frames_damaged; /* dropped: the length in their header is wrong, or bytes are missing */
	uint64_t bytes_skipped;  /* garbage and damaged frames */
	uint64_t tags_skipped;   /* ID3v2, ID3v1, and Xing, Info and VBRI frames */
};

void framer_init(struct framer *f);

/* Look at buf[0..len): all bytes received and not yet consumed. Call again, after dropping out->consumed bytes, until
 * FRAMER_MORE. `eof`: no more bytes will come, so the last frame need not be followed by another. What is found does
 * not depend on how the bytes were cut into calls. After FRAMER_REFUSED the framer is of no further use.
 *
 * A frame is taken when its header agrees with the current format and what follows it is such a header too, a tag or
 * the end. Where something else follows, the frame is damaged, and dropped, if a header of the current format, frames
 * of another one or a tag stand inside it; else it is whole and garbage follows it. Out of synchronisation two headers
 * of the current format must follow each other, or three of another one. ID3v2 and ID3v1 tags, Xing, Info and VBRI
 * frames and garbage are skipped and counted. ADTS is normalised: no CRC, buffer fullness 0x7FF, private,
 * original/copy, home and copyright bits 0; frames of several blocks with CRC are split into frames of one. A stream is
 * refused after FRAMER_PATIENCE bytes without a frame, when it ends without a single one, and once it is certain to be
 * layer I or II, free format, LATM or an AAC profile other than LC. */
enum framer_result framer_next(struct framer *f, const uint8_t *buf, size_t len, bool eof, struct framer_out *out);

/* A valid frame of digital silence that can follow frames of `format`. AAC: single_channel/channel_pair elements with
 * max_sfb 0 for the header's channel configuration, without SBR and PS data; MP3: side information with no main data,
 * at the lowest bit rate. `frame` gets at most FRAMER_SILENCE_MAX bytes; its length and samples are returned through
 * the pointers. 0, or -1 when the format cannot be made (channel configuration 0, no codec), all untouched. */
#define FRAMER_SILENCE_MAX 1500
int framer_silence(
    const struct audio_format *format, uint8_t frame[static FRAMER_SILENCE_MAX], uint32_t *len, uint32_t *samples);

#endif
