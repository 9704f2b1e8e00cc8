/* One line per change of state, to standard error: "2026-11-21T09:00:06.123Z warn  source lost station=fip …". */
#ifndef HINDCAST_LOG_H
#define HINDCAST_LOG_H

#include <stdlib.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* `program` is borrowed, and ends each line as program=…; NULL leaves that out. Before this: no name, LOG_INFO. */
void log_init(const char *program, enum log_level least);

/* `fmt` is "what happened key=%s key=%d …": logfmt, the message first. Values that come from outside are passed
 * through %s arguments made safe by log_safe(). Lines of the same `fmt` are limited to 10 in 10 s; the number of those
 * left out is said with the next one that is let through ("left_out=7"). Control characters become '?', long lines are
 * cut. Thread-safe; leaves errno alone. Never give it a credential. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

/* Make text that came from outside a logfmt value: in quotes unless it is plain ASCII without spaces; control
 * characters, quotes, backslashes and what is not UTF-8 are escaped, what does not fit in `size` (at least 6) ends as
 * "...". NULL counts as empty. Returns `out`. */
const char *log_safe(const char *s, char *out, size_t size);

/* A broken invariant: say where and abort. Stays on in releases; bytes from the network never reach it. */
_Noreturn void check_failed(const char *file, int line, const char *what);
#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

#endif
