/* Opening a store that a writer left at any moment: every state that the order of writing can leave is laid out, and
 * must come out whole, with numbers that go on. */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <xxhash.h>

#define FIRST FIXTURE_FIRST

/* Ten segments, then closed as if the process had ended. */
static void
ten(struct fixture *f)
{
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST; k < FIRST + 10; k++)
		assert_int_equal(fixture_put(f, k), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	store_rendition_close(&f->r);
}

/* Every listed segment is there with the bytes that its entry says, and numbers are dense. */
static void
assert_whole(const struct fixture *f)
{
	struct store_hour *hours;
	size_t count;
	assert_int_equal(store_list_hours(f->root, "fip", "hifi", &hours, &count), 0);
	for (size_t i = 0; i < count; i++) {
		struct hour h = fixture_hour(f, hours[i].hour);
		assert_int_equal(h.ended, !hours[i].part);
		for (size_t n = 0; n < h.count; n++) {
			const struct hour_entry *e = &h.entries[n];
			char path[LAYOUT_NAME_SIZE];
			size_t len;
			assert_int_equal(e->msn, h.first_msn + n);
			if (e->gap)
				continue;
			char *data = fixture_read(f, layout_segment_path(e->msn, h.segment, e->kind, path), &len);
			assert_int_equal(len, e->bytes);
			assert_true(XXH64(data, len, 0) == e->xxh64);
			free(data);
		}
		hour_free(&h);
	}
	free(hours);
}

static void
assert_no_temporary(const struct fixture *f)
{
	char command[300];
	snprintf(command, sizeof command, "test -z \"$(find %s -name '.tmp-*')\"", f->path);
	assert_int_equal(system(command), 0);
}

/* What the uninterrupted writer's hour file says of `count` segments. */
static char *
undisturbed(uint64_t count)
{
	void *state = NULL;
	assert_int_equal(fixture_setup(&state), 0);
	struct fixture *f = state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST; k < FIRST + count; k++)
		assert_int_equal(fixture_put(f, k), 0);
	char *text = fixture_read(f, "20261121T09.m3u8.part", NULL);
	fixture_teardown(&state);
	return text;
}

