/* The framer on arbitrary bytes: what must hold whatever they are. */
#ifndef HINDCAST_FUZZ_FRAMER_WALK_H
#define HINDCAST_FUZZ_FRAMER_WALK_H

#include <string.h>

#include "base/log.h"
#include "media/adts.h"
#include "media/framer.h"
#include "media/mpa.h"

struct framer_walk {
	uint64_t frames, samples, hash;
	bool refused;
	struct framer framer;
};

static inline void
framer_walk_mix(struct framer_walk *w, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		w->hash = (w->hash ^ p[i]) * UINT64_C(0x100000001b3);
}

/* A frame that was given is whole, normalised and of the format that is said. */
static inline void
framer_walk_check(const struct framer_out *out, const uint8_t *buf, size_t len)
{
	CHECK(out->payload_len > 0 && out->payload >= buf && out->payload + out->payload_len <= buf + len);
	CHECK(out->samples > 0 && out->format.rate > 0);
	if (out->format.codec == CODEC_AAC) {
		struct adts h;
		CHECK(out->header_len == ADTS_HEADER && adts_parse(out->header, &h) == 0);
		CHECK(h.length == ADTS_HEADER + out->payload_len && !h.crc);
		CHECK(out->samples == h.blocks * 1024u && out->single_block == (h.blocks == 1));
	} else {
		struct mpa h;
		CHECK(out->header_len == MPA_HEADER && mpa_parse(out->header, &h) == 0);
		CHECK(h.length == MPA_HEADER + out->payload_len && h.layer == 3 && h.samples == out->samples);
	}
}

/* Take all that buf[0..len) gives; returns the bytes consumed. */
static inline size_t
framer_walk_feed(struct framer_walk *w, const uint8_t *buf, size_t len, bool eof)
{
	size_t at = 0;
	unsigned standing = 0; /* frames since something was consumed: blocks of one */
	enum framer_result r;
	struct framer_out out;

	do {
		r = framer_next(&w->framer, buf + at, len - at, eof, &out);
		CHECK(out.consumed <= len - at);
		if (r == FRAMER_FRAME) {
			framer_walk_check(&out, buf + at, len - at);
			CHECK(out.consumed > 0 || ++standing < 4);
			CHECK(out.format_changed || w->frames > 0);
			if (out.consumed > 0)
				standing = 0;
			w->frames++;
			w->samples += out.samples;
			framer_walk_mix(w, out.header, out.header_len);
			framer_walk_mix(w, out.payload, out.payload_len);
			framer_walk_mix(w, (uint8_t[]){ out.format_changed }, 1);
		}
		at += out.consumed;
	} while (r == FRAMER_FRAME);
	CHECK(r != FRAMER_MORE || len - at < FRAMER_WINDOW);
	CHECK(r != FRAMER_MORE || !eof || at == len);
	CHECK(r != FRAMER_REFUSED || out.why[0] != '\0');
	w->refused = r == FRAMER_REFUSED;
	return at;
}

/* All at once. */
static inline void
framer_walk_whole(struct framer_walk *w, const uint8_t *data, size_t len)
{
	memset(w, 0, sizeof(*w));
	framer_init(&w->framer);
	framer_walk_feed(w, data, len, true);
}

/* The first `cut` bytes, then the rest. */
static inline void
framer_walk_cut(struct framer_walk *w, const uint8_t *data, size_t len, size_t cut)
{
	memset(w, 0, sizeof(*w));
	framer_init(&w->framer);
	size_t at = framer_walk_feed(w, data, cut, false);
	if (!w->refused)
		framer_walk_feed(w, data + at, len - at, true);
}

static inline void
framer_walk_same(const struct framer_walk *a, const struct framer_walk *b)
{
	CHECK(a->frames == b->frames && a->samples == b->samples && a->hash == b->hash && a->refused == b->refused);
	CHECK(a->framer.position == b->framer.position && a->framer.bytes_skipped == b->framer.bytes_skipped);
	CHECK(a->framer.tags_skipped == b->framer.tags_skipped && a->framer.frames_damaged == b->framer.frames_damaged);
}

#endif
