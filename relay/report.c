/* Metrics from tables. */
#include "relay/report.h"

#include <stddef.h>
#include <stdio.h>

#include "base/metrics.h"
#include "base/text.h"
#include "relay/http.h"
#include "relay/pull.h"
#include "relay/relay.h"
#include "relay/udp.h"

#define LABELS_MOST 256

#define COUNTER(object, field, name, help)                                                                             \
	{                                                                                                              \
		"hindcast_relay_" name, help, METRIC_COUNTER, offsetof(struct object, field), 0                        \
	}
#define GAUGE(object, field, name, help)                                                                               \
	{                                                                                                              \
		"hindcast_relay_" name, help, METRIC_GAUGE, offsetof(struct object, field), 0                          \
	}
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const struct metric relay_table[] = {
	COUNTER(relay_counters, packets, "packets_total", "Packets taken in that were no copies"),
	COUNTER(relay_counters, bytes, "bytes_total", "Their bytes"),
	COUNTER(relay_counters, copies, "copies_total", "Packets that were in the ring already"),
	COUNTER(relay_counters, collisions, "collisions_total", "Sources of one SSRC that named two renditions"),
};

struct dropped {
	uint64_t packets;
};

static const struct metric dropped_table[] = {
	COUNTER(dropped, packets, "dropped_total", "Packets that were not taken, by reason"),
};

static const struct metric ring_table[] = {
	GAUGE(ring_counters, packets, "ring_packets", "Packets in the ring"),
	GAUGE(ring_counters, bytes, "ring_bytes", "Memory of the ring"),
	COUNTER(ring_counters, aged, "ring_aged_total", "Packets that left the ring because they were old"),
	COUNTER(
	    ring_counters, evicted, "ring_evicted_total", "Packets that left it before, because memory was used up"),
};

struct totals {
	uint64_t senders, sources, live, pushed_out, overflows;
};

static const struct metric total_table[] = {
	GAUGE(totals, senders, "senders", "Addresses that send"),
	GAUGE(totals, sources, "sources", "Streams (SSRC), made-up ones included"),
	GAUGE(totals, live, "sources_live", "Streams that are established and send"),
	COUNTER(totals, pushed_out, "sources_pushed_out_total", "Streams that made room for others of their sender"),
	COUNTER(totals, overflows, "udp_overflows_total",
	    "Packets that the kernel dropped because they were not read in time"),
};

static const struct metric http_table[] = {
	GAUGE(http_counters, readers, "readers", "Readers"),
	GAUGE(http_counters, publishers, "publishers", "Publishers by HTTP"),
	COUNTER(http_counters, readers_came, "readers_total", "Readers that came"),
	COUNTER(http_counters, readers_slow, "readers_slow_total", "Readers dropped because they were too slow"),
	COUNTER(http_counters, readers_refused, "readers_refused_total", "Readers refused: their address, or too many"),
	COUNTER(http_counters, read_bytes, "read_bytes_total", "Bytes given to readers"),
	COUNTER(http_counters, publishers_came, "publishers_total", "Publishers that came by HTTP"),
	COUNTER(
	    http_counters, publishers_refused, "publishers_refused_total", "... refused: their address, or too many"),
	COUNTER(http_counters, publishers_broken, "publishers_broken_total", "... hung up on because they sent no RTP"),
};

static const struct metric pull_table[] = {
	GAUGE(pull_counters, up, "upstreams", "Relays of `from` that are connected"),
	COUNTER(pull_counters, connects, "upstream_connects_total", "Connections to them that came up"),
	COUNTER(pull_counters, connect_errors, "upstream_connect_errors_total", "... that did not"),
	COUNTER(pull_counters, disconnects, "upstream_disconnects_total", "... that ended"),
};

struct stream {
	uint64_t packets, silent_ms;
};

static const struct metric stream_table[] = {
	COUNTER(stream, packets, "source_packets_total", "Packets of a live source that were no copies"),
	{ "hindcast_relay_source_silent_seconds", "Time since its newest packet", METRIC_GAUGE,
	    offsetof(struct stream, silent_ms), 1000 },
};

