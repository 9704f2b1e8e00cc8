/* Packets in by UDP, unicast or multicast, over IPv4 or IPv6, many at a time. */
#ifndef HINDCAST_RECEIVE_H
#define HINDCAST_RECEIVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

struct receive_counters {
	uint64_t packets, bytes;
	uint64_t oversized; /* longer than RTP_RECEIVE_MAX */
	uint64_t strangers; /* not from the source that was asked for */
};

struct receive_config {
	struct sockaddr_storage at;     /* an address of this host, or a group that is joined */
	struct sockaddr_storage source; /* the only sender (its port does not count); family 0: any */
	const char *interface;          /* to join on; NULL: by the system's routes */
	void (*packet)(void *ctx, const uint8_t *data, size_t len);
	void *ctx;
};

struct receive;

/* Listen; from then on `packet` is called from the loop. 0 with *out owned by the caller, or -errno. */
int receive_open(uv_loop_t *loop, const struct receive_config *config, struct receive **out);
/* No packet comes after it; the loop ends it. */
void receive_close(struct receive **r);

const struct receive_counters *receive_counters(const struct receive *r);
/* Packets that the kernel dropped because they were not read in time. */
uint64_t receive_overflows(const struct receive *r);
/* The port, also where 0 was asked for. */
uint16_t receive_port(const struct receive *r);

#endif
