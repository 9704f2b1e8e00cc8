/* Several encoders, publishers and paths into one merge, and what must come out whatever the order of arrivals
 *(doc/design.md section 5, promises 3 and 4). A scenario is made from its number: which encoder dies when, which frames
 *are lost on which path, who slews. It is played again and again with other delays below patience and other ticks:
 *	- the slots are the same in all plays: frames, wall times, numbers;
 *	- they follow on each other by at most one frame's seam, numbers by at most one;
 *	- no frame comes twice, and those of one encoder come in their order;
 *	- when one of two twins dies, not one slot differs from the play in which it lives;
 *	- when stamps were slewed before, the time line goes on without a step.
 * Prints TAP.
 *	redundant [--long] [SEED]      60 scenarios; 2000 with --long */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rewind/layout.h"
#include "segmenter/merge/merge.h"

#define SEGMENT 6
#define PATIENCE (1500 * NS_PER_MS)
#define STAMPS_APART (400 * NS_PER_MS)
#define DELAY_MOST (PATIENCE - STAMPS_APART) /* what a twin brings must be there in the time of the other */
#define RATE 48000
#define FRAME 1024
#define RUNS_MAX 8
#define PATHS 2
#define SLOTS_MAX 20000
#define PACKETS_MAX (RUNS_MAX * PATHS * 10000)

static const struct wall origin = { INT64_C(1795251603) * NS_PER_S + 123456789 };
static const struct audio_format format = { CODEC_AAC, AAC_LC, { 0xff, 0xf1, 0x4c, 0x80 }, RATE, 2 };

/* What one publisher makes of one encoder. */
struct sender {
	unsigned encoder, input;
	uint8_t id;
	int64_t from_ns, until_ns; /* of its audio, since `origin` */
	int64_t stamp_ns;          /* its stamps are off by so much */
	int64_t slew_from_ns;      /* from there on they are slewed, by 100 ppm */
	unsigned loss;             /* of 1000, on each path */
};

struct scenario {
	uint64_t number;
	int64_t end_ns;
	struct sender senders[RUNS_MAX];
	unsigned count;
	unsigned loop; /* frames after which the first encoder's audio repeats; 0: never */
};

struct packet {
	int64_t arrival_ns;
	unsigned sender, path;
	uint64_t index;
};

struct out {
	uint64_t msn, content; /* content 0: fill, 1: gap */
	int64_t wall_ns;
};

struct play {
	struct out slots[SLOTS_MAX];
	unsigned count;
	uint64_t fill, switches, twins;
};

static struct packet packets[PACKETS_MAX];
static uint64_t contents[RUNS_MAX][10000]; /* frames' bytes, which must stay while merge has them */
static unsigned faults;

#define FAULT(...)                                                                                                     \
	do {                                                                                                           \
		if (faults++ < 20) {                                                                                   \
			printf("# ");                                                                                  \
			printf(__VA_ARGS__);                                                                           \
			printf("\n");                                                                                  \
		}                                                                                                      \
	} while (0)

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

/* A number below `most` that depends on all of these. */
static uint64_t
draw(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t most)
{
	return mix(mix(mix(mix(a) ^ b) ^ c) ^ d) % most;
}

static bool
may_change(void *ctx, uint64_t msn)
{
	(void)ctx;
	(void)msn;
	return false;
}

/* ---- what is sent */

/* Encoder e has made its n-th frame at this time, whoever was there. */
static int64_t
frame_ns(uint64_t n)
{
	return samples_to_ns(n * FRAME, RATE);
}

static uint64_t
content_of(const struct scenario *s, unsigned encoder, uint64_t n)
{
	uint64_t silence = n / 700 % 3 == 2; /* now and then seconds of silence: all frames the same */

	if (encoder == 0 && s->loop)
		n %= s->loop;
	return silence && !s->loop ? 7 + encoder : mix(n + 1) << 4 | encoder;
}

static uint64_t
first_frame(const struct sender *d)
{
	return (uint64_t)d->from_ns * RATE / NS_PER_S / FRAME;
}

static struct frame
frame_of(const struct scenario *s, const struct sender *d, uint64_t index, uint64_t *content)
{
	uint64_t n = first_frame(d) + index;
	int64_t base = origin.ns + frame_ns(first_frame(d)) + d->stamp_ns, slewed = frame_ns(n) - d->slew_from_ns;

	*content = content_of(s, d->encoder, n);
	if (d->slew_from_ns && slewed > 0)
		base += slewed / 10000;
	return (struct frame){ .data = (const uint8_t *)content,
		.len = sizeof(*content),
		.samples = FRAME,
		.wall = { base + samples_to_ns(index * FRAME, RATE) },
		.index = index,
		.position = index * FRAME };
}

