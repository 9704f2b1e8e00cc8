/* Any bytes as the body of PUT /rtp, in pieces: whatever packets they hold, the ring stays in its memory, and readers
 * get whole packets that came in. The first byte says how large the pieces are. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "relay/framing.h"
#include "relay/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t out[16384];

/* What a reader gets is framed well. */
static size_t
check_read(struct relay *r, struct ring_reader *reader, size_t size)
{
	size_t len = ring_read(&r->ring, reader, out, size), at = 0;

	while (at < len) {
		CHECK(len - at >= 2);
		size_t n = (size_t)out[at] << 8 | out[at + 1];
		CHECK(n >= RTP_HEADER && n <= RING_PACKET_MOST && n <= len - at - 2);
		CHECK(out[at + 2] >> 6 == 2);
		at += 2 + n;
	}
	CHECK(at == len && len <= size);
	return len;
}

static void
feed(struct relay *r, const uint8_t *data, size_t size, size_t piece, struct ring_reader *live)
{
	struct sender *d[2];
	struct framing f;
	struct mono now = { NS_PER_S };
	const uint8_t *packet;
	size_t len;

	d[0] = relay_sender(r, &(struct sender_key){ .number = 0 }, now);
	d[1] = relay_sender(r, &(struct sender_key){ .number = 1 }, now);
	framing_init(&f);
	while (size > 0) {
		size_t left = size < piece ? size : piece;
		size -= left;
		enum framing_result result;
		while ((result = framing_next(&f, &data, &left, &packet, &len)) == FRAMING_PACKET) {
			now.ns += (int64_t)packet[0] * NS_PER_MS;
			relay_take(r, d[packet[len - 1] & 1], packet, len, now, (struct wall){ now.ns });
			CHECK(r->ring.counters.bytes <= r->ring.memory);
		}
		if (result == FRAMING_TOO_LONG)
			return;
		relay_age(r, now);
		if (!live->overrun)
			check_read(r, live, RING_PACKET_MOST + 2);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct relay_options options = {
		.limits = { .senders = 2, .sources = 8, .sources_per_sender = 4, .rate = 100 },
		.history_ns = 3 * NS_PER_S,
		.memory = 24 << 10,
	};
	uint64_t mid = source_mid_hash("fip.hifi", 8);
	struct ring_filter filter = { .mids = &mid, .count = 1 }, all = { .count = 0 };
	struct ring_reader live, past;
	struct relay r;

	if (size == 0)
		return 0;
	CHECK(relay_init(&r, &options, 1) == 0);
	CHECK(ring_reader_begin(&r.ring, &live, RING_LIVE, data[0] & 1 ? &filter : &all) == 0);
	feed(&r, data + 1, size - 1, (size_t)data[0] * 8 + 1, &live);
	CHECK(ring_reader_begin(&r.ring, &past, INT64_MIN, &all) == 0);
	while (check_read(&r, &past, sizeof out) > 0)
		;
	CHECK(past.live);
	ring_reader_end(&r.ring, &past);
	ring_reader_end(&r.ring, &live);
	relay_fini(&r);
	return 0;
}
