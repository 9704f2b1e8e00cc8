/* The hour file: a media playlist (RFC 8216) of all segments of one UTC hour, dense in media sequence numbers, and in
 * its comments all that is known of each segment. It is the database; there is no other index.
 *
 *	#EXTM3U
 *	#EXT-X-VERSION:3
 *	#EXT-X-TARGETDURATION:6
 *	#EXT-X-MEDIA-SEQUENCE:298964400
 *	#EXT-X-DISCONTINUITY-SEQUENCE:0
 *	#HINDCAST-HOUR:version=1,segment=6
 *	#HINDCAST-FORMAT:codecs=mp4a.40.2,header=fff15080,rate=44100,channels=2
 *	#EXT-X-DISCONTINUITY
 *	#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:00.004Z
 *	#HINDCAST-SEGMENT:bytes=98136,audio=95873,frames=258,samples=264192,xxh64=0123456789abcdef,anchor=126000,sample=264192,fill=0
 *	#EXTINF:5.990748,
 *	20261121T09/20261121T090000Z.ts
 *	#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:00:06.000Z
 *	#EXT-X-GAP
 *	#EXTINF:6.000000,
 *	20261121T09/20261121T090006Z.ts
 *	…
 *	#HINDCAST-RATE:peak=131248,mean=130006,bytes=58372432,duration_us=3592004626
 *	#EXT-X-ENDLIST
 *
 * FORMAT stands before the first entry with media and again where it changes; DISCONTINUITY only where there is one;
 * SEGMENT ends in ",pending=1" where an entry is pending. An entry is complete with its URI line and that line's end;
 * what follows the last complete entry is a torn tail. */
#ifndef HINDCAST_HOUR_H
#define HINDCAST_HOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "media/format.h"
#include "media/segment.h"
#include "rewind/layout.h"

struct text;

#define HOUR_ENTRIES_MAX 1800       /* T is at least 2 s */
#define HOUR_FORMATS_MAX 512        /* more than there are different ones */
#define HOUR_FILE_MAX (4u << 20)    /* bytes */
#define HOUR_BYTES_MAX (1ull << 40) /* bound of every count of bytes, frames and samples in an entry */

struct hour_entry {
	uint64_t msn;
	struct wall start; /* of its first sample, to the millisecond (PROGRAM-DATE-TIME); of the grid line for a gap */
	enum layout_kind kind; /* its name's extension */
	bool gap;              /* no media: the name is the one it would have, all counts below are 0 */
	bool discontinuity;    /* EXT-X-DISCONTINUITY stands before it */
	bool pending;          /* a source of another format was ready and waits for a joint discontinuity at msn + 2 */
	uint64_t discontinuity_sequence; /* its own number: the list's value plus all DISCONTINUITY tags up to it */
	uint32_t duration_us;            /* EXTINF: samples / rate rounded to nearest; T for a gap */
	uint64_t bytes, audio_bytes, frames, samples;
	uint64_t fill;       /* how many of the frames are fill */
	uint64_t xxh64;      /* of the file; also its strong ETag */
	struct ticks anchor; /* PTS of the first sample = anchor + sample * 90000 / rate (media/segment.h) */
	uint64_t sample;
	uint16_t format; /* index in hour.formats; 0 for a gap */
};

/* What the media of some entries weigh: adds up over hours. */
struct hour_rate {
	uint32_t peak; /* bit/s: the largest of a single segment, container included; 0 when there is no media */
	uint64_t bytes, duration_us;
};

struct hour {
	uint64_t first_msn;
	uint32_t segment;                /* T, seconds */
	uint64_t discontinuity_sequence; /* before the first entry */
	struct audio_format *formats;
	size_t format_count;
	struct hour_entry *entries;
	size_t count;
	bool ended;            /* ENDLIST was there */
	struct hour_rate rate; /* as its tail says; all 0 when not ended */
	size_t complete;       /* bytes up to the end of the last complete entry (of the whole file when ended) */
};

/* Read the text of an hour file; a torn tail is left out, anything else that is not as above is refused. 0 with *h
 * owned by the caller (hour_free), or -1 with *h untouched and `why` saying line and fault. Bounded by the limits
 * above. */
int hour_parse(const char *text, size_t len, struct hour *h, char why[static 128]);
void hour_free(struct hour *h);

/* Read one complete entry, with or without FORMAT before it, which must be that of `msn`; what follows is ignored. Its
 * discontinuity_sequence is 0 or 1, as if it were the first of a list. 0, or -1 with *e and *format untouched; *format
 * is untouched too when there is no FORMAT line. */
int hour_parse_entry(const char *text, size_t len, uint64_t msn, uint32_t T, struct hour_entry *e,
    struct audio_format *format, char why[static 128]);
/* The rate that an ended hour file's last bytes say: 0, or -1 with *rate untouched when they are not those of one. */
int hour_parse_tail(const char *end, size_t len, struct hour_rate *rate);

/* The parts of the file. The writer appends head, then entries, then the tail. `format` is written before an entry when
 * not NULL. */
void hour_write_head(struct text *out, uint64_t first_msn, uint32_t T, uint64_t discontinuity_sequence);
void hour_write_format(struct text *out, const struct audio_format *format);
void hour_write_entry(struct text *out, const struct hour_entry *e, uint32_t T, const struct audio_format *format);
void hour_write_tail(struct text *out, const struct hour_rate *rate);
/* The whole file: head, entries and, when the hour has ended, the tail that its entries make. */
void hour_write(struct text *out, const struct hour *h);

/* An entry for a number without media. */
struct hour_entry hour_gap(uint64_t msn, uint32_t T, enum layout_kind kind, uint64_t discontinuity_sequence);

/* Does `e` go on from `before`, so that no discontinuity need stand between them: numbers, container, format, and PTS
 * sample by sample. An entry that begins at its own anchor (sample 0: there was a gap before it, which heal has filled)
 * may lie up to a frame off. Neither is a gap. */
bool hour_entry_follows(const struct hour_entry *before, const struct audio_format *before_format,
    const struct hour_entry *e, const struct audio_format *format);

/* Bit/s of one segment, container included, rounded up (RFC 8216 4.1: peak segment bit rate). 0 for a gap. */
uint32_t hour_entry_rate(const struct hour_entry *e);
/* Take an entry into account; gaps weigh nothing, and segments shorter than T/2 do not count for the peak (RFC 8216
 * 4.1: contiguous segments of 0.5 to 1.5 target durations). */
void hour_rate_add(struct hour_rate *rate, const struct hour_entry *e, uint32_t T);
/* Take another sum into account. */
void hour_rate_join(struct hour_rate *rate, const struct hour_rate *other);
/* Bit/s, all bits over all time, rounded up; 0 without media. */
uint32_t hour_rate_mean(const struct hour_rate *rate);

#endif
