/* Taking a span out of the store, as one file or as a folder that plays: what `rewind export` does. The store is only
 * read, and a segmenter may be writing it meanwhile. */
#ifndef HINDCAST_EXPORT_H
#define HINDCAST_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "rewind/inventory.h"
#include "rewind/zone.h"

struct export
{
	int root; /* fd of the store, borrowed */
	struct inventory_name name;
	struct wall from, to;
	bool gaps;               /* leave out what is missing; else a span with holes is refused */
	bool force;              /* replace what is there */
	const struct zone *zone; /* of the station, to tell instants in; NULL: only UTC */
	const char *timezone;    /* its name */
	FILE *out;               /* warnings, why it was refused, and at the end a line of what was written; borrowed */
};

enum export_result {
	EXPORT_DONE,
	EXPORT_REFUSED, /* holes, another format, something in the way, an error of the system */
	EXPORT_MISUSED, /* this can never be had */
};

/* What a name after -o stands for. */
enum export_form { EXPORT_STREAM, EXPORT_FILE, EXPORT_FOLDER, EXPORT_UNKNOWN };
/* NULL and "-": a stream; what is a folder, or ends in "/": a folder; .aac and .mp3: a file. */
enum export_form export_form(const char *path);

/* The frames of the span, untouched, one after the other: plain ADTS or MPEG audio. They are those whose start is not
 * farther than half a frame before `from`, up to those for which that is true of `to` (layout_msn). All of one format.
 * Nothing is written before all of the span has been looked at. */
enum export_result export_stream(const struct export *x, int fd);
/* The same into a file, which has its name once it is complete. */
enum export_result export_file(const struct export *x, const char *path);
/* The whole segments of the span, rounded to the grid, by their names in the store, and index.m3u8 with them, which is
 * written last. The folder is made if missing; segments that are there already, as after an export that was broken off,
 * are kept when they are the same. */
enum export_result export_folder(const struct export *x, const char *path);

#endif
