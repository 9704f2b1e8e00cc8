/* command: a child's standard output. It is started again, with back-off, whenever it ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/text.h"
#include "segmenter/input/child.h"
#include "segmenter/input/feed.h"
#include "segmenter/input/transport.h"

#define EXIT_PATIENCE (1 * NS_PER_S)

struct transport {
	struct input *in;
	uv_loop_t *loop;
	const char *command;
	struct child *child; /* NULL: none, or the last one is gone */
	bool up;
	struct mono ended; /* when its output did; ns 0: it has not */
	struct backoff backoff;
	int said; /* error that was logged last */
};

static void
command_spawn_failed(struct transport *t, struct mono now, int error)
{
	input_transport_counters(t->in)->connect_errors++;
	backoff_down(&t->backoff, now);
	if (error != t->said)
		log_error("cannot start the command, tried again until it can input=\"%s\" why=\"%s\"",
		    input_name(t->in), uv_strerror(error));
	t->said = error;
}

static void
command_begin(struct transport *t, struct mono now)
{
	struct wall start = input_start(t->in);
	char setting[64], peer[32];

	snprintf(setting, sizeof(setting), "HINDCAST_START=%lld", (long long)start.ns);
	int r = child_spawn(t->loop, t->command, start.ns ? setting : NULL, &t->child);
	if (r < 0) {
		command_spawn_failed(t, now, r);
		return;
	}
	t->said = 0;
	t->up = true;
	t->ended.ns = 0;
	backoff_up(&t->backoff, now);
	snprintf(peer, sizeof(peer), "pid %d", child_pid(t->child));
	input_up(t->in, now, peer);
}

static void
command_end(struct transport *t, struct mono now, const char *why)
{
	t->up = false;
	child_end(t->child);
	backoff_down(&t->backoff, now);
	input_down(t->in, now, why);
}

/* How it exited is known a moment after its output has ended. */
static void
command_output_ended(struct transport *t, struct mono now, bool exited, const char *how)
{
	if (!t->ended.ns)
		t->ended = now;
	if (exited || now.ns - t->ended.ns >= EXIT_PATIENCE)
		command_end(t, now, how);
}

static void
command_read(struct transport *t, struct mono now)
{
	char how[64] = "closed its standard output";
	/* asked before reading: what it wrote before it exited is then read as well */
	bool exited = child_exited(t->child, how, sizeof(how));
	size_t room;

	enum feed_result r = feed_all(t->in, child_fd(t->child), now);
	if (r == FEED_REFUSED || r == FEED_FAILED)
		command_end(t, now, feed_why(t->in, r));
	else if (r == FEED_END)
		command_output_ended(t, now, exited, how);
	/* a grandchild may hold the pipe open after the shell has gone; it goes too */
	else if (r == FEED_LATER && exited && (input_room(t->in, &room), room > 0))
		command_end(t, now, how);
}

static void
command_tick(struct transport *t, struct mono now)
{
	if (t->child && child_gone(t->child))
		child_release(&t->child);
	if (!t->child && backoff_due(&t->backoff, now))
		command_begin(t, now);
	if (t->up)
		command_read(t, now);
}

static void
command_drop(struct transport *t, struct mono now, const char *why)
{
	if (t->up)
		command_end(t, now, why);
}

static void
command_close(struct transport **t)
{
	if (*t)
		child_release(&(*t)->child);
	free(*t);
	*t = NULL;
}

static int
command_open(uv_loop_t *loop, struct input *in, const struct input_settings *settings, struct transport **out,
    struct text *errors)
{
	struct transport *t = calloc(1, sizeof(*t));

	if (!t) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	*t = (struct transport){ .in = in, .loop = loop, .command = settings->command };
	backoff_init(&t->backoff, backoff_seed());
	*out = t;
	return 0;
}

const struct transport_ops transport_command = {
	.type = "command",
	.open = command_open,
	.tick = command_tick,
	.drop = command_drop,
	.close = command_close,
};
