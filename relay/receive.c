/* Packets in by UDP. */
#include "relay/receive.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "relay/rtp.h"

#define BATCH 64
#define BATCHES_MAX 32
#define RECEIVE_BUFFER (8 << 20) /* for what comes while the loop does something else */

struct receive {
	struct receive_config config;
	int fd;
	uv_poll_t poll;
	struct receive_counters counters;
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage from[BATCH];
	uint8_t bytes[BATCH][RTP_RECEIVE_MAX];
};

/* ---- reading */

static bool
same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
			   &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr == ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

static void
take(struct receive *r, int i)
{
	if (r->messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
		r->counters.oversized++;
		return;
	}
	if (r->config.source.ss_family && !same_host(&r->from[i], &r->config.source)) {
		r->counters.strangers++;
		return;
	}
	r->counters.packets++;
	r->counters.bytes += r->messages[i].msg_len;
	r->config.packet(r->config.ctx, r->bytes[i], r->messages[i].msg_len);
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
	struct receive *r = poll->data;
	int n = BATCH;

	(void)status;
	(void)events;
	for (unsigned batch = 0; n == BATCH && batch < BATCHES_MAX; batch++) {
		for (unsigned i = 0; i < BATCH; i++)
			r->messages[i].msg_hdr.msg_namelen = sizeof(r->from[i]);
		n = recvmmsg(r->fd, r->messages, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			take(r, i);
	}
}

/* ---- opening and closing */

static void
set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

static bool
is_group(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(&((const struct sockaddr_in6 *)a)->sin6_addr);
	return IN_MULTICAST(ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr));
}

/* RFC 3678. 0 or -errno. */
static int
join(int fd, const struct receive_config *c, unsigned interface)
{
	int level = c->at.ss_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	struct group_source_req only = { .gsr_interface = interface, .gsr_group = c->at, .gsr_source = c->source };
	struct group_req any = { .gr_interface = interface, .gr_group = c->at };
	int err = c->source.ss_family ? setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, &only, sizeof(only))
				      : setsockopt(fd, level, MCAST_JOIN_GROUP, &any, sizeof(any));

	return err ? -errno : 0;
}

/* 0 or -errno. */
static int
set_up(int fd, const struct receive_config *c)
{
	struct sockaddr_storage at = c->at;
	unsigned interface = c->interface ? if_nametoindex(c->interface) : 0;
	bool six = at.ss_family == AF_INET6, group = is_group(&at);

	if (c->interface && !interface)
		return -ENODEV;
	if (six) {
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
		if (group)
			((struct sockaddr_in6 *)&at)->sin6_scope_id = interface;
	} else {
		set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0); /* else it gets what other sockets have joined */
	}
	if (group)
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1); /* several receivers of one group */
	set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER); /* over the system's limit, where that is allowed */
	if (bind(fd, (const struct sockaddr *)&at, six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)) < 0)
		return -errno;
	return group ? join(fd, c, interface) : 0;
}

static void
prepare(struct receive *r)
{
	for (unsigned i = 0; i < BATCH; i++) {
		r->parts[i] = (struct iovec){ .iov_base = r->bytes[i], .iov_len = sizeof(r->bytes[i]) };
		r->messages[i].msg_hdr =
		    (struct msghdr){ .msg_name = &r->from[i], .msg_iov = &r->parts[i], .msg_iovlen = 1 };
	}
}

int
receive_open(uv_loop_t *loop, const struct receive_config *config, struct receive **out)
{
	struct receive *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (!r)
		return err;
	r->config = *config;
	r->fd = socket(config->at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	err = r->fd < 0 ? -errno : set_up(r->fd, config);
	if (err == 0)
		err = uv_poll_init(loop, &r->poll, r->fd);
	if (err < 0) {
		if (r->fd >= 0)
			close(r->fd);
		free(r);
		return err;
	}
	prepare(r);
	r->poll.data = r;
	uv_poll_start(&r->poll, UV_READABLE, on_readable);
	*out = r;
	return 0;
}

static void
on_closed(uv_handle_t *handle)
{
	struct receive *r = handle->data;

	close(r->fd);
	free(r);
}

void
receive_close(struct receive **rp)
{
	struct receive *r = *rp;

	if (!r)
		return;
	*rp = NULL;
	uv_poll_stop(&r->poll);
	uv_close((uv_handle_t *)&r->poll, on_closed);
}

/* ---- what is said of it */

const struct receive_counters *
receive_counters(const struct receive *r)
{
	return &r->counters;
}

uint64_t
receive_overflows(const struct receive *r)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(r->fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0 ? info[SK_MEMINFO_DROPS] : 0;
}

uint16_t
receive_port(const struct receive *r)
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);

	return getsockname(r->fd, (struct sockaddr *)&a, &len) == 0 ? address_port(&a) : 0;
}
