/* file: a regular file, once or in a loop. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/text.h"
#include "segmenter/input/feed.h"
#include "segmenter/input/transport.h"

struct transport {
	struct input *in;
	const char *path;
	bool loop;
	int fd;       /* -1 while it is not open */
	bool over;    /* read to its end, not in a loop */
	bool rewound; /* no byte has come since it was set to its beginning */
	struct backoff backoff;
	int said; /* errno that was logged last */
};

/* fd, or -1 with errno. */
static int
open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st = { 0 };

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		return fd;
	close(fd);
	errno = S_ISREG(st.st_mode) ? ENODATA : EINVAL;
	return -1;
}

static const char *
open_error(int error)
{
	if (error == ENODATA)
		return "the file is empty";
	if (error == EINVAL)
		return "not a regular file; a FIFO is read with type = pipe";
	return strerror(error);
}

static void
file_open_failed(struct transport *t, struct mono now, int error)
{
	input_transport_counters(t->in)->connect_errors++;
	backoff_down(&t->backoff, now);
	if (error != t->said)
		log_error("cannot read the file, tried again until it can input=\"%s\" path=\"%s\" why=\"%s\"",
		    input_name(t->in), t->path, open_error(error));
	t->said = error;
}

static void
file_begin(struct transport *t, struct mono now)
{
	t->fd = open_regular(t->path);
	if (t->fd < 0) {
		file_open_failed(t, now, errno);
		return;
	}
	posix_fadvise(t->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	t->said = 0;
	t->rewound = true;
	backoff_up(&t->backoff, now);
	input_up(t->in, now, t->path);
}

static void
file_end(struct transport *t, struct mono now, const char *why)
{
	close(t->fd);
	t->fd = -1;
	t->over = !t->loop;
	backoff_down(&t->backoff, now);
	input_down(t->in, now, why);
}

/* At the end of the file: once more from its beginning, so that the input sees one run? Not when it has become empty,
 * nor when it cannot be read from there. */
static bool
file_rewind(struct transport *t)
{
	if (!t->loop || t->rewound || lseek(t->fd, 0, SEEK_SET) < 0)
		return false;
	t->rewound = true;
	return true;
}

static void
file_tick(struct transport *t, struct mono now)
{
	if (t->fd < 0 && !t->over && backoff_due(&t->backoff, now))
		file_begin(t, now);
	for (int i = 0; t->fd >= 0 && i < FEED_ROUNDS; i++) {
		enum feed_result r = feed_once(t->in, t->fd, now);
		if (r == FEED_LATER)
			return;
		if (r == FEED_AGAIN)
			t->rewound = false;
		else if (r != FEED_END || !file_rewind(t))
			file_end(t, now, feed_why(t->in, r));
	}
}

static void
file_drop(struct transport *t, struct mono now, const char *why)
{
	if (t->fd >= 0)
		file_end(t, now, why);
}

static void
file_close(struct transport **t)
{
	if (*t && (*t)->fd >= 0)
		close((*t)->fd);
	free(*t);
	*t = NULL;
}

static int
file_open(uv_loop_t *loop, struct input *in, const struct input_settings *settings, struct transport **out,
    struct text *errors)
{
	struct transport *t = calloc(1, sizeof(*t));

	(void)loop;
	if (!t) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	*t = (struct transport){ .in = in, .path = settings->path, .loop = settings->loop, .fd = -1 };
	backoff_init(&t->backoff, backoff_seed());
	*out = t;
	return 0;
}

const struct transport_ops transport_file = {
	.type = "file",
	.open = file_open,
	.tick = file_tick,
	.drop = file_drop,
	.close = file_close,
};
