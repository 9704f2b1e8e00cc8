/* Frames from [subscribe] into the merge of the renditions that they belong to. */
#ifndef HINDCAST_SUBSCRIBER_H
#define HINDCAST_SUBSCRIBER_H

#include <stdbool.h>
#include <uv.h>

#include "base/config.h"
#include "relay/subscribe.h"
#include "segmenter/station.h"

struct subscriber;

struct subscriber_context {
	uv_loop_t *loop;
	const struct config *config; /* has a section [subscribe] */
	struct frame_pool *pool;
	struct station *stations; /* open, and the caller's for longer than the subscriber lives */
	unsigned station_count;
};

/* All is borrowed. 0 with *out owned by the caller, or -1 with lines in `errors`. */
int subscriber_open(const struct subscriber_context *context, struct subscriber **out, struct text *errors);
/* The loop ends it. */
void subscriber_close(struct subscriber **s);

/* Before the stations' tick. Returns whether history is still coming, so that the next tick should be soon. */
bool subscriber_tick(struct subscriber *s, struct mono now, struct wall wall, bool full);

struct subscribe *subscriber_subscribe(const struct subscriber *s);
/* Frames that there was no memory or no room for. */
uint64_t subscriber_dropped(const struct subscriber *s);

#endif
