/* One run at its receiver: from its packets to its frames. */
#include "relay/unpacker_run.h"

#include <stdlib.h>
#include <string.h>

#include "media/adts.h"
#include "media/mpa.h"

#define PACKET_LIMIT (UINT64_C(1) << 47) /* with the base below 2^48, which SRTP can count */
#define LOST_MAX (1 << 20)               /* a longer step is no loss but nonsense */
#define SAMPLE_LIMIT (UINT64_C(1) << 62)

int
unpacker_run_init(struct unpacker_run *out, const struct unpacker_packet *p, const struct srtp_secret *secret)
{
	struct unpacker_run r = { 0 };

	if (rtp_run_id(&p->rtp, r.run.id) < 0 || rtp_mid(&p->rtp, r.run.mid) < 0 || rtp_rid(&p->rtp, r.run.rid) < 0 ||
	    rtp_format(&p->rtp, &r.run.format) < 0)
		return UNPACKER_NAMES;
	rtp_run_base(r.run.id, &r.base);
	r.samples = rtp_run_samples(&r.run.format);
	if (p->rtp.ssrc != r.base.ssrc || (uint16_t)(p->rtp.sequence - p->position.packet) != r.base.sequence)
		return UNPACKER_MISMATCH;
	if (secret && srtp_run_new(secret, r.run.id, r.base.ssrc, SRTP_RECEIVE, &r.srtp) < 0)
		return UNPACKER_BOUNDS;
	*out = r;
	return 0;
}

void
unpacker_run_fini(struct unpacker_run *r)
{
	srtp_run_free(&r->srtp);
	for (unsigned i = 0; i < UNPACKER_ASSEMBLIES; i++)
		free(r->assembly[i]);
}

/* ---- duplicates */

static bool
seen(const struct unpacker_run *r, uint64_t n)
{
	if (!r->any || n > r->newest || r->newest - n >= UNPACKER_SEEN)
		return false;
	return r->seen[n % UNPACKER_SEEN / 64] >> n % 64 & 1;
}

static void
see(struct unpacker_run *r, uint64_t n)
{
	if (!r->any || (n > r->newest && n - r->newest >= UNPACKER_SEEN)) {
		memset(r->seen, 0, sizeof(r->seen));
		r->newest = n;
		r->any = true;
	}
	while (r->newest < n) {
		uint64_t i = ++r->newest;
		r->seen[i % UNPACKER_SEEN / 64] &= ~(UINT64_C(1) << i % 64);
	}
	if (r->newest - n < UNPACKER_SEEN)
		r->seen[n % UNPACKER_SEEN / 64] |= UINT64_C(1) << n % 64;
}

/* What is missing on a path: numbers below its newest that did not come, less those that come late. */
static void
count_path(struct unpacker_run_path *path, struct unpacker_path *out, uint64_t n)
{
	if (!path->any) {
		*path = (struct unpacker_run_path){ .any = true, .newest = n, .mask = UINT64_MAX };
	} else if (n > path->newest) {
		uint64_t step = n - path->newest;
		if (step <= LOST_MAX)
			out->lost += step - 1;
		path->mask = step > 64    ? 0
			     : step == 64 ? UINT64_C(1) << 63
					  : path->mask << step | UINT64_C(1) << (step - 1);
		path->newest = n;
	} else if (n < path->newest && path->newest - n <= 64) {
		uint64_t bit = UINT64_C(1) << (path->newest - n - 1);
		if (!(path->mask & bit) && out->lost > 0)
			out->lost--;
		path->mask |= bit;
	}
}

static void
count_arrival(struct unpacker_run *r, const struct unpacker_packet *p, struct unpacker_work *work, bool duplicate)
{
	struct unpacker_path *path = &work->paths[p->path];

	path->packets++;
	path->duplicates += duplicate;
	count_path(&r->path[p->path], path, p->position.packet);
}

/* ---- opening */

/* What every packet of the run says must agree with what is known of it. */
static bool
matches(const struct unpacker_run *r, const struct unpacker_packet *p)
{
	uint64_t sample = p->position.sample;

	if (p->position.packet >= PACKET_LIMIT || sample >= SAMPLE_LIMIT || sample % r->samples != 0)
		return false;
	return p->rtp.payload_type == rtp_run_payload_type(&r->run.format, r->srtp != NULL) &&
	       p->rtp.timestamp == rtp_run_timestamp(&r->run.format, r->base.timestamp, sample);
}

static int
decrypt(struct unpacker_run *r, struct unpacker_packet *p, struct unpacker_work *work)
{
	size_t len = p->len;

	if (len > sizeof(work->packet))
		return UNPACKER_FORGED;
	memcpy(work->packet, p->data, len);
	switch (srtp_run_unprotect(r->srtp, r->base.sequence + p->position.packet, work->packet, &len)) {
	case SRTP_OK:
		break;
	case SRTP_DUPLICATE:
		return UNPACKER_DUPLICATE;
	case SRTP_MEMORY:
		return UNPACKER_BOUNDS;
	default:
		return UNPACKER_FORGED;
	}
	p->data = work->packet;
	p->len = len;
	return rtp_parse(p->data, p->len, &p->rtp) < 0 ? UNPACKER_RTP : 0;
}

