/* Numeric socket addresses. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
port_parse(const char *text, uint16_t *port)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	unsigned long n = strtoul(text, &end, 10);
	if (*end || n > UINT16_MAX)
		return -1;
	*port = (uint16_t)n;
	return 0;
}

static int
host_parse(const char *text, size_t len, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
	char host[INET6_ADDRSTRLEN];

	snprintf(host, sizeof(host), "%.*s", (int)(brackets ? len - 2 : len), brackets ? text + 1 : text);
	if (len > sizeof(host))
		return -1;
	*out = (struct sockaddr_storage){ .ss_family = brackets ? AF_INET6 : AF_INET };
	void *to = brackets ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr;
	return inet_pton(out->ss_family, host, to) == 1 ? 0 : -1;
}

int
address_parse(const char *text, struct sockaddr_storage *out)
{
	const char *colon = strrchr(text, ':');
	struct sockaddr_storage a;
	uint16_t port;

	if (!colon || port_parse(colon + 1, &port) < 0 || host_parse(text, (size_t)(colon - text), &a) < 0)
		return -1;
	address_set_port(&a, port);
	*out = a;
	return 0;
}

const char *
address_format(const struct sockaddr_storage *a, char text[static ADDRESS_TEXT_SIZE])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
	bool is_v6 = a->ss_family == AF_INET6;
	char host[INET6_ADDRSTRLEN];

	if (!inet_ntop(
		a->ss_family, is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, host, sizeof(host)))
		snprintf(host, sizeof(host), "?");
	snprintf(text, ADDRESS_TEXT_SIZE, is_v6 ? "[%s]:%u" : "%s:%u", host, address_port(a));
	return text;
}

uint16_t
address_port(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)a)->sin6_port);
	return ntohs(((const struct sockaddr_in *)a)->sin_port);
}

bool
address_is_loopback(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
}

void
address_set_port(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)a)->sin_port = htons(port);
}
