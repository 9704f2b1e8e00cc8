/* PES headers against bytes laid by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "media/pes.h"

static void
header_is(enum pes_stream_id id, uint32_t size, uint64_t pts, const char *expected)
{
	uint8_t out[PES_HEADER_SIZE];
	pes_header_write(id, size, (struct ticks){ pts }, out);
	assert_memory_equal(out, expected, sizeof out);
}

static void
headers_are_golden(void **state)
{
	(void)state;
	header_is(PES_AUDIO_STREAM_0, 200, 126000, "\0\0\1\xC0\x00\xD0\x84\x80\x05\x21\x00\x07\xD8\x61");
	header_is(PES_AUDIO_STREAM_0, 0, 0, "\0\0\1\xC0\x00\x08\x84\x80\x05\x21\x00\x01\x00\x01");
	header_is(PES_PRIVATE_STREAM_1, 300, 90000, "\0\0\1\xBD\x01\x34\x84\x80\x05\x21\x00\x05\xBF\x21");
	header_is(PES_AUDIO_STREAM_0, PES_DATA_MAX, TICKS_MASK, "\0\0\1\xC0\xFF\xFF\x84\x80\x05\x2F\xFF\xFF\xFF\xFF");
}

static void
time_stamp_wraps(void **state)
{
	(void)state;
	header_is(
	    PES_AUDIO_STREAM_0, 200, TICKS_MASK + 1 + 126000, "\0\0\1\xC0\x00\xD0\x84\x80\x05\x21\x00\x07\xD8\x61");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_golden),
		cmocka_unit_test(time_stamp_wraps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
