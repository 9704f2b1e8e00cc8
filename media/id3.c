/* ID3 tags as obstacles in a stream of audio frames: where they end. */
#include "media/id3.h"

#include <string.h>

#define FLAG_FOOTER 0x10
#define FLAGS_UNDEFINED 0x0f

uint32_t
id3_tag_size(const uint8_t p[static ID3_HEADER])
{
	if (memcmp(p, "ID3", 3) != 0 || p[3] < 2 || p[3] > 4 || p[4] == 0xff || p[5] & FLAGS_UNDEFINED)
		return 0;
	/* synchsafe: 7 bits in each byte */
	if ((p[6] | p[7] | p[8] | p[9]) & 0x80)
		return 0;
	uint32_t body = (uint32_t)p[6] << 21 | (uint32_t)p[7] << 14 | (uint32_t)p[8] << 7 | p[9];
	return ID3_HEADER + body + (p[5] & FLAG_FOOTER ? ID3_HEADER : 0);
}
