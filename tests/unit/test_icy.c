/* ICY metadata: audio is left byte for byte, titles come out, however the stream is cut. */
#include "media/icy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define INTERVAL 50

struct titles {
	char text[20][100];
	size_t count;
};

static void
on_title(void *ctx, const char *s, size_t n)
{
	struct titles *t = ctx;

	assert_true(t->count < 20);
	assert_true(n < sizeof(t->text[0]));
	memcpy(t->text[t->count], s, n);
	t->text[t->count++][n] = '\0';
}

/* `blocks` of audio, each followed by its metadata ("" for none); returns the length, *audio what must be left. */
static size_t
build(uint8_t *out, const char *const *meta, size_t blocks, uint8_t *audio, size_t *audio_len)
{
	size_t n = 0;
	uint8_t byte = 0;

	*audio_len = 0;
	for (size_t i = 0; i < blocks; i++) {
		for (int b = 0; b < INTERVAL; b++)
			out[n++] = audio[(*audio_len)++] = byte++;
		size_t units = (strlen(meta[i]) + 15) / 16;
		out[n++] = (uint8_t)units;
		memset(out + n, 0, units * 16);
		memcpy(out + n, meta[i], strlen(meta[i]));
		n += units * 16;
	}
	return n;
}

static void
strip_by(size_t chunk, const uint8_t *stream, size_t len, const uint8_t *audio, size_t audio_len, struct titles *t)
{
	struct icy icy;
	uint8_t piece[4096], got[4096];
	size_t n = 0;

	icy_init(&icy, INTERVAL);
	memset(t, 0, sizeof(*t));
	for (size_t at = 0; at < len; at += chunk) {
		size_t size = len - at < chunk ? len - at : chunk;
		memcpy(piece, stream + at, size);
		size_t left = icy_strip(&icy, piece, size, on_title, t);
		assert_true(left <= size);
		memcpy(got + n, piece, left);
		n += left;
	}
	assert_int_equal(n, audio_len);
	assert_memory_equal(got, audio, n);
	assert_int_equal(icy.titles, t->count);
}

static void
test_strip(void **state)
{
	static const char *const meta[] = { "StreamTitle='One';", "", "StreamTitle='';StreamUrl='';", "StreamUrl='x';",
		"StreamTitle='A title that is longer than sixteen bytes';" };
	uint8_t stream[4096], audio[4096];
	size_t audio_len, len = build(stream, meta, 5, audio, &audio_len);
	struct titles t;
	(void)state;

	for (size_t chunk = 1; chunk <= len; chunk++) {
		strip_by(chunk, stream, len, audio, audio_len, &t);
		assert_int_equal(t.count, 3);
		assert_string_equal(t.text[0], "One");
		assert_string_equal(t.text[1], "");
		assert_string_equal(t.text[2], "A title that is longer than sixteen bytes");
	}
}

static void
assert_title(const char *meta, const char *want)
{
	uint8_t stream[4096], audio[4096];
	size_t audio_len, len = build(stream, &meta, 1, audio, &audio_len);
	struct titles t;

	strip_by(len, stream, len, audio, audio_len, &t);
	if (!want) {
		assert_int_equal(t.count, 0);
		return;
	}
	assert_int_equal(t.count, 1);
	assert_string_equal(t.text[0], want);
}

static void
test_titles(void **state)
{
	(void)state;
	assert_title("StreamTitle='a';StreamUrl='http://x/';", "a");
	assert_title("StreamUrl='http://x/';StreamTitle='b';", "b");
	assert_title("StreamTitle='Rock 'n' Roll';", "Rock 'n' Roll");
	assert_title("StreamTitle='It';s; 'here';StreamUrl='';", "It';s; 'here");
	assert_title("StreamTitle='quote at the end'';", "quote at the end'");
	assert_title("StreamTitle='D'; StreamUrl='';", "D");
	assert_title("StreamTitle='no semicolon'", "no semicolon");
	assert_title("StreamTitle='cut off", "cut off");
	assert_title("StreamTitle='", "");
	assert_title("StreamTitle=", NULL);
	assert_title("nothing of use", NULL);
}

static void
test_largest_block(void **state)
{
	static uint8_t data[1 + 255 * 16]; /* audio, length, all of the block but one byte */
	struct icy icy;
	(void)state;

	icy_init(&icy, 1);
	memset(data, 'x', sizeof(data));
	data[1] = 255;
	memcpy(data + 2, "StreamTitle='", 13);
	size_t n = icy_strip(&icy, data, sizeof(data), NULL, NULL);
	assert_int_equal(n, 1);
	assert_int_equal(icy.titles, 0); /* one byte is missing */
	n = icy_strip(&icy, (uint8_t[]){ 'x', 'a' }, 2, NULL, NULL);
	assert_int_equal(n, 1);
	assert_int_equal(icy.titles, 1);
}

static void
test_no_metadata(void **state)
{
	uint8_t data[] = "audio";
	struct icy icy;
	(void)state;

	icy_init(&icy, 0);
	assert_int_equal(icy_strip(&icy, data, 5, NULL, NULL), 5);
	assert_string_equal((char *)data, "audio");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_titles),
		cmocka_unit_test(test_largest_block),
		cmocka_unit_test(test_no_metadata),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
