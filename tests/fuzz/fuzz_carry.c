/* What an input had received, whole, torn or wrong: what is read of it is written again as the same bytes. */
#include <string.h>

#include "base/log.h"
#include "segmenter/input/carry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_pool pool;
	struct frame_queue held;
	struct carry c;

	frame_pool_init(&pool, 4 << 20);
	frame_queue_init(&held, 4096);
	if (carry_read(data, size, &pool, &c, &held) == 0) {
		struct frame_queue again;
		struct carry d;
		struct text t;

		text_init(&t, 8 << 20);
		carry_write(&t, &c, &held);
		CHECK(!t.full && t.len == size);
		frame_queue_init(&again, 4096);
		CHECK(carry_read((const uint8_t *)t.data, t.len, &pool, &d, &again) == 0);
		CHECK(again.count == held.count && d.position == c.position && d.rest_len == c.rest_len);
		frame_queue_fini(&again);
		text_fini(&t);
	} else {
		CHECK(held.count == 0);
	}
	frame_queue_fini(&held);
	frame_pool_fini(&pool);
	return 0;
}
