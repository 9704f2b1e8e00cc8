/* One thread's loop over its HTTP daemons.
 *
 * libmicrohttpd's own thread waits again, blocking, after it got exactly as many events as it asks for at once; so its
 * epoll descriptors are polled here, and MHD_run never blocks. */
#include "origin/worker.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "origin/connection.h"
#include "origin/sniff.h"

#define EVENTS 16
#define LONGEST_WAIT_MS 1000
#define DRAIN_NS (5 * NS_PER_S)

static void __attribute__((format(printf, 2, 0))) log_library(void *cls, const char *fmt, va_list ap)
{
	char line[256], safe[300];

	(void)cls;
	vsnprintf(line, sizeof line, fmt, ap);
	size_t len = strlen(line);
	while (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	log_debug("libmicrohttpd says=%s", log_safe(line, safe, sizeof safe));
}

/* Daemons. */

static struct MHD_Daemon *
new_daemon(struct worker *w, int socket, const struct credentials *tls)
{
	const struct server_options *o = &w->server->options;
	struct MHD_OptionItem secure[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, tls ? tls->certificate : NULL },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, tls ? tls->key : NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0), 0, connection_may_accept,
	    w, connection_handle, w, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, socket,
	    MHD_OPTION_CONNECTION_LIMIT, w->server->limits.most + w->server->limits.margin + 64,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((o->idle_timeout_ns + NS_PER_S - 1) / NS_PER_S),
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->header_memory, MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)1024,
	    MHD_OPTION_NOTIFY_CONNECTION, connection_changed, w, MHD_OPTION_NOTIFY_COMPLETED, connection_completed, w,
	    MHD_OPTION_URI_LOG_CALLBACK, connection_target, w, MHD_OPTION_UNESCAPE_CALLBACK, connection_unescape, NULL,
	    /* without it sendfile is not used outside of the library's own threads */
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, secure + (tls ? 0 : 2), MHD_OPTION_END);
}

/* Start to accept on a listener. 0 or -1. */
static int
add_daemon(struct worker *w, unsigned address)
{
	struct worker_daemon *d = w->daemons;
	bool tls = w->server->addresses[address].tls;

	while (d < w->daemons + WORKER_DAEMONS && d->daemon)
		d++;
	if (d == w->daemons + WORKER_DAEMONS)
		return -1;
	pthread_mutex_lock(&w->server->lock);
	struct credentials *credentials = tls ? credentials_ref(w->server->credentials) : NULL;
	pthread_mutex_unlock(&w->server->lock);
	*d = (struct worker_daemon){ .daemon = new_daemon(w, w->sockets[address], credentials),
		.credentials = credentials,
		.address = address };
	const union MHD_DaemonInfo *info = d->daemon ? MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = d };
	if (info && !epoll_ctl(w->poll, EPOLL_CTL_ADD, info->epoll_fd, &event))
		return 0;
	if (d->daemon) {
		MHD_quiesce_daemon(d->daemon);
		MHD_stop_daemon(d->daemon);
	}
	credentials_unref(&d->credentials);
	d->daemon = NULL;
	return -1;
}

/* Accept no more; what is connected goes on. */
static void
drain_daemon(struct worker_daemon *d)
{
	if (d->daemon && !d->draining)
		MHD_quiesce_daemon(d->daemon);
	d->draining = true;
}

static void
stop_daemon(struct worker_daemon *d)
{
	drain_daemon(d);
	MHD_stop_daemon(d->daemon);
	d->daemon = NULL;
	credentials_unref(&d->credentials);
}

static void
run_daemon(struct worker_daemon *d)
{
	MHD_run(d->daemon);
	const union MHD_DaemonInfo *info =
	    d->draining ? MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS) : NULL;
	if (info && info->num_connections == 0)
		stop_daemon(d);
}

/* New credentials: every TLS listener gets a new daemon, on the same socket. */
static void
renew_daemons(struct worker *w)
{
	pthread_mutex_lock(&w->server->lock);
	const struct credentials *current = w->server->credentials;
	pthread_mutex_unlock(&w->server->lock);
	for (struct worker_daemon *d = w->daemons; d < w->daemons + WORKER_DAEMONS; d++) {
		if (!d->daemon || d->draining || !d->credentials || d->credentials == current)
			continue;
		/* the old one goes only when the new one is there; for a moment both accept */
		if (add_daemon(w, d->address))
			log_error("certificate not taken over address=%s", w->server->addresses[d->address].name);
		else
			drain_daemon(d);
	}
}

/* Views. */

static void
free_views(struct worker *w)
{
	for (size_t i = 0; w->views && w->catalogue && i < w->catalogue->count; i++) {
		for (size_t k = 0; k < w->catalogue->stations[i].count; k++)
			rendition_view_fini(&w->views[i][k]);
		free(w->views[i]);
	}
	free(w->views);
	w->views = NULL;
}

