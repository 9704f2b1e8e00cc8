/* What lies between a byte stream and an input. A transport brings bytes (a socket, a file, a child); the input
 * (input.h) finds the frames in them, stamps them and passes them on.
 *
 * Nothing waits for single packets: every transport is called once a tick (100 ms) and takes what is there with plain
 * non-blocking reads; for a hundred stations that costs a quarter of waking for each frame. */
#ifndef HINDCAST_TRANSPORT_H
#define HINDCAST_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "segmenter/settings.h"

struct input;
struct text;
struct transport;

struct transport_ops {
	const char *type;
	/* Begin; nothing blocks. `in` is borrowed for the transport's life. 0 with *out owned by the caller; -1 with a
	 * line in `errors`. */
	int (*open)(uv_loop_t *loop, struct input *in, const struct input_settings *settings, struct transport **out,
	    struct text *errors);
	/* Connect, reconnect with back-off and jitter, read: until nothing is there or the input has no room. */
	void (*tick)(struct transport *t, struct mono now);
	/* End the present connection, file or child (`why` for the log and the counters); what can come back does so.
	 */
	void (*drop)(struct transport *t, struct mono now, const char *why);
	/* Ends everything; after it the input is not called again. uv handles are closed by uv_close, which may finish
	 * later in the loop. */
	void (*close)(struct transport **t);
};

/* One per enum input_type. */
extern const struct transport_ops transport_icecast_source, transport_icecast_pull, transport_file, transport_pipe,
    transport_command, transport_stdin;
const struct transport_ops *transport_for(enum input_type type);

/* What a transport calls. */

/* A connection, file or child is there and its bytes are a new run; `peer` for the log: "192.0.2.1:4711", a path, a
 * pid. */
void input_up(struct input *in, struct mono now, const char *peer);
/* Where the next bytes go: *len is the room, 0 when the input takes no more now (it is paced, or holds too much); then
 * the transport stops reading until a later tick. The pointer is good until the next call of any input_ function. */
uint8_t *input_room(struct input *in, size_t *len);
/* `n` bytes have been put there. They were read at `now`. 0, or -1 when the stream is refused or not wanted any more:
 * the transport ends the connection (input_why says why, for an error reply) and treats it like any other loss. */
int input_fed(struct input *in, struct mono now, size_t n);
/* The run is over: the last frame is taken out, what is torn is counted. Not called for a connection that was never
 * input_up. */
void input_down(struct input *in, struct mono now, const char *why);
const char *input_why(const struct input *in);
/* The instant that `start` gave, or ns 0: for a child's environment HINDCAST_START (ns since 1970). After a restart of
 * a child it is the wall time of the next frame that is wanted. */
struct wall input_start(const struct input *in);
/* A title was seen on the way (ICY, /admin/metadata); bytes as received, UTF-8 unless said otherwise. Only counted and
 * logged as yet. */
void input_title(struct input *in, const char *title, size_t len);
/* Counters that only a transport knows; owned by the input. */
struct transport_counters {
	uint64_t connects, disconnects, connect_errors, refused_logins, bytes, titles;
};
struct transport_counters *input_transport_counters(struct input *in);
/* "fip/hifi main" for the log. */
const char *input_name(const struct input *in);

/* The Icecast source listener, shared by all icecast-source inputs of the process: made from [icecast-listener]. */
struct icecast_listener;
int icecast_listener_open(
    uv_loop_t *loop, const struct listener_settings *settings, struct icecast_listener **out, struct text *errors);
void icecast_listener_close(struct icecast_listener **l);

#endif
