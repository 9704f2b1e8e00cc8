/* The ring against a naive model: random packets, copies, ages, floods and readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/ring.h"

#define SOURCES 6
#define SENDERS 2
#define READERS 4
#define ADDED_MOST 40000
#define BUFFER 8192
#define WHOLE (4 << 20)

static uint64_t random_state;
static unsigned overruns;

static uint32_t
below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16) % n;
}

/* ---- the model: every packet that ever came in, in order */

struct entry {
	unsigned source, account; /* account 0: the fresh ones' */
	uint64_t index;
	int64_t wall, arrival;
	uint16_t len;
	bool present;
};

struct model_reader {
	struct ring_reader reader;
	bool open, overrun, live;
	unsigned next; /* entry; count: waits */
	int wanted;    /* source; -1: all */
	uint64_t mid;
	uint8_t intros[SOURCES][RING_PACKET_MOST + 2];
	unsigned intro_count, intro_seen;
};

struct world {
	struct sources sources;
	struct ring ring;
	struct mono now;
	struct entry *entry;
	unsigned count;
	struct sender *sender[SENDERS];
	uint64_t next_index[SOURCES];
	int64_t last_wall[SOURCES];
	int intro[SOURCES]; /* entry, -1: none */
	unsigned adding;    /* entry, UINT32_MAX: none */
	struct model_reader reader[READERS];
	uint8_t *whole;
};

static uint32_t
ssrc_of(unsigned source)
{
	return 0x1000 + source;
}

/* The bytes of an entry are made of its number. */
static void
fill(const struct world *w, unsigned number, uint8_t *out)
{
	for (unsigned i = 0; i < w->entry[number].len; i++)
		out[i] = (uint8_t)(number >> 8 * (i % 4));
	out[4] = (uint8_t)w->entry[number].source;
}

static bool
model_has(const struct world *w, unsigned source, uint64_t index)
{
	for (unsigned i = 0; i < w->count; i++)
		if (w->entry[i].present && w->entry[i].source == source && w->entry[i].index == index)
			return true;
	return false;
}

static unsigned
model_present(const struct world *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->count; i++)
		n += w->entry[i].present;
	return n;
}

static unsigned
packets_of(const struct world *w, unsigned source)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->count; i++)
		n += w->entry[i].present && w->entry[i].source == source;
	return n;
}

static void
model_remove(struct world *w, unsigned number)
{
	unsigned s = w->entry[number].source;

	w->entry[number].present = false;
	/* with its last packet a source loses its intro; what is being added comes after that */
	if (packets_of(w, s) - (w->adding != UINT32_MAX && w->entry[w->adding].source == s) == 0 &&
	    w->intro[s] != (int)w->adding)
		w->intro[s] = -1;
	for (unsigned i = 0; i < READERS; i++) {
		struct model_reader *m = &w->reader[i];
		if (!m->open || m->next != number)
			continue;
		m->overrun = true;
		overruns++;
	}
}

/* The next frame of `bytes` must be this entry. */
static const uint8_t *
expect_entry(const struct world *w, const uint8_t *bytes, const uint8_t *end, unsigned number)
{
	uint8_t want[RING_PACKET_MOST];
	size_t len = w->entry[number].len;

	assert_true(bytes + 2 + len <= end);
	assert_int_equal(bytes[0] << 8 | bytes[1], len);
	fill(w, number, want);
	assert_memory_equal(bytes + 2, want, len);
	return bytes + 2 + len;
}

/* ---- what the ring has, read from its beginning */

/* Numbers of the entries in the ring, in its order. */
static unsigned
ring_content(struct world *w, unsigned *numbers)
{
	struct ring_filter all = { .count = 0 };
	struct ring_reader reader;
	unsigned intros = 0, n = 0;

	assert_int_equal(ring_reader_begin(&w->ring, &reader, INT64_MIN, &all), 0);
	for (unsigned s = 0; s < SOURCES; s++)
		intros += sources_find(&w->sources, ssrc_of(s))->intro != NULL;
	for (size_t len; (len = ring_read(&w->ring, &reader, w->whole, WHOLE)) > 0;) {
		for (const uint8_t *p = w->whole; p < w->whole + len; p += 2 + (p[0] << 8 | p[1])) {
			if (intros > 0) {
				intros--;
				continue;
			}
			numbers[n++] =
			    (unsigned)p[2] | (unsigned)p[3] << 8 | (unsigned)p[4] << 16 | (unsigned)p[5] << 24;
		}
	}
	assert_true(reader.live);
	ring_reader_end(&w->ring, &reader);
	return n;
}

