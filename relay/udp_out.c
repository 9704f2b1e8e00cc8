/* Packets out by UDP. */
#include "relay/udp_out.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"

#define BATCH 64
#define SEND_BUFFER (1 << 20)
#define TELL_AFTER (10 * NS_PER_S) /* so long without an error: they are over */

struct udp_out {
	uv_loop_t *loop;
	struct endpoint to;
	char interface[IF_NAMESIZE];
	int ttl;
	uv_getaddrinfo_t lookup;
	bool looking, closing;
	struct backoff backoff;
	int fd; /* connected; -1: none */
	struct sockaddr_storage address;
	bool said_lookup, said_errors;
	struct mono now, failed; /* the last tick, and when a packet could not be sent */
	struct udp_out_counters counters;
};

/* ---- the socket */

static bool
is_multicast(const struct sockaddr *a)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)a;

	if (a->sa_family == AF_INET)
		return IN_MULTICAST(ntohl(v4->sin_addr.s_addr));
	return IN6_IS_ADDR_MULTICAST(&v6->sin6_addr);
}

/* RFC 3493 5.2, ip(7). 0 or -errno. */
static int
set_multicast(const struct udp_out *o, int fd, int family)
{
	unsigned index = o->interface[0] ? if_nametoindex(o->interface) : 0;
	struct ip_mreqn which = { .imr_ifindex = (int)index };
	int err;

	if (o->interface[0] && index == 0)
		return -ENODEV;
	if (family == AF_INET6) {
		err = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &o->ttl, sizeof(o->ttl));
		if (!err && index)
			err = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
	} else {
		err = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &o->ttl, sizeof(o->ttl));
		if (!err && index)
			err = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &which, sizeof(which));
	}
	return err ? -errno : 0;
}

/* fd of a socket that sends there, or -errno. */
static int
open_socket(const struct udp_out *o, const struct sockaddr *to, socklen_t len)
{
	int size = SEND_BUFFER, fd = socket(to->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	int err = is_multicast(to) ? set_multicast(o, fd, to->sa_family) : 0;
	if (err == 0 && connect(fd, to, len) < 0)
		err = -errno;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

/* ---- its address */

static void
lookup_failed(struct udp_out *o, const char *why)
{
	char safe[256];

	o->counters.lookup_errors++;
	backoff_down(&o->backoff, o->now);
	if (!o->said_lookup)
		log_warn("cannot send to destination, tried again until it can to=%s why=%s", o->to.url,
		    log_safe(why, safe, sizeof(safe)));
	o->said_lookup = true;
}

static void
destination_is(struct udp_out *o, int fd, const struct addrinfo *a)
{
	char text[ADDRESS_TEXT_SIZE];
	struct sockaddr_storage address = { 0 };

	memcpy(&address, a->ai_addr, a->ai_addrlen);
	if (!o->counters.up || memcmp(&address, &o->address, sizeof(address)) != 0)
		log_info("sends to destination to=%s address=%s", o->to.url, address_format(&address, text));
	if (o->fd >= 0)
		close(o->fd);
	o->fd = fd;
	o->address = address;
	o->counters.up = 1;
	o->said_lookup = false;
	backoff_up(&o->backoff, o->now);
}

static void
on_address(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
	struct udp_out *o = lookup->data;
	int fd = -EADDRNOTAVAIL;

	o->looking = false;
	if (o->closing) {
		uv_freeaddrinfo(found);
		free(o);
		return;
	}
	if (status < 0) {
		lookup_failed(o, uv_strerror(status));
		return;
	}
	struct addrinfo *a = found;
	for (; a; a = a->ai_next) {
		fd = open_socket(o, a->ai_addr, a->ai_addrlen);
		if (fd >= 0)
			break;
	}
	if (fd >= 0)
		destination_is(o, fd, a);
	else
		lookup_failed(o, strerror(-fd));
	uv_freeaddrinfo(found);
}

static void
look_up(struct udp_out *o)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
	char port[8];

	snprintf(port, sizeof(port), "%u", o->to.port);
	o->lookup.data = o;
	if (uv_getaddrinfo(o->loop, &o->lookup, on_address, o->to.host, port, &hints) == 0)
		o->looking = true;
	else
		lookup_failed(o, "the lookup does not begin");
}

void
udp_out_tick(struct udp_out *o, struct mono now)
{
	o->now = now;
	if (o->failed.ns && now.ns - o->failed.ns >= TELL_AFTER) {
		if (o->said_errors)
			log_info("packets go out again to=%s", o->to.url);
		o->said_errors = false;
		o->failed.ns = 0;
	}
	/* where packets are refused the name may mean another address by now */
	if (!o->looking && (o->fd < 0 || o->failed.ns) && backoff_due(&o->backoff, now)) {
		if (o->fd >= 0)
			backoff_down(&o->backoff, now);
		look_up(o);
	}
}

/* ---- packets */

static void
refused(struct udp_out *o, int error)
{
	if (error == EAGAIN || error == ENOBUFS) {
		o->counters.dropped++;
		return;
	}
	o->counters.errors++;
	o->failed = o->now;
	if (!o->said_errors)
		log_warn("packets are refused to=%s why=\"%s\"", o->to.url, strerror(error));
	o->said_errors = true;
}

void
udp_out_send(struct udp_out *o, const struct iovec *packets, unsigned n)
{
	struct mmsghdr messages[BATCH];
	unsigned at = 0;

	if (o->fd < 0) {
		o->counters.dropped += n;
		return;
	}
	while (at < n) {
		unsigned count = n - at < BATCH ? n - at : BATCH;
		memset(messages, 0, count * sizeof(messages[0]));
		for (unsigned i = 0; i < count; i++) {
			messages[i].msg_hdr.msg_iov = (struct iovec *)(uintptr_t)&packets[at + i];
			messages[i].msg_hdr.msg_iovlen = 1;
		}
		int sent = sendmmsg(o->fd, messages, count, 0);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0) {
			/* an error that came back for an earlier packet takes the place of sending this one: once more
			 */
			if (errno != ECONNREFUSED || send(o->fd, packets[at].iov_base, packets[at].iov_len, 0) < 0)
				refused(o, errno);
			else
				refused(o, ECONNREFUSED);
			at++;
			continue;
		}
		for (int i = 0; i < sent; i++)
			o->counters.bytes += packets[at + (unsigned)i].iov_len;
		o->counters.packets += (unsigned)sent;
		at += (unsigned)sent;
	}
}

/* ---- opening and closing */

struct udp_out *
udp_out_new(uv_loop_t *loop, const struct endpoint *to, const char *interface, int ttl)
{
	struct udp_out *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->loop = loop;
	o->to = *to;
	o->ttl = ttl;
	o->fd = -1;
	snprintf(o->interface, sizeof(o->interface), "%s", interface ? interface : "");
	backoff_init(&o->backoff, backoff_seed());
	return o;
}

void
udp_out_close(struct udp_out **op)
{
	struct udp_out *o = *op;

	if (!o)
		return;
	*op = NULL;
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
	o->closing = true;
	if (o->looking)
		uv_cancel((uv_req_t *)&o->lookup); /* the loop frees it */
	else
		free(o);
}

const struct sockaddr_storage *
udp_out_address(const struct udp_out *o)
{
	return o->fd >= 0 ? &o->address : NULL;
}

const struct udp_out_counters *
udp_out_counters(const struct udp_out *o)
{
	return &o->counters;
}
