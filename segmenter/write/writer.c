/* The writer of one rendition: segments and gaps go to the store in order, each as a job in a worker thread. */
#include "segmenter/write/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rewind/layout.h"

#define RETRY_NS NS_PER_S
#define WRITER_BUSY 4 /* from here on writer_full() */

struct writer {
	struct writer_config config;
	struct segment *first, **last; /* the first is the one that a job works on */
	unsigned waiting;
	uv_work_t work;
	bool running;
	bool more; /* another segment waits behind the job's: the live list can wait for it */
	int result, live_result;
	struct wall now, job_now;
	int64_t retained_minute; /* when retention last ran */
	struct mono retry_at;
	uint8_t *bytes; /* the segment being written; one job at a time */
	size_t bytes_size;
	struct media_frame *frames;
	size_t frames_size;
	struct writer_counters counters;
};

struct writer *
writer_new(const struct writer_config *config)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->config = *config;
	w->counters.newest_msn = config->newest_msn;
	w->last = &w->first;
	w->work.data = w;
	return w;
}

/* ---- the worker's side */

static int
room(void **memory, size_t *size, size_t need)
{
	if (*size >= need)
		return 0;
	void *more = realloc(*memory, need);
	if (!more)
		return -ENOMEM;
	*memory = more;
	*size = need;
	return 0;
}

/* The segment's bytes, into w->bytes. */
static int
pack(struct writer *w, const struct segment *s, size_t *len)
{
	if (room((void **)&w->frames, &w->frames_size, s->count * sizeof(*w->frames)) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->count; i++)
		w->frames[i] = (struct media_frame){ s->frames[i].data, s->frames[i].len, s->frames[i].samples };
	struct media_segment m = { .msn = s->msn,
		.format = s->format,
		.anchor = s->anchor,
		.sample = s->sample,
		.frames = w->frames,
		.count = s->count };
	size_t bound = w->config.packed ? packed_segment_bound(&m) : ts_segment_bound(&m, w->config.timed_id3);
	if (room((void **)&w->bytes, &w->bytes_size, bound) < 0)
		return -ENOMEM;
	*len =
	    w->config.packed ? packed_segment_write(&m, w->bytes) : ts_segment_write(&m, w->config.timed_id3, w->bytes);
	return 0;
}

static int
store(struct writer *w, const struct segment *s)
{
	size_t len;

	if (s->gap)
		return store_rendition_gap(w->config.store, s->msn, s->discontinuity);
	int err = pack(w, s, &len);
	if (err < 0)
		return err;
	struct store_segment put = { .msn = s->msn,
		.start = s->start,
		.discontinuity = s->discontinuity,
		.pending = s->pending,
		.format = s->format,
		.anchor = s->anchor,
		.sample = s->sample,
		.samples = s->samples,
		.frames = s->count,
		.fill = s->fill,
		.audio_bytes = s->audio_bytes,
		.station_sequence = s->station_sequence,
		.data = w->bytes,
		.len = len };
	return store_rendition_put(w->config.store, &put);
}

static void
retain(struct writer *w)
{
	int64_t minute = w->job_now.ns / NS_PER_S / 60;

	if (minute == w->retained_minute)
		return;
	w->retained_minute = minute;
	int removed = store_rendition_retain(w->config.store, w->job_now);
	if (removed < 0)
		log_error("cannot remove old hours rendition=%s error=\"%s\"", w->config.name, strerror(-removed));
}

static void
job_run(uv_work_t *work)
{
	struct writer *w = work->data;

	w->result = store(w, w->first);
	w->live_result = 0;
	if (w->result == 0 || w->result == -EEXIST)
		w->live_result = w->more ? -EAGAIN : store_rendition_live(w->config.store);
	if (w->result == -ENOSPC)
		w->retained_minute = 0; /* min_free may make room before the next try */
	retain(w);
}

/* ---- the loop's side */

static void job_done(uv_work_t *work, int status);

static void
start(struct writer *w)
{
	if (w->running || !w->first)
		return;
	w->running = true;
	w->more = w->first->next != NULL;
	w->job_now = w->now;
	if (uv_queue_work(w->config.loop, &w->work, job_run, job_done) < 0) {
		job_run(&w->work);
		job_done(&w->work, 0);
	}
}

