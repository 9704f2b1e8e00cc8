/* Any bytes as hour files, a span, and a time: the list that comes of them is what its parts say, keeps the rules of
 * RFC 8216, and a delta update of it is its own end. The first bytes are span and time; then hour files with a NUL
 * between them, or, with the highest bit, a byte for each entry of hours that are written here. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cursor.h"
#include "base/log.h"
#include "base/text.h"
#include "origin/entity.h"
#include "origin/gzip.h"
#include "origin/piece.h"
#include "rewind/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOURS 8
#define HOUR UINT64_C(498681) /* 2026-11-21T09:00:00Z, of the hours that are written here */
#define GZIP_MOST 40000

struct store {
	struct hour hour[HOURS]; /* count 0 and no entries: there is no file, or only its head */
	bool there[HOURS];
	uint64_t first; /* hour number of hour[0] */
	uint32_t T;     /* 0: nothing was read */
};

/* As origin does: what cannot be read, or is another hour's, is no file. */
static void
take(struct store *s, size_t at, const char *text, size_t len)
{
	struct hour h;
	char why[128];

	if (hour_parse(text, len, &h, why))
		return;
	if (s->T == 0) {
		s->T = h.segment;
		s->first = layout_hour(h.first_msn, h.segment) - at;
	}
	if (h.segment == s->T && layout_hour(h.first_msn, h.segment) == s->first + at) {
		s->hour[at] = h;
		s->there[at] = true;
	} else {
		hour_free(&h);
	}
}

static void
read_files(struct store *s, const char *text, size_t len)
{
	for (size_t at = 0; at < HOURS && len > 0; at++) {
		const char *end = memchr(text, '\0', len);
		size_t n = end ? (size_t)(end - text) : len;
		take(s, at, text, n);
		n += end != NULL;
		text += n;
		len -= n;
	}
}

/* One entry of bits: 1 gap, 2 discontinuity, 4 the other format, 8 the hour's file ends here, 16 it has none. */
static void
write_files(struct store *s, struct cursor *c, uint32_t T)
{
	static const struct audio_format formats[] = {
		{ .codec = CODEC_AAC,
		    .profile = AAC_LC,
		    .header = { 0xff, 0xf1, 0x50, 0x80 },
		    .rate = 44100,
		    .channels = 2 },
		{ .codec = CODEC_MP3, .header = { 0xff, 0xfb, 0x90, 0x64 }, .rate = 44100, .channels = 2 },
	};
	uint64_t sequence = 0;

	for (size_t at = 0; at < HOURS && cursor_left(c); at++) {
		const uint64_t first = layout_hour_first(HOUR + at, T), full = 3600 / T;
		struct hour_rate rate = { 0 };
		struct text out;
		bool missing = false;
		int format = -1;
		uint64_t i = 0;
		text_init(&out, HOUR_FILE_MAX);
		hour_write_head(&out, first, T, sequence);
		for (unsigned bits = 0; i < full && cursor_left(c) && !(bits & 24); i++) {
			bits = cursor_u8(c);
			missing = missing || (i == 0 && bits & 16);
			sequence += bits >> 1 & 1;
			struct hour_entry e = hour_gap(first + i, T, LAYOUT_TS, sequence);
			e.discontinuity = bits & 2;
			int wants = bits >> 2 & 1;
			bool changes = !(bits & 1) && wants != format;
			if (!(bits & 1)) {
				e.gap = false;
				e.bytes = e.audio_bytes = 1000;
				e.frames = 10;
				e.samples = 10240;
				format = wants;
			}
			hour_write_entry(&out, &e, T, changes ? &formats[wants] : NULL);
			hour_rate_add(&rate, &e, T);
		}
		if (i == full)
			hour_write_tail(&out, &rate);
		if (!missing)
			take(s, at, out.data, out.len);
		text_fini(&out);
	}
}

/* What stands in a list for one segment. */
struct listed {
	const char *uri, *extinf;
	size_t len;
	bool gap, discontinuity, dated;
};

static bool
is(const char *line, size_t len, const char *tag)
{
	size_t n = strlen(tag);
	return len >= n && !memcmp(line, tag, n);
}

