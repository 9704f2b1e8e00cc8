/* An input: frames found in a transport's bytes, stamped and passed on in runs.
 *
 * What has arrived is held until its time is known (stamp.h) and, for AAC that may be HE-AAC, until a decoder has
 * looked at about two seconds of it in a worker thread (aac_profile.h). */
#include "segmenter/input/input.h"

#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/text.h"
#include "media/framer.h"
#include "segmenter/input/aac_profile.h"
#include "segmenter/input/carry.h"
#include "segmenter/input/stamp.h"

#define BUFFER_SIZE CARRY_REST_MAX
#define HELD_MAX 4096 /* frames held while their time is judged; a source that sends faster is slowed down by TCP */
#define PROFILE_RATE 24000              /* AAC at or below it may be the core of HE-AAC */
#define PROFILE_FRAMES 48               /* about two seconds of it */
#define HEAD_SIZE 4096                          /* of a stream's beginning, by which libmagic knows it */
#define FRAME_LONGEST (450 * NS_PER_MS) /* a longer one could push EXTINF beyond TARGETDURATION */

enum input_phase {
	PHASE_DOWN,
	PHASE_UP,
	PHASE_DRAINING, /* the connection has gone, its last bytes are still at hand */
};

enum profile_state { PROFILE_KNOWN, PROFILE_GATHERING, PROFILE_LOOKING };

struct input {
	const struct input_settings *settings;
	struct input_context context;
	const struct transport_ops *ops;
	struct transport *transport;
	char name[128];
	char why[320];

	uint8_t *buffer;
	uint32_t begin, end; /* bytes not yet framed */
	uint8_t head[HEAD_SIZE]; /* how the stream begins */
	uint32_t head_len;
	struct framer framer;
	struct frame_chunk *chunk;

	struct audio_format format; /* of the frames at hand */
	bool run_open;              /* the stamper below belongs to frames at hand */
	bool run_told;              /* ... and frames of it were passed on: it has an id */
	struct frame_run run;       /* as the sink sees it */
	uint64_t index;             /* of the frame that is passed on next */
	struct stamp stamp;
	uint64_t position; /* samples framed in this run */
	uint64_t released; /* ... and passed on */
	struct frame_queue held;
	struct framer_out next; /* the frame found last; it waits while the run before it is not gone */
	bool next_waits;

	enum profile_state profile;
	struct profile_work *looking;

	struct wall start, limit; /* start.ns 0: anchored by arrival */
	struct wall wanted;       /* nothing before it is of use */
	struct wall delivered;    /* end of the last frame passed on */
	struct wall arrival;      /* when bytes came last */
	struct mono alive;        /* when the last whole frame came */
	enum input_phase phase;
	bool finishing; /* the run at hand is over, what is held waits for its profile */
	bool refused;
	bool run_follows; /* the next run follows on the last frame of this stream */
	bool leftover;    /* what is drained is what a process before had left */
	bool restored;    /* the FIFO's next bytes belong to the run at hand */
	bool was_up;
	struct input_counters counters;
	struct transport_counters transport_counters;
};

/* A look at the first frames of a run by a decoder, in a worker thread. */
struct profile_work {
	uv_work_t work;
	struct input *in; /* NULL when it has gone */
	uint8_t *bytes;
	const uint8_t *frames[PROFILE_FRAMES];
	uint32_t lens[PROFILE_FRAMES];
	size_t count;
	enum aac_profile found;
	int result;
};

static void run_pass_on(struct input *in);

static struct wall
wall_of(const struct input *in, struct mono now)
{
	return timebase_wall(in->context.timebase, now);
}

/* ---- the profile of AAC */

static void
profile_run(uv_work_t *work)
{
	struct profile_work *p = work->data;

	p->result = aac_profile_detect(p->frames, p->lens, p->count, &p->found);
}

static void
profile_done(uv_work_t *work, int status)
{
	struct profile_work *p = work->data;
	struct input *in = p->in;

	if (in) {
		in->looking = NULL;
		in->profile = PROFILE_KNOWN;
		if (status == 0 && p->result == 0)
			in->format.profile = p->found;
		else
			log_warn("cannot tell AAC-LC from HE-AAC, taken as LC input=\"%s\"", in->name);
		run_pass_on(in);
	}
	free(p->bytes);
	free(p);
}

