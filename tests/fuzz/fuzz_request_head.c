/* Request heads and Shoutcast header lines, and every question that is asked of them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "segmenter/input/request_head.h"
#include "segmenter/input/title.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(const char *buf, size_t len, struct span s)
{
	CHECK(s.len == 0 || (s.p >= buf && s.p + s.len <= buf + len));
}

static void
ask(const char *buf, size_t len, const struct request_head *h)
{
	char value[REQUEST_VALUE_MAX], title[TITLE_MAX];
	struct span v = { buf, 0 };

	for (unsigned i = 0; i < h->count; i++) {
		inside(buf, len, h->fields[i].name);
		inside(buf, len, h->fields[i].value);
	}
	request_field(h, "Content-Type", &v);
	request_field_has(h, "Expect", "100-continue");
	if (request_basic(h, value) != REQUEST_VALUE_OK)
		CHECK(value[0] == '\0');
	title_utf8(v.p, v.len, false, title, sizeof(title));
}

static void
ask_query(const char *buf, size_t len, const struct request_head *h)
{
	char value[REQUEST_VALUE_MAX], small[4];

	CHECK(h->path[0] == '/' && strlen(h->path) < sizeof(h->path));
	inside(buf, len, h->query);
	if (request_param(h, "song", value, sizeof(value)) == REQUEST_VALUE_OK)
		CHECK(strlen(value) < sizeof(value));
	request_param(h, "mount", small, sizeof(small));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of its own, so that reading behind the end is seen */
	char *buf = malloc(size ? size : 1);
	struct request_head h;
	const char *why;

	if (!buf)
		return 0;
	if (size)
		memcpy(buf, data, size);
	long n = request_head_length(buf, size);
	CHECK(n >= -1 && n <= (long)size && n <= REQUEST_HEAD_MAX);
	if (n > 0 && request_head_parse(buf, (size_t)n, &h, &why) == 0) {
		ask(buf, size, &h);
		ask_query(buf, size, &h);
	}
	n = request_fields_length(buf, size);
	if (n > 0 && request_fields_parse(buf, (size_t)n, &h, &why) == 0)
		ask(buf, size, &h);
	free(buf);
	return 0;
}
