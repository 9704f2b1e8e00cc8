/* One thread that fetches from peers, and the loop that tells it what to look at. The loop owns everything in `order`
 * while the thread is idle, the thread while it is not; renditions and peers are the thread's once it runs. */
#include "segmenter/write/healer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "rewind/layout.h"
#include "rewind/peer.h"

#define PEERS_MOST 16
#define ANSWER_NS (30 * NS_PER_S)
#define AFTER_NS (180 * NS_PER_S) /* an hour is looked at so long after its end: the peer's is closed by then */
#define AGAIN_NS (60 * NS_PER_S)  /* what could not be had is tried again after it, ... */
#define LOOK_AGAIN_NS (6 * 3600 * NS_PER_S) /* ... what the peers did not have after this: they may be healed, too */
#define DOWN_LEAST (10 * NS_PER_S)          /* a peer that is away is left alone for so long, ... */
#define DOWN_MOST (600 * NS_PER_S)          /* ... and twice as long each time, up to this */

/* When an hour is to be looked at again. */
struct seen {
	uint64_t hour;
	int64_t until; /* monotonic ns */
};

struct job {
	struct healer_rendition of;
	struct seen *seen; /* by hour modulo `hours` */
	uint64_t hours;
};

struct peer_state {
	struct peer *peer;
	int64_t wait, until; /* ns; until: monotonic */
};

/* What the thread is asked, and what it answers. */
struct order {
	struct job *job;
	uint64_t before; /* hours before this one */
	uint64_t oldest;
	int result; /* 0: something was fetched, or -ENOENT: nothing to be had now, or -errno */
};

struct healer {
	uv_loop_t *loop;
	int root;
	const struct store_settings *store;
	struct job *jobs;
	size_t count, next;
	size_t idle; /* so many renditions in turn had nothing to be done */
	struct mono resume;
	struct peer_state peers[PEERS_MOST];
	size_t peer_count;
	struct heal_counters counters;

	uv_thread_t thread;
	uv_mutex_t mutex;
	uv_cond_t wake;
	uv_async_t answered;
	bool started, ordered, stop; /* under the mutex: the last two */
	atomic_bool cancel, again;
	bool waiting, entering; /* the loop's: for the thread, for the writer */
	struct order order;
	struct writer_heal heal;
};

/* ---- the thread's side */

static bool
cancelled(void *ctx)
{
	struct healer *h = ctx;

	return atomic_load(&h->cancel);
}

static void
peer_down(struct peer_state *p)
{
	char why[160];

	p->wait = p->wait == 0 ? DOWN_LEAST : p->wait < DOWN_MOST / 2 ? p->wait * 2 : DOWN_MOST;
	p->until = clock_mono_now().ns + p->wait;
	log_warn("peer is away, it is tried again later peer=%s seconds=%" PRId64 " why=%s", peer_name(p->peer),
	    p->wait / NS_PER_S, log_safe(peer_why(p->peer), why, sizeof(why)));
}

static void
peers_count(struct healer *h)
{
	uint64_t down = 0;

	for (size_t i = 0; i < h->peer_count; i++)
		down += h->peers[i].wait > 0;
	h->counters.peers_down = down;
}

/* One hour from all peers, up to the first that has something. 0, -ENOENT: nobody has anything for us, or -errno: that
 * is not known of all. */
static int
fetch(struct healer *h, const struct job *job, uint64_t hour, size_t *count)
{
	int left = -ENOENT;

	for (size_t i = 0; i < h->peer_count; i++) {
		struct peer_state *p = &h->peers[i];
		struct heal heal = { .root = h->root,
			.station = job->of.station,
			.rendition = job->of.name,
			.T = job->of.T,
			.packed = job->of.packed,
			.sync = h->store->sync == SYNC_SEGMENT,
			.min_free = h->store->min_free,
			.peer = p->peer,
			.counters = &h->counters };
		if (p->until > clock_mono_now().ns) {
			left = -EHOSTDOWN;
			continue;
		}
		int rc = heal_fetch(&heal, hour, &h->heal.found, count);
		if (rc == -EHOSTDOWN)
			peer_down(p);
		else if (rc != -ECANCELED)
			p->wait = 0;
		if (*count > 0 || rc == -ECANCELED || rc == -ENOSPC)
			return *count > 0 ? 0 : rc;
		if (rc < 0 && rc != -ENOENT && rc != -EBADMSG)
			left = rc;
	}
	return left;
}

