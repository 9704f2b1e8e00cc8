/* The segmenter's metrics: tables, and the walk over what they are shown for. */
#include "segmenter/segmenter_metrics.h"

#include <stddef.h>

#include "base/metrics.h"
#include "base/text.h"

#define COUNTER(object, field, name, help)                                                                             \
	{                                                                                                              \
		"hindcast_" name, help, METRIC_COUNTER, offsetof(struct object, field), 0                              \
	}
#define GAUGE(object, field, name, help)                                                                               \
	{                                                                                                              \
		"hindcast_" name, help, METRIC_GAUGE, offsetof(struct object, field), 0                                \
	}
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct metric input_table[] = {
	GAUGE(input_counters, up, "input_up", "1 while a source is connected"),
	COUNTER(input_counters, frames, "input_frames_total", "Whole audio frames found"),
	COUNTER(input_counters, runs, "input_runs_total",
	    "Runs: connections, and parts of them beyond a jump or a change of format"),
	COUNTER(input_counters, jumps, "input_jumps_total", "Runs begun because arrivals jumped by more than a second"),
	COUNTER(input_counters, format_changes, "input_format_changes_total",
	    "Changes of codec, rate or channels within a stream"),
	COUNTER(
	    input_counters, refused, "input_refused_total", "Streams refused because they are no AAC (ADTS) or MP3"),
	COUNTER(input_counters, timeouts, "input_timeouts_total", "Sources given up because no whole frame came"),
	COUNTER(input_counters, frames_damaged, "input_frames_damaged_total",
	    "Frames that were torn or damaged, and left out"),
	COUNTER(input_counters, bytes_skipped, "input_bytes_skipped_total", "Bytes between frames that are no audio"),
	COUNTER(input_counters, tags_skipped, "input_tags_skipped_total",
	    "ID3 tags and Xing, Info or VBRI frames left out"),
	COUNTER(input_counters, frames_dropped, "input_frames_dropped_total",
	    "Frames dropped because memory for frames was used up"),
};

static const struct metric transport_table[] = {
	COUNTER(transport_counters, bytes, "input_bytes_total", "Bytes received"),
	COUNTER(transport_counters, connects, "input_connects_total", "Connections, files or children that began"),
	COUNTER(transport_counters, disconnects, "input_disconnects_total", "... and ended"),
	COUNTER(transport_counters, connect_errors, "input_connect_errors_total",
	    "Attempts to connect, open or start that failed"),
	COUNTER(transport_counters, refused_logins, "input_refused_logins_total",
	    "Sources turned away: wrong password, mount busy, wrong type"),
	COUNTER(transport_counters, titles, "input_titles_total", "Titles received"),
};

static const struct metric supply_table[] = {
	COUNTER(merge_input, frames, "merge_frames_total", "Frames that an input brought, by whatever ways, each once"),
	COUNTER(merge_input, copies, "merge_copies_total",
	    "Frames that an input brought again: by another way, or by a twin"),
};

static const struct metric twins_table[] = {
	COUNTER(twins_counters, copies, "merge_path_copies_total", "Frames of the same run and index, dropped"),
	COUNTER(twins_counters, twins, "merge_twin_frames_total", "Frames that a run with the same frames had brought"),
	COUNTER(
	    twins_counters, joined, "merge_twins_found_total", "Times that runs were found to carry the same frames"),
	COUNTER(twins_counters, parted, "merge_twins_parted_total", "Runs that turned out not to do so any more"),
	COUNTER(twins_counters, runs, "merge_runs_total", "Runs that began"),
	COUNTER(twins_counters, dropped_runs, "merge_runs_dropped_total",
	    "Runs forgotten before their time, because there were too many"),
	COUNTER(twins_counters, full, "merge_full_total",
	    "Frames dropped because too many waited, or because they came from too far ahead"),
};

