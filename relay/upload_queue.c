/* The last packets for one connection. */
#include "relay/upload_queue.h"

#include <stdlib.h>
#include <string.h>

#include "relay/framing.h"

#define LEAST (1u << 16)

void
upload_queue_init(struct upload_queue *q, size_t max)
{
	*q = (struct upload_queue){ .max = max };
}

void
upload_queue_fini(struct upload_queue *q)
{
	free(q->ring);
	*q = (struct upload_queue){ 0 };
}

/* ---- bytes */

static void
copy_out(const struct upload_queue *q, uint64_t at, uint8_t *out, size_t n)
{
	size_t from = at & (q->size - 1), first = n < q->size - from ? n : q->size - from;

	memcpy(out, q->ring + from, first);
	memcpy(out + first, q->ring, n - first);
}

static void
copy_in(struct upload_queue *q, const uint8_t *data, size_t n)
{
	size_t to = q->end & (q->size - 1), first = n < q->size - to ? n : q->size - to;

	memcpy(q->ring + to, data, first);
	memcpy(q->ring, data + first, n - first);
	q->end += n;
}

/* Twice the ring, if it may be. */
static bool
grow(struct upload_queue *q)
{
	size_t size = q->size ? 2 * q->size : LEAST, have = (size_t)(q->end - q->begin);
	uint8_t *ring = size <= q->max ? malloc(size) : NULL;

	if (!ring)
		return false;
	if (have)
		copy_out(q, q->begin, ring, have);
	free(q->ring);
	q->sent -= q->begin;
	for (unsigned i = 0; i < q->mark_count; i++) {
		unsigned m = (q->first_mark + i) % UPLOAD_QUEUE_MARKS;
		q->marks[m].at -= q->begin < q->marks[m].at ? q->begin : q->marks[m].at;
	}
	q->begin = 0;
	q->end = have;
	q->ring = ring;
	q->size = size;
	return true;
}

/* ---- packets */

/* The oldest packet goes. True if it had not been sent whole. */
static bool
drop_first(struct upload_queue *q)
{
	uint8_t head[FRAMING_HEADER];

	copy_out(q, q->begin, head, sizeof(head));
	q->begin += FRAMING_HEADER + ((size_t)head[0] << 8 | head[1]);
	bool unsent = q->sent < q->begin;
	if (unsent)
		q->sent = q->begin;
	return unsent;
}

static void
mark(struct upload_queue *q, struct mono now)
{
	unsigned last = (q->first_mark + q->mark_count - 1) % UPLOAD_QUEUE_MARKS;

	if (q->mark_count && now.ns - q->marks[last].when.ns < 50 * NS_PER_MS)
		return;
	if (q->mark_count == UPLOAD_QUEUE_MARKS) {
		q->first_mark = (q->first_mark + 1) % UPLOAD_QUEUE_MARKS;
		q->mark_count--;
	}
	last = (q->first_mark + q->mark_count++) % UPLOAD_QUEUE_MARKS;
	q->marks[last].at = q->end;
	q->marks[last].when = now;
}

unsigned
upload_queue_put(struct upload_queue *q, struct mono now, const uint8_t *packet, size_t len, bool up)
{
	size_t need = FRAMING_HEADER + len;
	uint8_t head[FRAMING_HEADER];
	unsigned dropped = 0;

	while (q->size - (q->end - q->begin) < need && !grow(q)) {
		if (q->begin == q->end)
			return 1;
		uint8_t first[FRAMING_HEADER];
		copy_out(q, q->begin, first, sizeof(first));
		uint64_t over = q->begin + FRAMING_HEADER + ((size_t)first[0] << 8 | first[1]);
		if (up && q->sent < over)
			return 1;
		dropped += drop_first(q);
	}
	mark(q, now);
	framing_write(len, head);
	copy_in(q, head, sizeof(head));
	if (len > 0)
		copy_in(q, packet, len);
	return dropped;
}

unsigned
upload_queue_forget(struct upload_queue *q, struct mono before, bool up)
{
	unsigned dropped = 0;

	/* all that came before a mark is older than it */
	while (q->mark_count && q->marks[q->first_mark].when.ns < before.ns) {
		uint64_t until = q->marks[q->first_mark].at;
		if (up && until > q->sent)
			return dropped;
		while (q->begin < until)
			dropped += drop_first(q);
		q->first_mark = (q->first_mark + 1) % UPLOAD_QUEUE_MARKS;
		q->mark_count--;
	}
	return dropped;
}

void
upload_queue_again(struct upload_queue *q)
{
	q->sent = q->begin;
}

size_t
upload_queue_take(struct upload_queue *q, uint8_t *out, size_t size)
{
	size_t n = upload_queue_waiting(q);

	if (n > size)
		n = size;
	if (n)
		copy_out(q, q->sent, out, n);
	q->sent += n;
	return n;
}

size_t
upload_queue_waiting(const struct upload_queue *q)
{
	return (size_t)(q->end - q->sent);
}
