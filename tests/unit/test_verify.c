/* What `rewind ls` and `rewind verify` say of a good store, and of one with each kind of fault. */
#include "tests/unit/store_fixture.h"

#include <errno.h>

#include "rewind/inventory.h"
#include "rewind/verify.h"

#define FIRST FIXTURE_FIRST

/* One hour and a bit, with a gap in it and one over the border. */
static int
setup(void **state)
{
	if (fixture_setup(state))
		return -1;
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST + 560; k < FIRST + 630; k++) {
		bool away = k == FIRST + 570 || (k >= FIRST + 598 && k < FIRST + 602);
		struct fixture_segment s = fixture_make(k, 40, false);
		s.s.discontinuity = k == FIRST + 571 || k == FIRST + 602;
		if (!away)
			assert_int_equal(store_rendition_put(f->r, &s.s), 0);
		free(s.data);
	}
	assert_int_equal(store_rendition_live(f->r), 0);
	struct store_station *station;
	struct list_variant v;
	assert_true(store_rendition_variant(f->r, &v));
	assert_int_equal(store_station_open(f->root, "fip", false, &station, &f->errors), 0);
	assert_int_equal(store_station_write(station, &v, 1), 0);
	store_station_close(&station);
	return 0;
}

/* Faults as text, owned by the caller. */
static char *
run(const struct fixture *f, struct verify *v)
{
	char *text = NULL;
	size_t len;
	struct verify all = { .to = { INT64_MAX } };
	struct inventory_name name = { "fip", "hifi" };
	struct wall from = v->from, to = v->to.ns ? v->to : all.to;
	*v = (struct verify){ .root = f->root, .from = from, .to = to, .out = open_memstream(&text, &len) };
	assert_non_null(v->out);
	verify_rendition(v, &name);
	verify_station(v, "fip");
	fclose(v->out);
	return text;
}

static void
expect(const struct fixture *f, const char *want)
{
	struct verify v = { 0 };
	char *text = run(f, &v);
	if (want ? v.faults == 0 || !strstr(text, want) : v.faults != 0)
		fail_msg("want %s, got: %s", want ? want : "no fault", text);
	assert_int_equal(fixture_count(text, "\n"), v.faults);
	free(text);
}

/* Replace a text in a file by another, see the fault, put it back. */
static void
damage(const struct fixture *f, const char *file, const char *from, const char *to, const char *want)
{
	size_t len;
	char *text = fixture_read(f, file, &len), *at = strstr(text, from);
	assert_non_null(at);
	struct text t;
	text_init(&t, 8 << 20);
	text_add(&t, text, (size_t)(at - text));
	text_str(&t, to);
	text_str(&t, at + strlen(from));
	fixture_write(f, file, t.data, t.len);
	expect(f, want);
	fixture_write(f, file, text, len);
	free(text);
	text_fini(&t);
}

static void
good_store_has_no_fault(void **state)
{
	struct fixture *f = *state;
	struct verify v = { 0 };
	char *text = run(f, &v);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(v.hours, 2);
	assert_int_equal(v.segments, 65);
	assert_int_equal(v.gaps, 565);
	/* what a running writer is about to do is none */
	struct fixture_segment s = fixture_make(FIRST + 630, 40, false);
	fixture_write(f, "20261121T10/20261121T100300Z.ts", s.data, s.s.len);
	fixture_write(f, "20261121T10/.tmp-segment", s.data, 100);
	free(s.data);
	expect(f, NULL);
}

static void
damaged_segments_are_named(void **state)
{
	struct fixture *f = *state;
	static const char name[] = "20261121T09/20261121T095654Z.ts"; /* number 569 */
	char path[256];
	size_t len;
	char *data = fixture_read(f, name, &len);
	data[len / 2] ^= 1;
	fixture_write(f, name, data, len);
	expect(f, "fip/hifi/20261121T09/20261121T095654Z.ts: has xxh64 ");
	fixture_write(f, name, data, len - 188);
	expect(f, "fip/hifi/20261121T09/20261121T095654Z.ts: has ");
	unlink(fixture_path(f, name, path));
	expect(f, "fip/hifi/20261121T09/20261121T095654Z.ts: is listed and cannot be read: No such file");
	/* and outside of the span that is asked for they are not looked at */
	struct verify v = { .from = layout_grid(FIRST + 572, 6), .to = layout_grid(FIRST + 580, 6) };
	char *text = run(f, &v);
	assert_string_equal(text, "");
	assert_int_equal(v.segments, 8);
	free(text);
	free(data);
}

/* Bytes with the right hash that are not what a segment must be. */
static void
segments_are_read_back(void **state)
{
	struct fixture *f = *state;
	struct fixture_segment s = fixture_make(FIRST + 630, 40, false);
	s.data[3] ^= 1; /* the continuity counter of the PAT */
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	assert_int_equal(store_rendition_live(f->r), 0);
	expect(f, "fip/hifi/20261121T10/20261121T100300Z.ts: ");
}