static const struct metric merge_table[] = {
	COUNTER(merge_counters, frames, "output_frames_total", "Frames on air that came from an input"),
	COUNTER(merge_counters, fill_frames, "output_fill_frames_total", "Frames of fill put where nothing came"),
	COUNTER(merge_counters, gap_segments, "output_gap_segments_total", "Segments without any media"),
	COUNTER(
	    merge_counters, late_frames, "output_late_frames_total", "Frames that came after their slot had passed"),
	COUNTER(merge_counters, spare_frames, "output_spare_frames_total",
	    "Frames of other inputs than the one on air, not needed"),
	COUNTER(merge_counters, before_start_frames, "output_before_start_frames_total",
	    "Frames before the first whole segment"),
	COUNTER(merge_counters, run_changes, "output_run_changes_total", "Changes of what is on air"),
	COUNTER(merge_counters, adjoined, "output_adjoined_total", "... to the next run of the same input"),
	COUNTER(merge_counters, to_backup, "output_to_backup_total", "... because a frame was missing"),
	COUNTER(merge_counters, returned, "output_returned_total", "... back from fill or a hole"),
	COUNTER(merge_counters, at_minute, "output_at_minute_total", "... to a better input at a full minute"),
	COUNTER(merge_counters, chosen, "output_chosen_total", "... to the input chosen by hand"),
	COUNTER(merge_counters, format_changes, "output_format_changes_total", "... to another format"),
	COUNTER(merge_counters, missed_returns, "output_missed_returns_total",
	    "Full minutes at which a better input was good, but its frame did not come in time"),
	COUNTER(merge_counters, bridged_holes, "output_bridged_slots_total",
	    "Slots of holes up to 100 ms that were filled exactly"),
	GAUGE(merge_counters, on_fill, "output_on_fill", "1 while nothing real is on air"),
	{ "hindcast_output_waited_seconds", "Longest that a frame was waited for, in the last full minute",
	    METRIC_GAUGE, offsetof(struct merge_counters, waited_ns), 1000000000 },
};

static const struct metric writer_table[] = {
	COUNTER(writer_counters, failures, "writer_failures_total", "Segments that the store did not take at once"),
	COUNTER(writer_counters, given_up, "writer_given_up_total", "Segments given up, now gaps"),
	GAUGE(writer_counters, waiting, "writer_waiting", "Segments that wait for the disk"),
	GAUGE(
	    writer_counters, newest_msn, "writer_newest_segment", "Media sequence number of the newest segment stored"),
};

static const struct metric store_table[] = {
	COUNTER(store_counters, segments, "store_segments_total", "Segments stored"),
	COUNTER(store_counters, gaps, "store_gaps_total", "Gap entries written"),
	COUNTER(store_counters, bytes, "store_bytes_total", "Bytes of segments stored"),
	COUNTER(store_counters, errors, "store_errors_total", "Failed writes"),
	COUNTER(store_counters, live_lists, "store_live_lists_total", "Live lists written"),
	COUNTER(store_counters, hours_removed, "store_hours_removed_total", "Hours removed by retention"),
	COUNTER(store_counters, hours_removed_for_space, "store_hours_removed_for_space_total",
	    "Hours removed before their time because the disk was full (min_free)"),
};

static const struct metric journal_table[] = {
	COUNTER(journal_counters, bytes, "journal_bytes_total", "Bytes written to journals"),
	COUNTER(journal_counters, errors, "journal_errors_total", "Failed writes of journals"),
};

static const struct metric pool_table[] = {
	GAUGE(frame_pool, used, "frame_memory_bytes", "Memory held for frames"),
	GAUGE(frame_pool, limit, "frame_memory_limit_bytes", "... and its limit"),
	COUNTER(frame_pool, refused, "frame_memory_refused_total", "Frames refused because the limit was reached"),
};

static const struct metric clock_table[] = {
	COUNTER(timebase, steps_forward, "clock_steps_forward_total", "Times that the system clock jumped forward"),
	COUNTER(timebase, steps_backward, "clock_steps_backward_total", "Times that the system clock jumped back"),
	{ "hindcast_clock_error_seconds", "System time minus the time that segments are stamped with", METRIC_GAUGE,
	    offsetof(struct timebase, error_ns), 1000000000 },
};

