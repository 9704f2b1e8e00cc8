/* The header of a PES packet (ISO 13818-1 2.4.3.6). */
#ifndef HINDCAST_PES_H
#define HINDCAST_PES_H

#include <stdint.h>

#include "media/ticks.h"

#define PES_HEADER_SIZE 14
/* PES_packet_length is 16 bits and counts the 8 header bytes behind it. */
#define PES_DATA_MAX (65535 - 8)

enum pes_stream_id { PES_PRIVATE_STREAM_1 = 0xBD, PES_AUDIO_STREAM_0 = 0xC0 };

/* Write the header of a PES packet that carries `size` bytes (at most PES_DATA_MAX), the first of which begins an
 * access unit (data_alignment_indicator) presented at `pts`. */
void pes_header_write(enum pes_stream_id id, uint32_t size, struct ticks pts, uint8_t out[static PES_HEADER_SIZE]);

#endif
