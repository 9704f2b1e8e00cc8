/* What comes in and what is on air, as JSON. */
#include "segmenter/status.h"

#include <inttypes.h>
#include <string.h>

static void
put_string(struct text *out, const char *key, const char *value)
{
	text_fmt(out, "\"%s\":\"", key);
	text_json(out, value);
	text_str(out, "\"");
}

/* null for ns 0. */
static void
put_wall(struct text *out, const char *key, struct wall w)
{
	char at[WALL_TEXT_SIZE];

	if (w.ns)
		put_string(out, key, wall_format(w, at));
	else
		text_fmt(out, "\"%s\":null", key);
}

static void
put_id(struct text *out, const uint8_t id[static RUN_ID_SIZE])
{
	text_str(out, "\"");
	for (unsigned i = 0; i < RUN_ID_SIZE; i++)
		text_fmt(out, "%02x", id[i]);
	text_str(out, "\"");
}

static void
put_input(struct text *out, const struct rendition *r, const struct rendition_input *in)
{
	const struct merge_input *m = &r->merge.inputs[in->index];

	text_str(out, "{");
	put_string(out, "name", m->name);
	text_fmt(out, ",\"priority\":%u,\"up\":%s,\"frames\":%" PRIu64 ",\"copies\":%" PRIu64 ",", m->priority,
	    !in->input                      ? "null"
	    : input_counters(in->input)->up ? "true"
					    : "false",
	    m->frames, m->copies);
	put_wall(out, "last", m->last);
	text_str(out, "}");
}

static void
put_run(struct text *out, const struct rendition *r, const struct run *run)
{
	char format[48];

	text_str(out, "{\"id\":");
	put_id(out, run->head.id);
	text_str(out, ",");
	put_string(out, "input", r->merge.inputs[run->input].name);
	text_str(out, ",");
	put_string(out, "format", audio_format_text(&run->head.format, format));
	text_str(out, ",");
	put_wall(out, "first", run->first_wall);
	text_str(out, ",");
	put_wall(out, "last", run->last_wall);
	text_fmt(out,
	    ",\"offset_ms\":%" PRId64 ",\"frames\":%" PRIu64 ",\"copies\":%" PRIu64 ",\"late\":%" PRIu64
	    ",\"lost\":%" PRIu64 ",\"line\":%u,\"paths\":[",
	    run_offset_ns(run) / NS_PER_MS, run->frames, run->copies, run->late, run_lost(run), run->line);
	for (unsigned i = 0; i < FRAME_PATHS; i++)
		text_fmt(out, "%s%" PRIu64, i ? "," : "", run->by_path[i]);
	text_str(out, "]}");
}

static void
put_line(struct text *out, const struct twins *t, unsigned i)
{
	const char *comma = "";

	text_fmt(out, "{\"line\":%u,\"on_air\":%s,\"held\":%" PRIu32 ",\"runs\":[", i,
	    t->on_air == i ? "true" : "false", t->lines[i].held);
	for (unsigned run = 0; run < MERGE_RUNS; run++) {
		if (!(t->lines[i].members >> run & 1))
			continue;
		text_str(out, comma);
		put_id(out, t->runs[run].head.id);
		comma = ",";
	}
	text_str(out, "]}");
}

static void
put_on_air(struct text *out, const struct merge *m)
{
	char format[48];

	text_str(out, "\"on_air\":{");
	if (m->begun && !m->hole && *merge_on_air(m))
		put_string(out, "input", merge_on_air(m));
	else
		text_str(out, "\"input\":null");
	if (m->begun) {
		text_str(out, ",");
		put_string(out, "why", merge_reason_text(m->reason));
		text_str(out, ",");
		put_string(out, "slot", merge_reason_text(m->slot_reason));
		text_str(out, ",");
		put_string(out, "format", audio_format_text(&m->format, format));
		text_str(out, ",");
		put_wall(out, "until", m->next);
	}
	text_str(out, "},\"chosen\":");
	if (m->chosen == MERGE_NONE) {
		text_str(out, "null");
	} else {
		text_str(out, "\"");
		text_json(out, m->inputs[m->chosen].name);
		text_str(out, "\"");
	}
	text_fmt(out,
	    ",\"patience_ms\":%" PRId64 ",\"waited_ms\":%" PRIu64 ",\"fill_frames\":%" PRIu64
	    ",\"late_frames\":%" PRIu64,
	    m->config.patience_ns / NS_PER_MS, m->counters.waited_ns / (uint64_t)NS_PER_MS, m->counters.fill_frames,
	    m->counters.late_frames);
}

static void
put_rendition(struct text *out, const struct rendition *r)
{
	const struct twins *t = &r->merge.twins;
	const char *comma = "";

	text_str(out, "{");
	put_string(out, "name", strchr(r->name, '/') + 1);
	text_str(out, ",");
	put_on_air(out, &r->merge);
	text_str(out, ",\"inputs\":[");
	for (unsigned i = 0; i < r->input_count; i++) {
		text_str(out, i ? "," : "");
		put_input(out, r, &r->inputs[i]);
	}
	text_str(out, "],\"runs\":[");
	for (unsigned i = 0; i < MERGE_RUNS; i++) {
		if (!t->runs[i].used)
			continue;
		text_str(out, comma);
		put_run(out, r, &t->runs[i]);
		comma = ",";
	}
	text_str(out, "],\"lines\":[");
	comma = "";
	for (unsigned i = 0; i < MERGE_RUNS; i++) {
		if (!t->lines[i].used)
			continue;
		text_str(out, comma);
		put_line(out, t, i);
		comma = ",";
	}
	text_str(out, "]}");
}

void
status_write(const struct station *stations, unsigned count, struct text *out)
{
	text_str(out, "{\"stations\":[");
	for (unsigned i = 0; i < count; i++) {
		text_str(out, i ? ",{" : "{");
		put_string(out, "name", stations[i].settings->section.subject[0]);
		text_str(out, ",\"renditions\":[");
		for (unsigned j = 0; j < stations[i].count; j++) {
			text_str(out, j ? "," : "");
			put_rendition(out, &stations[i].renditions[j]);
		}
		text_str(out, "]}");
	}
	text_str(out, "]}\n");
}
