/* pipe: a FIFO. Writers come and go; each is a run. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/text.h"
#include "segmenter/input/feed.h"
#include "segmenter/input/transport.h"

#define LOOK_AGAIN (1 * NS_PER_S) /* for a FIFO that was replaced while nobody writes */

struct transport {
	struct input *in;
	const char *path;
	int fd;  /* -1 while it is not open */
	bool up; /* a writer's bytes have come */
	struct mono opened;
	struct backoff backoff;
	int said; /* errno that was logged last */
};

/* fd, or -1 with errno. A reader's open of a FIFO does not wait for a writer with O_NONBLOCK (fifo(7)). */
static int
open_fifo(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st = { 0 };

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

static void
pipe_open_failed(struct transport *t, struct mono now, int error)
{
	input_transport_counters(t->in)->connect_errors++;
	backoff_down(&t->backoff, now);
	if (error != t->said)
		log_error("cannot open the FIFO, tried again until it can input=\"%s\" path=\"%s\" why=\"%s\"",
		    input_name(t->in), t->path,
		    error == EINVAL ? "not a FIFO; make one with mkfifo, or use type = file" : strerror(error));
	t->said = error;
}

/* Open it, anew if it is open. The old one is closed last: a writer that has come to the same FIFO meanwhile would
 * otherwise get SIGPIPE and lose what it wrote. */
static void
pipe_begin(struct transport *t, struct mono now)
{
	int old = t->fd;

	t->opened = now;
	t->fd = open_fifo(t->path);
	if (t->fd < 0)
		pipe_open_failed(t, now, errno);
	else
		t->said = 0;
	if (old >= 0)
		close(old);
}

/* The writer is to go: it gets SIGPIPE. */
static void
pipe_shut(struct transport *t, struct mono now, const char *why)
{
	close(t->fd);
	t->fd = -1;
	backoff_down(&t->backoff, now);
	if (t->up)
		input_down(t->in, now, why);
	t->up = false;
}

/* Are there bytes to read? An open FIFO without writers says no, and so does one whose writer is silent. */
static bool
pipe_has_bytes(const struct transport *t)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

static void
pipe_read(struct transport *t, struct mono now)
{
	enum feed_result r = feed_all(t->in, t->fd, now);

	if (r == FEED_AGAIN || r == FEED_LATER)
		return;
	if (r != FEED_END) {
		pipe_shut(t, now, feed_why(t->in, r));
		return;
	}
	t->up = false;
	input_down(t->in, now, "the writer has gone");
	pipe_begin(t, now);
}

static void
pipe_tick(struct transport *t, struct mono now)
{
	if (t->fd < 0 ? backoff_due(&t->backoff, now) : !t->up && now.ns - t->opened.ns >= LOOK_AGAIN)
		pipe_begin(t, now);
	if (t->fd >= 0 && !t->up && pipe_has_bytes(t)) {
		t->up = true;
		backoff_up(&t->backoff, now);
		input_up(t->in, now, t->path);
	}
	if (t->up)
		pipe_read(t, now);
}

static void
pipe_drop(struct transport *t, struct mono now, const char *why)
{
	if (t->fd >= 0)
		pipe_shut(t, now, why);
}

static void
pipe_close(struct transport **t)
{
	if (*t && (*t)->fd >= 0)
		close((*t)->fd);
	free(*t);
	*t = NULL;
}

static int
pipe_open(uv_loop_t *loop, struct input *in, const struct input_settings *settings, struct transport **out,
    struct text *errors)
{
	struct transport *t = calloc(1, sizeof(*t));

	(void)loop;
	if (!t) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	*t = (struct transport){ .in = in, .path = settings->path, .fd = -1 };
	backoff_init(&t->backoff, backoff_seed());
	*out = t;
	return 0;
}

const struct transport_ops transport_pipe = {
	.type = "pipe",
	.open = pipe_open,
	.tick = pipe_tick,
	.drop = pipe_drop,
	.close = pipe_close,
};
