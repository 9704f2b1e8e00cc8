/* MPEG audio: headers, Xing frames and silence, and the framer fed byte by byte. */
#include "media/mpa.h"

#include <stdlib.h>

#include "tests/fuzz/framer_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_header(const uint8_t *p, size_t len)
{
	struct mpa h;
	struct audio_format f;
	uint8_t silence[FRAMER_SILENCE_MAX];
	uint32_t size, samples;

	if (mpa_parse(p, &h) < 0 || h.layer != 3 || h.length > len)
		return;
	CHECK(h.length == 0 || h.length > MPA_HEADER);
	if (h.length > 0)
		mpa_is_info(p, &h);
	mpa_format(h.key, &f);
	CHECK(framer_silence(&f, silence, &size, &samples) == 0 && samples == h.samples);
	struct mpa s;
	CHECK(mpa_parse(silence, &s) == 0 && s.key == h.key && s.length == size && !mpa_is_info(silence, &s));
}

static void
feed_bytes(struct framer_walk *w, const uint8_t *data, size_t len)
{
	size_t at = 0;

	memset(w, 0, sizeof(*w));
	framer_init(&w->framer);
	for (size_t have = 0; have <= len && !w->refused; have++)
		at += framer_walk_feed(w, data + at, have - at, have == len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct framer_walk whole, bytes;

	for (size_t at = 0; at + MPA_HEADER <= len; at++) {
		/* memory that ends where the frame may */
		uint8_t *copy = malloc(len - at);
		if (!copy)
			return 0;
		memcpy(copy, data + at, len - at);
		check_header(copy, len - at);
		free(copy);
		if (at > 64)
			break;
	}
	framer_walk_whole(&whole, data, len);
	feed_bytes(&bytes, data, len);
	framer_walk_same(&whole, &bytes);
	return 0;
}
