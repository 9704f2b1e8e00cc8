/* Where frames are sent to or taken from, as it stands in the configuration: "udp://relay-a:9001",
 * "udp://[ff15::1]:9001", "https://relay-b:8003". */
#ifndef HINDCAST_ENDPOINT_H
#define HINDCAST_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#define ENDPOINT_URL_MAX 255
#define ENDPOINT_HOST_MAX 253

enum endpoint_kind { ENDPOINT_UDP, ENDPOINT_HTTP };

struct endpoint {
	enum endpoint_kind kind;
	char url[ENDPOINT_URL_MAX + 1];   /* as configured */
	char host[ENDPOINT_HOST_MAX + 1]; /* UDP: name or number, without brackets */
	uint16_t port;                    /* UDP */
};

/* The next one of a list that is separated by spaces or commas; *list moves on behind it. 1; 0 at the end; -1 when it
 * cannot be read, then out->url is its beginning. */
int endpoint_next(const char **list, struct endpoint *out);

#endif
