/* Any bytes as the INI file: either refused with a reason, or printed to something that reads back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config_internal.h"
#include "base/log.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct section {
	struct config_section section;
	char *path, *password;
	int sync;
	int64_t count, size, time, rate;
	bool loop;
};

static const struct config_option options[] = {
	{ .key = "path",
	    .type = CONFIG_STRING,
	    .offset = offsetof(struct section, path),
	    .fallback = "/x",
	    .help = "where" },
	{ .key = "password", .type = CONFIG_STRING, .offset = offsetof(struct section, password) },
	{ .key = "sync", .type = CONFIG_ENUM, .offset = offsetof(struct section, sync), .choices = "none segment" },
	{ .key = "count", .type = CONFIG_INT, .offset = offsetof(struct section, count), .least = -9, .most = 9 },
	{ .key = "size", .type = CONFIG_SIZE, .offset = offsetof(struct section, size) },
	{ .key = "time",
	    .type = CONFIG_DURATION,
	    .offset = offsetof(struct section, time),
	    .least = NS_PER_MS,
	    .most = INT64_MAX,
	    .fallback = "6" },
	{ .key = "rate", .type = CONFIG_BITRATE, .offset = offsetof(struct section, rate) },
	{ .key = "loop", .type = CONFIG_BOOL, .offset = offsetof(struct section, loop) },
};

static const struct config_kind kinds[] = {
	{ .name = "store", .options = options, .rows = 8, .size = sizeof(struct section) },
	{ .name = "station", .subjects = 1, .options = options, .rows = 8, .size = sizeof(struct section) },
	{ .name = "input", .subjects = 2, .options = options, .rows = 8, .size = sizeof(struct section) },
	{ .name = "relay" },
};

/* Load and print; false when it was refused. */
static bool
print(const void *data, size_t size, struct text *out)
{
	struct text errors;
	struct config c;

	text_init(&errors, 1 << 20);
	int err = config_load_memory("fuzz.ini", data, size, kinds, 4, &c, &errors);
	CHECK((err != 0) == (errors.len > 0));
	text_fini(&errors);
	if (err)
		return false;
	config_print(&c, out);
	config_free(&c);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text first, second;

	text_init(&first, 1 << 24);
	text_init(&second, 1 << 24);
	/* help behind a value can make its line too long, and then nothing is to compare */
	if (print(data, size, &first) && size < 2048 && first.len > 0) {
		CHECK(print(first.data, first.len, &second));
		CHECK(second.len == first.len && memcmp(first.data, second.data, first.len) == 0);
	}
	text_fini(&first);
	text_fini(&second);
	return 0;
}
