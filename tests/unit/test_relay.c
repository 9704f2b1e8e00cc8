/* What the relay takes in: drops by reason, copies, wraps, names, floods of senders and sources; and what is
 * configured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "relay/group.h"
#include "relay/query.h"
#include "relay/relay.h"
#include "relay/rtp.h"

static struct mono now = { NS_PER_S };
static const struct wall present = { 1000 * NS_PER_S };

static struct relay_options
options(void)
{
	struct relay_options o = { .limits = { .senders = 8, .sources = 64, .sources_per_sender = 16, .rate = 1000 },
		.history_ns = 60 * NS_PER_S,
		.memory = 1 << 20 };
	char memory[200];
	struct text why;

	text_init_fixed(&why, memory, sizeof memory);
	assert_int_equal(network_parse("loopback private", &o.allow, &why), 0);
	return o;
}

static void
begin(struct relay *r)
{
	struct relay_options o = options();

	assert_int_equal(relay_init(r, &o, 42), 0);
}

static struct sender *
sender(struct relay *r, uint32_t number)
{
	struct sender_key key = { .kind = SENDER_UDP };

	memcpy(key.address.s6_addr, &number, 4);
	return relay_sender(r, &key, now);
}

struct packet_words {
	uint32_t ssrc;
	uint16_t sequence;
	bool placed; /* has extension 2 */
	uint64_t index;
	const char *mid;
};

static bool
take(struct relay *r, struct sender *d, const struct packet_words *p)
{
	struct rtp_head head = { .payload_type = 96, .sequence = p->sequence, .ssrc = p->ssrc };
	struct rtp_position position = { .packet = p->index };
	uint8_t bytes[400];
	struct rtp_writer w;
	size_t len;

	rtp_begin(&w, bytes, sizeof bytes, &head);
	if (p->placed)
		rtp_put_position(&w, &position);
	if (p->mid)
		rtp_put_text(&w, RTP_ID_MID, p->mid);
	rtp_put_payload(&w, "payload", 7);
	assert_int_equal(rtp_end(&w, &len), 0);
	return relay_take(r, d, bytes, len, now, present);
}

/* ---- packets */

static void
counts_why_it_drops(void **state)
{
	static const uint8_t rtcp[] = { 0x80, 200, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0 };
	static uint8_t large[RING_PACKET_MOST + 1] = { 0x80 };
	struct relay r;
	struct in6_addr public, private;

	(void)state;
	begin(&r);
	struct sender *d = sender(&r, 1);
	for (size_t len = 0; len < 12; len++)
		assert_false(relay_take(&r, d, large, len, now, present));
	assert_int_equal(r.counters.dropped[DROP_MALFORMED], 12);
	assert_false(relay_take(&r, d, large, sizeof large, now, present));
	assert_int_equal(r.counters.dropped[DROP_OVERSIZED], 1);
	assert_true(relay_take(&r, d, large, sizeof large - 1, now, present));
	assert_false(relay_take(&r, d, rtcp, sizeof rtcp, now, present));
	assert_int_equal(r.counters.dropped[DROP_RTCP], 1);
	inet_pton(AF_INET6, "::ffff:8.8.8.8", &public);
	inet_pton(AF_INET6, "::ffff:10.1.2.3", &private);
	assert_false(relay_allows(&r, &public));
	assert_true(relay_allows(&r, &private));
	assert_int_equal(r.counters.dropped[DROP_NETWORK], 1);
	relay_fini(&r);
}

static void
bounds_the_rate(void **state)
{
	struct relay r;
	unsigned taken = 0;

	(void)state;
	begin(&r);
	struct sender *d = sender(&r, 1), *other = sender(&r, 2);
	for (unsigned i = 0; i < 3000; i++)
		taken += take(&r, d, &(struct packet_words){ 1, 0, true, i, NULL });
	assert_int_equal(taken, 1000);
	assert_int_equal(r.counters.dropped[DROP_RATE], 2000);
	assert_true(take(&r, other, &(struct packet_words){ 2, 0, true, 0, NULL }));
	now.ns += NS_PER_S / 2;
	for (unsigned i = 3000; i < 6000; i++)
		taken += take(&r, d, &(struct packet_words){ 1, 0, true, i, NULL });
	assert_int_equal(taken, 1500);
	struct sender *pulled = relay_sender(&r, &(struct sender_key){ .kind = SENDER_PULL }, now);
	for (unsigned i = 0; i < 3000; i++)
		assert_true(take(&r, pulled, &(struct packet_words){ 3, 0, true, i, NULL }));
	relay_fini(&r);
}

