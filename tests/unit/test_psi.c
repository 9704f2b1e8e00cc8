/* PAT and PMT against whole sections, and the CRC against its published check value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "media/psi.h"

static void
crc_is_mpeg2(void **state)
{
	(void)state;
	assert_int_equal(psi_crc32((const uint8_t *)"123456789", 9), 0x0376E6E7);
	assert_int_equal(psi_crc32(NULL, 0), 0xFFFFFFFF);
}

/* The packet is header, pointer 0, the section in hex, FF to the end. */
static void
packet_is(const uint8_t *packet, const char *header, const char *section)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = packet + 5;
	assert_memory_equal(packet, header, 4);
	assert_int_equal(packet[4], 0);
	for (; section[0]; section += 2, p++) {
		assert_int_equal(digits[*p >> 4], section[0]);
		assert_int_equal(digits[*p & 15], section[1]);
	}
	for (; p < packet + TS_PACKET_SIZE; p++)
		assert_int_equal(*p, 0xFF);
}

static void
pat_is_golden(void **state)
{
	(void)state;
	uint8_t packet[TS_PACKET_SIZE];
	psi_pat_write(5, packet);
	packet_is(packet, "\x47\x40\x00\x15", "00b00d0001c100000001f0002ab104b2");
	psi_pat_write(0x30, packet); /* counts modulo 16 */
	packet_is(packet, "\x47\x40\x00\x10", "00b00d0001c100000001f0002ab104b2");
}

static void
pmt_is(uint8_t stream_type, bool id3, const char *section)
{
	uint8_t packet[TS_PACKET_SIZE];
	psi_pmt_write(15, stream_type, id3, packet);
	packet_is(packet, "\x47\x50\x00\x1F", section);
}

static void
pmt_is_golden(void **state)
{
	(void)state;
	pmt_is(0x0F, false, "02b0120001c10000e100f0000fe100f000b69bc0d9");
	pmt_is(0x03, false, "02b0120001c10000e100f00003e100f000d786445c");
	pmt_is(0x04, false, "02b0120001c10000e100f00004e100f0002c656f48");
	pmt_is(0x0F, true,
	    "02b0370001c10000e100f011250fffff49443320ff49443320001f0001"
	    "0fe100f00015e101f00f260dffff49443320ff49443320000f009ebea3");
	pmt_is(0x03, true,
	    "02b0370001c10000e100f011250fffff49443320ff49443320001f0001"
	    "03e100f00015e101f00f260dffff49443320ff49443320000f4d0822b4");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_is_mpeg2),
		cmocka_unit_test(pat_is_golden),
		cmocka_unit_test(pmt_is_golden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
