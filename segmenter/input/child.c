/* A child process and its group. */
#include "segmenter/input/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_MS 50     /* whether the group is gone */
#define GRACE_LOOKS 40 /* before KILL */

extern char **environ;

struct child {
	uv_process_t process; /* data: the child */
	uv_timer_t timer;     /* data: the child */
	int pid, fd;
	bool exited, ending, gone, released;
	bool empty; /* the group had no other member when its leader was reaped: its number may be another's now */
	int64_t status;
	int signal;
	unsigned looks, handles;
};

static void
handle_closed(uv_handle_t *h)
{
	struct child *c = h->data;

	if (--c->handles == 0)
		free(c);
}

static void
free_if_over(struct child *c)
{
	if (!c->gone || !c->released)
		return;
	c->handles = 2;
	uv_close((uv_handle_t *)&c->process, handle_closed);
	uv_close((uv_handle_t *)&c->timer, handle_closed);
}

/* As long as a process is in the group nobody else gets its number. */
static bool
group_kill(struct child *c, int signal)
{
	if (!c->empty && kill(-c->pid, signal) == 0)
		return true;
	c->empty = c->exited;
	return false;
}

static void
group_look(uv_timer_t *timer)
{
	struct child *c = timer->data;

	if (++c->looks == GRACE_LOOKS)
		group_kill(c, SIGKILL);
	/* what init does not reap stays in the group for ever, so this ends too */
	if (!c->exited || (group_kill(c, 0) && c->looks < 2 * GRACE_LOOKS))
		return;
	uv_timer_stop(timer);
	c->gone = true;
	free_if_over(c);
}

static void
child_exit(uv_process_t *process, int64_t status, int signal)
{
	struct child *c = process->data;

	c->exited = true;
	c->status = status;
	c->signal = signal;
	group_kill(c, 0);
}

/* environ with one more setting; the strings are borrowed. */
static char **
environment(const char *setting)
{
	size_t n = 0;

	while (environ && environ[n])
		n++;
	char **env = calloc(n + 2, sizeof(*env));
	if (!env)
		return NULL;
	for (size_t i = 0; i < n; i++)
		env[i] = environ[i];
	env[n] = (char *)setting;
	return env;
}

/* A pipe whose read end does not block; both are closed in children. 0 or -errno. */
static int
output_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	/* a fresh pipe takes any flag */
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	return 0;
}

static int
spawn(uv_loop_t *loop, struct child *c, const char *command, char **env, int out)
{
	char *args[] = { "/bin/sh", "-c", (char *)command, NULL };
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = out },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
	};
	/* detached: a session and with it a process group of its own */
	uv_process_options_t options = { .exit_cb = child_exit,
		.file = args[0],
		.args = args,
		.env = env,
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 3,
		.stdio = stdio };

	uv_timer_init(loop, &c->timer);
	c->process.data = c->timer.data = c;
	return uv_spawn(loop, &c->process, &options);
}

int
child_spawn(uv_loop_t *loop, const char *command, const char *setting, struct child **out)
{
	struct child *c = calloc(1, sizeof(*c));
	char **env = environment(setting);
	int fds[2], r = UV_ENOMEM;

	if (!c || !env || (r = output_pipe(fds)) < 0) {
		free(c);
		free(env);
		return r;
	}
	r = spawn(loop, c, command, env, fds[1]);
	free(env);
	close(fds[1]);
	c->fd = fds[0];
	if (r < 0) {
		/* uv wants a handle closed even when it could not spawn */
		close(c->fd);
		c->gone = c->released = true;
		free_if_over(c);
		return r;
	}
	c->pid = uv_process_get_pid(&c->process);
	*out = c;
	return 0;
}

int
child_fd(const struct child *c)
{
	return c->fd;
}

int
child_pid(const struct child *c)
{
	return c->pid;
}

bool
child_exited(const struct child *c, char *how, size_t size)
{
	if (!c->exited)
		return false;
	if (c->signal)
		snprintf(how, size, "killed by signal %d", c->signal);
	else
		snprintf(how, size, "exited with status %lld", (long long)c->status);
	return true;
}

void
child_end(struct child *c)
{
	if (c->ending)
		return;
	c->ending = true;
	close(c->fd);
	c->fd = -1;
	group_kill(c, SIGTERM);
	uv_timer_start(&c->timer, group_look, 0, LOOK_MS);
}

bool
child_gone(const struct child *c)
{
	return c->gone;
}

void
child_release(struct child **cp)
{
	struct child *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	c->released = true;
	child_end(c);
	free_if_over(c);
}