static void
false_entries_are_named(void **state)
{
	struct fixture *f = *state;
	static const char hour[] = "20261121T10.m3u8.part";
	damage(f, hour, "frames=281", "frames=280", "frames");
	damage(f, hour, ",sample=", ",sample=1", "PTS");
	damage(f, hour, "#EXTINF:5.994667", "#EXTINF:5.994666", "its samples last");
	damage(f, hour, "T10:00:12", "T10:00:32", "far from its grid line");
	damage(f, hour, "#EXT-X-DISCONTINUITY\n", "", "index.m3u8");
	damage(f, hour, "SEQUENCE:1\n", "SEQUENCE:2\n", "the hour before ends with 1");
	damage(f, hour, "#EXT-X-GAP\n", "", "20261121T10.m3u8.part: line ");
	damage(f, "20261121T09.m3u8", "peak=", "peak=1", "HINDCAST-RATE");
	damage(f, "20261121T09.m3u8", "#EXT-X-ENDLIST\n", "", "is not finished");
	damage(f, "20261121T09.m3u8", "header=fff14c80", "header=fff15080", "its entry says");
	expect(f, NULL);
}

static void
unlisted_files_are_named(void **state)
{
	struct fixture *f = *state;
	char from[256], to[256];
	fixture_write(f, "20261121T09/20261121T095700Z.ts", "x", 1); /* the gap at 570 */
	expect(f, "fip/hifi/20261121T09/20261121T095700Z.ts: is not listed");
	unlink(fixture_path(f, "20261121T09/20261121T095700Z.ts", from));
	fixture_write(f, "20261121T09/20261121T095601Z.ts", "x", 1); /* off the grid */
	expect(f, "20261121T09/20261121T095601Z.ts: is not listed");
	unlink(fixture_path(f, "20261121T09/20261121T095601Z.ts", from));
	rename(fixture_path(f, "20261121T10.m3u8.part", from), fixture_path(f, "away", to));
	expect(f, "fip/hifi/20261121T10: has no hour file");
}

static void
false_lists_are_named(void **state)
{
	struct fixture *f = *state;
	damage(f, "index.m3u8", "#EXTINF:6.0", "#EXTINF:5.0", "fip/hifi/index.m3u8: is not made of");
	damage(f, "index.m3u8", "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-MEDIA-SEQUENCE:9", "fip/hifi/index.m3u8: is not");
	damage(f, "index.m3u8", "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-SEQUENCE:", "is not a live list");
	damage(f, "../index.m3u8", "mp4a.40.2", "mp4a.40.5", "fip/index.m3u8: CODECS of hifi is not ");
	damage(f, "../index.m3u8", "BANDWIDTH=", "BANDWIDTH=1", "fip/index.m3u8: BANDWIDTH of hifi is 1");
	damage(f, "../index.m3u8", "hifi/", "lofi/", "fip/index.m3u8: names lofi, which has no media");
	damage(f, "../index.m3u8", "hifi/index", "hifi/inde", "unexpected line");
	expect(f, NULL);
}

/* A window of a day. */
static void
long_live_list_is_read(void **state)
{
	struct fixture *f = *state;
	f->config.window = 24 * 600;
	assert_int_equal(fixture_open(f, FIRST + 630), 0);
	assert_int_equal(store_rendition_gap(f->r, FIRST + 560 + 24 * 600 - 2, false), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	expect(f, NULL);
}

static void
inventory_is_shown(void **state)
{
	struct fixture *f = *state;
	struct inventory_name *names;
	size_t count;
	assert_int_equal(inventory_names(f->root, "fip/lofi", &names, &count), -ENOENT);
	assert_int_equal(inventory_names(f->root, "..", &names, &count), -ENOENT);
	assert_int_equal(inventory_names(f->root, NULL, &names, &count), 0);
	assert_int_equal(count, 1);
	struct inventory v;
	assert_int_equal(inventory_read(f->root, &names[0], &v, &f->errors), 0);
	free(names);
	assert_int_equal(v.segments, 65);
	assert_int_equal(v.gap_count, 2);
	struct text t;
	text_init(&t, 8192);
	inventory_json(&t, &v, 1);
	assert_non_null(
	    strstr(t.data, "{\"stations\":[{\"name\":\"fip\",\"renditions\":[{\"name\":\"hifi\",\"hours\":2,"
			   "\"unfinished\":true,\"segments\":65,"));
	assert_non_null(strstr(t.data,
	    "\"codecs\":\"mp4a.40.2\",\"rate\":48000,\"channels\":2,\"from\":\"2026-11-21T09:56:00Z\",\"to\":"
	    "\"2026-11-21T10:03:00Z\",\"gaps\":[{\"from\":\"2026-11-21T09:57:00Z\",\"to\":\"2026-11-21T09:57:06Z\"},"
	    "{\"from\":\"2026-11-21T09:59:48Z\",\"to\":\"2026-11-21T10:00:12Z\"}]}]}]}\n"));
	text_clear(&t);
	inventory_text(&t, &v, 1);
	assert_non_null(strstr(t.data, "fip\n  hifi: AAC-LC 48000 Hz 2 ch, 2026-11-21T09:56:00Z to "));
	assert_non_null(strstr(t.data, "    gap 2026-11-21T09:59:48Z to 2026-11-21T10:00:12Z, 24 s\n"));
	text_clear(&t);
	inventory_json(&t, &v, 0);
	assert_string_equal(t.data, "{\"stations\":[]}\n");
	text_fini(&t);
	inventory_fini(&v);
}

int
main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		STORE_TEST(good_store_has_no_fault),
		STORE_TEST(damaged_segments_are_named),
		STORE_TEST(segments_are_read_back),
		STORE_TEST(false_entries_are_named),
		STORE_TEST(unlisted_files_are_named),
		STORE_TEST(false_lists_are_named),
		STORE_TEST(long_live_list_is_read),
		STORE_TEST(inventory_is_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
