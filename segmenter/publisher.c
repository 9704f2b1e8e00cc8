/* Inputs to [publish]. */
#include "segmenter/publisher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "segmenter/rtp_input.h"

/* One input that is published. */
struct tap {
	struct publish_source *source;
	struct input_sink next; /* frame NULL: nobody else wants it */
	struct tap *after;
};

/* One input without a rendition here. */
struct own_input {
	struct input *input; /* NULL: type = rtp */
	char labels[512];
};

struct publisher {
	struct publisher_context context;
	struct publish *publish;
	struct tap *taps;
	struct own_input *own;
	unsigned own_count;
};

static void
on_frame(void *ctx, const struct frame_run *run, struct frame f)
{
	struct tap *t = ctx;
	const struct rtp_frame out = { .data = f.data,
		.len = f.len,
		.samples = f.samples,
		.index = f.index,
		.position = f.position,
		.wall = f.wall };

	publish_frame(t->source, run->id, &run->format, &out);
	if (t->next.frame)
		t->next.frame(t->next.ctx, run, f);
	else
		frame_release(&f);
}

struct input_sink
publisher_tap(struct publisher *p, const char *rendition, const char *input, const struct input_sink *next)
{
	static const struct input_sink nobody;
	char mid[RTP_MID_MAX + 1];

	if (!p)
		return *next;
	struct tap *t = calloc(1, sizeof(*t));
	snprintf(mid, sizeof(mid), "%s", rendition);
	char *slash = strchr(mid, '/');
	if (slash)
		*slash = '.';
	CHECK(t);
	t->source = publish_source(p->publish, mid, input);
	CHECK(t->source);
	t->next = next ? *next : nobody;
	t->after = p->taps;
	p->taps = t;
	return (struct input_sink){ .frame = on_frame, .ctx = t };
}

/* ---- own inputs */

static void
labels_make(struct own_input *o, const char *rendition, const char *input)
{
	const char *slash = strchr(rendition, '/');
	char station[64];
	struct text t;

	text_init_fixed(&t, o->labels, sizeof(o->labels));
	snprintf(station, sizeof(station), "%.*s", (int)(slash ? slash - rendition : 0), rendition);
	metrics_label(&t, "station", station);
	metrics_label(&t, "rendition", slash ? slash + 1 : rendition);
	metrics_label(&t, "input", input);
}

static bool
is_own(const struct config *config, const struct input_settings *s)
{
	return !config_find(config, "rendition", s->section.subject[0]) && s->type != INPUT_RELAY;
}

static int
own_open(struct publisher *p, const struct input_settings *s, struct text *errors)
{
	const struct publisher_context *c = &p->context;
	struct own_input *o = &p->own[p->own_count++];
	struct input_context ic = { .loop = c->loop, .pool = c->pool, .timebase = c->timebase };

	labels_make(o, s->section.subject[0], s->section.subject[1]);
	ic.sink = publisher_tap(p, s->section.subject[0], s->section.subject[1], NULL);
	if (s->type == INPUT_RTP)
		return rtp_input_open(c->rtp_inputs, &ic, s, o->labels, errors);
	return input_open(&ic, s, (struct wall){ 0 }, &o->input, errors);
}

int
publisher_start(struct publisher *p, struct text *errors)
{
	const struct config *config = p->context.config;
	const struct input_settings *s = NULL;
	unsigned n = 0;

	while ((s = config_next(config, "input", s)))
		n += is_own(config, s);
	p->own = calloc(n ? n : 1, sizeof(*p->own));
	if (!p->own) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	while ((s = config_next(config, "input", s)))
		if (is_own(config, s) && own_open(p, s, errors) < 0)
			return -1;
	return 0;
}

/* ---- the whole */

int
publisher_open(const struct publisher_context *context, struct publisher **out, struct text *errors)
{
	struct publisher *p = calloc(1, sizeof(*p));

	if (!p) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	p->context = *context;
	if (publish_open(context->loop, config_next(context->config, "publish", NULL), &p->publish, errors) < 0) {
		free(p);
		return -1;
	}
	*out = p;
	return 0;
}

void
publisher_close(struct publisher **pp)
{
	struct publisher *p = *pp;

	if (!p)
		return;
	*pp = NULL;
	for (unsigned i = 0; i < p->own_count; i++)
		input_close(&p->own[i].input);
	publish_close(&p->publish);
	for (struct tap *t = p->taps, *after; t; t = after) {
		after = t->after;
		free(t);
	}
	free(p->own);
	free(p);
}

void
publisher_tick(struct publisher *p, struct mono now)
{
	struct wall wall = timebase_wall(p->context.timebase, now);

	for (unsigned i = 0; i < p->own_count; i++)
		if (p->own[i].input)
			input_tick(p->own[i].input, now, wall);
	publish_tick(p->publish, now, wall);
}

bool
publisher_healthy(const struct publisher *p, struct text *why)
{
	struct publish_destination_counters c;
	bool any = false, healthy = true;

	for (unsigned i = 0; publish_destination(p->publish, i, &c); i++)
		any |= c.up;
	if (!any)
		text_str(why, "publish: no destination can be reached\n");
	for (unsigned i = 0; i < p->own_count; i++) {
		if (!p->own[i].input || input_counters(p->own[i].input)->up)
			continue;
		text_fmt(why, "input down: %s\n", p->own[i].labels);
		healthy = false;
	}
	return any && healthy;
}

const struct publish *
publisher_publish(const struct publisher *p)
{
	return p->publish;
}

const struct input *
publisher_input(const struct publisher *p, unsigned i, const char **labels)
{
	for (unsigned k = 0; k < p->own_count; k++) {
		if (!p->own[k].input || i-- > 0)
			continue;
		*labels = p->own[k].labels;
		return p->own[k].input;
	}
	return NULL;
}
