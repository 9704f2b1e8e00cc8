/* A child process with its own process group and its standard output in a pipe. */
#ifndef HINDCAST_CHILD_H
#define HINDCAST_CHILD_H

#include <stdbool.h>
#include <uv.h>

struct child;

/* Run `command` by /bin/sh -c: standard input is /dev/null, standard error this process's; `setting` ("NAME=value", may
 * be NULL) is added to the environment. 0 with *out owned by the caller, or a negative uv error. */
int child_spawn(uv_loop_t *loop, const char *command, const char *setting, struct child **out);

/* Read end of its standard output; does not block. -1 when it is being ended. */
int child_fd(const struct child *c);
int child_pid(const struct child *c);

/* Has it ended? `how` then says so: "exited with status 1", "killed by signal 9". */
bool child_exited(const struct child *c, char *how, size_t size);

/* End the whole process group: TERM, and KILL for what is left of it two seconds later. */
void child_end(struct child *c);
/* Is everything of it gone? Never before it has exited and child_end was called. */
bool child_gone(const struct child *c);

/* End it and give it up; it frees itself in the loop when it is gone. */
void child_release(struct child **c);

#endif
