/* What all threads share: folders, sockets, limits, the stations and certificates in force. */
#include "origin/server.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "origin/settings.h"
#include "origin/worker.h"

#define PEM_MOST (1 << 20)
#define OTHER_FILES 256 /* descriptors beside those of connections */

struct credentials *
credentials_ref(struct credentials *c)
{
	if (c)
		atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
credentials_unref(struct credentials **c)
{
	struct credentials *d = *c;

	*c = NULL;
	if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) > 1)
		return;
	if (d->key)
		explicit_bzero(d->key, strlen(d->key));
	free(d->certificate);
	free(d->key);
	free(d);
}

/* A PEM file as a string that the caller owns, or NULL with a line in `errors`. */
static char *
read_pem(const struct config *c, const struct origin_settings *o, const char *key, const char *path, const char *marker,
    struct text *errors)
{
	struct text t;

	text_init(&t, PEM_MOST);
	int error = file_read(AT_FDCWD, path, &t);
	if (!error && t.data && strstr(t.data, marker))
		return t.data;
	if (error)
		config_error(c, o, key, errors, "%s: %s", path, strerror(-error));
	else
		config_error(c, o, key, errors, "%s holds no \"%s\", want a PEM file", path, marker);
	text_fini(&t);
	return NULL;
}

static void
ignore_message(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)fmt;
	(void)ap;
}

static enum MHD_Result
never_called(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_size, void **request)
{
	(void)cls, (void)connection, (void)url, (void)method, (void)version, (void)upload, (void)upload_size,
	    (void)request;
	return MHD_NO;
}

/* Do certificate and key fit each other? Asks the library that will use them, with a daemon that never listens. */
static bool
fit(const struct credentials *c)
{
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_TLS | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, never_called,
	    NULL, MHD_OPTION_EXTERNAL_LOGGER, ignore_message, NULL, MHD_OPTION_HTTPS_MEM_CERT, c->certificate,
	    MHD_OPTION_HTTPS_MEM_KEY, c->key, MHD_OPTION_END);
	if (d)
		MHD_stop_daemon(d);
	return d != NULL;
}

/* The certificates that the configuration names. 0 with *out (NULL when it names none), or -1. */
static int
load_credentials(struct config *c, struct credentials **out, struct text *errors)
{
	const struct origin_settings *o = origin_settings_of(c);

	*out = NULL;
	if (!o->tls_certificate)
		return 0;
	struct credentials *n = calloc(1, sizeof *n);
	if (!n)
		return -1;
	atomic_init(&n->refs, 1);
	n->certificate = read_pem(c, o, "tls_certificate", o->tls_certificate, "-----BEGIN CERTIFICATE-----", errors);
	n->key = read_pem(c, o, "tls_key", o->tls_key, "PRIVATE KEY-----", errors);
	bool complete = n->certificate && n->key;
	if (complete && !fit(n)) {
		config_error(c, o, "tls_key", errors, "%s and %s do not fit each other, want a certificate and its key",
		    o->tls_certificate, o->tls_key);
		complete = false;
	}
	if (!complete) {
		credentials_unref(&n);
		return -1;
	}
	*out = n;
	return 0;
}

/* Let there be descriptors for so many connections. Returns for how many there are, as far as the system allows. */
static unsigned
raise_file_limit(unsigned connections)
{
	struct rlimit limit;
	/* a connection that is sent a file needs a second one */
	rlim_t wanted = 2 * (rlim_t)connections + OTHER_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return connections;
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit)) {
		log_warn("open files not raised error=\"%s\"", strerror(errno));
		limit.rlim_cur = before;
	}
	if (limit.rlim_cur >= wanted)
		return connections;
	unsigned enough = limit.rlim_cur > OTHER_FILES + 2 ? (unsigned)(limit.rlim_cur - OTHER_FILES) / 2 : 1;
	log_warn("max_connections is lowered: open files are limited to %llu want=%u have=%u",
	    (unsigned long long)limit.rlim_cur, connections, enough);
	return enough;
}

