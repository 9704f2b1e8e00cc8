/* ID3 tags: a size that is sound, and a framer that is behind the tag where the size says. */
#include "media/id3.h"

#include "tests/fuzz/framer_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct framer_walk w, after;

	if (len < ID3_HEADER)
		return 0;
	uint32_t size = id3_tag_size(data);
	CHECK(size == 0 || (size >= ID3_HEADER && size < (UINT32_C(1) << 28) + 2 * ID3_HEADER));
	if (size == 0 || size > len)
		return 0;
	framer_walk_whole(&w, data, len);
	framer_walk_whole(&after, data + size, len - size);
	CHECK(w.frames == after.frames && w.hash == after.hash);
	CHECK(w.framer.tags_skipped == after.framer.tags_skipped + 1);
	return 0;
}
