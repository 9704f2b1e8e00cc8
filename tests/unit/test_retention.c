/* What goes when, and in which order. */
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define FIRST FIXTURE_FIRST
#define HOUR_NS (3600 * NS_PER_S)
#define FOLDERS_LATER (72 * NS_PER_S) /* than twice max_span: two segments, and a minute in caches */

/* `n` finished hours, one segment each, and two segments in the one after them. */
static void
hours(struct fixture *f, int n)
{
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (int i = 0; i <= n; i++)
		assert_int_equal(fixture_put(f, FIRST + (uint64_t)i * 600 + 30), 0);
	assert_int_equal(fixture_put(f, FIRST + (uint64_t)n * 600 + 31), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
}

/* `ns` after the end of the hour with number i. */
static struct wall
after(int i, int64_t ns)
{
	return (struct wall){ ((int64_t)FIXTURE_HOUR + i + 1) * HOUR_NS + ns };
}

static bool
listed(const struct fixture *f, int i)
{
	char name[LAYOUT_NAME_SIZE], file[LAYOUT_NAME_SIZE + 8];
	snprintf(file, sizeof file, "%s.m3u8", layout_hour_name(FIXTURE_HOUR + (uint64_t)i, name));
	return fixture_exists(f, file);
}

static bool
has_folder(const struct fixture *f, int i)
{
	char name[LAYOUT_NAME_SIZE];
	return fixture_exists(f, layout_hour_name(FIXTURE_HOUR + (uint64_t)i, name));
}

static void
listing_goes_before_folder(void **state)
{
	struct fixture *f = *state;
	f->config.retention_ns = 4 * HOUR_NS;
	f->config.max_span_ns = 2 * HOUR_NS;
	hours(f, 12);
	struct list_variant v;
	assert_int_equal(store_rendition_retain(f->r, after(0, 6 * HOUR_NS - 1)), 0);
	assert_true(listed(f, 0));
	assert_int_equal(store_rendition_retain(f->r, after(0, 6 * HOUR_NS)), 0);
	assert_false(listed(f, 0));
	assert_true(has_folder(f, 0));
	assert_true(listed(f, 1));
	assert_int_equal(store_rendition_retain(f->r, after(0, 8 * HOUR_NS + FOLDERS_LATER - 1)), 0);
	assert_true(has_folder(f, 0));
	assert_int_equal(store_rendition_retain(f->r, after(0, 8 * HOUR_NS + FOLDERS_LATER)), 1);
	assert_false(has_folder(f, 0));
	assert_true(has_folder(f, 1) && !listed(f, 1));
	assert_true(listed(f, 3) && !listed(f, 2));
	assert_int_equal(store_rendition_counters(f->r)->hours_removed, 1);
	assert_int_equal(store_rendition_counters(f->r)->hours_removed_for_space, 0);
	assert_true(store_rendition_variant(f->r, &v));
	/* a restart does not bring back what is gone */
	assert_int_equal(fixture_open(f, FIRST + 12 * 600 + 32), 0);
	assert_false(listed(f, 0) || listed(f, 1));
	assert_int_equal(f->resume.next_msn, FIRST + 12 * 600 + 32);
}

static void
rates_follow_what_is_retained(void **state)
{
	struct fixture *f = *state;
	f->config.retention_ns = f->config.max_span_ns = HOUR_NS;
	assert_int_equal(fixture_open(f, FIRST), 0);
	struct fixture_segment loud = fixture_make(FIRST, 400, false);
	assert_int_equal(store_rendition_put(f->r, &loud.s), 0);
	free(loud.data);
	for (uint64_t k = FIRST + 600; k < FIRST + 1800; k += 100)
		assert_int_equal(fixture_put(f, k), 0);
	struct list_variant before, now, again;
	assert_true(store_rendition_variant(f->r, &before));
	store_rendition_retain(f->r, after(0, 2 * HOUR_NS));
	assert_true(store_rendition_variant(f->r, &now));
	assert_true(now.peak < before.peak / 4 && now.mean < before.mean);
	assert_int_equal(fixture_open(f, FIRST + 1801), 0);
	assert_true(store_rendition_variant(f->r, &again));
	assert_int_equal(again.peak, now.peak);
	assert_int_equal(again.mean, now.mean);
}

/* However old: the hour that is being written, and those that the live list names. */
static void
current_hour_stays(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST + 595; k < FIRST + 603; k++)
		assert_int_equal(fixture_put(f, k), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	assert_int_equal(store_rendition_retain(f->r, after(0, 9000 * HOUR_NS)), 0);
	assert_true(listed(f, 0) && has_folder(f, 0));
	assert_true(fixture_exists(f, "20261121T10.m3u8.part") && has_folder(f, 1));
	f->config.min_free = INT64_MAX;
	assert_int_equal(fixture_open(f, FIRST + 603), 0);
	assert_int_equal(store_rendition_retain(f->r, after(0, 9000 * HOUR_NS)), 0);
	assert_true(listed(f, 0) && has_folder(f, 0));
}

static void
only_our_names_are_removed(void **state)
{
	struct fixture *f = *state;
	char path[256];
	f->config.retention_ns = f->config.max_span_ns = HOUR_NS;
	hours(f, 8);
	fixture_write(f, "20261121T09/notes.txt", "x", 1);
	fixture_write(f, "20261121T09.m3u8.bak", "x", 1);
	assert_int_equal(mkdir(fixture_path(f, "20261121", path), 0755), 0);
	fixture_write(f, ".journal-1", "x", 1);
	assert_int_equal(symlink("/", fixture_path(f, "20261120T09", path)), 0);
	assert_int_equal(store_rendition_retain(f->r, after(8, FOLDERS_LATER)), 5); /* hours 1 to 5, and not the link */
	assert_true(fixture_exists(f, "20261121T09/notes.txt"));
	assert_false(fixture_exists(f, "20261121T09/20261121T090300Z.ts"));
	assert_true(fixture_exists(f, "20261121T09.m3u8.bak"));
	assert_true(fixture_exists(f, "20261121"));
	assert_true(fixture_exists(f, ".journal-1"));
	assert_true(fixture_exists(f, "20261120T09"));
	assert_true(store_rendition_counters(f->r)->errors > 0);
}

static int64_t
free_bytes(void *ctx)
{
	return *(int64_t *)ctx;
}

static void
scarce_space_takes_the_oldest(void **state)
{
	struct fixture *f = *state;
	int64_t left = 1000;
	f->config.min_free = 1000;
	f->config.free_bytes = free_bytes;
	f->config.free_ctx = &left;
	hours(f, 5);
	assert_int_equal(store_rendition_retain(f->r, after(5, 0)), 0);
	left = 999;
	assert_int_equal(store_rendition_retain(f->r, after(5, 0)), 1);
	assert_false(listed(f, 0) || has_folder(f, 0));
	assert_true(listed(f, 1) && has_folder(f, 1));
	assert_int_equal(store_rendition_retain(f->r, after(5, 0)), 1);
	assert_false(listed(f, 1) || has_folder(f, 1));
	left = 1000;
	assert_int_equal(store_rendition_retain(f->r, after(5, 0)), 0);
	left = -EIO; /* not known: nothing goes */
	assert_int_equal(store_rendition_retain(f->r, after(5, 0)), 0);
	assert_true(listed(f, 2));
	left = 0;
	for (int i = 0; i < 10; i++)
		assert_true(store_rendition_retain(f->r, after(5, 0)) >= 0);
	assert_true(fixture_exists(f, "20261121T14.m3u8.part") && has_folder(f, 5));
	assert_int_equal(store_rendition_counters(f->r)->hours_removed_for_space, 5);
}

/* RFC 8216 6.2.2: a segment stays for its own duration and that of the longest list that named it, after the last such
 * list has gone. An hour file is one; so is the list over max_span that begins with the segment, which readers are
 * given until it is retention + max_span old, and which a cache may keep for a minute more. */
static void
segments_outlive_lists(void **state)
{
	enum { COUNT = 6 };
	struct fixture *f = *state;
	const int64_t span = HOUR_NS + 3 * NS_PER_S, segment = FIXTURE_T * NS_PER_S;
	int64_t listed_until[COUNT] = { 0 }, gone[COUNT] = { 0 };
	f->config.retention_ns = HOUR_NS;
	f->config.max_span_ns = span;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t i = 0; i < 8; i++)
		for (uint64_t k = 590; k < 600; k++) /* up to the last of the hour, whose lists go last */
			assert_int_equal(fixture_put(f, FIRST + i * 600 + k), 0);
	for (struct wall now = after(0, 0); gone[COUNT - 1] == 0; now.ns += 2 * NS_PER_S) {
		assert_true(store_rendition_retain(f->r, now) >= 0);
		for (int i = 0; i < COUNT; i++) {
			if (listed(f, i))
				listed_until[i] = now.ns;
			if (gone[i] == 0 && !has_folder(f, i))
				gone[i] = now.ns;
		}
	}
	for (int i = 0; i < COUNT; i++) {
		struct wall last = layout_grid(FIRST + (uint64_t)i * 600 + 599, FIXTURE_T);
		int64_t list = (span + segment - 1) / segment * segment;
		assert_true(gone[i] >= listed_until[i] + HOUR_NS + segment);
		assert_true(gone[i] >= last.ns + HOUR_NS + span + 60 * NS_PER_S + list + segment);
		/* and the hour file is there while such a list is made */
		assert_true(listed_until[i] >= last.ns + HOUR_NS + span);
	}
}

