/* type = rtp: from sockets by rtp_stream to stamped frames. */
#include "segmenter/rtp_input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/address.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "relay/receive.h"
#include "relay/sdp.h"
#include "segmenter/input/aac_profile.h"
#include "segmenter/input/stamp.h"

#define PATHS 2
#define HELD_MAX 1024
#define SDP_FILE_MAX 65536
#define TIME_EARLY (NS_PER_S / 2) /* the sender's time is used while its frames come not earlier than this ... */
#define TIME_LATE NS_PER_S        /* ... and not later, by our clock */
#define DEAD_BAND (5 * NS_PER_MS)
#define SLEW_PPM 200
#define PROFILE_RATE 24000
#define PROFILE_FRAMES 48

enum profile_state { PROFILE_KNOWN, PROFILE_GATHERING, PROFILE_LOOKING };

struct rtp_input {
	const struct input_settings *settings;
	struct input_context context;
	const char *labels;
	char name[140];
	struct rtp_stream stream;
	struct receive *rtp[PATHS], *rtcp[PATHS];
	struct frame_chunk *chunk;
	struct frame_queue held; /* of the run at hand */
	struct frame_run run;
	bool open, told;
	uint64_t first_index, first_position; /* in the stream's run, of the run's first frame */
	struct stamp stamp;                   /* by arrival */
	uint64_t arrived;                     /* position up to which frames came */
	bool has_time;                        /* the sender has said the time of this run */
	int64_t base_ns;                      /* wall time of position 0 */
	int64_t target_ns;                    /* ... as the sender said it last */
	uint64_t slewed_to;
	enum profile_state profile;
	struct look *looking;
	bool was_up;
	struct mono heard;
	struct rtp_input_counters counters;
	struct rtp_input *next;
};

static struct wall
wall_of(const struct rtp_input *in, struct mono now)
{
	return timebase_wall(in->context.timebase, now);
}

/* ---- what kind of AAC it is (aac_profile.h), where the SDP file does not say */

struct look {
	uv_work_t work;
	struct rtp_input *in; /* NULL when it has gone */
	uint8_t *bytes;
	const uint8_t *frames[PROFILE_FRAMES];
	uint32_t lens[PROFILE_FRAMES];
	size_t count;
	enum aac_profile found;
	int result;
};

static void pass_on(struct rtp_input *in);

static void
look_run(uv_work_t *work)
{
	struct look *l = work->data;

	l->result = aac_profile_detect(l->frames, l->lens, l->count, &l->found);
}

static void
look_done(uv_work_t *work, int status)
{
	struct look *l = work->data;
	struct rtp_input *in = l->in;

	if (in) {
		in->looking = NULL;
		in->profile = PROFILE_KNOWN;
		if (status == 0 && l->result == 0)
			in->run.format.profile = l->found;
		pass_on(in);
	}
	free(l->bytes);
	free(l);
}

static void
look(struct rtp_input *in)
{
	struct look *l = calloc(1, sizeof(*l));
	size_t total = 0;

	in->profile = PROFILE_KNOWN;
	for (uint32_t i = 0; i < in->held.count && i < PROFILE_FRAMES; i++)
		total += frame_queue_at(&in->held, i)->len;
	if (!l || !(l->bytes = malloc(total ? total : 1))) {
		free(l);
		return;
	}
	uint8_t *to = l->bytes;
	for (; l->count < in->held.count && l->count < PROFILE_FRAMES; l->count++) {
		const struct frame *f = frame_queue_at(&in->held, (uint32_t)l->count);
		memcpy(to, f->data, f->len);
		l->frames[l->count] = to;
		l->lens[l->count] = f->len;
		to += f->len;
	}
	l->work.data = l;
	l->in = in;
	if (uv_queue_work(in->context.loop, &l->work, look_run, look_done) < 0) {
		free(l->bytes);
		free(l);
		return;
	}
	in->looking = l;
	in->profile = PROFILE_LOOKING;
}

/* ---- time */

