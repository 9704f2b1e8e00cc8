/* A station: its renditions in step, and its multivariant list. */
#include "segmenter/station.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* An input that lies further back than this is laid in at full speed. */
#define BEHIND_NS (2 * NS_PER_S)

/* ---- the multivariant list */

static void
list_run(uv_work_t *work)
{
	struct station *s = work->data;

	s->result = store_station_write(s->store, s->variants, s->variant_count);
}

static void list_update(void *ctx);

static void
list_done(uv_work_t *work, int status)
{
	struct station *s = work->data;

	(void)status;
	s->writing = false;
	if (s->result < 0)
		log_error("cannot write the multivariant list station=%s error=\"%s\"", s->settings->section.subject[0],
		    strerror(-s->result));
	if (s->again && !s->closing)
		list_update(s);
}

static bool
variants_gather(struct station *s)
{
	struct list_variant now[EPOCH_RENDITIONS] = { 0 };
	size_t count = 0;

	for (unsigned i = 0; i < s->count; i++) {
		if (s->renditions[i].has_variant)
			now[count++] = s->renditions[i].variant;
	}
	if (count == s->variant_count && memcmp(now, s->variants, sizeof(now)) == 0)
		return false;
	memcpy(s->variants, now, sizeof(now));
	s->variant_count = count;
	return true;
}

/* A rendition's facts may have changed. */
static void
list_update(void *ctx)
{
	struct station *s = ctx;

	s->progress(s->ctx);
	if (s->writing) {
		s->again = true;
		return;
	}
	s->again = false;
	if (!s->store || !variants_gather(s))
		return;
	s->writing = true;
	s->work.data = s;
	if (uv_queue_work(s->loop, &s->work, list_run, list_done) < 0) {
		list_run(&s->work);
		list_done(&s->work, 0);
	}
}

/* ---- open and close */

/* The one input of a rendition, or NULL. */
static const struct input_settings *
input_of(const struct config *config, const char *rendition)
{
	return config_find(config, "input", rendition);
}

/* Does it bring what was on air while no process was there? A command with `start` is told where the store ends; what
 * is laid in without a pace goes on wherever the store ends, however long ago. */
static bool
brings_past(const struct input_settings *settings)
{
	return settings && settings->start && *settings->start &&
	       (settings->type == INPUT_COMMAND || settings->pace == PACE_NONE);
}

static int
rendition_add(struct station *s, const struct station_context *context, const char *name, struct text *errors)
{
	char full[130];

	snprintf(full, sizeof(full), "%s/%s", s->settings->section.subject[0], name);
	const struct rendition_settings *settings = config_find(context->config, "rendition", full);
	struct rendition_context rc = { .loop = context->loop,
		.root = context->root,
		.store = context->store,
		.journals = context->journals,
		.pool = context->pool,
		.epoch = &s->epoch,
		.index = s->count,
		.tcp_only = true,
		.join = brings_past(input_of(context->config, full)) ? NULL : context->join,
		.now = context->now,
		.stored = list_update,
		.ctx = s };
	struct rendition *r = &s->renditions[s->count++];
	return rendition_open(r, &rc, s->settings, settings, errors);
}

int
station_open(struct station *s, const struct station_context *context, const struct station_settings *settings,
    struct text *errors)
{
	const char *cursor = settings->renditions, *station = settings->section.subject[0];
	char name[64];

	*s = (struct station){
		.settings = settings, .loop = context->loop, .progress = context->progress, .ctx = context->ctx
	};
	epoch_init(&s->epoch);
	s->renditions = calloc(EPOCH_RENDITIONS, sizeof(*s->renditions));
	if (!s->renditions) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	if (store_station_open(context->root, station, context->store->sync == SYNC_SEGMENT, &s->store, errors) < 0)
		return -1;
	while (settings_next_rendition(&cursor, name)) {
		if (s->count == EPOCH_RENDITIONS) {
			config_error(context->config, settings, "renditions", errors, "more than %d renditions",
			    EPOCH_RENDITIONS);
			return -1;
		}
		if (rendition_add(s, context, name, errors) < 0)
			return -1;
	}
	return 0;
}

struct wall
station_resume_end(const struct station *s)
{
	struct wall end = { 0 };

	for (unsigned i = 0; i < s->count; i++) {
		if (s->renditions[i].resume_end.ns > end.ns)
			end = s->renditions[i].resume_end;
	}
	return end;
}

int
station_start(
    struct station *s, const struct station_context *context, const struct timebase *timebase, struct text *errors)
{
	struct wall now = timebase_wall(timebase, clock_mono_now());

