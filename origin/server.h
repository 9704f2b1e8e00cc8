/* What all threads share. */
#ifndef HINDCAST_SERVER_H
#define HINDCAST_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "origin/catalogue.h"
#include "origin/limits.h"
#include "origin/listen.h"
#include "origin/schedule.h"

struct config;
struct text;

/* Certificate and key as PEM text, for the listeners that want TLS. Reference counted: connections that were made with
 * an old one go on. */
struct credentials {
	atomic_uint refs;
	char *certificate, *key;
};
struct credentials *credentials_ref(struct credentials *c);
void credentials_unref(struct credentials **c);

/* Fixed while the server runs. */
struct server_options {
	unsigned threads;
	size_t memory; /* bytes of cache in each thread */
	size_t header_memory;
	unsigned url_limit; /* bytes */
	int64_t idle_timeout_ns;
};

struct server {
	struct server_options options;
	int root, player; /* folder descriptors; player -1: there is no page */
	struct mono started;
	struct limits limits;
	struct listen_address addresses[LISTEN_ADDRESSES];
	unsigned address_count;

	struct schedule *schedule;       /* has a lock of its own */
	pthread_mutex_t lock;            /* of the next two */
	struct catalogue *catalogue;     /* what threads take when they are woken */
	struct credentials *credentials; /* or NULL */

	struct worker *workers; /* options.threads of them */
	unsigned running;
};

/* Open folders and sockets and start the threads. `c` has been checked. 0 with *s in use until server_fini, or -1 with
 * lines in `errors` and nothing left open. */
int server_init(struct server *s, struct config *c, struct text *errors);
/* Take over what can change from a configuration read again, and name in the log what cannot. -1 with lines in
 * `errors`: everything stays as it was. */
int server_reload(struct server *s, struct config *was, struct config *c, struct text *errors);
/* Stop accepting, let answers under way end (at most five seconds), end the threads. */
void server_fini(struct server *s);

#endif
