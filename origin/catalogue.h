/* The stations that the configuration describes: what is read again on SIGHUP. Immutable and shared by all threads. */
#ifndef HINDCAST_CATALOGUE_H
#define HINDCAST_CATALOGUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct zone;

struct catalogue_rendition {
	char *name;
	bool packed;
	int64_t bitrate; /* bit/s as configured, 0: not said */
};

struct catalogue_station {
	char *name, *title, *timezone;
	uint32_t T;           /* seconds */
	uint32_t window;      /* of the live list, in segments */
	int64_t retention_ns; /* what is advertised */
	int64_t max_span_ns;  /* longest list over a span */
	struct zone *zone;    /* of `timezone` */
	bool programmes;      /* it has a calendar */
	struct catalogue_rendition *renditions;
	size_t count;
};

struct catalogue {
	atomic_uint refs;
	struct catalogue_station *stations;
	size_t count;
	int stale;         /* enum stale_policy */
	char *edge_tokens; /* or NULL */
};

/* One reference for the caller, or NULL without memory. `c` is not needed afterwards. */
struct catalogue *catalogue_new(struct config *c);
struct catalogue *catalogue_ref(struct catalogue *k);
void catalogue_unref(struct catalogue **k);

/* NULL when there is no such station. */
const struct catalogue_station *catalogue_station(const struct catalogue *k, const char *name);

#endif
