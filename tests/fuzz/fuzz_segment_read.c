/* Segments as they may lie on a damaged disk. The first byte chooses the kind and the number; the rest is the segment.
 * CRCs of PSI hold up a fuzzer, so they are made right where the sections are otherwise in place. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "media/psi.h"
#include "media/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
	uint64_t frames, bytes;
};

static void
count(void *ctx, const uint8_t *frame, size_t len)
{
	struct sum *s = ctx;
	CHECK(len > 0 && frame[0] == 0xFF);
	s->frames++;
	s->bytes += len;
}

static void
mend_crc(uint8_t *packet)
{
	size_t len = (packet[6] & 0x0FU) << 8 | packet[7];
	if (len < 4 || len > TS_PAYLOAD_MAX - 4)
		return;
	uint8_t *crc = packet + 8 + len - 4;
	uint32_t v = psi_crc32(packet + 5, len - 1);
	for (int i = 0; i < 4; i++)
		crc[i] = (uint8_t)(v >> (24 - 8 * i));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment_facts facts = { .frames = 0 };
	struct sum sum = { 0 };
	if (!size)
		return 0;
	/* on the heap and of the exact size, so that a byte too far is seen */
	size_t len = size - 1;
	uint8_t *segment = malloc(len ? len : 1);
	CHECK(segment);
	memcpy(segment, data + 1, len);
	bool ts = data[0] & 0x10;
	for (size_t at = 0; ts && at < 2 * TS_PACKET_SIZE && at + TS_PACKET_SIZE <= len; at += TS_PACKET_SIZE)
		mend_crc(segment + at);
	if (segment_read(segment, len, ts, data[0] & 15, &facts, count, &sum) == 0) {
		CHECK(facts.frames && facts.frames == sum.frames && facts.audio_bytes == sum.bytes && sum.bytes < len);
		CHECK(facts.format.codec != CODEC_NONE && facts.format.rate && facts.samples);
	} else {
		CHECK(memchr(facts.why, 0, sizeof facts.why) && facts.why[0] == 'b');
	}
	free(segment);
	return 0;
}
