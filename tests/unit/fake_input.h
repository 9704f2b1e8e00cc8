/* An input that keeps what a transport does to it, and a loop whose time the test moves. Include it once in a program:
 * it defines what transport.h declares for inputs. */
#ifndef HINDCAST_TEST_FAKE_INPUT_H
#define HINDCAST_TEST_FAKE_INPUT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "segmenter/input/transport.h"

#define FAKE_BYTES (4 << 20)
#define FAKE_TICK (100 * NS_PER_MS)

struct input {
	uint8_t *bytes; /* of all runs */
	size_t len;
	uint8_t room[65536];
	size_t room_most; /* given at a time; 0: no room */
	size_t budget;    /* bytes taken until it has no more room; SIZE_MAX: no end */
	size_t refuse_at; /* once so many bytes have come; SIZE_MAX: never */
	unsigned ups, downs;
	bool up;
	size_t run_begin; /* len at the last up */
	char peer[256], why[512], titles[4096];
	struct wall start;
	struct transport_counters counters;
};

void
input_up(struct input *in, struct mono now, const char *peer)
{
	(void)now;
	CHECK(!in->up);
	in->up = true;
	in->ups++;
	in->counters.connects++;
	in->run_begin = in->len;
	snprintf(in->peer, sizeof(in->peer), "%s", peer);
}

uint8_t *
input_room(struct input *in, size_t *len)
{
	*len = in->room_most < in->budget ? in->room_most : in->budget;
	if (!in->up)
		*len = 0;
	return in->room;
}

int
input_fed(struct input *in, struct mono now, size_t n)
{
	(void)now;
	CHECK(in->up && n > 0 && n <= in->room_most && n <= in->budget && in->len + n <= FAKE_BYTES);
	memcpy(in->bytes + in->len, in->room, n);
	memset(in->room, 0xee, sizeof(in->room));
	in->len += n;
	in->counters.bytes += n;
	if (in->budget != SIZE_MAX)
		in->budget -= n;
	return in->len >= in->refuse_at ? -1 : 0;
}

void
input_down(struct input *in, struct mono now, const char *why)
{
	(void)now;
	CHECK(in->up);
	in->up = false;
	in->downs++;
	in->counters.disconnects++;
	snprintf(in->why, sizeof(in->why), "%s", why);
}

const char *
input_why(const struct input *in)
{
	(void)in;
	return "this is not audio";
}

struct wall
input_start(const struct input *in)
{
	return in->start;
}

void
input_title(struct input *in, const char *title, size_t len)
{
	size_t n = strlen(in->titles);

	in->counters.titles++;
	snprintf(in->titles + n, sizeof(in->titles) - n, "%.*s|", (int)len, title);
}

struct transport_counters *
input_transport_counters(struct input *in)
{
	return &in->counters;
}

const char *
input_name(const struct input *in)
{
	(void)in;
	return "fip/hifi main";
}

/* ---- a transport, its input and a loop */

struct bench {
	uv_loop_t loop;
	struct input in;
	struct input_settings settings;
	const struct transport_ops *ops;
	struct transport *t;
	struct mono now;
	int64_t tick; /* ns that `now` moves on with each */
};

static inline struct bench *
bench_new(enum input_type type)
{
	struct bench *b = calloc(1, sizeof(*b));

	CHECK(b && (b->in.bytes = malloc(FAKE_BYTES)));
	CHECK(uv_loop_init(&b->loop) == 0);
	b->in.room_most = sizeof(b->in.room);
	b->in.budget = b->in.refuse_at = SIZE_MAX;
	b->settings.type = (int)type;
	b->settings.timeout = 10 * NS_PER_S;
	b->ops = transport_for(type);
	b->now.ns = NS_PER_S;
	b->tick = FAKE_TICK;
	return b;
}

static inline void
bench_open(struct bench *b)
{
	struct text errors;

	text_init(&errors, 4096);
	if (b->ops->open(&b->loop, &b->in, &b->settings, &b->t, &errors) < 0)
		fprintf(stderr, "%s", errors.data);
	CHECK(b->t);
	text_fini(&errors);
}

static inline void
bench_tick(struct bench *b)
{
	uv_run(&b->loop, UV_RUN_NOWAIT);
	b->now.ns += b->tick;
	b->ops->tick(b->t, b->now);
}

static inline int64_t
real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Let others run for a millisecond; whoever calls it looks for a condition again. */
static inline void
breathe(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

#define REAL_PATIENCE (20 * NS_PER_S)

/* Tick until the condition holds; false when it does not come true. */
#define bench_until(b, condition)                                                                                      \
	__extension__({                                                                                                \
		int64_t until_ = real_ns() + REAL_PATIENCE;                                                            \
		while (!(condition) && real_ns() < until_) {                                                           \
			bench_tick(b);                                                                                 \
			breathe();                                                                                     \
		}                                                                                                      \
		(condition);                                                                                           \
	})

static inline void
bench_free(struct bench *b)
{
	if (b->t)
		b->ops->close(&b->t);
	while (uv_run(&b->loop, UV_RUN_DEFAULT))
		;
	CHECK(uv_loop_close(&b->loop) == 0);
	free(b->in.bytes);
	free(b);
}

/* A directory of the test's own, removed with the files in it. */
static inline char *
temp_dir(void)
{
	char *dir = strdup("/tmp/hindcast-test-XXXXXX");

	CHECK(dir && mkdtemp(dir));
	return dir;
}

static inline char *
temp_path(const char *dir, const char *name)
{
	char *path = malloc(strlen(dir) + strlen(name) + 2);

	CHECK(path);
	snprintf(path, strlen(dir) + strlen(name) + 2, "%s/%s", dir, name);
	return path;
}

static inline void
temp_write(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	CHECK(f && fwrite(data, 1, len, f) == len && fclose(f) == 0);
}

/* The byte at a place of a test stream; no short period, so that what is lost or repeated shows. */
static inline uint8_t
pattern(size_t at)
{
	return (uint8_t)((at * 2654435761u >> 13) ^ (at >> 8));
}

static inline bool
is_pattern(const uint8_t *bytes, size_t len, size_t from)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != pattern(from + i))
			return false;
	return true;
}

static inline uint8_t *
pattern_new(size_t len)
{
	uint8_t *p = malloc(len);

	CHECK(p);
	for (size_t i = 0; i < len; i++)
		p[i] = pattern(i);
	return p;
}

#endif
