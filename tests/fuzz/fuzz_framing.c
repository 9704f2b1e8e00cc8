/* Packets behind their lengths: what comes out does not depend on how the bytes were cut. The first two bytes say
 * where. */
#include <string.h>

#include "base/log.h"
#include "relay/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct seen {
	uint64_t packets, sum;
	enum framing_result last;
};

static void
feed(struct framing *f, struct seen *s, const uint8_t *data, size_t len)
{
	const uint8_t *packet;
	size_t packet_len;

	if (s->last == FRAMING_TOO_LONG)
		return;
	while ((s->last = framing_next(f, &data, &len, &packet, &packet_len)) == FRAMING_PACKET) {
		CHECK(packet_len > 0 && packet_len <= RTP_RECEIVE_MAX);
		s->packets++;
		for (size_t i = 0; i < packet_len; i++)
			s->sum = s->sum * 31 + packet[i];
	}
	CHECK(s->last != FRAMING_MORE || len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct framing f;
	struct seen whole = { 0 }, cut = { 0 };

	if (len < 2)
		return 0;
	size_t at = (size_t)(data[0] << 8 | data[1]);
	data += 2;
	len -= 2;
	at = len > 0 ? at % len : 0;
	framing_init(&f);
	feed(&f, &whole, data, len);
	framing_init(&f);
	feed(&f, &cut, data, at);
	feed(&f, &cut, data + at, len - at);
	CHECK(whole.packets == cut.packets && whole.sum == cut.sum && whole.last == cut.last);
	return 0;
}
