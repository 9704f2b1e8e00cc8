/* The unfinished hour file, "20261121T09.m3u8.part", and the folder of its segments. Append-only: every complete entry
 * goes in by one write, so that a reader sees whole entries and at most one torn tail. */
#ifndef HINDCAST_STORE_PART_H
#define HINDCAST_STORE_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rewind/hour.h"

struct store_part {
	int fd;         /* append-only; -1: no hour is open, and then nothing below counts but `folder` -1 */
	int folder;     /* of the hour's segments; -1: not opened yet */
	uint64_t hour;  /* since 1970 */
	uint64_t next;  /* number of its next entry */
	off_t size;     /* up to its last complete entry */
	bool torn;      /* an append failed and what it left could not be cut off */
	bool ended;     /* its tail is written */
	bool formatted; /* a FORMAT line is in it; the latest says: */
	struct audio_format format;
	struct hour_rate rate; /* of its entries */
};

void part_init(struct store_part *p);
/* Close what is open; the file stays as it is. */
void part_close(struct store_part *p);

/* Make the file with its head; whole from the moment it has its name. -EEXIST when the hour has a finished file. 0 or
 * -errno with *p as it was. `dir`: the rendition's folder. */
int part_create(struct store_part *p, int dir, uint64_t hour, uint32_t T, uint64_t discontinuity_sequence, bool sync);
/* Open one that is there: reads it and cuts off a torn tail. 0 with its entries in *h, owned by the caller; -ENOENT;
 * -ENODATA when it has no head yet and was removed; -EBADMSG with `why`; -errno. */
int part_open(struct store_part *p, int dir, uint64_t hour, bool sync, struct hour *h, char why[static 128]);

/* Append complete entries. 0, or -errno with nothing appended. */
int part_append(struct store_part *p, const char *entries, size_t len, bool sync);
/* Replace the whole file, by rename, with one of the same entries (their discontinuities may differ). 0, or -errno with
 * everything as it was. */
int part_rewrite(struct store_part *p, int dir, const char *text, size_t len, bool sync);
/* The folder of its segments, made if missing: a descriptor that p owns, or -errno. */
int part_folder(struct store_part *p, int dir, bool sync);
/* Append the tail and give it its final name; p is closed then. 0, or -errno: may be called again while it is open. */
int part_finish(struct store_part *p, int dir, bool sync);

#endif
