/* Listening sockets. */
#include "origin/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static void
set_name(struct listen_address *a)
{
	char host[INET6_ADDRSTRLEN + 20], port[8];

	if (getnameinfo((const struct sockaddr *)&a->address, a->len, host, sizeof host, port, sizeof port,
		NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(a->name, sizeof a->name, a->address.ss_family == AF_INET6 ? "[%.46s]:%s" : "%.46s:%s", host, port);
}

/* getaddrinfo takes any number and keeps its low 16 bits. */
static bool
is_port(const char *s)
{
	size_t digits = strspn(s, "0123456789");
	return digits > 0 && digits <= 5 && s[digits] == '\0' && strtol(s, NULL, 10) <= 65535;
}

/* "host:port" or "[host]:port" of `len` bytes. */
static int
parse_one(const char *s, size_t len, struct listen_address *a)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char copy[64];

	*a = (struct listen_address){ 0 };
	if (len > 8 && !strncmp(s, "https://", 8)) {
		a->tls = true;
		s += 8;
		len -= 8;
	}
	if (len >= sizeof copy)
		return -1;
	memcpy(copy, s, len);
	copy[len] = '\0';
	char *host = copy, *colon = strrchr(copy, ':');
	if (!colon || !is_port(colon + 1))
		return -1;
	*colon = '\0';
	if (*host == '[') {
		if (colon == host + 1 || colon[-1] != ']')
			return -1;
		colon[-1] = '\0';
		host++;
	} else if (strchr(host, ':')) {
		return -1;
	}
	if (*host == '\0' || getaddrinfo(host, colon + 1, &hints, &found))
		return -1;
	memcpy(&a->address, found->ai_addr, found->ai_addrlen);
	a->len = found->ai_addrlen;
	freeaddrinfo(found);
	set_name(a);
	return 0;
}

int
listen_parse(const char *list, struct listen_address out[static LISTEN_ADDRESSES], struct text *why)
{
	int n = 0;

	for (const char *s = list; s && *s;) {
		s += strspn(s, " \t,");
		size_t len = strcspn(s, " \t,");
		if (len == 0)
			break;
		if (n == LISTEN_ADDRESSES) {
			text_fmt(why, "more than %d addresses", LISTEN_ADDRESSES);
			return -1;
		}
		if (parse_one(s, len, &out[n])) {
			text_fmt(why, "\"%.*s\" is no address; want 0.0.0.0:8080, [::]:8080 or https://0.0.0.0:8443",
			    (int)len, s);
			return -1;
		}
		n++;
		s += len;
	}
	if (n == 0) {
		text_str(why, "no address to listen on; want for example 0.0.0.0:8080");
		return -1;
	}
	return n;
}

/* A socket bound to the address: fd or -errno. */
static int
open_bound(const struct listen_address *a, bool shared)
{
	static const int on = 1;
	int fd = socket(a->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a->address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if ((shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on)) ||
	    bind(fd, (const struct sockaddr *)&a->address, a->len)) {
		int e = errno;
		close(fd);
		return -e;
	}
	return fd;
}

/* SO_REUSEPORT lets a second process of the same user share the port without a word; a socket without it does not. */
static int
claim(struct listen_address *a)
{
	int fd = open_bound(a, false), rc = 0;

	if (fd < 0)
		return fd;
	if (listen(fd, 1) || getsockname(fd, (struct sockaddr *)&a->address, &a->len))
		rc = -errno;
	close(fd);
	set_name(a);
	return rc;
}

int
listen_open(struct listen_address *a, int *fds, unsigned count)
{
	int rc = claim(a);

	for (unsigned i = 0; !rc && i < count; i++) {
		fds[i] = open_bound(a, count > 1);
		rc = fds[i] < 0 ? fds[i] : listen(fds[i], SOMAXCONN) ? -errno : 0;
		if (!rc)
			continue;
		for (unsigned j = 0; j <= i; j++)
			if (fds[j] >= 0)
				close(fds[j]);
	}
	return rc;
}
