/* Segments, and what else lies in the store. */
#include <string.h>

#include "origin/handlers.h"
#include "origin/request.h"
#include "origin/stored.h"
#include "origin/worker.h"

static void
send_item(struct request *r, struct cache_item *i, int error)
{
	if (i)
		request_send(r, i->entity);
	else
		request_failed_open(r, error);
}

void
media_segment(struct request *r)
{
	int error = 0;
	struct stored_segment s = {
		.path = r->target.relative,
		.station = r->names.station,
		.rendition = r->names.rendition,
		.hour = r->names.hour,
		.grid = r->names.grid,
	};
	struct cache_item *i = stored_segment(r->worker, &s, &error);

	send_item(r, i, error);
}

/* Unfinished hour files may end in a torn entry: they are read only under their final name. */
static bool
is_unfinished(const char *path)
{
	size_t len = strlen(path);
	return len >= 5 && !strcmp(path + len - 5, ".part");
}

void
media_file(struct request *r)
{
	int error = 0;

	if (r->target.count == 0 || r->target.directory || is_unfinished(r->target.relative)) {
		request_not_found(r);
		return;
	}
	struct cache_item *i = stored_file(r->worker, CACHE_STORE, r->target.relative, &error);
	send_item(r, i, error);
}
