/* Frames to packets and back: whatever order, losses and copies, the same frames come out. */
#include "relay/packer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/adts.h"
#include "media/framer.h"
#include "relay/unpacker.h"

#define PACKETS 4000
#define FRAMES 4000

struct packet {
	uint8_t data[RTP_PACKET_MAX];
	size_t len;
	uint64_t index;
	bool introduction;
};

struct sent {
	uint8_t *data;
	uint32_t len;
	struct wall wall;
};

/* What was sent, and what came back. */
struct world {
	struct packet packet[PACKETS];
	uint32_t packets;
	struct sent sent[FRAMES];
	uint32_t frames;
	uint32_t got[FRAMES]; /* how often */
	uint32_t begun, ended, wrong, marks;
	struct rtp_run run;
	uint32_t samples;
};
static struct world w;

static const struct srtp_secret secret = { .bytes = "a secret of more than thirty bytes", .len = 34 };

static void
on_packet(void *context, const struct packer_packet *packet)
{
	struct packet *p = &w.packet[w.packets++];
	(void)context;

	assert_in_range(w.packets, 1, PACKETS);
	memcpy(p->data, packet->data, packet->len);
	p->len = packet->len;
	p->index = packet->index;
	p->introduction = packet->introduction;
}

static void
on_begin(void *context, const struct rtp_run *run, void **user)
{
	(void)context;
	w.begun++;
	*user = &w;
	w.wrong += memcmp(run->id, w.run.id, RTP_RUN_ID) != 0 || !audio_format_equal(&run->format, &w.run.format) ||
		   strcmp(run->mid, w.run.mid) != 0 || strcmp(run->rid, w.run.rid) != 0;
}

static void
on_frame(void *context, const struct rtp_run *run, void **user, const struct rtp_frame *f)
{
	(void)context;
	(void)run;
	w.wrong += *user != &w;
	if (f->index >= w.frames) {
		w.wrong++;
		return;
	}
	const struct sent *s = &w.sent[f->index];
	w.got[f->index]++;
	w.wrong += f->len != s->len || memcmp(f->data, s->data, s->len) != 0 || f->wall.ns != s->wall.ns ||
		   f->samples != w.samples || f->position != f->index * w.samples;
}

static void
on_mark(void *context, const struct rtp_run *run, void **user, const uint8_t *mark, size_t len)
{
	(void)context;
	(void)run;
	(void)user;
	w.marks++;
	w.wrong += len != 5 || memcmp(mark, "title", 5) != 0;
}

static void
on_end(void *context, const struct rtp_run *run, void **user)
{
	(void)context;
	(void)run;
	w.wrong += *user != &w;
	w.ended++;
}

static const struct unpacker_sink sink = { .begin = on_begin, .frame = on_frame, .mark = on_mark, .end = on_end };
static const struct unpacker_limits limits = UNPACKER_LIMITS_DEFAULT;

static void
forget(void)
{
	for (uint32_t i = 0; i < w.frames; i++)
		free(w.sent[i].data);
	memset(&w, 0, sizeof(w));
}

static void
forget_received(void)
{
	memset(w.got, 0, sizeof(w.got));
	w.begun = w.ended = w.wrong = w.marks = 0;
}

/* Walls that drift as a slewed clock does: no two steps are the same to the ns. */
static struct wall
wall_of(uint64_t position, uint32_t rate)
{
	return (struct wall){ INT64_C(1795314064123456789) + samples_to_ns(position, rate) + (int64_t)(position / 37) };
}

static void
add_sent(const uint8_t *header, uint32_t header_len, const uint8_t *payload, uint32_t payload_len)
{
	struct sent *s = &w.sent[w.frames];

	s->len = header_len + payload_len;
	s->data = malloc(s->len);
	memcpy(s->data, header, header_len);
	memcpy(s->data + header_len, payload, payload_len);
	s->wall = wall_of((uint64_t)w.frames * w.samples, w.run.format.rate);
	w.frames++;
}

