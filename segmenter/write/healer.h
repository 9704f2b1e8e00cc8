/* Heals all renditions from the peers in [store], by itself: at the start, and a few minutes after each hour. A thread
 * of its own fetches, one hour at a time, newest first; the rendition's writer enters what it has fetched. */
#ifndef HINDCAST_HEALER_H
#define HINDCAST_HEALER_H

#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "rewind/heal.h"
#include "rewind/settings.h"
#include "segmenter/write/writer.h"

struct healer;
struct text;

struct healer_rendition {
	const char *station, *name; /* borrowed, as all here, until healer_close */
	uint32_t T;
	bool packed;
	int64_t retention_ns, window_ns;
	struct writer *writer;
};

/* *out is NULL when there is no peer. 0, or -1 with lines in `errors`. */
int healer_new(uv_loop_t *loop, int root, const struct store_settings *store, struct healer **out, struct text *errors);
/* Before the first tick. 0 or -ENOMEM. */
int healer_add(struct healer *h, const struct healer_rendition *r);
/* Ends within about a second; what was fetched and not entered is left to the next start. Before the writers end. The
 * loop must run once more. `h` may be NULL, as in the calls below. */
void healer_close(struct healer **h);

/* Call once a tick. */
void healer_tick(struct healer *h, struct mono mono, struct wall now);

/* Look at everything again, now: peers that are away too, and what they did not have. */
void healer_again(struct healer *h);

/* NULL without a healer. */
const struct heal_counters *healer_counters(const struct healer *h);

#endif
