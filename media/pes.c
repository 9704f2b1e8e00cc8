/* PES headers: 00 00 01 id | length16 | 84 80 05 | PTS. */
#include "media/pes.h"

#include "base/log.h"

/* '0010', then 33 bits in three groups, each closed by a marker bit. */
static void
pts_write(struct ticks pts, uint8_t out[static 5])
{
	uint64_t p = pts.t & TICKS_MASK;
	out[0] = (uint8_t)(0x21 | (p >> 29 & 0x0E));
	out[1] = (uint8_t)(p >> 22);
	out[2] = (uint8_t)(0x01 | (p >> 14 & 0xFE));
	out[3] = (uint8_t)(p >> 7);
	out[4] = (uint8_t)(0x01 | (p << 1 & 0xFE));
}

void
pes_header_write(enum pes_stream_id id, uint32_t size, struct ticks pts, uint8_t out[static PES_HEADER_SIZE])
{
	CHECK(size <= PES_DATA_MAX);
	uint32_t length = size + 8;
	out[0] = 0;
	out[1] = 0;
	out[2] = 1;
	out[3] = (uint8_t)id;
	out[4] = (uint8_t)(length >> 8);
	out[5] = (uint8_t)length;
	out[6] = 0x84; /* '10', data_alignment_indicator */
	out[7] = 0x80; /* PTS only */
	out[8] = 5;    /* PES_header_data_length */
	pts_write(pts, out + 9);
}