/* A reader that sees a listing finds its segments, at any instant of the removal. */
struct reader {
	const struct fixture *f;
	atomic_bool stop;
	unsigned looked, missing;
};

static void *
read_on(void *arg)
{
	struct reader *r = arg;
	while (!atomic_load(&r->stop)) {
		for (int i = 0; i < 40; i++) {
			char name[LAYOUT_NAME_SIZE], path[2 * LAYOUT_NAME_SIZE];
			/* the folder is opened first: a listing that is there after that proves that it was there then
			 */
			layout_segment_path(FIRST + (uint64_t)i * 600 + 30, 6, LAYOUT_TS, name);
			bool segment = fixture_exists(r->f, name);
			snprintf(path, sizeof path, "%.11s.m3u8", name);
			bool listing = fixture_exists(r->f, path);
			r->missing += listing && !segment;
			r->looked += listing;
		}
	}
	return NULL;
}

static void
readers_lose_no_listed_segment(void **state)
{
	struct fixture *f = *state;
	f->config.retention_ns = HOUR_NS;
	f->config.max_span_ns = 0;
	hours(f, 40);
	struct reader r = { .f = f };
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (int i = 0; i < 40; i++)
		assert_true(store_rendition_retain(f->r, after(i, HOUR_NS)) >= 0);
	atomic_store(&r.stop, true);
	pthread_join(thread, NULL);
	assert_false(listed(f, 0));
	assert_int_equal(r.missing, 0);
}

int
main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		STORE_TEST(listing_goes_before_folder),
		STORE_TEST(rates_follow_what_is_retained),
		STORE_TEST(current_hour_stays),
		STORE_TEST(only_our_names_are_removed),
		STORE_TEST(scarce_space_takes_the_oldest),
		STORE_TEST(segments_outlive_lists),
		STORE_TEST(readers_lose_no_listed_segment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
