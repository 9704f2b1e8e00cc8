/* One rendition of a station: its input, merge, cut and writer, connected. */
#include "segmenter/rendition.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "rewind/layout.h"

#define PATIENCE_NS (1500 * NS_PER_MS)
#define ARRIVED_MAX (4 << 20)
#define ARRIVED_KEPT 4096 /* memory; a run's first second needs more, what comes then less */

static void
labels_make(struct rendition *r)
{
	struct text t;
	const char *slash = strchr(r->name, '/');
	char station[64];

	snprintf(station, sizeof(station), "%.*s", (int)(slash - r->name), r->name);
	text_init_fixed(&t, r->labels, sizeof(r->labels));
	metrics_label(&t, "station", station);
	metrics_label(&t, "rendition", slash + 1);
}

static void
on_stored(void *ctx)
{
	struct rendition *r = ctx;

	r->has_variant = store_rendition_variant(r->store, &r->variant);
	r->variant.rendition = strchr(r->name, '/') + 1;
	if (r->has_variant && r->variant.peak == 0)
		r->variant.peak = r->variant.mean = (uint32_t)r->settings->bitrate;
	r->variant.peak = list_rate_step(r->variant.peak);
	r->variant.mean = list_rate_step(r->variant.mean);
	r->stored(r->ctx);
}

static bool
on_may_change(void *ctx, uint64_t msn)
{
	struct rendition *r = ctx;

	return epoch_at(r->cut.epoch, msn);
}

static void
put(struct rendition *r, struct segment *s, struct wall now)
{
	if (s)
		writer_put(r->writer, s, now);
}

/* What was journalled: complete segments are put, the last one is open again. */
static int
recover(struct rendition *r, const struct rendition_context *context, const struct store_resume *resume, int dirfd)
{
	struct segment *list;
	int err = journal_recover(dirfd, resume->next_msn ? resume->next_msn - 1 : 0, context->pool, &list);

	while (list) {
		struct segment *s = list;
		list = s->next;
		s->next = NULL;
		uint32_t mended = list ? segment_mend(s, list, context->pool) : 0;
		r->resume_end = segment_end(s);
		if (mended)
			log_warn("journal torn, silence stands in rendition=%s msn=%" PRIu64 " frames=%u", r->name,
			    s->msn, mended);
		if (list) {
			put(r, s, context->now);
		} else {
			char at[WALL_TEXT_SIZE];
			log_info("unfinished segment found in the journal rendition=%s msn=%" PRIu64
				 " frames=%u until=%s",
			    r->name, s->msn, s->count, wall_format(r->resume_end, at));
			cut_reopen(&r->cut, s);
		}
	}
	return err;
}

static void
resume_from(struct rendition *r, const struct store_resume *resume)
{
	if (!resume->any)
		return;
	const struct hour_entry *last = &resume->last;
	bool contiguous = last->msn + 1 == resume->next_msn;
	cut_resume(&r->cut, last->anchor, last->sample, last->samples, resume->format.rate, last->start, contiguous);
	epoch_resume(r->cut.epoch, resume->discontinuity_sequence);
	epoch_report(r->cut.epoch, r->cut.rendition, last->msn, r->cut.offset, last->pending);
	r->resume_end = resume->end;
	r->merge.format = resume->format;
	r->merge.msn = resume->next_msn;
}

/* A store that is empty, or lags behind by a segment, goes on where a peer is. */
static void
ask_peer(struct rendition *r, const struct rendition_context *context, const struct store_resume *resume)
{
	uint64_t since = resume->next_msn ? resume->next_msn - 1 : 0;
	const char *slash = strchr(r->name, '/');
	char station[64];

	if (since && context->now.ns <= layout_grid(since + 2, r->T).ns)
		return;
	snprintf(station, sizeof(station), "%.*s", (int)(slash - r->name), r->name);
	join_ask(context->join, station, slash + 1, r->T, since, context->now, &r->join);
}

