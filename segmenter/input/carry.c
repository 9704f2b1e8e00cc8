/* What an input had received and not passed on, as bytes. */
#include "segmenter/input/carry.h"

#include <string.h>

#include "base/cursor.h"

#define MAGIC "HCI2"
#define STAMP_WORDS 11
#define FRAME_MAX 8192

static void
put_be(struct text *t, uint64_t v, unsigned bytes)
{
	uint8_t b[8];

	for (unsigned i = 0; i < bytes; i++)
		b[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
	text_add(t, b, bytes);
}

static void
stamp_write(struct text *t, const struct stamp *s)
{
	const int64_t words[STAMP_WORDS] = { s->state, s->given | s->caught_up << 1, s->base_ns, s->slew_ns,
		(int64_t)s->slewed_to, s->since.ns, s->lowest_ns, s->window.ns, s->envelope_ns, (int64_t)s->held_from,
		(int64_t)s->jumps };

	for (unsigned i = 0; i < STAMP_WORDS; i++)
		put_be(t, (uint64_t)words[i], 8);
}

static void
stamp_read(struct cursor *c, uint32_t rate, struct stamp *s)
{
	int64_t words[STAMP_WORDS];

	for (unsigned i = 0; i < STAMP_WORDS; i++)
		words[i] = (int64_t)cursor_be(c, 8);
	if (words[0] < STAMP_ANCHORING || words[0] > STAMP_JUDGING)
		c->bad = true;
	*s = (struct stamp){ .rate = rate,
		.state = c->bad ? STAMP_ANCHORING : (enum stamp_state)words[0],
		.given = words[1] & 1,
		.caught_up = words[1] >> 1 & 1,
		.base_ns = words[2],
		.slew_ns = words[3],
		.slewed_to = (uint64_t)words[4],
		.since = { words[5] },
		.lowest_ns = words[6],
		.window = { words[7] },
		.envelope_ns = words[8],
		.held_from = (uint64_t)words[9],
		.jumps = (uint64_t)words[10] };
}

void
carry_write(struct text *out, const struct carry *c, struct frame_queue *held)
{
	text_add(out, MAGIC, 4);
	put_be(out, c->format.codec, 1);
	put_be(out, c->format.profile, 1);
	text_add(out, c->format.header, 4);
	put_be(out, c->format.rate, 4);
	put_be(out, c->format.channels, 1);
	put_be(out, (uint64_t)(c->profile_known | c->told << 1), 1);
	text_add(out, c->run_id, RUN_ID_SIZE);
	put_be(out, c->index, 8);
	put_be(out, (uint64_t)c->arrival.ns, 8);
	put_be(out, c->position, 8);
	put_be(out, c->released, 8);
	stamp_write(out, &c->stamp);
	for (uint32_t i = 0; i < held->count; i++) {
		const struct frame *f = frame_queue_at(held, i);
		put_be(out, f->len, 4);
		put_be(out, f->samples, 4);
		text_add(out, f->data, f->len);
	}
	put_be(out, 0, 4);
	text_add(out, c->rest, c->rest_len);
}

static void
format_read(struct cursor *c, struct audio_format *f)
{
	*f = (struct audio_format){ .codec = cursor_u8(c), .profile = cursor_u8(c) };
	const uint8_t *header = cursor_take(c, 4);
	if (header)
		memcpy(f->header, header, 4);
	f->rate = cursor_u32(c);
	f->channels = cursor_u8(c);
	bool sane = (f->codec == CODEC_AAC || f->codec == CODEC_MP3) && f->profile <= AAC_HE_V2;
	if (f->codec != CODEC_NONE && (!sane || f->rate < 7350 || f->rate > 96000))
		c->bad = true;
}

/* Samples of the frames read. */
static uint64_t
frames_read(struct cursor *c, struct frame_pool *pool, struct frame_queue *held)
{
	struct frame_chunk *chunk = NULL;
	uint64_t samples = 0;
	uint32_t len;

	while ((len = cursor_u32(c)) > 0) {
		struct frame f;
		uint32_t each = cursor_u32(c);
		const uint8_t *data = len <= FRAME_MAX && each > 0 && each <= FRAME_MAX ? cursor_take(c, len) : NULL;
		if (!data || frame_make(pool, &chunk, data, len, data, 0, &f) < 0) {
			c->bad = true;
			break;
		}
		f.samples = each;
		samples += each;
		if (frame_queue_push(held, f) < 0) {
			frame_release(&f);
			c->bad = true;
			break;
		}
	}
	frame_chunk_release(&chunk);
	return samples;
}

int
carry_read(const uint8_t *data, size_t len, struct frame_pool *pool, struct carry *out, struct frame_queue *held)
{
	struct cursor c = cursor_of(data, len);
	const uint8_t *magic = cursor_take(&c, 4);
	struct carry r = { 0 };

	if (!magic || memcmp(magic, MAGIC, 4) != 0)
		return -1;
	format_read(&c, &r.format);
	uint8_t flags = cursor_u8(&c);
	r.profile_known = flags & 1;
	r.told = flags >> 1 & 1;
	const uint8_t *id = cursor_take(&c, RUN_ID_SIZE);
	if (id)
		memcpy(r.run_id, id, RUN_ID_SIZE);
	r.index = cursor_be(&c, 8);
	r.arrival.ns = (int64_t)cursor_be(&c, 8);
	r.position = cursor_be(&c, 8);
	r.released = cursor_be(&c, 8);
	stamp_read(&c, r.format.rate, &r.stamp);
	uint64_t samples = c.bad ? 0 : frames_read(&c, pool, held);
	if (r.format.codec == CODEC_NONE && r.position > 0)
		c.bad = true;
	if (c.bad || r.position > INT64_MAX || r.released > r.position || r.position - r.released != samples ||
	    cursor_left(&c) > CARRY_REST_MAX) {
		frame_queue_clear(held);
		return -1;
	}
	r.rest = c.p;
	r.rest_len = cursor_left(&c);
	*out = r;
	return 0;
}