/* Sequence numbers of third parties wrap; copies over two paths, late and early ones, are known. */
static void
knows_copies_over_wraps(void **state)
{
	struct relay r;

	(void)state;
	begin(&r);
	struct sender *a = sender(&r, 1), *b = sender(&r, 2);
	for (unsigned i = 0; i < 2000; i++) {
		uint16_t sequence = (uint16_t)(65000 + (i ^ 1)); /* neighbours in the wrong order */
		now.ns += 10 * NS_PER_MS;
		assert_true(take(&r, i % 3 ? a : b, &(struct packet_words){ 7, sequence, false, 0, NULL }));
		if (i > 20) {
			sequence = (uint16_t)(65000 + i - 2 - i % 17);
			assert_false(take(&r, b, &(struct packet_words){ 7, sequence, false, 0, NULL }));
		}
	}
	assert_int_equal(r.counters.packets, 2000);
	assert_int_equal(r.counters.copies, 1979);
	/* a whole turn later the same number is another packet */
	for (unsigned i = 0; i < 3; i++) {
		now.ns += NS_PER_S;
		assert_true(
		    take(&r, a, &(struct packet_words){ 7, (uint16_t)(67000 + 30000 * (i + 1)), false, 0, NULL }));
	}
	relay_fini(&r);
}

static void
keeps_the_first_name(void **state)
{
	struct relay r;

	(void)state;
	begin(&r);
	struct sender *d = sender(&r, 1);
	take(&r, d, &(struct packet_words){ 1, 0, true, 0, "Fip.hifi" });
	assert_null(sources_find(&r.sources, 1)->name);
	take(&r, d, &(struct packet_words){ 1, 0, true, 1, "fip.hifi" });
	assert_string_equal(sources_find(&r.sources, 1)->name, "fip.hifi");
	take(&r, d, &(struct packet_words){ 1, 0, true, 2, "fip.hifi" });
	assert_false(sources_find(&r.sources, 1)->collided);
	take(&r, d, &(struct packet_words){ 1, 0, true, 3, "fip.lofi" });
	take(&r, d, &(struct packet_words){ 1, 0, true, 4, "fip.lofi" });
	assert_true(sources_find(&r.sources, 1)->collided);
	assert_int_equal(r.counters.collisions, 1);
	relay_fini(&r);
}

/* ---- floods */

static void
establish(struct relay *r, struct sender *d, uint32_t ssrc)
{
	for (unsigned i = 0; i < 40; i++) {
		now.ns += 20 * NS_PER_MS;
		assert_true(take(r, d, &(struct packet_words){ ssrc, 0, true, i, "fip.hifi" }));
	}
	assert_true(sources_find(&r->sources, ssrc)->established);
}

static void
forged_sources_turn_over_among_themselves(void **state)
{
	struct relay r;

	(void)state;
	begin(&r);
	struct sender *d = sender(&r, 1), *other = sender(&r, 2);
	establish(&r, d, 1);
	establish(&r, other, 2);
	for (unsigned i = 0; i < 10000; i++) {
		now.ns += 2 * NS_PER_MS;
		assert_true(take(&r, d, &(struct packet_words){ 1000 + i, 0, true, 0, NULL }));
	}
	assert_int_equal(d->sources, 16);
	assert_true(r.sources.pushed_out >= 10000 - 16);
	assert_non_null(sources_find(&r.sources, 1));
	assert_non_null(sources_find(&r.sources, 2));
	/* its packets are there too */
	assert_false(take(&r, other, &(struct packet_words){ 2, 0, true, 39, NULL }));
	assert_true(r.ring.counters.bytes <= r.ring.memory);
	relay_fini(&r);
}

