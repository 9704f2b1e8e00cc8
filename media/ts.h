/* Packets of an MPEG transport stream (ISO 13818-1 2.4.3.2 to 2.4.3.5). */
#ifndef HINDCAST_TS_H
#define HINDCAST_TS_H

#include <stdbool.h>
#include <stdint.h>

#include "media/ticks.h"

#define TS_PACKET_SIZE 188
#define TS_SYNC_BYTE 0x47
#define TS_PAYLOAD_MAX 184 /* of a packet without adaptation field */
#define TS_PCR_SIZE 8      /* what an adaptation field with a PCR takes of it: length, flags and six bytes */

/* The one program of a segment. PCR travels on the audio PID. */
enum ts_pid { TS_PID_PAT = 0x0000, TS_PID_AUDIO = 0x0100, TS_PID_ID3 = 0x0101, TS_PID_PMT = 0x1000 };

struct ts_packet {
	enum ts_pid pid;
	uint8_t continuity_counter; /* its low four bits count */
	bool payload_unit_start;
	bool discontinuity, random_access;
	bool has_pcr;
	struct ticks pcr;      /* program_clock_reference_base; the extension is 0 */
	uint32_t payload_size; /* 0: adaptation field only. At most ts_packet_room() */
};

/* The most payload that a packet with these indicators can hold: 184, 182 or 176. */
uint32_t ts_packet_room(const struct ts_packet *p);

/* Write all of the packet but its payload, and return where that goes: the last payload_size bytes. What the payload
 * leaves free is stuffed in the adaptation field. */
uint8_t *ts_packet_write(const struct ts_packet *p, uint8_t out[static TS_PACKET_SIZE]);

#endif
