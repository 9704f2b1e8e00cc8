/* Where things lie in the store, and the grid: all of it arithmetic, no I/O. `T` is the segment duration in whole
 * seconds.
 *
 *	fip/index.m3u8                               multivariant playlist
 *	fip/hifi/index.m3u8                          live media playlist
 *	fip/hifi/20261121T09.m3u8[.part]             hour file
 *	fip/hifi/20261121T09/20261121T090006Z.ts     segment, named by its grid time
 *
 * What begins with a dot is not for readers, and never served:
 *
 *	fip/.lock fip/hifi/.lock                     held by the one writer
 *	fip/hifi/.entry                              the entry of the segment that is being published
 *	fip/hifi/.journal-*                          frames of unfinished segments
 *	fip/hifi/.heal fip/hifi/.heal-numbers        an hour that is being healed, or whose successors have to follow
 *	.tmp-*                                       what is being written, until it is renamed
 */
#ifndef HINDCAST_LAYOUT_H
#define HINDCAST_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* The first hour that is not in the store's time any more, in the year 2262: wall time is 63 bits of nanoseconds. */
#define LAYOUT_HOURS_END UINT64_C(2562047)

/* floor((wall + duration/2) / T): the segment that a frame belongs to; its boundary is the frame edge nearest to k*T.
 */
uint64_t layout_msn(struct wall frame, int64_t duration_ns, uint32_t T);
/* The grid line k*T. */
struct wall layout_grid(uint64_t msn, uint32_t T);
/* Hours since 1970 that a segment's grid time lies in; first number of an hour; numbers in an hour (3600/T). */
uint64_t layout_hour(uint64_t msn, uint32_t T);
uint64_t layout_hour_first(uint64_t hour, uint32_t T);

#define LAYOUT_NAME_SIZE 48
enum layout_kind { LAYOUT_TS, LAYOUT_AAC, LAYOUT_MP3 };
const char *layout_extension(enum layout_kind kind); /* ".ts" ".aac" ".mp3" */

/* "20261121T09", ".m3u8" and ".part" not included. */
const char *layout_hour_name(uint64_t hour, char out[static LAYOUT_NAME_SIZE]);
/* "20261121T09/20261121T090006Z.ts" */
const char *layout_segment_path(uint64_t msn, uint32_t T, enum layout_kind kind, char out[static LAYOUT_NAME_SIZE]);
/* The same for a segment of the hour with this name, which asks no calendar: for loops over the entries of an hour. */
const char *layout_segment_path_in(
    const char *hour_name, uint64_t msn, uint32_t T, enum layout_kind kind, char out[static LAYOUT_NAME_SIZE]);

/* Only our own patterns are read; 0 or -1 with the results untouched. */
int layout_parse_hour_dir(const char *name, uint64_t *hour);              /* "20261121T09" */
int layout_parse_hour_file(const char *name, uint64_t *hour, bool *part); /* "20261121T09.m3u8", ".m3u8.part" */
int layout_parse_segment(
    const char *name, struct wall *grid, enum layout_kind *kind); /* "20261121T090006Z.ts", without folder */

#endif