/* The frames of a file, as an input gives them. */
static void
load(const char *name)
{
	static uint8_t data[1 << 20];
	char path[128];
	struct framer framer;
	struct framer_out out;
	size_t at = 0;

	snprintf(path, sizeof(path), "tests/media/%s", name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t len = fread(data, 1, sizeof(data), f);
	fclose(f);
	forget();
	framer_init(&framer);
	while (w.frames < FRAMES / 2) {
		enum framer_result r = framer_next(&framer, data + at, len - at, true, &out);
		at += out.consumed;
		if (r != FRAMER_FRAME)
			break;
		w.run.format = out.format;
		w.samples = out.samples;
		add_sent(out.header, out.header_len, out.payload, out.payload_len);
	}
	assert_true(w.frames > 10);
	for (int i = 0; i < RTP_RUN_ID; i++)
		w.run.id[i] = (uint8_t)(i + 1);
	snprintf(w.run.mid, sizeof(w.run.mid), "fip.hifi");
	snprintf(w.run.rid, sizeof(w.run.rid), "main");
}

static struct rtp_frame
frame(uint32_t i)
{
	const struct sent *s = &w.sent[i];
	return (struct rtp_frame){ s->data, s->len, w.samples, i, (uint64_t)i * w.samples, s->wall };
}

static void
pack(const struct srtp_secret *key)
{
	static struct packer p;
	struct packer_sink to = { .packet = on_packet };

	w.packets = 0;
	assert_int_equal(packer_init(&p, &w.run, key, &to), 0);
	packer_mark(&p, "title", 5);
	for (uint32_t i = 0; i < w.frames; i++) {
		struct rtp_frame f = frame(i);
		assert_int_equal(packer_frame(&p, &f), 0);
	}
	packer_flush(&p);
	assert_int_equal(p.frames, w.frames);
	assert_int_equal(p.packets, w.packets);
	assert_int_equal(p.failed, 0);
	packer_fini(&p);
}

static struct unpacker *
receiver(const struct srtp_secret *key)
{
	forget_received();
	struct unpacker *u = unpacker_new(&limits, key, &sink);
	assert_non_null(u);
	return u;
}

static int
put(struct unpacker *u, uint32_t i)
{
	return unpacker_put(u, (struct mono){ 0 }, 0, w.packet[i].data, w.packet[i].len);
}

static void
all_came_once(void)
{
	for (uint32_t i = 0; i < w.frames; i++)
		if (w.got[i] != 1)
			fail_msg("frame %u came %u times", i, w.got[i]);
	assert_int_equal(w.wrong, 0);
}

static const char *const files[] = { "aac_lc_44100_stereo_128k.aac", "aac_lc_22050_mono_32k.aac",
	"aac_lc_44100_mono_48k.aac", "aac_lc_48000_51_320k.aac", "aac_lc_44100_stereo_vbr.aac",
	"heaac_v2_44100_stereo_24k.aac", "aac_lc_crc_44100_stereo_96k.aac", "mp3_cbr128_44100_js.mp3",
	"mp3_cbr64_44100_mono.mp3", "mp3_cbr320_48000.mp3", "mp3_mpeg2_cbr64_22050.mp3",
	"mp3_mpeg25_cbr16_11025_mono.mp3", "mp3_vbr_v4_44100_id3v2_xing_id3v1.mp3" };

static void
test_files_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (int protect = 0; protect < 2; protect++) {
			load(files[i]);
			pack(protect ? &secret : NULL);
			struct unpacker *u = receiver(protect ? &secret : NULL);
			for (uint32_t n = 0; n < w.packets; n++)
				assert_int_equal(put(u, n), UNPACKER_TAKEN);
			all_came_once();
			assert_int_equal(w.begun, 1);
			assert_true(w.marks > 2);
			unpacker_free(&u);
			assert_int_equal(w.ended, 1);
		}
	forget();
}

