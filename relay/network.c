/* Networks in CIDR form. */
#include "relay/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MAPPED_BITS 96 /* ::ffff:0:0/96 */

struct word {
	const char *name, *networks;
};

static const struct word words[] = {
	{ "loopback", "127.0.0.0/8 ::1/128" },
	{ "private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 fc00::/7 fe80::/10" },
	{ "any", "0.0.0.0/0 ::/0" },
};

static struct in6_addr
mapped(const struct in_addr *v4)
{
	struct in6_addr a = { 0 };

	a.s6_addr[10] = a.s6_addr[11] = 0xFF;
	memcpy(a.s6_addr + 12, v4, 4);
	return a;
}

struct in6_addr
network_address(const struct sockaddr *from)
{
	if (from->sa_family == AF_INET6)
		return ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
	if (from->sa_family == AF_INET)
		return mapped(&((const struct sockaddr_in *)(const void *)from)->sin_addr);
	return in6addr_any;
}

/* Are all bits behind the first `bits` zero? */
static bool
is_prefix(const struct in6_addr *a, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		if (a->s6_addr[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

/* "128" and the like: 0 to `most`, or -1. */
static int
parse_bits(const char *s, unsigned most)
{
	size_t digits = strspn(s, "0123456789");

	if (digits == 0 || digits > 3 || s[digits])
		return -1;
	long bits = strtol(s, NULL, 10);
	return bits <= (long)most ? (int)bits : -1;
}

/* One address or network of `len` bytes. 0 or -1. */
static int
parse_network(const char *s, size_t len, struct network *out)
{
	char copy[INET6_ADDRSTRLEN + 4];
	struct in_addr v4;
	struct network n = { .bits = 128 };

	if (len >= sizeof copy)
		return -1;
	memcpy(copy, s, len);
	copy[len] = '\0';
	char *slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	bool is_v4 = inet_pton(AF_INET, copy, &v4) == 1;
	if (is_v4)
		n.prefix = mapped(&v4);
	else if (inet_pton(AF_INET6, copy, &n.prefix) != 1)
		return -1;
	if (slash) {
		int bits = parse_bits(slash, is_v4 ? 32 : 128);
		if (bits < 0)
			return -1;
		n.bits = (unsigned)bits + (is_v4 ? MAPPED_BITS : 0);
	}
	if (!is_prefix(&n.prefix, n.bits))
		return -1;
	*out = n;
	return 0;
}

/* The next item of a list, or 0 at its end. */
static size_t
next_item(const char **s)
{
	*s += strspn(*s, " \t,");
	return strcspn(*s, " \t,");
}

static const char *
networks_of_word(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i].name) == len && !memcmp(words[i].name, s, len))
			return words[i].networks;
	return NULL;
}

/* Add every network of a list without words. 0, or -1 with `why`. */
static int
add_networks(const char *s, size_t list_len, struct network_list *out, struct text *why)
{
	const char *end = s + list_len;

	for (size_t len; s < end && (len = next_item(&s)) > 0; s += len) {
		if (out->count == NETWORKS_MOST) {
			text_fmt(why, "more than %d networks", NETWORKS_MOST);
			return -1;
		}
		if (parse_network(s, len, &out->item[out->count])) {
			text_fmt(why,
			    "\"%.*s\" is no network; want 192.0.2.0/24, 2001:db8::/32, loopback, private or any",
			    (int)len, s);
			return -1;
		}
		out->count++;
	}
	return 0;
}

int
network_parse(const char *list, struct network_list *out, struct text *why)
{
	struct network_list found = { .count = 0 };

	for (size_t len; (len = next_item(&list)) > 0; list += len) {
		const char *word = networks_of_word(list, len);
		if (add_networks(word ? word : list, word ? strlen(word) : len, &found, why))
			return -1;
	}
	if (found.count == 0) {
		text_str(why, "no network; want at least one, as in \"loopback private\"");
		return -1;
	}
	*out = found;
	return 0;
}

static bool
matches(const struct network *n, const struct in6_addr *a)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (memcmp(&n->prefix, a, whole))
		return false;
	return rest == 0 || ((n->prefix.s6_addr[whole] ^ a->s6_addr[whole]) & (0xFF00 >> rest & 0xFF)) == 0;
}

bool
network_holds(const struct network_list *list, const struct in6_addr *address)
{
	for (unsigned i = 0; i < list->count; i++)
		if (matches(&list->item[i], address))
			return true;
	return false;
}
