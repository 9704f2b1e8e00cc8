/* The sections of the INI file that every program reads: [store], [station NAME], [rendition STATION/NAME]. */
#ifndef HINDCAST_SETTINGS_H
#define HINDCAST_SETTINGS_H

#include "base/config.h"

enum store_sync { SYNC_NONE, SYNC_SEGMENT };
enum rendition_container { CONTAINER_TS, CONTAINER_PACKED };
enum fill_kind { FILL_SILENCE, FILL_GAP, FILL_FILE, FILL_UNKNOWN };

struct store_settings {
	struct config_section section;
	char *path;
	int sync;         /* enum store_sync */
	int64_t min_free; /* bytes */
};

struct station_settings {
	struct config_section section;
	char *title, *timezone, *renditions, *programmes;
	int64_t segment;                                 /* ns; a whole number of seconds from 2 that divides 3600 */
	int64_t window, retention, max_span, fill_limit; /* ns */
	char *fill;                                      /* settings_fill */
	int64_t patience, settle;                        /* ns; patience 0: as the inputs need it */
};

struct rendition_settings {
	struct config_section section; /* subject[0] "fip/hifi" */
	int format;                    /* enum rendition_container */
	int64_t bitrate;               /* bit/s, declared until it has been measured; 0: not said */
	bool timed_id3;                /* announce the ID3 stream in every PMT */
};

/* The three kinds above, and all kinds of the other programs with rows 0: "input", "icecast-listener",
 * "segmenter", "control", "origin", "publish", "subscribe", "relay". A program copies this table and replaces the rows
 * that it reads itself. */
#define SETTINGS_KINDS 11
extern const struct config_kind settings_kinds[SETTINGS_KINDS];

/* Cross-checks: segment divides 3600, window of at least 6 segments, every rendition that a station names is described
 * and the other way round, names unique, containers mixed in one station (a warning in the log). 0 or -1 with lines in
 * `errors`. */
int settings_check(const struct config *c, struct text *errors);

/* What a station's `fill` says; *path: of FILL_FILE, borrowed from it. */
enum fill_kind settings_fill(const struct station_settings *s, const char **path);

/* Walk the names in a station's `renditions`: copies the next name to `name` and moves *cursor on. false at the end. */
bool settings_next_rendition(const char **cursor, char name[static 64]);

#endif
