/* The writer of one rendition: segments and gaps go to the store in order, by jobs in a worker thread. */
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
	struct segment *first, **last; /* what waits */
	unsigned waiting;
	struct segment *job; /* what the job under way stores; the loop does not touch it */
	unsigned job_count;
	struct writer_heal *heal, *job_heal; /* what waits, and what the job enters */
	uv_work_t work;
	bool running;
	bool live_waits; /* the live list was left out, because more was waiting behind the job */
	unsigned stored; /* of the job's segments */
	int result;      /* of the one after them */
	int live_result;
	struct wall now, job_now;
	int64_t retained_minute; /* when retention last ran */
	struct mono retry_at;
	struct writer_counters counters;
};

/* Memory that a job makes segments in. */
struct scratch {
	void *bytes, *frames;
	size_t bytes_size, frames_size;
};

struct writer *
writer_new(const struct writer_config *config)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->config = *config;
	w->counters.newest_msn = config->newest_msn;
	w->counters.newest_entry = config->newest_entry;
	w->last = &w->first;
	w->work.data = w;
	return w;
}

/* ---- the worker's side */

/* At least `need` bytes, whose contents may go; NULL without memory. */
static void *
room(void **memory, size_t *size, size_t need)
{
	if (*size >= need)
		return *memory;
	free(*memory);
	*memory = malloc(need);
	*size = *memory ? need : 0;
	return *memory;
}

/* The segment's bytes, into scratch->bytes. */
static int
pack(const struct writer *w, const struct segment *s, struct scratch *scratch, size_t *len)
{
	bool packed = w->config.packed, id3 = w->config.timed_id3;
	struct media_frame *frames = room(&scratch->frames, &scratch->frames_size, s->count * sizeof(*frames));

	if (!frames)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->count; i++)
		frames[i] = (struct media_frame){ s->frames[i].data, s->frames[i].len, s->frames[i].samples };
	struct media_segment m = { .msn = s->msn,
		.format = s->format,
		.anchor = s->anchor,
		.sample = s->sample,
		.frames = frames,
		.count = s->count };
	size_t bound = packed ? packed_segment_bound(&m) : ts_segment_bound(&m, id3);
	uint8_t *bytes = room(&scratch->bytes, &scratch->bytes_size, bound);
	if (!bytes)
		return -ENOMEM;
	*len = packed ? packed_segment_write(&m, bytes) : ts_segment_write(&m, id3, bytes);
	return 0;
}

