/* The whole of the segmenter: inputs > merge > cut > write, for all stations of a configuration, in one loop. What the
 * inputs deliver goes to [publish] too, and what relays have comes into the merge from [subscribe].
 *
 * The loop wakes every 100 ms and everything that has come in meanwhile moves on in one go (waking for every packet
 * would cost four times as much). Between these full ticks only stations that lay in audio from the past move. */
#include "segmenter/pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "rewind/layout.h"
#include "segmenter/input/transport.h"
#include "segmenter/publisher.h"
#include "segmenter/rtp_input.h"
#include "segmenter/segmenter_metrics.h"
#include "segmenter/station.h"
#include "segmenter/status.h"
#include "segmenter/subscriber.h"

#define TICK_MS 100
#define HUNGRY_MS 2

struct pipeline {
	uv_loop_t *loop;
	const struct config *config;
	int root;
	struct timebase timebase;
	struct frame_pool pool;
	struct journal *journals;
	struct icecast_listener *listener;
	struct rtp_inputs rtp_inputs;
	struct publisher *publisher;   /* NULL: no [publish] */
	struct subscriber *subscriber; /* NULL: no [subscribe] */
	struct station *stations;
	unsigned count, opened;
	uv_timer_t timer;
	struct mono ticked; /* the last full tick */
	bool blocked;       /* a station waits for the disk */
	bool closing, told_end;
	void (*ended)(void *ctx);
	void *ctx;
	uint64_t started_ms;
};

static void on_timer(uv_timer_t *timer);

/* ---- ticks */

static void
watch_clock(struct pipeline *p, struct mono now)
{
	switch (timebase_update(&p->timebase, now, clock_wall_now())) {
	case TIMEBASE_STEPPED_FORWARD:
		log_warn("the system clock was set forward, runs begin anew behind a gap");
		break;
	case TIMEBASE_STEPPED_BACKWARD:
		log_error("the system clock was set back: the old time goes on and is slewed, since what is stored is "
			  "never overwritten seconds=%" PRId64,
		    -p->timebase.error_ns / NS_PER_S);
		break;
	case TIMEBASE_STEADY:
		break;
	}
}

static void
wake_in(struct pipeline *p, uint64_t ms)
{
	if (!p->closing)
		uv_timer_start(&p->timer, on_timer, ms, 0);
}

/* A segment was stored: what was blocked by the disk may go on. */
static void
on_progress(void *ctx)
{
	struct pipeline *p = ctx;

	if (p->blocked)
		wake_in(p, 0);
}

static void
on_timer(uv_timer_t *timer)
{
	struct pipeline *p = timer->data;
	struct mono now = clock_mono_now();
	int64_t since = (now.ns - p->ticked.ns) / NS_PER_MS;
	bool full = since >= TICK_MS - 1; /* the loop's timers are that coarse */
	uint64_t next = full ? TICK_MS : (uint64_t)(TICK_MS - since);
	bool all_ended = p->count > 0;

	if (full) {
		p->ticked = now;
		watch_clock(p, now);
	}
	p->blocked = false;
	if (p->subscriber && subscriber_tick(p->subscriber, now, timebase_wall(&p->timebase, now), full))
		next = next < HUNGRY_MS ? next : HUNGRY_MS;
	if (full)
		rtp_inputs_tick(&p->rtp_inputs, now);
	for (unsigned i = 0; i < p->count; i++) {
		enum station_pace pace = station_tick(&p->stations[i], now, &p->timebase, full);
		all_ended &= pace == STATION_ENDED;
		p->blocked |= pace == STATION_BLOCKED;
		if (pace == STATION_BEHIND)
			next = 0;
		else if (pace == STATION_HUNGRY && next > HUNGRY_MS)
			next = HUNGRY_MS;
	}
	if (full && p->publisher)
		publisher_tick(p->publisher, now);
	if (full)
		journal_flush(p->journals);
	wake_in(p, next);
	if (all_ended && !p->told_end && p->ended) {
		p->told_end = true;
		p->ended(p->ctx);
	}
}

/* ---- open and close */

static int
root_open(struct pipeline *p, const struct store_settings *store, struct text *errors)
{
	if (mkdir(store->path, 0755) < 0 && errno != EEXIST) {
		config_error(p->config, store, "path", errors, "cannot make %s: %s; make it, or name another folder",
		    store->path, strerror(errno));
		return -1;
	}
	p->root = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->root < 0) {
		config_error(p->config, store, "path", errors, "cannot open %s: %s", store->path, strerror(errno));
		return -1;
	}
	return 0;
}

static int
stations_open(struct pipeline *p, const struct station_context *context, struct text *errors)
{
	struct station_settings *settings = NULL;

	while ((settings = config_next(p->config, "station", settings)))
		p->count++;
	p->stations = calloc(p->count ? p->count : 1, sizeof(*p->stations));
	if (!p->stations)
		return -1;
	while ((settings = config_next(p->config, "station", settings))) {
		if (station_open(&p->stations[p->opened++], context, settings, errors) < 0)
			return -1;
	}
	return 0;
}

static void
time_begin(struct pipeline *p, struct wall system)
{
	struct wall newest = { 0 };

	for (unsigned i = 0; i < p->count; i++) {
		struct wall end = station_resume_end(&p->stations[i]);
		if (end.ns > newest.ns)
			newest = end;
	}
	if (newest.ns > system.ns + NS_PER_S)
		log_error("the system clock is behind the newest stored segment: time goes on from there, set the "
			  "clock seconds=%" PRId64,
		    (newest.ns - system.ns) / NS_PER_S);
	timebase_init(&p->timebase, clock_mono_now(), system, newest);
}

