/* Multicast groups as they are configured: "239.9.9.1:9001", "239.9.9.1%eth1:9001", "[ff15::1%eth1]:9001". */
#ifndef HINDCAST_GROUP_H
#define HINDCAST_GROUP_H

#include <net/if.h>
#include <sys/socket.h>

#include "base/address.h"

struct group {
	struct sockaddr_storage address; /* a multicast address */
	char interface[IF_NAMESIZE];     /* "": the system chooses, by its routes */
};

#define GROUP_TEXT_SIZE (ADDRESS_TEXT_SIZE + IF_NAMESIZE)

/* `len` bytes of text. 0, or -1 with *out untouched: not a numeric multicast address with a port. */
int group_parse(const char *text, size_t len, struct group *out);
const char *group_format(const struct group *g, char text[static GROUP_TEXT_SIZE]);

#endif