static void
forget(struct healer *h)
{
	for (size_t i = 0; i < h->count; i++)
		memset(h->jobs[i].seen, 0, h->jobs[i].hours * sizeof(*h->jobs[i].seen));
	for (size_t i = 0; i < h->peer_count; i++)
		h->peers[i].until = 0;
}

/* The newest hour that lacks something which a peer has. */
static int
work(struct healer *h, struct order *o)
{
	struct job *job = o->job;
	struct heal look = { .root = h->root, .station = job->of.station, .rendition = job->of.name };

	if (atomic_exchange(&h->again, false))
		forget(h);
	for (uint64_t hour = o->before; hour-- > o->oldest;) {
		struct seen *seen = &job->seen[hour % job->hours];
		size_t count = 0;
		if (cancelled(h))
			return -ECANCELED;
		if (seen->hour == hour && clock_mono_now().ns < seen->until)
			continue;
		*seen = (struct seen){ hour, INT64_MAX };
		if (!heal_due(&look, hour))
			continue;
		int rc = fetch(h, job, hour, &count);
		peers_count(h);
		seen->until = clock_mono_now().ns + (rc == -ENOENT ? LOOK_AGAIN_NS : rc == 0 ? 0 : AGAIN_NS);
		h->heal.hour = hour;
		if (rc == 0 || rc == -ECANCELED || rc == -ENOSPC)
			return rc;
	}
	return -ENOENT;
}

static void
run(void *ctx)
{
	struct healer *h = ctx;

	for (;;) {
		uv_mutex_lock(&h->mutex);
		while (!h->ordered && !h->stop)
			uv_cond_wait(&h->wake, &h->mutex);
		bool stop = h->stop;
		h->ordered = false;
		uv_mutex_unlock(&h->mutex);
		if (stop)
			return;
		h->order.result = work(h, &h->order);
		uv_async_send(&h->answered);
	}
}

/* ---- the loop's side */

static void
pause_for(struct healer *h, int64_t ns)
{
	h->resume.ns = clock_mono_now().ns + ns;
}

static void
on_entered(void *ctx)
{
	struct healer *h = ctx;
	const struct healer_rendition *r = &h->order.job->of;
	char name[LAYOUT_NAME_SIZE];

	h->entering = false;
	hour_free(&h->heal.found);
	layout_hour_name(h->heal.hour, name);
	if (h->heal.result == 0) {
		h->counters.hours++;
		log_info("hour is healed station=%s rendition=%s hour=%s", r->station, r->name, name);
		return;
	}
	if (h->heal.result != -EAGAIN && h->heal.result != -ENOENT)
		log_error("cannot heal an hour, it is tried again station=%s rendition=%s hour=%s error=\"%s\"",
		    r->station, r->name, name, strerror(-h->heal.result));
	pause_for(h, AGAIN_NS);
}

static void
on_answer(uv_async_t *handle)
{
	struct healer *h = handle->data;

	if (!h->waiting)
		return;
	h->waiting = false;
	if (h->order.result == 0) {
		h->idle = 0;
		h->entering = true;
		h->heal.done = on_entered;
		h->heal.ctx = h;
		writer_heal(h->order.job->of.writer, &h->heal);
		return;
	}
	if (h->order.result == -ENOSPC) {
		log_warn("nothing is healed: disk space is scarce");
		pause_for(h, AGAIN_NS);
	}
	h->next = (h->next + 1) % h->count;
	if (++h->idle >= h->count) {
		h->idle = 0;
		pause_for(h, DOWN_LEAST);
	}
}

/* Hours that are over and in no live list any more, up to those that are no longer advertised: [*oldest, *before). */
static void
bounds(const struct job *job, struct wall now, uint64_t *oldest, uint64_t *before)
{
	const struct healer_rendition *r = &job->of;
	uint64_t newest = writer_counters(r->writer)->newest_entry;
	int64_t after = r->window_ns + 2 * r->T * NS_PER_S;
	int64_t over = (now.ns - (after > AFTER_NS ? after : AFTER_NS)) / (3600 * NS_PER_S);
	int64_t end = newest ? (layout_grid(newest, r->T).ns - r->window_ns) / (3600 * NS_PER_S) : 0;
	int64_t from = (now.ns - r->retention_ns) / (3600 * NS_PER_S) + 1;

	if (end < over)
		over = end;
	if (from < 0)
		from = 0;
	*oldest = (uint64_t)from;
	*before = (uint64_t)(over > from ? over : from);
}

