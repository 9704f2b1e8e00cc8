/* Finds the audio frames in a byte stream: the state machine of synchronisation.
 *
 * All decisions are made on bytes alone, never on how many have arrived: where too few are there to decide, the verdict
 * is UNSURE and the caller is asked for more. That makes the output independent of how the stream was cut into calls.
 */
#include "media/framer.h"

#include <stdio.h>
#include <string.h>

#include "media/adts.h"
#include "media/id3.h"
#include "media/mpa.h"

#define AAC_PROFILE_LC 1
#define LOAS_HEADER 3
/* Frames that must end well, one behind the other, to believe in a format. */
#define CHAIN_CURRENT 1
#define CHAIN_OTHER 2
#define CHAIN_REFUSED 3
/* What is to be refused is looked for only behind this many bytes without a frame. Its headers are short on fixed bits,
 * and a false one in a little garbage would hold up the search until the end of the frame that it promises. */
#define SUSPICION 8192
/* Distances of free format headers that are looked for: up to 640 kbit/s at 32 kHz, the most that encoders offer. */
#define FREE_FORMAT_MIN 24
#define FREE_FORMAT_MAX (144 * 640 / 32 + 1)

_Static_assert(FRAMER_WINDOW > 3 * (ADTS_FRAME_MAX + LOAS_HEADER) + ID3_HEADER, "every decision fits in the window");
_Static_assert(FRAME_HEADER_MAX >= ADTS_HEADER && FRAME_HEADER_MAX >= MPA_HEADER, "headers fit");
_Static_assert(FRAMER_SILENCE_MAX >= ADTS_SILENCE_MAX && FRAMER_SILENCE_MAX >= MPA_SILENCE_MAX, "silence fits");

enum verdict { NO, YES, UNSURE };

/* What can stand at a place. */
enum kind { NOTHING, FRAME, TAG, LAYER_1_2, FREE_FORMAT, OTHER_PROFILE, LATM };

struct view {
	const uint8_t *p;
	size_t len;
	bool eof;
};

struct head {
	enum kind kind;
	uint32_t key;    /* equal for all frames of a format */
	uint32_t length; /* to where the next header is expected */
	union {
		struct adts aac;
		struct mpa mp3;
	};
};

static enum kind
head_adts(const uint8_t *p, struct head *h)
{
	if (adts_parse(p, &h->aac) < 0)
		return NOTHING;
	h->key = h->aac.key;
	h->length = h->aac.length;
	return h->aac.profile == AAC_PROFILE_LC ? FRAME : OTHER_PROFILE;
}

static enum kind
head_mpa(const uint8_t *p, struct head *h)
{
	if (mpa_parse(p, &h->mp3) < 0)
		return NOTHING;
	h->key = h->mp3.key;
	h->length = h->mp3.length;
	if (h->mp3.layer == 3)
		return h->length == 0 ? FREE_FORMAT : FRAME;
	return h->length == 0 ? NOTHING : LAYER_1_2;
}

/* AudioSyncStream() (ISO 14496-3 1.7.2): 11 bits 0x2B7, then the length of what follows in 13. */
static enum kind
head_loas(const uint8_t *p, struct head *h)
{
	if ((p[1] & 0xe0) != 0xe0)
		return NOTHING;
	h->key = UINT32_C(0x56e00000);
	h->length = LOAS_HEADER + ((p[1] & 0x1fu) << 8 | p[2]);
	return LATM;
}

static enum kind
head_id3(const uint8_t *p, struct head *h)
{
	h->key = 0;
	h->length = id3_tag_size(p);
	return h->length > 0 ? TAG : NOTHING;
}

static void
head_at(const struct view *v, size_t at, struct head *h)
{
	size_t left = at < v->len ? v->len - at : 0;
	const uint8_t *p = v->p + (left > 0 ? at : 0);

	h->kind = NOTHING;
	if (left >= ADTS_HEADER && p[0] == 0xff && (p[1] & 0xf6) == 0xf0)
		h->kind = head_adts(p, h);
	else if (left >= MPA_HEADER && p[0] == 0xff)
		h->kind = head_mpa(p, h);
	else if (left >= LOAS_HEADER && p[0] == 0x56)
		h->kind = head_loas(p, h);
	else if (left >= ID3_HEADER && p[0] == 'I')
		h->kind = head_id3(p, h);
}