static unsigned
thread_count(const struct origin_settings *o)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return o->threads > 0 ? (unsigned)o->threads : cores > 0 ? (unsigned)cores : 1;
}

static int
open_folders(struct server *s, struct config *c, const struct origin_settings *o, struct text *errors)
{
	const struct store_settings *store = config_next(c, "store", NULL);
	const char *path = store ? store->path : "/var/lib/hindcast";

	s->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0) {
		config_error(c, store, "path", errors,
		    "%s: %s; the segmenter makes the store, start it first or create the folder", path,
		    strerror(errno));
		return -1;
	}
	s->player = open(o->player, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->player < 0)
		log_warn("no player page path=%s error=\"%s\"", o->player, strerror(errno));
	return 0;
}

/* Sockets for all addresses and threads, fds[address][thread]. */
static int
open_sockets(
    struct server *s, const struct config *c, const struct origin_settings *o, int (*fds)[256], struct text *errors)
{
	struct text why;
	char memory[256];

	text_init_fixed(&why, memory, sizeof memory);
	int n = listen_parse(o->listen, s->addresses, &why);
	for (int i = 0; i < n; i++) {
		int rc = listen_open(&s->addresses[i], fds[i], s->options.threads);
		if (!rc) {
			s->address_count++;
			continue;
		}
		config_error(c, o, "listen", errors, "%s: %s", s->addresses[i].name, strerror(-rc));
		for (unsigned a = 0; a < s->address_count; a++)
			for (unsigned t = 0; t < s->options.threads; t++)
				close(fds[a][t]);
		return -1;
	}
	return n < 0 ? -1 : 0;
}

static void
stop_workers(struct server *s)
{
	for (unsigned i = 0; i < s->running; i++) {
		atomic_store(&s->workers[i].stop, true);
		worker_wake(&s->workers[i]);
	}
	for (unsigned i = 0; i < s->running; i++)
		worker_join(&s->workers[i]);
	s->running = 0;
}

/* All workers are prepared before the first one runs, so that each may read the counters of all. */
static int
start_workers(struct server *s, int (*fds)[256], struct text *errors)
{
	unsigned ready = 0;
	int sockets[LISTEN_ADDRESSES], rc = 0;

	for (; !rc && ready < s->options.threads; ready += !rc) {
		for (unsigned a = 0; a < s->address_count; a++)
			sockets[a] = fds[a][ready];
		rc = worker_init(&s->workers[ready], s, sockets);
	}
	if (rc)
		text_str(errors, "listeners do not start: out of memory or descriptors\n");
	for (unsigned i = 0; !rc && i < ready; i++) {
		rc = worker_start(&s->workers[i]);
		s->running += !rc;
		if (rc)
			text_fmt(errors, "threads do not start: %s\n", strerror(-rc));
	}
	if (!rc)
		return 0;
	stop_workers(s);
	for (unsigned i = 0; i < ready; i++)
		worker_fini(&s->workers[i]);
	/* of the one that failed, the sockets went with it */
	for (unsigned t = ready + 1; t < s->options.threads; t++)
		for (unsigned a = 0; a < s->address_count; a++)
			close(fds[a][t]);
	return -1;
}

static void
release(struct server *s)
{
	free(s->workers);
	limits_fini(&s->limits);
	catalogue_unref(&s->catalogue);
	credentials_unref(&s->credentials);
	schedule_free(&s->schedule);
	pthread_mutex_destroy(&s->lock);
	if (s->root >= 0)
		close(s->root);
	if (s->player >= 0)
		close(s->player);
}

