/* What rewind/zone.h says, for tests/scenario/zones.py to compare with another library's answers.
 *
 *	zonetable offsets ZONE...    "ZONE t offset" for every change in 1970 to 2099, found by asking twice a day
 *	zonetable instants           "ZONE 2026-03-29T02:30:00" on each line of the input: its Unix seconds
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rewind/zone.h"

#define STEP 43200
#define END INT64_C(4102444800) /* 2100 */

static void
print_offsets(const char *name, const struct zone *z)
{
	int32_t offset = zone_offset(z, 0);
	printf("%s 0 %" PRId32 "\n", name, offset);
	for (int64_t t = 0; t < END; t += STEP) {
		int64_t low = t, high = t + STEP;
		if (zone_offset(z, high) == offset)
			continue;
		while (high - low > 1) {
			int64_t middle = (low + high) / 2;
			if (zone_offset(z, middle) == offset)
				low = middle;
			else
				high = middle;
		}
		offset = zone_offset(z, high);
		printf("%s %" PRId64 " %" PRId32 "\n", name, high, offset);
	}
}

static int
print_instants(void)
{
	char line[256], name[128], opened[128] = "";
	struct civil c;
	struct zone *z = NULL;

	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "%127s %d-%d-%dT%d:%d:%d", name, &c.year, &c.month, &c.day, &c.hour, &c.minute,
			&c.second) != 7)
			return 1;
		if (!z || strcmp(name, opened) != 0) {
			zone_free(&z);
			z = zone_new(name);
			snprintf(opened, sizeof opened, "%s", name);
		}
		if (!z)
			return 1;
		printf("%" PRId64 "\n", zone_instant(z, &c));
	}
	zone_free(&z);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "instants") == 0)
		return print_instants();
	if (argc < 3 || strcmp(argv[1], "offsets") != 0)
		return 2;
	for (int i = 2; i < argc; i++) {
		struct zone *z = zone_new(argv[i]);
		if (z)
			print_offsets(argv[i], z);
		else
			printf("%s unknown\n", argv[i]);
		zone_free(&z);
	}
	return 0;
}
