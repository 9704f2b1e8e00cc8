/* One thread: its listeners' HTTP daemons, its loop, its cache. */
#ifndef HINDCAST_WORKER_H
#define HINDCAST_WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "origin/cache.h"
#include "origin/counters.h"
#include "origin/listen.h"
#include "origin/retained.h"
#include "origin/server.h"

struct MHD_Daemon;
struct connection;
struct magic_set;

/* One listener in one thread. While a new certificate takes over, two daemons serve the same socket: one accepts, one
 * lets its connections end. */
#define WORKER_DAEMONS (2 * LISTEN_ADDRESSES)
struct worker_daemon {
	struct MHD_Daemon *daemon; /* NULL: free */
	struct credentials *credentials;
	unsigned address; /* in server.addresses */
	bool draining;
};

struct worker {
	struct server *server;
	pthread_t thread;
	int wake; /* eventfd */
	int poll; /* epoll fd */
	int sockets[LISTEN_ADDRESSES];
	struct worker_daemon daemons[WORKER_DAEMONS];
	atomic_bool stop;

	struct catalogue *catalogue;   /* the one that this thread goes by */
	struct rendition_view **views; /* [station][rendition] of the catalogue */
	struct cache cache;
	struct magic_set *magic; /* opened when first wanted */
	struct counters counters;

	struct mono now; /* of this turn of the loop */
	struct wall wall;
	struct connection *longest_waiting, *last_waiting;
	unsigned connections; /* of this thread */
	unsigned busy;        /* of these, with a request under way */
};

/* Prepare the `index`th worker; sockets are those of the addresses in order, and are taken over. 0, or -1 with
 * everything released. */
int worker_init(struct worker *w, struct server *s, const int *sockets);
/* Start its thread. 0 or -errno. */
int worker_start(struct worker *w);
/* Tell it that the catalogue, the credentials or `stop` have changed. Any thread. */
void worker_wake(struct worker *w);
/* After `stop` was set and the worker woken: wait for the end of the thread. */
void worker_join(struct worker *w);
void worker_fini(struct worker *w);

#endif
