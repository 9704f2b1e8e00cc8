/* Session descriptions: one that is taken makes sense, one that is not says why. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "relay/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sdp sdp;
	struct text why;

	text_init(&why, 1000);
	if (sdp_read((const char *)data, len, &sdp, &why) == 0) {
		CHECK(sdp.port > 0 && sdp.clock > 0 && sdp.payload_type < 128 && sdp.format.codec != CODEC_NONE);
		CHECK(sdp.format.codec == CODEC_MP3 || sdp.format.rate >= 7350);
		CHECK(memchr(sdp.address, '\0', sizeof(sdp.address)) && memchr(sdp.source, '\0', sizeof(sdp.source)));
	} else {
		CHECK(why.len > 0);
	}
	text_fini(&why);
	return 0;
}
