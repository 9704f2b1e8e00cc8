/* Counting connections, and the addresses that listeners are written as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "origin/limits.h"
#include "origin/listen.h"
#include "origin/settings.h"

static const struct sockaddr *
v4(uint32_t address)
{
	static struct sockaddr_in a;
	a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	return (const struct sockaddr *)(const void *)&a;
}

static const struct sockaddr *
v6(const char *text)
{
	static struct sockaddr_in6 a;
	a = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	assert_int_equal(inet_pton(AF_INET6, text, &a.sin6_addr), 1);
	return (const struct sockaddr *)(const void *)&a;
}

static void
counts_all(void **state)
{
	struct limits l;
	unsigned i;

	(void)state;
	assert_int_equal(limits_init(&l, 2, 4, 0), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(limits_full(&l), i > 2);
		assert_int_equal(limits_enter(&l, v4(1)), LIMIT_WITHIN);
	}
	for (; limits_may_accept(&l, v4(1)); i++)
		assert_int_equal(limits_enter(&l, v4(1)), LIMIT_CONNECTIONS);
	assert_int_equal(i, 4 + l.margin);
	assert_int_equal(l.refused, 1);
	while (i-- > 0)
		limits_leave(&l, v4(1));
	assert_false(limits_full(&l));
	assert_int_equal(limits_enter(&l, v4(1)), LIMIT_WITHIN);
	limits_fini(&l);
}

static void
counts_each_address(void **state)
{
	struct limits l;

	(void)state;
	assert_int_equal(limits_init(&l, 100, 100, 2), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(limits_enter(&l, v4(0x7F000001)), LIMIT_WITHIN);
		assert_int_equal(limits_enter(&l, v4(0x7F000002)), LIMIT_WITHIN);
	}
	assert_int_equal(limits_enter(&l, v4(0x7F000001)), LIMIT_ADDRESS);
	/* the same address over an IPv6 socket; one /64 is one subscriber */
	assert_int_equal(limits_enter(&l, v6("::ffff:127.0.0.2")), LIMIT_ADDRESS);
	assert_int_equal(limits_enter(&l, v6("2001:db8::1")), LIMIT_WITHIN);
	assert_int_equal(limits_enter(&l, v6("2001:db8::2")), LIMIT_WITHIN);
	assert_int_equal(limits_enter(&l, v6("2001:db8::3")), LIMIT_ADDRESS);
	assert_int_equal(limits_enter(&l, v6("2001:db8:0:1::3")), LIMIT_WITHIN);
	limits_leave(&l, v4(0x7F000001));
	limits_leave(&l, v4(0x7F000001));
	assert_int_equal(limits_enter(&l, v4(0x7F000001)), LIMIT_WITHIN);
	while (limits_may_accept(&l, v4(0x7F000001)))
		limits_enter(&l, v4(0x7F000001));
	assert_true(limits_may_accept(&l, v4(0x7F000009)));
	limits_fini(&l);
}

/* Against a plain array: slots that are freed must not hide those behind them. */
static void
slots_come_and_go(void **state)
{
	enum { ADDRESSES = 97, MOST = 150 };
	static unsigned count[ADDRESSES];
	struct limits l;
	uint32_t noise = 7;
	unsigned total = 0;

	(void)state;
	assert_int_equal(limits_init(&l, MOST, MOST, 3), 0);
	for (int i = 0; i < 200000; i++) {
		noise = noise * 1664525 + 1013904223;
		unsigned a = (noise >> 16) % ADDRESSES;
		if ((noise >> 8) % 2 && total < MOST) {
			count[a]++;
			total++;
			enum limit_verdict want = count[a] > 3 ? LIMIT_ADDRESS : LIMIT_WITHIN;
			assert_int_equal(limits_enter(&l, v4(a)), want);
		} else if (count[a]) {
			count[a]--;
			total--;
			limits_leave(&l, v4(a));
		}
	}
	for (unsigned a = 0; a < ADDRESSES; a++)
		for (; count[a]; count[a]--)
			limits_leave(&l, v4(a));
	assert_int_equal(l.connections, 0);
	limits_fini(&l);
}

static void
reads_addresses(void **state)
{
	struct listen_address a[LISTEN_ADDRESSES];
	static const char *const wrong[] = { "", " ", "8080", "host:80", "127.0.0.1", "127.0.0.1:", "::1:80", "[::1]",
		"[]:80", "[::1:80", "127.0.0.1:99999999", "ftp://1.2.3.4:80", ":80" };
	char memory[200];
	struct text why;

	(void)state;
	text_init_fixed(&why, memory, sizeof memory);
	assert_int_equal(listen_parse("0.0.0.0:8080  [::1]:80, https://127.0.0.1:443", a, &why), 3);
	assert_string_equal(a[0].name, "0.0.0.0:8080");
	assert_string_equal(a[1].name, "[::1]:80");
	assert_false(a[1].tls);
	assert_string_equal(a[2].name, "127.0.0.1:443");
	assert_true(a[2].tls);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		text_clear(&why);
		if (listen_parse(wrong[i], a, &why) != -1 || why.len == 0)
			fail_msg("\"%s\" was taken", wrong[i]);
	}
}

static void
does_not_share_by_mistake(void **state)
{
	struct listen_address a[LISTEN_ADDRESSES];
	char memory[200];
	struct text why;
	int fds[3], more[3];

	(void)state;
	text_init_fixed(&why, memory, sizeof memory);
	assert_int_equal(listen_parse("127.0.0.1:0", a, &why), 1);
	assert_int_equal(listen_open(&a[0], fds, 3), 0);
	assert_string_not_equal(a[0].name, "127.0.0.1:0");
	assert_int_equal(listen_open(&a[0], more, 3), -EADDRINUSE);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	assert_int_equal(listen_open(&a[0], more, 1), 0);
	close(more[0]);
}

static void
words(void **state)
{
	(void)state;
	assert_true(origin_settings_has_word("token  hdnts", "hdnts"));
	assert_true(origin_settings_has_word("token", "token"));
	assert_false(origin_settings_has_word("token", "tok"));
	assert_false(origin_settings_has_word("token", "tokens"));
	assert_false(origin_settings_has_word("token", ""));
	assert_false(origin_settings_has_word(NULL, "x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_all),
		cmocka_unit_test(counts_each_address),
		cmocka_unit_test(slots_come_and_go),
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(does_not_share_by_mistake),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