static void
established_sources_stay(void **state)
{
	struct relay r;

	(void)state;
	begin(&r);
	struct sender *d = sender(&r, 1);
	for (uint32_t ssrc = 1; ssrc <= 16; ssrc++)
		establish(&r, d, ssrc);
	/* the first is silent since 12 s, the others are not */
	assert_true(take(&r, d, &(struct packet_words){ 100, 0, true, 1000, NULL }));
	assert_null(sources_find(&r.sources, 1));
	for (uint32_t ssrc = 2; ssrc <= 16; ssrc++)
		assert_true(take(&r, d, &(struct packet_words){ ssrc, 0, true, 1000, NULL }));
	establish(&r, d, 100);
	assert_false(take(&r, d, &(struct packet_words){ 101, 0, true, 0, NULL }));
	assert_int_equal(r.counters.dropped[DROP_SOURCES], 1);
	relay_fini(&r);
}

/* With the table full of one sender's made-up sources another still gets in. */
static void
a_full_table_has_room_for_others(void **state)
{
	struct relay r;

	(void)state;
	begin(&r);
	for (unsigned s = 0; s < 5; s++)
		for (uint32_t i = 0; i < 16; i++)
			assert_true(take(&r, sender(&r, s), &(struct packet_words){ s * 100 + i, 0, true, 0, NULL }));
	assert_int_equal(r.sources.source_count, 64);
	establish(&r, sender(&r, 6), 9999);
	relay_fini(&r);
}

static void
forged_senders_turn_over_among_themselves(void **state)
{
	struct relay r;

	(void)state;
	begin(&r);
	struct sender *real = sender(&r, 1);
	establish(&r, real, 1);
	for (uint32_t i = 0; i < 1000; i++) {
		struct sender *d = sender(&r, 100 + i);
		assert_non_null(d);
		take(&r, d, &(struct packet_words){ 100 + i, 0, true, 0, NULL });
	}
	assert_int_equal(r.sources.sender_count, 8);
	assert_ptr_equal(sender(&r, 1), real);
	/* eight that are real leave no room for a ninth */
	for (uint32_t i = 2; i <= 8; i++)
		establish(&r, sender(&r, i), i);
	assert_null(sender(&r, 9));
	assert_int_equal(r.counters.dropped[DROP_SENDERS], 1);
	relay_fini(&r);
}

static void
forgets_what_is_silent(void **state)
{
	struct relay r;

	(void)state;
	begin(&r);
	establish(&r, sender(&r, 1), 1);
	assert_true(sources_find(&r.sources, 1)->live);
	now.ns += 11 * NS_PER_S;
	relay_age(&r, now);
	assert_false(sources_find(&r.sources, 1)->live);
	now.ns += 60 * NS_PER_S;
	relay_age(&r, now);
	assert_int_equal(r.ring.counters.packets, 0);
	assert_null(sources_find(&r.sources, 1));
	assert_int_equal(r.sources.sender_count, 0);
	relay_fini(&r);
}

/* ---- configuration */

static bool
holds(const char *list, const char *address)
{
	struct network_list networks;
	char memory[200];
	struct text why;
	struct in6_addr a;
	char mapped[80] = "::ffff:";

	text_init_fixed(&why, memory, sizeof memory);
	assert_int_equal(network_parse(list, &networks, &why), 0);
	strncat(mapped, address, 60);
	assert_int_equal(inet_pton(AF_INET6, strchr(address, ':') ? address : mapped, &a), 1);
	return network_holds(&networks, &a);
}

