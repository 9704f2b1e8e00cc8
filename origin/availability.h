/* /{station}/availability.json: what is kept of each rendition, and the gaps in it. */
#ifndef HINDCAST_AVAILABILITY_H
#define HINDCAST_AVAILABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "origin/cache.h"

/* Where an hour has no media: in numbers from its first on, [from, to). */
struct hole {
	uint16_t from, to;
};
struct hour_holes {
	uint64_t hour;
	struct file_id id;   /* of the hour file that says so */
	struct mono checked; /* when the file was last looked at */
	bool part;           /* it is not finished: its entries say */
	struct hole *list;   /* owned */
	size_t count;
};
void hour_holes_fini(struct hour_holes *h);

#endif
