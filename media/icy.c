/* ICY metadata in a pulled stream: after every `interval` audio bytes one length byte L and L * 16 bytes of text. */
#include "media/icy.h"

#include <stdbool.h>
#include <string.h>

#define UNIT 16 /* bytes that the length byte counts in */

void
icy_init(struct icy *icy, uint32_t interval)
{
	memset(icy, 0, sizeof(*icy));
	icy->interval = interval;
	icy->audio_left = interval;
}

static bool
name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Whether the text at `s` can follow a value: nothing, or another name and the quote that opens its value. */
static bool
value_may_end(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (s[i] == ' ' || s[i] == ';'))
		i++;
	size_t name = i;
	while (i < n && name_char(s[i]))
		i++;
	return i == n || (i > name && i + 1 < n && s[i] == '=' && s[i + 1] == '\'');
}

/* Length of the value that begins at `s`. */
static size_t
value_len(const char *s, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (s[i] == '\'' && s[i + 1] == ';' && value_may_end(s + i + 2, n - i - 2))
			return i;
	return n > 0 && s[n - 1] == '\'' ? n - 1 : n;
}

static void
block_complete(struct icy *icy, void (*title)(void *ctx, const char *s, size_t n), void *ctx)
{
	static const char key[] = "StreamTitle='";
	size_t n = strnlen(icy->meta, icy->meta_len); /* filled up with NUL */
	const char *s = memmem(icy->meta, n, key, sizeof(key) - 1);

	if (!s)
		return;
	s += sizeof(key) - 1;
	icy->titles++;
	if (title)
		title(ctx, s, value_len(s, n - (size_t)(s - icy->meta)));
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
icy_strip(struct icy *icy, uint8_t *data, size_t len, void (*title)(void *ctx, const char *s, size_t n), void *ctx)
{
	size_t in = 0, audio = 0;

	if (icy->interval == 0)
		return len;
	while (in < len) {
		size_t n;
		if (icy->meta_left > 0) {
			n = smaller(icy->meta_left, len - in);
			memcpy(icy->meta + (icy->meta_len - icy->meta_left), data + in, n);
			icy->meta_left -= (uint32_t)n;
			if (icy->meta_left == 0)
				block_complete(icy, title, ctx);
		} else if (icy->audio_left > 0) {
			n = smaller(icy->audio_left, len - in);
			memmove(data + audio, data + in, n);
			audio += n;
			icy->audio_left -= (uint32_t)n;
		} else {
			n = 1;
			icy->meta_len = icy->meta_left = (uint32_t)data[in] * UNIT;
			icy->audio_left = icy->interval;
		}
		in += n;
	}
	return audio;
}
