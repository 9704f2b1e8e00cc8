/* Checking playlists against the hour files: part of verify.h. */
#ifndef HINDCAST_VERIFY_LIST_H
#define HINDCAST_VERIFY_LIST_H

#include "rewind/verify.h"

struct text;

/* Write and count a fault of a file, told from the rendition's folder, or the station's when its rendition is "". */
void verify_fault(struct verify *v, const struct inventory_name *name, const char *file, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The live list must be what list_live makes of the entries that it names, and each segment in it must be there. */
void verify_live_list(struct verify *v, const struct inventory_name *name, int dir, const struct text *live);

#endif
