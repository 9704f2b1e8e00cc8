/* Asking peers for their newest entries. */
#include "rewind/join.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "rewind/heal_hour.h"
#include "rewind/peer.h"
#include "rewind/settings.h"

#define PEERS_MOST 16
#define ANSWER_NS (3 * NS_PER_S)
#define ALL_NS (30 * NS_PER_S) /* all answers of a start together */
#define HOURS_MOST 24
#define NEWEST_HOURS 2 /* the newest entry lies in these, or is not of now */
#define SEQUENCE_MOST UINT32_MAX

struct join {
	struct peer *peers[PEERS_MOST];
	size_t count;
	struct mono deadline;
};

/* One rendition at one peer. */
struct question {
	struct peer *peer;
	const char *station, *rendition;
	uint32_t T;
	uint64_t since, on_air;
};

static bool
over(void *ctx)
{
	const struct join *j = ctx;
	return clock_mono_now().ns > j->deadline.ns;
}

struct join *
join_new(const struct store_settings *store)
{
	const char *at = store->peer;
	char url[SETTINGS_URL_SIZE];
	if (!at || !*at)
		return NULL;
	struct join *j = calloc(1, sizeof *j);
	if (!j)
		return NULL;
	j->deadline.ns = clock_mono_now().ns + ALL_NS;
	while (j->count < PEERS_MOST && settings_next_peer(&at, url)) {
		struct peer_config c = { .url = url, .timeout_ns = ANSWER_NS, .stop = over, .ctx = j };
		if (peer_open(&c, &j->peers[j->count]) == 0)
			j->count++;
	}
	return j;
}

void
join_free(struct join **jp)
{
	struct join *j = *jp;
	if (!j)
		return;
	for (size_t i = 0; i < j->count; i++)
		peer_close(&j->peers[i]);
	free(j);
	*jp = NULL;
}

/* 0 with *h owned, -ENOENT, or -errno. Entries of the future are cut off. */
static int
read_hour(const struct question *q, uint64_t hour, struct hour *h)
{
	char path[256], name[LAYOUT_NAME_SIZE], why[128];
	struct text t;
	text_init(&t, HOUR_FILE_MAX + 1);
	snprintf(path, sizeof path, "%s/%s/%s.m3u8", q->station, q->rendition, layout_hour_name(hour, name));
	int rc = peer_get(q->peer, path, HOUR_FILE_MAX, &t);
	if (rc == 0 && hour_parse(t.data ? t.data : "", t.len, h, why) < 0)
		rc = -EBADMSG;
	text_fini(&t);
	if (rc < 0)
		return rc;
	if (h->segment != q->T || layout_hour(h->first_msn, q->T) != hour || heal_hour_sequence(h) > SEQUENCE_MOST) {
		hour_free(h);
		return -EBADMSG;
	}
	while (h->count && h->entries[h->count - 1].msn > q->on_air)
		h->count--;
	return 0;
}

/* From an hour that lies before all that *p has been told of. */
static void
take_hour(const struct question *q, const struct hour *h, struct join_position *p)
{
	uint64_t flags[HOUR_ENTRIES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < h->count; i++)
		if (h->entries[i].discontinuity && h->entries[i].msn > q->since)
			flags[n++] = h->entries[i].msn;
	if (p->count + n <= JOIN_DISCONTINUITIES) {
		memmove(p->discontinuities + n, p->discontinuities, p->count * sizeof *flags);
		memcpy(p->discontinuities, flags, n * sizeof *flags);
		p->count += n;
	}
	if (p->any || !h->count)
		return;
	if (!p->recent_count) {
		p->discontinuity_sequence = heal_hour_sequence(h);
		for (size_t i = h->count > JOIN_ENTRIES ? h->count - JOIN_ENTRIES : 0; i < h->count; i++) {
			const struct hour_entry *e = &h->entries[i];
			if (!e->gap)
				p->formats[p->recent_count] = h->formats[e->format];
			p->recent[p->recent_count++] = *e;
		}
	}
	for (size_t i = h->count; i > 0 && !p->any; i--) {
		const struct hour_entry *e = &h->entries[i - 1];
		if (e->gap)
			continue;
		p->any = true;
		p->last = *e;
		p->format = h->formats[e->format];
	}
}

/* 0, -ENOENT: it has nothing of now, or -errno. */
static int
ask(const struct question *q, struct join_position *p)
{
	uint64_t newest = layout_hour(q->on_air, q->T), oldest = newest;
	*p = (struct join_position){ 0 };
	if (q->since)
		oldest = layout_hour(q->since, q->T);
	if (newest - oldest >= HOURS_MOST)
		oldest = newest - HOURS_MOST + 1;
	for (uint64_t hour = newest; hour >= oldest || (!p->any && newest - hour < NEWEST_HOURS); hour--) {
		struct hour h;
		int rc = read_hour(q, hour, &h);
		if (rc < 0 && rc != -ENOENT)
			return rc;
		if (rc == 0) {
			take_hour(q, &h, p);
			hour_free(&h);
		}
		if (!p->any && newest - hour + 1 >= NEWEST_HOURS)
			return -ENOENT;
	}
	return p->any ? 0 : -ENOENT;
}

bool
join_ask(struct join *j, const char *station, const char *rendition, uint32_t T, uint64_t since, struct wall now,
    struct join_position *out)
{
	struct join_position p;
	char safe[160];
	if (!j)
		return false;
	for (size_t i = 0; i < j->count; i++) {
		struct question q = { j->peers[i], station, rendition, T, since, layout_msn(now, 0, T) };
		int rc = ask(&q, &p);
		if (rc == 0) {
			log_info("joins where the peer is station=%s rendition=%s peer=%s msn=%" PRIu64, station,
			    rendition, peer_name(q.peer), p.last.msn);
			*out = p;
			return true;
		}
		log_warn("peer does not tell where it is station=%s rendition=%s peer=%s why=%s", station, rendition,
		    peer_name(q.peer),
		    log_safe(rc == -EHOSTDOWN ? peer_why(q.peer)
			     : rc == -ENOENT  ? "it has nothing of now"
					      : strerror(-rc),
			safe, sizeof safe));
		if (rc != -EHOSTDOWN && rc != -ECANCELED)
			continue;
		peer_close(&j->peers[i]); /* for this start */
		memmove(&j->peers[i], &j->peers[i + 1], (--j->count - i) * sizeof *j->peers);
		i--;
	}
	log_warn("begins without a peer: PTS and discontinuity numbers may differ from it station=%s rendition=%s",
	    station, rendition);
	return false;
}
