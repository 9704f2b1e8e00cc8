/* The whole configuration as the segmenter reads it. */
#include "segmenter/config_load.h"

#include <string.h>

#include "base/log.h"
#include "relay/exchange.h"
#include "rewind/settings.h"
#include "segmenter/settings.h"

#define KINDS_MAX 16

/* Put `kind` in the place of the one of its name, or behind the others. */
static void
kind_put(struct config_kind kinds[static KINDS_MAX], unsigned *n, const struct config_kind *kind)
{
	unsigned at = 0;

	while (at < *n && strcmp(kinds[at].name, kind->name) != 0)
		at++;
	CHECK(at < KINDS_MAX);
	kinds[at] = *kind;
	if (at == *n)
		(*n)++;
}

/* The shared kinds, with the rows of those that the segmenter itself reads put in their places. */
static unsigned
kinds_gather(struct config_kind kinds[static KINDS_MAX])
{
	unsigned n = SETTINGS_KINDS;

	memcpy(kinds, settings_kinds, sizeof(settings_kinds));
	for (unsigned i = 0; i < segmenter_kind_count; i++)
		kind_put(kinds, &n, &segmenter_kinds[i]);
	for (unsigned i = 0; i < EXCHANGE_KINDS; i++)
		kind_put(kinds, &n, &exchange_kinds[i]);
	return n;
}

int
segmenter_config_load(const char *path, struct config *out, struct text *errors)
{
	static struct config_kind kinds[KINDS_MAX]; /* sections point at their kind */
	unsigned n = kinds_gather(kinds);
	struct config c;

	if (config_load(path, kinds, n, &c, errors) < 0)
		return -1;
	if (settings_check(&c, errors) < 0 || segmenter_settings_check(&c, errors) < 0) {
		config_free(&c);
		return -1;
	}
	*out = c;
	return 0;
}