static uint64_t
noise(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Every packet twice, over two paths, shuffled within 200 packets. */
static void
test_copies_in_any_order(void **state)
{
	static uint32_t order[2 * PACKETS];
	uint64_t x = 88172645463325252;
	(void)state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (int protect = 0; protect < 2; protect++) {
			load(files[i]);
			pack(protect ? &secret : NULL);
			struct unpacker *u = receiver(protect ? &secret : NULL);
			for (uint32_t n = 0; n < 2 * w.packets; n++)
				order[n] = n / 2;
			for (uint32_t n = 0; n < 2 * w.packets; n++) {
				uint32_t other = n + (uint32_t)(noise(&x) % 200), keep = order[n];
				if (other < 2 * w.packets) {
					order[n] = order[other];
					order[other] = keep;
				}
			}
			for (uint32_t n = 0; n < 2 * w.packets; n++)
				assert_true(put(u, order[n]) >= 0);
			all_came_once();
			assert_int_equal(unpacker_frames_broken(u), 0);
			assert_int_equal(unpacker_kept_bytes(u), 0);
			unpacker_free(&u);
		}
	forget();
}

/* A tenth is lost: what came whole is right, what did not is only missing. */
static void
test_losses(void **state)
{
	uint64_t x = 7;
	(void)state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		load(files[i]);
		pack(&secret);
		struct unpacker *u = receiver(&secret);
		struct unpacker_path path;
		uint32_t lost = 0, last = 0;
		for (uint32_t n = 0; n < w.packets; n++) {
			if (noise(&x) % 10 == 0) {
				lost++;
				continue;
			}
			put(u, n);
			last = n;
		}
		lost -= w.packets - 1 - last;
		uint32_t missing = 0;
		for (uint32_t n = 0; n < w.frames; n++) {
			assert_in_range(w.got[n], 0, 1);
			missing += w.got[n] == 0;
		}
		assert_in_range(missing, 1, w.frames / 2);
		assert_int_equal(w.wrong, 0);
		unpacker_path(u, 0, &path);
		assert_in_range(path.lost, lost - 3, lost); /* those before the first that came are not known of */
		unpacker_free(&u);
	}
	forget();
}

/* Two senders, one of which only has its own memory: the same packets. */
static void
test_same_packets(void **state)
{
	static struct packet first[PACKETS];
	(void)state;

	load("aac_lc_44100_mono_48k.aac");
	for (int protect = 0; protect < 2; protect++) {
		pack(protect ? &secret : NULL);
		uint32_t n = w.packets;
		memcpy(first, w.packet, sizeof(first));
		pack(protect ? &secret : NULL);
		assert_int_equal(n, w.packets);
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(first[i].len, w.packet[i].len);
			assert_memory_equal(first[i].data, w.packet[i].data, first[i].len);
		}
	}
	forget();
}

/* Sizes, and where introductions are. */
static void
test_shape(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		load(files[i]);
		pack(&secret);
		uint64_t half = UINT64_MAX;
		for (uint32_t n = 0; n < w.packets; n++) {
			struct rtp_packet p;
			struct rtp_position position;
			assert_int_equal(rtp_parse_header(w.packet[n].data, w.packet[n].len, &p), 0);
			assert_int_equal(rtp_position(&p, &position), 0);
			assert_int_equal(position.packet, n);
			assert_in_range(w.packet[n].len, 60, RTP_PACKET_MAX);
			uint64_t now = position.sample * 2 / w.run.format.rate;
			assert_int_equal(w.packet[n].introduction, n < PACKER_INTRODUCTION || now != half);
			assert_int_equal(p.element[RTP_ID_RUN].data != NULL, w.packet[n].introduction);
			assert_int_equal(p.marker, w.run.format.codec == CODEC_MP3 ? n == 0 : p.marker);
			half = now;
		}
	}
	load("aac_lc_44100_mono_48k.aac"); /* small frames share packets */
	pack(NULL);
	assert_int_equal(w.packets, (w.frames + 2) / 3);
	forget();
}

static uint32_t
make_frame(uint32_t key, uint32_t payload_len, uint8_t out[static ADTS_FRAME_MAX])
{
	for (uint32_t i = 0; i < payload_len; i++)
		out[ADTS_HEADER + i] = (uint8_t)(i * 7 + payload_len);
	adts_write(key, payload_len, 1, out);
	return ADTS_HEADER + payload_len;
}

