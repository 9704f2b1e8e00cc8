/* Any bytes as an hour file: refused with a reason, or read to entries that are written and read back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "rewind/hour.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_all(struct text *out, const struct hour *h)
{
	int format = -1;
	unsigned runs = 0;
	text_init(out, 2 * HOUR_FILE_MAX);
	hour_write_head(out, h->first_msn, h->segment, h->discontinuity_sequence);
	for (size_t i = 0; i < h->count; i++) {
		const struct hour_entry *e = &h->entries[i];
		bool changes = !e->gap && e->format != format;
		if (changes)
			format = e->format;
		if (changes)
			hour_write_format(out, &h->formats[format]);
		if (e->runs && e->runs != runs)
			hour_write_runs(out, &h->runs[e->runs - 1]);
		runs = e->gap ? runs : e->runs;
		hour_write_entry(out, e, h->segment, NULL);
	}
	if (h->ended)
		hour_write_tail(out, &h->rate);
}

static void
check(const struct hour *h, size_t size)
{
	CHECK(h->segment >= 2 && 3600 % h->segment == 0);
	CHECK(h->count <= 3600 / h->segment && h->complete <= size);
	CHECK(!h->ended || (h->count == 3600 / h->segment && h->complete == size));
	uint64_t sequence = h->discontinuity_sequence;
	for (size_t i = 0; i < h->count; i++) {
		const struct hour_entry *e = &h->entries[i];
		CHECK(e->msn == h->first_msn + i);
		CHECK(e->gap || e->format < h->format_count);
		CHECK(e->runs <= h->runs_count && (!e->gap || e->runs == 0));
		sequence += e->discontinuity;
		CHECK(e->discontinuity_sequence == sequence);
		hour_entry_rate(e);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[128] = "";
	struct hour h, again;
	struct hour_rate rate;
	struct hour_entry e;
	struct audio_format format;
	struct hour_runs runs;
	hour_parse_tail((const char *)data, size, &rate);
	hour_parse_entry((const char *)data, size, UINT64_C(299208600), 6, &e, &format, &runs, why);
	if (hour_parse((const char *)data, size, &h, why) < 0) {
		CHECK(strlen(why) > 0);
		return 0;
	}
	check(&h, size);
	struct text first, second;
	write_all(&first, &h);
	CHECK(hour_parse(first.data, first.len, &again, why) == 0);
	CHECK(again.count == h.count && again.complete == first.len && again.ended == h.ended);
	write_all(&second, &again);
	CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	text_fini(&first);
	text_fini(&second);
	hour_free(&h);
	hour_free(&again);
	return 0;
}
