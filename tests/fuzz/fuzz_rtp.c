/* RTP packets and their elements: nothing is read out of bounds, and what was read can be written and reads the same.
 */
#include <string.h>

#include "base/log.h"
#include "relay/payload.h"
#include "relay/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static volatile unsigned sum;

static void
touch(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += p[i];
}

static void
payloads(const struct rtp_packet *p)
{
	struct payload out;

	for (int mpa = 0; mpa < 2; mpa++) {
		if ((mpa ? payload_parse_mpa : payload_parse_aac)(p->payload, p->payload_len, &out) < 0)
			continue;
		for (uint32_t i = 0; i < (out.frames ? out.frames : 1); i++)
			touch(out.frame[i].data, out.frame[i].len);
	}
}

static void
rewrite(const struct rtp_packet *p)
{
	static uint8_t out[65536 + 8192];
	struct rtp_head head = { p->marker, p->payload_type, p->sequence, p->timestamp, p->ssrc };
	struct rtp_writer w;
	struct rtp_packet again;
	size_t len;

	rtp_begin(&w, out, sizeof(out), &head);
	for (uint8_t id = 1; id < RTP_IDS; id++)
		if (p->element[id].data)
			rtp_put_element(&w, id, p->element[id].data, p->element[id].len);
	rtp_put_payload(&w, p->payload, p->payload_len);
	CHECK(rtp_end(&w, &len) == 0);
	CHECK(rtp_parse(out, len, &again) == 0);
	CHECK(again.ssrc == p->ssrc && again.sequence == p->sequence && again.timestamp == p->timestamp);
	CHECK(again.payload_len == p->payload_len && memcmp(again.payload, p->payload, p->payload_len) == 0);
	for (uint8_t id = 1; id < RTP_IDS; id++) {
		CHECK((again.element[id].data != NULL) == (p->element[id].data != NULL));
		CHECK(again.element[id].len == p->element[id].len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rtp_packet p;
	struct wall wall;
	struct rtp_position position;
	char mid[RTP_MID_MAX + 1], rid[RTP_RID_MAX + 1];
	uint8_t id[RTP_RUN_ID];
	struct audio_format format;
	struct rtp_element mark;

	if (len > 65536 || rtp_parse_header(data, len, &p) < 0 || rtp_parse(data, len, &p) < 0)
		return 0;
	touch(p.payload, p.payload_len);
	rtp_wall(&p, &wall);
	rtp_position(&p, &position);
	CHECK(rtp_mid(&p, mid) < 0 || rtp_mid_valid(mid));
	CHECK(rtp_rid(&p, rid) < 0 || rtp_rid_valid(rid));
	rtp_run_id(&p, id);
	CHECK(rtp_format(&p, &format) < 0 || (format.rate >= 7350 && format.rate <= 96000));
	if (rtp_mark(&p, &mark) == 0)
		touch(mark.data, mark.len);
	payloads(&p);
	rewrite(&p);
	return 0;
}