/* The sender's time is followed as arrivals would be: not for trifles, and never fast. */
static struct wall
wall_at(struct rtp_input *in, uint64_t position)
{
	if (!in->has_time)
		return stamp_wall(&in->stamp, position);
	if (position > in->slewed_to) {
		int64_t most = samples_to_ns(position - in->slewed_to, in->run.format.rate) / 1000000 * SLEW_PPM;
		int64_t off = in->target_ns - in->base_ns;
		if (off > DEAD_BAND || off < -DEAD_BAND)
			in->base_ns += off > most ? most : off < -most ? -most : off;
		if (samples_to_ns(position - in->slewed_to, in->run.format.rate) >= NS_PER_MS)
			in->slewed_to = position;
	}
	return (struct wall){ in->base_ns + samples_to_ns(position, in->run.format.rate) };
}

/* Is the time of what is held known? */
static bool
time_known(const struct rtp_input *in)
{
	return in->has_time || in->stamp.state == STAMP_STEADY;
}

/* ---- runs */

static void
tell(struct rtp_input *in, struct wall first)
{
	char text[48], at[WALL_TEXT_SIZE];

	in->told = true;
	in->counters.runs++;
	CHECK(getrandom(in->run.id, RUN_ID_SIZE, 0) == RUN_ID_SIZE);
	log_info("run begins input=\"%s\" format=\"%s\" at=%s time=%s", in->name,
	    audio_format_text(&in->run.format, text), wall_format(first, at), in->has_time ? "sender" : "arrival");
}

static void
pass_on(struct rtp_input *in)
{
	if (!in->open || in->profile != PROFILE_KNOWN || !time_known(in))
		return;
	while (in->held.count) {
		struct frame f = frame_queue_pop(&in->held);
		f.wall = wall_at(in, f.position);
		if (!in->told)
			tell(in, f.wall);
		in->context.sink.frame(in->context.sink.ctx, &in->run, f);
	}
}

/* The run at hand is over: what is held goes out as it is known now. */
static void
finish(struct rtp_input *in)
{
	if (!in->open)
		return;
	if (!time_known(in))
		stamp_finish(&in->stamp);
	if (in->looking)
		in->looking->in = NULL;
	in->looking = NULL;
	in->profile = PROFILE_KNOWN;
	pass_on(in);
	frame_queue_clear(&in->held);
	in->open = false;
}

static void
on_begin(void *ctx, const struct audio_format *format)
{
	struct rtp_input *in = ctx;

	finish(in);
	in->run.format = *format;
	in->open = true;
	in->told = in->has_time = false;
	in->first_index = in->first_position = 0;
	in->arrived = in->slewed_to = 0;
	in->profile = format->codec == CODEC_AAC && format->rate <= PROFILE_RATE && format->profile == AAC_LC
			  ? PROFILE_GATHERING
			  : PROFILE_KNOWN;
	stamp_init(&in->stamp, format->rate);
}

/* What is held is a new run, whose first frame is the first held. */
static void
begin_again(struct rtp_input *in)
{
	const struct frame *first = frame_queue_at(&in->held, 0);
	uint64_t index = first ? first->index : 0, position = first ? first->position : in->arrived;

	for (uint32_t i = 0; i < in->held.count; i++) {
		struct frame *f = frame_queue_at(&in->held, i);
		f->index -= index;
		f->position -= position;
	}
	in->first_index += index;
	in->first_position += position;
	in->arrived -= position;
	in->told = false;
}

/* Arrivals against the stamps by arrival. While the sender's time is known they say nothing. */
static void
judge(struct rtp_input *in, struct wall now, bool came)
{
	if (in->has_time)
		return;
	uint64_t held_from = in->held.count ? frame_queue_at(&in->held, 0)->position : in->arrived;
	enum stamp_verdict v =
	    came ? stamp_arrived(&in->stamp, now, held_from, in->arrived) : stamp_tick(&in->stamp, now);
	if (v != STAMP_NEW_RUN)
		return;
	log_warn("arrivals jumped: a new run begins input=\"%s\"", in->name);
	begin_again(in);
}

static void
on_frame(void *ctx, const struct rtp_frame *frame)
{
	struct rtp_input *in = ctx;
	struct mono now = clock_mono_now();
	struct frame f;

	if (!in->open)
		return;
	if (frame_make(in->context.pool, &in->chunk, frame->data, frame->len, frame->data, 0, &f) < 0) {
		in->counters.frames_dropped++;
		log_error(
		    "frame dropped, the memory for frames is used up ([segmenter] memory) input=\"%s\"", in->name);
		return;
	}
	f.samples = frame->samples;
	f.index = frame->index - in->first_index;
	f.position = frame->position - in->first_position;
	if (frame_queue_push(&in->held, f) < 0) {
		in->counters.frames_dropped++;
		frame_release(&f);
		return;
	}
	in->arrived = f.position + f.samples;
	in->heard = now;
	if (in->profile == PROFILE_GATHERING && in->held.count >= PROFILE_FRAMES)
		look(in);
	judge(in, wall_of(in, now), true);
	pass_on(in);
}

