/* From a file descriptor to an input. */
#ifndef HINDCAST_FEED_H
#define HINDCAST_FEED_H

#include "base/clock.h"

struct input;

/* Reads of one input in one tick, so that the others get their turn. */
#define FEED_ROUNDS 64

enum feed_result {
	FEED_AGAIN,   /* bytes went on, there may be more at once */
	FEED_LATER,   /* nothing is there, or the input has no room: at a later tick */
	FEED_END,     /* end of file */
	FEED_FAILED,  /* read failed, errno says why */
	FEED_REFUSED, /* the input does not want this stream: input_why */
};

/* One read of as much as the input has room for. */
enum feed_result feed_once(struct input *in, int fd, struct mono now);

/* Read until something else than AGAIN comes of it, FEED_ROUNDS times at most. `fd` does not block. */
enum feed_result feed_all(struct input *in, int fd, struct mono now);

/* What to tell of a run's end: "end of file" for FEED_END, errno's or the input's words otherwise. */
const char *feed_why(struct input *in, enum feed_result r);

#endif
