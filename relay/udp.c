/* UDP in. */
#include "relay/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"
#include "base/text.h"
#include "relay/relay.h"
#include "relay/settings.h"

#define BATCH 64                 /* packets of one recvmmsg */
#define BATCHES_MOST 32          /* of one socket, before others have their turn */
#define RECEIVE_BUFFER (8 << 20) /* for what comes while the loop does something else */
#define SOCKETS_MOST (2 * RELAY_ADDRESSES)

struct udp_socket {
	struct udp *udp;
	int fd;
	uv_poll_t poll;
};

/* The address that sent last: most packets come from it again. */
struct recent {
	struct in6_addr address;
	struct sender *sender; /* NULL: dropped, for `reason` */
	enum relay_drop reason;
	bool known;
};

struct udp {
	struct relay *relay;
	void (*readable)(void *ctx);
	void *ctx;
	struct udp_socket sockets[SOCKETS_MOST];
	unsigned count, open_handles;
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage from[BATCH];
	uint8_t bytes[BATCH][RING_PACKET_MOST];
};

/* ---- reading */

static void
look_up(struct relay *r, const struct in6_addr *address, struct mono now, struct recent *recent)
{
	if (recent->known && IN6_ARE_ADDR_EQUAL(&recent->address, address)) {
		if (!recent->sender)
			relay_drop(r, recent->reason);
		return;
	}
	*recent = (struct recent){ .address = *address, .known = true, .reason = DROP_NETWORK };
	if (!relay_allows(r, address))
		return;
	recent->sender = relay_sender(r, &(struct sender_key){ .kind = SENDER_UDP, .address = *address }, now);
	recent->reason = DROP_SENDERS;
}

static void
take_batch(struct udp *u, int n, struct recent *recent, struct mono now, struct wall wall)
{
	for (int i = 0; i < n; i++) {
		struct in6_addr address = network_address((const struct sockaddr *)&u->from[i]);
		look_up(u->relay, &address, now, recent);
		if (!recent->sender)
			continue;
		if (u->messages[i].msg_hdr.msg_flags & MSG_TRUNC)
			relay_drop(u->relay, DROP_OVERSIZED);
		else
			relay_take(u->relay, recent->sender, u->bytes[i], u->messages[i].msg_len, now, wall);
	}
}

static int
receive(struct udp *u, int fd)
{
	for (unsigned i = 0; i < BATCH; i++)
		u->messages[i].msg_hdr.msg_namelen = sizeof u->from[i];
	return recvmmsg(fd, u->messages, BATCH, MSG_DONTWAIT, NULL);
}

unsigned
udp_drain(struct udp *u, struct mono now, struct wall wall)
{
	struct recent recent = { .known = false };
	unsigned total = 0;

	for (unsigned i = 0; i < u->count; i++) {
		int n = BATCH;
		for (unsigned batch = 0; n == BATCH && batch < BATCHES_MOST; batch++) {
			n = receive(u, u->sockets[i].fd);
			take_batch(u, n, &recent, now, wall);
			total += n > 0 ? (unsigned)n : 0;
		}
	}
	return total;
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
	struct udp *u = ((struct udp_socket *)poll->data)->udp;

	(void)status;
	(void)events;
	/* from here on the sockets are looked at by time: a wake-up for each packet costs more than the packet */
	for (unsigned i = 0; i < u->count; i++)
		uv_poll_stop(&u->sockets[i].poll);
	u->readable(u->ctx);
}

void
udp_watch(struct udp *u)
{
	for (unsigned i = 0; i < u->count; i++)
		uv_poll_start(&u->sockets[i].poll, UV_READABLE, on_readable);
}

uint64_t
udp_overflows(const struct udp *u)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < u->count; i++) {
		uint32_t info[SK_MEMINFO_VARS] = { 0 };
		socklen_t len = sizeof info;
		if (!getsockopt(u->sockets[i].fd, SOL_SOCKET, SO_MEMINFO, info, &len))
			total += info[SK_MEMINFO_DROPS];
	}
	return total;
}

/* ---- opening and closing */

static socklen_t
length_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void
set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof value);
}

/* A socket bound to the address: fd or -errno. */
static int
open_bound(const struct sockaddr_storage *a, bool shared)
{
	int fd = socket(a->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (a->ss_family == AF_INET6) {
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	} else {
		/* else it gets what other sockets of this machine have joined */
		set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	}
	set(fd, SOL_SOCKET, SO_REUSEADDR, shared);
	set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER); /* over the system's limit, where that is allowed */
	if (bind(fd, (const struct sockaddr *)a, length_of(a))) {
		int e = errno;
		close(fd);
		return -e;
	}
	return fd;
}