/* Nanoseconds of a position that may lie before the run. */
static int64_t
ns_of(const struct rtp_input *in, int64_t position)
{
	uint32_t rate = in->run.format.rate;

	return position < 0 ? -samples_to_ns((uint64_t)-position, rate) : samples_to_ns((uint64_t)position, rate);
}

/* The sender's time says that frames come too early or too late: its clock or ours is wrong, so arrival tells the time.
 */
static void
time_refuse(struct rtp_input *in, int64_t late)
{
	if (in->counters.time_refused++ == 0 || in->has_time)
		log_warn("the sender's clock differs from ours, its time is not used input=\"%s\" ms=%" PRId64,
		    in->name, late / NS_PER_MS);
	if (!in->has_time)
		return;
	finish(in);
	in->stream.run = false; /* the next frame begins a run */
}

static void
on_time(void *ctx, int64_t position, struct wall wall)
{
	struct rtp_input *in = ctx;

	if (!in->open)
		return;
	int64_t base = wall.ns - ns_of(in, position - (int64_t)in->first_position);
	int64_t late = wall_of(in, clock_mono_now()).ns - (base + samples_to_ns(in->arrived, in->run.format.rate));
	if (late > TIME_LATE || late < -TIME_EARLY) {
		time_refuse(in, late);
		return;
	}
	if (!in->has_time) {
		/* where frames are out already it is slewed from their time on */
		in->base_ns = in->told ? in->stamp.base_ns : base;
		in->slewed_to = in->told ? in->stamp.slewed_to : 0;
		in->has_time = true;
	}
	in->target_ns = base;
	pass_on(in);
}

/* ---- sockets */

static void
on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct rtp_input *in = ctx;

	in->counters.bytes += len;
	rtp_stream_packet(&in->stream, clock_mono_now(), data, len);
}

static void
on_control(void *ctx, const uint8_t *data, size_t len)
{
	struct rtp_input *in = ctx;

	rtp_stream_control(&in->stream, data, len);
}

/* Read an SDP file. 0, or -1 with a line in `errors`. */
static int
sdp_load(const struct rtp_input *in, const char *path, struct sdp *out, struct text *errors)
{
	struct text file, why;
	int err;

	text_init(&file, SDP_FILE_MAX);
	text_init(&why, 1024);
	err = file_read(AT_FDCWD, path, &file);
	if (err < 0)
		text_str(&why, strerror(-err));
	else
		err = sdp_read(file.data ? file.data : "", file.len, out, &why);
	if (err < 0)
		text_fmt(errors, "[input %s] sdp: %s: %s\n", in->name, path, why.data ? why.data : "cannot be read");
	text_fini(&file);
	text_fini(&why);
	return err < 0 ? -1 : 0;
}

static int
listen_on(
    struct rtp_input *in, const struct sdp *sdp, uint16_t port, bool control, struct receive **out, struct text *errors)
{
	struct receive_config c = {
		.interface = in->settings->interface && *in->settings->interface ? in->settings->interface : NULL,
		.packet = control ? on_control : on_packet,
		.ctx = in
	};
	char text[SDP_ADDRESS_MAX + 16];

	snprintf(text, sizeof(text), sdp->ipv6 ? "[%s]:%u" : "%s:%u", sdp->address, port);
	int err = address_parse(text, &c.at) < 0 ? -EINVAL : 0;
	if (err == 0 && sdp->source[0]) {
		char source[SDP_ADDRESS_MAX + 16];
		snprintf(source, sizeof(source), sdp->ipv6 ? "[%s]:0" : "%s:0", sdp->source);
		err = address_parse(source, &c.source) < 0 ? -EINVAL : 0;
	}
	if (err == 0)
		err = receive_open(in->context.loop, &c, out);
	if (err == 0)
		log_info("listening service=rtp input=\"%s\" address=%s", in->name, text);
	else
		text_fmt(errors, "[input %s] sdp: cannot listen on %s: %s\n", in->name, text, strerror(-err));
	return err;
}