/* Take over from the ring which entries were let go for lack of memory, and check that it was fair: the oldest of an
 * account, and of the account that was largest. */
static void
learn_evictions(struct world *w, unsigned *numbers, uint64_t evicted)
{
	unsigned n = ring_content(w, numbers), at = 0, gone = 0;
	bool kept[SENDERS + 1] = { false };

	for (unsigned i = 0; i < w->count; i++) {
		if (!w->entry[i].present)
			continue;
		if (at < n && numbers[at] == i) {
			kept[w->entry[i].account] = true;
			at++;
			continue;
		}
		assert_false(kept[w->entry[i].account]);
		model_remove(w, i);
		gone++;
	}
	assert_int_equal(at, n);
	assert_int_equal(gone, evicted);
}

/* ---- steps */

static void
step_add(struct world *w, unsigned *numbers, int64_t wall_base)
{
	unsigned s = below(4) ? below(SOURCES - 1) : SOURCES - 1, number = w->count;
	struct sender *sender = w->sender[s % SENDERS];
	struct source *source = sources_enter(&w->sources, sender, ssrc_of(s), w->now);
	uint64_t index = w->next_index[s], evicted = w->ring.counters.evicted;
	uint8_t bytes[RING_PACKET_MOST];

	assert_non_null(source);
	source->mid = 100 + s;
	switch (below(8)) {
	case 0: /* a copy, or one that comes late */
		index -= 1 + below(20);
		break;
	case 1: /* some were lost */
		index += below(5);
		break;
	}
	if (index >= w->next_index[s] && index - w->next_index[s] < 100)
		w->next_index[s] = index + 1;
	struct entry *e = &w->entry[number];
	*e = (struct entry){ .source = s,
		.account = source->established ? 1 + s % SENDERS : 0,
		.index = index,
		.wall = wall_base + w->now.ns - (int64_t)below(3) * NS_PER_S,
		.arrival = w->now.ns,
		.len = (uint16_t)(20 + below(below(10) ? 200 : 2000)),
		.present = true };
	fill(w, number, bytes);
	struct ring_arrival a = {
		.bytes = bytes, .len = e->len, .index = index, .wall = e->wall, .intro = below(10) == 0
	};
	bool copy = model_has(w, s, index);
	enum ring_result result = ring_add(&w->ring, sender, source, &a, w->now);
	assert_int_equal(result, copy ? RING_COPY : RING_TAKEN);
	if (copy)
		return;
	w->count++;
	if (a.intro)
		w->intro[s] = (int)number;
	if (e->wall > w->last_wall[s])
		w->last_wall[s] = e->wall;
	for (unsigned i = 0; i < READERS; i++)
		if (w->reader[i].open && !w->reader[i].overrun && w->reader[i].live && w->reader[i].next == UINT32_MAX)
			w->reader[i].next = number;
	w->adding = number;
	learn_evictions(w, numbers, w->ring.counters.evicted - evicted);
	w->adding = UINT32_MAX;
	sources_heard(&w->sources, source, w->now);
	assert_true(w->ring.counters.bytes <= w->ring.memory || w->ring.counters.packets == 1);
}

static void
step_age(struct world *w)
{
	w->now.ns += (int64_t)below(1000) * NS_PER_MS;
	ring_expire(&w->ring, w->now);
	for (unsigned i = 0; i < w->count; i++)
		if (w->entry[i].present && w->now.ns - w->entry[i].arrival > w->ring.history_ns)
			model_remove(w, i);
	assert_int_equal(w->ring.counters.packets, model_present(w));
}

