/* Reads a stored segment back: takes it apart, and walks the frames in it by their headers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "media/adts.h"
#include "media/id3.h"
#include "media/mpa.h"
#include "media/segment.h"
#include "media/ts_read.h"

struct reading {
	struct segment_facts facts;
	void (*each)(void *ctx, const uint8_t *frame, size_t len);
	void *ctx;
};

/* A frame by its header. */
struct head {
	struct audio_format format;
	uint32_t len, samples;
};

_Static_assert(sizeof((struct segment_facts *)0)->why == TS_READ_WHY_SIZE, "reasons of the demultiplexer fit");

static int fail(struct reading *r, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int
fail(struct reading *r, size_t at, const char *fmt, ...)
{
	char *why = r->facts.why;
	va_list ap;
	int n = snprintf(why, sizeof r->facts.why, "byte %zu: ", at);
	va_start(ap, fmt);
	vsnprintf(why + n, sizeof r->facts.why - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

/* Only normalised ADTS headers are stored: no CRC, buffer fullness 7FF. */
static int
head_adts(const uint8_t *p, struct head *h)
{
	struct adts a;
	if (adts_parse(p, &a) < 0 || a.crc || (p[5] & 0x1F) != 0x1F || (p[6] & 0xFC) != 0xFC)
		return -1;
	h->len = a.length;
	h->samples = a.blocks * ADTS_BLOCK_SAMPLES;
	adts_format(a.key, &h->format);
	return memcmp(p, h->format.header, 3) || ((p[3] ^ h->format.header[3]) & 0xFC) ? -1 : 0;
}

static int
head_mpa(const uint8_t *p, struct head *h)
{
	struct mpa m;
	if (mpa_parse(p, &m) < 0 || m.layer != 3 || !m.length)
		return -1;
	h->len = m.length;
	h->samples = m.samples;
	mpa_format(m.key, &h->format);
	return 0;
}

static int
head_read(const uint8_t *p, size_t left, struct head *h)
{
	if (left >= ADTS_HEADER && (p[1] & 0xF6) == 0xF0)
		return head_adts(p, h);
	return left >= MPA_HEADER ? head_mpa(p, h) : -1;
}

/* Whole frames from `data` to its end, which lie at byte `at` of the segment or come from there. */
static int
read_frames(struct reading *r, const uint8_t *data, size_t size, size_t at)
{
	struct segment_facts *f = &r->facts;
	for (struct cursor c = cursor_of(data, size); cursor_left(&c);) {
		struct head h;
		size_t place = (size_t)(c.p - data);
		if (head_read(c.p, cursor_left(&c), &h) < 0)
			return fail(r, at, "no normalised frame header %zu bytes behind it", place);
		const uint8_t *frame = cursor_take(&c, h.len);
		if (!frame)
			return fail(r, at, "the frame %zu bytes behind it is cut short", place);
		if (f->frames && !audio_format_equal(&h.format, &f->format))
			return fail(r, at, "the frame %zu bytes behind it is of another format", place);
		f->format = h.format;
		f->frames++;
		f->samples += h.samples;
		f->audio_bytes += h.len;
		if (r->each)
			r->each(r->ctx, frame, h.len);
	}
	return 0;
}

/* Where the audio read so far ends, by the count of its samples: within a tick, for the segment may begin between two
 * ticks. */
static struct ticks
end_of_audio(const struct segment_facts *f)
{
	return f->frames ? ticks_at(f->pts, f->samples, f->format.rate) : f->pts;
}

static int
read_pes(void *ctx, const struct ts_read_pes *pes)
{
	struct reading *r = ctx;
	if (!r->facts.frames)
		r->facts.pts = pes->pts;
	int64_t off = ticks_diff(pes->pts, end_of_audio(&r->facts));
	if (off < -1 || off > 1)
		return fail(r, pes->at, "PTS is %lld ticks from where the audio before it ends", (long long)off);
	if (!pes->size)
		return fail(r, pes->at, "PES packet without a frame");
	return read_frames(r, pes->data, pes->size, pes->at);
}

static int
read_ts(struct reading *r, const uint8_t *data, size_t len, uint64_t msn)
{
	const struct ts_read_sink sink = { .pes = read_pes, .ctx = r };
	struct ts_read_facts ts;
	if (ts_read(data, len, msn, &sink, &ts, r->facts.why) < 0)
		return -1;
	uint8_t type = audio_format_stream_type(&r->facts.format);
	if (ts.stream_type != type)
		return fail(r, 188, "PMT says stream type %02X of frames of type %02X", ts.stream_type, type);
	/* The next segment begins with a PCR. */
	int64_t lead = ticks_diff(end_of_audio(&r->facts), ts.last_pcr);
	if (lead > TS_READ_PCR_LEAD + TS_READ_PCR_SPACING + 1)
		return fail(r, len, "the last PCR is %lld ticks before the end of the segment",
		    (long long)(lead - TS_READ_PCR_LEAD));
	return 0;
}

/* The time stamp is the first ID3 frame; others may follow it in the tag (RFC 8216 3.4). */
static int
read_packed(struct reading *r, const uint8_t *data, size_t len)
{
	static const char priv[] = "PRIV\0\0\0\65\0\0com.apple.streaming.transportStreamTimestamp";
	struct cursor c = cursor_of(data, len);
	uint32_t size = len >= ID3_HEADER ? id3_tag_size(data) : 0;
	struct cursor tag = cursor_sub(&c, size);
	cursor_take(&tag, ID3_HEADER);
	const uint8_t *owner = cursor_take(&tag, sizeof priv);
	uint64_t pts = cursor_be(&tag, 8);
	if (!size || tag.bad || memcmp(owner, priv, sizeof priv) != 0)
		return fail(r, 0, "no ID3 tag that begins with a transport stream timestamp");
	if (pts > TICKS_MASK)
		return fail(r, 0, "the transport stream timestamp has more than 33 bits");
	r->facts.pts.t = pts;
	if (!cursor_left(&c))
		return fail(r, len, "no frames");
	return read_frames(r, c.p, cursor_left(&c), size);
}

int
segment_read(const uint8_t *data, size_t len, bool ts, uint64_t msn, struct segment_facts *facts,
    void (*each)(void *ctx, const uint8_t *frame, size_t frame_len), void *ctx)
{
	struct reading r = { .each = each, .ctx = ctx };
	int e = ts ? read_ts(&r, data, len, msn) : read_packed(&r, data, len);
	if (e < 0)
		memcpy(facts->why, r.facts.why, sizeof facts->why);
	else
		*facts = r.facts;
	return e;
}
