/* ICY metadata in a pulled stream: after every `interval` audio bytes one length byte L and L * 16 bytes of text. */
#ifndef HINDCAST_ICY_H
#define HINDCAST_ICY_H

#include <stddef.h>
#include <stdint.h>

#define ICY_TITLE_MAX 4081

struct icy {
	uint32_t interval;   /* 0: no metadata in this stream */
	uint32_t audio_left; /* until the next length byte */
	uint32_t meta_left;  /* of the block being read */
	uint32_t meta_len;
	char meta[ICY_TITLE_MAX];
	uint64_t titles; /* StreamTitle values seen */
};

void icy_init(struct icy *icy, uint32_t interval);

/* Take metadata out of `data`, in place: the audio bytes are moved to the front and their number is returned. When a
 * block was completed that has a StreamTitle, `title` (if not NULL) is called with its bytes, not NUL-terminated, at
 * most ICY_TITLE_MAX. Quotes are not escaped in ICY, so it ends at the first "';" that nothing or another name='
 * follows, else at the end. An empty title is given too: it says that nothing is announced. */
size_t icy_strip(
    struct icy *icy, uint8_t *data, size_t len, void (*title)(void *ctx, const char *s, size_t n), void *ctx);

#endif