static void
step_open(struct world *w, struct model_reader *m, int64_t wall_base)
{
	bool live = below(4) == 0;
	int64_t since = live ? RING_LIVE : wall_base + w->now.ns - (int64_t)below(15) * NS_PER_S;

	*m = (struct model_reader){ .open = true, .wanted = below(2) ? (int)below(SOURCES) : -1, .next = UINT32_MAX };
	m->mid = 100 + (uint64_t)m->wanted;
	struct ring_filter filter = { .mids = &m->mid, .count = m->wanted >= 0 };
	assert_int_equal(ring_reader_begin(&w->ring, &m->reader, since, &filter), 0);
	for (unsigned i = 0; !live && i < w->count && m->next == UINT32_MAX; i++)
		if (w->entry[i].present && w->entry[i].wall >= since)
			m->next = i;
	m->live = m->next == UINT32_MAX;
	for (unsigned s = 0; s < SOURCES; s++) {
		if (w->intro[s] < 0 || packets_of(w, s) == 0 || live || w->last_wall[s] < since)
			continue;
		if (m->wanted >= 0 && m->wanted != (int)s)
			continue;
		fill(w, (unsigned)w->intro[s], m->intros[m->intro_count++]);
	}
}

/* Intros come in any order, each once. */
static bool
is_intro(struct model_reader *m, const uint8_t *bytes, size_t len)
{
	for (unsigned i = 0; i < m->intro_count; i++) {
		if (memcmp(m->intros[i], bytes, len) == 0) {
			memset(m->intros[i], 0xFF, 8);
			m->intro_seen++;
			return true;
		}
	}
	return false;
}

static void
step_read(struct world *w, struct model_reader *m)
{
	static uint8_t out[BUFFER];
	size_t size = RING_PACKET_MOST + 2 + below(BUFFER - RING_PACKET_MOST - 2);
	size_t len = ring_read(&w->ring, &m->reader, out, size);
	const uint8_t *p = out, *end = out + len;

	assert_true(len <= size);
	while (m->intro_seen < m->intro_count && p < end) {
		assert_true(is_intro(m, p + 2, (size_t)(p[0] << 8 | p[1])));
		p += 2 + (p[0] << 8 | p[1]);
	}
	if (m->intro_seen < m->intro_count)
		return;
	assert_int_equal(m->reader.overrun, m->overrun);
	if (m->overrun) {
		assert_ptr_equal(p, end);
		return;
	}
	unsigned i = m->next;
	for (; i < w->count; i++) {
		if (!w->entry[i].present)
			continue;
		if ((size_t)(p - out) + 2 + w->entry[i].len > size)
			break;
		/* nameless sources do not occur here */
		if (m->wanted < 0 || m->wanted == (int)w->entry[i].source)
			p = expect_entry(w, p, end, i);
	}
	assert_ptr_equal(p, end);
	m->next = i < w->count ? i : UINT32_MAX;
	m->live |= m->next == UINT32_MAX;
	assert_int_equal(m->reader.live, m->live);
	assert_int_equal(ring_reader_behind(&w->ring, &m->reader) == 0, m->next == UINT32_MAX);
}

static void
step_reader(struct world *w, int64_t wall_base)
{
	struct model_reader *m = &w->reader[below(READERS)];

	if (!m->open) {
		step_open(w, m, wall_base);
	} else if (below(30) == 0) {
		ring_reader_end(&w->ring, &m->reader);
		m->open = false;
	} else {
		step_read(w, m);
	}
}

static void
begin(struct world *w, size_t memory)
{
	const struct sources_limits limits = { .senders = 4, .sources = 16, .sources_per_sender = 16, .rate = 1000 };

	memset(w, 0, sizeof *w);
	assert_int_equal(sources_init(&w->sources, &limits, random_state), 0);
	assert_int_equal(ring_init(&w->ring, &w->sources, 10 * NS_PER_S, memory, random_state), 0);
	w->now.ns = NS_PER_S;
	w->adding = UINT32_MAX;
	w->entry = calloc(ADDED_MOST, sizeof *w->entry);
	w->whole = malloc(WHOLE);
	assert_true(w->entry && w->whole);
	for (unsigned i = 0; i < SENDERS; i++) {
		struct sender_key key = { .number = i };
		w->sender[i] = sources_sender(&w->sources, &key, w->now);
		assert_non_null(w->sender[i]);
	}
	for (unsigned s = 0; s < SOURCES; s++) {
		assert_non_null(sources_enter(&w->sources, w->sender[s % SENDERS], ssrc_of(s), w->now));
		w->next_index[s] = s == 0 ? UINT64_MAX - 50 : s == 1 ? 65500 : below(1000) + 100;
		w->intro[s] = -1;
		w->last_wall[s] = INT64_MIN;
	}
}

