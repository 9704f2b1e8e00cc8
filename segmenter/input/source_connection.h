/* A connection to the source port: of the listener while its head is read, of a mount once it is the mount's source. */
#ifndef HINDCAST_SOURCE_CONNECTION_H
#define HINDCAST_SOURCE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/address.h"
#include "segmenter/input/chunked.h"
#include "segmenter/input/request_head.h"

struct icecast_listener;

enum connection_state {
	CONNECTION_HEAD,     /* of an HTTP or ICE request */
	CONNECTION_PASSWORD, /* Shoutcast v1: the first line */
	CONNECTION_FIELDS,   /* Shoutcast v1: header lines behind it */
	CONNECTION_LINGER,   /* answered; what still comes is thrown away, so that the answer is not lost in a reset */
	CONNECTION_SOURCE,   /* handed to a mount */
};

struct source_connection {
	uv_tcp_t tcp; /* data: the connection */
	struct icecast_listener *listener;
	struct source_connection *older, *newer; /* of the listener's, NULL in a mount */
	enum connection_state state;
	uint64_t deadline;            /* uv_now() in ms, while it is the listener's */
	char peer[ADDRESS_TEXT_SIZE]; /* for the log */
	char mount[REQUEST_PATH_MAX]; /* Shoutcast: whose password it gave */

	/* What was received up to now; with CONNECTION_SOURCE the body's first bytes, from `begin` on. */
	char buf[REQUEST_HEAD_MAX];
	uint32_t begin, end;

	/* How the body is sent. */
	bool is_chunked;
	struct chunked chunked;
	uint64_t body_left; /* UINT64_MAX without Content-Length */
};

/* Send all of it at once, or not at all: answers fit the empty buffer of a new socket. 0 or -1. */
int source_connection_send(struct source_connection *c, const char *text, size_t len);

/* Closes and frees it; the loop may do so later. */
void source_connection_close(struct source_connection **c);

#endif
