/* Any bytes as an iCalendar file: refused with a reason, or a table in order whose titles are text and links are links.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "rewind/programmes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const char *s)
{
	while (*s) {
		unsigned bad, n = text_utf8_sequence(s, &bad);
		CHECK(n && (unsigned char)*s >= 0x20 && *s != 0x7f);
		s += n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wall from = { INT64_C(1767571200) * NS_PER_S }, to = { INT64_C(1768780800) * NS_PER_S };
	struct programmes *p;
	char why[160] = "";

	if (programmes_parse((const char *)data, size, "Europe/Paris", from, to, &p, why)) {
		CHECK(strlen(why) > 0);
		return 0;
	}
	for (size_t i = 0; i < p->count; i++) {
		const struct programme *one = &p->list[i];
		CHECK(one->start.ns < one->end.ns && one->start.ns < to.ns && one->end.ns > from.ns);
		CHECK(i == 0 || p->list[i - 1].start.ns <= one->start.ns);
		CHECK(strlen(one->id) == 25 && programmes_find(p, one->id));
		check_text(one->title);
		if (one->description)
			check_text(one->description);
		CHECK(!one->url || (!strncmp(one->url, "http", 4) && !strpbrk(one->url, "\"'<> ")));
	}
	programmes_at(p, from);
	programmes_unref(&p);
	return 0;
}