/* Read a list; *count: in how many `list` has room, out how many there are. */
static void
read_list(const struct text *t, struct listed *list, size_t *count, bool *ended)
{
	struct listed one = { 0 };
	size_t n = 0;

	*ended = false;
	for (const char *p = t->data, *end = t->data + t->len; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		CHECK(eol && eol > p && !*ended);
		size_t len = (size_t)(eol - p);
		if (is(p, len, "#EXT-X-DISCONTINUITY") && !is(p, len, "#EXT-X-DISCONTINUITY-SEQUENCE")) {
			CHECK(!one.discontinuity && !one.dated && !one.gap); /* once, and first */
			one.discontinuity = true;
		} else if (is(p, len, "#EXT-X-PROGRAM-DATE-TIME:")) {
			CHECK(!one.dated);
			one.dated = true;
		} else if (is(p, len, "#EXT-X-GAP")) {
			one.gap = true;
		} else if (is(p, len, "#EXTINF:")) {
			one.extinf = p;
		} else if (is(p, len, "#EXT-X-ENDLIST")) {
			*ended = true;
		} else if (*p != '#') {
			CHECK(n < *count && one.extinf);
			one.uri = p;
			one.len = len;
			CHECK(one.dated || (!one.discontinuity && n > 0));
			list[n++] = one;
			one = (struct listed){ 0 };
		}
		p = eol + 1;
	}
	CHECK(!one.discontinuity && !one.dated && !one.gap && !one.extinf);
	*count = n;
}

/* The list put together as origin does, as text and as gzip. */
static void
check_pieces(const struct span_plan *p, const struct hour *const *hours, const struct text *want)
{
	struct text plain, z;
	struct gzip_join join;
	char memory[1024];
	struct text head;

	text_init(&plain, SPAN_BYTES_MOST);
	text_init(&z, SPAN_BYTES_MOST);
	gzip_join_begin(&join, &z);
	text_init_fixed(&head, memory, sizeof memory);
	list_head_write(&head, &p->head);
	CHECK(!head.full);
	text_add(&plain, head.data, head.len);
	gzip_join_plain(&join, head.data, head.len);
	for (size_t i = 0; i < p->count; i++) {
		const struct span_part *part = &p->parts[i];
		struct piece *piece =
		    piece_new(hours[part->hour]->entries + part->first, part->last - part->first, p->head.T, p->form);
		CHECK(piece && piece_deflate(piece) == 0);
		if (part->hole_before) {
			text_str(&plain, LIST_DISCONTINUITY);
			gzip_join_plain(&join, LIST_DISCONTINUITY, strlen(LIST_DISCONTINUITY));
		}
		text_add(&plain, piece->text->data, piece->text->len);
		gzip_join_blocks(&join, piece->deflated, piece->crc, piece->text->len);
		piece_unref(&piece);
	}
	if (p->ended) {
		text_str(&plain, LIST_END);
		gzip_join_plain(&join, LIST_END, strlen(LIST_END));
	}
	gzip_join_end(&join);
	CHECK(!plain.full && plain.len == want->len && !memcmp(plain.data, want->data, want->len));
	unsigned char *back = malloc(want->len + 1);
	CHECK(back);
	z_stream s = { .next_in = (unsigned char *)z.data,
		.avail_in = (unsigned)z.len,
		.next_out = back,
		.avail_out = (unsigned)want->len + 1 };
	CHECK(inflateInit2(&s, 15 + 16) == Z_OK);
	CHECK(inflate(&s, Z_FINISH) == Z_STREAM_END && s.avail_in == 0 && s.total_out == want->len);
	CHECK(!memcmp(back, want->data, want->len));
	inflateEnd(&s);
	free(back);
	text_fini(&plain);
	text_fini(&z);
}

/* One plan and its list. */
struct made {
	struct span_plan plan;
	struct text text;
	struct listed *list;
	size_t count;
};

static bool
make(struct made *m, const struct time_span *s, const struct hour *const *hours, size_t count, uint32_t window,
    struct wall now, bool skip)
{
	bool ended;

	if (span_plan(&m->plan, s, hours, count, window, now, skip))
		return false;
	const struct span_plan *p = &m->plan;
	text_init(&m->text, SPAN_BYTES_MOST);
	span_write(&m->text, p, hours);
	CHECK(!m->text.full && p->segments >= p->head.skipped);
	m->count = p->segments - p->head.skipped;
	m->list = calloc(m->count ? m->count : 1, sizeof *m->list);
	CHECK(m->list);
	read_list(&m->text, m->list, &m->count, &ended);
	CHECK(m->count == p->segments - p->head.skipped && m->count > 0);
	CHECK(ended == p->ended && (!p->settled || p->ended) && (p->form == LIST_DENSE || p->ended));
	for (size_t i = 0; i < m->count; i++)
		CHECK(p->form == LIST_DENSE || !m->list[i].gap);
	if (s->kind != TIME_DELAY)
		CHECK(p->head.skipped || !m->list[0].gap);
	else
		CHECK(!p->head.can_skip && !p->ended && m->count <= window);
	if (m->text.len < GZIP_MOST)
		check_pieces(p, hours, &m->text);
	return true;
}