static void
goes_on_where_it_ended(void **state)
{
	struct fixture *f = *state;
	ten(f);
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	assert_true(f->resume.any);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_int_equal(f->resume.last.msn, FIRST + 9);
	assert_int_equal(f->resume.last.sample + f->resume.last.samples, fixture_edge(FIRST + 10) * 1024);
	assert_true(audio_format_equal(&f->resume.format, &fixture_format));
	assert_int_equal(f->resume.end.ns, layout_grid(FIRST + 10, 6).ns);
	assert_int_equal(fixture_put(f, FIRST + 10), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	char *live = fixture_read(f, "index.m3u8", NULL), *part, *want = undisturbed(11);
	assert_non_null(strstr(live, "MEDIA-SEQUENCE:299208601\n"));
	assert_int_equal(fixture_count(live, ".ts\n"), 10);
	part = fixture_read(f, "20261121T09.m3u8.part", NULL);
	assert_string_equal(part, want);
	free(live);
	free(part);
	free(want);
	assert_whole(f);
}

/* The last entry cut at each of its bytes; its segment is there. It comes back as it was, from the record. */
static void
torn_entry_is_mended_at_every_byte(void **state)
{
	struct fixture *f = *state;
	ten(f);
	size_t len;
	char *text = fixture_read(f, "20261121T09.m3u8.part", &len);
	size_t before = (size_t)(strstr(text, "090048Z.ts\n") + 11 - text);
	for (size_t cut = before; cut <= len; cut++) {
		fixture_write(f, "20261121T09.m3u8.part", text, cut);
		assert_int_equal(fixture_open(f, FIRST + 10), 0);
		assert_int_equal(f->resume.next_msn, FIRST + 10);
		store_rendition_close(&f->r);
		char *again = fixture_read(f, "20261121T09.m3u8.part", NULL);
		assert_string_equal(again, text);
		free(again);
	}
	free(text);
	assert_whole(f);
}

/* The same when the segment never got its name: the entry is cut off and its number is next again. */
static void
torn_entry_without_segment_is_cut(void **state)
{
	struct fixture *f = *state;
	char path[256];
	ten(f);
	size_t len;
	char *text = fixture_read(f, "20261121T09.m3u8.part", &len);
	size_t before = (size_t)(strstr(text, "090048Z.ts\n") + 11 - text);
	unlink(fixture_path(f, "20261121T09/20261121T090054Z.ts", path));
	for (size_t cut = before; cut < len; cut += 7) {
		fixture_write(f, "20261121T09.m3u8.part", text, cut);
		assert_int_equal(fixture_open(f, FIRST + 10), 0);
		assert_int_equal(f->resume.next_msn, FIRST + 9);
		store_rendition_close(&f->r);
		char *again = fixture_read(f, "20261121T09.m3u8.part", &(size_t){ 0 });
		assert_int_equal(strlen(again), before);
		free(again);
	}
	free(text);
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	assert_int_equal(fixture_put(f, FIRST + 9), 0);
	assert_whole(f);
}

static void
temporary_files_are_removed(void **state)
{
	struct fixture *f = *state;
	ten(f);
	fixture_write(f, ".tmp-index.m3u8", "torn", 4);
	fixture_write(f, ".tmp-hour", "torn", 4);
	fixture_write(f, "20261121T09/.tmp-segment", "torn", 4);
	fixture_write(f, ".journal-1", "frames", 6);
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_no_temporary(f);
	char *journal = fixture_read(f, ".journal-1", NULL);
	assert_string_equal(journal, "frames");
	free(journal);
}

/* Segment renamed, entry not yet written; the record says all of it, also what is not in the segment. */
static void
unlisted_segment_is_entered_as_recorded(void **state)
{
	struct fixture *f = *state;
	ten(f);
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	struct fixture_segment s = fixture_make(FIRST + 10, 40, false);
	s.s.start.ns += 3 * NS_PER_MS;
	s.s.pending = s.s.discontinuity = true;
	s.s.fill = 17;
	s.s.format.profile = AAC_HE_V2;
	size_t before, after;
	free(fixture_read(f, "20261121T09.m3u8.part", &before));
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	store_rendition_close(&f->r);
	char *text = fixture_read(f, "20261121T09.m3u8.part", &after);
	fixture_write(f, "20261121T09.m3u8.part", text, before);
	assert_int_equal(fixture_open(f, FIRST + 11), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 11);
	assert_true(f->resume.last.pending);
	assert_int_equal(f->resume.last.fill, 17);
	assert_int_equal(f->resume.discontinuity_sequence, 1);
	char *again = fixture_read(f, "20261121T09.m3u8.part", NULL);
	assert_string_equal(again, text);
	free(again);
	free(text);
	free(s.data);
}

/* Nor is a recorded one believed without its bytes. */
static void
recorded_segment_must_have_its_bytes(void **state)
{
	struct fixture *f = *state;
	ten(f);
	size_t before, len;
	char *part = fixture_read(f, "20261121T09.m3u8.part", &before);
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	assert_int_equal(fixture_put(f, FIRST + 10), 0);
	store_rendition_close(&f->r);
	char *data = fixture_read(f, "20261121T09/20261121T090100Z.ts", &len);
	data[1] ^= 0x20; /* no packet of its PID any more */
	fixture_write(f, "20261121T09/20261121T090100Z.ts", data, len);
	fixture_write(f, "20261121T09.m3u8.part", part, before);
	assert_int_equal(fixture_open(f, FIRST + 11), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_false(fixture_exists(f, "20261121T09/20261121T090100Z.ts"));
	free(data);
	free(part);
}

/* The same without a record: PTS and counts are read from the segment. */
static void
unlisted_segment_is_entered_as_read(void **state)
{
	struct fixture *f = *state;
	ten(f);
	char path[256];
	for (uint64_t k = FIRST + 10; k < FIRST + 13; k++) {
		struct fixture_segment s = fixture_make(k, 40, false);
		char name[LAYOUT_NAME_SIZE];
		fixture_write(f, layout_segment_path(k, 6, LAYOUT_TS, name), s.data, s.s.len);
		free(s.data);
	}
	unlink(fixture_path(f, ".entry", path));
	assert_int_equal(fixture_open(f, FIRST + 13), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 13);
	assert_int_equal(f->resume.last.sample + f->resume.last.samples, fixture_edge(FIRST + 13) * 1024);
	assert_int_equal(f->resume.discontinuity_sequence, 0);
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	for (size_t i = 10; i < 13; i++) {
		struct fixture_segment s = fixture_make(FIRST + i, 40, false);
		const struct hour_entry *e = &h.entries[i];
		assert_int_equal(e->frames, s.s.frames);
		assert_int_equal(e->audio_bytes, s.s.audio_bytes);
		int64_t off = e->start.ns / NS_PER_MS - s.s.start.ns / NS_PER_MS;
		assert_true(off >= -3 && off <= 3); /* one rounding to the millisecond each */
		free(s.data);
	}
	hour_free(&h);
	assert_whole(f);
}

/* An unlisted segment on another clock begins anew. */
static void
unlisted_segment_of_another_run_is_a_discontinuity(void **state)
{
	struct fixture *f = *state;
	ten(f);
	char path[256];
	struct fixture_segment s = fixture_make(FIRST + 11, 40, false); /* after a gap */
	fixture_write(f, "20261121T09/20261121T090106Z.ts", s.data, s.s.len);
	unlink(fixture_path(f, ".entry", path));
	assert_int_equal(fixture_open(f, FIRST + 12), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 12);
	assert_int_equal(f->resume.discontinuity_sequence, 1);
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	assert_true(h.entries[10].gap);
	assert_true(h.entries[11].discontinuity);
	assert_int_equal(h.entries[11].sample, 0);
	assert_int_equal(h.entries[11].anchor.t, ticks_at((struct ticks){ 0 }, s.s.sample, FIXTURE_RATE).t);
	hour_free(&h);
	free(s.data);
	assert_whole(f);
}

/* What is damaged is removed: torn at every 97th byte, empty, foreign. */
static void
damaged_segment_is_removed(void **state)
{
	struct fixture *f = *state;
	ten(f);
	struct fixture_segment s = fixture_make(FIRST + 10, 40, false);
	for (size_t len = 0; len < s.s.len; len += 97) {
		fixture_write(f, "20261121T09/20261121T090100Z.ts", s.data, len);
		assert_int_equal(fixture_open(f, FIRST + 11), 0);
		assert_int_equal(f->resume.next_msn, FIRST + 10);
		assert_false(fixture_exists(f, "20261121T09/20261121T090100Z.ts"));
	}
	s.data[s.s.len / 2] ^= 0xff;
	fixture_write(f, "20261121T09/20261121T090106Z.ts", s.data, s.s.len); /* another number's counters */
	fixture_write(f, "20261121T09/notes.txt", "x", 1);
	assert_int_equal(fixture_open(f, FIRST + 11), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_false(fixture_exists(f, "20261121T09/20261121T090106Z.ts"));
	assert_true(fixture_exists(f, "20261121T09/notes.txt"));
	free(s.data);
	assert_int_equal(fixture_put(f, FIRST + 10), 0);
	assert_whole(f);
}

/* All entries of the hour are there, its tail is torn at every byte, or only the name is missing. */
static void
complete_hour_is_finished(void **state)
{
	struct fixture *f = *state;
	char from[256], to[256];
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_int_equal(fixture_put(f, FIRST + 598), 0);
	assert_int_equal(fixture_put(f, FIRST + 599), 0);
	store_rendition_close(&f->r);
	size_t len;
	char *text = fixture_read(f, "20261121T09.m3u8", &len);
	size_t tail = (size_t)(strstr(text, "#HINDCAST-RATE") - text);
	for (size_t cut = tail; cut <= len; cut++) {
		assert_int_equal(
		    rename(fixture_path(f, "20261121T09.m3u8", from), fixture_path(f, "20261121T09.m3u8.part", to)), 0);
		assert_int_equal(truncate(to, (off_t)cut), 0);
		assert_int_equal(fixture_open(f, FIRST + 600), 0);
		assert_int_equal(f->resume.next_msn, FIRST + 600);
		store_rendition_close(&f->r);
		assert_false(fixture_exists(f, "20261121T09.m3u8.part"));
		char *again = fixture_read(f, "20261121T09.m3u8", NULL);
		assert_string_equal(again, text);
		free(again);
	}
	free(text);
}

/* The next hour has its file, and nothing in it. */
static void
begun_hour_goes_on_after_the_one_before(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	struct fixture_segment s = fixture_make(FIRST + 599, 40, false);
	s.s.discontinuity = true;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	assert_int_equal(fixture_put(f, FIRST + 600), 0);
	store_rendition_close(&f->r);
	size_t len;
	char path[256], *text = fixture_read(f, "20261121T10.m3u8.part", &len);
	size_t head = (size_t)(strstr(text, "#HINDCAST-FORMAT") - text);
	unlink(fixture_path(f, "20261121T10/20261121T100000Z.ts", path));
	for (size_t torn = 0; torn < 2; torn++) {
		fixture_write(f, "20261121T10.m3u8.part", text, head + torn * 20);
		assert_int_equal(fixture_open(f, FIRST + 600), 0);
		assert_true(f->resume.any);
		assert_int_equal(f->resume.next_msn, FIRST + 600);
		assert_int_equal(f->resume.last.msn, FIRST + 599);
		assert_int_equal(f->resume.discontinuity_sequence, 1);
	}
	assert_int_equal(fixture_put(f, FIRST + 600), 0);
	char *again = fixture_read(f, "20261121T10.m3u8.part", NULL);
	assert_string_equal(again, text);
	free(again);
	free(text);
	assert_whole(f);
}

/* Down over the hour's end: the journal may still have what belongs into the old hour, so it is open until a later one
 * begins. */
static void
old_hour_waits_for_what_a_journal_has(void **state)
{
	struct fixture *f = *state;
	ten(f);
	assert_int_equal(fixture_open(f, FIRST + 650), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_int_equal(fixture_put(f, FIRST + 10), 0);
	assert_true(fixture_exists(f, "20261121T09.m3u8.part"));
	assert_int_equal(fixture_put(f, FIRST + 650), 0);
	assert_true(fixture_exists(f, "20261121T09.m3u8"));
	assert_false(fixture_exists(f, "20261121T09.m3u8.part"));
	struct hour h = fixture_hour(f, FIXTURE_HOUR + 1);
	assert_int_equal(h.count, 51);
	hour_free(&h);
	assert_whole(f);
}

static void
several_hours_down(void **state)
{
	struct fixture *f = *state;
	ten(f);
	assert_int_equal(fixture_open(f, FIRST + 5 * 600 + 7), 0);
	assert_int_equal(store_rendition_gap(f->r, FIRST + 5 * 600 + 6, false), 0);
	assert_int_equal(fixture_put(f, FIRST + 5 * 600 + 7), 0);
	store_rendition_close(&f->r);
	struct store_hour *hours;
	size_t count;
	assert_int_equal(store_list_hours(f->root, "fip", "hifi", &hours, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(hours[1].hour, FIXTURE_HOUR + 5);
	free(hours);
	assert_int_equal(fixture_open(f, FIRST + 5 * 600 + 8), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 5 * 600 + 8);
	assert_int_equal(f->resume.last.msn, FIRST + 5 * 600 + 7);
	assert_whole(f);
}

/* The newest entry with media lies hours before the newest entry. */
static void
media_is_found_behind_hours_of_gaps(void **state)
{
	struct fixture *f = *state;
	ten(f);
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	for (uint64_t k = FIRST + 10; k < FIRST + 4 * 600 + 30; k++)
		assert_int_equal(store_rendition_gap(f->r, k, false), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	char *live = fixture_read(f, "index.m3u8", NULL);
	assert_int_equal(fixture_open(f, FIRST + 4 * 600 + 30), 0);
	assert_true(f->resume.any);
	assert_int_equal(f->resume.next_msn, FIRST + 4 * 600 + 30);
	assert_int_equal(f->resume.last.msn, FIRST + 9);
	assert_int_equal(store_rendition_live(f->r), 0);
	char *again = fixture_read(f, "index.m3u8", NULL);
	assert_string_equal(live, again);
	free(live);
	free(again);
}

static void
window_reaches_over_the_hour(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST + 580; k < FIRST + 604; k++)
		assert_int_equal(fixture_put(f, k), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	char *live = fixture_read(f, "index.m3u8", NULL);
	assert_int_equal(fixture_count(live, "20261121T09/"), 6);
	assert_int_equal(fixture_open(f, FIRST + 604), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	char *again = fixture_read(f, "index.m3u8", NULL);
	assert_string_equal(live, again);
	free(live);
	free(again);
}

/* After a power cut with sync = none the hour file may have lost its blocks. */
static void
lost_hour_file_is_made_again_from_segments(void **state)
{
	struct fixture *f = *state;
	char path[256], *want = undisturbed(10), *again;
	ten(f);
	unlink(fixture_path(f, "20261121T09.m3u8.part", path));
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_whole(f);
	store_rendition_close(&f->r);
	char zeros[100] = { 0 };
	fixture_write(f, "20261121T09.m3u8.part", zeros, sizeof zeros);
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_whole(f);
	store_rendition_close(&f->r);
	fixture_write(f, "20261121T09.m3u8.part", "", 0);
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_whole(f);
	again = fixture_read(f, "20261121T09.m3u8.part", NULL);
	assert_int_equal(fixture_count(again, "\n"), fixture_count(want, "\n"));
	free(again);
	free(want);
}

static void
damaged_hour_file_is_refused_with_a_way_out(void **state)
{
	struct fixture *f = *state;
	ten(f);
	size_t len;
	char *text = fixture_read(f, "20261121T09.m3u8.part", &len);
	text[len / 2] ^= 1;
	fixture_write(f, "20261121T09.m3u8.part", text, len);
	assert_int_equal(fixture_open(f, FIRST + 10), -1);
	assert_null(f->r);
	assert_non_null(strstr(f->errors.data, "fip/hifi: hour file 20261121T09: line "));
	assert_non_null(strstr(f->errors.data, "move it away"));
	char *same = fixture_read(f, "20261121T09.m3u8.part", NULL);
	assert_string_equal(same, text);
	free(same);
	free(text);
	/* that way works */
	char from[256], to[256];
	rename(fixture_path(f, "20261121T09.m3u8.part", from), fixture_path(f, "old", to));
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_whole(f);
}

static void
another_segment_duration_is_refused_with_a_way_out(void **state)
{
	struct fixture *f = *state;
	ten(f);
	f->config.T = 10;
	assert_int_equal(fixture_open(f, FIRST * 6 / 10), -1);
	assert_non_null(strstr(f->errors.data, "segments of 6 s"));
	assert_non_null(strstr(f->errors.data, "10 s"));
	assert_non_null(strstr(f->errors.data, "segment = 6"));
	f->config.T = 6;
	/* also of a store that has finished hours only */
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_int_equal(store_rendition_gap(f->r, FIRST + 599, false), 0);
	f->config.T = 4;
	assert_int_equal(fixture_open(f, FIRST * 6 / 4), -1);
	assert_non_null(strstr(f->errors.data, "segments of 6 s"));
}

static void
both_names_become_one(void **state)
{
	struct fixture *f = *state;
	ten(f);
	size_t len;
	char *part = fixture_read(f, "20261121T09.m3u8.part", &len);
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_int_equal(store_rendition_gap(f->r, FIRST + 599, false), 0);
	fixture_write(f, "20261121T09.m3u8.part", part, len);
	assert_int_equal(fixture_open(f, FIRST + 600), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 600);
	assert_false(fixture_exists(f, "20261121T09.m3u8.part"));
	store_rendition_close(&f->r);
	/* the finished one cut off: it is written on */
	char path[256];
	unlink(fixture_path(f, "20261121T09.m3u8", path));
	fixture_write(f, "20261121T09.m3u8", part, len);
	assert_int_equal(fixture_open(f, FIRST + 10), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_int_equal(fixture_put(f, FIRST + 10), 0);
	assert_whole(f);
	free(part);
}

/* Two unfinished hours, as only a lost rename can leave them: the older is finished. */
static void
older_unfinished_hours_are_finished(void **state)
{
	struct fixture *f = *state;
	char from[256], to[256];
	ten(f);
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_int_equal(fixture_put(f, FIRST + 603), 0);
	store_rendition_close(&f->r);
	size_t len;
	char *text = fixture_read(f, "20261121T09.m3u8", &len);
	rename(fixture_path(f, "20261121T09.m3u8", from), fixture_path(f, "20261121T09.m3u8.part", to));
	assert_int_equal(truncate(to, (off_t)len / 2), 0);
	assert_int_equal(fixture_open(f, FIRST + 604), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 604);
	char *again = fixture_read(f, "20261121T09.m3u8", NULL);
	assert_string_equal(again, text);
	free(again);
	free(text);
	assert_whole(f);
}

/* The clock went back: numbers go on after the newest all the same. */
static void
clock_behind_the_store_changes_no_number(void **state)
{
	struct fixture *f = *state;
	ten(f);
	assert_int_equal(fixture_open(f, FIRST - 5000), 0);
	assert_int_equal(f->resume.next_msn, FIRST + 10);
	assert_int_equal(fixture_put(f, FIRST + 5), -EEXIST);
	assert_int_equal(fixture_put(f, FIRST + 10), 0);
	assert_whole(f);
}

int
main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		STORE_TEST(goes_on_where_it_ended),
		STORE_TEST(torn_entry_is_mended_at_every_byte),
		STORE_TEST(torn_entry_without_segment_is_cut),
		STORE_TEST(temporary_files_are_removed),
		STORE_TEST(unlisted_segment_is_entered_as_recorded),
		STORE_TEST(recorded_segment_must_have_its_bytes),
		STORE_TEST(unlisted_segment_is_entered_as_read),
		STORE_TEST(unlisted_segment_of_another_run_is_a_discontinuity),
		STORE_TEST(damaged_segment_is_removed),
		STORE_TEST(complete_hour_is_finished),
		STORE_TEST(begun_hour_goes_on_after_the_one_before),
		STORE_TEST(old_hour_waits_for_what_a_journal_has),
		STORE_TEST(several_hours_down),
		STORE_TEST(media_is_found_behind_hours_of_gaps),
		STORE_TEST(window_reaches_over_the_hour),
		STORE_TEST(lost_hour_file_is_made_again_from_segments),
		STORE_TEST(damaged_hour_file_is_refused_with_a_way_out),
		STORE_TEST(another_segment_duration_is_refused_with_a_way_out),
		STORE_TEST(both_names_become_one),
		STORE_TEST(older_unfinished_hours_are_finished),
		STORE_TEST(clock_behind_the_store_changes_no_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
