/* Merge: what the inputs deliver in, one unbroken stream of slots out. */
#include "segmenter/merge/merge.h"

#include <string.h>

#include "base/log.h"
#include "media/framer.h"
#include "rewind/layout.h"

#define QUEUE_MAX (64 * 1024)

void
merge_init(struct merge *m, const struct merge_config *config)
{
	*m = (struct merge){ .config = *config };
	frame_queue_init(&m->queue, QUEUE_MAX);
}

void
merge_fini(struct merge *m)
{
	frame_queue_fini(&m->queue);
	frame_chunk_release(&m->chunk);
}

static int64_t
duration_ns(const struct merge *m, uint32_t samples)
{
	return samples_to_ns(samples, m->format.rate);
}

/* Where the next slot begins. */
static struct wall
next_wall(const struct merge *m)
{
	return (struct wall){ m->base.ns + samples_to_ns(m->samples, m->format.rate) };
}

/* ---- what comes in */

void
merge_run(struct merge *m, const struct audio_format *format)
{
	if (m->run_frames[m->run_in] == 0 && (!m->begun || m->run_in != m->on_air || m->filling)) {
		m->formats[m->run_in] = *format; /* nothing of the run before is left: its place is free */
	} else {
		unsigned next = (m->run_in + 1) % MERGE_RUNS;
		/* when all places are taken, the oldest run's frames go */
		while (m->run_frames[next] > 0) {
			struct frame f = frame_queue_pop(&m->queue);
			m->run_frames[m->run_out]--;
			m->counters.late_frames++;
			frame_release(&f);
			while (m->run_frames[m->run_out] == 0 && m->run_out != m->run_in)
				m->run_out = (m->run_out + 1) % MERGE_RUNS;
		}
		if (next == m->on_air)
			m->on_air = MERGE_RUNS; /* seven runs have come and gone unheard */
		m->run_in = next;
		m->formats[next] = *format;
	}
	if (m->queue.count == 0)
		m->run_out = m->run_in;
}

void
merge_push(struct merge *m, struct frame f)
{
	if (frame_queue_push(&m->queue, f) < 0) {
		m->counters.queue_full++;
		frame_release(&f);
		return;
	}
	m->run_frames[m->run_in]++;
}

static struct frame
take(struct merge *m)
{
	struct frame f = frame_queue_pop(&m->queue);

	m->run_frames[m->run_out]--;
	while (m->run_frames[m->run_out] == 0 && m->run_out != m->run_in)
		m->run_out = (m->run_out + 1) % MERGE_RUNS;
	return f;
}

static void
drop(struct merge *m, uint64_t *counter)
{
	struct frame f = take(m);

	++*counter;
	frame_release(&f);
}

/* ---- what goes out */

static void
output_format(struct merge *m, const struct audio_format *format)
{
	m->format = *format;
	if (framer_silence(format, m->silence, &m->silence_len, &m->silence_samples) < 0)
		m->silence_len = 0;
}

/* Put the output's position on a real frame. */
static void
output_anchor(struct merge *m, const struct frame *f)
{
	m->base = f->wall;
	m->samples = 0;
}

static uint64_t
slot_msn(const struct merge *m, struct wall at, uint32_t samples)
{
	uint64_t msn = layout_msn(at, duration_ns(m, samples), m->config.T);

	return msn > m->msn ? msn : m->msn;
}

static enum merge_result
give(struct merge *m, struct frame f, bool fill, struct slot *slot)
{
	f.fill = fill;
	*slot = (struct slot){ .frame = f, .format = &m->format };
	slot->msn = slot_msn(m, f.wall, f.samples);
	m->msn = slot->msn;
	m->samples += f.samples;
	m->gap = false;
	if (fill)
		m->counters.fill_frames++;
	else
		m->counters.frames++;
	return MERGE_FRAME;
}

static enum merge_result
give_real(struct merge *m, struct slot *slot)
{
	unsigned run = m->run_out;

	if (m->on_air != run || m->filling)
		m->counters.run_changes++;
	m->on_air = run;
	m->filling = false;
	m->counters.on_fill = 0;
	struct frame f = take(m);
	output_anchor(m, &f);
	return give(m, f, false, slot);
}

static enum merge_result
give_silence(struct merge *m, struct slot *slot)
{
	struct frame f;

	if (frame_make(m->config.pool, &m->chunk, m->silence, m->silence_len, m->silence, 0, &f) < 0)
		return MERGE_WAIT;
	f.samples = m->silence_samples;
	f.wall = next_wall(m);
	return give(m, f, true, slot);
}

/* Does the next slot begin a segment? */
static bool
at_boundary(const struct merge *m)
{
	uint32_t samples = m->silence_samples ? m->silence_samples : 1024;

	return m->gap || layout_msn(next_wall(m), duration_ns(m, samples), m->config.T) > m->msn;
}

/* The frame at hand is the first of its segment. */
static bool
begins_segment(const struct merge *m, const struct frame *f, const struct audio_format *format)
{
	int64_t duration = samples_to_ns(f->samples, format->rate);
	/* times of frames are rounded to nanoseconds: at half a frame before a grid line one decides */
	struct wall before = { f->wall.ns - duration - 1 };

	return layout_msn(f->wall, duration, m->config.T) != layout_msn(before, duration, m->config.T);
}

