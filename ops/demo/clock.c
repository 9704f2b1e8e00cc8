/* A speaking clock: an endless ADTS stream whose every frame follows from the wall time at which it is on air.
 *
 * Frame f, counted from 1970, is on air from f * 1024 / 48000 s. Every ten seconds the local time is said; its first
 * word begins with the frame whose edge is nearest to the instant that it names. Between announcements there is a
 * soft bed. All of it is put together from clips that can follow each other in any order: see make-clips.sh. Nothing
 * waits here: whoever reads sets the pace. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/text.h"

#define CLIPS_MAX 128
#define PARTS_MAX 16
#define FILE_MAX (8 << 20)
#define SLOT_S 10
/* 48000 / 1024 frames a second: 8 s hold 375 frames, a slot 468.75 */
#define FRAMES_8S 375
#define SLOT_FRAMES_X4 1875
#define LEAD 1 /* frames of bed at the head of every clip */

struct clip {
	char name[16], words[32];
	uint32_t first, frames;
};

struct clips {
	struct clip clip[CLIPS_MAX];
	unsigned count;
	struct text audio;
	uint32_t *offset; /* of each frame in `audio`, and of the end */
	uint32_t frames;
};

/* What is on air in one slot: `frames` frames of each part, a shorter clip being repeated. */
struct script {
	struct part {
		const struct clip *clip;
		uint32_t frames;
	} part[PARTS_MAX];
	unsigned count;
	uint32_t frames;
};

