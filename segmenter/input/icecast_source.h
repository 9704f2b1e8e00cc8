/* The mounts that icecast-source inputs offer, as the listener sees them. */
#ifndef HINDCAST_ICECAST_SOURCE_H
#define HINDCAST_ICECAST_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct input;
struct source_connection;
struct transport;

/* The mount with this path among the inputs of this loop, or NULL. */
struct transport *icecast_mount_find(const uv_loop_t *loop, const char *path);

/* The one mount with this password; NULL when there is none or, with *several set, more than one. */
struct transport *icecast_mount_find_password(const uv_loop_t *loop, const char *password, bool *several);

/* Are these the mount's credentials ("user:password")? Takes as long for a wrong as for a right answer. */
bool icecast_mount_login(struct transport *mount, const char *credentials);

const char *icecast_mount_path(const struct transport *mount);
bool icecast_mount_busy(const struct transport *mount);
struct input *icecast_mount_input(const struct transport *mount);

/* Make a connection, whose head has been answered, the source of a mount that is not busy. The mount owns it from now
 * on and reads it at its ticks. */
void icecast_mount_attach(struct transport *mount, struct source_connection *c);

#endif