static void
profile_look(struct input *in)
{
	struct profile_work *p = calloc(1, sizeof(*p));
	size_t total = 0;

	for (uint32_t i = 0; i < in->held.count && i < PROFILE_FRAMES; i++)
		total += frame_queue_at(&in->held, i)->len;
	if (!p || !(p->bytes = malloc(total ? total : 1))) {
		free(p);
		in->profile = PROFILE_KNOWN;
		return;
	}
	uint8_t *to = p->bytes;
	for (; p->count < in->held.count && p->count < PROFILE_FRAMES; p->count++) {
		const struct frame *f = frame_queue_at(&in->held, (uint32_t)p->count);
		memcpy(to, f->data, f->len);
		p->frames[p->count] = to;
		p->lens[p->count] = f->len;
		to += f->len;
	}
	p->work.data = p;
	p->in = in;
	in->looking = p;
	in->profile = PROFILE_LOOKING;
	if (uv_queue_work(in->context.loop, &p->work, profile_run, profile_done) < 0) {
		in->looking = NULL;
		in->profile = PROFILE_KNOWN;
		free(p->bytes);
		free(p);
	}
}

/* ---- runs */

/* Wall time of the first frame of a run that begins now; ns 0: its arrivals will tell. */
static struct wall
run_start(const struct input *in, struct wall now)
{
	struct wall at = in->start;

	if (!at.ns || !in->delivered.ns || in->settings->type == INPUT_FILE)
		return in->settings->type == INPUT_COMMAND ? input_start(in) : at;
	if (in->settings->type == INPUT_COMMAND)
		return input_start(in);
	return now.ns > in->delivered.ns ? now : in->delivered;
}

static void
run_begin(struct input *in, const struct audio_format *format, struct wall now)
{
	bool may_be_he = format->codec == CODEC_AAC && format->rate <= PROFILE_RATE;
	/* within one paced stream a run of another format follows on the last frame */
	struct wall start = in->start.ns && in->run_follows ? in->delivered : run_start(in, now);

	in->format = *format;
	in->profile = may_be_he ? PROFILE_GATHERING : PROFILE_KNOWN;
	in->run_open = true;
	in->run_told = false;
	in->finishing = false;
	in->position = 0;
	in->released = 0;
	in->index = 0;
	if (start.ns)
		stamp_init_given(&in->stamp, format->rate, start);
	else
		stamp_init(&in->stamp, format->rate);
}

static void
run_tell(struct input *in)
{
	char text[48], at[WALL_TEXT_SIZE];

	in->run_told = true;
	in->counters.runs++;
	CHECK(getrandom(in->run.id, RUN_ID_SIZE, 0) == RUN_ID_SIZE);
	in->run.format = in->format;
	log_info("run begins input=\"%s\" format=\"%s\" at=%s", in->name, audio_format_text(&in->format, text),
	    wall_format(stamp_wall(&in->stamp, in->released), at));
}

/* Does the frame at `position` lie beyond what an input with `start` may deliver now? */
static bool
beyond_limit(const struct input *in, uint64_t position)
{
	return in->start.ns && in->stamp.base_ns + samples_to_ns(position, in->format.rate) >= in->limit.ns;
}

/* Pass on what is held, if its time and its profile are known. */
static void
run_pass_on(struct input *in)
{
	if (!in->run_open || in->profile != PROFILE_KNOWN)
		return;
	if (in->finishing && in->stamp.state != STAMP_STEADY && stamp_finish(&in->stamp) == STAMP_HOLD)
		frame_queue_clear(&in->held);
	if (in->stamp.state == STAMP_STEADY) {
		if (!in->run_told && in->held.count)
			run_tell(in);
		while (in->held.count && !beyond_limit(in, in->released)) {
			struct frame f = frame_queue_pop(&in->held);
			f.wall = stamp_wall(&in->stamp, in->released);
			f.index = in->index++;
			f.position = in->released;
			in->released += f.samples;
			in->delivered.ns = f.wall.ns + samples_to_ns(f.samples, in->format.rate);
			in->context.sink.frame(in->context.sink.ctx, &in->run, f);
		}
	}
	if (in->finishing && in->held.count == 0)
		in->run_open = in->finishing = false;
}

