/* Packed audio against a tag laid by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "media/segment.h"

#define TAG_BEFORE_TIME                                                                                                \
	"ID3\x04\0\0\0\0\0\x3F"                                                                                        \
	"PRIV\0\0\0\x35\0\0"                                                                                           \
	"com.apple.streaming.transportStreamTimestamp\0"

static const struct media_frame frames[] = {
	{ .data = (const uint8_t *)"\xFF\xF1one", .len = 5, .samples = 1024 },
	{ .data = (const uint8_t *)"\xFF\xF1three", .len = 7, .samples = 1024 },
};

static void
packed_is(const struct media_segment *s, const char *time)
{
	uint8_t out[128];
	assert_int_equal(packed_segment_bound(s), 85);
	assert_int_equal(packed_segment_write(s, out), 85);
	assert_memory_equal(out, TAG_BEFORE_TIME, 65);
	assert_memory_equal(out + 65, time, 8);
	assert_memory_equal(out + 73, "\xFF\xF1one\xFF\xF1three", 12);
}

static void
tag_is_golden(void **state)
{
	(void)state;
	struct media_segment s = { .frames = frames, .count = 2, .format.rate = 48000, .anchor.t = 126000 };
	packed_is(&s, "\0\0\0\0\0\x01\xEC\x30");
	s.sample = 48000 * 3;
	packed_is(&s, "\0\0\0\0\0\x06\x0A\xE0"); /* 396000 */
}

static void
time_stamp_has_33_bits(void **state)
{
	(void)state;
	struct media_segment s = { .frames = frames, .count = 2, .format.rate = 48000, .anchor.t = TICKS_MASK };
	packed_is(&s, "\0\0\0\x01\xFF\xFF\xFF\xFF");
	s.sample = 48000;
	packed_is(&s, "\0\0\0\0\0\x01\x5F\x8F"); /* 89999 */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tag_is_golden),
		cmocka_unit_test(time_stamp_has_33_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