int
unpacker_run_open(struct unpacker_run *r, struct unpacker_packet *p, struct unpacker_work *work)
{
	uint8_t id[RTP_RUN_ID];
	int error = 0;

	if (!matches(r, p))
		return UNPACKER_MISMATCH;
	if (seen(r, p->position.packet))
		error = UNPACKER_DUPLICATE;
	else if (r->srtp)
		error = decrypt(r, p, work);
	if (error == UNPACKER_DUPLICATE)
		count_arrival(r, p, work, true);
	if (error)
		return error;
	if (rtp_run_id(&p->rtp, id) == 0 && memcmp(id, r->run.id, sizeof(id)) != 0)
		return UNPACKER_NAMES;
	see(r, p->position.packet);
	count_arrival(r, p, work, false);
	return 0;
}

/* ---- frames */

/* The ADTS frame around an access unit: 0 when there can be none. */
static uint32_t
adts_frame(const struct unpacker_run *r, const struct payload_frame *unit, uint8_t out[static PAYLOAD_FRAME_MAX])
{
	const uint8_t *k = r->run.format.header;
	uint32_t key = (uint32_t)k[0] << 24 | (uint32_t)k[1] << 16 | (uint32_t)k[2] << 8 | k[3];
	struct adts h;

	if (unit->len > ADTS_FRAME_MAX - ADTS_HEADER)
		return 0;
	memmove(out + ADTS_HEADER, unit->data, unit->len);
	adts_write(key, unit->len, 1, out);
	return adts_parse(out, &h) == 0 ? ADTS_HEADER + unit->len : 0;
}

static bool
mpa_frame(const struct unpacker_run *r, const struct payload_frame *f)
{
	struct mpa h;

	if (f->len < MPA_HEADER || mpa_parse(f->data, &h) < 0 || h.length != f->len)
		return false;
	uint8_t key[4] = { (uint8_t)(h.key >> 24), (uint8_t)(h.key >> 16), (uint8_t)(h.key >> 8), (uint8_t)h.key };
	return memcmp(key, r->run.format.header, sizeof(key)) == 0;
}

/* Give the n-th frame that began in this packet. */
static int
give(struct unpacker_run *r, const struct unpacker_packet *p, struct unpacker_work *work, uint32_t n,
    const struct payload_frame *f)
{
	struct rtp_frame out = { .data = f->data, .len = f->len, .samples = r->samples };

	if (r->run.format.codec == CODEC_AAC) {
		out.len = adts_frame(r, f, work->frame);
		out.data = work->frame;
		if (out.len == 0)
			return UNPACKER_PAYLOAD;
	} else if (!mpa_frame(r, f)) {
		return UNPACKER_PAYLOAD;
	}
	out.position = p->position.sample + (uint64_t)n * r->samples;
	out.index = out.position / r->samples;
	out.wall.ns = p->wall.ns + samples_to_ns((uint64_t)n * r->samples, r->run.format.rate);
	if (n > 0 && n <= p->position.deviations)
		out.wall.ns += p->position.deviation[n - 1];
	if (work->sink->frame)
		work->sink->frame(work->sink->context, &r->run, &r->user, &out);
	return UNPACKER_TAKEN;
}

/* The assembly for the frame at `sample`; an older one gives way. NULL when memory is short. */
static struct payload_assembly *
assembly_for(struct unpacker_run *r, uint64_t sample, struct unpacker_work *work, uint32_t *at)
{
	uint32_t i;

	for (i = 0; i < UNPACKER_ASSEMBLIES; i++)
		if (r->assembling[i] && r->assembly[i]->key == sample) {
			*at = i;
			return r->assembly[i];
		}
	for (i = 0; i < UNPACKER_ASSEMBLIES && r->assembling[i]; i++)
		;
	if (i == UNPACKER_ASSEMBLIES) {
		i = r->next_assembly++ % UNPACKER_ASSEMBLIES;
		work->frames_broken++;
	}
	if (!r->assembly[i])
		r->assembly[i] = malloc(sizeof(*r->assembly[i]));
	if (!r->assembly[i])
		return NULL;
	payload_assembly_init(r->assembly[i], sample);
	r->assembling[i] = true;
	*at = i;
	return r->assembly[i];
}

static int
read_fragment(
    struct unpacker_run *r, const struct unpacker_packet *p, struct unpacker_work *work, const struct payload *payload)
{
	uint32_t at;
	struct payload_assembly *a = assembly_for(r, p->position.sample, work, &at);

	if (!a)
		return UNPACKER_BOUNDS;
	int whole = r->run.format.codec == CODEC_AAC
			? payload_assembly_aac(a, payload, p->position.packet, p->rtp.marker)
			: payload_assembly_mpa(a, payload);
	if (whole == 0)
		return UNPACKER_TAKEN;
	r->assembling[at] = false;
	if (whole < 0) {
		work->frames_broken++;
		return UNPACKER_PAYLOAD;
	}
	struct payload_frame f = { .data = work->frame };
	f.len = payload_assembly_take(a, work->frame);
	return give(r, p, work, 0, &f);
}

int
unpacker_run_read(struct unpacker_run *r, const struct unpacker_packet *p, struct unpacker_work *work)
{
	struct payload payload;
	struct rtp_element mark;
	bool aac = r->run.format.codec == CODEC_AAC;

	if ((aac ? payload_parse_aac : payload_parse_mpa)(p->rtp.payload, p->rtp.payload_len, &payload) < 0)
		return UNPACKER_PAYLOAD;
	if (rtp_mark(&p->rtp, &mark) == 0 && work->sink->mark)
		work->sink->mark(work->sink->context, &r->run, &r->user, mark.data, mark.len);
	if (payload.frames == 0)
		return read_fragment(r, p, work, &payload);
	for (uint32_t i = 0; i < payload.frames; i++) {
		int result = give(r, p, work, i, &payload.frame[i]);
		if (result < 0)
			return result;
	}
	return UNPACKER_TAKEN;
}