/* The stamper has judged. */
static void
run_stamped(struct input *in, enum stamp_verdict verdict)
{
	if (verdict == STAMP_NEW_RUN) {
		log_warn("arrivals jumped, audio was lost or came too fast: a new run begins input=\"%s\"", in->name);
		in->counters.jumps++;
		in->position -= in->released;
		in->released = 0;
		in->index = 0;
		in->run_told = false;
	}
	run_pass_on(in);
}

/* No more frames come for the run at hand. */
static void
run_finish(struct input *in)
{
	if (!in->run_open)
		return;
	in->finishing = true;
	if (in->stamp.state != STAMP_STEADY)
		run_stamped(in, stamp_finish(&in->stamp));
	if (in->profile == PROFILE_GATHERING)
		profile_look(in);
	run_pass_on(in);
}

/* ---- frames */

static bool
same_header(const struct audio_format *a, const struct audio_format *b)
{
	struct audio_format x = *a;

	x.profile = b->profile;
	return audio_format_equal(&x, b);
}

/* in->why = `what`, and what the stream's beginning looks like. */
static void
explain(struct input *in, const char *what)
{
	magic_t magic = magic_open(MAGIC_NONE);
	const char *seen = NULL;

	if (magic && in->head_len && magic_load(magic, NULL) == 0)
		seen = magic_buffer(magic, in->head, in->head_len);
	if (seen)
		seen += strspn(seen, ", "); /* as it begins when it knows the details, but not the whole */
	if (seen && strcmp(seen, "data") == 0)
		seen = NULL;
	snprintf(in->why, sizeof(in->why), "%s%s%s%s", what, seen ? " (looks like: " : "", seen ? seen : "",
	    seen ? ")" : "");
	if (magic)
		magic_close(magic);
}

static void
refuse(struct input *in, const char *what)
{
	char safe[400];

	explain(in, what);
	in->refused = true;
	in->counters.refused++;
	log_error("stream refused input=\"%s\" why=%s", in->name, log_safe(in->why, safe, sizeof(safe)));
}

/* Take the frame in in->next. false: it must wait until the run before it is gone. */
static bool
frame_take(struct input *in, struct wall now)
{
	const struct framer_out *o = &in->next;
	struct frame f;

	if (in->run_open && (in->finishing || !same_header(&in->format, &o->format))) {
		if (!in->finishing)
			in->counters.format_changes++;
		run_finish(in);
		if (in->run_open)
			return false;
		in->run_follows = true;
	}
	if (!in->run_open)
		run_begin(in, &o->format, now);
	in->run_follows = true;
	if (frame_make(in->context.pool, &in->chunk, o->header, o->header_len, o->payload, o->payload_len, &f) < 0) {
		in->counters.frames_dropped++;
		log_error(
		    "frame dropped, the memory for frames is used up ([segmenter] memory) input=\"%s\"", in->name);
		return true;
	}
	f.samples = o->samples;
	CHECK(frame_queue_push(&in->held, f) == 0);
	in->position += o->samples;
	in->counters.frames++;
	return true;
}

/* May one more frame be looked for? */
static bool
frame_wanted(const struct input *in)
{
	if (in->refused || in->held.count >= HELD_MAX || in->profile == PROFILE_LOOKING)
		return false;
	if (in->run_open && in->profile == PROFILE_GATHERING)
		return in->held.count < PROFILE_FRAMES;
	return !in->run_open || !beyond_limit(in, in->position);
}

static enum framer_result
frame_find(struct input *in, bool eof)
{
	enum framer_result r = framer_next(&in->framer, in->buffer + in->begin, in->end - in->begin, eof, &in->next);

	if (r == FRAMER_REFUSED && in->leftover)
		return FRAMER_MORE; /* the torn end of what a process before had taken for good audio */
	if (r == FRAMER_REFUSED) {
		refuse(in, in->next.why);
		return r;
	}
	in->begin += (uint32_t)in->next.consumed;
	if (r == FRAMER_FRAME && samples_to_ns(in->next.samples, in->next.format.rate) > FRAME_LONGEST) {
		refuse(in, "frames that last longer than 450 ms: send fewer blocks in a frame");
		return FRAMER_REFUSED;
	}
	return r;
}