static _Noreturn void __attribute__((format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("demo-clock: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	exit(1);
}

/* Time */

/* The frame whose beginning is nearest. */
static int64_t
frame_at(struct wall w)
{
	const int64_t period = 8 * NS_PER_S;
	return w.ns / period * FRAMES_8S + (w.ns % period * FRAMES_8S + period / 2) / period;
}

/* The frame with which slot `s` begins: the lead of its first word, so that the word is on time. */
static int64_t
slot_start(int64_t s)
{
	return (s * SLOT_FRAMES_X4 + 2) / 4 - LEAD;
}

/* The slot that a frame lies in: the last one with slot_start(s) <= frame. */
static int64_t
slot_of(int64_t frame)
{
	return ((frame + LEAD) * 4 + 1) / SLOT_FRAMES_X4;
}

static struct tm
slot_local(int64_t s)
{
	time_t t = (time_t)(s * SLOT_S);
	struct tm tm;
	if (!localtime_r(&t, &tm))
		fail("the year of slot %" PRId64 " cannot be told", s);
	return tm;
}

/* Clips */

static void
file_load(const char *dir, const char *name, const char *suffix, struct text *out)
{
	char path[512];
	if (snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix) >= (int)sizeof(path))
		fail("--clips: the path is too long");
	text_init(out, FILE_MAX);
	int err = file_read(AT_FDCWD, path, out);
	if (err || !out->len)
		fail("%s: %s; --clips must name the directory ops/demo/clips", path,
		    err ? strerror(-err) : "the file is empty");
}

/* One ADTS frame's length (ISO 14496-3 1.A.2.2.1, aac_frame_length: 13 bits from bit 30), or 0 at what is none. */
static uint32_t
adts_length(struct cursor c)
{
	uint16_t sync = cursor_u16(&c);
	cursor_u8(&c);
	uint32_t length = cursor_u32(&c) >> 13 & 0x1fff;
	return c.bad || (sync & 0xfff6) != 0xfff0 || length < 7 ? 0 : length;
}

static void
frames_find(struct clips *clips)
{
	struct cursor c = cursor_of(clips->audio.data, clips->audio.len);
	clips->offset = calloc(clips->audio.len / 7 + 1, sizeof(*clips->offset));
	if (!clips->offset)
		fail("out of memory");
	while (cursor_left(&c)) {
		uint32_t length = adts_length(c);
		if (!length || !cursor_take(&c, length))
			fail("the clips are damaged: no whole ADTS frame at byte %" PRIu32,
			    clips->offset[clips->frames]);
		clips->offset[clips->frames + 1] = clips->offset[clips->frames] + length;
		clips->frames++;
	}
}

static void
index_load(struct clips *clips, const char *dir)
{
	struct text index;
	file_load(dir, "index", "", &index);
	for (char *line = index.data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		struct clip *c = &clips->clip[clips->count++];
		*end = '\0';
		if (clips->count == CLIPS_MAX ||
		    sscanf(line, "%" SCNu32 "\t%" SCNu32 "\t%15s\t%31[^\n]", &c->first, &c->frames, c->name,
			c->words) != 4 ||
		    !c->frames || c->first > clips->frames || c->frames > clips->frames - c->first)
			fail("%s/index:%u: want first frame, frames, name, words, within %" PRIu32 " frames", dir,
			    clips->count, clips->frames);
		if (strcmp(c->words, "-") == 0)
			c->words[0] = '\0';
	}
	text_fini(&index);
}

static const struct clip *
clip_find(const struct clips *clips, const char *name)
{
	for (unsigned i = 0; i < clips->count; i++)
		if (strcmp(clips->clip[i].name, name) == 0)
			return &clips->clip[i];
	fail("the index has no clip '%s'", name);
}

/* Announcements */

static void
script_add(struct script *s, const struct clip *clip, uint32_t frames)
{
	s->part[s->count++] = (struct part){ clip, frames };
	s->frames += frames;
}

static void __attribute__((format(printf, 3, 4)))
script_clip(struct script *s, const struct clips *clips, const char *fmt, ...)
{
	char name[32];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	const struct clip *clip = clip_find(clips, name);
	script_add(s, clip, clip->frames);
}

/* "It's nine oh five a.m. and twenty seconds", "It's nine a.m. precisely", "It's twelve noon and ten seconds" */
static void
script_announce(struct script *s, const struct clips *clips, const struct tm *tm)
{
	bool afternoon = tm->tm_hour >= 12;
	const struct clip *bed = clip_find(clips, "bed");
	script_clip(s, clips, "hour-%d", (tm->tm_hour + 11) % 12 + 1);
	script_add(s, bed, 1);
	if (tm->tm_min)
		script_clip(s, clips, "minute-%d", tm->tm_min);
	script_add(s, bed, 1);
	if (!tm->tm_min && tm->tm_hour % 12 == 0)
		script_clip(s, clips, afternoon ? "noon" : "midnight");
	else
		script_clip(s, clips, afternoon ? "pm" : "am");
	script_add(s, bed, 6);
	script_clip(s, clips, "second-%d", tm->tm_sec / 10 * 10);
}

/* The whole of slot `slot`. */
static struct script
script_of(const struct clips *clips, int64_t slot)
{
	struct script s = { .count = 0 };
	struct tm tm = slot_local(slot);
	const struct clip *bed = clip_find(clips, "bed");
	uint32_t frames = (uint32_t)(slot_start(slot + 1) - slot_start(slot));
	script_announce(&s, clips, &tm);
	script_add(&s, bed, 16);
	if (tm.tm_min == 0 && tm.tm_sec == 0)
		script_clip(&s, clips, "chime");
	else
		for (int i = 1; i <= 3; i++)
			script_clip(&s, clips, "swell-%d", i);
	if (s.frames > frames)
		fail("an announcement is longer than %d s: the clips must be shorter", SLOT_S);
	script_add(&s, bed, frames - s.frames);
	return s;
}

/* Output */

/* Whether the reader is still there. */
static bool
frame_write(const struct clips *clips, uint32_t frame)
{
	uint32_t length = clips->offset[frame + 1] - clips->offset[frame];
	if (fwrite(clips->audio.data + clips->offset[frame], 1, length, stdout) == length)
		return true;
	if (errno != EPIPE)
		fail("standard output: %s", strerror(errno));
	return false;
}

/* Frames [from, to) of the slot's script. */
static bool
script_play(const struct clips *clips, const struct script *s, uint32_t from, uint32_t to)
{
	uint32_t begin = 0;
	for (const struct part *p = s->part; p < s->part + s->count && begin < to; begin += p->frames, p++)
		for (uint32_t i = from > begin ? from - begin : 0; i < p->frames && begin + i < to; i++)
			if (!frame_write(clips, p->clip->first + i % p->clip->frames))
				return false;
	return true;
}

/* A line for an announcement that begins in frames [from, to): the first word's frame, local time, words. */
static bool
script_print(const struct script *s, int64_t slot, uint32_t from, uint32_t to)
{
	char text[32];
	struct tm tm = slot_local(slot);
	if (from > LEAD || to <= LEAD)
		return true;
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &tm);
	printf("%" PRId64 " %s", slot_start(slot) + LEAD, text);
	for (unsigned i = 0; i < s->count; i++)
		if (s->part[i].clip->words[0])
			printf(" %s", s->part[i].clip->words);
	return putchar('\n') != EOF;
}