/* Whether frames of the kind of `h` can end at `at`: a header that agrees stands there, or a tag, or the stream ends
 * (next->kind is NOTHING). A tag of version 1 counts only here: three letters prove little. */
static enum verdict
ending(const struct view *v, size_t at, const struct head *h, struct head *next)
{
	if (!v->eof && v->len < at + ID3_HEADER)
		return UNSURE;
	head_at(v, at, next);
	if (next->kind == h->kind && next->key == h->key)
		return YES;
	bool tag = next->kind == TAG || (at + 3 <= v->len && memcmp(v->p + at, "TAG", 3) == 0);
	next->kind = tag ? TAG : NOTHING;
	return tag || at == v->len ? YES : NO;
}

/* Whether `n` frames follow each other from `at`, where `h` stands. */
static enum verdict
chain(const struct view *v, size_t at, const struct head *h, unsigned n)
{
	struct head here = *h, next;

	for (unsigned i = 0; i < n; i++, here = next) {
		at += here.length;
		enum verdict e = ending(v, at, h, &next);
		if (e != YES)
			return e;
		if (next.kind == TAG)
			return YES;
		if (next.kind == NOTHING) /* one frame and the end prove a known format, not a new one */
			return n == CHAIN_CURRENT || i > 0 ? YES : NO;
	}
	return YES;
}

static bool
free_format_at(const struct view *v, size_t at, const struct head *h, size_t slots)
{
	struct head here = *h;

	for (unsigned i = 0; i < CHAIN_REFUSED; i++) {
		at += slots + here.mp3.padding;
		head_at(v, at, &here);
		if (here.kind != FREE_FORMAT || here.key != h->key)
			return false;
	}
	return true;
}

/* Free format: the length is constant but for padding, and shows only in the distance of headers (2.4.2.3). */
static enum verdict
chain_free_format(const struct view *v, size_t at, const struct head *h)
{
	if (!v->eof && v->len < at + CHAIN_REFUSED * (FREE_FORMAT_MAX + 1) + MPA_HEADER)
		return UNSURE;
	for (size_t slots = FREE_FORMAT_MIN; slots <= FREE_FORMAT_MAX; slots++)
		if (free_format_at(v, at, h, slots))
			return YES;
	return NO;
}

/* How much it takes to say that something begins at a place. */
struct belief {
	uint32_t key;    /* the current format */
	unsigned chain;  /* frames of it that must end well */
	size_t refusing; /* from this place on what is to be refused counts too */
};

/* Whether something begins at `at`, without regard to what is before it. */
static enum verdict
begins(const struct view *v, size_t at, const struct belief *b, struct head *found)
{
	head_at(v, at, found);
	switch (found->kind) {
	case NOTHING:
		return NO;
	case TAG:
		return YES;
	case FRAME:
		return chain(v, at, found, found->key == b->key ? b->chain : CHAIN_OTHER);
	case FREE_FORMAT:
		return at >= b->refusing ? chain_free_format(v, at, found) : NO;
	default:
		return at >= b->refusing ? chain(v, at, found, CHAIN_REFUSED) : NO;
	}
}

/* Move *at to the first place in [*at, to) where something begins. NO: there is none, *at is `to`. */
static enum verdict
find(const struct view *v, size_t *at, size_t to, const struct belief *b, struct head *found)
{
	for (; *at < to; ++*at) {
		if (!v->eof && v->len - *at < ID3_HEADER)
			return UNSURE;
		enum verdict verdict = begins(v, *at, b, found);
		if (verdict != NO)
			return verdict;
	}
	return NO;
}

/* --- the state machine: each step returns whether *result is settled --- */

static void
advance(struct framer *f, struct view *v, struct framer_out *out, size_t n)
{
	v->p += n;
	v->len -= n;
	out->consumed += n;
	f->position += n;
}