int
server_init(struct server *s, struct config *c, struct text *errors)
{
	const struct origin_settings *o = origin_settings_of(c);
	int fds[LISTEN_ADDRESSES][256];

	*s = (struct server){ .root = -1, .player = -1, .started = clock_mono_now() };
	s->options = (struct server_options){
		.threads = thread_count(o),
		.header_memory = (size_t)o->header_memory,
		.url_limit = (unsigned)o->url_limit,
		.idle_timeout_ns = o->idle_timeout,
	};
	s->options.threads = s->options.threads > 256 ? 256 : s->options.threads;
	s->options.memory = (size_t)o->memory / s->options.threads;
	pthread_mutex_init(&s->lock, NULL);
	unsigned most = raise_file_limit((unsigned)o->max_connections);
	unsigned soft = o->soft_connections < most ? (unsigned)o->soft_connections : most;
	if (limits_init(&s->limits, soft, most, (unsigned)o->per_address))
		goto memory;
	s->workers = calloc(s->options.threads, sizeof *s->workers);
	s->catalogue = catalogue_new(c);
	s->schedule = schedule_new();
	if (!s->workers || !s->catalogue || !s->schedule || schedule_configure(s->schedule, c))
		goto memory;
	schedule_look(s->schedule, clock_wall_now());
	if (open_folders(s, c, o, errors) || load_credentials(c, &s->credentials, errors) ||
	    open_sockets(s, c, o, fds, errors) || start_workers(s, fds, errors))
		goto fail;
	for (unsigned i = 0; i < s->address_count; i++)
		log_info("listening address=%s%s", s->addresses[i].name, s->addresses[i].tls ? " tls=yes" : "");
	return 0;
memory:
	text_str(errors, "out of memory\n");
fail:
	release(s);
	return -1;
}

static bool
differ(const char *a, const char *b)
{
	return !a != !b || (a && strcmp(a, b));
}

/* Name what was changed in the file and stays as it is until a restart. */
static void
name_unchangeable(struct config *was, struct config *is)
{
	const struct origin_settings *a = origin_settings_of(was), *b = origin_settings_of(is);
	const struct store_settings *s = config_next(was, "store", NULL), *t = config_next(is, "store", NULL);
	const struct {
		const char *key;
		bool changed;
	} rows[] = {
		{ "[store] path", differ(s ? s->path : NULL, t ? t->path : NULL) },
		{ "[origin] listen", differ(a->listen, b->listen) },
		{ "[origin] threads", a->threads != b->threads },
		{ "[origin] player", differ(a->player, b->player) },
		{ "[origin] memory", a->memory != b->memory },
		{ "[origin] soft_connections", a->soft_connections != b->soft_connections },
		{ "[origin] max_connections", a->max_connections != b->max_connections },
		{ "[origin] per_address", a->per_address != b->per_address },
		{ "[origin] idle_timeout", a->idle_timeout != b->idle_timeout },
		{ "[origin] header_memory", a->header_memory != b->header_memory },
		{ "[origin] url_limit", a->url_limit != b->url_limit },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].changed)
			log_warn("takes effect at the next start only key=\"%s\"", rows[i].key);
}

int
server_reload(struct server *s, struct config *was, struct config *c, struct text *errors)
{
	struct credentials *credentials;

	if (load_credentials(c, &credentials, errors))
		return -1;
	struct catalogue *catalogue = catalogue_new(c);
	if (catalogue && schedule_configure(s->schedule, c))
		catalogue_unref(&catalogue);
	if (!catalogue) {
		credentials_unref(&credentials);
		text_str(errors, "out of memory\n");
		return -1;
	}
	name_unchangeable(was, c);
	pthread_mutex_lock(&s->lock);
	struct catalogue *old = s->catalogue;
	struct credentials *old_credentials = s->credentials;
	s->catalogue = catalogue;
	s->credentials = credentials;
	pthread_mutex_unlock(&s->lock);
	catalogue_unref(&old);
	credentials_unref(&old_credentials);
	for (unsigned i = 0; i < s->running; i++)
		worker_wake(&s->workers[i]);
	return 0;
}

void
server_fini(struct server *s)
{
	stop_workers(s);
	for (unsigned i = 0; i < s->options.threads; i++)
		worker_fini(&s->workers[i]);
	release(s);
}
