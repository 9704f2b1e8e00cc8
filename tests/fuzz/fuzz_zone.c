/* Any bytes as a TZif file: refused, or a table whose every answer is in bounds and whose local times lead back. */
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "rewind/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *z = zone_read(data, size);

	if (!z)
		return 0;
	for (int64_t t = 0; t < 4102444800; t += 86400 * 41 + 4321) {
		int32_t east = zone_offset(z, t);
		CHECK(east > -25 * 3600 && east < 26 * 3600);
		struct civil c = zone_local(z, t);
		int64_t back = zone_instant(z, &c);
		CHECK(back <= t && back + zone_offset(z, back) == t + east);
	}
	zone_free(&z);
	return 0;
}
