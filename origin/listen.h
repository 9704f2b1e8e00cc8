/* Listening sockets: one for each address and thread, so that the kernel spreads connections. */
#ifndef HINDCAST_LISTEN_H
#define HINDCAST_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

struct text;

struct listen_address {
	struct sockaddr_storage address;
	socklen_t len;
	bool tls;
	char name[64]; /* "127.0.0.1:8080", "[::1]:8080" */
};

#define LISTEN_ADDRESSES 16

/* Read "0.0.0.0:8080 [::1]:8080 https://0.0.0.0:8443" (numeric addresses). The count, or -1 with a line in `why`. */
int listen_parse(const char *list, struct listen_address out[static LISTEN_ADDRESSES], struct text *why);

/* Bind and listen on `count` sockets for one address; port 0 takes a free one. The address that was bound is written
 * back to *a. An address that somebody else listens on is refused, although sockets of one group share theirs. 0 with
 * fds[] owned by the caller, or -errno with none left open. */
int listen_open(struct listen_address *a, int *fds, unsigned count);

#endif
