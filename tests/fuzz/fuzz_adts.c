/* The framer: whatever comes, and however it is cut in two, the same frames come out. The first two bytes say where. */
#include "tests/fuzz/framer_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct framer_walk whole, cut;

	if (len < 2)
		return 0;
	size_t at = (size_t)(data[0] << 8 | data[1]);
	data += 2;
	len -= 2;
	framer_walk_whole(&whole, data, len);
	framer_walk_cut(&cut, data, len, len > 0 ? at % len : 0);
	framer_walk_same(&whole, &cut);
	return 0;
}
