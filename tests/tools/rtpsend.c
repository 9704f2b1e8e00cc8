/* Sends the frames of a file as RTP: rtpsend FILE TO [-s SDP] [-n FRAMES] [-x SPEED] [-k KEY_FILE].
 * TO is ADDRESS:PORT, at real pace times SPEED; or "-": the packets go to standard output at once, each behind its
 * length in two bytes (RFC 4571). The run's id is 16 times 42 and it begins at 2026-11-22T08:01:04.123456789Z. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "media/framer.h"
#include "relay/framing.h"
#include "relay/packer.h"
#include "relay/sdp.h"

#define START_NS INT64_C(1795334464123456789)

struct sender {
	int fd; /* -1: standard output */
	char address[64];
	uint16_t port;
	const char *sdp;
	bool keyed;
	struct srtp_secret secret;
	double speed;
	uint64_t frames_max, frames;
	struct mono began;
	struct packer packer;
	bool packing;
};

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "rtpsend: %s\n", what);
	exit(1);
}

static void
on_packet(void *context, const struct packer_packet *packet)
{
	struct sender *s = context;
	uint8_t head[FRAMING_HEADER];

	if (s->fd >= 0) {
		if (write(s->fd, packet->data, packet->len) < 0)
			perror("rtpsend: send");
		return;
	}
	framing_write(packet->len, head);
	fwrite(head, 1, sizeof(head), stdout);
	fwrite(packet->data, 1, packet->len, stdout);
}

static void
open_to(struct sender *s, const char *to)
{
	const char *colon = strrchr(to, ':');
	struct sockaddr_in a = { .sin_family = AF_INET };

	s->fd = -1;
	if (strcmp(to, "-") == 0) {
		snprintf(s->address, sizeof(s->address), "127.0.0.1");
		s->port = 5004;
		return;
	}
	if (!colon)
		die("want ADDRESS:PORT");
	snprintf(s->address, sizeof(s->address), "%.*s", (int)(colon - to), to);
	s->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	a.sin_port = htons(s->port);
	s->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (inet_pton(AF_INET, s->address, &a.sin_addr) != 1 || s->fd < 0 ||
	    connect(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("cannot send there");
}

static void
write_sdp(const struct sender *s, const struct rtp_run *run)
{
	struct sdp_target target = { .address = s->address, .port = s->port, .ttl = 1, .protect = s->keyed };
	struct text text;

	text_init(&text, SDP_TEXT_MAX);
	if (sdp_write(run, &target, &text) < 0)
		die("no session description");
	FILE *f = fopen(s->sdp, "w");
	if (!f || fwrite(text.data, 1, text.len, f) != text.len || fclose(f) != 0)
		die("cannot write the session description");
	text_fini(&text);
}

static void
begin(struct sender *s, const struct audio_format *format)
{
	struct rtp_run run = { .format = *format, .mid = "test.file", .rid = "main" };
	struct packer_sink sink = { .context = s, .packet = on_packet };

	memset(run.id, 42, sizeof(run.id));
	int error = packer_init(&s->packer, &run, s->keyed ? &s->secret : NULL, &sink);
	if (error)
		die(packer_error_text(error));
	packer_mark(&s->packer, "Artist - Title", 14);
	if (s->sdp)
		write_sdp(s, &run);
	s->packing = true;
	s->began = clock_mono_now();
}

static void
wait_for(const struct sender *s, int64_t media_ns)
{
	int64_t left = (int64_t)((double)media_ns / s->speed) - (clock_mono_now().ns - s->began.ns);
	struct timespec t = { left / NS_PER_S, left % NS_PER_S };

	if (s->fd >= 0 && left > 0)
		nanosleep(&t, NULL);
}

static void
send_frame(struct sender *s, const struct framer_out *f)
{
	uint8_t data[8192];
	uint64_t position = s->frames * f->samples;
	int64_t ns = samples_to_ns(position, f->format.rate);

	if (!s->packing)
		begin(s, &f->format);
	memcpy(data, f->header, f->header_len);
	memcpy(data + f->header_len, f->payload, f->payload_len);
	struct rtp_frame frame = { .data = data,
		.len = f->header_len + f->payload_len,
		.samples = f->samples,
		.index = s->frames,
		.position = position,
		.wall = { START_NS + ns } };
	wait_for(s, ns);
	int error = packer_frame(&s->packer, &frame);
	if (error)
		die(packer_error_text(error));
	s->frames++;
}

static void
send_file(struct sender *s, const char *path)
{
	struct text file;
	struct framer framer;
	struct framer_out out;
	size_t at = 0;
	FILE *f = fopen(path, "rb");
	char piece[65536];

	if (!f)
		die("cannot open the file");
	text_init(&file, 64 << 20);
	for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
		text_add(&file, piece, n);
	fclose(f);
	framer_init(&framer);
	while (s->frames < s->frames_max) {
		enum framer_result r = framer_next(&framer, (const uint8_t *)file.data + at, file.len - at, true, &out);
		at += out.consumed;
		if (r == FRAMER_REFUSED)
			die(out.why);
		if (r == FRAMER_MORE)
			break;
		send_frame(s, &out);
	}
	text_fini(&file);
}

int
main(int argc, char **argv)
{
	struct sender s = { .speed = 1, .frames_max = UINT64_MAX };
	struct text why;
	char memory[500];

	if (argc < 3)
		die("usage: rtpsend FILE TO [-s SDP] [-n FRAMES] [-x SPEED] [-k KEY_FILE]");
	open_to(&s, argv[2]);
	for (int i = 3; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "-s") == 0)
			s.sdp = argv[i + 1];
		else if (strcmp(argv[i], "-n") == 0)
			s.frames_max = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "-x") == 0)
			s.speed = strtod(argv[i + 1], NULL);
		else if (strcmp(argv[i], "-k") == 0)
			s.keyed = true;
		else
			die("unknown option");
		text_init_fixed(&why, memory, sizeof(memory));
		if (strcmp(argv[i], "-k") == 0 && srtp_secret_load(argv[i + 1], &s.secret, &why) < 0)
			die(memory);
	}
	send_file(&s, argv[1]);
	if (!s.packing)
		die("no frames");
	packer_flush(&s.packer);
	fprintf(stderr, "frames %llu packets %llu bytes %llu\n", (unsigned long long)s.packer.frames,
	    (unsigned long long)s.packer.packets, (unsigned long long)s.packer.bytes);
	packer_fini(&s.packer);
	return 0;
}
