/* Packets of a tick are spread over it, in order, and none is lost as long as there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/rtp.h"
#include "relay/spool.h"

static unsigned
put(struct spool *s, unsigned from, unsigned n)
{
	uint8_t data[RTP_PACKET_MAX] = { 0 };

	for (unsigned i = from; i < from + n; i++) {
		memcpy(data, &i, sizeof(i));
		if (spool_put(s, data, sizeof(i) + i % 100) < 0)
			return i - from;
	}
	return n;
}

static unsigned
next(struct spool *s, unsigned *expected, int all)
{
	struct iovec out[SPOOL_SLICE_MAX];
	unsigned n = spool_next(s, out, all);

	for (unsigned i = 0; i < n; i++) {
		assert_memory_equal(out[i].iov_base, expected, sizeof(*expected));
		assert_int_equal(out[i].iov_len, sizeof(*expected) + *expected % 100);
		(*expected)++;
	}
	return n;
}

static void
test_spread(void **state)
{
	static const struct {
		unsigned packets, slice;
	} rows[] = { { 1, 1 }, { 16, 16 }, { 100, 16 }, { 1000, 63 }, { 1024, 64 }, { 1500, 94 }, { 5000, 128 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spool s;
		unsigned expected = 0;
		assert_int_equal(spool_init(&s), 0);
		assert_int_equal(put(&s, 0, rows[i].packets), rows[i].packets);
		spool_plan(&s);
		assert_int_equal(next(&s, &expected, 0), rows[i].slice);
		while (next(&s, &expected, 0))
			;
		assert_int_equal(expected, rows[i].packets);
		spool_fini(&s);
	}
}

/* Many ticks, more packets than slots in all; a full spool refuses and goes on. */
static void
test_ring(void **state)
{
	struct spool s;
	unsigned expected = 0, sent = 0;

	(void)state;
	assert_int_equal(spool_init(&s), 0);
	for (int tick = 0; tick < 100; tick++) {
		sent += put(&s, sent, 700);
		spool_plan(&s);
		for (int i = 0; i < 10; i++)
			next(&s, &expected, 0);
	}
	sent += put(&s, sent, 100000);
	assert_true(sent < 170000);
	while (next(&s, &expected, 1))
		;
	assert_int_equal(expected, sent);
	assert_int_equal(put(&s, sent, 1), 1);
	spool_fini(&s);
}

static void
test_too_long(void **state)
{
	uint8_t data[RTP_PACKET_MAX + 1] = { 0 };
	struct spool s;

	(void)state;
	assert_int_equal(spool_init(&s), 0);
	assert_int_equal(spool_put(&s, data, sizeof(data)), -1);
	assert_int_equal(spool_put(&s, data, sizeof(data) - 1), 0);
	spool_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