/* What frames come from and go to beside inputs and store. */
static int
exchange_open(struct pipeline *p, struct text *errors)
{
	struct publisher_context publisher = { .loop = p->loop,
		.config = p->config,
		.pool = &p->pool,
		.timebase = &p->timebase,
		.rtp_inputs = &p->rtp_inputs };
	struct subscriber_context subscriber = { .loop = p->loop,
		.config = p->config,
		.pool = &p->pool,
		.stations = p->stations,
		.station_count = p->count };

	if (config_next(p->config, "publish", NULL) && publisher_open(&publisher, &p->publisher, errors) < 0)
		return -1;
	if (config_next(p->config, "subscribe", NULL) && subscriber_open(&subscriber, &p->subscriber, errors) < 0)
		return -1;
	return 0;
}

int
pipeline_open(uv_loop_t *loop, const struct config *config, struct pipeline **out, struct text *errors)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	const struct store_settings *store = config_next(config, "store", NULL);
	const struct segmenter_settings *own = config_next(config, "segmenter", NULL);
	const struct listener_settings *listener = config_next(config, "icecast-listener", NULL);
	struct wall system = clock_wall_now();

	if (!p)
		return -1;
	p->loop = loop;
	p->config = config;
	p->root = -1;
	p->started_ms = (uint64_t)(system.ns / NS_PER_MS);
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	frame_pool_init(&p->pool, own ? (size_t)own->memory : 256 << 20);
	p->journals = journal_new(loop);
	if (!p->journals) {
		text_str(errors, "out of memory\n");
		goto fail;
	}
	bool stores = config_next(config, "station", NULL) != NULL; /* else it only publishes */
	if (stores && root_open(p, store, errors) < 0)
		goto fail;
	struct station_context context = { .loop = loop,
		.config = config,
		.root = p->root,
		.store = store,
		.journals = p->journals,
		.pool = &p->pool,
		.rtp_inputs = &p->rtp_inputs,
		.now = system,
		.progress = on_progress,
		.ctx = p };
	if (stations_open(p, &context, errors) < 0)
		goto fail;
	time_begin(p, system);
	if (exchange_open(p, errors) < 0)
		goto fail;
	context.publisher = p->publisher;
	if (listener && icecast_listener_open(loop, listener, &p->listener, errors) < 0)
		goto fail;
	for (unsigned i = 0; i < p->count; i++) {
		if (station_start(&p->stations[i], &context, &p->timebase, errors) < 0)
			goto fail;
	}
	if (p->publisher && publisher_start(p->publisher, errors) < 0)
		goto fail;
	wake_in(p, 0);
	*out = p;
	return 0;
fail:
	pipeline_close(&p);
	return -1;
}

void
pipeline_close(struct pipeline **pp)
{
	struct pipeline *p = *pp;

	if (!p)
		return;
	*pp = NULL;
	p->closing = true;
	uv_close((uv_handle_t *)&p->timer, NULL);
	subscriber_close(&p->subscriber);
	rtp_inputs_close(&p->rtp_inputs);
	for (unsigned i = 0; i < p->opened; i++)
		station_close(&p->stations[i]);
	publisher_close(&p->publisher);
	icecast_listener_close(&p->listener);
	journal_free(&p->journals);
	while (uv_run(p->loop, UV_RUN_DEFAULT))
		;
	frame_pool_fini(&p->pool);
	free(p->stations);
	if (p->root >= 0)
		close(p->root);
	free(p);
}

void
pipeline_on_end(struct pipeline *p, void (*ended)(void *ctx), void *ctx)
{
	p->ended = ended;
	p->ctx = ctx;
}

/* ---- what is said of it */

void
pipeline_metrics(struct pipeline *p, struct text *out)
{
	struct segmenter_parts parts = { .stations = p->stations,
		.station_count = p->opened,
		.pool = &p->pool,
		.listener = p->listener ? icecast_listener_counters(p->listener) : NULL,
		.journal = journal_counters(p->journals),
		.timebase = &p->timebase,
		.rtp_inputs = &p->rtp_inputs,
		.publisher = p->publisher,
		.subscriber = p->subscriber };

	segmenter_metrics_write(&parts, out);
}

void
pipeline_status(struct pipeline *p, struct text *out)
{
	status_write(p->stations, p->opened, out);
}

int
pipeline_choose(struct pipeline *p, const char *rendition, const char *input)
{
	for (unsigned i = 0; i < p->opened; i++) {
		for (unsigned j = 0; j < p->stations[i].count; j++) {
			struct rendition *r = &p->stations[i].renditions[j];
			if (strcmp(r->name, rendition) == 0)
				return rendition_choose(r, input);
		}
	}
	return -ENOENT;
}

bool
pipeline_healthy(struct pipeline *p, struct text *why)
{
	struct wall now = timebase_wall(&p->timebase, clock_mono_now());
	bool healthy = true;

	for (unsigned i = 0; i < p->opened; i++) {
		for (unsigned j = 0; j < p->stations[i].count; j++) {
			const struct rendition *r = &p->stations[i].renditions[j];
			uint64_t newest = writer_counters(r->writer)->newest_msn;
			int64_t age = now.ns - layout_grid(newest + 1, r->T).ns;
			if (newest == 0)
				text_fmt(why, "%s: nothing stored yet\n", r->name);
			else if (age > 3 * (int64_t)r->T * NS_PER_S)
				text_fmt(why, "%s: newest segment ended %" PRId64 " s ago\n", r->name, age / NS_PER_S);
			else
				continue;
			healthy = false;
		}
	}
	if (p->publisher && p->opened == 0)
		healthy = publisher_healthy(p->publisher, why);
	return healthy;
}
