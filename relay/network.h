/* Networks that may send or read: "loopback private 192.0.2.0/24 2001:db8::/32". */
#ifndef HINDCAST_NETWORK_H
#define HINDCAST_NETWORK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct text;

/* One network; IPv4 as ::ffff:0:0/96 and below (RFC 4291 2.5.5.2). */
struct network {
	struct in6_addr prefix;
	unsigned bits; /* 0 to 128 that must be the same */
};

#define NETWORKS_MOST 64

struct network_list {
	struct network item[NETWORKS_MOST];
	unsigned count;
};

/* Read a list, separated by blanks or commas: addresses, networks in CIDR form (bits beyond the prefix must be 0), and
 * the words
 *	loopback  127.0.0.0/8, ::1
 *	private   RFC 1918, RFC 4193 (fc00::/7), link-local (RFC 3927, RFC 4291)
 *	any       every address
 * 0, or -1 with a line in `why` and *out untouched. */
int network_parse(const char *list, struct network_list *out, struct text *why);

/* The address of an IPv4 or IPv6 socket address, IPv4 mapped into IPv6; :: for other families. */
struct in6_addr network_address(const struct sockaddr *from);

bool network_holds(const struct network_list *list, const struct in6_addr *address);

#endif
