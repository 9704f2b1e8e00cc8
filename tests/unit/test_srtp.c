/* SRTP: the secret, and packets of a run in any order and from any point. */
#include "relay/srtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

#define SSRC 0xcafebabe
#define START 0x2a33

static const struct srtp_secret secret = { .bytes = "a secret of more than thirty bytes", .len = 34 };
static const uint8_t run_id[RTP_RUN_ID] = { 1, 2, 3 };

static size_t
plain(uint64_t extended, uint8_t out[static 128])
{
	struct rtp_writer w;
	struct rtp_head head = { .payload_type = 98, .sequence = (uint16_t)extended, .ssrc = SSRC };
	struct rtp_position position = { .packet = extended - START };
	size_t len;

	rtp_begin(&w, out, 100, &head);
	rtp_put_position(&w, &position);
	rtp_put_payload(&w, &extended, sizeof(extended));
	assert_int_equal(rtp_end(&w, &len), 0);
	return len;
}

static size_t
sealed(struct srtp_run *sender, uint64_t extended, uint8_t out[static 128])
{
	size_t len = plain(extended, out);

	assert_int_equal(srtp_run_protect(sender, extended, out, &len, 128), 0);
	return len;
}

static int
opens(struct srtp_run *receiver, struct srtp_run *sender, uint64_t extended)
{
	uint8_t packet[128], want[128];
	size_t len = sealed(sender, extended, packet), want_len = plain(extended, want);
	int r = srtp_run_unprotect(receiver, extended, packet, &len);

	if (r == SRTP_OK) {
		assert_int_equal(len, want_len);
		assert_memory_equal(packet, want, len);
	}
	return r;
}

struct pair {
	struct srtp_run *sender, *receiver;
};

static struct pair
pair(void)
{
	struct pair p;

	assert_int_equal(srtp_run_new(&secret, run_id, SSRC, SRTP_SEND, &p.sender), 0);
	assert_int_equal(srtp_run_new(&secret, run_id, SSRC, SRTP_RECEIVE, &p.receiver), 0);
	return p;
}

static void
pair_free(struct pair *p)
{
	srtp_run_free(&p->sender);
	srtp_run_free(&p->receiver);
}

/* Four wraps of the sequence number, each packet twice. */
static void
test_through_wraps(void **state)
{
	struct pair p = pair();
	(void)state;

	for (uint64_t e = START; e < START + 200000; e++) {
		if (opens(p.receiver, p.sender, e) != SRTP_OK)
			fail_msg("%llu", (unsigned long long)e);
		if (e % 1000 == 0)
			assert_int_equal(opens(p.receiver, p.sender, e), SRTP_DUPLICATE);
	}
	pair_free(&p);
}

/* A receiver that begins anywhere, goes back any distance, forward again, and sees no packet twice within the window.
 */
static void
test_from_anywhere(void **state)
{
	static const uint64_t jumps[] = { 200000, 200001, 199000, 250000, 249999, 217235, 217234, 40, 65536, 65535,
		65537, 131071, 32768, 32767, 300000, START, 1000000, 999999, 60000, 30000, 90000,
		UINT64_C(0xffffffffffff), 5, 70000 };
	(void)state;

	for (size_t first = 0; first < sizeof(jumps) / sizeof(jumps[0]); first++) {
		struct pair p = pair();
		for (size_t i = first; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
			int r = opens(p.receiver, p.sender, jumps[i]);
			if (r != SRTP_OK)
				fail_msg("from %zu: %zu: %d", first, i, r);
		}
		pair_free(&p);
	}
}

/* History of a minute behind live, both at once, in a run that is older than the sequence number's wrap. */
static void
test_history_beside_live(void **state)
{
	struct pair p = pair();
	(void)state;

	for (uint64_t i = 0; i < 60000; i++) {
		assert_int_equal(opens(p.receiver, p.sender, 200000 + i), SRTP_OK);
		assert_int_equal(opens(p.receiver, p.sender, 100000 + i), SRTP_OK); /* 100,000 behind */
	}
	pair_free(&p);
}

static void
test_same_bytes_again(void **state)
{
	struct pair p = pair();
	uint8_t a[128], b[128];
	(void)state;

	size_t len = sealed(p.sender, 70000, a);
	sealed(p.sender, 70001, b);
	assert_int_equal(sealed(p.sender, 70000, b), len);
	assert_memory_equal(a, b, len);
	pair_free(&p);
}

