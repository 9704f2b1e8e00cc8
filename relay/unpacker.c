/* From packets to the frames of their runs: which run a packet belongs to. */
#include "relay/unpacker.h"

#include <stdlib.h>
#include <string.h>

#include "relay/unpacker_run.h"

#define BUCKETS 1024
#define KEPT_PACKETS 128          /* of one unknown stream */
#define UNKNOWN_NS (5 * NS_PER_S) /* an introduction comes every half second */

struct kept {
	struct kept *next;
	unsigned path;
	size_t len;
	uint8_t data[];
};

struct stream {
	struct stream *next; /* in its bucket */
	uint32_t ssrc;
	uint16_t start;           /* sequence number of packet 0 */
	struct mono heard;        /* unknown: first, known: last */
	struct unpacker_run *run; /* NULL: unknown */
	struct kept *kept, **kept_end;
	uint32_t kept_count;
};

struct unpacker {
	struct unpacker_limits limits;
	bool secured;
	struct srtp_secret secret;
	struct unpacker_sink sink;
	struct stream *bucket[BUCKETS];
	uint32_t runs, unknown, kept_bytes;
	uint64_t taken[3], errors[UNPACKER_RESULTS], rtp_errors[RTP_ERRORS];
	struct unpacker_path paths[UNPACKER_PATHS];
	struct unpacker_work work;
};

const char *
unpacker_result_text(int result)
{
	static const char *const good[] = { "taken", "duplicate", "kept until its run is known" };
	static const char *const bad[UNPACKER_RESULTS] = { "", "no RTP packet", "without our elements",
		"number or timestamp not those of its run", "wrong tag", "in the clear although there is a key",
		"protected, and there is no key", "payload without frames", "names or format that cannot be",
		"no room" };

	if (result >= 0)
		return result < 3 ? good[result] : "unknown";
	return result > -UNPACKER_RESULTS ? bad[-result] : "unknown";
}

struct unpacker *
unpacker_new(const struct unpacker_limits *limits, const struct srtp_secret *secret, const struct unpacker_sink *sink)
{
	struct unpacker *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->limits = *limits;
	u->sink = *sink;
	if (secret) {
		u->secured = true;
		u->secret = *secret;
	}
	u->work.sink = &u->sink;
	u->work.paths = u->paths;
	return u;
}

/* ---- streams */

static struct stream **
bucket_of(struct unpacker *u, uint32_t ssrc)
{
	return &u->bucket[ssrc % BUCKETS];
}

static struct stream *
stream_find(struct unpacker *u, uint32_t ssrc, uint16_t start)
{
	struct stream *s = *bucket_of(u, ssrc);

	while (s && (s->ssrc != ssrc || s->start != start))
		s = s->next;
	return s;
}

static void
drop_kept(struct unpacker *u, struct stream *s)
{
	while (s->kept) {
		struct kept *k = s->kept;
		s->kept = k->next;
		u->kept_bytes -= (uint32_t)(sizeof(*k) + k->len);
		free(k);
	}
	s->kept_end = &s->kept;
	s->kept_count = 0;
}

/* Take it out of its bucket, end its run. */
static void
stream_drop(struct unpacker *u, struct stream **at)
{
	struct stream *s = *at;

	*at = s->next;
	drop_kept(u, s);
	if (s->run) {
		if (u->sink.end)
			u->sink.end(u->sink.context, &s->run->run, &s->run->user);
		unpacker_run_fini(s->run);
		free(s->run);
		u->runs--;
	} else {
		u->unknown--;
	}
	free(s);
}

/* Make room: of the known streams, or of the unknown ones, the one that was heard longest ago goes. */
static void
drop_oldest(struct unpacker *u, bool known)
{
	struct stream **oldest = NULL;

	for (unsigned b = 0; b < BUCKETS; b++)
		for (struct stream **at = &u->bucket[b]; *at; at = &(*at)->next)
			if (((*at)->run != NULL) == known && (!oldest || (*at)->heard.ns < (*oldest)->heard.ns))
				oldest = at;
	if (oldest) {
		u->errors[-UNPACKER_BOUNDS]++;
		stream_drop(u, oldest);
	}
}

void
unpacker_free(struct unpacker **pu)
{
	struct unpacker *u = *pu;

	*pu = NULL;
	if (!u)
		return;
	for (unsigned b = 0; b < BUCKETS; b++)
		while (u->bucket[b])
			stream_drop(u, &u->bucket[b]);
	memset(&u->secret, 0, sizeof(u->secret));
	free(u);
}

void
unpacker_tick(struct unpacker *u, struct mono now)
{
	for (unsigned b = 0; b < BUCKETS; b++)
		for (struct stream **at = &u->bucket[b]; *at;) {
			int64_t limit = (*at)->run ? u->limits.idle_ns : UNKNOWN_NS;
			if (now.ns - (*at)->heard.ns > limit)
				stream_drop(u, at);
			else
				at = &(*at)->next;
		}
}

static struct stream *
stream_new(struct unpacker *u, struct mono now, uint32_t ssrc, uint16_t start)
{
	if (u->limits.unknown == 0)
		return NULL;
	if (u->unknown == u->limits.unknown)
		drop_oldest(u, false);
	struct stream *s = calloc(1, sizeof(*s)), **bucket = bucket_of(u, ssrc);
	if (!s)
		return NULL;
	s->ssrc = ssrc;
	s->start = start;
	s->heard = now;
	s->kept_end = &s->kept;
	s->next = *bucket;
	*bucket = s;
	u->unknown++;
	return s;
}