static void
drop_garbage(struct framer *f, struct view *v, struct framer_out *out, size_t n)
{
	advance(f, v, out, n);
	f->bytes_skipped += n;
	f->searched += (uint32_t)n;
}

static void
begin_tag(struct framer *f, uint32_t size)
{
	f->skip = size;
	f->tags_skipped++;
}

/* What was found decides what is expected next. */
static void
follow(struct framer *f, const struct head *found)
{
	if (found->kind == TAG) {
		begin_tag(f, found->length);
		return;
	}
	f->locked = true;
	if (found->key == f->key)
		return;
	f->key = found->key;
	/* the layer bits, 00 in ADTS, tell the codec */
	if (found->key & UINT32_C(0x00060000))
		mpa_format(found->key, &f->format);
	else
		adts_format(found->key, &f->format);
}

static bool
refuse(struct framer *f, enum kind kind, struct framer_out *out, enum framer_result *result)
{
	static const char *const what[] = {
		[LAYER_1_2] = "MPEG audio layer I or II; encode as layer III (MP3) or as AAC in ADTS",
		[FREE_FORMAT] =
		    "MPEG audio in free format, without a bit rate in its headers; encode at a bit rate of the "
		    "standard's table",
		[OTHER_PROFILE] = "AAC of profile Main, SSR or LTP; encode as AAC-LC or HE-AAC",
		[LATM] = "AAC in LATM/LOAS; send it in ADTS",
	};

	if (kind == NOTHING)
		snprintf(out->why, sizeof(out->why),
		    "no audio frames that follow each other in %u bytes; send AAC in ADTS or MPEG audio layer III "
		    "(MP3)",
		    f->searched);
	else
		snprintf(out->why, sizeof(out->why), "%s", what[kind]);
	*result = FRAMER_REFUSED;
	return true;
}

/* One block of an AAC frame. -1 when the frame cannot be taken apart. */
static int
give_aac(struct framer *f, const uint8_t *frame, const struct adts *h, struct framer_out *out, bool *last)
{
	struct adts_block block;

	if (adts_block(frame, h, f->block, &block) < 0)
		return -1;
	bool split = h->crc && h->blocks > 1;
	unsigned blocks = split ? 1 : h->blocks;
	*last = !split || f->block + 1 == h->blocks;
	f->block = *last ? 0 : f->block + 1;
	adts_write(h->key, block.len, blocks, out->header);
	out->header_len = ADTS_HEADER;
	out->payload = block.data;
	out->payload_len = block.len;
	out->samples = blocks * ADTS_BLOCK_SAMPLES;
	out->single_block = blocks == 1;
	return 0;
}

/* An MP3 frame as it is. -1 when it is no audio. */
static int
give_mp3(const uint8_t *frame, const struct mpa *h, struct framer_out *out)
{
	if (mpa_is_info(frame, h))
		return -1;
	memcpy(out->header, frame, MPA_HEADER);
	out->header_len = MPA_HEADER;
	out->payload = frame + MPA_HEADER;
	out->payload_len = h->length - MPA_HEADER;
	out->samples = h->samples;
	out->single_block = true;
	return 0;
}

/* Give the whole frame at the front of the view, or what is left of it. */
static bool
give(struct framer *f, struct view *v, const struct head *h, struct framer_out *out, enum framer_result *result)
{
	bool aac = f->format.codec == CODEC_AAC, last = true;

	if (aac && give_aac(f, v->p, &h->aac, out, &last) < 0) {
		f->block = 0;
		f->frames_damaged++;
		drop_garbage(f, v, out, h->length);
		return false;
	}
	if (!aac && give_mp3(v->p, &h->mp3, out) < 0) {
		f->tags_skipped++;
		advance(f, v, out, h->length);
		return false;
	}
	out->format = f->format;
	out->format_changed = f->emitted != f->key;
	f->emitted = f->key;
	f->frames++;
	f->searched = 0;
	if (last)
		advance(f, v, out, h->length);
	*result = FRAMER_FRAME;
	return true;
}

