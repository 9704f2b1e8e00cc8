/* ID3 tags as obstacles in a stream of audio frames: where they end. */
#ifndef HINDCAST_ID3_H
#define HINDCAST_ID3_H

#include <stdint.h>

#define ID3_HEADER 10
#define ID3V1_SIZE 128

/* The size in bytes of the whole ID3v2 tag that begins at `p`, header and footer included (ID3v2.4.0 structure,
 * section 3.1), or 0 when no tag of version 2.2 to 2.4 begins there. */
uint32_t id3_tag_size(const uint8_t p[static ID3_HEADER]);

#endif
