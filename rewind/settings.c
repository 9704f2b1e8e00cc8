/* [store], [station NAME], [rendition STATION/NAME]: declared once, checked across sections. */
#include "rewind/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "rewind/span.h"
#include "rewind/zone.h"

#define HOUR_NS (3600 * NS_PER_S)
#define DAY_NS (24 * HOUR_NS)
#define WINDOW_LEAST 6 /* segments: Apple's authoring rules want as many listed */

static const struct config_option store_options[] = {
	{ "path", CONFIG_STRING, offsetof(struct store_settings, path), .fallback = "/var/lib/hindcast",
	    .help = "folder of the store" },
	{ "sync", CONFIG_ENUM, offsetof(struct store_settings, sync), .fallback = "segment", .choices = "none segment",
	    .help = "segment: every segment is on the disk before it is listed" },
	{ "min_free", CONFIG_SIZE, offsetof(struct store_settings, min_free), .fallback = "1G",
	    .help = "with less free space the oldest hours go, whatever `retention` says" },
};

static const struct config_option station_options[] = {
	{ "title", CONFIG_STRING, offsetof(struct station_settings, title), .help = "name shown to listeners" },
	{ "timezone", CONFIG_STRING, offsetof(struct station_settings, timezone), .fallback = "UTC",
	    .help = "of local times in requests, as in Europe/Paris" },
	{ "segment", CONFIG_DURATION, offsetof(struct station_settings, segment), .fallback = "6s",
	    .least = 2 * NS_PER_S, .most = HOUR_NS, .help = "segment duration: whole seconds that divide an hour" },
	{ "window", CONFIG_DURATION, offsetof(struct station_settings, window), .fallback = "60s",
	    .least = 12 * NS_PER_S, .most = DAY_NS, .help = "length of the live list, at least 6 segments" },
	{ "retention", CONFIG_DURATION, offsetof(struct station_settings, retention), .fallback = "14d",
	    .least = HOUR_NS, .most = 3660 * DAY_NS, .help = "how far back listeners can go" },
	{ "max_span", CONFIG_DURATION, offsetof(struct station_settings, max_span), .fallback = "24h", .least = HOUR_NS,
	    .most = 31 * DAY_NS, .help = "longest span that one list may cover; at most 120000 segments" },
	{ "renditions", CONFIG_STRING, offsetof(struct station_settings, renditions), .required = true,
	    .help = "names, in the order of the multivariant playlist" },
	{ "programmes", CONFIG_STRING, offsetof(struct station_settings, programmes),
	    .help = "iCalendar file with the station's programmes" },
	{ "fill", CONFIG_STRING, offsetof(struct station_settings, fill), .fallback = "silence",
	    .help = "what stands in while no input delivers: silence, gap, or file:PATH" },
	{ "fill_limit", CONFIG_DURATION, offsetof(struct station_settings, fill_limit), .fallback = "10m",
	    .help = "after so much fill the lists get gaps" },
	{ "patience", CONFIG_DURATION, offsetof(struct station_settings, patience), .fallback = "0", .least = 0,
	    .most = HOUR_NS,
	    .help =
		"how long a missing frame is waited for, at most half a segment; 0: 1500ms, or half a segment where "
		"one input is all there is" },
	{ "settle", CONFIG_DURATION, offsetof(struct station_settings, settle), .fallback = "10s", .least = NS_PER_S,
	    .most = 60 * NS_PER_S, .help = "how long a better input must have been good before it is returned to" },
};

