/* From the frames of a run to its packets. */
#include "relay/packer.h"

#include <string.h>

#include "media/adts.h"
#include "media/mpa.h"
#include "relay/payload.h"

#define PACKETS_PER_S 10 /* frames of 100 ms at most share a packet */
#define INTRODUCTIONS_PER_S 2
#define FRAGMENT_MIN 256 /* room for payload that elements always leave */

_Static_assert(PACKER_FRAMES_MAX - 1 <= RTP_DEVIATIONS_MAX, "each further frame has its deviation");
_Static_assert(RTP_PACKET_MAX - SRTP_TAG - RTP_HEADER - 4 - 10 - 26 - 18 - 6 - (2 + RTP_MID_MAX) - (2 + RTP_RID_MAX) -
		       (2 + RTP_MARK_MAX) >
		   FRAGMENT_MIN,
    "the longest elements leave room");
_Static_assert(PACKER_FRAMES_MAX *(PACKER_SMALL + 2) + 10 <= RTP_PACKET_MAX - SRTP_TAG - RTP_HEADER - 4 - 10 - 34 - 18 -
								 6 - (2 + RTP_MID_MAX) - (2 + RTP_RID_MAX) -
								 (2 + RTP_MARK_MAX),
    "small frames fit whatever the elements are");

const char *
packer_error_text(int error)
{
	switch (error) {
	case PACKER_NAMES:
		return "an input that is published must have a name of letters and digits, without \"_\" and \"-\" "
		       "(RFC 8851)";
	case PACKER_FORMAT:
		return "only AAC in ADTS and MPEG layer III can be published";
	case PACKER_MEMORY:
		return "no memory";
	case PACKER_BLOCKS:
		return "ADTS frames of several raw data blocks cannot be published: have the encoder write one block a "
		       "frame";
	case PACKER_FRAME:
		return "not a whole frame of the run's format";
	case PACKER_ORDER:
		return "frame out of order";
	default:
		return "unknown";
	}
}

int
packer_init(
    struct packer *p, const struct rtp_run *run, const struct srtp_secret *secret, const struct packer_sink *sink)
{
	struct srtp_run *srtp = NULL;
	struct rtp_base base;

	if (!rtp_mid_valid(run->mid) || !rtp_rid_valid(run->rid))
		return PACKER_NAMES;
	if (rtp_run_samples(&run->format) == 0)
		return PACKER_FORMAT;
	rtp_run_base(run->id, &base);
	if (secret && srtp_run_new(secret, run->id, base.ssrc, SRTP_SEND, &srtp) < 0)
		return PACKER_MEMORY;
	*p = (struct packer){
		.run = *run,
		.base = base,
		.srtp = srtp,
		.sink = *sink,
		.samples = rtp_run_samples(&run->format),
		.broken = true,
	};
	return 0;
}

void
packer_fini(struct packer *p)
{
	srtp_run_free(&p->srtp);
}

/* ---- one packet */

struct place {
	struct rtp_position position;
	struct wall wall;
	bool marker;
};

static bool
aac(const struct packer *p)
{
	return p->run.format.codec == CODEC_AAC;
}

/* Whether this packet tells what its run is. */
static bool
introduces(struct packer *p, uint64_t position)
{
	uint64_t half = position / p->run.format.rate * INTRODUCTIONS_PER_S +
			position % p->run.format.rate * INTRODUCTIONS_PER_S / p->run.format.rate;

	if (half < p->introduce_at)
		return p->packet < PACKER_INTRODUCTION;
	p->introduce_at = half + 1;
	return true;
}

static void
put_introduction(struct packer *p, struct rtp_writer *w)
{
	rtp_put_text(w, RTP_ID_MID, p->run.mid);
	rtp_put_text(w, RTP_ID_RID, p->run.rid);
	rtp_put_element(w, RTP_ID_RUN, p->run.id, RTP_RUN_ID);
	rtp_put_format(w, &p->run.format);
}

