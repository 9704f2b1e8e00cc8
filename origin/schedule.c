/* Calendars of stations. */
#include "origin/schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "origin/cache.h"
#include "rewind/settings.h"

#define EXPANDED_NS (3600 * NS_PER_S)
#define DAY_NS (24 * 3600 * NS_PER_S)
#define AHEAD_NS (14 * DAY_NS)

struct calendar {
	char *station, *path, *timezone;
	int64_t back_ns; /* how far back listeners can go */
	struct file_id id;
	int error;                  /* of opening or looking, as a positive errno */
	struct wall expanded;       /* ns INT64_MIN: not yet */
	struct programmes *current; /* or NULL */
};

struct schedule {
	pthread_mutex_t lock; /* of `current` of all, and of the list while it is exchanged */
	struct calendar *list;
	size_t count;
};

struct schedule *
schedule_new(void)
{
	struct schedule *s = calloc(1, sizeof *s);
	if (s)
		pthread_mutex_init(&s->lock, NULL);
	return s;
}

static void
free_list(struct calendar *list, size_t count)
{
	for (size_t i = 0; list && i < count; i++) {
		free(list[i].station);
		free(list[i].path);
		free(list[i].timezone);
		programmes_unref(&list[i].current);
	}
	free(list);
}

void
schedule_free(struct schedule **s)
{
	struct schedule *d = *s;

	*s = NULL;
	if (!d)
		return;
	free_list(d->list, d->count);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* What was known of the same calendar goes over. */
static void
take_over(const struct schedule *s, struct calendar *c)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct calendar *was = &s->list[i];
		if (strcmp(was->station, c->station) || strcmp(was->path, c->path) ||
		    strcmp(was->timezone, c->timezone) || was->back_ns != c->back_ns)
			continue;
		c->id = was->id;
		c->error = was->error;
		c->expanded = was->expanded;
		c->current = programmes_ref(was->current);
	}
}

int
schedule_configure(struct schedule *s, const struct config *c)
{
	size_t n = 0, most = 0;

	for (const struct station_settings *st = NULL; (st = config_next(c, "station", st));)
		most += st->programmes != NULL;
	struct calendar *list = calloc(most ? most : 1, sizeof *list);
	for (const struct station_settings *st = NULL; list && (st = config_next(c, "station", st));) {
		if (!st->programmes)
			continue;
		struct calendar *k = &list[n++];
		*k = (struct calendar){ .station = strdup(st->section.subject[0]),
			.path = strdup(st->programmes),
			.timezone = strdup(st->timezone ? st->timezone : "UTC"),
			.back_ns = st->retention + st->max_span + DAY_NS,
			.expanded = { INT64_MIN } };
		if (!k->station || !k->path || !k->timezone) {
			free_list(list, n);
			return -1;
		}
		take_over(s, k);
	}
	if (!list)
		return -1;
	pthread_mutex_lock(&s->lock);
	struct calendar *old = s->list;
	size_t count = s->count;
	s->list = list;
	s->count = n;
	pthread_mutex_unlock(&s->lock);
	free_list(old, count);
	return 0;
}

static void
refuse(const struct calendar *c, const char *why)
{
	char path[256], safe[400];
	log_error("programmes not taken over station=%s path=%s why=%s", c->station,
	    log_safe(c->path, path, sizeof path), log_safe(why, safe, sizeof safe));
}

static void
take(struct schedule *s, struct calendar *c, struct programmes *fresh)
{
	pthread_mutex_lock(&s->lock);
	struct programmes *old = c->current;
	c->current = fresh;
	pthread_mutex_unlock(&s->lock);
	programmes_unref(&old);
}

/* `silent`: it is the same file as before, read for the days that have come nearer. */
static void
read_calendar(struct schedule *s, struct calendar *c, struct wall now, bool silent)
{
	struct programmes *fresh = NULL;
	char why[160];
	struct text t;

	text_init(&t, PROGRAMMES_FILE_MOST + 4);
	int rc = file_read(AT_FDCWD, c->path, &t);
	if (rc) {
		if (!silent)
			refuse(c, rc == -EFBIG ? "the file is too large" : strerror(-rc));
	} else if (programmes_parse(t.data ? t.data : "", t.len, c->timezone, (struct wall){ now.ns - c->back_ns },
		       (struct wall){ now.ns + AHEAD_NS }, &fresh, why)) {
		if (!silent)
			refuse(c, why);
	} else {
		if (!silent)
			log_info("programmes taken over station=%s broadcasts=%zu", c->station, fresh->count);
		take(s, c, fresh);
	}
	text_fini(&t);
}

void
schedule_look(struct schedule *s, struct wall now)
{
	for (size_t i = 0; i < s->count; i++) {
		struct calendar *c = &s->list[i];
		struct stat st;
		int error = stat(c->path, &st) ? errno : S_ISREG(st.st_mode) ? 0 : EINVAL; /* a FIFO would hold us up */
		struct file_id id = error ? (struct file_id){ 0 } : file_id_of(&st);
		bool same = error == c->error && file_id_equal(&id, &c->id);
		bool first = c->expanded.ns == INT64_MIN;
		if (same && !first && now.ns - c->expanded.ns < EXPANDED_NS && now.ns >= c->expanded.ns)
			continue;
		c->id = id;
		c->error = error;
		c->expanded = now;
		if (!error)
			read_calendar(s, c, now, same && !first);
		else if (!same || first)
			refuse(c, strerror(error));
	}
}

struct programmes *
schedule_get(struct schedule *s, const char *station)
{
	struct programmes *found = NULL;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->count && !found; i++)
		if (!strcmp(s->list[i].station, station))
			found = programmes_ref(s->list[i].current);
	pthread_mutex_unlock(&s->lock);
	return found;
}
