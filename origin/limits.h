/* How many connections there may be, in all and from one address; shared by all threads. */
#ifndef HINDCAST_LIMITS_H
#define HINDCAST_LIMITS_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum limit_verdict {
	LIMIT_WITHIN,
	LIMIT_CONNECTIONS, /* over max_connections: answer 503 */
	LIMIT_ADDRESS,     /* over per_address: answer 429 */
};

struct limits {
	unsigned soft, most, per_address; /* per_address 0: no limit */
	unsigned margin;                  /* connections over `most` that still get an answer */
	atomic_uint connections;
	atomic_uint_fast64_t refused; /* closed without an answer */
	pthread_mutex_t lock;         /* of what follows; taken only where per_address is set */
	struct limit_slot *slots;     /* open addressing, a power of two */
	unsigned slot_count;
};

/* 0, or -1 without memory. */
int limits_init(struct limits *l, unsigned soft, unsigned most, unsigned per_address);
void limits_fini(struct limits *l);

/* May this connection be accepted at all, to be answered or refused politely? */
bool limits_may_accept(struct limits *l, const struct sockaddr *from);
/* Count it. Every call is followed by one limits_leave with the same address. */
enum limit_verdict limits_enter(struct limits *l, const struct sockaddr *from);
void limits_leave(struct limits *l, const struct sockaddr *from);

/* Above soft_connections: a load balancer should look elsewhere. */
bool limits_full(const struct limits *l);

#endif
