/* Finds the audio frames in a byte stream: ADTS AAC (ISO 14496-3 1.A.2.2) and MPEG audio layer III (ISO 11172-3 2.4.1,
 * 13818-3, and "2.5"). Keeps no copy of the stream and takes no memory: the caller owns the buffer. */
#ifndef HINDCAST_FRAMER_H
#define HINDCAST_FRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/format.h"

/* The caller's buffer must be able to hold this much: two of the largest frames and a header. */
#define FRAMER_WINDOW 20480
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
	struct audio_format format;
	bool locked;         /* synchronised: the last frame's end is where the next header is expected */
	uint32_t skip;       /* bytes of an ID3v2 tag still to drop */
	uint8_t blocks_left; /* of a split multi-block frame */
	uint8_t other_layer; /* consecutive headers seen of something that is refused (layer I/II, free format) */
	uint16_t blocks_at;
	uint64_t position; /* bytes consumed so far */
	uint64_t searched; /* bytes looked at since the last frame */
	/* counters, readable by all */
	uint64_t frames, frames_damaged, bytes_skipped, tags_skipped;
	uint64_t reserved[8];
};

void framer_init(struct framer *f);

/* Look at buf[0..len): all bytes received and not yet consumed. Call again, after dropping out->consumed bytes, until
 * FRAMER_MORE. `eof`: no more bytes will come, so the last frame need not be followed by another.
 *
 * A frame is taken when its header is whole and agrees with the current format and what follows is a header that agrees
 * too (or the end, or an ID3 tag); another format is believed only when two of its frames follow each other. ID3v2 and
 * ID3v1 tags, a leading Xing/Info/VBRI frame and garbage are skipped and counted. ADTS with CRC is normalised to
 * without; buffer fullness becomes 0x7FF; frames of several blocks with CRC are split into frames of one. After 256 KiB
 * without two frames in a row, or once layer I/II or free format is certain, the stream is refused. */
enum framer_result framer_next(struct framer *f, const uint8_t *buf, size_t len, bool eof, struct framer_out *out);

/* A valid frame of digital silence that can follow frames of `format`. AAC: single_channel/channel_pair elements with
 * max_sfb 0 for the header's channel configuration; MP3: side information with no main data, at the lowest bit rate
 * that holds it. `frame` gets at most FRAMER_SILENCE_MAX bytes; its length and samples are returned through the
 * pointers. 0, or -1 when the format cannot be made (channel configuration 0). */
#define FRAMER_SILENCE_MAX 1500
int framer_silence(
    const struct audio_format *format, uint8_t frame[static FRAMER_SILENCE_MAX], uint32_t *len, uint32_t *samples);

#endif