void
healer_tick(struct healer *h, struct mono mono, struct wall now)
{
	if (!h || h->waiting || h->entering || !h->count || mono.ns < h->resume.ns)
		return;
	struct job *job = &h->jobs[h->next];
	h->order = (struct order){ .job = job };
	bounds(job, now, &h->order.oldest, &h->order.before);
	if (!h->started) {
		if (uv_thread_create(&h->thread, run, h) != 0) {
			pause_for(h, AGAIN_NS);
			return;
		}
		h->started = true;
	}
	h->waiting = true;
	uv_mutex_lock(&h->mutex);
	h->ordered = true;
	uv_cond_signal(&h->wake);
	uv_mutex_unlock(&h->mutex);
}

static void
on_closed(uv_handle_t *handle)
{
	struct healer *h = handle->data;

	for (size_t i = 0; i < h->count; i++)
		free(h->jobs[i].seen);
	for (size_t i = 0; i < h->peer_count; i++)
		peer_close(&h->peers[i].peer);
	uv_mutex_destroy(&h->mutex);
	uv_cond_destroy(&h->wake);
	free(h->jobs);
	free(h);
}

void
healer_close(struct healer **hp)
{
	struct healer *h = *hp;

	if (!h)
		return;
	*hp = NULL;
	atomic_store(&h->cancel, true);
	if (h->entering && writer_heal_withdraw(h->order.job->of.writer)) {
		h->entering = false;
		hour_free(&h->heal.found);
	}
	while (h->entering)
		uv_run(h->loop, UV_RUN_ONCE);
	if (h->started) {
		uv_mutex_lock(&h->mutex);
		h->stop = true;
		uv_cond_signal(&h->wake);
		uv_mutex_unlock(&h->mutex);
		uv_thread_join(&h->thread);
	}
	if (h->waiting && h->order.result == 0)
		hour_free(&h->heal.found);
	h->waiting = false;
	uv_close((uv_handle_t *)&h->answered, on_closed);
}

int
healer_new(uv_loop_t *loop, int root, const struct store_settings *store, struct healer **out, struct text *errors)
{
	const char *at = store->peer;
	char url[SETTINGS_URL_SIZE];

	*out = NULL;
	if (!at || !*at)
		return 0;
	struct healer *h = calloc(1, sizeof(*h));
	if (!h || uv_async_init(loop, &h->answered, on_answer) < 0) {
		free(h);
		text_str(errors, "out of memory\n");
		return -1;
	}
	h->loop = loop;
	h->root = root;
	h->store = store;
	h->answered.data = h;
	uv_mutex_init(&h->mutex);
	uv_cond_init(&h->wake);
	while (settings_next_peer(&at, url)) {
		struct peer_config c = {
			.url = url, .rate = store->heal_rate, .timeout_ns = ANSWER_NS, .stop = cancelled, .ctx = h
		};
		if (h->peer_count == PEERS_MOST || peer_open(&c, &h->peers[h->peer_count].peer) < 0) {
			text_fmt(errors, "[store] peer: %s: one peer too many, or out of memory\n", url);
			healer_close(&h);
			return -1;
		}
		h->peer_count++;
	}
	*out = h;
	return 0;
}

int
healer_add(struct healer *h, const struct healer_rendition *r)
{
	if (!h)
		return 0;
	struct job *jobs = realloc(h->jobs, (h->count + 1) * sizeof(*jobs));
	if (!jobs)
		return -ENOMEM;
	h->jobs = jobs;
	struct job *job = &jobs[h->count];
	*job = (struct job){ .of = *r, .hours = (uint64_t)(r->retention_ns / NS_PER_S / 3600) + 2 };
	job->seen = calloc(job->hours, sizeof(*job->seen));
	if (!job->seen)
		return -ENOMEM;
	h->count++;
	return 0;
}

void
healer_again(struct healer *h)
{
	if (!h)
		return;
	atomic_store(&h->again, true);
	h->resume.ns = 0;
}

const struct heal_counters *
healer_counters(const struct healer *h)
{
	return h ? &h->counters : NULL;
}