/* One scrape. */
struct scrape {
	const struct report *report;
	struct mono now;
	struct totals totals;
	struct dropped dropped;
	struct stream stream;
	const struct source *source; /* where next_stream is */
	struct text labels;
	char label_memory[LABELS_MOST];
};

static const void *
next_relay(void *ctx, unsigned i, const char **labels)
{
	(void)labels;
	return i == 0 ? &((struct scrape *)ctx)->report->relay->counters : NULL;
}

static const void *
next_dropped(void *ctx, unsigned i, const char **labels)
{
	struct scrape *s = ctx;

	if (i >= DROP_REASONS)
		return NULL;
	text_clear(&s->labels);
	metrics_label(&s->labels, "reason", relay_drop_name((enum relay_drop)i));
	*labels = s->labels.data;
	s->dropped.packets = s->report->relay->counters.dropped[i];
	return &s->dropped;
}

static const void *
next_ring(void *ctx, unsigned i, const char **labels)
{
	(void)labels;
	return i == 0 ? &((struct scrape *)ctx)->report->relay->ring.counters : NULL;
}

static const void *
next_total(void *ctx, unsigned i, const char **labels)
{
	(void)labels;
	return i == 0 ? &((struct scrape *)ctx)->totals : NULL;
}

static const void *
next_http(void *ctx, unsigned i, const char **labels)
{
	(void)labels;
	return i == 0 ? http_counters(((struct scrape *)ctx)->report->http) : NULL;
}

static const void *
next_pull(void *ctx, unsigned i, const char **labels)
{
	(void)labels;
	return i == 0 ? pull_counters(((struct scrape *)ctx)->report->pull) : NULL;
}

/* Called for i = 0, 1, 2, … until the end, once for each row. */
static const void *
next_stream(void *ctx, unsigned i, const char **labels)
{
	struct scrape *s = ctx;
	char ssrc[9], sender[SENDER_TEXT_SIZE];

	if (i == 0)
		s->source = NULL;
	do
		s->source = sources_next(&s->report->relay->sources, s->source);
	while (s->source && !s->source->live);
	if (!s->source)
		return NULL;
	snprintf(ssrc, sizeof ssrc, "%08x", s->source->ssrc);
	text_clear(&s->labels);
	metrics_label(&s->labels, "mid", s->source->name ? s->source->name : "");
	metrics_label(&s->labels, "ssrc", ssrc);
	metrics_label(&s->labels, "sender", sender_text(s->source->sender, sender));
	*labels = s->labels.data;
	s->stream.packets = s->source->received;
	s->stream.silent_ms = (uint64_t)((s->now.ns - s->source->heard.ns) / NS_PER_MS);
	return &s->stream;
}

static uint64_t
count_live(const struct sources *sources)
{
	uint64_t live = 0;

	for (struct source *s = sources_next(sources, NULL); s; s = sources_next(sources, s))
		live += s->live;
	return live;
}

void
report_metrics(const struct report *r, struct mono now, struct text *out)
{
	const struct sources *sources = &r->relay->sources;
	struct scrape s = { .report = r,
		.now = now,
		.totals = { .senders = sources->sender_count,
		    .sources = sources->source_count,
		    .live = count_live(sources),
		    .pushed_out = sources->pushed_out,
		    .overflows = udp_overflows(r->udp) } };
	const struct metric_source tables[] = {
		{ relay_table, ROWS(relay_table), next_relay, &s },
		{ dropped_table, ROWS(dropped_table), next_dropped, &s },
		{ ring_table, ROWS(ring_table), next_ring, &s },
		{ total_table, ROWS(total_table), next_total, &s },
		{ http_table, ROWS(http_table), next_http, &s },
		{ pull_table, ROWS(pull_table), next_pull, &s },
		{ stream_table, ROWS(stream_table), next_stream, &s },
	};

	text_init_fixed(&s.labels, s.label_memory, sizeof s.label_memory);
	metrics_write(out, tables, ROWS(tables));
}

bool
report_healthy(const struct report *r, struct text *why)
{
	if (count_live(&r->relay->sources) == 0)
		text_str(why, "no source sends\n");
	if (http_full(r->http))
		text_str(why, "full: as many readers as max_readers\n");
	return why->len == 0;
}
