/* The stations in force. */
#include "origin/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "origin/settings.h"
#include "rewind/zone.h"

static char *
copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

/* Take over one station; what could not be allocated stays NULL, which `complete` finds. */
static void
fill_station(const struct config *c, const struct station_settings *s, struct catalogue_station *out)
{
	char name[64], subject[160];
	const char *cursor = s->renditions;

	out->name = copy(s->section.subject[0]);
	out->title = copy(s->title ? s->title : s->section.subject[0]);
	out->timezone = copy(s->timezone ? s->timezone : "UTC");
	out->T = (uint32_t)(s->segment / NS_PER_S);
	out->programmes = s->programmes != NULL;
	out->window = (uint32_t)(s->window / s->segment);
	out->retention_ns = s->retention;
	out->max_span_ns = s->max_span;
	out->zone = zone_new(out->timezone ? out->timezone : "UTC");
	while (settings_next_rendition(&cursor, name))
		out->count++;
	out->renditions = calloc(out->count ? out->count : 1, sizeof *out->renditions);
	cursor = s->renditions;
	for (size_t i = 0; out->renditions && i < out->count && settings_next_rendition(&cursor, name); i++) {
		snprintf(subject, sizeof subject, "%s/%s", s->section.subject[0], name);
		const struct rendition_settings *r = config_find(c, "rendition", subject);
		out->renditions[i].name = copy(name);
		out->renditions[i].packed = r && r->format == CONTAINER_PACKED;
		out->renditions[i].bitrate = r ? r->bitrate : 0;
	}
}

static bool
complete(const struct catalogue *k)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct catalogue_station *s = &k->stations[i];
		if (!s->name || !s->title || !s->timezone || !s->zone || !s->renditions)
			return false;
		for (size_t j = 0; j < s->count; j++)
			if (!s->renditions[j].name)
				return false;
	}
	return true;
}

struct catalogue *
catalogue_new(struct config *c)
{
	const struct origin_settings *o = origin_settings_of(c);
	struct catalogue *k = calloc(1, sizeof *k);
	size_t n = 0;

	if (!k || !o)
		goto fail;
	atomic_init(&k->refs, 1);
	k->stale = o->stale;
	k->edge_tokens = copy(o->edge_tokens);
	for (const struct station_settings *s = NULL; (s = config_next(c, "station", s));)
		n++;
	k->stations = calloc(n ? n : 1, sizeof *k->stations);
	if (!k->stations || (o->edge_tokens && !k->edge_tokens))
		goto fail;
	for (const struct station_settings *s = NULL; (s = config_next(c, "station", s));)
		fill_station(c, s, &k->stations[k->count++]);
	if (complete(k))
		return k;
fail:
	catalogue_unref(&k);
	return NULL;
}

struct catalogue *
catalogue_ref(struct catalogue *k)
{
	atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	return k;
}

static void
free_station(struct catalogue_station *s)
{
	for (size_t i = 0; s->renditions && i < s->count; i++)
		free(s->renditions[i].name);
	free(s->renditions);
	free(s->name);
	free(s->title);
	free(s->timezone);
	zone_free(&s->zone);
}

void
catalogue_unref(struct catalogue **k)
{
	struct catalogue *c = *k;

	*k = NULL;
	if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < c->count; i++)
		free_station(&c->stations[i]);
	free(c->stations);
	free(c->edge_tokens);
	free(c);
}

const struct catalogue_station *
catalogue_station(const struct catalogue *k, const char *name)
{
	for (size_t i = 0; i < k->count; i++)
		if (!strcmp(k->stations[i].name, name))
			return &k->stations[i];
	return NULL;
}