/* Frames around every size where fragments begin, with all elements at their longest. */
static void
test_fragments(void **state)
{
	static uint8_t data[ADTS_FRAME_MAX];
	uint32_t key = 0xfff14d40; /* 48000 Hz, 5 channels */
	(void)state;

	load("aac_lc_44100_stereo_128k.aac");
	struct rtp_run run = w.run;
	forget();
	w.run = run;
	w.samples = 1024;
	adts_format(key, &w.run.format);
	memset(w.run.mid, 'a', RTP_MID_MAX);
	memset(w.run.rid, 'b', RTP_RID_MAX);
	for (uint32_t len = 700; len < 1400; len++) {
		make_frame(key, len, data);
		add_sent(data, ADTS_HEADER, data + ADTS_HEADER, len);
	}
	for (uint32_t len = 2500; len <= 3840; len += 3) {
		make_frame(key, len, data);
		add_sent(data, ADTS_HEADER, data + ADTS_HEADER, len);
	}
	pack(&secret);
	assert_true(w.packets > w.frames);
	struct unpacker *u = receiver(&secret);
	for (uint32_t n = w.packets; n-- > 0;) /* backwards */
		put(u, n);
	uint32_t got = 0;
	for (uint32_t i = 0; i < w.frames; i++) {
		assert_in_range(w.got[i], 0, 1);
		got += w.got[i];
	}
	assert_true(got > w.frames * 9 / 10); /* all but the end: more was kept than is kept of an unknown run */
	assert_int_equal(w.wrong, 0);
	unpacker_free(&u);
	u = receiver(&secret);
	for (uint32_t n = 0; n < w.packets; n++)
		put(u, n);
	all_came_once();
	unpacker_free(&u);
	forget();
}

static void
test_refusals(void **state)
{
	static struct packer p;
	struct packer_sink to = { .packet = on_packet };
	struct rtp_run run;
	(void)state;

	load("aac_lc_44100_stereo_128k.aac");
	run = w.run;
	snprintf(run.rid, sizeof(run.rid), "back_up");
	assert_int_equal(packer_init(&p, &run, NULL, &to), PACKER_NAMES);
	run = w.run;
	run.format.codec = CODEC_NONE;
	assert_int_equal(packer_init(&p, &run, NULL, &to), PACKER_FORMAT);
	assert_int_equal(packer_init(&p, &w.run, NULL, &to), 0);
	struct rtp_frame f = frame(0);
	uint8_t copy[2048];
	memcpy(copy, f.data, f.len);
	f.data = copy;
	copy[6] |= 1; /* two blocks */
	assert_int_equal(packer_frame(&p, &f), PACKER_BLOCKS);
	copy[6] &= 0xfc;
	copy[5] &= 0xe0; /* another fullness: not normalised */
	assert_int_equal(packer_frame(&p, &f), PACKER_FRAME);
	f = frame(0);
	f.len--;
	assert_int_equal(packer_frame(&p, &f), PACKER_FRAME);
	f = frame(1);
	f.position++;
	assert_int_equal(packer_frame(&p, &f), PACKER_ORDER);
	f = frame(1);
	assert_int_equal(packer_frame(&p, &f), 0);
	assert_int_equal(packer_frame(&p, &f), PACKER_ORDER);
	assert_int_equal(p.refused, 5);
	packer_fini(&p);
	forget();
}

/* A hole in the run closes the packet before it; what comes after has its true index. */
static void
test_hole(void **state)
{
	static struct packer p;
	struct packer_sink to = { .packet = on_packet };
	(void)state;

	load("mp3_cbr64_44100_mono.mp3");
	w.packets = 0;
	assert_int_equal(packer_init(&p, &w.run, NULL, &to), 0);
	for (uint32_t i = 0; i < 30; i++) {
		struct rtp_frame f = frame(i);
		if (i != 4 && i != 5)
			assert_int_equal(packer_frame(&p, &f), 0);
	}
	packer_flush(&p);
	packer_fini(&p);
	struct unpacker *u = receiver(NULL);
	for (uint32_t n = 0; n < w.packets; n++)
		assert_int_equal(put(u, n), UNPACKER_TAKEN);
	for (uint32_t i = 0; i < 30; i++)
		assert_int_equal(w.got[i], i != 4 && i != 5);
	assert_int_equal(w.wrong, 0);
	struct rtp_packet rtp;
	assert_int_equal(rtp_parse(w.packet[2].data, w.packet[2].len, &rtp), 0);
	assert_true(rtp.marker); /* RFC 2250: audio after a break */
	unpacker_free(&u);
	forget();
}

