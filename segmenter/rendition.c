/* One rendition of a station: its inputs, merge, cut and writer, connected. */
#include "segmenter/rendition.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "rewind/layout.h"

#define PRIORITY_UNTOLD 99 /* of an input that has no section */
#define PATIENCE_NS (1500 * NS_PER_MS)
#define ARRIVED_MAX (4 << 20)
#define CHOSEN_FILE ".input"
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
		if (s->runs.count)
			r->resume_runs = s->runs;
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
	r->resume_runs = resume->runs;
	r->merge.format = resume->format;
	r->merge.msn = resume->next_msn;
}

static int
open_parts(struct rendition *r, const struct rendition_context *context, const struct store_resume *resume, int dirfd,
    struct text *errors)
{
	const char *path;
	struct merge_config merge = { .T = r->T,
		.patience_ns = r->station->patience,
		.settle_ns = r->station->settle,
		.fill_silence = settings_fill(r->station, &path) != FILL_GAP,
		.fill = context->fill,
		.fill_limit_ns = r->station->fill_limit,
		.pool = context->pool,
		.may_change = on_may_change,
		.ctx = r };

	if (merge.patience_ns == 0)
		merge.patience_ns = context->one_input ? (int64_t)r->T * NS_PER_S / 2 : PATIENCE_NS;
	if (merge.patience_ns > (int64_t)r->T * NS_PER_S / 2)
		merge.patience_ns = (int64_t)r->T * NS_PER_S / 2;
	if (context->fill && resume->any && !fill_fits(context->fill, &resume->format)) {
		text_fmt(errors, "%s: [station] fill: the file is of another format than what is stored; want %s\n",
		    r->name, audio_format_text(&resume->format, (char[48]){ 0 }));
		return -1;
	}
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
		.stored = on_stored,
		.ctx = r };
	r->writer = r->journal ? writer_new(&writer) : NULL;
	if (!r->writer) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	return 0;
}

/* The choice of the process before. */
static void
chosen_read(struct rendition *r)
{
	struct text name;

	text_init_fixed(&name, r->chosen, sizeof(r->chosen));
	if (file_read(r->dir, CHOSEN_FILE, &name) < 0 || name.full)
		text_clear(&name);
	r->chosen[strcspn(r->chosen, "\n")] = '\0';
}