/* Go by another catalogue; takes the reference. false without memory: the old one stays. */
static bool
adopt_catalogue(struct worker *w, struct catalogue *k)
{
	struct rendition_view **views = calloc(k->count ? k->count : 1, sizeof *views);
	bool ok = views != NULL;

	for (size_t i = 0; ok && i < k->count; i++) {
		views[i] = calloc(k->stations[i].count ? k->stations[i].count : 1, sizeof **views);
		ok = views[i] != NULL;
	}
	if (!ok) {
		for (size_t i = 0; views && i < k->count; i++)
			free(views[i]);
		free(views);
		catalogue_unref(&k);
		return false;
	}
	free_views(w);
	catalogue_unref(&w->catalogue);
	w->catalogue = k;
	w->views = views;
	cache_clear(&w->cache); /* freshness depends on the stations' settings */
	return true;
}

static void
take_news(struct worker *w)
{
	uint64_t n;

	if (read(w->wake, &n, sizeof n) < 0)
		return;
	pthread_mutex_lock(&w->server->lock);
	struct catalogue *k = catalogue_ref(w->server->catalogue);
	pthread_mutex_unlock(&w->server->lock);
	if (k == w->catalogue)
		catalogue_unref(&k);
	else if (!adopt_catalogue(w, k))
		log_error("stations not taken over why=\"out of memory\"");
	renew_daemons(w);
}

/* Milliseconds until something has to be done unasked, rounded up. Never long: where descriptors were short,
 * libmicrohttpd goes on accepting only in a later run than the one that set some free, and says of no time for it. */
static int
next_deadline(struct worker *w)
{
	int64_t ms = LONGEST_WAIT_MS;

	if (w->longest_waiting) {
		int64_t due = w->longest_waiting->since.ns + w->server->options.idle_timeout_ns - w->now.ns;
		int64_t left = due > 0 ? (due + NS_PER_MS - 1) / NS_PER_MS : 0;
		ms = left < ms ? left : ms;
	}
	for (struct worker_daemon *d = w->daemons; d < w->daemons + WORKER_DAEMONS; d++) {
		MHD_UNSIGNED_LONG_LONG left;
		if (d->daemon && MHD_get_timeout(d->daemon, &left) == MHD_YES && left < (uint64_t)ms)
			ms = (int64_t)left;
	}
	return (int)ms;
}

static void
look_at_clock(struct worker *w)
{
	w->now = clock_mono_now();
	w->wall = clock_wall_now();
}

/* One turn of the loop. */
static void
turn(struct worker *w, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(w->poll, events, EVENTS, timeout_ms);

	look_at_clock(w);
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr == w)
			take_news(w);
	connection_close_overdue(w, w->server->options.idle_timeout_ns);
	/* all of them: a connection may have bytes waiting that epoll does not speak of again */
	for (struct worker_daemon *d = w->daemons; d < w->daemons + WORKER_DAEMONS; d++)
		if (d->daemon)
			run_daemon(d);
}

/* Let answers under way end. */
static void
drain(struct worker *w)
{
	int64_t until = w->now.ns + DRAIN_NS;

	for (struct worker_daemon *d = w->daemons; d < w->daemons + WORKER_DAEMONS; d++)
		if (d->daemon)
			drain_daemon(d);
	while (w->busy > 0 && w->now.ns < until)
		turn(w, 50);
}

static void *
run(void *cls)
{
	struct worker *w = cls;

	look_at_clock(w);
	while (!atomic_load(&w->stop))
		turn(w, next_deadline(w));
	drain(w);
	return NULL;
}

int
worker_init(struct worker *w, struct server *s, const int *sockets)
{
	*w = (struct worker){ .server = s, .wake = -1, .poll = -1 };
	for (unsigned i = 0; i < s->address_count; i++)
		w->sockets[i] = sockets[i];
	w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->poll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = w };
	if (w->wake < 0 || w->poll < 0 || epoll_ctl(w->poll, EPOLL_CTL_ADD, w->wake, &event) ||
	    cache_init(&w->cache, s->options.memory) || !adopt_catalogue(w, catalogue_ref(s->catalogue)))
		goto fail;
	look_at_clock(w);
	for (unsigned i = 0; i < s->address_count; i++)
		if (add_daemon(w, i))
			goto fail;
	return 0;
fail:
	worker_fini(w);
	return -1;
}

int
worker_start(struct worker *w)
{
	return -pthread_create(&w->thread, NULL, run, w);
}

void
worker_wake(struct worker *w)
{
	uint64_t one = 1;
	/* it fails only when the counter is full, and then the thread is awake already */
	ssize_t n = write(w->wake, &one, sizeof one);
	(void)n;
}

void
worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}

void
worker_fini(struct worker *w)
{
	for (struct worker_daemon *d = w->daemons; d < w->daemons + WORKER_DAEMONS; d++)
		if (d->daemon)
			stop_daemon(d);
	for (unsigned i = 0; i < w->server->address_count; i++)
		close(w->sockets[i]);
	if (w->cache.buckets)
		cache_fini(&w->cache);
	free_views(w);
	catalogue_unref(&w->catalogue);
	sniff_close(&w->magic);
	if (w->wake >= 0)
		close(w->wake);
	if (w->poll >= 0)
		close(w->poll);
}
