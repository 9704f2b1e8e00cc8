/* ICY: the same audio and titles whether it comes in one piece or in two. The first two bytes are interval and cut. */
#include "media/icy.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct titles {
	uint64_t hash, count;
};

static void
on_title(void *ctx, const char *s, size_t n)
{
	struct titles *t = ctx;

	CHECK(n <= ICY_TITLE_MAX);
	t->count++;
	for (size_t i = 0; i < n; i++)
		t->hash = (t->hash ^ (uint8_t)s[i]) * UINT64_C(0x100000001b3);
}

static size_t
strip(const uint8_t *data, size_t len, size_t cut, uint32_t interval, uint8_t *out, struct titles *t)
{
	static struct icy icy;

	memset(t, 0, sizeof(*t));
	icy_init(&icy, interval);
	memcpy(out, data, cut);
	size_t n = icy_strip(&icy, out, cut, on_title, t);
	CHECK(n <= cut);
	memcpy(out + n, data + cut, len - cut);
	size_t m = icy_strip(&icy, out + n, len - cut, on_title, t);
	CHECK(m <= len - cut && t->count == icy.titles);
	return n + m;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct titles once, twice;

	if (len < 2)
		return 0;
	uint32_t interval = data[0];
	size_t cut = data[1];
	data += 2;
	len -= 2;
	uint8_t *a = malloc(len + 1), *b = malloc(len + 1);
	if (a && b) {
		size_t n = strip(data, len, 0, interval, a, &once);
		size_t m = strip(data, len, len > 0 ? cut % len : 0, interval, b, &twice);
		CHECK(n == m && memcmp(a, b, n) == 0);
		CHECK(once.hash == twice.hash && once.count == twice.count);
	}
	free(a);
	free(b);
	return 0;
}