/* Header and elements of the next packet, which will hold what begins at `at`. Returns whether it introduces. */
static bool
begin(struct packer *p, struct rtp_writer *w, const struct place *at)
{
	struct rtp_head head = {
		/* AAC: a whole access unit, or its end (RFC 3640 3.1); MPA: audio after a break (RFC 2250 3.5) */
		.marker = aac(p) ? at->marker : p->broken,
		.payload_type = rtp_run_payload_type(&p->run.format, p->srtp != NULL),
		.sequence = (uint16_t)(p->base.sequence + p->packet),
		.timestamp = rtp_run_timestamp(&p->run.format, p->base.timestamp, at->position.sample),
		.ssrc = p->base.ssrc,
	};
	bool introduction = introduces(p, at->position.sample);

	rtp_begin(w, p->out, sizeof(p->out) - SRTP_TAG, &head);
	rtp_put_wall(w, at->wall);
	rtp_put_position(w, &at->position);
	if (introduction)
		put_introduction(p, w);
	if (p->mark_len > 0 && (introduction || p->mark_new))
		rtp_put_element(w, RTP_ID_MARK, p->mark, p->mark_len);
	p->mark_new = false;
	return introduction;
}

/* The packet is complete: protect it and hand it on. Its number is used up in any case. */
static void
finish(struct packer *p, struct rtp_writer *w, const struct place *at, bool introduction)
{
	struct packer_packet out = {
		.data = p->out, .index = p->packet, .wall = at->wall, .introduction = introduction
	};
	int error = rtp_end(w, &out.len);

	if (!error && p->srtp)
		error = srtp_run_protect(p->srtp, p->base.sequence + p->packet, p->out, &out.len, sizeof(p->out));
	p->packet++;
	p->broken = false;
	if (error) {
		p->failed++;
		return;
	}
	p->packets++;
	p->bytes += out.len;
	p->sink.packet(p->sink.context, &out);
}

/* ---- frames */

static uint32_t
head_len(const struct packer *p)
{
	return aac(p) ? ADTS_HEADER : 0;
}

static int
check_aac(const struct packer *p, const struct rtp_frame *f)
{
	uint8_t header[ADTS_HEADER];
	struct adts h;

	if (f->len < ADTS_HEADER || adts_parse(f->data, &h) < 0 || h.length != f->len)
		return PACKER_FRAME;
	if (h.blocks != 1)
		return PACKER_BLOCKS;
	adts_write(h.key, f->len - ADTS_HEADER, 1, header);
	bool same = memcmp(header, f->data, ADTS_HEADER) == 0;
	uint8_t key[4] = { (uint8_t)(h.key >> 24), (uint8_t)(h.key >> 16), (uint8_t)(h.key >> 8), (uint8_t)h.key };
	return same && memcmp(key, p->run.format.header, sizeof(key)) == 0 ? 0 : PACKER_FRAME;
}

static int
check_mpa(const struct packer *p, const struct rtp_frame *f)
{
	struct mpa h;

	if (f->len < MPA_HEADER || mpa_parse(f->data, &h) < 0 || h.length != f->len || h.layer != 3)
		return PACKER_FRAME;
	uint8_t key[4] = { (uint8_t)(h.key >> 24), (uint8_t)(h.key >> 16), (uint8_t)(h.key >> 8), (uint8_t)h.key };
	return memcmp(key, p->run.format.header, sizeof(key)) == 0 ? 0 : PACKER_FRAME;
}

static int
check(const struct packer *p, const struct rtp_frame *f)
{
	int error = aac(p) ? check_aac(p, f) : check_mpa(p, f);

	if (error)
		return error;
	if (f->samples != p->samples)
		return PACKER_FRAME;
	if (f->index < p->next_frame || f->index > UINT64_MAX / p->samples || f->position != f->index * p->samples)
		return PACKER_ORDER;
	return 0;
}

/* Frames that share a packet, if they are small. */
static uint32_t
frames_per_packet(const struct packer *p)
{
	uint32_t n = p->run.format.rate / PACKETS_PER_S / p->samples;

	return n < 1 ? 1 : n > PACKER_FRAMES_MAX ? PACKER_FRAMES_MAX : n;
}