static void
made_free(struct made *m)
{
	span_plan_fini(&m->plan);
	text_fini(&m->text);
	free(m->list);
}

static void
check_lists(const struct time_span *s, const struct hour *const *hours, size_t count, uint32_t window, struct wall now)
{
	struct made full, delta;

	if (!make(&full, s, hours, count, window, now, false))
		return;
	CHECK(full.plan.head.skipped == 0);
	CHECK(make(&delta, s, hours, count, window, now, true));
	size_t skipped = delta.plan.head.skipped;
	CHECK(delta.plan.segments == full.plan.segments && delta.plan.head.msn == full.plan.head.msn);
	CHECK(delta.plan.ended == full.plan.ended && delta.plan.newest_end.ns == full.plan.newest_end.ns);
	for (size_t i = 0; i < skipped; i++)
		CHECK(!full.list[i].discontinuity);
	for (size_t i = skipped; i < full.count; i++) {
		const struct listed *a = &full.list[i], *b = &delta.list[i - skipped];
		CHECK(a->len == b->len && !memcmp(a->uri, b->uri, a->len) && a->gap == b->gap &&
		      a->discontinuity == b->discontinuity && (!a->dated || b->dated) &&
		      a->uri - a->extinf == b->uri - b->extinf &&
		      !memcmp(a->extinf, b->extinf, (size_t)(a->uri - a->extinf)));
	}
	if (!skipped)
		CHECK(full.text.len == delta.text.len && !memcmp(full.text.data, delta.text.data, full.text.len));
	made_free(&full);
	made_free(&delta);
}

/* As hours_read: from the newest backwards, what is short or missing filled up. */
static void
gather(struct store *s, const struct time_span *span, uint32_t window, struct wall now)
{
	const struct hour *list[HOURS];
	struct hour filled[HOURS] = { 0 };
	uint64_t first, end;
	size_t at = HOURS;

	span_bounds(span, s->T, window, now, &first, &end);
	CHECK(first <= end);
	if (first == end || layout_hour(first, s->T) < s->first || layout_hour(end - 1, s->T) >= s->first + HOURS)
		return;
	size_t oldest = (size_t)(layout_hour(first, s->T) - s->first);
	for (size_t i = (size_t)(layout_hour(end - 1, s->T) - s->first) + 1; i-- > oldest;) {
		const struct hour *h = s->there[i] ? &s->hour[i] : NULL;
		if (at == HOURS && !h)
			continue;
		if (at < HOURS && (!h || h->count < 3600 / s->T)) {
			CHECK(!span_hour_fill(h, s->first + i, list[at], &filled[i]));
			h = &filled[i];
			CHECK(h->count == 3600 / s->T);
		}
		list[--at] = h;
	}
	if (at < HOURS)
		check_lists(span, list + at, HOURS - at, window, now);
	for (size_t i = 0; i < HOURS; i++)
		hour_free(&filled[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t durations[] = { 300, 600, 1200, 60 };
	struct cursor c = cursor_of(data, size);
	struct store s = { 0 };
	unsigned bits = cursor_u8(&c);
	uint64_t from = cursor_be(&c, 2), length = cursor_be(&c, 2), late = cursor_be(&c, 3);

	if (cursor_left(&c) == 0)
		return 0;
	if (bits & 0x80)
		write_files(&s, &c, durations[bits >> 3 & 3]);
	else
		read_files(&s, (const char *)c.p, cursor_left(&c));
	if (s.T) {
		uint64_t base = layout_hour_first(s.first, s.T);
		struct time_span span = { .kind = (enum time_kind[]){
					      TIME_FROM, TIME_SPAN, TIME_DELAY, TIME_SPAN }[bits & 3] };
		struct wall now = { (
		    int64_t)(layout_grid(base, s.T).ns + (int64_t)(late % (HOURS * 3600 + 600)) * NS_PER_S) };
		if (span.kind == TIME_DELAY) {
			span.delay_s = (int64_t)(from % (HOURS * 3600 / s.T) * s.T);
		} else {
			span.first = base + from % (HOURS * 3600 / s.T);
			span.end = span.first + 1 + length % (HOURS * 3600 / s.T);
		}
		gather(&s, &span, 6 + (bits >> 5 & 1) * 10, now);
	}
	for (size_t i = 0; i < HOURS; i++)
		hour_free(&s.hour[i]);
	return 0;
}
