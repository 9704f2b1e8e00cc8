/* stdin: standard input, one run; when it is over nothing comes back.
 *
 * It is shared with whoever started the program, so it is not made non-blocking: poll(2) says whether a read would
 * wait. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "segmenter/input/feed.h"
#include "segmenter/input/transport.h"

struct transport {
	struct input *in;
	bool up, over;
};

static bool
stdin_readable(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* Whoever still writes is told so by SIGPIPE; the number stays taken. */
static void
stdin_shut(void)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		close(null);
	}
}

static void
stdin_end(struct transport *t, struct mono now, const char *why)
{
	t->over = true;
	input_down(t->in, now, why);
	stdin_shut();
}

static void
stdin_tick(struct transport *t, struct mono now)
{
	for (int i = 0; !t->over && i < FEED_ROUNDS && stdin_readable(); i++) {
		if (!t->up)
			input_up(t->in, now, "standard input");
		t->up = true;
		enum feed_result r = feed_once(t->in, STDIN_FILENO, now);
		if (r == FEED_LATER)
			return;
		if (r != FEED_AGAIN)
			stdin_end(t, now, feed_why(t->in, r));
	}
}

/* It cannot be opened anew: a source that has gone silent is waited for, and what comes then goes on in the same run.
 */
static void
stdin_drop(struct transport *t, struct mono now, const char *why)
{
	(void)now;
	if (!t->over)
		log_warn("standard input is waited for input=\"%s\" why=\"%s\"", input_name(t->in), why);
}

static void
stdin_close(struct transport **t)
{
	free(*t);
	*t = NULL;
}

static int
stdin_open(uv_loop_t *loop, struct input *in, const struct input_settings *settings, struct transport **out,
    struct text *errors)
{
	struct transport *t = calloc(1, sizeof(*t));

	(void)loop;
	(void)settings;
	if (!t) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	t->in = in;
	*out = t;
	return 0;
}

const struct transport_ops transport_stdin = {
	.type = "stdin",
	.open = stdin_open,
	.tick = stdin_tick,
	.drop = stdin_drop,
	.close = stdin_close,
};