struct options {
	const char *bitrate, *clips;
	bool words;
	int64_t frames; /* to write; INT64_MAX: for ever */
};

static void
run(const struct clips *clips, int64_t frame, const struct options *o)
{
	int64_t end = o->frames < INT64_MAX - frame ? frame + o->frames : INT64_MAX;
	bool reading = true;
	while (reading && frame < end) {
		int64_t slot = slot_of(frame), start = slot_start(slot);
		struct script s = script_of(clips, slot);
		uint32_t from = (uint32_t)(frame - start),
			 to = end - start < s.frames ? (uint32_t)(end - start) : s.frames;
		reading = o->words ? script_print(&s, slot, from, to) : script_play(clips, &s, from, to);
		frame = start + to;
	}
	if (fflush(stdout) && errno != EPIPE)
		fail("standard output: %s", strerror(errno));
}

static int64_t
number(const char *what, const char *text)
{
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || *end || end == text || n < 0)
		fail("%s: '%s' is not a number from 0", what, text);
	return n;
}

static struct options
options_read(int argc, char **argv)
{
	static const char usage[] = "usage: demo-clock [--bitrate 128|64] [--clips DIR] [--words] [--frames N]\n"
				    "ADTS on standard output from HINDCAST_START (ns since 1970, default now) on;\n"
				    "--words: what is said when, in place of audio; --frames: end after N frames";
	struct options o = { .bitrate = "128", .clips = "ops/demo/clips", .frames = INT64_MAX };
	for (int i = 1; i < argc; i++) {
		const char *key = argv[i];
		if (strcmp(key, "--words") == 0)
			o.words = true;
		else if (++i == argc)
			fail("%s: unknown, or its value is missing\n%s", key, usage);
		else if (strcmp(key, "--bitrate") == 0)
			o.bitrate = argv[i];
		else if (strcmp(key, "--clips") == 0)
			o.clips = argv[i];
		else if (strcmp(key, "--frames") == 0)
			o.frames = number(key, argv[i]);
		else
			fail("%s: unknown\n%s", key, usage);
	}
	if (strcmp(o.bitrate, "128") != 0 && strcmp(o.bitrate, "64") != 0)
		fail("--bitrate: '%s' is neither 128 nor 64", o.bitrate);
	return o;
}

int
main(int argc, char **argv)
{
	static struct clips clips;
	struct options o = options_read(argc, argv);
	const char *start = getenv("HINDCAST_START");
	struct wall from = start ? (struct wall){ number("HINDCAST_START", start) } : clock_wall_now();
	signal(SIGPIPE, SIG_IGN);
	file_load(o.clips, o.bitrate, ".aac", &clips.audio);
	frames_find(&clips);
	index_load(&clips, o.clips);
	run(&clips, frame_at(from), &o);
	text_fini(&clips.audio);
	free(clips.offset);
	return 0;
}