/* How far the wall time of the frame that would be the n-th further one is from what the first one's says. */
static int64_t
deviation(const struct packer *p, uint32_t n, struct wall wall)
{
	return wall.ns - p->waiting_wall[0].ns - samples_to_ns((uint64_t)n * p->samples, p->run.format.rate);
}

/* Whether the frame can wait behind those that do. */
static bool
joins(const struct packer *p, const struct rtp_frame *f)
{
	int64_t ns = p->waiting > 0 ? deviation(p, p->waiting, f->wall) : 0;

	return f->len <= PACKER_SMALL && f->index == p->next_frame && ns >= INT32_MIN && ns <= INT32_MAX;
}

static void
keep(struct packer *p, const struct rtp_frame *f)
{
	uint32_t n = p->waiting++;

	if (n == 0)
		p->waiting_position = f->position;
	p->waiting_len[n] = f->len;
	p->waiting_wall[n] = f->wall;
	memcpy(p->waiting_data + (size_t)n * PACKER_SMALL, f->data, f->len);
}

void
packer_flush(struct packer *p)
{
	struct payload_frame frames[PACKER_FRAMES_MAX];
	struct place at = { .position = { .packet = p->packet, .sample = p->waiting_position },
		.wall = p->waiting_wall[0],
		.marker = true };
	struct rtp_writer w;
	uint32_t n = p->waiting, head = head_len(p);

	if (n == 0)
		return;
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *data = p->waiting_data + (size_t)i * PACKER_SMALL;
		frames[i] = (struct payload_frame){ data + head, p->waiting_len[i] - head };
		if (i > 0)
			at.position.deviation[at.position.deviations++] = (int32_t)deviation(p, i, p->waiting_wall[i]);
	}
	bool introduction = begin(p, &w, &at);
	if (aac(p))
		payload_put_aac(&w, frames, n);
	else
		payload_put_mpa(&w, frames, n);
	p->waiting = 0;
	finish(p, &w, &at, introduction);
}

/* One frame alone, in as many packets as it takes. */
static void
send_alone(struct packer *p, const struct rtp_frame *f)
{
	struct place at = { .position = { .sample = f->position }, .wall = f->wall };
	const uint8_t *data = f->data + head_len(p);
	uint32_t total = f->len - head_len(p), done = 0;

	while (done < total) {
		struct rtp_writer w;
		at.position.packet = p->packet;
		bool introduction = begin(p, &w, &at);
		uint32_t room = (uint32_t)rtp_room(&w) - (aac(p) ? PAYLOAD_AAC_HEAD(1) : PAYLOAD_MPA_HEAD);
		uint32_t n = total - done < room ? total - done : room;
		if (aac(p))
			payload_put_aac_fragment(&w, total, data + done, n);
		else
			payload_put_mpa_fragment(&w, done, data + done, n);
		done += n;
		if (aac(p) && done == total)
			p->out[1] |= 0x80; /* the last, or only, fragment has the marker bit */
		finish(p, &w, &at, introduction);
	}
}

int
packer_frame(struct packer *p, const struct rtp_frame *f)
{
	int error = check(p, f);

	if (error) {
		p->refused++;
		return error;
	}
	uint32_t most = frames_per_packet(p);
	if (p->waiting > 0 && !joins(p, f))
		packer_flush(p);
	if (f->index != p->next_frame)
		p->broken = true;
	p->next_frame = f->index + 1;
	p->frames++;
	if (most == 1 || f->len > PACKER_SMALL) {
		send_alone(p, f);
		return 0;
	}
	keep(p, f);
	if (p->waiting == most)
		packer_flush(p);
	return 0;
}

uint32_t
packer_waiting(const struct packer *p)
{
	return p->waiting;
}

void
packer_mark(struct packer *p, const void *mark, uint8_t len)
{
	memcpy(p->mark, mark, len);
	p->mark_len = len;
	p->mark_new = len > 0;
}