	for (unsigned i = 0; i < s->count; i++) {
		struct rendition *r = &s->renditions[i];
		const struct input_settings *settings = input_of(context->config, r->name);
		struct input_context ic = {
			.loop = s->loop, .pool = context->pool, .timebase = timebase, .sink = rendition_sink(r)
		};

		rendition_resume(r, now, brings_past(settings));
		if (settings && input_open(&ic, settings, r->resume_end, &r->input, errors) < 0)
			return -1;
		if (settings)
			input_restore(r->input, clock_mono_now(), r->arrived.data, r->arrived.len);
	}
	return 0;
}

void
station_close(struct station *s)
{
	s->closing = true;
	for (unsigned i = 0; i < s->count; i++)
		rendition_close(&s->renditions[i]);
	while (s->writing)
		uv_run(s->loop, UV_RUN_ONCE);
	store_station_close(&s->store);
	free(s->renditions);
	s->renditions = NULL;
	s->count = 0;
}

/* ---- ticks */

/* Does its input lie in the past? *frontier: how far that has come; untouched for an input that is live. */
static bool
lies_behind(const struct rendition *r, struct wall now, struct wall *frontier)
{
	if (!r->input || !input_catching_up(r->input, frontier))
		return false;
	return input_unpaced(r->input) || frontier->ns <= now.ns - BEHIND_NS;
}

/* How far inputs that lie in the past may go: one segment beyond the one that is furthest back, so that all renditions
 * stay in step and joint decisions (epoch.h) find every sibling's entry. Those at the present wait for nobody. false:
 * none lies in the past. */
static bool
step_limit(const struct station *s, struct wall now, struct wall *limit)
{
	bool any = false;

	for (unsigned i = 0; i < s->count; i++) {
		const struct rendition *r = &s->renditions[i];
		struct wall frontier;
		if (!lies_behind(r, now, &frontier))
			continue;
		int64_t step = frontier.ns + s->settings->segment;
		if (!input_unpaced(r->input) && step > now.ns)
			step = now.ns;
		if (!any || step < limit->ns)
			limit->ns = step;
		any = true;
	}
	return any;
}

static bool
disk_behind(const struct station *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (writer_full(s->renditions[i].writer))
			return true;
	}
	return false;
}

/* One rendition: bytes in, segments out. `limit` is the step of inputs that lie in the past. True if such a one moved
 * on. */
static bool
rendition_tick(struct rendition *r, struct mono mono, struct wall now, struct wall limit)
{
	struct wall frontier = now, before = now;

	if (!r->input || r->ended) {
		if (!r->ended)
			rendition_run(r, now);
		return false;
	}
	bool behind = lies_behind(r, now, &before);
	input_tick(r->input, mono, behind ? limit : now);
	if (input_unpaced(r->input) && input_ended(r->input)) {
		struct wall end = input_delivered(r->input);
		rendition_run(r, end);
		rendition_end(r, now);
		return true;
	}
	/* what is laid in is judged by its own time, from its first frame on */
	bool past = input_catching_up(r->input, &frontier) && (behind || frontier.ns <= now.ns - BEHIND_NS);
	rendition_run(r, past ? frontier : now);
	return behind && frontier.ns > before.ns;
}

static enum station_pace
tick(struct station *s, struct mono mono, const struct timebase *timebase)
{
	struct wall now = timebase_wall(timebase, mono), limit = now;
	bool past = step_limit(s, now, &limit), moved = false, ended = s->count > 0;
	bool blocked = past && disk_behind(s);

	for (unsigned i = 0; i < s->count; i++) {
		struct wall frontier;
		if (!blocked || !lies_behind(&s->renditions[i], now, &frontier))
			moved |= rendition_tick(&s->renditions[i], mono, now, limit);
	}
	for (unsigned i = 0; i < s->count; i++) {
		struct rendition *r = &s->renditions[i];
		writer_tick(r->writer, mono);
		ended &= r->ended;
	}
	if (ended)
		return STATION_ENDED;
	if (blocked)
		return STATION_BLOCKED;
	if (past)
		return moved ? STATION_BEHIND : STATION_HUNGRY;
	return STATION_LIVE;
}

enum station_pace
station_tick(struct station *s, struct mono now, const struct timebase *timebase, bool full)
{
	if (full || s->pace != STATION_LIVE)
		s->pace = tick(s, now, timebase);
	for (unsigned i = 0; full && i < s->count; i++)
		rendition_journal(&s->renditions[i]);
	return s->pace;
}