/* The i-th rendition over all stations. */
static struct rendition *
rendition_at(const struct segmenter_parts *parts, unsigned i)
{
	for (unsigned s = 0; s < parts->station_count; s++) {
		if (i < parts->stations[s].count)
			return &parts->stations[s].renditions[i];
		i -= parts->stations[s].count;
	}
	return NULL;
}

/* The i-th input over all renditions, with its labels. */
static struct rendition_input *
input_at(const struct segmenter_parts *parts, unsigned i, const char **labels)
{
	struct rendition *r;

	for (unsigned n = 0; (r = rendition_at(parts, n)); n++) {
		if (i < r->input_count) {
			*labels = r->inputs[i].labels;
			return &r->inputs[i];
		}
		i -= r->input_count;
	}
	return NULL;
}

static const void *
next_input(void *ctx, unsigned i, const char **labels)
{
	static const struct input_counters none;
	struct rendition_input *in = input_at(ctx, i, labels);

	if (!in)
		return NULL;
	return in->input ? input_counters(in->input) : &none;
}

static const void *
next_transport(void *ctx, unsigned i, const char **labels)
{
	static const struct transport_counters none;
	struct rendition_input *in = input_at(ctx, i, labels);

	if (!in)
		return NULL;
	return in->input ? input_transport_counters(in->input) : &none;
}

static const void *
next_supply(void *ctx, unsigned i, const char **labels)
{
	struct rendition_input *in = input_at(ctx, i, labels);

	return in ? &in->rendition->merge.inputs[in->index] : NULL;
}

static const void *
next_twins(void *ctx, unsigned i, const char **labels)
{
	struct rendition *r = rendition_at(ctx, i);

	if (!r)
		return NULL;
	*labels = r->labels;
	return &r->merge.twins.counters;
}

static const void *
next_merge(void *ctx, unsigned i, const char **labels)
{
	struct rendition *r = rendition_at(ctx, i);

	if (!r)
		return NULL;
	*labels = r->labels;
	return &r->merge.counters;
}

static const void *
next_writer(void *ctx, unsigned i, const char **labels)
{
	struct rendition *r = rendition_at(ctx, i);

	if (!r)
		return NULL;
	*labels = r->labels;
	return writer_counters(r->writer);
}

static const void *
next_store(void *ctx, unsigned i, const char **labels)
{
	struct rendition *r = rendition_at(ctx, i);

	if (!r)
		return NULL;
	*labels = r->labels;
	return store_rendition_counters(r->store);
}

static const void *
single(void *ctx, unsigned i, const char **labels)
{
	*labels = "";
	return i == 0 ? ctx : NULL; /* which may be NULL itself: then there is none */
}

void
segmenter_metrics_write(const struct segmenter_parts *parts, struct text *out)
{
	void *ctx = (void *)(uintptr_t)parts;
	const struct metric_source sources[] = {
		{ input_table, ROWS(input_table), next_input, ctx },
		{ transport_table, ROWS(transport_table), next_transport, ctx },
		{ supply_table, ROWS(supply_table), next_supply, ctx },
		{ twins_table, ROWS(twins_table), next_twins, ctx },
		{ merge_table, ROWS(merge_table), next_merge, ctx },
		{ writer_table, ROWS(writer_table), next_writer, ctx },
		{ store_table, ROWS(store_table), next_store, ctx },
		{ icecast_listener_metrics, ICECAST_LISTENER_METRICS, single, (void *)(uintptr_t)parts->listener },
		{ journal_table, ROWS(journal_table), single, (void *)(uintptr_t)parts->journal },
		{ pool_table, ROWS(pool_table), single, (void *)(uintptr_t)parts->pool },
		{ clock_table, ROWS(clock_table), single, (void *)(uintptr_t)parts->timebase },
	};

	metrics_write(out, sources, ROWS(sources));
}
