/* PAT and PMT. Their sections are constant but for the stream type, and each fits one packet. */
#include "media/psi.h"

#include <string.h>

#include "base/log.h"

#define CRC_SIZE 4

/* A section under construction; its first three bytes are table_id and section_length. */
struct section {
	uint8_t bytes[TS_PAYLOAD_MAX - 1];
	size_t len;
};

uint32_t
psi_crc32(const uint8_t *data, size_t len)
{
	uint32_t crc = 0xFFFFFFFF;
	for (size_t i = 0; i < len; i++) {
		crc ^= (uint32_t)data[i] << 24;
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc >> 31 ? 0x04C11DB7 : 0);
	}
	return crc;
}

static void
section_add(struct section *s, const void *bytes, size_t len)
{
	CHECK(len <= sizeof s->bytes - s->len);
	memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
}

/* Close the section and write it behind a pointer_field of 0; the rest of the packet is stuffed with FF (2.4.4). */
static void
section_write(struct section *s, enum ts_pid pid, uint8_t continuity_counter, uint8_t out[static TS_PACKET_SIZE])
{
	const struct ts_packet packet = { .pid = pid,
		.continuity_counter = continuity_counter,
		.payload_unit_start = true,
		.payload_size = TS_PAYLOAD_MAX };
	uint8_t *payload = ts_packet_write(&packet, out);
	s->bytes[2] = (uint8_t)(s->len + CRC_SIZE - 3);
	uint32_t crc = psi_crc32(s->bytes, s->len);
	section_add(s, (const uint8_t[]){ crc >> 24, crc >> 16 & 0xFF, crc >> 8 & 0xFF, crc & 0xFF }, CRC_SIZE);
	payload[0] = 0;
	memcpy(payload + 1, s->bytes, s->len);
	memset(payload + 1 + s->len, 0xFF, TS_PAYLOAD_MAX - 1 - s->len);
}

void
psi_pat_write(uint8_t continuity_counter, uint8_t out[static TS_PACKET_SIZE])
{
	static const uint8_t pat[] = {
		0x00, 0xB0, 0,          /* table_id, section_length */
		0x00, 0x01,             /* transport_stream_id */
		0xC1, 0x00, 0x00,       /* version 0, current, section 0 of 0 */
		0x00, 0x01, 0xF0, 0x00, /* program 1, its PMT on 0x1000 */
	};
	struct section s = { .len = 0 };
	section_add(&s, pat, sizeof pat);
	section_write(&s, TS_PID_PAT, continuity_counter, out);
}

void
psi_pmt_write(uint8_t continuity_counter, uint8_t stream_type, bool id3, uint8_t out[static TS_PACKET_SIZE])
{
	const uint8_t head[] = {
		0x02, 0xB0, 0,           /* table_id, section_length */
		0x00, 0x01,              /* program_number */
		0xC1, 0x00, 0x00,        /* version 0, current, section 0 of 0 */
		0xE1, 0x00,              /* PCR on 0x100 */
		0xF0, id3 ? 0x11 : 0x00, /* program_info_length */
	};
	static const uint8_t metadata_pointer_descriptor[] = {
		0x25, 0x0F, 0xFF, 0xFF, 'I', 'D', '3', ' ', /* application format by identifier */
		0xFF, 'I', 'D', '3', ' ',                   /* metadata format by identifier */
		0x00, 0x1F, 0x00, 0x01,                     /* service 0, in this program, which is number 1 */
	};
	const uint8_t audio[] = { stream_type, 0xE1, 0x00, 0xF0, 0x00 };
	static const uint8_t metadata[] = {
		0x15, 0xE1, 0x01, 0xF0, 0x0F,               /* metadata in PES packets, on 0x101 */
		0x26, 0x0D, 0xFF, 0xFF, 'I', 'D', '3', ' ', /* metadata_descriptor: as above */
		0xFF, 'I', 'D', '3', ' ', 0x00, 0x0F,       /* service 0, no decoder configuration */
	};
	struct section s = { .len = 0 };
	section_add(&s, head, sizeof head);
	if (id3)
		section_add(&s, metadata_pointer_descriptor, sizeof metadata_pointer_descriptor);
	section_add(&s, audio, sizeof audio);
	if (id3)
		section_add(&s, metadata, sizeof metadata);
	section_write(&s, TS_PID_PMT, continuity_counter, out);
}
