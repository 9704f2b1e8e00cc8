/* The [relay] section. */
#ifndef HINDCAST_RELAY_SETTINGS_H
#define HINDCAST_RELAY_SETTINGS_H

#include "base/config.h"
#include "relay/group.h"
#include "relay/relay.h"

#define RELAY_ADDRESSES 16 /* of each kind */

struct relay_settings {
	struct config_section section;
	char *udp, *join, *http, *from, *allow, *readers;
	int64_t history; /* ns */
	int64_t memory;  /* bytes */
	int64_t max_senders, max_sources, max_sources_per_sender, max_rate, max_readers;
	int64_t reader_queue; /* bytes */
};

/* What follows from it. */
struct relay_plan {
	struct relay_options options;
	struct sockaddr_storage udp[RELAY_ADDRESSES];
	struct group groups[RELAY_ADDRESSES];
	struct sockaddr_storage http;
	const char *from[RELAY_ADDRESSES]; /* into memory */
	char *memory;                      /* of `from`; owned */
	unsigned udp_count, group_count, from_count;
	struct network_list readers;
	unsigned max_readers;
	uint64_t reader_queue;
};

/* The kinds of sections; those of other programs are skipped. */
extern const struct config_kind relay_kinds[];
extern const unsigned relay_kind_count;

/* The [relay] section, all defaults when the file has none. NULL without memory. */
const struct relay_settings *relay_settings_of(struct config *c);

/* Check the section and work out the plan. 0 with *plan to be given to relay_plan_fini, or -1 with lines in `errors`.
 */
int relay_settings_plan(struct config *c, struct relay_plan *plan, struct text *errors);
void relay_plan_fini(struct relay_plan *plan);

#endif