/* Find frames in the bytes at hand, as far as they are wanted now. */
static void
input_frames(struct input *in, struct mono now)
{
	struct wall wall = wall_of(in, now);
	bool any = false, eof = in->phase == PHASE_DRAINING;

	while (frame_wanted(in)) {
		enum framer_result r = in->next_waits ? FRAMER_FRAME : frame_find(in, eof);
		if (r != FRAMER_FRAME) {
			if (eof)
				in->begin = in->end;
			break;
		}
		in->next_waits = !frame_take(in, wall);
		if (in->next_waits)
			break;
		any = true;
		/* what is laid in from the past flows through at once */
		if (in->start.ns && in->held.count >= 64)
			run_pass_on(in);
	}
	if (!any || !in->run_open)
		return;
	in->alive = now;
	if (eof && !in->start.ns)
		wall = in->arrival; /* the last frame was there before anybody knew that it is the last */
	enum stamp_verdict verdict = stamp_arrived(&in->stamp, wall, in->released, in->position);
	if (in->profile == PROFILE_GATHERING && in->held.count >= PROFILE_FRAMES)
		profile_look(in);
	run_stamped(in, verdict);
}

/* ---- what a transport calls */

static void
framer_restart(struct input *in)
{
	in->counters.frames_damaged += in->framer.frames_damaged;
	in->counters.bytes_skipped += in->framer.bytes_skipped;
	in->counters.tags_skipped += in->framer.tags_skipped;
	framer_init(&in->framer);
}

void
input_up(struct input *in, struct mono now, const char *peer)
{
	char safe[160];

	log_info("source connected input=\"%s\" peer=%s", in->name, log_safe(peer, safe, sizeof(safe)));
	in->transport_counters.connects++;
	in->counters.up = 1;
	in->was_up = true;
	in->alive = now;
	in->refused = false;
	in->why[0] = '\0';
	if (in->restored) {
		in->restored = false;
		in->phase = PHASE_UP;
		return;
	}
	if (in->phase == PHASE_DRAINING) {
		/* the next connection is here before the last one's bytes are through: they go now */
		in->limit.ns = INT64_MAX;
		input_frames(in, now);
	}
	in->begin = in->end = in->head_len = 0;
	in->next_waits = false;
	in->run_follows = false;
	framer_restart(in);
	run_finish(in);
	in->phase = PHASE_UP;
}

uint8_t *
input_room(struct input *in, size_t *len)
{
	*len = 0;
	if (in->phase != PHASE_UP || in->next_waits || !frame_wanted(in))
		return in->buffer;
	/* what is left over is a part of a frame, so the memory in use stays small */
	if (in->end - in->begin <= in->begin) {
		memmove(in->buffer, in->buffer + in->begin, in->end - in->begin);
		in->end -= in->begin;
		in->begin = 0;
	}
	*len = BUFFER_SIZE - in->end;
	return in->buffer + in->end;
}

int
input_fed(struct input *in, struct mono now, size_t n)
{
	CHECK(n <= BUFFER_SIZE - in->end);
	if (in->head_len < HEAD_SIZE) {
		uint32_t more = n < HEAD_SIZE - in->head_len ? (uint32_t)n : HEAD_SIZE - in->head_len;
		memcpy(in->head + in->head_len, in->buffer + in->end, more);
		in->head_len += more;
	}
	in->end += (uint32_t)n;
	in->arrival = wall_of(in, now);
	in->transport_counters.bytes += n;
	input_frames(in, now);
	return in->refused ? -1 : 0;
}

/* The connection's last bytes are through. */
static void
input_drained(struct input *in)
{
	in->begin = in->end = 0;
	in->leftover = false;
	framer_restart(in);
	run_finish(in);
	in->phase = PHASE_DOWN;
}

