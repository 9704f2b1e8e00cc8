/* /metrics: the counters of all threads, added up. */
#include "origin/counters.h"

#include <stddef.h>
#include <stdio.h>

#include "base/metrics.h"
#include "base/text.h"
#include "origin/handlers.h"
#include "origin/playlist.h"
#include "origin/request.h"
#include "origin/worker.h"

#define METRICS_MOST (4 << 20)

struct totals {
	uint64_t connections, refused, over_limit, timed_out, not_modified, stale, open_errors;
	uint64_t cache_hits, cache_misses, cache_evicted, cache_bytes, cache_items;
	uint64_t uptime_ms;
};

struct requests {
	uint64_t requests, bytes;
};

struct age {
	int64_t newest_ms;
	uint64_t live;
};

#define ROW(structure, field, name, type, divisor, help)                                                               \
	{                                                                                                              \
		"hindcast_origin_" name, help, type, offsetof(struct structure, field), divisor                        \
	}

static const struct metric total_table[] = {
	ROW(totals, connections, "connections", METRIC_GAUGE, 0, "Open connections."),
	ROW(totals, over_limit, "over_limit_total", METRIC_COUNTER, 0,
	    "Connections over a limit, answered 503 or 429."),
	ROW(totals, refused, "refused_total", METRIC_COUNTER, 0, "Connections over a limit, closed without an answer."),
	ROW(totals, timed_out, "timed_out_total", METRIC_COUNTER, 0, "Connections closed while waiting for a request."),
	ROW(totals, not_modified, "not_modified_total", METRIC_COUNTER, 0, "Answers 304."),
	ROW(totals, stale, "stale_total", METRIC_COUNTER, 0, "Requests for a live list that had stopped."),
	ROW(totals, open_errors, "open_errors_total", METRIC_COUNTER, 0, "Files that could not be opened or read."),
	ROW(totals, cache_hits, "cache_hits_total", METRIC_COUNTER, 0, "Look-ups answered from memory."),
	ROW(totals, cache_misses, "cache_misses_total", METRIC_COUNTER, 0, "Look-ups that went to a file."),
	ROW(totals, cache_evicted, "cache_evicted_total", METRIC_COUNTER, 0, "Items that made room for others."),
	ROW(totals, cache_bytes, "cache_bytes", METRIC_GAUGE, 0, "Memory of the cached items."),
	ROW(totals, cache_items, "cache_items", METRIC_GAUGE, 0, "Cached items."),
	ROW(totals, uptime_ms, "uptime_seconds", METRIC_GAUGE, 1000, "Time since the start."),
};

static const struct metric request_table[] = {
	ROW(requests, requests, "requests_total", METRIC_COUNTER, 0, "Requests by kind of route and class of status."),
};

static const struct metric byte_table[] = {
	ROW(requests, bytes, "response_bytes_total", METRIC_COUNTER, 0, "Body bytes of the responses begun."),
};

static const struct metric age_table[] = {
	ROW(age, newest_ms, "newest_segment_age_seconds", METRIC_GAUGE, 1000,
	    "Time since the end of the newest segment with media; no sample while there is none."),
	ROW(age, live, "live", METRIC_GAUGE, 0, "1 while the newest segment is younger than three segments."),
};

#undef ROW

/* One scrape. */
struct scrape {
	struct worker *worker;
	struct totals totals;
	struct requests requests;
	struct age age;
	size_t station, rendition; /* where next_age goes on */
	struct text labels;
	char label_memory[256];
};

static uint64_t
sum(const struct server *s, size_t offset)
{
	uint64_t total = 0;
	for (unsigned i = 0; i < s->options.threads; i++)
		total += atomic_load_explicit(
		    (counter *)(void *)((char *)&s->workers[i].counters + offset), memory_order_relaxed);
	return total;
}

#define SUM(field) sum(s, offsetof(struct counters, field))