/* What is not ours, or no longer what was sent, is refused and counted, and does no harm. */
static void
test_strangers(void **state)
{
	static const struct srtp_secret other = { .bytes = "another secret of over thirty bytes", .len = 35 };
	uint8_t data[RTP_PACKET_MAX];
	(void)state;

	load("aac_lc_44100_stereo_128k.aac");
	pack(NULL);
	struct unpacker *u = receiver(&secret);
	assert_int_equal(put(u, 0), UNPACKER_CLEAR);
	unpacker_free(&u);
	pack(&secret);
	u = receiver(NULL);
	assert_int_equal(put(u, 0), UNPACKER_PROTECTED);
	unpacker_free(&u);
	u = receiver(&other);
	for (uint32_t n = 0; n < w.packets; n++)
		assert_true(put(u, n) == UNPACKER_FORGED || !w.packet[n].introduction);
	assert_int_equal(w.begun, 0);
	unpacker_free(&u);
	/* any bit that is turned over: only duplicates need no tag */
	u = receiver(&secret);
	put(u, 0);
	for (size_t bit = 0; bit < w.packet[1].len * 8; bit++) {
		memcpy(data, w.packet[1].data, w.packet[1].len);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		int r = unpacker_put(u, (struct mono){ 0 }, 0, data, w.packet[1].len);
		if (r == UNPACKER_TAKEN || (r == UNPACKER_DUPLICATE && bit / 8 >= 16 + 10 + 18))
			fail_msg("bit %zu: %s", bit, unpacker_result_text(r));
	}
	for (size_t len = 0; len < w.packet[1].len; len++)
		assert_true(unpacker_put(u, (struct mono){ 0 }, 0, w.packet[1].data, len) != UNPACKER_TAKEN);
	for (uint32_t n = 1; n < w.packets; n++)
		assert_int_equal(put(u, n), UNPACKER_TAKEN);
	all_came_once();
	unpacker_free(&u);
	forget();
}

/* A stranger with the same SSRC, and one that claims the run's id from other numbers. */
static void
test_collisions(void **state)
{
	uint8_t data[RTP_PACKET_MAX];
	(void)state;

	load("aac_lc_44100_stereo_128k.aac");
	pack(NULL);
	struct unpacker *u = receiver(NULL);
	put(u, 0);
	memcpy(data, w.packet[1].data, w.packet[1].len);
	data[3] ^= 1; /* sequence: another start, so another stream, whose run id gives other numbers */
	assert_int_equal(unpacker_put(u, (struct mono){ 0 }, 0, data, w.packet[1].len), UNPACKER_MISMATCH);
	data[3] ^= 1;
	data[7] ^= 1; /* timestamp */
	assert_int_equal(unpacker_put(u, (struct mono){ 0 }, 0, data, w.packet[1].len), UNPACKER_MISMATCH);
	for (uint32_t n = 1; n < w.packets; n++)
		assert_int_equal(put(u, n), UNPACKER_TAKEN);
	all_came_once();
	unpacker_free(&u);
	forget();
}

/* A sender in a restart loop, and a flood of unknown streams: bounded, and the oldest go first. */
static void
test_bounds(void **state)
{
	struct unpacker_limits few = { .runs = 4, .unknown = 8, .kept_bytes = 10000, .idle_ns = NS_PER_S };
	(void)state;

	load("aac_lc_44100_stereo_128k.aac");
	forget_received();
	struct unpacker *u = unpacker_new(&few, NULL, &sink);
	for (int run = 0; run < 100; run++) {
		w.run.id[0] = (uint8_t)run;
		pack(NULL);
		for (uint32_t n = 3; n < 12; n++) /* no introduction */
			unpacker_put(u, (struct mono){ run }, 0, w.packet[n].data, w.packet[n].len);
		assert_true(unpacker_kept_bytes(u) <= few.kept_bytes);
	}
	assert_true(unpacker_count(u, UNPACKER_BOUNDS) >= 92);
	for (int run = 0; run < 100; run++) {
		w.run.id[0] = (uint8_t)run;
		pack(NULL);
		unpacker_put(u, (struct mono){ 1000 + run }, 0, w.packet[0].data, w.packet[0].len);
		assert_true(unpacker_runs(u) <= few.runs);
	}
	assert_int_equal(w.begun, 100);
	assert_int_equal(w.ended, 96);
	unpacker_tick(u, (struct mono){ 10 * NS_PER_S });
	assert_int_equal(unpacker_runs(u), 0);
	assert_int_equal(unpacker_kept_bytes(u), 0);
	assert_int_equal(w.ended, 100);
	unpacker_free(&u);
	forget();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_in_order),
		cmocka_unit_test(test_copies_in_any_order),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_same_packets),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_collisions),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
