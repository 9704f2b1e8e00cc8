/* The player page: one page for all stations, one for each, and what they load. */
#include <errno.h>
#include <stdio.h>

#include "origin/catalogue.h"
#include "origin/handlers.h"
#include "origin/request.h"
#include "origin/stored.h"
#include "origin/worker.h"

/* What the page may load: scripts and styles of its own, media of this origin, and what Media Source Extensions and a
 * demuxer in a worker need. */
#define POLICY                                                                                                         \
	"default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; img-src 'self' data:; connect-src *; "   \
	"object-src 'none'; base-uri 'none'; form-action 'none'"

static void
send_page(struct request *r, const char *name)
{
	int error;
	struct cache_item *i = stored_file(r->worker, CACHE_PLAYER, name, &error);

	if (i) {
		i->entity->policy = POLICY;
		request_send(r, i->entity);
	} else if (error == -ENOENT) {
		request_fail(r, &(struct problem){ .status = 404, .detail = "the player page is not installed" });
	} else {
		request_failed_open(r, error);
	}
}

void
page_home(struct request *r)
{
	send_page(r, "index.html");
}

void
page_station(struct request *r)
{
	if (catalogue_station(r->worker->catalogue, r->names.station))
		send_page(r, "station.html");
	else
		request_not_found(r);
}

void
page_redirect(struct request *r)
{
	char location[TARGET_SIZE];

	if (!catalogue_station(r->worker->catalogue, r->names.station)) {
		media_file(r);
		return;
	}
	/* relative, so that it holds behind any prefix that a proxy takes off */
	snprintf(location, sizeof location, "%s/", r->names.station);
	request_redirect(r, location);
}

void
page_asset(struct request *r)
{
	/* the path beneath "_player/" */
	const char *path = r->target.relative + sizeof "_player/" - 1;
	int error;
	struct cache_item *i = stored_file(r->worker, CACHE_PLAYER, path, &error);

	if (!i) {
		request_failed_open(r, error);
		return;
	}
	i->entity->policy = POLICY;
	request_send(r, i->entity);
}