void
input_down(struct input *in, struct mono now, const char *why)
{
	char safe[240];

	if (in->phase != PHASE_UP)
		return;
	log_warn("source gone input=\"%s\" why=%s", in->name, log_safe(why, safe, sizeof(safe)));
	in->transport_counters.disconnects++;
	in->counters.up = 0;
	in->phase = PHASE_DRAINING;
	input_frames(in, now);
	if (in->begin == in->end || in->refused)
		input_drained(in);
}

const char *
input_why(const struct input *in)
{
	return in->why;
}

struct wall
input_start(const struct input *in)
{
	struct wall at = in->start;

	if (!at.ns)
		return at;
	if (in->wanted.ns > at.ns)
		at = in->wanted;
	return in->delivered.ns > at.ns ? in->delivered : at;
}

void
input_title(struct input *in, const char *title, size_t len)
{
	char text[200], safe[400];

	in->transport_counters.titles++;
	snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1), title);
	log_debug("title input=\"%s\" title=%s", in->name, log_safe(text, safe, sizeof(safe)));
}

struct transport_counters *
input_transport_counters(struct input *in)
{
	return &in->transport_counters;
}

const char *
input_name(const struct input *in)
{
	return in->name;
}

/* ---- what the pipeline calls */

static int
start_parse(const char *text, struct wall now, struct wall *start)
{
	int64_t back;

	if (strcmp(text, "now") == 0)
		*start = now;
	else if (text[0] == '-' && config_parse_duration(text + 1, &back) == 0)
		start->ns = now.ns - back;
	else
		return wall_parse(text, start);
	return 0;
}

int
input_open(const struct input_context *context, const struct input_settings *settings, struct wall wanted,
    struct input **out, struct text *errors)
{
	struct input *in = calloc(1, sizeof(*in));
	struct wall now = timebase_wall(context->timebase, clock_mono_now());

	if (!in || !(in->buffer = malloc(BUFFER_SIZE)))
		goto memory;
	in->settings = settings;
	in->context = *context;
	in->wanted = wanted;
	in->limit = now;
	snprintf(in->name, sizeof(in->name), "%s %s", settings->section.subject[0], settings->section.subject[1]);
	framer_init(&in->framer);
	frame_queue_init(&in->held, HELD_MAX);
	const char *start = settings->start;
	if ((!start || !*start) && settings->type == INPUT_FILE)
		start = "now";
	if (start && *start && start_parse(start, now, &in->start) < 0) {
		text_fmt(errors,
		    "[input %s] start = %s: want an instant (2026-11-21T09:00:00Z), a time back (-2h) or now\n",
		    in->name, start);
		goto fail;
	}
	in->ops = transport_for((enum input_type)settings->type);
	if (in->ops->open(context->loop, in, settings, &in->transport, errors) < 0)
		goto fail;
	*out = in;
	return 0;
memory:
	text_str(errors, "out of memory\n");
fail:
	if (in)
		free(in->buffer);
	free(in);
	return -1;
}

void
input_close(struct input **inp)
{
	struct input *in = *inp;

	if (!in)
		return;
	*inp = NULL;
	in->ops->close(&in->transport);
	if (in->looking)
		in->looking->in = NULL;
	frame_queue_fini(&in->held);
	frame_chunk_release(&in->chunk);
	free(in->buffer);
	free(in);
}

void
input_save(struct input *in, struct text *out)
{
	/* a frame that waits for the run before it to go is still in the buffer, in front of what follows it */
	uint32_t begin = in->next_waits ? in->begin - (uint32_t)in->next.consumed : in->begin;
	struct carry c = { .profile_known = in->profile == PROFILE_KNOWN,
		.arrival = in->arrival,
		.told = in->run_told,
		.index = in->index,
		.rest = in->buffer + begin,
		.rest_len = in->end - begin };

	if (in->start.ns || (!in->run_open && begin == in->end))
		return;
	if (in->run_open) {
		c.format = in->format;
		memcpy(c.run_id, in->run.id, RUN_ID_SIZE);
		c.stamp = in->stamp;
		c.position = in->position;
		c.released = in->released;
	}
	carry_write(out, &c, &in->held);
}

