/* Program specific information (ISO 13818-1 2.4.4): the two tables that a segment begins with. */
#ifndef HINDCAST_PSI_H
#define HINDCAST_PSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/ts.h"

/* CRC-32/MPEG-2 (annex A): polynomial 04C11DB7, from FFFFFFFF, not reflected. Over a section and its own CRC it is 0.
 */
uint32_t psi_crc32(const uint8_t *data, size_t len);

/* One packet with the program association table: program 1 has its map on TS_PID_PMT. */
void psi_pat_write(uint8_t continuity_counter, uint8_t out[static TS_PACKET_SIZE]);

/* One packet with the program map table: audio of `stream_type` on TS_PID_AUDIO, which carries PCR too, and with `id3`
 * timed metadata on TS_PID_ID3 (ISO 13818-1 2.12; "Timed Metadata for HTTP Live Streaming" gives the descriptors). */
void psi_pmt_write(uint8_t continuity_counter, uint8_t stream_type, bool id3, uint8_t out[static TS_PACKET_SIZE]);

#endif
