/* Prometheus text exposition, format version 0.0.4. */
#include "base/metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* Escapes of the format: backslash and line feed everywhere, the quote in label values only. */
static void
write_escaped(struct text *out, const char *s, bool label)
{
	for (; *s; s++) {
		if (*s == '\n')
			text_str(out, "\\n");
		else if (*s == '\\' || (*s == '"' && label))
			text_fmt(out, "\\%c", *s);
		else
			text_add(out, s, 1);
	}
}

/* Nine digits of fraction are enough for every power of ten that fits a divisor; trailing zeros are left out. */
static void
write_value(struct text *out, const struct metric *m, const void *object)
{
	uint32_t divisor = m->divisor ? m->divisor : 1;
	uint64_t v;

	memcpy(&v, (const char *)object + m->offset, sizeof v);
	if (m->type == METRIC_GAUGE && (int64_t)v < 0) {
		text_str(out, "-");
		v = 0 - v;
	}
	text_fmt(out, "%" PRIu64, v / divisor);
	uint64_t rest = v % divisor;
	if (rest)
		text_str(out, ".");
	for (int digits = 0; rest && digits < 9; digits++, rest %= divisor) {
		rest *= 10;
		text_fmt(out, "%d", (int)(rest / divisor));
	}
	text_str(out, "\n");
}

static void
write_samples(struct text *out, const struct metric_source *source, const struct metric *m)
{
	const char *labels = "";
	const void *object;

	for (unsigned i = 0; (object = source->next(source->ctx, i, &labels)); i++, labels = "") {
		text_str(out, m->name);
		if (labels && *labels)
			text_fmt(out, "{%s}", labels);
		text_str(out, " ");
		write_value(out, m, object);
	}
}

static const struct metric *
find(const struct metric_source *source, const char *name)
{
	for (unsigned row = 0; row < source->rows; row++)
		if (strcmp(source->table[row].name, name) == 0)
			return &source->table[row];
	return NULL;
}

static bool
is_written(const struct metric_source *sources, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (find(&sources[i], name))
			return true;
	return false;
}

/* All lines of one metric must stand together, so samples come from every source that shows it. */
static void
write_metric(struct text *out, const struct metric_source *sources, unsigned n, const struct metric *m)
{
	text_fmt(out, "# HELP %s ", m->name);
	write_escaped(out, m->help, false);
	text_fmt(out, "\n# TYPE %s %s\n", m->name, m->type == METRIC_COUNTER ? "counter" : "gauge");
	for (unsigned i = 0; i < n; i++) {
		const struct metric *same = find(&sources[i], m->name);
		if (same)
			write_samples(out, &sources[i], same);
	}
}

void
metrics_write(struct text *out, const struct metric_source *sources, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		for (unsigned row = 0; row < sources[i].rows; row++) {
			const struct metric *m = &sources[i].table[row];
			if (!is_written(sources, i, m->name))
				write_metric(out, sources + i, n - i, m);
		}
	}
}

void
metrics_label(struct text *out, const char *name, const char *value)
{
	text_fmt(out, "%s%s=\"", out->len ? "," : "", name);
	write_escaped(out, value, true);
	text_str(out, "\"");
}