static void
test_forgeries(void **state)
{
	static const uint8_t other_run[RTP_RUN_ID] = { 1, 2, 4 };
	static const struct srtp_secret other_secret = { .bytes = "a secret of more than thirty bytez", .len = 34 };
	struct pair p = pair();
	struct srtp_run *strange = NULL;
	uint8_t packet[128], copy[128];
	(void)state;

	size_t len = sealed(p.sender, 70000, packet), n;
	for (size_t bit = 0; bit < len * 8; bit++) {
		memcpy(copy, packet, len);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		n = len;
		assert_true(srtp_run_unprotect(p.receiver, 70000, copy, &n) < 0);
	}
	for (uint64_t wrong = 0; wrong < 5; wrong++) { /* another roll-over counter */
		memcpy(copy, packet, len);
		n = len;
		if (wrong != 1)
			assert_int_equal(
			    srtp_run_unprotect(p.receiver, (70000 & 0xffff) | wrong << 16, copy, &n), SRTP_FORGED);
	}
	for (n = 0; n < len; n++) {
		size_t part = n;
		memcpy(copy, packet, len);
		assert_true(srtp_run_unprotect(p.receiver, 70000, copy, &part) < 0);
	}
	n = 100;
	assert_int_equal(srtp_run_unprotect(p.receiver, UINT64_C(1) << 48, copy, &n), SRTP_IMPOSSIBLE);
	n = len;
	memcpy(copy, packet, len);
	assert_int_equal(srtp_run_unprotect(p.receiver, 70000, copy, &n), SRTP_OK); /* none of it did harm */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    srtp_run_new(i ? &other_secret : &secret, i ? run_id : other_run, SSRC, SRTP_RECEIVE, &strange), 0);
		memcpy(copy, packet, len);
		n = len;
		assert_int_equal(srtp_run_unprotect(strange, 70000, copy, &n), SRTP_FORGED);
		srtp_run_free(&strange);
	}
	n = 120;
	assert_int_equal(srtp_run_protect(p.sender, 70000, packet, &n, 128), SRTP_IMPOSSIBLE);
	pair_free(&p);
}

/* A protected packet as it is on the wire, worked out by other code (RFC 5869, RFC 7714): derivation and cipher are
 * part of the format. */
static void
test_golden(void **state)
{
	static const uint8_t tail[] = { 0xd6, 0xe0, 0x03, 0xe4, 0x60, 0x9a, 0x9e, 0x8f, 0x5c, 0xb2, 0x84, 0x7e, 0x6b,
		0x5d, 0xa1, 0xec, 0x24, 0x00, 0x9e, 0xd4, 0xaf, 0xad, 0xb1, 0xaf };
	struct pair p = pair();
	uint8_t packet[128];
	(void)state;

	size_t len = sealed(p.sender, 70000, packet);
	assert_int_equal(len, 12 + 4 + 20 + 8 + SRTP_TAG);
	assert_memory_equal(packet + 36, tail, sizeof(tail));
	pair_free(&p);
}

static void
test_secrets(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *why;
	} cases[] = {
		{ "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw\n", 0, NULL },
		{ "# made by hand\n\n  MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMQ==  \r\n", 0, NULL },
		{ "313233343536373839303132333435363738393031323334353637383930", 0, NULL },
		{ "", -1, "no key" },
		{ "# only\n", -1, "no key" },
		{ "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw\nMTIz\n", -1, "more than one line" },
		{ "MTIzNDU2\n", -1, "6 bytes" },
		{ "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODk\n", -1, "neither" },
		{ "MTIz NDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw\n", -1, "neither" },
		{ "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3OD==kw==", -1, "neither" },
		{ "password", -1, "6 bytes" },
		{ "=", -1, "neither" },
		{ "====", -1, "neither" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct srtp_secret s = { .len = 99 };
		struct text why;
		char memory[300];
		text_init_fixed(&why, memory, sizeof(memory));
		memory[0] = '\0';
		int r = srtp_secret_parse(cases[i].text, strlen(cases[i].text), &s, &why);
		if (r != cases[i].result || (r < 0 && (!strstr(memory, cases[i].why) || s.len != 99)))
			fail_msg("case %zu: %d %s", i, r, memory);
		if (r == 0)
			assert_memory_equal(s.bytes, "123456789012345678901234567890", 30);
	}
}

static void
test_secret_files(void **state)
{
	char dir[] = "/tmp/hindcast-srtp-XXXXXX", path[64], memory[300];
	struct srtp_secret s;
	struct text why;
	(void)state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
	for (int mode = 0; mode < 4; mode++) {
		static const mode_t modes[] = { 0600, 0640, 0644, 0602 };
		FILE *f = fopen(path, "w");
		fputs("MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw\n", f);
		fclose(f);
		chmod(path, modes[mode]);
		text_init_fixed(&why, memory, sizeof(memory));
		memory[0] = '\0';
		assert_int_equal(srtp_secret_load(path, &s, &why), mode < 2 ? 0 : -1);
		if (mode >= 2)
			assert_non_null(strstr(memory, "chmod o="));
	}
	unlink(path);
	text_init_fixed(&why, memory, sizeof(memory));
	assert_int_equal(srtp_secret_load(path, &s, &why), -1);
	assert_non_null(strstr(memory, "No such file"));
	text_init_fixed(&why, memory, sizeof(memory));
	assert_int_equal(srtp_secret_load(dir, &s, &why), -1);
	assert_non_null(strstr(memory, "no regular file"));
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_through_wraps),
		cmocka_unit_test(test_from_anywhere),
		cmocka_unit_test(test_history_beside_live),
		cmocka_unit_test(test_same_bytes_again),
		cmocka_unit_test(test_forgeries),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_secret_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