static void
add_up(struct scrape *scrape)
{
	struct server *s = scrape->worker->server;
	scrape->totals = (struct totals){
		.connections = atomic_load(&s->limits.connections),
		.refused = atomic_load(&s->limits.refused),
		.over_limit = SUM(over_limit),
		.timed_out = SUM(timed_out),
		.not_modified = SUM(not_modified),
		.stale = SUM(stale),
		.open_errors = SUM(open_errors),
		.cache_hits = SUM(cache_hits),
		.cache_misses = SUM(cache_misses),
		.cache_evicted = SUM(cache_evicted),
		.cache_bytes = SUM(cache_bytes),
		.cache_items = SUM(cache_items),
		.uptime_ms = (uint64_t)((scrape->worker->now.ns - s->started.ns) / NS_PER_MS),
	};
}

static const void *
next_total(void *ctx, unsigned i, const char **labels)
{
	struct scrape *scrape = ctx;
	*labels = "";
	return i == 0 ? &scrape->totals : NULL;
}

static const void *
next_request(void *ctx, unsigned i, const char **labels)
{
	struct scrape *scrape = ctx;
	const struct server *s = scrape->worker->server;
	unsigned kind = i / COUNTERS_CLASSES, class = i % COUNTERS_CLASSES;
	char text[4];

	if (kind >= ROUTE_KINDS)
		return NULL;
	scrape->requests.requests =
	    sum(s, offsetof(struct counters, requests) + (kind * COUNTERS_CLASSES + class) * sizeof(counter));
	text_clear(&scrape->labels);
	metrics_label(&scrape->labels, "route", route_kind_name((enum route_kind)kind));
	snprintf(text, sizeof text, "%uxx", (class + 2) % 10);
	metrics_label(&scrape->labels, "status", text);
	*labels = scrape->labels.data;
	return &scrape->requests;
}

static const void *
next_bytes(void *ctx, unsigned kind, const char **labels)
{
	struct scrape *scrape = ctx;

	if (kind >= ROUTE_KINDS)
		return NULL;
	scrape->requests.bytes = sum(scrape->worker->server, offsetof(struct counters, bytes) + kind * sizeof(counter));
	text_clear(&scrape->labels);
	metrics_label(&scrape->labels, "route", route_kind_name((enum route_kind)kind));
	*labels = scrape->labels.data;
	return &scrape->requests;
}

/* The next rendition that has media; called for n = 0, 1, 2, … until the end, once for each row of the table. */
static const void *
next_age(void *ctx, unsigned n, const char **labels)
{
	struct scrape *scrape = ctx;
	struct worker *w = scrape->worker;

	if (n == 0)
		scrape->station = scrape->rendition = 0;
	for (; scrape->station < w->catalogue->count; scrape->station++, scrape->rendition = 0) {
		const struct catalogue_station *s = &w->catalogue->stations[scrape->station];
		while (scrape->rendition < s->count) {
			const char *name = s->renditions[scrape->rendition++].name;
			struct wall end = playlist_newest_end(w, s, name);
			if (end.ns == 0)
				continue;
			scrape->age.newest_ms = (w->wall.ns - end.ns) / NS_PER_MS;
			scrape->age.live = !playlist_is_stale(w, s, end);
			text_clear(&scrape->labels);
			metrics_label(&scrape->labels, "station", s->name);
			metrics_label(&scrape->labels, "rendition", name);
			*labels = scrape->labels.data;
			return &scrape->age;
		}
	}
	return NULL;
}

void
counters_metrics(struct request *r)
{
	struct scrape scrape = { .worker = r->worker };
	const struct metric_source sources[] = {
		{ total_table, sizeof total_table / sizeof *total_table, next_total, &scrape },
		{ request_table, 1, next_request, &scrape },
		{ byte_table, 1, next_bytes, &scrape },
		{ age_table, sizeof age_table / sizeof *age_table, next_age, &scrape },
	};
	struct text body;

	text_init_fixed(&scrape.labels, scrape.label_memory, sizeof scrape.label_memory);
	text_init(&body, METRICS_MOST);
	add_up(&scrape);
	metrics_write(&body, sources, sizeof sources / sizeof *sources);
	request_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", HTTP_NO_STORE, &body);
	text_fini(&body);
}