int
rendition_open(struct rendition *r, const struct rendition_context *context, const struct station_settings *station,
    const struct rendition_settings *settings, struct text *errors)
{
	const char *name = strchr(settings->section.subject[0], '/') + 1;
	struct store_resume resume;

	*r = (struct rendition){
		.settings = settings, .station = station, .dir = -1, .stored = context->stored, .ctx = context->ctx
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
	r->dir = file_open_beneath(context->root, r->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (r->dir < 0) {
		text_fmt(errors, "%s: cannot open its folder in the store: %s\n", r->name, strerror(-r->dir));
		return -1;
	}
	chosen_read(r);
	int err = open_parts(r, context, &resume, r->dir, errors);
	if (err == 0) {
		resume_from(r, &resume);
		/* before a job runs on the store; the live list may be what a power cut left of it */
		on_stored(r);
		if (store_rendition_live(r->store) < 0)
			log_warn("the live list cannot be written yet rendition=%s", r->name);
		err = recover(r, context, &resume, r->dir);
		if (err < 0)
			text_fmt(errors, "%s: cannot read its journals: %s\n", r->name, strerror(-err));
	}
	return err < 0 ? -1 : 0;
}

/* The process was away for longer than the unfinished segment: it is finished with fill, and what follows is a gap. */
static void
finish_reopened(struct rendition *r, struct wall now)
{
	uint64_t msn = r->cut.open->msn;
	struct wall over = { layout_grid(msn + 1, r->T).ns + r->merge.config.patience_ns + MERGE_SHORT_NS };
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

	if (!r->resume_end.ns)
		return; /* a new rendition: it begins with the first frame that begins a segment */
	if (open) {
		merge_resume(&r->merge, &format, r->resume_end, open->msn, false, &r->resume_runs);
		if (laid_in || now.ns <= layout_grid(open->msn + 2, r->T).ns)
			return;
		finish_reopened(r, now);
	} else {
		uint64_t msn = r->merge.msn;
		if (laid_in || next <= msn + 1) {
			merge_resume(&r->merge, &format, r->resume_end, msn, true, &r->resume_runs);
			return;
		}
	}
	log_warn("was away, what is missing becomes a gap rendition=%s", r->name);
	r->cut.anchored = false;
	merge_resume(&r->merge, &format, layout_grid(next, r->T), next, true, &r->resume_runs);
}

void
rendition_close(struct rendition *r)
{
	if (r->writer)
		rendition_journal(r);
	for (unsigned i = 0; i < r->input_count; i++)
		input_close(&r->inputs[i].input);
	if (r->writer) {
		writer_free(&r->writer);
		merge_fini(&r->merge);
		cut_fini(&r->cut);
	}
	journal_dir_free(&r->journal);
	text_fini(&r->arrived);
	if (r->dir >= 0)
		close(r->dir);
	store_rendition_close(&r->store);
}

/* ---- inputs */

unsigned
rendition_add_input(struct rendition *r, const char *name, unsigned priority, bool one_way)
{
	unsigned i = merge_input(&r->merge, name, priority, one_way);
	struct text labels;

	if (i == MERGE_NONE || i < r->input_count)
		return i;
	struct rendition_input *in = &r->inputs[r->input_count++];
	*in = (struct rendition_input){ .rendition = r, .index = i };
	text_init_fixed(&labels, in->labels, sizeof(in->labels));
	text_str(&labels, r->labels);
	metrics_label(&labels, "input", name);
	if (strcmp(r->chosen, name) == 0)
		merge_choose(&r->merge, i);
	return i;
}

int
rendition_input(struct rendition *r, const char *name)
{
	unsigned i = rendition_add_input(r, name, PRIORITY_UNTOLD, false);

	return i == MERGE_NONE ? -1 : (int)i;
}

void
rendition_push(struct rendition *r, unsigned input, const struct frame_run *run, struct frame f)
{
	merge_push(&r->merge, input, run, f);
}

static void
on_frame(void *ctx, const struct frame_run *run, struct frame f)
{
	struct rendition_input *in = ctx;

	rendition_push(in->rendition, in->index, run, f);
}

struct input_sink
rendition_sink(struct rendition *r, unsigned input)
{
	return (struct input_sink){ .frame = on_frame, .ctx = &r->inputs[input] };
}

void
rendition_history(struct rendition *r, bool coming, struct wall frontier)
{
	r->history = coming;
	r->history_frontier = frontier;
	r->behind |= coming;
}

struct wall
rendition_next(const struct rendition *r)
{
	const struct merge *m = &r->merge;

	if (!m->begun)
		return r->resume_end;
	return (struct wall){ m->base.ns + samples_to_ns(m->samples, m->format.rate) };
}

int
rendition_choose(struct rendition *r, const char *name)
{
	unsigned i = 0;
	int err = 0;

	while (*name && i < r->merge.input_count && strcmp(r->merge.inputs[i].name, name) != 0)
		i++;
	if (*name && i == r->merge.input_count)
		return -ENOENT;
	snprintf(r->chosen, sizeof(r->chosen), "%s", name);
	merge_choose(&r->merge, *name ? i : MERGE_NONE);
	log_info("input chosen by hand rendition=%s input=%s", r->name, *name ? name : "(none)");
	struct file_replace how = { .tmp = ".tmp-input", .name = CHOSEN_FILE, .sync = true };
	if (*name)
		err = file_replace(r->dir, &how, name, strlen(name));
	else if (unlinkat(r->dir, CHOSEN_FILE, 0) < 0 && errno != ENOENT)
		err = -errno;
	if (err < 0)
		log_error("the choice of an input cannot be kept rendition=%s error=\"%s\"", r->name, strerror(-err));
	return err;
}

/* One line a change of what is on air. */
static void
note_slot(struct rendition *r, const struct slot *slot)
{
	const struct merge *m = &r->merge;
	char at[WALL_TEXT_SIZE];

	if (slot->new_format && m->config.fill && !fill_fits(m->config.fill, slot->format))
		log_error("the file of `fill` is of another format than what is on air, silence stands in for it "
			  "rendition=%s format=\"%s\"",
		    r->name, audio_format_text(slot->format, (char[48]){ 0 }));
	bool fill = slot->reason == MERGE_FILL;
	if (fill != r->on_fill || (slot->reason != MERGE_NEXT && slot->reason != MERGE_BRIDGE && !fill))
		log_info("on air rendition=%s input=%s why=%s at=%s", r->name, fill ? "(fill)" : merge_on_air(m),
		    merge_reason_text(slot->reason), wall_format(slot->frame.wall, at));
	r->on_fill = fill;
}

void
rendition_run(struct rendition *r, struct wall now)
{
	struct slot slot;
	struct segment *gap;

	for (;;) {
		/* what is there goes out at once, but what was missed no faster than it can be stored */
		if (r->behind && rendition_next(r).ns >= now.ns)
			return;
		switch (merge_next(&r->merge, now, &slot)) {
		case MERGE_WAIT:
			return;
		case MERGE_FRAME:
			note_slot(r, &slot);
			put(r, cut_frame(&r->cut, &slot), now);
			break;
		case MERGE_GAP:
			put(r, cut_gap(&r->cut, &slot, &gap), now);
			put(r, gap, now);
			break;
		}
	}
}

/* "HCA1", then for each input u8 length, name, u32 length, what input_save gave. */
#define ARRIVED_MAGIC "HCA1"

static void
arrived_write(struct rendition *r, struct input *in, const char *name)
{
	struct text *t = &r->arrived;
	uint8_t n = (uint8_t)strlen(name), len[4] = { 0 };
	size_t begin = t->len;

	if (begin == 0)
		text_str(t, ARRIVED_MAGIC);
	text_add(t, &n, 1);
	text_add(t, name, n);
	size_t at = t->len;
	text_add(t, len, sizeof(len));
	size_t from = t->len;
	input_save(in, t);
	if (t->full || t->len == from) {
		t->len = begin; /* it has nothing, or it does not fit */
		return;
	}
	for (unsigned i = 0; i < sizeof(len); i++)
		t->data[at + i] = (char)((t->len - from) >> 8 * (3 - i));
}

void
rendition_restore(struct rendition *r, unsigned input, struct mono now)
{
	const char *name = r->merge.inputs[input].name;
	struct cursor c = cursor_of(r->arrived.data, r->arrived.len);
	const uint8_t *magic = cursor_left(&c) ? cursor_take(&c, 4) : NULL;

	if (magic && memcmp(magic, ARRIVED_MAGIC, 4) != 0) {
		log_warn("what a process of another version had received is left out rendition=%s", r->name);
		return;
	}
	while (magic && cursor_left(&c)) {
		uint8_t n = cursor_u8(&c);
		const uint8_t *of = cursor_take(&c, n);
		uint32_t len = cursor_u32(&c);
		const uint8_t *bytes = cursor_take(&c, len);
		if (c.bad)
			return;
		if (n == strlen(name) && memcmp(of, name, n) == 0)
			input_restore(r->inputs[input].input, now, bytes, len);
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
	for (unsigned i = 0; i < r->input_count; i++)
		if (r->inputs[i].input)
			arrived_write(r, r->inputs[i].input, r->merge.inputs[i].name);
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