/* What the peer knows of joint decisions, the numbers of discontinuities among them. */
static void
join_epoch(struct rendition *r)
{
	const struct join_position *j = &r->join;

	for (size_t i = 0; i < j->recent_count; i++) {
		const struct hour_entry *e = &j->recent[i];
		int64_t offset = e->gap ? -1 : cut_offset(e->anchor, e->sample, j->formats[i].rate, e->start);
		epoch_report(r->cut.epoch, r->cut.rendition, e->msn, offset, e->pending);
	}
	epoch_resume(r->cut.epoch, j->discontinuity_sequence);
	cut_join(&r->cut, j->last.anchor, j->last.sample, j->last.samples, j->format.rate, j->last.start);
}

/* Gaps with the discontinuities that the peer had meanwhile, from number `from` up to, not including, `end`. */
static void
join_gaps(struct rendition *r, uint64_t from, uint64_t end, struct wall now)
{
	for (size_t i = 0; i < r->join.count; i++) {
		uint64_t msn = r->join.discontinuities[i];
		struct segment *gap = msn >= from && msn < end ? calloc(1, sizeof(*gap)) : NULL;
		if (!gap)
			continue;
		gap->msn = msn;
		gap->gap = gap->discontinuity = true;
		put(r, gap, now);
	}
}

static int
open_parts(struct rendition *r, const struct rendition_context *context, const struct store_resume *resume, int dirfd,
    struct text *errors)
{
	struct merge_config merge = { .T = r->T,
		.fill_silence = r->station->fill == FILL_SILENCE,
		.fill_limit_ns = r->station->fill_limit,
		.pool = context->pool,
		.may_change = on_may_change,
		.ctx = r };

	merge.patience_ns = context->tcp_only ? (int64_t)r->T * NS_PER_S / 2 : PATIENCE_NS;
	if (merge.patience_ns > (int64_t)r->T * NS_PER_S / 2)
		merge.patience_ns = (int64_t)r->T * NS_PER_S / 2;
	merge_init(&r->merge, &merge);
	cut_init(&r->cut, context->epoch, context->index);
	text_init(&r->arrived, ARRIVED_MAX);
	r->journal = journal_dir_new(context->journals, dirfd);
	if (r->journal)
		journal_recover_input(r->journal, &r->arrived);
	struct writer_config writer = { .loop = context->loop,
		.store = r->store,
		.journal = r->journal,
		.packed = r->settings->format == CONTAINER_PACKED,
		.timed_id3 = r->settings->timed_id3,
		.name = r->name,
		.newest_msn = resume->any ? resume->last.msn : 0,
		.newest_entry = resume->next_msn ? resume->next_msn - 1 : 0,
		.stored = on_stored,
		.ctx = r };
	r->writer = r->journal ? writer_new(&writer) : NULL;
	if (!r->writer) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	return 0;
}

int
rendition_open(struct rendition *r, const struct rendition_context *context, const struct station_settings *station,
    const struct rendition_settings *settings, struct text *errors)
{
	const char *name = strchr(settings->section.subject[0], '/') + 1;
	struct store_resume resume;

	*r = (struct rendition){
		.settings = settings, .station = station, .stored = context->stored, .ctx = context->ctx
	};
	r->T = (uint32_t)(station->segment / NS_PER_S);
	snprintf(r->name, sizeof(r->name), "%s", settings->section.subject[0]);
	labels_make(r);
	struct store_rendition_config store = { .root = context->root,
		.station = station->section.subject[0],
		.name = name,
		.T = r->T,
		.window = (uint32_t)((station->window + station->segment - 1) / station->segment),
		.packed = settings->format == CONTAINER_PACKED,
		.sync = context->store->sync == SYNC_SEGMENT,
		.retention_ns = station->retention,
		.max_span_ns = station->max_span,
		.min_free = context->store->min_free };
	if (store_rendition_open(&store, context->now, &r->store, &resume, errors) < 0)
		return -1;
	int dirfd = file_open_beneath(context->root, r->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dirfd < 0) {
		text_fmt(errors, "%s: cannot open its folder in the store: %s\n", r->name, strerror(-dirfd));
		return -1;
	}
	int err = open_parts(r, context, &resume, dirfd, errors);
	if (err == 0) {
		resume_from(r, &resume);
		ask_peer(r, context, &resume);
		/* before a job runs on the store; the live list may be what a power cut left of it */
		on_stored(r);
		if (store_rendition_live(r->store) < 0)
			log_warn("the live list cannot be written yet rendition=%s", r->name);
		err = recover(r, context, &resume, dirfd);
		if (err < 0)
			text_fmt(errors, "%s: cannot read its journals: %s\n", r->name, strerror(-err));
	}
	close(dirfd);
	return err < 0 ? -1 : 0;
}