/* A frame is at hand when it has been spoken; a path adds a delay, in another order with each play. */
static unsigned
send_all(const struct scenario *s, uint64_t order, int64_t most_ns)
{
	unsigned count = 0;

	for (unsigned i = 0; i < s->count; i++) {
		const struct sender *d = &s->senders[i];
		for (uint64_t index = 0;; index++) {
			uint64_t content;
			struct frame f = frame_of(s, d, index, &content);
			int64_t spoken = frame_ns(first_frame(d) + index + 1);
			if (spoken > d->until_ns)
				break;
			for (unsigned path = 0; path < PATHS; path++) {
				if (draw(s->number, i << 8 | path, index, 1, 1000) < d->loss)
					continue;
				int64_t delay =
				    most_ns ? (int64_t)draw(order, i << 8 | path, index, 2, (uint64_t)most_ns) : 0;
				packets[count++] = (struct packet){ f.wall.ns + delay, i, path, index };
			}
		}
	}
	return count;
}

static int
by_arrival(const void *a, const void *b)
{
	const struct packet *x = a, *y = b;

	if (x->arrival_ns != y->arrival_ns)
		return x->arrival_ns < y->arrival_ns ? -1 : 1;
	if (x->sender != y->sender)
		return x->sender < y->sender ? -1 : 1;
	return x->index != y->index ? (x->index < y->index ? -1 : 1) : (int)x->path - (int)y->path;
}

/* ---- what comes out */

static void
take(struct play *p, struct merge *m, struct wall now)
{
	struct slot slot;
	enum merge_result r;

	while ((r = merge_next(m, now, &slot)) != MERGE_WAIT && p->count < SLOTS_MAX) {
		struct out *o = &p->slots[p->count++];
		*o = (struct out){ .msn = slot.msn, .content = r == MERGE_GAP, .wall_ns = slot.frame.wall.ns };
		if (r == MERGE_FRAME && !slot.frame.fill)
			memcpy(&o->content, slot.frame.data, sizeof(o->content));
		frame_release(&slot.frame);
	}
}

static void
push(struct merge *m, const struct scenario *s, const struct packet *k)
{
	const struct sender *d = &s->senders[k->sender];
	struct frame_run run = { .format = format };
	struct frame f = frame_of(s, d, k->index, &contents[k->sender][k->index]);

	memset(run.id, d->id, RUN_ID_SIZE);
	f.path = (uint8_t)k->path;
	merge_push(m, d->input, &run, f);
}

static struct play *
play(const struct scenario *s, uint64_t order, int64_t most_ns)
{
	struct play *p = calloc(1, sizeof(*p));
	struct frame_pool pool;
	struct merge m;
	struct merge_config config = { .T = SEGMENT,
		.patience_ns = PATIENCE,
		.settle_ns = 10 * NS_PER_S,
		.fill_silence = true,
		.fill_limit_ns = 600 * NS_PER_S,
		.pool = &pool,
		.may_change = may_change };
	unsigned count = send_all(s, order, most_ns), at = 0;
	struct wall now = origin;

	qsort(packets, count, sizeof(*packets), by_arrival);
	frame_pool_init(&pool, 8 << 20);
	merge_init(&m, &config);
	merge_input(&m, "main", 1, false);
	merge_input(&m, "backup", 2, false);
	for (uint64_t tick = 0; now.ns < origin.ns + s->end_ns + 10 * NS_PER_S; tick++) {
		now.ns += (int64_t)(1 + draw(order, tick, 3, 0, 150)) * NS_PER_MS;
		for (; at < count && packets[at].arrival_ns <= now.ns; at++) {
			push(&m, s, &packets[at]);
			if (draw(order, tick, at, 4, 4) == 0) /* also in the middle of what a tick brings */
				take(p, &m, (struct wall){ packets[at].arrival_ns });
		}
		take(p, &m, now);
	}
	for (unsigned i = 0; i < p->count; i++)
		p->fill += p->slots[i].content == 0 && p->slots[i].wall_ns < origin.ns + s->end_ns - NS_PER_S;
	p->switches = m.counters.run_changes;
	p->twins = m.twins.counters.joined;
	merge_fini(&m);
	frame_pool_fini(&pool);
	return p;
}

/* ---- judging */

