/* Reading the files of tests/media in unit tests; programs run in the root of the project. */
#ifndef HINDCAST_TEST_MEDIA_FILE_H
#define HINDCAST_TEST_MEDIA_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct media_file {
	uint8_t *data;
	size_t len;
};

/* The whole file; data is NULL when it cannot be read. Free data. */
static inline struct media_file
media_file_read(const char *name)
{
	struct media_file m = { NULL, 0 };
	char path[256];
	long size;

	snprintf(path, sizeof(path), "tests/media/%s", name);
	FILE *fp = fopen(path, "rb");
	if (!fp)
		return m;
	if (fseek(fp, 0, SEEK_END) == 0 && (size = ftell(fp)) >= 0 && fseek(fp, 0, SEEK_SET) == 0) {
		m.data = malloc((size_t)size + 1);
		m.len = m.data ? fread(m.data, 1, (size_t)size, fp) : 0;
	}
	fclose(fp);
	return m;
}

#endif