static int
store(struct writer *w, const struct segment *s, struct scratch *scratch)
{
	size_t len;

	if (s->gap)
		return store_rendition_gap(w->config.store, s->msn, s->discontinuity);
	int err = pack(w, s, scratch, &len);
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
		.data = scratch->bytes,
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

/* The job's segments, until one fails. */
static void
store_all(struct writer *w)
{
	struct scratch scratch = { 0 };

	w->stored = 0;
	w->result = 0;
	for (const struct segment *s = w->job; s; s = s->next, w->stored++) {
		w->result = store(w, s, &scratch);
		if (w->result == -EEXIST)
			log_error("a segment of this number is already there with other bytes, the stored one stays "
				  "rendition=%s msn=%" PRIu64,
			    w->config.name, s->msn);
		else if (w->result < 0)
			break;
	}
	free(scratch.bytes);
	free(scratch.frames);
}

/* What heal changes of discontinuity numbers the live list tells too. */
static void
heal(struct writer *w)
{
	struct writer_heal *h = w->job_heal;

	if (!h)
		return;
	h->result = store_rendition_heal(w->config.store, h->hour, &h->found);
	if (h->result == 0 && w->live_result == 0 && !w->live_waits)
		w->live_result = store_rendition_live(w->config.store);
}

static void
job_run(uv_work_t *work)
{
	struct writer *w = work->data;

	store_all(w);
	w->live_result = w->live_waits ? 0 : store_rendition_live(w->config.store);
	heal(w);
	if (w->result == -ENOSPC)
		w->retained_minute = 0; /* min_free may make room before the next try */
	retain(w);
}

/* ---- the loop's side */

static void job_done(uv_work_t *work, int status);

/* All that waits goes into one job. When that is so much that whoever brings it was held up, more is to come and the
 * live list waits for it; for one job only, since a disk that is slower than time would never catch up. */
static void
job_take(struct writer *w)
{
	w->live_waits = writer_full(w) && !w->live_waits;
	w->job = w->first;
	w->job_count = w->waiting;
	w->job_now = w->now;
	w->job_heal = w->heal;
	w->heal = NULL;
	w->first = NULL;
	w->last = &w->first;
	w->waiting = 0;
}

/* What the job did not store is at the front again. */
static void
job_put_back(struct writer *w)
{
	struct segment **end = &w->job;

	while (*end)
		end = &(*end)->next;
	if (end == &w->job)
		return;
	*end = w->first;
	if (!w->first)
		w->last = end;
	w->first = w->job;
	w->waiting += w->job_count;
	w->job = NULL;
	w->job_count = 0;
}

static void
start(struct writer *w)
{
	if (w->running || (!w->first && !w->live_waits && !w->heal))
		return;
	job_take(w);
	w->running = true;
	if (uv_queue_work(w->config.loop, &w->work, job_run, job_done) < 0) {
		job_run(&w->work);
		job_done(&w->work, 0);
	}
}

static struct segment *
pop(struct segment **list, unsigned *count)
{
	struct segment *s = *list;

	*list = s->next;
	--*count;
	s->next = NULL;
	return s;
}

/* The segment is stored, or given up. */
static void
forget(struct writer *w, struct segment *s)
{
	if (s->journalled)
		journal_remove(w->config.journal, s->msn);
	segment_free(&s);
}

/* What the job has stored is no longer needed. */
static void
stored(struct writer *w)
{
	for (; w->stored > 0; w->stored--) {
		struct segment *s = pop(&w->job, &w->job_count);
		if (!s->gap)
			w->counters.newest_msn = s->msn;
		w->counters.newest_entry = s->msn;
		forget(w, s);
	}
	job_put_back(w);
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
	if (w->live_result < 0)
		log_error(
		    "cannot write the live list rendition=%s error=\"%s\"", w->config.name, strerror(-w->live_result));
	struct writer_heal *healed = w->job_heal;
	bool any = w->stored > 0 || healed;
	w->job_heal = NULL;
	stored(w);
	if (any)
		w->config.stored(w->config.ctx);
	if (healed)
		healed->done(healed->ctx);
	if (w->result < 0 && w->result != -EEXIST)
		failed(w);
	else
		start(w);
}

/* The disk has stood still for too long: the oldest segment that waits is given up. */
static void
give_up_oldest(struct writer *w)
{
	struct segment *s = pop(&w->first, &w->waiting);

	if (!w->first)
		w->last = &w->first;
	w->counters.given_up++;
	log_error("a segment was given up, it becomes a gap: the disk has not taken any for too long rendition=%s "
		  "msn=%" PRIu64,
	    w->config.name, s->msn);
	forget(w, s);
}

/* A gap behind a gap that waits: the store enters all numbers up to it, so that an hour of them is one job. */
static bool
join_gap(struct writer *w, const struct segment *s)
{
	struct segment *tail = w->first;

	while (tail && tail->next)
		tail = tail->next;
	/* the store marks the last number of a span, so one that begins a new time line ends it */
	if (!s->gap || !tail || !tail->gap || tail->discontinuity)
		return false;
	tail->msn = s->msn;
	tail->discontinuity = s->discontinuity;
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
	while (w->waiting >= WRITER_QUEUE)
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
	w->counters.waiting = w->waiting + w->job_count;
	if (w->running || !w->first)
		return;
	if (w->retry_at.ns == 0)
		w->retry_at.ns = now.ns + RETRY_NS;
	if (now.ns >= w->retry_at.ns)
		start(w);
}

void
writer_heal(struct writer *w, struct writer_heal *h)
{
	w->heal = h;
	start(w);
}

bool
writer_heal_withdraw(struct writer *w)
{
	bool waits = w->heal != NULL;

	w->heal = NULL;
	return waits;
}

bool
writer_full(const struct writer *w)
{
	return w->waiting >= WRITER_BUSY;
}

bool
writer_idle(const struct writer *w)
{
	return w->waiting == 0 && !w->running;
}

void
writer_journal(struct writer *w)
{
	/* also the one that a job works on: until that has ended, its last frames are nowhere else */
	for (struct segment *s = w->job; s; s = s->next)
		journal_append(w->config.journal, s);
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
	if (w->first || w->live_waits) {
		job_take(w);
		w->live_waits = false;
		job_run(&w->work);
		stored(w);
	}
	while (w->first) {
		struct segment *s = pop(&w->first, &w->waiting);
		segment_free(&s); /* its journal stays for the next start */
	}
	free(w);
}

const struct writer_counters *
writer_counters(const struct writer *w)
{
	return &w->counters;
}