static void
same(const struct scenario *s, const struct play *a, const struct play *b, const char *what)
{
	unsigned n = a->count < b->count ? a->count : b->count;

	for (unsigned i = 0; i < n; i++) {
		const struct out *x = &a->slots[i], *y = &b->slots[i];
		if (x->msn == y->msn && x->content == y->content && x->wall_ns == y->wall_ns)
			continue;
		FAULT("scenario %" PRIu64 ", %s: slot %u at %.3f s: %" PRIu64 "/%" PRId64 " and %" PRIu64 "/%" PRId64,
		    s->number, what, i, (double)(x->wall_ns - origin.ns) / 1e9, x->content, x->wall_ns, y->content,
		    y->wall_ns);
		return;
	}
	/* the last fill goes on for as long as it is asked for */
	for (unsigned i = n; i < a->count || i < b->count; i++) {
		if ((i < a->count && a->slots[i].content > 1) || (i < b->count && b->slots[i].content > 1)) {
			FAULT("scenario %" PRIu64 ", %s: %u and %u slots", s->number, what, a->count, b->count);
			return;
		}
	}
}

static void
judge(const struct scenario *s, const struct play *p)
{
	int64_t frame = frame_ns(1);

	for (unsigned i = 1; i < p->count; i++) {
		const struct out *a = &p->slots[i - 1], *b = &p->slots[i];
		int64_t seam = b->wall_ns - a->wall_ns - frame;
		if (b->msn < a->msn || b->msn > a->msn + 1)
			FAULT("scenario %" PRIu64 ": segment %" PRIu64 " after %" PRIu64, s->number, b->msn, a->msn);
		if (a->content != 1 && b->content != 1 && (seam > frame || seam < -frame))
			FAULT("scenario %" PRIu64 ": a seam of %.1f ms at %.3f s", s->number, (double)seam / 1e6,
			    (double)(a->wall_ns - origin.ns) / 1e9);
	}
}

/* ---- scenarios */

static struct sender *
add(struct scenario *s, unsigned encoder, unsigned input, int64_t from_ms, int64_t until_ms)
{
	struct sender *d = &s->senders[s->count];
	uint64_t n = s->number, i = s->count;

	*d = (struct sender){ .encoder = encoder,
		.input = input,
		.id = (uint8_t)(1 + draw(n, i, 5, 0, 30) * 8 + i),
		.from_ns = from_ms * NS_PER_MS,
		.until_ns = until_ms * NS_PER_MS,
		.stamp_ns =
		    (int64_t)draw(n, i, 6, 0, 400) * NS_PER_MS - 200 * NS_PER_MS + (int64_t)draw(n, i, 7, 0, 1000000),
		.loss = (unsigned)draw(n, i, 8, 0, 3) * 30 };
	if (draw(n, 9, 0, 0, 3) == 0)
		d->slew_from_ns = d->from_ns + (int64_t)(10 + draw(n, i, 10, 0, 60)) * NS_PER_S; /* as stamp.c does */
	s->count++;
	return d;
}

/* Main: one encoder, two publishers; it dies and comes back, and so does a publisher. Backup: another encoder. */
static struct scenario
scenario_make(uint64_t number)
{
	struct scenario s = { .number = number, .end_ns = 150 * NS_PER_S };
	int64_t dies = 40000 + (int64_t)draw(number, 11, 0, 0, 20000),
		back = dies + 2000 + (int64_t)draw(number, 12, 0, 0, 20000);
	int64_t end = s.end_ns / NS_PER_MS;

	s.loop = draw(number, 13, 0, 0, 4) == 0 ? 100 + (unsigned)draw(number, 14, 0, 0, 300) : 0;
	add(&s, 0, 0, (int64_t)draw(number, 15, 0, 0, 4000), dies);
	add(&s, 0, 0, (int64_t)draw(number, 16, 0, 0, 9000), draw(number, 17, 0, 0, 2) ? dies : dies - 9000);
	add(&s, 0, 0, back, end);
	add(&s, 0, 0, back + (int64_t)draw(number, 18, 0, 0, 9000), end);
	add(&s, 1, 1, (int64_t)draw(number, 19, 0, 0, 9000), end - (int64_t)draw(number, 20, 0, 0, 2) * 60000);
	return s;
}