/* A header of the current format stands where it is expected. If nothing known stands where its frame ends, then either
 * the frame is damaged (its length is wrong or bytes are missing), and what comes next begins inside it, or it is whole
 * and garbage follows. A header of the current format inside it is proof enough: the next frame may be damaged too. */
static bool
take(struct framer *f, struct view *v, const struct head *h, struct framer_out *out, enum framer_result *result)
{
	const struct belief inside = { .key = f->key, .chain = 0, .refusing = SIZE_MAX };
	struct head next;
	size_t at = 1, to = h->length < v->len ? h->length : v->len;
	enum verdict verdict = ending(v, h->length, h, &next);

	if (verdict == YES)
		return give(f, v, h, out, result);
	if (verdict == NO)
		verdict = find(v, &at, to, &inside, &next);
	if (verdict == UNSURE) {
		*result = FRAMER_MORE;
		return true;
	}
	if (verdict == NO && h->length <= v->len)
		return give(f, v, h, out, result);
	f->block = 0;
	f->locked = false;
	f->frames_damaged++;
	drop_garbage(f, v, out, at);
	return false;
}

/* Synchronised: a header or a tag should stand at the front. */
static bool
expect(struct framer *f, struct view *v, struct framer_out *out, enum framer_result *result)
{
	if (!v->eof && v->len < ID3_HEADER) {
		*result = FRAMER_MORE;
		return true;
	}
	struct head h;
	head_at(v, 0, &h);
	if (h.kind == FRAME && h.key == f->key)
		return take(f, v, &h, out, result);
	if (h.kind == TAG)
		begin_tag(f, h.length);
	else if (v->len >= 3 && memcmp(v->p, "TAG", 3) == 0)
		begin_tag(f, ID3V1_SIZE);
	else
		f->locked = false;
	return false;
}

/* Out of synchronisation: drop bytes until something can be believed. */
static bool
search(struct framer *f, struct view *v, struct framer_out *out, enum framer_result *result)
{
	const struct belief outside = {
		.key = f->key,
		.chain = CHAIN_CURRENT,
		.refusing = f->searched < SUSPICION ? SUSPICION - f->searched : 0,
	};
	struct head found;
	size_t patience = f->searched < FRAMER_PATIENCE ? FRAMER_PATIENCE - f->searched : 0;
	size_t at = 0, to = patience < v->len ? patience : v->len;
	enum verdict verdict = find(v, &at, to, &outside, &found);

	drop_garbage(f, v, out, at);
	if (verdict == YES && found.kind != FRAME && found.kind != TAG)
		return refuse(f, found.kind, out, result);
	if (verdict == YES) {
		follow(f, &found);
		return false;
	}
	if (verdict == NO && (at == patience || (v->eof && f->frames == 0)))
		return refuse(f, NOTHING, out, result);
	*result = FRAMER_MORE;
	return true;
}

void
framer_init(struct framer *f)
{
	memset(f, 0, sizeof(*f));
}

enum framer_result
framer_next(struct framer *f, const uint8_t *buf, size_t len, bool eof, struct framer_out *out)
{
	struct view v = { buf, len, eof };
	enum framer_result result;
	bool settled;

	out->consumed = 0;
	do {
		uint32_t tag = f->skip < v.len ? f->skip : (uint32_t)v.len;
		f->skip -= tag;
		advance(f, &v, out, tag);
		settled = f->locked ? expect(f, &v, out, &result) : search(f, &v, out, &result);
	} while (!settled);
	return result;
}

int
framer_silence(
    const struct audio_format *format, uint8_t frame[static FRAMER_SILENCE_MAX], uint32_t *len, uint32_t *samples)
{
	const uint8_t *p = format->header;
	uint32_t key = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	uint32_t n = 0, duration = ADTS_BLOCK_SAMPLES;

	if (format->codec == CODEC_AAC)
		n = adts_silence(key, frame);
	else if (format->codec == CODEC_MP3)
		n = mpa_silence(key, frame, &duration);
	if (n == 0)
		return -1;
	*len = n;
	*samples = duration;
	return 0;
}
