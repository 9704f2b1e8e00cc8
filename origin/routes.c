/* The table of routes. */
#include "origin/routes.h"

#include <string.h>

#include "base/log.h"
#include "origin/handlers.h"

#define TIMES "from to duration delay programme"

/* In the order in which they are tried: what listeners ask for most comes first. */
static const struct route routes[] = {
	{ "/{station}/{rendition}/index.m3u8", ROUTE_MEDIA, TIMES, playlist_media },
	{ "/{station}/{rendition}/{hour}/{segment}", ROUTE_SEGMENT, "", media_segment },
	{ "/{station}/index.m3u8", ROUTE_MULTIVARIANT, TIMES, playlist_multivariant },
	{ "/{station}/{rendition}/{hour}.m3u8", ROUTE_HOUR, "", playlist_hour },
	{ "/stations.json", ROUTE_STATIONS, "", stations_json },
	{ "/{station}/availability.json", ROUTE_STATIONS, "", availability_json },
	{ "/{station}/programmes.json", ROUTE_STATIONS, "date", programmes_json },
	{ "/healthz", ROUTE_HEALTH, NULL, health_all },
	{ "/healthz/{station}", ROUTE_HEALTH, NULL, health_station },
	{ "/metrics", ROUTE_METRICS, NULL, counters_metrics },
	{ "/", ROUTE_PAGE, NULL, page_home },
	{ "/_player/*", ROUTE_PAGE, NULL, page_asset },
	{ "/{station}", ROUTE_PAGE, NULL, page_redirect },
	{ "/{station}/", ROUTE_PAGE, NULL, page_station },
	{ "/*", ROUTE_FILE, "", media_file },
};

/* Takes what the last row does not: "/" and folders below stations have no page. */
static const struct route no_route = { "*", ROUTE_FILE, NULL, media_file };

const char *
route_kind_name(enum route_kind kind)
{
	static const char *const name[ROUTE_KINDS] = {
		[ROUTE_PAGE] = "page",
		[ROUTE_STATIONS] = "stations",
		[ROUTE_MULTIVARIANT] = "multivariant",
		[ROUTE_MEDIA] = "media",
		[ROUTE_HOUR] = "hour",
		[ROUTE_SEGMENT] = "segment",
		[ROUTE_FILE] = "file",
		[ROUTE_HEALTH] = "health",
		[ROUTE_METRICS] = "metrics",
		[ROUTE_NONE] = "none",
	};
	return name[kind];
}

static bool
is_name(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(s);
}

/* Does one component fit one piece of a pattern, which is `len` bytes long? */
static bool
fits(const char *pattern, size_t len, const char *s, struct route_names *names)
{
	bool part;

	if (*pattern != '{')
		return strlen(s) == len && !memcmp(pattern, s, len);
	switch (pattern[2]) {
	case 't': /* {station} */
		names->station = s;
		return is_name(s);
	case 'e': /* {rendition}, {segment} */
		if (pattern[1] == 's')
			return !layout_parse_segment(s, &names->grid, &names->kind);
		names->rendition = s;
		return is_name(s);
	case 'o': /* {hour}, {hour}.m3u8 */
		if (pattern[len - 1] == '}')
			return !layout_parse_hour_dir(s, &names->hour);
		return !layout_parse_hour_file(s, &names->hour, &part) && !part;
	}
	CHECK(!"a pattern in the table");
	return false;
}

static bool
match(const char *pattern, const struct target *t, struct route_names *names)
{
	unsigned i = 0;

	*names = (struct route_names){ 0 };
	for (const char *p = pattern + 1; *p; i++) {
		size_t len = strcspn(p, "/");
		if (i >= t->count)
			return false;
		if (*p == '*')
			return !t->directory;
		if (!fits(p, len, t->component[i], names))
			return false;
		p += len;
		if (*p == '/' && p[1] == '\0')
			return i + 1 == t->count && t->directory;
		p += *p == '/';
	}
	return i == t->count && (t->directory == (pattern[1] == '\0'));
}

const struct route *
routes_match(const struct target *t, struct route_names *names)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (match(routes[i].pattern, t, names))
			return &routes[i];
	*names = (struct route_names){ 0 };
	return &no_route;
}
