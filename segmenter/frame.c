/* Frames in memory: chunks from a bounded pool, and queues of frames. */
#include "segmenter/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define CHUNK_SIZE (16 * 1024) /* with its head; about a second at 128 kbit/s, and two of the largest ADTS frames */
#define CHUNK_ROOM (CHUNK_SIZE - sizeof(struct frame_chunk))
#define SPARES_MAX 32

void
frame_pool_init(struct frame_pool *pool, size_t limit)
{
	*pool = (struct frame_pool){ .limit = limit };
}

void
frame_pool_fini(struct frame_pool *pool)
{
	while (pool->spare) {
		struct frame_chunk *c = pool->spare;
		pool->spare = c->next;
		pool->used -= CHUNK_SIZE;
		free(c);
	}
	CHECK(pool->used == 0);
}

static struct frame_chunk *
chunk_take(struct frame_pool *pool)
{
	struct frame_chunk *c = pool->spare;

	if (c) {
		pool->spare = c->next;
		pool->spares--;
	} else {
		if (pool->used + CHUNK_SIZE > pool->limit)
			return NULL;
		c = malloc(CHUNK_SIZE);
		if (!c)
			return NULL;
		pool->used += CHUNK_SIZE;
	}
	c->pool = pool;
	c->next = NULL;
	c->refs = 1;
	c->used = 0;
	return c;
}

static void
chunk_give(struct frame_chunk *c)
{
	struct frame_pool *pool = c->pool;

	if (pool->spares < SPARES_MAX) {
		c->next = pool->spare;
		pool->spare = c;
		pool->spares++;
		return;
	}
	pool->used -= CHUNK_SIZE;
	free(c);
}

void
frame_chunk_release(struct frame_chunk **chunk)
{
	struct frame_chunk *c = *chunk;

	*chunk = NULL;
	if (c && --c->refs == 0)
		chunk_give(c);
}

void
frame_release(struct frame *f)
{
	frame_chunk_release(&f->chunk);
}

int
frame_make(struct frame_pool *pool, struct frame_chunk **chunk, const uint8_t *header, uint32_t header_len,
    const uint8_t *payload, uint32_t payload_len, struct frame *out)
{
	struct frame_chunk *c = *chunk;
	uint32_t len = header_len + payload_len;

	CHECK(len <= CHUNK_ROOM);
	if (!c || len > CHUNK_ROOM - c->used) {
		c = chunk_take(pool);
		if (!c) {
			pool->refused++;
			return -1;
		}
		frame_chunk_release(chunk);
		*chunk = c;
	}
	uint8_t *data = c->data + c->used;
	memcpy(data, header, header_len);
	memcpy(data + header_len, payload, payload_len);
	c->used += len;
	c->refs++;
	*out = (struct frame){ .chunk = c, .data = data, .len = len };
	return 0;
}

void
frame_queue_init(struct frame_queue *q, uint32_t max)
{
	*q = (struct frame_queue){ .max = max };
}

void
frame_queue_clear(struct frame_queue *q)
{
	while (q->count) {
		struct frame f = frame_queue_pop(q);
		frame_release(&f);
	}
}

void
frame_queue_fini(struct frame_queue *q)
{
	frame_queue_clear(q);
	free(q->ring);
	*q = (struct frame_queue){ 0 };
}

/* The ring's size is a power of two. */
static int
queue_grow(struct frame_queue *q)
{
	uint32_t size = q->size ? q->size * 2 : 64;
	struct frame *ring = malloc(size * sizeof(*ring));

	if (!ring)
		return -1;
	for (uint32_t i = 0; i < q->count; i++)
		ring[i] = q->ring[(q->head + i) & (q->size - 1)];
	free(q->ring);
	q->ring = ring;
	q->size = size;
	q->head = 0;
	return 0;
}

int
frame_queue_push(struct frame_queue *q, struct frame f)
{
	if (q->count >= q->max)
		return -1;
	if (q->count == q->size && queue_grow(q) < 0)
		return -1;
	q->ring[(q->head + q->count++) & (q->size - 1)] = f;
	return 0;
}

struct frame *
frame_queue_at(struct frame_queue *q, uint32_t i)
{
	return i < q->count ? &q->ring[(q->head + i) & (q->size - 1)] : NULL;
}

struct frame
frame_queue_pop(struct frame_queue *q)
{
	CHECK(q->count > 0);
	struct frame f = q->ring[q->head];
	q->head = (q->head + 1) & (q->size - 1);
	q->count--;
	return f;
}
