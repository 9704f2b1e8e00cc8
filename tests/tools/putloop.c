/* Puts segments into a store as fast as it takes them and says what one costs:
 *
 *	putloop FOLDER [SEGMENTS [BYTES [none|segment]]]
 *
 * FOLDER is that of a store, made if missing; the rendition is test/put, with the grid of 6 s. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "rewind/store.h"

#define DURATION 6
#define RATE 48000

static int
put_all(struct store_rendition *r, uint64_t msn, uint64_t count, uint8_t *data, size_t len)
{
	struct store_segment s = {
		.format = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x4c, 0x80 }, RATE, 2 },
		.samples = DURATION * RATE,
		.frames = 281,
		.audio_bytes = len,
		.data = data,
		.len = len,
	};
	int64_t put_ns = 0, live_ns = 0;
	for (uint64_t i = 0; i < count; i++) {
		s.msn = msn + i;
		s.start = layout_grid(s.msn, DURATION);
		s.sample = i * s.samples;
		memcpy(data, &s.msn, sizeof s.msn);
		int64_t before = clock_mono_now().ns;
		int rc = store_rendition_put(r, &s);
		int64_t between = clock_mono_now().ns;
		if (rc == 0)
			rc = store_rendition_live(r);
		live_ns += clock_mono_now().ns - between;
		put_ns += between - before;
		if (rc < 0)
			return rc;
	}
	printf("%" PRIu64 " segments of %zu bytes: put %.1f us, live list %.1f us each\n", count, len,
	    (double)put_ns / 1000 / (double)count, (double)live_ns / 1000 / (double)count);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: putloop FOLDER [SEGMENTS [BYTES [none|segment]]]\n");
		return 2;
	}
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 3600;
	size_t len = argc > 3 ? strtoull(argv[3], NULL, 10) : 100000;
	uint8_t *data = calloc(1, len + 8);
	struct store_rendition_config config = {
		.station = "test",
		.name = "put",
		.T = DURATION,
		.window = 10,
		.sync = argc > 4 && strcmp(argv[4], "segment") == 0,
	};
	struct store_rendition *r = NULL;
	struct store_resume resume;
	struct text errors;
	text_init(&errors, 4096);
	mkdir(argv[1], 0755);
	config.root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct wall now = clock_wall_now();
	int rc = config.root < 0 ? -errno : 0;
	if (rc == 0 && data && store_rendition_open(&config, now, &r, &resume, &errors) == 0)
		rc = put_all(r, resume.any ? resume.next_msn : layout_msn(now, 0, DURATION), count, data, len);
	if (rc < 0 || !r)
		fprintf(stderr, "putloop: %s\n", errors.data ? errors.data : strerror(-rc));
	store_rendition_close(&r);
	text_fini(&errors);
	free(data);
	return rc < 0 || errors.len;
}
