/* Prometheus text exposition (format 0.0.4) from tables: a metric is declared once, with its help, type and unit. */
#ifndef HINDCAST_METRICS_H
#define HINDCAST_METRICS_H

#include <stdint.h>

struct text;

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

/* One row of a table. The value is a uint64_t at `offset` in the object; gauges that can be negative or fractional are
 * int64_t. Both are divided by `divisor`, a power of ten (0 means 1): milliseconds with divisor 1000 are shown as
 * seconds. */
struct metric {
	const char *name; /* "hindcast_input_frames_total" */
	const char *help;
	enum metric_type type;
	uint32_t offset;
	uint32_t divisor;
};

/* The objects that one table is shown for: next(ctx, i) gives the i-th object or NULL, and its labels as
 * `station="fip",rendition="hifi"` (already escaped by metrics_label), or an empty string. */
struct metric_source {
	const struct metric *table;
	unsigned rows;
	const void *(*next)(void *ctx, unsigned i, const char **labels);
	void *ctx;
};

/* All metrics of all sources, each with one HELP and TYPE and then its samples. */
void metrics_write(struct text *out, const struct metric_source *sources, unsigned n);
/* Add name="value" with the escapes of the format; a comma first if `out` is not empty. */
void metrics_label(struct text *out, const char *name, const char *value);

#endif