static struct segment *
pop(struct writer *w)
{
	struct segment *s = w->first;

	w->first = s->next;
	if (!w->first)
		w->last = &w->first;
	w->waiting--;
	s->next = NULL;
	return s;
}

static void
stored(struct writer *w)
{
	struct segment *s = pop(w);

	if (w->result == -EEXIST)
		log_error("a segment of this number is already there with other bytes, the stored one stays "
			  "rendition=%s msn=%" PRIu64,
		    w->config.name, s->msn);
	journal_remove(w->config.journal, s->msn);
	if (!s->gap)
		w->counters.newest_msn = s->msn;
	segment_free(&s);
}

static void
failed(struct writer *w)
{
	w->counters.failures++;
	w->retry_at.ns = 0; /* set by the next tick */
	log_error("cannot store a segment, it is kept and tried again rendition=%s msn=%" PRIu64
		  " waiting=%u error=\"%s\" want=\"%s\"",
	    w->config.name, w->first->msn, w->waiting, strerror(-w->result), store_way_out(w->result));
}

static void
job_done(uv_work_t *work, int status)
{
	struct writer *w = work->data;

	(void)status;
	w->running = false;
	if (w->live_result < 0 && w->live_result != -EAGAIN)
		log_error(
		    "cannot write the live list rendition=%s error=\"%s\"", w->config.name, strerror(-w->live_result));
	if (w->result < 0 && w->result != -EEXIST) {
		failed(w);
		return;
	}
	stored(w);
	w->config.stored(w->config.ctx);
	start(w);
}

/* The disk has stood still for too long: the oldest segment that no job works on is given up. */
static void
give_up_oldest(struct writer *w)
{
	struct segment **at = w->running ? &w->first->next : &w->first, *s = *at;

	if (!s)
		return;
	*at = s->next;
	if (!s->next)
		w->last = at;
	w->waiting--;
	w->counters.given_up++;
	log_error("a segment was given up, it becomes a gap: the disk has not taken any for too long rendition=%s "
		  "msn=%" PRIu64,
	    w->config.name, s->msn);
	journal_remove(w->config.journal, s->msn);
	segment_free(&s);
}

/* A gap behind a gap that waits: the store enters all numbers up to it, so that an hour of them is one job. */
static bool
join_gap(struct writer *w, const struct segment *s)
{
	struct segment *tail = w->running ? w->first->next : w->first;

	while (tail && tail->next)
		tail = tail->next;
	if (!s->gap || !tail || !tail->gap)
		return false;
	tail->msn = s->msn;
	return true;
}

void
writer_put(struct writer *w, struct segment *s, struct wall now)
{
	bool failing = w->waiting && !w->running;

	if (join_gap(w, s)) {
		segment_free(&s);
		return;
	}
	if (w->waiting >= WRITER_QUEUE)
		give_up_oldest(w);
	s->next = NULL;
	*w->last = s;
	w->last = &s->next;
	w->waiting++;
	w->now = now;
	if (!failing)
		start(w);
}

void
writer_tick(struct writer *w, struct mono now)
{
	w->counters.waiting = w->waiting;
	if (w->running || !w->first)
		return;
	if (w->retry_at.ns == 0)
		w->retry_at.ns = now.ns + RETRY_NS;
	if (now.ns >= w->retry_at.ns)
		start(w);
}

bool
writer_full(const struct writer *w)
{
	return w->waiting >= WRITER_BUSY;
}

bool
writer_idle(const struct writer *w)
{
	return w->waiting == 0;
}

void
writer_journal(struct writer *w)
{
	/* also the one that a job works on: until that has ended, its last frames are nowhere else */
	for (struct segment *s = w->first; s; s = s->next)
		journal_append(w->config.journal, s);
}

void
writer_free(struct writer **wp)
{
	struct writer *w = *wp;

	if (!w)
		return;
	*wp = NULL;
	while (w->running)
		uv_run(w->config.loop, UV_RUN_ONCE);
	while (w->first) {
		w->more = w->first->next != NULL;
		job_run(&w->work);
		if (w->result < 0 && w->result != -EEXIST)
			break;
		stored(w);
	}
	while (w->first) {
		struct segment *s = pop(w);
		segment_free(&s); /* its journal stays for the next start */
	}
	free(w->bytes);
	free(w->frames);
	free(w);
}

const struct writer_counters *
writer_counters(const struct writer *w)
{
	return &w->counters;
}