static void
orders(uint64_t seed, uint64_t scenarios)
{
	uint64_t twins = 0, switches = 0, fill = 0;

	for (uint64_t n = 0; n < scenarios; n++) {
		struct scenario s = scenario_make(seed + n);
		struct play *first = play(&s, 0, 0);
		judge(&s, first);
		twins += first->twins;
		switches += first->switches;
		fill += first->fill;
		for (uint64_t order = 1; order <= 3; order++) {
			struct play *other = play(&s, seed + order, DELAY_MOST);
			same(&s, first, other, "in another order");
			free(other);
		}
		free(first);
	}
	printf("# %" PRIu64 " scenarios from %" PRIu64 ": %" PRIu64 " twins found, %" PRIu64 " changes on air, %" PRIu64
	       " frames of fill\n",
	    scenarios, seed, twins, switches, fill);
	if (twins < scenarios / 2 || switches < scenarios)
		FAULT("the scenarios are too tame");
}

/* Two publishers of one encoder, steady stamps: the play in which both live, and those in which one dies. */
static void
deaths(uint64_t seed, uint64_t scenarios)
{
	for (uint64_t n = 0; n < scenarios; n++) {
		struct scenario s = { .number = seed + n, .end_ns = 100 * NS_PER_S };
		int64_t end = s.end_ns / NS_PER_MS, dies = 30000 + (int64_t)draw(s.number, 21, 0, 0, 50000);
		add(&s, 0, 0, 0, end);
		add(&s, 0, (unsigned)draw(s.number, 22, 0, 0, 2), 700, end);
		for (unsigned i = 0; i < s.count; i++) {
			s.senders[i].loss = 0;
			s.senders[i].slew_from_ns = 0;
		}
		struct play *both = play(&s, 0, 0);
		judge(&s, both);
		if (both->fill || both->twins != 1)
			FAULT("scenario %" PRIu64 ": %" PRIu64 " frames of fill, %" PRIu64 " twins", s.number,
			    both->fill, both->twins);
		for (unsigned i = 0; i < s.count; i++) {
			struct scenario one = s;
			one.senders[i].until_ns = dies * NS_PER_MS;
			struct play *left = play(&one, seed + i, DELAY_MOST);
			same(&s, both, left, i ? "the second dies" : "the first dies");
			free(left);
		}
		free(both);
	}
}

/* The stamps of the first are slewed for long before it dies: the time line goes on without a step. */
static void
handovers(uint64_t seed, uint64_t scenarios)
{
	for (uint64_t n = 0; n < scenarios; n++) {
		struct scenario s = { .number = seed + n, .end_ns = 100 * NS_PER_S };
		int64_t dies = 60000 + (int64_t)draw(s.number, 23, 0, 0, 20000);
		unsigned slewed = (unsigned)draw(s.number, 24, 0, 0, 2);
		add(&s, 0, 0, 0, slewed ? 100000 : dies);
		add(&s, 0, 0, 700, slewed ? dies : 100000);
		for (unsigned i = 0; i < s.count; i++)
			s.senders[i].loss = 0;
		s.senders[slewed].slew_from_ns = 12 * NS_PER_S;
		s.senders[!slewed].slew_from_ns = 0;
		struct play *p = play(&s, seed, DELAY_MOST);
		judge(&s, p);
		if (p->fill || p->twins != 1 || p->switches != 1)
			FAULT("scenario %" PRIu64 ": %" PRIu64 " frames of fill, %" PRIu64 " twins, %" PRIu64
			      " changes",
			    s.number, p->fill, p->twins, p->switches);
		for (unsigned i = 1; i < p->count; i++) {
			int64_t step = p->slots[i].wall_ns - p->slots[i - 1].wall_ns - frame_ns(1);
			if (step > 10000 || step < -10000)
				FAULT("scenario %" PRIu64 ": the time line steps by %" PRId64 " ns at slot %u",
				    s.number, step, i);
		}
		free(p);
	}
}

static int
report(unsigned n, bool good, const char *name)
{
	printf("%s %u - %s\n", good ? "ok" : "not ok", n, name);
	return !good;
}

int
main(int argc, char **argv)
{
	bool is_long = argc > 1 && strcmp(argv[1], "--long") == 0;
	uint64_t scenarios = is_long ? 2000 : 60,
		 seed = argc > 1 + is_long ? strtoull(argv[1 + is_long], NULL, 0) : 20261121;
	int failed = 0;

	printf("# seed %" PRIu64 "\n", seed);
	orders(seed, scenarios);
	failed += report(1, faults == 0, "the same frames give the same slots in whatever order they come");
	faults = 0;
	deaths(seed, scenarios);
	failed += report(2, faults == 0, "the death of a twin changes nothing");
	faults = 0;
	handovers(seed, scenarios);
	failed += report(3, faults == 0, "a twin takes the time line over without a step");
	printf("1..3\n");
	return failed ? 1 : 0;
}