/* Nothing was ever on air: the output begins with the first frame that begins a segment. */
static enum merge_result
begin(struct merge *m, struct slot *slot)
{
	while (m->queue.count) {
		const struct frame *f = frame_queue_at(&m->queue, 0);
		const struct audio_format *format = &m->formats[m->run_out];
		if (begins_segment(m, f, format)) {
			output_format(m, format);
			m->begun = true;
			m->filling = true; /* until give_real */
			enum merge_result r = give_real(m, slot);
			slot->new_format = true;
			return r;
		}
		drop(m, &m->counters.before_start_frames);
	}
	return MERGE_WAIT;
}

/* From fill to something real, at a boundary. `f` begins the segment that the next slot would begin. */
static enum merge_result
resume_real(struct merge *m, const struct audio_format *format, struct slot *slot)
{
	bool other = !audio_format_equal(format, &m->format);

	if (other)
		output_format(m, format);
	enum merge_result r = give_real(m, slot);
	slot->new_format = other;
	return r;
}

/* While filling: frames that lie before the next slot are too late. True if the frame then at the front can go on air
 * in the next slot. */
static bool
real_at_boundary(struct merge *m)
{
	bool boundary = at_boundary(m);
	uint64_t next = m->gap ? m->msn + 1 : layout_msn(next_wall(m), duration_ns(m, m->silence_samples), m->config.T);

	while (m->queue.count) {
		const struct frame *f = frame_queue_at(&m->queue, 0);
		const struct audio_format *format = &m->formats[m->run_out];
		uint64_t msn = layout_msn(f->wall, samples_to_ns(f->samples, format->rate), m->config.T);
		if (msn > next)
			return false;
		if (msn == next && boundary && begins_segment(m, f, format))
			return audio_format_equal(format, &m->format) || m->config.may_change(m->config.ctx, msn);
		if (msn == next && !boundary)
			return false; /* may yet be wanted at the next boundary, or dropped there */
		drop(m, &m->counters.late_frames);
	}
	return false;
}

/* Something real is at hand, and of another format. */
static bool
is_pending(struct merge *m)
{
	return m->queue.count && !audio_format_equal(&m->formats[m->run_out], &m->format);
}

/* The station's next segment gets no media: its number passes as a gap once its time is over. */
static enum merge_result
give_gap(struct merge *m, struct wall now, struct slot *slot)
{
	uint64_t msn = m->msn + 1;
	struct wall end = layout_grid(msn + 1, m->config.T);

	if (now.ns < end.ns + m->config.patience_ns)
		return MERGE_WAIT;
	m->msn = msn;
	m->gap = true;
	m->base = end;
	m->samples = 0;
	m->counters.gap_segments++;
	*slot = (struct slot){ .msn = msn, .format = &m->format, .pending = is_pending(m) };
	return MERGE_GAP;
}

static bool
fill_is_gap(const struct merge *m, struct wall now)
{
	if (!at_boundary(m))
		return false;
	if (!m->config.fill_silence || m->silence_len == 0 || m->gap)
		return true;
	if (next_wall(m).ns - m->fill_since.ns >= m->config.fill_limit_ns)
		return true;
	/* nobody was there to fill it in its time: the process was away */
	struct wall over = layout_grid(m->msn + 3, m->config.T);
	return now.ns > over.ns + m->config.patience_ns;
}

static enum merge_result
give_fill(struct merge *m, struct wall now, struct slot *slot)
{
	if (!m->filling) {
		m->filling = true;
		m->fill_since = next_wall(m);
	}
	m->counters.on_fill = 1;
	if (fill_is_gap(m, now))
		return give_gap(m, now, slot);
	enum merge_result r = give_silence(m, slot);
	if (r == MERGE_FRAME)
		slot->pending = is_pending(m);
	return r;
}

enum merge_result
merge_next(struct merge *m, struct wall now, struct slot *slot)
{
	if (!m->begun)
		return begin(m, slot);

	struct wall next = next_wall(m);
	int64_t half = duration_ns(m, m->silence_samples) / 2;

	if (m->filling) {
		if (real_at_boundary(m))
			return resume_real(m, &m->formats[m->run_out], slot);
		if (now.ns < next.ns + m->config.patience_ns)
			return MERGE_WAIT;
		return give_fill(m, now, slot);
	}
	bool bridge = false;
	while (m->queue.count) {
		const struct frame *f = frame_queue_at(&m->queue, 0);
		if (m->run_out == m->on_air)
			return give_real(m, slot);
		if (!audio_format_equal(&m->formats[m->run_out], &m->format))
			break;
		if (f->wall.ns < next.ns - half) {
			drop(m, &m->counters.late_frames);
			continue;
		}
		if (f->wall.ns < next.ns + half)
			return give_real(m, slot);
		bridge = f->wall.ns <= next.ns + m->config.patience_ns;
		break;
	}
	if (now.ns < next.ns + m->config.patience_ns)
		return MERGE_WAIT;
	if (bridge && m->silence_len) {
		m->counters.bridged_holes++;
		return give_silence(m, slot);
	}
	return give_fill(m, now, slot);
}

void
merge_resume(struct merge *m, const struct audio_format *format, struct wall next, uint64_t msn, bool boundary)
{
	output_format(m, format);
	if (boundary) {
		/* what a store tells of its end is rounded down to milliseconds; that must not count as the segment
		 * before */
		int64_t first = layout_grid(msn, m->config.T).ns - duration_ns(m, m->silence_samples) / 2;
		if (next.ns < first)
			next.ns = first;
	}
	m->begun = true;
	m->filling = boundary; /* in mid-segment a short hole can still be bridged */
	m->fill_since = next;
	m->on_air = MERGE_RUNS; /* no run */
	m->base = next;
	m->samples = 0;
	m->msn = boundary ? msn - 1 : msn;
	m->gap = false;
}
