/* A store in a temporary folder, and segments that are functions of their number: AAC-LC at 48 kHz in MPEG-TS, the grid
 * of 6 s, PTS counted from 1970. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "rewind/store.h"

#define FIXTURE_T 6
#define FIXTURE_RATE 48000
/* 2026-11-21T09:00:00Z */
#define FIXTURE_HOUR UINT64_C(498681)
#define FIXTURE_FIRST (FIXTURE_HOUR * 600)

static const struct audio_format fixture_format = {
	.codec = CODEC_AAC,
	.profile = AAC_LC,
	.header = { 0xff, 0xf1, 0x4c, 0x80 },
	.rate = FIXTURE_RATE,
	.channels = 2,
};

struct fixture_segment {
	struct store_segment s;
	uint8_t *data; /* owned */
};

/* The frame edge nearest to k * T, counted in frames. */
static inline uint64_t
fixture_edge(uint64_t msn)
{
	return (msn * FIXTURE_T * FIXTURE_RATE + 512) / 1024;
}

/* A frame of `len` bytes that has a good header; its payload is told by its number. */
static inline void
fixture_frame(uint8_t *frame, uint32_t len, uint64_t number)
{
	const uint8_t *h = fixture_format.header;
	frame[0] = h[0];
	frame[1] = h[1];
	frame[2] = h[2];
	frame[3] = (uint8_t)(h[3] | len >> 11);
	frame[4] = (uint8_t)(len >> 3);
	frame[5] = (uint8_t)(len << 5 | 0x1f);
	frame[6] = 0xfc;
	for (uint32_t i = 7; i < len; i++)
		frame[i] = (uint8_t)((number * 2654435761u + i) >> 8);
}

static inline struct fixture_segment
fixture_make(uint64_t msn, uint32_t frame_len, bool packed)
{
	uint64_t first = fixture_edge(msn);
	size_t count = (size_t)(fixture_edge(msn + 1) - first);
	struct media_frame *frames = calloc(count, sizeof *frames);
	uint8_t *bytes = malloc(count * frame_len);
	for (size_t i = 0; i < count; i++) {
		fixture_frame(bytes + i * frame_len, frame_len, first + i);
		frames[i] = (struct media_frame){ bytes + i * frame_len, frame_len, 1024 };
	}
	struct media_segment m = {
		.msn = msn, .format = fixture_format, .sample = first * 1024, .frames = frames, .count = count
	};
	uint8_t *out = malloc(packed ? packed_segment_bound(&m) : ts_segment_bound(&m, true));
	size_t len = packed ? packed_segment_write(&m, out) : ts_segment_write(&m, true, out);
	free(frames);
	free(bytes);
	return (struct fixture_segment){
		.data = out,
		.s = {
			.msn = msn,
			.start = { samples_to_ns(first * 1024, FIXTURE_RATE) },
			.format = fixture_format,
			.sample = first * 1024,
			.samples = count * 1024,
			.frames = count,
			.audio_bytes = count * frame_len,
			.data = out,
			.len = len,
		},
	};
}

struct fixture {
	char path[64];
	int root;
	struct store_rendition_config config;
	struct store_rendition *r;
	struct store_resume resume;
	struct text errors;
};

static inline int
fixture_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static inline int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const char *tmp = getenv("TMPDIR");
	snprintf(f->path, sizeof f->path, "%.40s/store-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f->path))
		return -1;
	f->root = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	text_init(&f->errors, 4096);
	f->config = (struct store_rendition_config){
		.root = f->root,
		.station = "fip",
		.name = "hifi",
		.T = FIXTURE_T,
		.window = 10,
		.retention_ns = 24 * 3600 * NS_PER_S,
		.max_span_ns = 3600 * NS_PER_S,
	};
	log_init("test", LOG_ERROR + 1); /* what is provoked here is not to be read */
	*state = f;
	return 0;
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *f = *state;
	store_rendition_close(&f->r);
	close(f->root);
	text_fini(&f->errors);
	nftw(f->path, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* Open (again). `now`: the grid time of this number. */
static inline int
fixture_open(struct fixture *f, uint64_t now)
{
	store_rendition_close(&f->r);
	text_clear(&f->errors);
	return store_rendition_open(&f->config, layout_grid(now, f->config.T), &f->r, &f->resume, &f->errors);
}

static inline int
fixture_put(struct fixture *f, uint64_t msn)
{
	struct fixture_segment s = fixture_make(msn, 40, f->config.packed);
	int rc = store_rendition_put(f->r, &s.s);
	free(s.data);
	return rc;
}

static inline char *
fixture_path(const struct fixture *f, const char *name, char out[static 256])
{
	snprintf(out, 256, "%s/fip/hifi/%s", f->path, name);
	return out;
}

static inline bool
fixture_exists(const struct fixture *f, const char *name)
{
	char path[256];
	return access(fixture_path(f, name, path), F_OK) == 0;
}

/* A file of the rendition, owned by the caller; fails the test when it is not there. */
static inline char *
fixture_read(const struct fixture *f, const char *name, size_t *len)
{
	char path[256];
	struct text t;
	text_init(&t, 8 << 20);
	assert_int_equal(file_read(AT_FDCWD, fixture_path(f, name, path), &t), 0);
	if (len)
		*len = t.len;
	return t.data ? t.data : strdup("");
}

static inline void
fixture_write(const struct fixture *f, const char *name, const void *data, size_t len)
{
	char path[256];
	int fd = open(fixture_path(f, name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, data, len), 0);
	close(fd);
}

static inline struct hour
fixture_hour(const struct fixture *f, uint64_t hour)
{
	struct hour h;
	char why[128] = "";
	int rc = store_read_hour(f->root, "fip", "hifi", hour, &h, why);
	if (rc)
		print_error("hour: %s %s\n", strerror(-rc), why);
	assert_int_equal(rc, 0);
	return h;
}

/* How often `what` stands in `text`. */
static inline size_t
fixture_count(const char *text, const char *what)
{
	size_t n = 0;
	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

#endif
