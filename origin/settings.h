/* The [origin] section. */
#ifndef HINDCAST_ORIGIN_SETTINGS_H
#define HINDCAST_ORIGIN_SETTINGS_H

#include "base/clock.h"
#include "rewind/settings.h"

enum stale_policy { STALE_ERROR, STALE_LIVE, STALE_SERVE };

struct origin_settings {
	struct config_section section;
	char *listen;
	int64_t threads; /* 0: one for each core */
	char *player;
	int64_t memory; /* bytes, of all threads */
	int64_t soft_connections, max_connections, per_address;
	int64_t idle_timeout;  /* ns */
	int64_t header_memory; /* bytes */
	int64_t url_limit;     /* bytes */
	int stale;             /* enum stale_policy */
	char *edge_tokens;     /* names, separated by spaces */
	char *tls_certificate, *tls_key;
};

/* The shared kinds with [origin] described. */
const struct config_kind *origin_settings_kinds(void);

/* The [origin] section, all defaults when the file has none. NULL without memory. */
const struct origin_settings *origin_settings_of(struct config *c);

/* Cross-checks of this program, settings_check() included. 0, or -1 with lines in `errors`. */
int origin_settings_check(struct config *c, struct text *errors);

/* Is `name` one of a list of names separated by spaces? */
bool origin_settings_has_word(const char *list, const char *name);

#endif
