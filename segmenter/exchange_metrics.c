/* Metrics of [publish], [subscribe] and inputs of type = rtp: tables, and the walk over what they are shown for. */
#include "segmenter/exchange_metrics.h"

#include <stddef.h>

#include "base/text.h"
#include "segmenter/publisher.h"
#include "segmenter/rtp_input.h"
#include "segmenter/segmenter_metrics.h"
#include "segmenter/subscriber.h"

#define COUNTER(object, field, name, help)                                                                             \
	{                                                                                                              \
		"hindcast_" name, help, METRIC_COUNTER, offsetof(struct object, field), 0                              \
	}
#define GAUGE(object, field, name, help)                                                                               \
	{                                                                                                              \
		"hindcast_" name, help, METRIC_GAUGE, offsetof(struct object, field), 0                                \
	}
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct metric publish_table[] = {
	GAUGE(publish_counters, sources, "publish_inputs", "Inputs that are published"),
	COUNTER(publish_counters, runs, "publish_runs_total", "Runs that were published"),
	COUNTER(publish_counters, frames, "publish_frames_total", "Frames that were published"),
	COUNTER(publish_counters, packets, "publish_packets_total", "Packets made of them"),
	COUNTER(publish_counters, frames_refused, "publish_frames_refused_total",
	    "Frames that cannot be sent, such as ADTS frames of several blocks"),
	COUNTER(publish_counters, frames_old, "publish_frames_old_total",
	    "Frames not sent because they lie more than a minute from the present"),
	COUNTER(publish_counters, queue_full, "publish_queue_full_total",
	    "Packets not sent by UDP because too many waited"),
};

static const struct metric destination_table[] = {
	GAUGE(publish_destination_counters, up, "publish_up",
	    "1 while a destination is connected, or its address is known (UDP)"),
	COUNTER(publish_destination_counters, packets, "publish_sent_packets_total", "Packets sent to a destination"),
	COUNTER(publish_destination_counters, bytes, "publish_sent_bytes_total", "... and their bytes"),
	COUNTER(publish_destination_counters, dropped, "publish_dropped_packets_total",
	    "Packets not sent: no address, or a queue was full"),
	COUNTER(publish_destination_counters, errors, "publish_refused_packets_total",
	    "Packets that the system refused: nobody listens there, no route"),
	COUNTER(publish_destination_counters, connects, "publish_connects_total", "HTTP connections that began"),
	COUNTER(publish_destination_counters, disconnects, "publish_disconnects_total", "... and ended"),
	COUNTER(publish_destination_counters, connect_errors, "publish_connect_errors_total",
	    "Attempts to connect, or to look up a name, that failed"),
	GAUGE(publish_destination_counters, queued, "publish_queued_bytes", "Bytes that wait for an HTTP connection"),
};

static const struct metric subscribe_table[] = {
	COUNTER(subscribe_counters, frames, "subscribe_frames_total", "Frames from relays, each once"),
	COUNTER(subscribe_counters, frames_unknown, "subscribe_frames_unknown_total",
	    "Frames of renditions that nobody here asked for"),
	COUNTER(
	    subscribe_counters, frames_broken, "subscribe_frames_broken_total", "Frames of which fragments never came"),
	GAUGE(subscribe_counters, runs, "subscribe_runs", "Runs that come, or came a short time ago"),
	GAUGE(subscribe_counters, kept_bytes, "subscribe_kept_bytes", "Bytes of packets whose run is not known yet"),
	COUNTER(subscribe_counters, malformed, "subscribe_malformed_total", "Packets that are no RTP"),
	COUNTER(
	    subscribe_counters, foreign, "subscribe_foreign_total", "Packets that are not from a publisher of ours"),
	COUNTER(subscribe_counters, mismatched, "subscribe_mismatched_total",
	    "Packets whose SSRC or numbers are not those of their run"),
	COUNTER(subscribe_counters, forged, "subscribe_forged_total",
	    "Packets whose tag is wrong: another key, or damaged"),
	COUNTER(
	    subscribe_counters, in_clear, "subscribe_in_clear_total", "Packets in the clear although there is a key"),
	COUNTER(subscribe_counters, no_key, "subscribe_no_key_total", "Protected packets, and there is no key"),
	COUNTER(subscribe_counters, bad_payload, "subscribe_bad_payload_total", "Packets whose payload is no frames"),
	COUNTER(subscribe_counters, bad_names, "subscribe_bad_names_total",
	    "Packets whose names or format cannot be, or change within a run"),
	COUNTER(subscribe_counters, no_room, "subscribe_no_room_total",
	    "Packets dropped because there was no room for another run, packet or fragment"),
};

