/* Taking in packets. */
#include "relay/relay.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "relay/rtp.h"

#define BY_SEQUENCE (UINT64_C(1) << 63) /* keeps indices from sequence numbers apart from those of extension 2 */

static const char *const drop_names[DROP_REASONS] = {
	[DROP_NETWORK] = "network",
	[DROP_SENDERS] = "senders",
	[DROP_RATE] = "rate",
	[DROP_OVERSIZED] = "oversized",
	[DROP_MALFORMED] = "malformed",
	[DROP_RTCP] = "rtcp",
	[DROP_SOURCES] = "sources",
	[DROP_MEMORY] = "memory",
};

const char *
relay_drop_name(enum relay_drop reason)
{
	return drop_names[reason];
}

void
relay_drop(struct relay *r, enum relay_drop reason)
{
	r->counters.dropped[reason]++;
}

const char *
sender_text(const struct sender *d, char text[static SENDER_TEXT_SIZE])
{
	static const char *const kinds[] = { [SENDER_UDP] = "udp", [SENDER_PUT] = "put", [SENDER_PULL] = "relay" };
	const struct in6_addr *a = &d->key.address;
	char address[INET6_ADDRSTRLEN] = "?";

	if (d->key.kind == SENDER_PULL)
		snprintf(address, sizeof address, "%u", d->key.number + 1);
	else if (IN6_IS_ADDR_V4MAPPED(a))
		inet_ntop(AF_INET, a->s6_addr + 12, address, sizeof address);
	else
		inet_ntop(AF_INET6, a, address, sizeof address);
	snprintf(text, SENDER_TEXT_SIZE, "%s-%s", kinds[d->key.kind], address);
	return text;
}

int
relay_init(struct relay *r, const struct relay_options *options, uint64_t seed)
{
	*r = (struct relay){ .options = *options };
	if (sources_init(&r->sources, &options->limits, seed))
		return -1;
	if (ring_init(&r->ring, &r->sources, options->history_ns, options->memory, seed)) {
		sources_fini(&r->sources);
		return -1;
	}
	return 0;
}

void
relay_fini(struct relay *r)
{
	ring_fini(&r->ring);
	sources_fini(&r->sources);
}

bool
relay_allows(struct relay *r, const struct in6_addr *address)
{
	if (network_holds(&r->options.allow, address))
		return true;
	relay_drop(r, DROP_NETWORK);
	return false;
}

struct sender *
relay_sender(struct relay *r, const struct sender_key *key, struct mono now)
{
	struct sender *d = sources_sender(&r->sources, key, now);

	if (!d)
		relay_drop(r, DROP_SENDERS);
	return d;
}

/* ---- one packet */

/* Extend a sequence number by the highest one seen (RFC 3550 6.4.1, A.1). */
static uint64_t
extend(struct source *s, uint16_t sequence)
{
	if (!s->has_high) {
		s->has_high = true;
		s->high = UINT64_C(0x10000) | sequence; /* an earlier one may follow */
		return s->high;
	}
	uint64_t extended = s->high + (uint64_t)(int64_t)(int16_t)(sequence - (uint16_t)s->high);
	if (extended > s->high && extended < BY_SEQUENCE)
		s->high = extended;
	return extended & ~BY_SEQUENCE;
}

/* The first name stays. With a second one the source passes every filter: two runs drew the same SSRC. */
static void
name_source(struct relay *r, struct source *s, const struct rtp_packet *p)
{
	char mid[RTP_MID_MAX + 1];

	if (rtp_mid(p, mid))
		return;
	uint64_t hash = source_mid_hash(mid, strlen(mid));
	if (!s->name) {
		s->name = strdup(mid);
		s->mid = s->name ? hash : 0;
	} else if (s->mid != hash && !s->collided) {
		s->collided = true;
		r->counters.collisions++;
		log_warn("two renditions have one SSRC, readers of all get both ssrc=%08x mid=%s", s->ssrc, s->name);
	}
}

static void
say_began(struct source *s)
{
	char sender[SENDER_TEXT_SIZE];

	s->live = true;
	log_info("source began ssrc=%08x mid=%s sender=%s", s->ssrc, s->name ? s->name : "-",
	    sender_text(s->sender, sender));
}

/* What names the run and its format, so that a receiver can begin with it. */
static bool
is_intro(const struct rtp_packet *p)
{
	return p->element[RTP_ID_MID].data && p->element[RTP_ID_RUN].data && p->element[RTP_ID_FORMAT].data;
}

static struct ring_arrival
arrival_of(struct source *s, const struct rtp_packet *p, const uint8_t *bytes, size_t len, struct wall present)
{
	struct rtp_position position;
	struct wall wall = present;
	bool placed = rtp_position(p, &position) == RTP_OK;

	rtp_wall(p, &wall);
	return (struct ring_arrival){
		.bytes = bytes,
		.len = (uint16_t)len,
		.index = placed ? position.packet & ~BY_SEQUENCE : extend(s, p->sequence) | BY_SEQUENCE,
		.wall = wall.ns,
		.intro = is_intro(p),
	};
}

/* What there is to know of a packet before it may take any room. 0, or the reason to drop it. */
static int
examine(struct relay *r, struct sender *sender, const uint8_t *bytes, size_t len, struct mono now, struct rtp_packet *p)
{
	/* another relay sends its history as fast as it is taken; TCP holds it back */
	if (sender->key.kind != SENDER_PULL && !sources_may_send(&r->sources, sender, now))
		return -DROP_RATE;
	if (len > RING_PACKET_MOST)
		return -DROP_OVERSIZED;
	int error = rtp_parse_header(bytes, len, p);
	return error == RTP_CONTROL ? -DROP_RTCP : error ? -DROP_MALFORMED : 0;
}

bool
relay_take(struct relay *r, struct sender *sender, const uint8_t *bytes, size_t len, struct mono now, struct wall wall)
{
	struct rtp_packet p;
	int drop = examine(r, sender, bytes, len, now, &p);
	struct source *s = drop ? NULL : sources_enter(&r->sources, sender, p.ssrc, now);

	if (!s) {
		relay_drop(r, drop ? (enum relay_drop) - drop : DROP_SOURCES);
		return false;
	}
	if (p.element[RTP_ID_MID].data)
		name_source(r, s, &p);
	struct ring_arrival a = arrival_of(s, &p, bytes, len, wall);
	enum ring_result result = ring_add(&r->ring, sender, s, &a, now);
	if (result == RING_COPY)
		r->counters.copies++;
	if (result == RING_NO_MEMORY)
		relay_drop(r, DROP_MEMORY);
	if (result != RING_TAKEN)
		return false;
	r->counters.packets++;
	r->counters.bytes += len;
	sources_heard(&r->sources, s, now);
	if (s->established && !s->live)
		say_began(s);
	return true;
}

static void
say_ended(void *ctx, struct source *s)
{
	(void)ctx;
	log_info("source ended ssrc=%08x mid=%s packets=%llu", s->ssrc, s->name ? s->name : "-",
	    (unsigned long long)s->received);
}

void
relay_age(struct relay *r, struct mono now)
{
	ring_expire(&r->ring, now);
	sources_sweep(&r->sources, now, say_ended, NULL);
}