static void
add_socket(struct udp *u, uv_loop_t *loop, int fd)
{
	struct udp_socket *s = &u->sockets[u->count++];

	*s = (struct udp_socket){ .udp = u, .fd = fd };
	uv_poll_init(loop, &s->poll, fd);
	s->poll.data = s;
	u->open_handles++;
}

/* Sockets that are bound to groups need SO_REUSEADDR beside one for all addresses of their port; but with it another
 * process could take the port without a word. So the port is tried without it first. */
static int
open_unicast(struct udp *u, uv_loop_t *loop, const struct sockaddr_storage *address, struct text *errors)
{
	struct sockaddr_storage bound = *address;
	socklen_t len = sizeof bound;
	char text[ADDRESS_TEXT_SIZE];

	int fd = open_bound(address, false);
	if (fd >= 0) {
		getsockname(fd, (struct sockaddr *)&bound, &len);
		close(fd);
		fd = open_bound(&bound, true);
	}
	if (fd < 0) {
		text_fmt(errors, "[relay] udp: %s: %s\n", address_format(address, text), strerror(-fd));
		return -1;
	}
	add_socket(u, loop, fd);
	log_info("listening service=udp address=%s", address_format(&bound, text));
	return 0;
}

/* RFC 3678. 0 or -errno. */
static int
join(int fd, const struct group *g, unsigned interface)
{
	struct group_req request = { .gr_interface = interface };

	memcpy(&request.gr_group, &g->address, sizeof g->address);
	int level = g->address.ss_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	return setsockopt(fd, level, MCAST_JOIN_GROUP, &request, sizeof request) ? -errno : 0;
}

static int
open_group(struct udp *u, uv_loop_t *loop, const struct group *g, struct text *errors)
{
	struct sockaddr_storage address = g->address;
	unsigned interface = *g->interface ? if_nametoindex(g->interface) : 0;
	char text[GROUP_TEXT_SIZE];
	int error = *g->interface && !interface ? -ENODEV : 0;

	if (address.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&address)->sin6_scope_id = interface;
	int fd = error ? error : open_bound(&address, true);
	if (fd >= 0)
		error = join(fd, g, interface);
	if (fd < 0 || error) {
		text_fmt(errors, "[relay] join: %s: %s\n", group_format(g, text), strerror(fd < 0 ? -fd : -error));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	add_socket(u, loop, fd);
	log_info("listening service=multicast address=%s", group_format(g, text));
	return 0;
}

static void
prepare_messages(struct udp *u)
{
	for (unsigned i = 0; i < BATCH; i++) {
		u->parts[i] = (struct iovec){ .iov_base = u->bytes[i], .iov_len = sizeof u->bytes[i] };
		u->messages[i].msg_hdr =
		    (struct msghdr){ .msg_name = &u->from[i], .msg_iov = &u->parts[i], .msg_iovlen = 1 };
	}
}

int
udp_open(uv_loop_t *loop, struct relay *relay, const struct relay_plan *plan, void (*readable)(void *ctx), void *ctx,
    struct udp **out, struct text *errors)
{
	struct udp *u = calloc(1, sizeof *u);
	int rc = 0;

	if (!u) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	u->relay = relay;
	u->readable = readable;
	u->ctx = ctx;
	prepare_messages(u);
	for (unsigned i = 0; !rc && i < plan->udp_count; i++)
		rc = open_unicast(u, loop, &plan->udp[i], errors);
	for (unsigned i = 0; !rc && i < plan->group_count; i++)
		rc = open_group(u, loop, &plan->groups[i], errors);
	if (rc) {
		udp_close(&u);
		return -1;
	}
	udp_watch(u);
	*out = u;
	return 0;
}

static void
on_closed(uv_handle_t *handle)
{
	struct udp_socket *s = handle->data;

	close(s->fd);
	if (--s->udp->open_handles == 0)
		free(s->udp);
}

void
udp_close(struct udp **up)
{
	struct udp *u = *up;

	*up = NULL;
	if (!u)
		return;
	if (u->open_handles == 0)
		free(u);
	else
		for (unsigned i = 0, n = u->count; i < n; i++)
			uv_close((uv_handle_t *)&u->sockets[i].poll, on_closed);
}