/* The files of `sdp`, separated by spaces. */
static int
paths_open(struct rtp_input *in, struct text *errors)
{
	const char *at = in->settings->sdp;
	struct rtp_stream_sink sink = { .begin = on_begin, .frame = on_frame, .sender_time = on_time, .ctx = in };
	struct sdp sdp;
	unsigned n = 0;

	for (size_t len; at += strspn(at, " \t,"), (len = strcspn(at, " \t,")) > 0; at += len) {
		char path[1024];
		if (n == PATHS || len >= sizeof(path)) {
			text_fmt(errors, "[input %s] sdp: want one or two files\n", in->name);
			return -1;
		}
		memcpy(path, at, len);
		path[len] = '\0';
		if (sdp_load(in, path, &sdp, errors) < 0)
			return -1;
		if (n == 0 && rtp_stream_init(&in->stream, &sdp, RTP_STREAM_WAIT, &sink) < 0) {
			text_str(errors, "out of memory\n");
			return -1;
		}
		if (sdp.payload_type != in->stream.sdp.payload_type || sdp.clock != in->stream.sdp.clock ||
		    !audio_format_equal(&sdp.format, &in->stream.sdp.format)) {
			text_fmt(errors,
			    "[input %s] sdp: %s describes another stream than the first file; two files "
			    "are for two paths of the same packets\n",
			    in->name, path);
			return -1;
		}
		if (listen_on(in, &sdp, sdp.port, false, &in->rtp[n], errors) < 0)
			return -1;
		if (sdp.rtcp_port && sdp.rtcp_port != sdp.port &&
		    listen_on(in, &sdp, sdp.rtcp_port, true, &in->rtcp[n], errors) < 0)
			return -1;
		n++;
	}
	return n > 0 ? 0 : -1;
}

static void
close_one(struct rtp_input *in)
{
	for (unsigned i = 0; i < PATHS; i++) {
		receive_close(&in->rtp[i]);
		receive_close(&in->rtcp[i]);
	}
	if (in->looking)
		in->looking->in = NULL;
	frame_queue_fini(&in->held);
	frame_chunk_release(&in->chunk);
	rtp_stream_fini(&in->stream);
	free(in);
}

int
rtp_input_open(struct rtp_inputs *all, const struct input_context *context, const struct input_settings *settings,
    const char *labels, struct text *errors)
{
	struct rtp_input *in = calloc(1, sizeof(*in));

	if (!in) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	in->settings = settings;
	in->context = *context;
	in->labels = labels;
	snprintf(in->name, sizeof(in->name), "%s %s", settings->section.subject[0], settings->section.subject[1]);
	frame_queue_init(&in->held, HELD_MAX);
	if (paths_open(in, errors) < 0) {
		close_one(in);
		return -1;
	}
	in->next = all->first;
	all->first = in;
	return 0;
}

void
rtp_inputs_close(struct rtp_inputs *all)
{
	for (struct rtp_input *in = all->first, *next; in; in = next) {
		next = in->next;
		close_one(in);
	}
	all->first = NULL;
}

void
rtp_inputs_tick(struct rtp_inputs *all, struct mono now)
{
	for (struct rtp_input *in = all->first; in; in = in->next) {
		rtp_stream_tick(&in->stream, now);
		if (in->open) {
			judge(in, wall_of(in, now), false);
			pass_on(in);
		}
		bool up = in->heard.ns && now.ns - in->heard.ns < in->settings->timeout;
		if (up != in->was_up)
			log_info(up ? "source connected input=\"%s\"" : "source lost input=\"%s\"", in->name);
		if (!up && in->was_up)
			finish(in);
		if (!up)
			in->stream.run = in->stream.run && in->open;
		in->was_up = up;
	}
}

const struct rtp_input_counters *
rtp_inputs_at(struct rtp_inputs *all, unsigned i, const char **labels)
{
	struct rtp_input *in = all->first;

	while (in && i-- > 0)
		in = in->next;
	if (!in)
		return NULL;
	in->counters.stream = in->stream.counters;
	in->counters.up = in->was_up;
	in->counters.by_arrival = in->open && !in->has_time;
	*labels = in->labels;
	return &in->counters;
}