static const struct metric path_table[] = {
	GAUGE(subscribe_path_counters, up, "subscribe_up", "1 while a relay is connected"),
	COUNTER(subscribe_path_counters, packets, "subscribe_packets_total", "Packets that came from a relay"),
	COUNTER(subscribe_path_counters, copies, "subscribe_copies_total",
	    "... of which this many had come before, from it or another one"),
	COUNTER(
	    subscribe_path_counters, lost, "subscribe_lost_total", "Packets between those that did not come from it"),
	COUNTER(subscribe_path_counters, bytes, "subscribe_bytes_total", "Bytes that came from it"),
	COUNTER(subscribe_path_counters, connects, "subscribe_connects_total", "Connections that began"),
	COUNTER(subscribe_path_counters, disconnects, "subscribe_disconnects_total", "... and ended"),
	COUNTER(subscribe_path_counters, connect_errors, "subscribe_connect_errors_total",
	    "Attempts to connect that failed"),
	COUNTER(subscribe_path_counters, overflows, "subscribe_overflows_total",
	    "UDP: packets that the kernel dropped because they were not read in time"),
};

static const struct metric rtp_table[] = {
	GAUGE(rtp_input_counters, up, "rtp_up", "type = rtp: 1 while frames come"),
	GAUGE(rtp_input_counters, by_arrival, "rtp_by_arrival",
	    "1 while frames are stamped by arrival and not by the sender's time"),
	COUNTER(rtp_input_counters, bytes, "rtp_bytes_total", "Bytes received"),
	COUNTER(rtp_input_counters, runs, "rtp_runs_total", "Runs"),
	COUNTER(rtp_input_counters, frames_dropped, "rtp_frames_dropped_total",
	    "Frames dropped because memory for frames was used up"),
	COUNTER(rtp_input_counters, time_refused, "rtp_time_refused_total",
	    "Times of the sender that were not used, because its clock differs from ours"),
	COUNTER(rtp_input_counters, stream.packets, "rtp_packets_total", "Packets taken, each once"),
	COUNTER(rtp_input_counters, stream.copies, "rtp_copies_total", "Packets that had come before"),
	COUNTER(rtp_input_counters, stream.lost, "rtp_lost_total", "Packets that did not come in time"),
	COUNTER(rtp_input_counters, stream.late, "rtp_late_total", "... of which this many came after all"),
	COUNTER(rtp_input_counters, stream.malformed, "rtp_malformed_total",
	    "Packets that are no RTP, or not what the SDP file says"),
	COUNTER(
	    rtp_input_counters, stream.strangers, "rtp_strangers_total", "Packets of another source or payload type"),
	COUNTER(rtp_input_counters, stream.sources, "rtp_sources_total", "Sources (SSRC) that began"),
	COUNTER(rtp_input_counters, stream.reports, "rtp_reports_total", "Sender reports (RTCP)"),
	COUNTER(rtp_input_counters, stream.frames, "rtp_frames_total", "Whole frames"),
	COUNTER(
	    rtp_input_counters, stream.frames_broken, "rtp_frames_broken_total", "Frames that were torn or damaged"),
};

static const void *
next_publish(void *ctx, unsigned i, const char **labels)
{
	const struct exchange_view *v = ctx;

	*labels = "";
	return i == 0 && v->parts->publisher ? publish_counters(publisher_publish(v->parts->publisher)) : NULL;
}

static void
label(struct exchange_view *v, const char *name, const char *value)
{
	struct text t;

	text_init_fixed(&t, v->labels, sizeof(v->labels));
	metrics_label(&t, name, value);
}

static const void *
next_destination(void *ctx, unsigned i, const char **labels)
{
	struct exchange_view *v = ctx;
	const char *shown = v->parts->publisher
				? publish_destination(publisher_publish(v->parts->publisher), i, &v->destination)
				: NULL;

	if (!shown)
		return NULL;
	label(v, "to", shown);
	*labels = v->labels;
	return &v->destination;
}

static const void *
next_subscribe(void *ctx, unsigned i, const char **labels)
{
	const struct exchange_view *v = ctx;

	*labels = "";
	return i == 0 && v->parts->subscriber ? subscribe_counters(subscriber_subscribe(v->parts->subscriber)) : NULL;
}

static const void *
next_path(void *ctx, unsigned i, const char **labels)
{
	struct exchange_view *v = ctx;
	const char *shown =
	    v->parts->subscriber ? subscribe_path(subscriber_subscribe(v->parts->subscriber), i, &v->path) : NULL;

	if (!shown)
		return NULL;
	label(v, "from", shown);
	*labels = v->labels;
	return &v->path;
}

static const void *
next_rtp(void *ctx, unsigned i, const char **labels)
{
	const struct exchange_view *v = ctx;

	return v->parts->rtp_inputs ? rtp_inputs_at(v->parts->rtp_inputs, i, labels) : NULL;
}

void
exchange_metrics(
    struct exchange_view *v, const struct segmenter_parts *parts, struct metric_source out[static EXCHANGE_SOURCES])
{
	v->parts = parts;
	out[0] = (struct metric_source){ publish_table, ROWS(publish_table), next_publish, v };
	out[1] = (struct metric_source){ destination_table, ROWS(destination_table), next_destination, v };
	out[2] = (struct metric_source){ subscribe_table, ROWS(subscribe_table), next_subscribe, v };
	out[3] = (struct metric_source){ path_table, ROWS(path_table), next_path, v };
	out[4] = (struct metric_source){ rtp_table, ROWS(rtp_table), next_rtp, v };
}
