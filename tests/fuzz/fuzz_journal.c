/* A journal, whole, torn or wrong: what is read of it can be read again from its whole part, and is the same. */
#include <stdlib.h>

#include "base/log.h"
#include "segmenter/write/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_pool pool;
	size_t whole = 0, again = 0;

	frame_pool_init(&pool, 4 << 20);
	struct segment *s = journal_read(data, size, &pool, &whole);
	if (s) {
		CHECK(whole <= size);
		struct segment *t = journal_read(data, whole, &pool, &again);
		CHECK(t && again == whole && t->count == s->count && t->samples == s->samples && t->fill == s->fill);
		CHECK(t->audio_bytes == s->audio_bytes && s->audio_bytes < size);
		segment_free(&t);
	}
	segment_free(&s);
	frame_pool_fini(&pool);
	return 0;
}