/* ---- packets */

static int
keep(struct unpacker *u, struct stream *s, const struct unpacker_packet *p)
{
	size_t size = sizeof(struct kept) + p->len;

	if (s->kept_count == KEPT_PACKETS || p->len > RTP_RECEIVE_MAX || size > u->limits.kept_bytes - u->kept_bytes)
		return UNPACKER_BOUNDS;
	struct kept *k = malloc(size);
	if (!k)
		return UNPACKER_BOUNDS;
	k->next = NULL;
	k->path = p->path;
	k->len = p->len;
	memcpy(k->data, p->data, p->len);
	*s->kept_end = k;
	s->kept_end = &k->next;
	s->kept_count++;
	u->kept_bytes += (uint32_t)size;
	return UNPACKER_KEPT;
}

static int
count(struct unpacker *u, int result)
{
	if (result >= 0)
		u->taken[result]++;
	else
		u->errors[-result]++;
	return result;
}

/* Header and the elements that every packet of ours has. */
static int
parse(struct unpacker *u, struct unpacker_packet *p)
{
	int error = (u->secured ? rtp_parse_header : rtp_parse)(p->data, p->len, &p->rtp);

	if (error) {
		u->rtp_errors[-error]++;
		return UNPACKER_RTP;
	}
	bool clear = p->rtp.payload_type == RTP_PT_AAC || p->rtp.payload_type == RTP_PT_MPA;
	bool protect = p->rtp.payload_type == RTP_PT_AAC_PROTECTED || p->rtp.payload_type == RTP_PT_MPA_PROTECTED;
	if ((!clear && !protect) || rtp_wall(&p->rtp, &p->wall) < 0 || rtp_position(&p->rtp, &p->position) < 0)
		return UNPACKER_FOREIGN;
	if (clear == u->secured)
		return clear ? UNPACKER_CLEAR : UNPACKER_PROTECTED;
	return 0;
}

static int
read_known(struct unpacker *u, struct stream *s, struct unpacker_packet *p)
{
	int result = unpacker_run_open(s->run, p, &u->work);

	return result ? result : unpacker_run_read(s->run, p, &u->work);
}

static void
read_kept(struct unpacker *u, struct stream *s)
{
	for (struct kept *k = s->kept; k; k = k->next) {
		struct unpacker_packet p = { .data = k->data, .len = k->len, .path = k->path };
		int result = parse(u, &p);
		count(u, result ? result : read_known(u, s, &p));
	}
	drop_kept(u, s);
}

/* The packet says what its run is: believe it when it opens. */
static int
introduce(struct unpacker *u, struct mono now, struct stream *s, struct unpacker_packet *p)
{
	struct unpacker_run *run = malloc(sizeof(*run));
	int result = run ? unpacker_run_init(run, p, u->secured ? &u->secret : NULL) : UNPACKER_BOUNDS;

	if (!result) {
		result = unpacker_run_open(run, p, &u->work);
		if (result)
			unpacker_run_fini(run);
	}
	if (result) {
		free(run);
		return result;
	}
	if (u->runs >= u->limits.runs)
		drop_oldest(u, true);
	s->run = run;
	s->heard = now;
	u->unknown--;
	u->runs++;
	if (u->sink.begin)
		u->sink.begin(u->sink.context, &run->run, &run->user);
	result = unpacker_run_read(run, p, &u->work);
	read_kept(u, s);
	return result;
}

int
unpacker_put(struct unpacker *u, struct mono now, unsigned path, const uint8_t *packet, size_t len)
{
	struct unpacker_packet p = {
		.data = packet, .len = len, .path = path < UNPACKER_PATHS ? path : UNPACKER_PATHS - 1
	};
	int result = parse(u, &p);

	if (result)
		return count(u, result);
	uint16_t start = (uint16_t)(p.rtp.sequence - p.position.packet);
	struct stream *s = stream_find(u, p.rtp.ssrc, start);
	if (!s)
		s = stream_new(u, now, p.rtp.ssrc, start);
	if (!s)
		return count(u, UNPACKER_BOUNDS);
	if (s->run) {
		result = read_known(u, s, &p);
		if (result >= 0)
			s->heard = now;
		return count(u, result);
	}
	if (p.rtp.element[RTP_ID_RUN].data)
		return count(u, introduce(u, now, s, &p));
	return count(u, keep(u, s, &p));
}

/* ---- counters */

uint64_t
unpacker_count(const struct unpacker *u, int result)
{
	if (result >= 0)
		return result < 3 ? u->taken[result] : 0;
	return result > -UNPACKER_RESULTS ? u->errors[-result] : 0;
}

uint64_t
unpacker_rtp_errors(const struct unpacker *u, int rtp_error)
{
	return rtp_error < 0 && rtp_error > -RTP_ERRORS ? u->rtp_errors[-rtp_error] : 0;
}

void
unpacker_path(const struct unpacker *u, unsigned path, struct unpacker_path *out)
{
	*out = u->paths[path < UNPACKER_PATHS ? path : UNPACKER_PATHS - 1];
}

uint32_t
unpacker_runs(const struct unpacker *u)
{
	return u->runs;
}

uint32_t
unpacker_kept_bytes(const struct unpacker *u)
{
	return u->kept_bytes;
}

uint64_t
unpacker_frames_broken(const struct unpacker *u)
{
	return u->work.frames_broken;
}