static const struct config_option rendition_options[] = {
	{ "format", CONFIG_ENUM, offsetof(struct rendition_settings, format), .fallback = "ts", .choices = "ts packed",
	    .help = "ts: MPEG-TS; packed: bare audio frames" },
	{ "bitrate", CONFIG_BITRATE, offsetof(struct rendition_settings, bitrate),
	    .help = "declared until it has been measured" },
	{ "timed_id3", CONFIG_BOOL, offsetof(struct rendition_settings, timed_id3), .fallback = "yes",
	    .help = "ts: announce the stream of timed ID3 tags in every PMT" },
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

const struct config_kind settings_kinds[SETTINGS_KINDS] = {
	{ "store", 0, store_options, ROWS(store_options), sizeof(struct store_settings) },
	{ "station", 1, station_options, ROWS(station_options), sizeof(struct station_settings) },
	{ "rendition", 1, rendition_options, ROWS(rendition_options), sizeof(struct rendition_settings) },
	{ .name = "input", .subjects = 2 },
	{ .name = "icecast-listener" },
	{ .name = "segmenter" },
	{ .name = "control" },
	{ .name = "origin" },
	{ .name = "publish" },
	{ .name = "subscribe" },
	{ .name = "relay" },
};

bool
settings_next_rendition(const char **cursor, char name[static 64])
{
	static const char separators[] = " \t,";
	const char *s = *cursor;
	if (!s)
		return false;
	s += strspn(s, separators);
	size_t n = strcspn(s, separators);
	*cursor = s + n;
	if (n == 0)
		return false;
	size_t copied = n < 63 ? n : 63;
	memcpy(name, s, copied);
	name[copied] = '\0';
	return true;
}

static int
check_times(const struct config *c, const struct station_settings *s, struct text *errors)
{
	int rc = 0;
	if (s->segment % NS_PER_S != 0 || HOUR_NS % s->segment != 0) {
		config_error(
		    c, s, "segment", errors, "want whole seconds that divide an hour: 2, 3, 4, 5, 6, 8, 10, …");
		rc = -1;
	}
	if (s->window < WINDOW_LEAST * s->segment) {
		config_error(c, s, "window", errors, "want at least %d segments: %" PRId64 "s", WINDOW_LEAST,
		    WINDOW_LEAST * s->segment / NS_PER_S);
		rc = -1;
	}
	if (s->max_span / s->segment > SPAN_SEGMENTS_MOST) {
		config_error(c, s, "max_span", errors, "want at most %d segments: %" PRId64 "h", SPAN_SEGMENTS_MOST,
		    SPAN_SEGMENTS_MOST * s->segment / HOUR_NS);
		rc = -1;
	}
	if (s->retention < s->window) {
		config_error(c, s, "retention", errors, "want no less than `window`");
		rc = -1;
	}
	return rc;
}

enum fill_kind
settings_fill(const struct station_settings *s, const char **path)
{
	*path = NULL;
	if (!s->fill || strcmp(s->fill, "silence") == 0)
		return FILL_SILENCE;
	if (strcmp(s->fill, "gap") == 0)
		return FILL_GAP;
	if (strncmp(s->fill, "file:", 5) != 0 || s->fill[5] == '\0')
		return FILL_UNKNOWN;
	*path = s->fill + 5;
	return FILL_FILE;
}

static int
check_merge(const struct config *c, const struct station_settings *s, struct text *errors)
{
	const char *path;
	int rc = 0;
	if (settings_fill(s, &path) == FILL_UNKNOWN) {
		config_error(c, s, "fill", errors, "want silence, gap or file:PATH");
		rc = -1;
	}
	if (s->patience > s->segment / 2 || (s->patience > 0 && s->patience < 100 * NS_PER_MS)) {
		config_error(c, s, "patience", errors, "want 100ms to half a segment (%" PRId64 "ms), or 0",
		    s->segment / 2 / NS_PER_MS);
		rc = -1;
	}
	if (s->settle % NS_PER_S != 0) {
		config_error(c, s, "settle", errors, "want whole seconds");
		rc = -1;
	}
	return rc;
}

/* An IANA time zone that this machine knows, and whose file can be read. */
static int
check_timezone(const struct config *c, const struct station_settings *s, struct text *errors)
{
	struct zone *z = zone_new(s->timezone);
	if (z) {
		zone_free(&z);
		return 0;
	}
	config_error(c, s, "timezone", errors, "unknown, want one of the IANA database, such as Europe/Paris or UTC");
	return -1;
}

static struct rendition_settings *
find_rendition(const struct config *c, const char *station, const char *name)
{
	char subject[160];
	struct text t;
	text_init_fixed(&t, subject, sizeof subject);
	text_fmt(&t, "%s/%s", station, name);
	return t.full ? NULL : config_find(c, "rendition", subject);
}

/* How often `name` stands in the list, counting only what comes before `end`. */
static bool
named_before(const struct station_settings *s, const char *name, const char *end)
{
	char other[64];
	for (const char *at = s->renditions; settings_next_rendition(&at, other) && at < end;)
		if (strcmp(name, other) == 0)
			return true;
	return false;
}

static int
check_renditions(const struct config *c, const struct station_settings *s, struct text *errors)
{
	const char *station = s->section.subject[0];
	char name[64];
	unsigned count = 0, packed = 0;
	int rc = 0;
	for (const char *at = s->renditions; settings_next_rendition(&at, name); count++) {
		const struct rendition_settings *r = find_rendition(c, station, name);
		if (named_before(s, name, at)) {
			config_error(c, s, "renditions", errors, "%s is named twice", name);
			rc = -1;
		} else if (!r) {
			config_error(c, s, "renditions", errors,
			    "%s is not described, want a section [rendition %s/%s]", name, station, name);
			rc = -1;
		} else if (r->format == CONTAINER_PACKED) {
			packed++;
		}
	}
	if (count == 0) {
		config_error(c, s, "renditions", errors, "is empty, want at least one name");
		rc = -1;
	}
	if (rc == 0 && packed > 0 && packed < count)
		log_warn(
		    "renditions in MPEG-TS beside packed audio: players switch between them badly station=%s", station);
	return rc;
}

/* A rendition that no station names would never be written. */
static int
check_named(const struct config *c, const struct rendition_settings *r, struct text *errors)
{
	const char *subject = r->section.subject[0], *slash = strchr(subject, '/');
	char station[64] = "";
	if (slash && (size_t)(slash - subject) < sizeof station)
		memcpy(station, subject, (size_t)(slash - subject));
	const struct station_settings *s = slash ? config_find(c, "station", station) : NULL;
	if (!s) {
		config_error(c, r, NULL, errors, "want [rendition STATION/NAME] of a station that is described");
		return -1;
	}
	char name[64];
	for (const char *at = s->renditions; settings_next_rendition(&at, name);)
		if (strcmp(name, slash + 1) == 0)
			return 0;
	config_error(c, r, NULL, errors, "[station %s] does not name it in `renditions`", station);
	return -1;
}

int
settings_check(const struct config *c, struct text *errors)
{
	int rc = 0;
	for (struct station_settings *s = NULL; (s = config_next(c, "station", s));)
		rc |= check_times(c, s, errors) | check_merge(c, s, errors) | check_timezone(c, s, errors) |
		      check_renditions(c, s, errors);
	for (struct rendition_settings *r = NULL; (r = config_next(c, "rendition", r));)
		rc |= check_named(c, r, errors);
	return rc;
}
