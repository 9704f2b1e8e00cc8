/* Multicast groups. */
#include "relay/group.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool
is_multicast(const struct sockaddr_storage *a)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;

	return a->ss_family == AF_INET ? IN_MULTICAST(ntohl(v4->sin_addr.s_addr))
				       : IN6_IS_ADDR_MULTICAST(&v6->sin6_addr);
}

int
group_parse(const char *text, size_t len, struct group *out)
{
	char plain[GROUP_TEXT_SIZE];
	struct group g = { .interface = "" };
	const char *zone = memchr(text, '%', len);

	if (len >= sizeof plain)
		return -1;
	size_t head = zone ? (size_t)(zone - text) : len, name = 0;
	if (zone) {
		name = strcspn(zone + 1, "]: \t,");
		if (name == 0 || name >= sizeof g.interface || head + 1 + name > len)
			return -1;
		memcpy(g.interface, zone + 1, name);
		name++;
	}
	snprintf(plain, sizeof plain, "%.*s%.*s", (int)head, text, (int)(len - head - name), text + head + name);
	if (address_parse(plain, &g.address) < 0 || !is_multicast(&g.address) || address_port(&g.address) == 0)
		return -1;
	*out = g;
	return 0;
}

const char *
group_format(const struct group *g, char text[static GROUP_TEXT_SIZE])
{
	char address[ADDRESS_TEXT_SIZE];

	address_format(&g->address, address);
	size_t host = strcspn(address, address[0] == '[' ? "]" : ":");
	snprintf(text, GROUP_TEXT_SIZE, "%.*s%s%s%s", (int)host, address, *g->interface ? "%" : "", g->interface,
	    address + host);
	return text;
}
