/* A run that has lasted long: longrun FILE ADDRESS:PORT FIRST KEY_FILE sends the frames of an ADTS file, again and
 * again, in real time, as packets and frames number FIRST and on of rendition s.a, input main, until it is ended. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "media/framer.h"
#include "relay/packer.h"

#define LEAD_NS (200 * NS_PER_MS) /* a frame is stamped so long before it is sent */

static int out_fd;

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "longrun: %s\n", what);
	exit(1);
}

static void
on_packet(void *context, const struct packer_packet *packet)
{
	(void)context;
	if (write(out_fd, packet->data, packet->len) < 0)
		return; /* nobody is there at the moment */
}

static void
connect_to(const char *to)
{
	const char *colon = strrchr(to, ':');
	struct sockaddr_in a = { .sin_family = AF_INET };
	char host[64];

	if (!colon)
		die("want ADDRESS:PORT");
	snprintf(host, sizeof(host), "%.*s", (int)(colon - to), to);
	a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	out_fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1 || out_fd < 0 ||
	    connect(out_fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("cannot send there");
}

static void
begin(struct packer *p, const struct audio_format *format, uint64_t first, const struct srtp_secret *secret)
{
	struct rtp_run run = { .format = *format, .mid = "s.a", .rid = "main" };
	struct packer_sink sink = { .packet = on_packet };

	memset(run.id, 77, sizeof(run.id));
	int err = packer_init(p, &run, secret, &sink);
	if (err < 0)
		die(packer_error_text(err));
	p->packet = first; /* as if all before it had been sent */
}

static void
send_frame(struct packer *p, const struct framer_out *f, uint64_t index, struct wall start)
{
	uint8_t data[8192];
	uint64_t position = index * f->samples;
	int64_t wall = start.ns + samples_to_ns(position, f->format.rate);
	int64_t left = wall + LEAD_NS - clock_wall_now().ns;
	struct timespec t = { left / NS_PER_S, left % NS_PER_S };

	if (left > 0)
		nanosleep(&t, NULL);
	memcpy(data, f->header, f->header_len);
	memcpy(data + f->header_len, f->payload, f->payload_len);
	struct rtp_frame frame = { .data = data,
		.len = f->header_len + f->payload_len,
		.samples = f->samples,
		.index = index,
		.position = position,
		.wall = { wall } };
	int err = packer_frame(p, &frame);
	if (err < 0)
		die(packer_error_text(err));
}

int
main(int argc, char **argv)
{
	static uint8_t file[8 << 20];
	struct srtp_secret secret;
	struct framer framer;
	struct framer_out f;
	struct packer packer;
	struct text why;
	struct wall start = { 0 };

	if (argc != 5)
		die("usage: longrun FILE ADDRESS:PORT FIRST KEY_FILE");
	text_init(&why, 1000);
	if (srtp_secret_load(argv[4], &secret, &why) < 0)
		die(why.data);
	connect_to(argv[2]);
	uint64_t first = strtoull(argv[3], NULL, 10), index = first;
	FILE *in = fopen(argv[1], "rb");
	size_t len = in ? fread(file, 1, sizeof(file), in) : 0;
	if (len == 0)
		die("cannot read the file");
	for (;;) {
		size_t at = 0;
		framer_init(&framer);
		while (framer_next(&framer, file + at, len - at, true, &f) == FRAMER_FRAME) {
			at += f.consumed;
			if (index == first) {
				begin(&packer, &f.format, first, &secret);
				start.ns = clock_wall_now().ns - samples_to_ns(index * f.samples, f.format.rate);
			}
			send_frame(&packer, &f, index++, start);
		}
	}
}
