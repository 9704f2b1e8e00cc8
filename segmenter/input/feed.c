/* From a file descriptor to an input. */
#include "segmenter/input/feed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "segmenter/input/transport.h"

enum feed_result
feed_once(struct input *in, int fd, struct mono now)
{
	size_t room;
	uint8_t *to = input_room(in, &room);

	if (room == 0)
		return FEED_LATER;
	ssize_t n = read(fd, to, room);
	if (n > 0)
		return input_fed(in, now, (size_t)n) < 0 ? FEED_REFUSED : FEED_AGAIN;
	if (n == 0)
		return FEED_END;
	return errno == EAGAIN || errno == EINTR ? FEED_LATER : FEED_FAILED;
}

enum feed_result
feed_all(struct input *in, int fd, struct mono now)
{
	enum feed_result r = FEED_AGAIN;

	for (int i = 0; r == FEED_AGAIN && i < FEED_ROUNDS; i++)
		r = feed_once(in, fd, now);
	return r;
}

const char *
feed_why(struct input *in, enum feed_result r)
{
	if (r == FEED_REFUSED)
		return input_why(in);
	return r == FEED_FAILED ? strerror(errno) : "end of file";
}