static void
end(struct world *w)
{
	for (unsigned i = 0; i < READERS; i++)
		if (w->reader[i].open)
			ring_reader_end(&w->ring, &w->reader[i].reader);
	ring_fini(&w->ring);
	assert_int_equal(w->ring.counters.packets, 0);
	assert_int_equal(w->ring.counters.bytes, (w->ring.bucket_mask + 1) * sizeof(void *));
	sources_fini(&w->sources);
	free(w->entry);
	free(w->whole);
}

static void
is_as_the_model(void **state)
{
	static struct world w;
	unsigned *numbers = malloc(ADDED_MOST * sizeof *numbers);
	uint64_t aged = 0, evicted = 0;

	(void)state;
	overruns = 0;
	assert_non_null(numbers);
	for (uint64_t seed = 1; seed <= 12; seed++) {
		random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
		print_message("# seed %llu\n", (unsigned long long)seed);
		/* some with memory for everything, some with little */
		begin(&w, seed % 3 ? 40000 : 4 << 20);
		for (unsigned step = 0; step < 6000; step++) {
			unsigned what = below(10);
			if (what < 6)
				step_add(&w, numbers, 1000 * NS_PER_S);
			else if (what == 6)
				step_age(&w);
			else
				step_reader(&w, 1000 * NS_PER_S);
		}
		aged += w.ring.counters.aged;
		evicted += w.ring.counters.evicted;
		end(&w);
	}
	assert_true(aged > 1000 && evicted > 1000 && overruns > 50);
	free(numbers);
}

static enum ring_result
add(struct world *w, unsigned sender, unsigned source, uint64_t index)
{
	static const uint8_t bytes[200];
	struct source *s = sources_enter(&w->sources, w->sender[sender], ssrc_of(source), w->now);
	struct ring_arrival a = { .bytes = bytes, .len = sizeof bytes, .index = index, .wall = w->now.ns };
	enum ring_result result = ring_add(&w->ring, w->sender[sender], s, &a, w->now);

	if (result == RING_TAKEN)
		sources_heard(&w->sources, s, w->now);
	return result;
}

/* Whoever floods pushes out his own. */
static void
a_flood_takes_nothing_of_others(void **state)
{
	static struct world w;
	uint64_t index = 0;

	(void)state;
	random_state = 1;
	begin(&w, 100000);
	for (unsigned i = 0; i < 100; i++) {
		w.now.ns += 50 * NS_PER_MS;
		assert_int_equal(add(&w, 0, 2, i), RING_TAKEN);
	}
	assert_true(sources_find(&w.sources, ssrc_of(2))->established);
	for (unsigned i = 0; i < 50000; i++)
		add(&w, 1, 3, index++);
	assert_true(w.ring.counters.evicted > 40000);
	/* all that came of the other is there: it is known as a copy */
	for (unsigned i = 20; i < 100; i++)
		assert_int_equal(add(&w, 0, 2, i), RING_COPY);
	end(&w);
}

static void
a_source_without_a_name_passes_filters_for_a_while(void **state)
{
	static struct world w;
	uint64_t mid = 7;
	struct ring_filter filter = { .mids = &mid, .count = 1 };
	struct ring_reader reader;
	uint8_t out[BUFFER];

	(void)state;
	random_state = 1;
	begin(&w, 100000);
	assert_int_equal(ring_reader_begin(&w.ring, &reader, RING_LIVE, &filter), 0);
	assert_int_equal(ring_read(&w.ring, &reader, out, sizeof out), 0);
	add(&w, 0, 0, 0);
	assert_int_equal(ring_read(&w.ring, &reader, out, sizeof out), 202);
	w.now.ns += 3 * NS_PER_S;
	add(&w, 0, 0, 1);
	assert_int_equal(ring_read(&w.ring, &reader, out, sizeof out), 0);
	sources_find(&w.sources, ssrc_of(0))->mid = 7;
	add(&w, 0, 0, 2);
	assert_int_equal(ring_read(&w.ring, &reader, out, sizeof out), 202);
	sources_find(&w.sources, ssrc_of(0))->mid = 8;
	add(&w, 0, 0, 3);
	assert_int_equal(ring_read(&w.ring, &reader, out, sizeof out), 0);
	ring_reader_end(&w.ring, &reader);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_as_the_model),
		cmocka_unit_test(a_flood_takes_nothing_of_others),
		cmocka_unit_test(a_source_without_a_name_passes_filters_for_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
