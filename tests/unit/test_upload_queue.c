/* The queue of an upload against a list of packets: what is sent on each connection is whole packets in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "relay/framing.h"
#include "relay/rtp.h"
#include "relay/upload_queue.h"

#define SIZE (1u << 16)

static uint64_t seed = 88172645463325252;

static uint32_t
number(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed % below);
}

static struct mono
at(int64_t ms)
{
	return (struct mono){ ms * NS_PER_MS };
}

/* A packet that says its number. */
static size_t
packet(uint32_t n, uint8_t out[static 1400])
{
	size_t len = 4 + n * 7919 % 1300;

	memset(out, (int)n, len);
	memcpy(out, &n, 4);
	return len;
}

/* A connection's bytes. */
struct stream {
	struct framing framing;
	uint32_t last;
	unsigned count;
	bool any;
};

/* Read what is taken; numbers go up, and are whole. */
static void
take(struct upload_queue *q, struct stream *s, size_t most)
{
	uint8_t bytes[5000], want[1400];
	const uint8_t *p = bytes, *data;
	size_t len;
	size_t n = upload_queue_take(q, bytes, most < sizeof(bytes) ? most : sizeof(bytes));

	while (framing_next(&s->framing, &p, &n, &data, &len) == FRAMING_PACKET) {
		uint32_t v;
		assert_true(len >= 4);
		memcpy(&v, data, 4);
		assert_int_equal(len, packet(v, want));
		assert_memory_equal(data, want, len);
		assert_true(!s->any || v > s->last);
		s->last = v;
		s->count++;
		s->any = true;
	}
}

static void
stream_begin(struct upload_queue *q, struct stream *s)
{
	upload_queue_again(q);
	framing_init(&s->framing);
	s->any = false;
}

static void
test_random(void **state)
{
	struct upload_queue q;
	struct stream s = { 0 };
	uint8_t data[1400];
	bool up = false;
	int64_t now = 1000;
	uint64_t dropped = 0;

	(void)state;
	upload_queue_init(&q, SIZE);
	for (uint32_t n = 1; n < 20000; n++) {
		now += number(30);
		dropped += upload_queue_put(&q, at(now), data, packet(n, data), up);
		assert_true(q.end - q.begin <= SIZE && q.begin <= q.sent && q.sent <= q.end);
		if (number(50) == 0)
			dropped += upload_queue_forget(&q, at(now - 500), up);
		if (number(200) == 0) {
			up = !up;
			if (up)
				stream_begin(&q, &s);
		}
		if (up && number(3) == 0)
			take(&q, &s, 1 + number(5000));
	}
	assert_true(dropped > 0);
	upload_queue_fini(&q);
}

/* What was sent in the last seconds is sent again on a new connection; what is older is not. */
static void
test_again(void **state)
{
	struct upload_queue q;
	struct stream s = { 0 };
	uint8_t data[1400];

	(void)state;
	upload_queue_init(&q, 1u << 20);
	stream_begin(&q, &s);
	for (uint32_t n = 1; n <= 100; n++) {
		assert_int_equal(upload_queue_put(&q, at(100 * n), data, packet(n, data), true), 0);
		take(&q, &s, 5000);
		assert_int_equal(upload_queue_forget(&q, at(100 * (int64_t)n - 1000), true), 0);
	}
	assert_int_equal(s.last, 100);
	assert_int_equal(upload_queue_waiting(&q), 0);
	stream_begin(&q, &s);
	take(&q, &s, 1400);
	assert_true(s.last >= 88 && s.last <= 91);
	for (int i = 0; i < 20; i++)
		take(&q, &s, 5000);
	assert_int_equal(s.last, 100);
	upload_queue_fini(&q);
}

/* While a connection is up, what it has begun to send stays; without one the oldest make room, and both are counted. */
static void
test_full(void **state)
{
	struct upload_queue q;
	struct stream s = { 0 };
	uint8_t data[1400];
	unsigned dropped = 0;

	(void)state;
	upload_queue_init(&q, SIZE);
	stream_begin(&q, &s);
	for (uint32_t n = 1; n <= 200; n++)
		dropped += upload_queue_put(&q, at(n), data, packet(n, data), true);
	assert_true(dropped > 50);
	take(&q, &s, 10);
	for (int i = 0; i < 100; i++)
		take(&q, &s, 5000);
	assert_int_equal(s.count, 200 - dropped);
	dropped = 0;
	for (uint32_t n = 201; n <= 400; n++)
		dropped += upload_queue_put(&q, at(n), data, packet(n, data), false);
	assert_true(dropped > 50);
	stream_begin(&q, &s);
	for (int i = 0; i < 100; i++)
		take(&q, &s, 5000);
	assert_int_equal(s.last, 400);
	upload_queue_fini(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
