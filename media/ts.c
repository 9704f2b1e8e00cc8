/* The header of a transport packet and its adaptation field:
 *
 *   47 | PUSI<<6|PID>>8 | PID | adaptation_field_control<<4|continuity_counter | [length [flags [PCR] FF...]] | payload
 */
#include "media/ts.h"

#include <string.h>

#include "base/log.h"

enum { ADAPTATION_DISCONTINUITY = 0x80, ADAPTATION_RANDOM_ACCESS = 0x40, ADAPTATION_PCR = 0x10 };

static uint8_t
adaptation_flags(const struct ts_packet *p)
{
	return (uint8_t)((p->discontinuity ? ADAPTATION_DISCONTINUITY : 0) |
			 (p->random_access ? ADAPTATION_RANDOM_ACCESS : 0) | (p->has_pcr ? ADAPTATION_PCR : 0));
}

uint32_t
ts_packet_room(const struct ts_packet *p)
{
	if (p->has_pcr)
		return TS_PAYLOAD_MAX - TS_PCR_SIZE;
	return adaptation_flags(p) ? TS_PAYLOAD_MAX - 2 : TS_PAYLOAD_MAX;
}

/* 33 bits of base, 6 reserved bits, 9 bits of extension (2.4.3.5). */
static void
pcr_write(struct ticks pcr, uint8_t out[static 6])
{
	uint64_t base = pcr.t & TICKS_MASK;
	out[0] = (uint8_t)(base >> 25);
	out[1] = (uint8_t)(base >> 17);
	out[2] = (uint8_t)(base >> 9);
	out[3] = (uint8_t)(base >> 1);
	out[4] = (uint8_t)((base & 1) << 7 | 0x7E);
	out[5] = 0;
}

/* `size` bytes of adaptation field, of which the first is its length: one byte of stuffing is a length of 0. */
static void
adaptation_write(const struct ts_packet *p, uint8_t *out, uint32_t size)
{
	uint32_t used = 2;
	out[0] = (uint8_t)(size - 1);
	if (size == 1)
		return;
	out[1] = adaptation_flags(p);
	if (p->has_pcr) {
		pcr_write(p->pcr, out + 2);
		used = TS_PCR_SIZE;
	}
	memset(out + used, 0xFF, size - used);
}

uint8_t *
ts_packet_write(const struct ts_packet *p, uint8_t out[static TS_PACKET_SIZE])
{
	CHECK(p->payload_size <= ts_packet_room(p));
	uint32_t adaptation = TS_PAYLOAD_MAX - p->payload_size;
	unsigned control = (adaptation ? 2U : 0U) | (p->payload_size ? 1U : 0U);
	out[0] = TS_SYNC_BYTE;
	out[1] = (uint8_t)((p->payload_unit_start ? 0x40 : 0) | p->pid >> 8);
	out[2] = (uint8_t)p->pid;
	out[3] = (uint8_t)(control << 4 | (p->continuity_counter & 0x0F));
	if (adaptation)
		adaptation_write(p, out + 4, adaptation);
	return out + 4 + adaptation;
}
