/* A stream of packets behind their lengths, however cut, into an unpacker: memory stays bounded, frames are of their
 * format. The first byte says how many bytes come at once, and whether there is a key. */
#include "base/log.h"
#include "media/adts.h"
#include "media/mpa.h"
#include "relay/framing.h"
#include "relay/unpacker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct srtp_secret secret = { .bytes = "a secret of more than thirty bytes", .len = 34 };
static const struct unpacker_limits limits = { .runs = 3, .unknown = 4, .kept_bytes = 20000, .idle_ns = NS_PER_S };

static void
on_frame(void *context, const struct rtp_run *run, void **user, const struct rtp_frame *f)
{
	struct adts a;
	struct mpa m;
	(void)context;
	(void)user;

	CHECK(f->position == f->index * f->samples);
	CHECK(rtp_mid_valid(run->mid) && rtp_rid_valid(run->rid));
	if (run->format.codec == CODEC_AAC)
		CHECK(adts_parse(f->data, &a) == 0 && a.length == f->len && !a.crc && a.blocks == 1);
	else
		CHECK(mpa_parse(f->data, &m) == 0 && m.length == f->len && m.samples == f->samples);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct framing framing;
	struct unpacker_sink sink = { .frame = on_frame };

	if (len < 1)
		return 0;
	size_t piece = (data[0] & 0x7f) + 1u;
	struct unpacker *u = unpacker_new(&limits, data[0] & 0x80 ? &secret : NULL, &sink);
	framing_init(&framing);
	data++;
	len--;
	for (int64_t now = 0; len > 0; now += NS_PER_MS) {
		size_t n = len < piece ? len : piece;
		const uint8_t *p = data, *packet;
		size_t packet_len;
		enum framing_result r;
		data += n;
		len -= n;
		while ((r = framing_next(&framing, &p, &n, &packet, &packet_len)) == FRAMING_PACKET)
			unpacker_put(u, (struct mono){ now }, (unsigned)now % 10, packet, packet_len);
		if (r == FRAMING_TOO_LONG)
			break;
		CHECK(unpacker_runs(u) <= limits.runs && unpacker_kept_bytes(u) <= limits.kept_bytes);
		if (now % 16 == 0)
			unpacker_tick(u, (struct mono){ now });
	}
	unpacker_free(&u);
	return 0;
}
