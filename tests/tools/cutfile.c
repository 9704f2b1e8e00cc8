/* Cuts an ADTS or MP3 file into segments on a plain grid and writes them as 000.ts, 001.ts, ... (or .aac, .mp3): the
 * segment writers without a store, for trials with players and for measuring. Prints what the container costs. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "media/framer.h"
#include "media/segment.h"

#define USAGE                                                                                                          \
	"usage: cutfile [-p] [-n] [-v] [-w] [-t seconds] [-k msn] [-a anchor] [-b rounds] FILE [DIRECTORY]\n"          \
	"  -p  packed audio, not MPEG-TS       -t  segment duration, 6\n"                                              \
	"  -n  no timed ID3 in the PMT         -k  the first media sequence number, 0\n"                               \
	"  -w  only whole segments: leave out what follows the last grid line\n"                                       \
	"  -v  verify each segment             -a  PTS of the first sample in ticks, 126000\n"                         \
	"  -b  write each segment this often and print the time that one takes\n"

struct options {
	bool packed, no_id3, verify, whole;
	unsigned seconds, rounds;
	uint64_t msn, anchor;
	const char *file, *directory;
};

/* A whole file's frames, end to end. */
struct frames {
	struct audio_format format;
	uint8_t *bytes;
	struct media_frame *frame;
	size_t size, count;
};

struct totals {
	uint64_t segments, bytes, audio_bytes;
	int64_t ns;
};

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "cutfile: %s: %s\n", what, why);
	exit(1);
}

static void *
need(void *p)
{
	if (!p)
		die("memory", "none left");
	return p;
}

static uint8_t *
load(const char *path, size_t *size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		die(path, "cannot be read");
	uint8_t *data = need(malloc((size_t)st.st_size + 1));
	ssize_t n = read(fd, data, (size_t)st.st_size);
	if (n != st.st_size)
		die(path, "cannot be read whole");
	close(fd);
	*size = (size_t)n;
	return data;
}

static void
frames_read(struct frames *f, const char *path)
{
	struct framer framer;
	struct framer_out out;
	size_t len, at = 0, room = 0;
	uint8_t *data = load(path, &len);
	enum framer_result result;
	framer_init(&framer);
	/* A frame loses its CRC at most, and one of several blocks becomes up to four with a header each. */
	f->bytes = need(malloc(4 * len + 1));
	while ((result = framer_next(&framer, data + at, len - at, true, &out)) == FRAMER_FRAME) {
		if (f->count && out.format_changed)
			die(path, "the format changes on the way");
		if (f->count == room) {
			room = room ? 2 * room : 1024;
			f->frame = need(realloc(f->frame, room * sizeof *f->frame));
		}
		f->format = out.format;
		f->frame[f->count].data = f->bytes + f->size;
		f->frame[f->count].len = out.header_len + out.payload_len;
		f->frame[f->count++].samples = out.samples;
		memcpy(f->bytes + f->size, out.header, out.header_len);
		memcpy(f->bytes + f->size + out.header_len, out.payload, out.payload_len);
		f->size += out.header_len + out.payload_len;
		at += out.consumed;
	}
	if (result == FRAMER_REFUSED)
		die(path, out.why);
	free(data);
}

static void
save(const struct options *o, const struct media_segment *s, const uint8_t *data, size_t len)
{
	char path[4096];
	const char *suffix = !o->packed ? "ts" : s->format.codec == CODEC_AAC ? "aac" : "mp3";
	snprintf(path, sizeof path, "%s/%03u.%s", o->directory, (unsigned)(s->msn - o->msn), suffix);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) < 0)
		die(path, "cannot be written");
}

static void
segment_make(const struct options *o, const struct media_segment *s, struct totals *t)
{
	struct segment_facts facts;
	size_t len = 0, bound = o->packed ? packed_segment_bound(s) : ts_segment_bound(s, !o->no_id3);
	uint8_t *out = need(malloc(bound));
	memset(out, 0, bound);
	int64_t from = clock_mono_now().ns;
	for (unsigned i = 0; i < o->rounds; i++)
		len = o->packed ? packed_segment_write(s, out) : ts_segment_write(s, !o->no_id3, out);
	t->ns += clock_mono_now().ns - from;
	t->segments++;
	t->bytes += len;
	for (size_t i = 0; i < s->count; i++)
		t->audio_bytes += s->frames[i].len;
	if (o->verify && segment_read(out, len, !o->packed, s->msn, &facts, NULL, NULL) < 0)
		die("segment", facts.why);
	if (o->directory)
		save(o, s, out, len);
	free(out);
}

static void
cut(const struct options *o, const struct frames *f, struct totals *t)
{
	uint64_t sample = 0, period = (uint64_t)o->seconds * f->format.rate;
	struct media_segment s = { .msn = o->msn, .format = f->format, .anchor.t = o->anchor };
	for (size_t i = 0; i < f->count; i++) {
		uint64_t k = o->msn + (sample + f->frame[i].samples / 2) / period;
		if (k != s.msn) {
			segment_make(o, &s, t);
			s.msn = k;
			s.count = 0;
		}
		if (!s.count) {
			s.sample = sample;
			s.frames = &f->frame[i];
		}
		s.count++;
		sample += f->frame[i].samples;
	}
	if (s.count && !o->whole)
		segment_make(o, &s, t);
}

static uint64_t
number(const char *text)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);
	if (!*text || *end)
		die(text, "is no number");
	return v;
}

static struct options
options_read(int argc, char **argv)
{
	struct options o = { .seconds = 6, .rounds = 1, .anchor = 126000 };
	for (int c; (c = getopt(argc, argv, "pnvwt:k:a:b:")) != -1;) {
		switch (c) {
		case 'p':
			o.packed = true;
			break;
		case 'n':
			o.no_id3 = true;
			break;
		case 'v':
			o.verify = true;
			break;
		case 'w':
			o.whole = true;
			break;
		case 't':
			o.seconds = (unsigned)number(optarg);
			break;
		case 'k':
			o.msn = number(optarg);
			break;
		case 'a':
			o.anchor = number(optarg);
			break;
		case 'b':
			o.rounds = (unsigned)number(optarg);
			break;
		default:
			fputs(USAGE, stderr);
			exit(2);
		}
	}
	if (optind == argc || argc - optind > 2 || !o.seconds || !o.rounds) {
		fputs(USAGE, stderr);
		exit(2);
	}
	o.file = argv[optind];
	o.directory = argv[optind + 1];
	return o;
}

int
main(int argc, char **argv)
{
	struct options o = options_read(argc, argv);
	struct frames f = { .count = 0 };
	struct totals t = { .segments = 0 };
	char format[48];
	frames_read(&f, o.file);
	if (!f.count)
		die(o.file, "no frames");
	cut(&o, &f, &t);
	printf("%s: %s, %zu frames, %llu segments, %llu bytes of audio in %llu: %+.2f %%", o.file,
	    audio_format_text(&f.format, format), f.count, (unsigned long long)t.segments,
	    (unsigned long long)t.audio_bytes, (unsigned long long)t.bytes,
	    100.0 * (double)(t.bytes - t.audio_bytes) / (double)t.audio_bytes);
	if (o.rounds > 1)
		printf(", %.1f us a segment", (double)t.ns / 1e3 / o.rounds / (double)t.segments);
	printf("\n");
	free(f.bytes);
	free(f.frame);
	return 0;
}