static void
knows_networks(void **state)
{
	static const char *const bad[] = { "", " ", "10.0.0.1/8", "10.0.0.0/33", "::/129", "1.2.3", "10.0.0.0/", "here",
		"10.0.0.0/-1", "2001:db8::1/32", "10.0.0.0/8 x" };
	struct network_list networks = { .count = 77 };
	char memory[200];
	struct text why;

	(void)state;
	assert_true(holds("10.0.0.0/8", "10.255.1.2"));
	assert_false(holds("10.0.0.0/8", "11.0.0.0"));
	assert_true(holds("192.0.2.129/32", "192.0.2.129"));
	assert_true(holds("192.0.2.128/25", "192.0.2.200"));
	assert_false(holds("192.0.2.128/25", "192.0.2.127"));
	assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(holds("loopback", "::1"));
	assert_true(holds("loopback", "127.1.2.3"));
	assert_true(holds("private, 192.0.2.1", "172.31.0.1"));
	assert_true(holds("private, 192.0.2.1", "192.0.2.1"));
	assert_false(holds("private", "172.32.0.1"));
	assert_false(holds("private", "2001:db8::1"));
	assert_false(holds("::/0 192.0.2.0/24", "::1") && !holds("any", "8.8.8.8"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		text_init_fixed(&why, memory, sizeof memory);
		assert_int_equal(network_parse(bad[i], &networks, &why), -1);
		assert_true(why.len > 0);
		assert_int_equal(networks.count, 77);
	}
}

static void
knows_groups(void **state)
{
	static const char *const good[] = { "239.9.9.1:9001", "239.9.9.1%eth1:9001", "[ff15::1]:9001",
		"[ff15::1%eth1]:9001" };
	static const char *const bad[] = { "10.0.0.1:9001", "239.9.9.1", "239.9.9.1:0", "239.9.9.1%:9001", "[::1]:9001",
		"239.9.9.1%interfacename0000:9001", "%", "", "[ff15::1%eth1:9001" };
	struct group g;
	char text[GROUP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(group_parse(good[i], strlen(good[i]), &g), 0);
		assert_string_equal(group_format(&g, text), good[i]);
	}
	assert_string_equal(g.interface, "eth1");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(group_parse(bad[i], strlen(bad[i]), &g), -1);
}

static int
query(const char *s, struct query *q)
{
	char memory[200];
	struct text why;

	text_init_fixed(&why, memory, sizeof memory);
	int rc = query_parse(s, q, &why);
	assert_true(rc == 0 || why.len > 0);
	return rc;
}

static void
reads_queries(void **state)
{
	static const char *const bad[] = { "since", "since=", "since=yesterday", "since=1&since=2", "from=1",
		"mid=", "mid=A.b", "mid=a.b.c", "since=%", "since=%4", "since=%zz", "mid=a%00b",
		"since=99999999999999999999", "since=2026-13-01T00:00:00Z", "=", "mid=%2e%2e" };
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "since=1700000000", 1700000000 * NS_PER_S },
		{ "since=1700000000.5", 1700000000 * NS_PER_S + NS_PER_S / 2 },
		{ "since=1700000000123456789", 1700000000123456789 },
		{ "since=2023-11-14T22:13:20Z", 1700000000 * NS_PER_S },
		{ "since=2023-11-14T23%3A13:20%2b01:00", 1700000000 * NS_PER_S },
		{ "since=2023-11-14T23:13:20%2001:00", 1700000000 * NS_PER_S },
		{ "&&", RING_LIVE },
	};
	static struct query q;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(query(good[i].text, &q), 0);
		assert_true(q.since == good[i].ns);
		assert_int_equal(q.count, 0);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(query(bad[i], &q), -1);
	assert_int_equal(query("mid=fip.hifi&since=5&mid=fip.lofi&mid=a-b_c.d", &q), 0);
	assert_int_equal(q.count, 3);
	assert_true(q.mids[0] < q.mids[1] && q.mids[1] < q.mids[2]);
	char many[8 * (QUERY_MIDS_MOST + 1) + 1] = "";
	for (size_t i = 0; i < QUERY_MIDS_MOST; i++)
		memcpy(many + 8 * i, "mid=a.b&", 9);
	assert_int_equal(query(many, &q), 0);
	memcpy(many + 8 * QUERY_MIDS_MOST, "mid=a.b&", 9);
	assert_int_equal(query(many, &q), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_why_it_drops),
		cmocka_unit_test(bounds_the_rate),
		cmocka_unit_test(knows_copies_over_wraps),
		cmocka_unit_test(keeps_the_first_name),
		cmocka_unit_test(forged_sources_turn_over_among_themselves),
		cmocka_unit_test(established_sources_stay),
		cmocka_unit_test(a_full_table_has_room_for_others),
		cmocka_unit_test(forged_senders_turn_over_among_themselves),
		cmocka_unit_test(forgets_what_is_silent),
		cmocka_unit_test(knows_networks),
		cmocka_unit_test(knows_groups),
		cmocka_unit_test(reads_queries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