/* The process was away for longer than the unfinished segment: it is finished with fill, and what follows is a gap. */
static void
finish_reopened(struct rendition *r, struct wall now)
{
	uint64_t msn = r->cut.open->msn;
	struct wall over = { layout_grid(msn + 1, r->T).ns + r->merge.config.patience_ns };
	struct slot slot;

	while (merge_next(&r->merge, over, &slot) == MERGE_FRAME) {
		if (slot.msn != msn) {
			frame_release(&slot.frame);
			break;
		}
		put(r, cut_frame(&r->cut, &slot), now);
	}
	put(r, cut_end(&r->cut), now);
}

void
rendition_resume(struct rendition *r, struct wall now, bool laid_in)
{
	struct segment *open = r->cut.open;
	struct audio_format format = open ? open->format : r->merge.format;
	uint64_t next = layout_msn(now, 0, r->T) + 1;

	if (!r->resume_end.ns && r->join.any)
		join_epoch(r);
	if (!r->resume_end.ns)
		return; /* a new rendition: it begins with the first frame that begins a segment */
	if (open) {
		merge_resume(&r->merge, &format, r->resume_end, open->msn, false);
		if (laid_in || now.ns <= layout_grid(open->msn + 2, r->T).ns)
			return;
		finish_reopened(r, now);
	} else {
		uint64_t msn = r->merge.msn;
		if (laid_in || next <= msn + 1) {
			merge_resume(&r->merge, &format, r->resume_end, msn, true);
			return;
		}
	}
	log_warn("was away, what is missing becomes a gap rendition=%s", r->name);
	r->cut.anchored = false;
	if (r->join.any) {
		join_gaps(r, r->merge.msn, next, now);
		join_epoch(r);
		format = r->join.format;
	}
	merge_resume(&r->merge, &format, layout_grid(next, r->T), next, true);
}

void
rendition_close(struct rendition *r)
{
	if (r->writer)
		rendition_journal(r);
	input_close(&r->input);
	if (r->writer) {
		writer_free(&r->writer);
		merge_fini(&r->merge);
		cut_fini(&r->cut);
	}
	journal_dir_free(&r->journal);
	text_fini(&r->arrived);
	store_rendition_close(&r->store);
}

static void
on_run(void *ctx, const struct audio_format *format)
{
	struct rendition *r = ctx;

	merge_run(&r->merge, format);
}

static void
on_frame(void *ctx, struct frame f)
{
	struct rendition *r = ctx;

	merge_push(&r->merge, f);
}

struct input_sink
rendition_sink(struct rendition *r)
{
	return (struct input_sink){ .run = on_run, .frame = on_frame, .ctx = r };
}

void
rendition_run(struct rendition *r, struct wall now)
{
	struct slot slot;
	struct segment *gap;

	for (;;) {
		switch (merge_next(&r->merge, now, &slot)) {
		case MERGE_WAIT:
			return;
		case MERGE_FRAME:
			put(r, cut_frame(&r->cut, &slot), now);
			break;
		case MERGE_GAP:
			put(r, cut_gap(&r->cut, &slot, &gap), now);
			put(r, gap, now);
			break;
		}
	}
}

void
rendition_journal(struct rendition *r)
{
	/* in the order of their numbers: what is behind one that is missing would be found, and the hole stay */
	writer_journal(r->writer);
	if (r->cut.open)
		journal_append(r->journal, r->cut.open);
	/* last: what is in a segment by now must not be taken for new if only a part of this is written */
	text_clear(&r->arrived);
	if (r->input)
		input_save(r->input, &r->arrived);
	journal_input(r->journal, &r->arrived);
	if (r->arrived.size > ARRIVED_KEPT)
		text_fini(&r->arrived);
}

void
rendition_end(struct rendition *r, struct wall now)
{
	put(r, cut_end(&r->cut), now);
	r->ended = true;
}
