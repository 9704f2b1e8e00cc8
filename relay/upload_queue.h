/* The last packets for one connection, framed as in RFC 4571, as bytes in a ring. Pure; positions count bytes for ever.
 *
 *	begin          sent           end
 *	  | kept again   | waits       |
 */
#ifndef HINDCAST_UPLOAD_QUEUE_H
#define HINDCAST_UPLOAD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define UPLOAD_QUEUE_MARKS 256

struct upload_queue {
	uint8_t *ring;
	size_t size, max;          /* powers of two */
	uint64_t begin, sent, end; /* begin and end stand between packets; sent may stand in one */
	/* when positions were the end: to know what is old */
	struct {
		uint64_t at;
		struct mono when;
	} marks[UPLOAD_QUEUE_MARKS];
	unsigned first_mark, mark_count;
};

/* `max` bytes, a power of two. */
void upload_queue_init(struct upload_queue *q, size_t max);
void upload_queue_fini(struct upload_queue *q);

/* Add a packet; one of length 0 is a sign of life. While there is no connection (`up` false) the oldest make room. Returns the packets dropped for it: the
 * packet itself when it did not fit, or old ones that had never been sent. */
unsigned upload_queue_put(struct upload_queue *q, struct mono now, const uint8_t *packet, size_t len, bool up);
/* Forget packets that came before `before`: of a connection that is up only what was sent. Returns how many of them
 * were never sent. */
unsigned upload_queue_forget(struct upload_queue *q, struct mono before, bool up);
/* A new connection: everything that is kept is sent (again). */
void upload_queue_again(struct upload_queue *q);
/* The next bytes to send, up to `size`; returns how many. */
size_t upload_queue_take(struct upload_queue *q, uint8_t *out, size_t size);
/* Bytes that wait. */
size_t upload_queue_waiting(const struct upload_queue *q);

#endif