void
input_restore(struct input *in, struct mono now, const void *data, size_t len)
{
	struct carry c;

	if (in->start.ns || carry_read(data, len, in->context.pool, &c, &in->held) < 0)
		return;
	if (c.rest_len > BUFFER_SIZE) { /* no input of this program wrote that */
		frame_queue_clear(&in->held);
		return;
	}
	log_info("goes on with what had arrived input=\"%s\" frames=%u bytes=%zu", in->name, in->held.count, c.rest_len);
	in->run_open = c.format.codec != CODEC_NONE;
	in->format = c.format;
	in->run_told = in->run_open && c.told;
	in->run.format = c.format;
	memcpy(in->run.id, c.run_id, RUN_ID_SIZE);
	in->index = c.index;
	in->profile = !in->run_open || c.profile_known ? PROFILE_KNOWN : PROFILE_GATHERING;
	in->stamp = c.stamp;
	in->position = c.position;
	in->released = c.released;
	in->arrival = c.arrival;
	in->end = (uint32_t)c.rest_len;
	memcpy(in->buffer, c.rest, c.rest_len);
	in->restored = in->settings->type == INPUT_PIPE;
	if (!in->restored && !in->run_open) {
		in->end = 0; /* the rest of a connection that has gone, less than a frame: nothing can be made of it */
		return;
	}
	if (in->restored) {
		if (in->profile == PROFILE_GATHERING && in->held.count >= PROFILE_FRAMES)
			profile_look(in);
		return;
	}
	in->phase = PHASE_DRAINING;
	in->leftover = true;
	input_frames(in, now);
	if (in->begin == in->end)
		input_drained(in);
}

/* A source that gives no whole frame for `timeout` is dead, however many bytes it sends. */
static void
input_check_alive(struct input *in, struct mono now)
{
	char why[96];
	bool waits_for_us = !frame_wanted(in) || in->next_waits;

	if (in->phase != PHASE_UP || waits_for_us) {
		in->alive = now;
		return;
	}
	if (now.ns - in->alive.ns < in->settings->timeout)
		return;
	bool never = in->framer.frames == 0 && in->head_len > 0;
	snprintf(why, sizeof(why), "no whole audio frame for %lld s%s", (long long)(in->settings->timeout / NS_PER_S),
	    never ? "; send AAC in ADTS or MPEG audio layer III (MP3)" : "");
	if (never)
		explain(in, why);
	in->counters.timeouts++;
	in->alive = now;
	in->ops->drop(in->transport, now, never ? in->why : why);
}

void
input_tick(struct input *in, struct mono now, struct wall limit)
{
	in->limit = limit;
	if (in->start.ns && in->phase == PHASE_DOWN && !in->run_open)
		in->limit = input_start(in); /* how far it may go is said at the next tick, when it is seen to lie in the past */
	run_pass_on(in); /* what was beyond the limit */
	if (in->begin < in->end || in->next_waits)
		input_frames(in, now);
	if (in->phase == PHASE_DRAINING && (in->begin == in->end && !in->next_waits))
		input_drained(in);
	if (in->phase != PHASE_DRAINING)
		in->ops->tick(in->transport, now);
	if (in->run_open && in->stamp.state != STAMP_STEADY && !in->finishing)
		run_stamped(in, stamp_tick(&in->stamp, wall_of(in, now)));
	input_check_alive(in, now);
}

bool
input_ended(const struct input *in)
{
	bool once = (in->settings->type == INPUT_FILE && !in->settings->loop) || in->settings->type == INPUT_STDIN;

	return once && in->was_up && in->phase == PHASE_DOWN && !in->run_open;
}

bool
input_catching_up(const struct input *in, struct wall *frontier)
{
	if (!in->start.ns || (in->phase == PHASE_DOWN && !in->run_open))
		return false;
	*frontier = in->delivered.ns ? in->delivered : input_start(in);
	return true;
}

bool
input_unpaced(const struct input *in)
{
	return in->start.ns && in->settings->pace == PACE_NONE;
}

struct wall
input_delivered(const struct input *in)
{
	return in->delivered;
}

const struct input_counters *
input_counters(const struct input *in)
{
	return &in->counters;
}
