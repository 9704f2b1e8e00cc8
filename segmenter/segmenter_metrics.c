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

static const struct metric merge_table[] = {
	COUNTER(merge_counters, frames, "output_frames_total", "Frames on air that came from an input"),
	COUNTER(merge_counters, fill_frames, "output_fill_frames_total", "Frames of silence put where nothing came"),
	COUNTER(merge_counters, gap_segments, "output_gap_segments_total", "Segments without any media"),
	COUNTER(
	    merge_counters, late_frames, "output_late_frames_total", "Frames that came after their slot had passed"),
	COUNTER(merge_counters, before_start_frames, "output_before_start_frames_total",
	    "Frames before the first whole segment"),
	COUNTER(merge_counters, run_changes, "output_run_changes_total", "Changes of the run on air"),
	COUNTER(merge_counters, bridged_holes, "output_bridged_slots_total",
	    "Slots of holes between runs that were filled exactly"),
	COUNTER(merge_counters, queue_full, "output_queue_full_total", "Frames dropped because too many waited"),
	GAUGE(merge_counters, on_fill, "output_on_fill", "1 while nothing real is on air"),
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

static const struct metric heal_table[] = {
	COUNTER(heal_counters, segments, "heal_segments_total", "Segments fetched from peers"),
	COUNTER(heal_counters, bytes, "heal_bytes_total", "Bytes of them"),
	COUNTER(heal_counters, hours, "heal_hours_total", "Hour files written anew with them"),
	COUNTER(heal_counters, refused_listing, "heal_refused_hours_total", "Hour files of peers that were refused"),
	COUNTER(heal_counters, refused_segment, "heal_refused_segments_total",
	    "Segments of peers that were refused: not what their entries say"),
	COUNTER(heal_counters, refused_present, "heal_refused_names_total",
	    "Segments of peers not taken because another file has the name"),
	COUNTER(heal_counters, peer_failures, "heal_peer_failures_total",
	    "Requests that a peer did not answer, or too slowly, or broke off"),
	GAUGE(heal_counters, peers_down, "heal_peers_down", "Peers that are away"),
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

static const void *
next_input(void *ctx, unsigned i, const char **labels)
{
	static const struct input_counters none;
	struct rendition *r = rendition_at(ctx, i);

	if (!r)
		return NULL;
	*labels = r->labels;
	return r->input ? input_counters(r->input) : &none;
}

static const void *
next_transport(void *ctx, unsigned i, const char **labels)
{
	static const struct transport_counters none;
	struct rendition *r = rendition_at(ctx, i);

	if (!r)
		return NULL;
	*labels = r->labels;
	return r->input ? input_transport_counters(r->input) : &none;
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
		{ merge_table, ROWS(merge_table), next_merge, ctx },
		{ writer_table, ROWS(writer_table), next_writer, ctx },
		{ store_table, ROWS(store_table), next_store, ctx },
		{ icecast_listener_metrics, ICECAST_LISTENER_METRICS, single, (void *)(uintptr_t)parts->listener },
		{ journal_table, ROWS(journal_table), single, (void *)(uintptr_t)parts->journal },
		{ heal_table, ROWS(heal_table), single, (void *)(uintptr_t)parts->heal },
		{ pool_table, ROWS(pool_table), single, (void *)(uintptr_t)parts->pool },
		{ clock_table, ROWS(clock_table), single, (void *)(uintptr_t)parts->timebase },
	};

	metrics_write(out, sources, ROWS(sources));
}
