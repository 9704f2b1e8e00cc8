/* icecast-source: a mount on the source port. The listener hands it a connection that has logged in; from then on its
 * bytes are read at the ticks, past the loop. */
#include "segmenter/input/icecast_source.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "segmenter/input/feed.h"
#include "segmenter/input/source_connection.h"
#include "segmenter/input/transport.h"

struct transport {
	struct input *in;
	uv_loop_t *loop;
	struct transport *next; /* in `mounts` */
	const char *path, *user;
	char *password;
	struct source_connection *source; /* NULL: the mount is free */
	struct source_connection *heir;   /* came when the source had gone but was not read to its end */
	bool up;                          /* the input knows of the source */
};

/* All mounts of the process: listener and inputs are opened independently of each other and meet here. */
static struct transport *mounts;

struct transport *
icecast_mount_find(const uv_loop_t *loop, const char *path)
{
	struct transport *t = mounts;

	while (t && (t->loop != loop || strcmp(t->path, path) != 0))
		t = t->next;
	return t;
}

/* Compare in a time that depends on the guess alone. */
static bool
secret_equal(const char *guess, size_t len, const char *secret)
{
	size_t n = strlen(secret);
	unsigned char differ = len != n;

	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(guess[i] ^ secret[n ? i % n : 0]);
	return differ == 0;
}

struct transport *
icecast_mount_find_password(const uv_loop_t *loop, const char *password, bool *several)
{
	struct transport *found = NULL;

	*several = false;
	for (struct transport *t = mounts; t; t = t->next) {
		if (t->loop != loop || !secret_equal(password, strlen(password), t->password))
			continue;
		*several = found != NULL;
		found = t;
	}
	return *several ? NULL : found;
}

bool
icecast_mount_login(struct transport *t, const char *credentials)
{
	size_t user = strcspn(credentials, ":");
	const char *password = credentials[user] ? credentials + user + 1 : credentials + user;
	bool user_right = secret_equal(credentials, user, t->user);
	bool password_right = secret_equal(password, strlen(password), t->password);

	return user_right & password_right;
}

const char *
icecast_mount_path(const struct transport *t)
{
	return t->path;
}

/* Has the encoder closed its end? Ticks would notice too, but an encoder that reconnects at once is faster. */
static bool
source_gone(const struct source_connection *c)
{
	struct pollfd p = { .events = POLLRDHUP };

	if (uv_fileno((const uv_handle_t *)&c->tcp, &p.fd) < 0)
		return true;
	return poll(&p, 1, 0) > 0;
}

bool
icecast_mount_busy(const struct transport *t)
{
	return t->heir || (t->source && !source_gone(t->source));
}

struct input *
icecast_mount_input(const struct transport *t)
{
	return t->in;
}

void
icecast_mount_attach(struct transport *t, struct source_connection *c)
{
	CHECK(!t->heir);
	c->listener = NULL;
	*(t->source ? &t->heir : &t->source) = c;
}

/* ---- reading */

/* The next bytes of the connection: what came together with the head, then the socket's. As read(2). */
static ssize_t
source_read(struct source_connection *c, uint8_t *to, size_t room)
{
	uv_os_fd_t fd;

	if (c->begin < c->end) {
		size_t n = c->end - c->begin < room ? c->end - c->begin : room;
		memcpy(to, c->buf + c->begin, n);
		c->begin += (uint32_t)n;
		return (ssize_t)n;
	}
	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) < 0) {
		errno = EBADF;
		return -1;
	}
	return read(fd, to, room);
}

/* Take the transfer coding off `n` bytes, in place. Number of bytes of the body; -1: no such coding. *end: these are
 * its last ones. */
static long
body_decode(struct source_connection *c, uint8_t *bytes, size_t n, bool *end)
{
	if (c->is_chunked) {
		long decoded = chunked_decode(&c->chunked, bytes, n);
		*end = c->chunked.done;
		return decoded;
	}
	if (n > c->body_left)
		n = (size_t)c->body_left;
	if (c->body_left != UINT64_MAX)
		c->body_left -= n;
	*end = c->body_left == 0;
	return (long)n;
}

static const char *
read_end(ssize_t n)
{
	return n == 0 ? "connection closed by the encoder" : strerror(errno);
}

/* One read. true: there may be more at once; less than there was room for was all (the end of the connection keeps
 * until the next tick). Otherwise *why is set when the run is over. */
static bool
source_feed(struct transport *t, struct mono now, const char **why)
{
	size_t room;
	uint8_t *to = input_room(t->in, &room);
	bool end = false;

	if (room == 0)
		return false;
	ssize_t n = source_read(t->source, to, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		*why = read_end(n);
		return false;
	}
	long body = body_decode(t->source, to, (size_t)n, &end);
	if (body < 0)
		*why = "bad chunked transfer coding";
	else if (body > 0 && input_fed(t->in, now, (size_t)body) < 0)
		*why = input_why(t->in);
	else if (end)
		*why = "end of the request body";
	return !*why && (size_t)n == room;
}

static void
source_end(struct transport *t, struct mono now, const char *why)
{
	source_connection_close(&t->source);
	t->source = t->heir;
	t->heir = NULL;
	if (t->up)
		input_down(t->in, now, why);
	t->up = false;
}

static void
icecast_source_tick(struct transport *t, struct mono now)
{
	const char *why = NULL;

	if (!t->source)
		return;
	if (!t->up) {
		t->up = true;
		input_up(t->in, now, t->source->peer);
	}
	for (int i = 0; i < FEED_ROUNDS && source_feed(t, now, &why); i++)
		;
	if (why)
		source_end(t, now, why);
}

static void
icecast_source_drop(struct transport *t, struct mono now, const char *why)
{
	if (t->source)
		source_end(t, now, why);
}

/* ---- opening and closing */

static void
icecast_source_close(struct transport **tp)
{
	struct transport *t = *tp, **at = &mounts;

	if (!t)
		return;
	*tp = NULL;
	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
	if (t->source)
		source_connection_close(&t->source);
	if (t->heir)
		source_connection_close(&t->heir);
	if (t->password) {
		explicit_bzero(t->password, strlen(t->password));
		free(t->password);
	}
	free(t);
}

static char *
mount_password(const struct input_settings *s, struct text *errors)
{
	if (!s->password)
		return config_secret(s->password_file, s->password_env, errors);
	char *copy = strdup(s->password);
	if (!copy)
		text_str(errors, "out of memory\n");
	return copy;
}

static int
icecast_source_open(uv_loop_t *loop, struct input *in, const struct input_settings *settings, struct transport **out,
    struct text *errors)
{
	if (icecast_mount_find(loop, settings->mount)) {
		text_fmt(
		    errors, "[input %s] mount = %s: another input has this mount\n", input_name(in), settings->mount);
		return -1;
	}
	struct transport *t = calloc(1, sizeof(*t));
	if (!t) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	t->in = in;
	t->loop = loop;
	t->path = settings->mount;
	t->user = settings->user ? settings->user : "source";
	if (!(t->password = mount_password(settings, errors))) {
		free(t);
		return -1;
	}
	t->next = mounts;
	mounts = t;
	*out = t;
	return 0;
}

const struct transport_ops transport_icecast_source = {
	.type = "icecast-source",
	.open = icecast_source_open,
	.tick = icecast_source_tick,
	.drop = icecast_source_drop,
	.close = icecast_source_close,
};
