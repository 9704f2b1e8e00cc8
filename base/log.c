/* Log lines, the limit on repeats, and the end of a program whose invariant broke. */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define LINE_SIZE 2048 /* below PIPE_BUF, so that lines of several programs on one pipe stay whole (POSIX write()) */
#define LIMIT_LINES 10
#define LIMIT_NS (10 * NS_PER_S)
#define LIMITED_FORMATS 64

/* One format string and how often it was used since `start`. */
struct limit {
	const char *fmt;
	struct mono start;
	unsigned lines;
	uint64_t left_out;
};

static struct {
	pthread_mutex_t mutex;
	const char *program;
	enum log_level least;
	struct limit limits[LIMITED_FORMATS];
} logger = { .mutex = PTHREAD_MUTEX_INITIALIZER, .least = LOG_INFO };

void
log_init(const char *program, enum log_level least)
{
	pthread_mutex_lock(&logger.mutex);
	logger.program = program;
	logger.least = least;
	memset(logger.limits, 0, sizeof logger.limits);
	pthread_mutex_unlock(&logger.mutex);
}

/* The entry of this format; without one, the entry that has been quiet longest makes place. */
static struct limit *
limit_of(const char *fmt, struct mono now)
{
	struct limit *oldest = &logger.limits[0];

	for (struct limit *l = logger.limits; l < logger.limits + LIMITED_FORMATS; l++) {
		if (l->fmt == fmt)
			return l;
		if (oldest->fmt && (!l->fmt || l->start.ns < oldest->start.ns))
			oldest = l;
	}
	*oldest = (struct limit){ .fmt = fmt, .start = now };
	return oldest;
}

/* May one more line of this format out? *left_out is the number of those that were not, since the last that was. */
static bool
let_through(const char *fmt, struct mono now, uint64_t *left_out)
{
	struct limit *l = limit_of(fmt, now);

	if (now.ns - l->start.ns >= LIMIT_NS) {
		l->start = now;
		l->lines = 0;
	}
	if (l->lines >= LIMIT_LINES) {
		l->left_out++;
		return false;
	}
	l->lines++;
	*left_out = l->left_out;
	l->left_out = 0;
	return true;
}

/* A line stays one line whatever its arguments held. */
static void
flatten(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7F)
			*s = '?';
}

/* One write(2) a line, so that lines of several threads do not mix. Nobody could be told of an error. */
static void
emit(const char *line, size_t len)
{
	while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
		;
}

void
log_write(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "debug", "info ", "warn ", "error" };
	char when[WALL_TEXT_SIZE], line[LINE_SIZE], tail[128] = "";
	int saved = errno;
	uint64_t left_out = 0;
	size_t n = 0;
	va_list ap;

	pthread_mutex_lock(&logger.mutex);
	bool out = level >= logger.least && let_through(fmt, clock_mono_now(), &left_out);
	const char *program = logger.program;
	pthread_mutex_unlock(&logger.mutex);
	if (!out)
		goto out;
	if (program)
		n += (size_t)snprintf(tail, sizeof tail, " program=%.64s", program);
	if (left_out)
		snprintf(tail + n, sizeof tail - n, " left_out=%llu", (unsigned long long)left_out);
	size_t room = sizeof line - strlen(tail) - 1; /* the line end takes the place of the tail's NUL */
	n = (size_t)snprintf(line, room, "%s %s ", wall_format(clock_wall_now(), when), names[level]);
	va_start(ap, fmt);
	errno = saved; /* for %m */
	if (vsnprintf(line + n, room - n, fmt, ap) >= (int)(room - n))
		memcpy(line + room - 4, "...", 4);
	va_end(ap);
	flatten(line);
	n = strlen(line);
	n += (size_t)snprintf(line + n, sizeof line - n, "%s\n", tail);
	emit(line, n);
out:
	errno = saved;
}

/* Can this stand in a value without quotes around it (logfmt)? */
static bool
is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
}

/* One character for a terminal that shall not obey it: itself, or escaped; C1 controls (U+0080 to U+009F) and what is
 * not UTF-8 byte by byte. Moves *s on; the result is shorter than 16. */
static size_t
escape(const char **s, char out[static 16])
{
	unsigned bad, len = text_utf8_sequence(*s, &bad);
	unsigned char c = (unsigned char)**s;

	if (c == '"' || c == '\\') {
		++*s;
		return (size_t)snprintf(out, 16, "\\%c", c);
	}
	if (len > 0 && c >= 0x20 && c != 0x7F && (c != 0xC2 || (unsigned char)(*s)[1] >= 0xA0)) {
		memcpy(out, *s, len);
		*s += len;
		return len;
	}
	++*s;
	return (size_t)snprintf(out, 16, "\\x%02x", c);
}

const char *
log_safe(const char *s, char *out, size_t size)
{
	char piece[16];
	size_t n = 0, cut;
	bool quoted = !s || !*s;

	CHECK(size >= sizeof "\"...\"");
	s = s ? s : "";
	for (const char *p = s; *p && !quoted; p++)
		quoted = !is_plain((unsigned char)*p);
	if (quoted)
		out[n++] = '"';
	cut = n; /* where "..." would still fit */
	size_t end = size - (quoted ? 2 : 1);
	while (*s) {
		size_t len = escape(&s, piece);
		if (len > end - n) {
			memcpy(out + cut, "...", 3);
			n = cut + 3;
			break;
		}
		memcpy(out + n, piece, len);
		n += len;
		if (end - n >= 3)
			cut = n;
	}
	if (quoted)
		out[n++] = '"';
	out[n] = '\0';
	return out;
}

void
check_failed(const char *file, int line, const char *what)
{
	char text[512];
	int n = snprintf(text, sizeof text, "%s:%d: broken invariant: %.400s\n", file, line, what);

	emit(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
	abort();
}
