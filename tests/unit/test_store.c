/* The writer: what it puts on the disk, and what it refuses. */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <xxhash.h>

#define FIRST FIXTURE_FIRST

static void
segments_are_listed(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_false(f->resume.any);
	assert_int_equal(f->resume.next_msn, 0);
	for (uint64_t k = FIRST; k < FIRST + 12; k++)
		assert_int_equal(fixture_put(f, k), 0);
	assert_int_equal(store_rendition_live(f->r), 0);

	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	assert_int_equal(h.count, 12);
	assert_false(h.ended);
	size_t len;
	char *data = fixture_read(f, "20261121T09/20261121T090006Z.ts", &len);
	struct fixture_segment s = fixture_make(FIRST + 1, 40, false);
	assert_int_equal(len, s.s.len);
	assert_memory_equal(data, s.data, len);
	const struct hour_entry *e = &h.entries[1];
	assert_int_equal(e->bytes, len);
	assert_true(e->xxh64 == XXH64(data, len, 0));
	assert_int_equal(e->frames, s.s.frames);
	assert_int_equal(e->samples, s.s.samples);
	assert_int_equal(e->sample, s.s.sample);
	assert_int_equal(e->start.ns / NS_PER_MS, s.s.start.ns / NS_PER_MS);
	free(s.data);
	free(data);

	/* Last-Modified is the same on every host */
	char path[256];
	struct stat st;
	assert_int_equal(stat(fixture_path(f, "20261121T09/20261121T090006Z.ts", path), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, (FIRST + 2) * FIXTURE_T);
	assert_int_equal(st.st_mtim.tv_nsec, 0);

	char *live = fixture_read(f, "index.m3u8", NULL);
	assert_non_null(strstr(live, "#EXT-X-MEDIA-SEQUENCE:299208602\n"));
	assert_int_equal(fixture_count(live, ".ts\n"), 10);
	assert_int_equal(fixture_count(live, "#EXT-X-PROGRAM-DATE-TIME"), 10);
	assert_int_equal(fixture_count(live, "INDEPENDENT"), 1);
	assert_null(strstr(live, "HINDCAST"));
	free(live);
	hour_free(&h);

	const struct store_counters *c = store_rendition_counters(f->r);
	assert_int_equal(c->segments, 12);
	assert_int_equal(c->live_lists, 1);
	assert_int_equal(c->errors, 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	assert_int_equal(c->live_lists, 1); /* it was up to date */
}

static void
first_hour_begins_with_gaps(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_int_equal(store_rendition_gap(f->r, FIRST + 99, false), 0); /* no media yet: nothing to be a gap in */
	assert_false(fixture_exists(f, "20261121T09.m3u8.part"));
	assert_int_equal(fixture_put(f, FIRST + 100), 0);
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	assert_int_equal(h.count, 101);
	assert_true(h.entries[99].gap);
	assert_false(h.entries[100].gap);
	assert_int_equal(h.discontinuity_sequence, 0);
	hour_free(&h);
	/* which nobody could have played, so the live list begins with media */
	assert_int_equal(store_rendition_live(f->r), 0);
	char *live = fixture_read(f, "index.m3u8", NULL);
	assert_int_equal(fixture_count(live, "#EXT-X-GAP"), 0);
	assert_int_equal(fixture_count(live, ".ts\n"), 1);
	free(live);
	/* also after a restart */
	assert_int_equal(fixture_open(f, FIRST + 101), 0);
	assert_int_equal(fixture_put(f, FIRST + 101), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	live = fixture_read(f, "index.m3u8", NULL);
	assert_int_equal(fixture_count(live, "#EXT-X-GAP"), 0);
	assert_int_equal(fixture_count(live, ".ts\n"), 2);
	free(live);
}

static void
numbers_never_repeat(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_int_equal(fixture_put(f, FIRST + 5), 0);
	char *before = fixture_read(f, "20261121T09.m3u8.part", NULL);
	assert_int_equal(fixture_put(f, FIRST + 5), -EEXIST);
	assert_int_equal(fixture_put(f, FIRST + 4), -EEXIST);
	assert_int_equal(fixture_put(f, FIRST - 600), -EEXIST);
	assert_int_equal(store_rendition_gap(f->r, FIRST + 5, false), 0);
	assert_int_equal(store_rendition_gap(f->r, FIRST, false), 0);
	char *after = fixture_read(f, "20261121T09.m3u8.part", NULL);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(store_rendition_counters(f->r)->errors, 3);
}

static void
existing_file_is_entered_only_if_the_same(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_int_equal(fixture_put(f, FIRST), 0);
	struct fixture_segment s = fixture_make(FIRST + 1, 40, false);
	fixture_write(f, "20261121T09/20261121T090006Z.ts", s.data, s.s.len);
	assert_int_equal(fixture_put(f, FIRST + 1), 0);
	fixture_write(f, "20261121T09/20261121T090012Z.ts", s.data, s.s.len);
	assert_int_equal(fixture_put(f, FIRST + 2), -EEXIST);
	fixture_write(f, "20261121T09/20261121T090012Z.ts", "", 0);
	assert_int_equal(fixture_put(f, FIRST + 2), -EEXIST);
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	assert_int_equal(h.count, 2); /* and nothing is listed that is not whole */
	hour_free(&h);
	free(s.data);
}

static void
hours_are_finished(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_int_equal(fixture_put(f, FIRST + 597), 0);
	assert_true(fixture_exists(f, "20261121T09.m3u8.part"));
	/* over the border with a gap on both sides */
	assert_int_equal(fixture_put(f, FIRST + 602), 0);
	assert_false(fixture_exists(f, "20261121T09.m3u8.part"));
	assert_true(fixture_exists(f, "20261121T09.m3u8"));
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	assert_true(h.ended);
	assert_int_equal(h.count, 600);
	assert_true(h.entries[598].gap && h.entries[599].gap);
	struct hour_rate rate = { 0 };
	hour_rate_add(&rate, &h.entries[597], 6);
	assert_memory_equal(&h.rate, &rate, sizeof rate);
	hour_free(&h);
	h = fixture_hour(f, FIXTURE_HOUR + 1);
	assert_int_equal(h.count, 3);
	assert_true(h.entries[0].gap && h.entries[1].gap);
	hour_free(&h);
	/* the last number finishes its hour at once */
	for (uint64_t k = FIRST + 603; k < FIRST + 1200; k++)
		assert_int_equal(fixture_put(f, k), 0);
	assert_true(fixture_exists(f, "20261121T10.m3u8"));
	assert_false(fixture_exists(f, "20261121T11.m3u8.part"));
	assert_int_equal(store_rendition_gap(f->r, FIRST + 1799, false), 0);
	assert_true(fixture_exists(f, "20261121T11.m3u8"));
	assert_false(fixture_exists(f, "20261121T11")); /* no folder for an hour without media */
	assert_int_equal(store_rendition_live(f->r), 0);
	char *live = fixture_read(f, "index.m3u8", NULL);
	assert_non_null(strstr(live, "20261121T11/20261121T115954Z.ts"));
	free(live);
}

static void
hours_without_a_process_have_no_file(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST; k < FIRST + 10; k++)
		assert_int_equal(fixture_put(f, k), 0);
	assert_int_equal(fixture_put(f, FIRST + 3 * 600), 0);
	assert_true(fixture_exists(f, "20261121T09.m3u8"));
	assert_false(fixture_exists(f, "20261121T10.m3u8"));
	assert_false(fixture_exists(f, "20261121T11.m3u8"));
	struct hour h = fixture_hour(f, FIXTURE_HOUR + 3);
	assert_int_equal(h.count, 1);
	hour_free(&h);
	/* the live list counts on through them, three entries at least */
	assert_int_equal(store_rendition_live(f->r), 0);
	char *live = fixture_read(f, "index.m3u8", NULL), *again;
	assert_non_null(strstr(live, "MEDIA-SEQUENCE:299210398\n"));
	assert_int_equal(fixture_count(live, "#EXT-X-GAP"), 2);
	/* and a restarted writer makes the same of what is on the disk */
	assert_int_equal(fixture_open(f, FIRST + 3 * 600 + 1), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	again = fixture_read(f, "index.m3u8", NULL);
	assert_string_equal(live, again);
	free(live);
	free(again);
}

/* The list goes on with gaps, numbers never go back, and after them it begins near the media. */
static void
live_list_goes_on_through_gaps(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	uint64_t front = 0;
	for (uint64_t k = FIRST; k < FIRST + 60; k++) {
		bool away = k >= FIRST + 12 && k < FIRST + 40;
		assert_int_equal(away ? store_rendition_gap(f->r, k, false) : fixture_put(f, k), 0);
		assert_int_equal(store_rendition_live(f->r), 0);
		char *live = fixture_read(f, "index.m3u8", NULL);
		uint64_t sequence = strtoull(strstr(live, "MEDIA-SEQUENCE:") + 15, NULL, 10);
		size_t count = fixture_count(live, ".ts\n");
		assert_true(sequence >= front);
		assert_int_equal(sequence + count, k + 1);
		assert_true(count >= 3 || k < FIRST + 2);
		front = sequence;
		free(live);
	}
}

/* A rendition that joins takes over the station's number, and a new time line that falls into its gap is told. */
static void
discontinuity_numbers_are_the_stations(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	struct fixture_segment s = fixture_make(FIRST + 2, 40, false);
	s.s.station_sequence = 7;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	assert_int_equal(store_rendition_gap(f->r, FIRST + 5, true), 0);
	assert_int_equal(fixture_put(f, FIRST + 6), 0);
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	assert_int_equal(h.entries[2].discontinuity_sequence, 7);
	assert_false(h.entries[4].discontinuity);
	assert_true(h.entries[5].gap && h.entries[5].discontinuity);
	assert_int_equal(h.entries[6].discontinuity_sequence, 8);
	hour_free(&h);
}

static void
discontinuities_are_counted(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST + 590; k < FIRST + 610; k++) {
		struct fixture_segment s = fixture_make(k, 40, false);
		s.s.discontinuity = k % 5 == 0;
		s.s.pending = k % 5 == 3;
		assert_int_equal(store_rendition_put(f->r, &s.s), 0);
		free(s.data);
	}
	struct hour h = fixture_hour(f, FIXTURE_HOUR + 1);
	assert_int_equal(h.discontinuity_sequence, 2);
	assert_int_equal(h.entries[9].discontinuity_sequence, 4);
	assert_true(h.entries[8].pending && !h.entries[9].pending);
	hour_free(&h);
	assert_int_equal(store_rendition_live(f->r), 0);
	char *live = fixture_read(f, "index.m3u8", NULL);
	assert_non_null(strstr(live, "#EXT-X-DISCONTINUITY-SEQUENCE:2\n"));
	assert_int_equal(fixture_count(live, "#EXT-X-DISCONTINUITY\n"), 2);
	free(live);
	assert_int_equal(fixture_open(f, FIRST + 610), 0);
	assert_int_equal(f->resume.discontinuity_sequence, 4);
	assert_int_equal(f->resume.next_msn, FIRST + 610);
	assert_int_equal(f->resume.end.ns, layout_grid(FIRST + 610, 6).ns);
}

static void
formats_are_named_where_they_change(void **state)
{
	struct fixture *f = *state;
	f->config.packed = true;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST; k < FIRST + 9; k++) {
		struct fixture_segment s = fixture_make(k, 40, true);
		if (k >= FIRST + 6)
			s.s.format = (struct audio_format){ CODEC_MP3, AAC_LC, { 0xff, 0xfb, 0x04, 0 }, 48000, 2 };
		else if (k >= FIRST + 3)
			s.s.format.profile = AAC_HE;
		assert_int_equal(store_rendition_put(f->r, &s.s), 0);
		free(s.data);
	}
	char *text = fixture_read(f, "20261121T09.m3u8.part", NULL);
	assert_int_equal(fixture_count(text, "#HINDCAST-FORMAT"), 3);
	free(text);
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	assert_int_equal(h.format_count, 3);
	assert_int_equal(h.entries[5].kind, LAYOUT_AAC);
	assert_int_equal(h.entries[6].kind, LAYOUT_MP3);
	assert_false(h.entries[3].discontinuity);
	assert_true(h.entries[6].discontinuity); /* another kind of file: RFC 8216 4.3.2.3 */
	hour_free(&h);
	assert_int_equal(store_rendition_live(f->r), 0);
	char *live = fixture_read(f, "index.m3u8", NULL);
	assert_null(strstr(live, "INDEPENDENT"));
	free(live);
	struct list_variant v;
	assert_true(store_rendition_variant(f->r, &v));
	assert_int_equal(v.format.codec, CODEC_MP3);
}

static void
rates_are_measured(void **state)
{
	struct fixture *f = *state;
	struct list_variant v, again;
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_false(store_rendition_variant(f->r, &v));
	uint64_t bytes = 0, samples = 0, peak = 0;
	for (uint64_t k = FIRST + 550; k < FIRST + 650; k++) {
		struct fixture_segment s = fixture_make(k, k == FIRST + 560 ? 200 : 50, false);
		assert_int_equal(store_rendition_put(f->r, &s.s), 0);
		bytes += s.s.len;
		samples += s.s.samples;
		uint64_t rate = (s.s.len * 8 * FIXTURE_RATE + s.s.samples - 1) / s.s.samples;
		peak = rate > peak ? rate : peak;
		free(s.data);
	}
	assert_true(store_rendition_variant(f->r, &v));
	assert_string_equal(v.rendition, "hifi");
	assert_in_range(v.peak, peak, peak + 1);
	uint64_t mean = bytes * 8 * FIXTURE_RATE / samples;
	assert_in_range(v.mean, mean - 1, mean + 2);
	assert_int_equal(fixture_open(f, FIRST + 650), 0);
	assert_true(store_rendition_variant(f->r, &again));
	assert_int_equal(again.peak, v.peak);
	assert_int_equal(again.mean, v.mean);
}

static void
nonsense_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	struct fixture_segment good = fixture_make(FIRST, 40, false);
	struct store_segment bad[] = { good.s, good.s, good.s, good.s, good.s, good.s, good.s };
	bad[0].len = 0;
	bad[1].samples = 0;
	bad[2].samples = 12 * FIXTURE_RATE;
	bad[3].format.codec = CODEC_NONE;
	bad[4].msn = UINT64_MAX / 2;
	bad[5].anchor.t = TICKS_MASK + 1;
	bad[6].format.rate = 0;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(store_rendition_put(f->r, &bad[i]), -EINVAL);
	assert_false(fixture_exists(f, "20261121T09.m3u8.part"));
	assert_int_equal(store_rendition_put(f->r, &good.s), 0);
	free(good.data);
}

static void
one_writer_at_a_time(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	struct store_rendition *second = NULL;
	assert_int_equal(store_rendition_open(&f->config, layout_grid(FIRST, 6), &second, &f->resume, &f->errors), -1);
	assert_null(second);
	assert_non_null(strstr(f->errors.data, "fip/hifi/.lock"));
	assert_non_null(strstr(f->errors.data, "another process"));
	struct store_station *a = NULL, *b = NULL;
	text_clear(&f->errors);
	assert_int_equal(store_station_open(f->root, "fip", true, &a, &f->errors), 0);
	assert_int_equal(store_station_open(f->root, "fip", true, &b, &f->errors), -1);
	assert_non_null(strstr(f->errors.data, "another process"));
	store_station_close(&a);
}

static void
multivariant_is_written_when_it_changes(void **state)
{
	struct fixture *f = *state;
	struct store_station *s = NULL;
	char path[256];
	struct stat before, after;
	snprintf(path, sizeof path, "%s/fip/index.m3u8", f->path);
	struct list_variant v = { "hifi", fixture_format, 100000, 99000 };
	assert_int_equal(store_station_open(f->root, "fip", false, &s, &f->errors), 0);
	assert_int_equal(store_station_write(s, &v, 1), 0);
	assert_int_equal(stat(path, &before), 0);
	v.mean++; /* within the same step */
	assert_int_equal(store_station_write(s, &v, 1), 0);
	store_station_close(&s);
	assert_int_equal(store_station_open(f->root, "fip", false, &s, &f->errors), 0);
	assert_int_equal(store_station_write(s, &v, 1), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	v.mean = v.peak = 200000;
	assert_int_equal(store_station_write(s, &v, 1), 0);
	struct text t;
	text_init(&t, 4096);
	assert_int_equal(file_read(AT_FDCWD, path, &t), 0);
	assert_int_equal(fixture_count(t.data, "STREAM-INF"), 1);
	assert_null(strstr(t.data, "AVERAGE-BANDWIDTH=99"));
	text_fini(&t);
	store_station_close(&s);
}

static void
hours_are_walked(void **state)
{
	struct fixture *f = *state;
	struct store_hour *hours;
	size_t count;
	assert_int_equal(store_list_hours(f->root, "fip", "hifi", &hours, &count), -ENOENT);
	assert_int_equal(fixture_open(f, FIRST), 0);
	assert_int_equal(fixture_put(f, FIRST + 3), 0);
	assert_int_equal(fixture_put(f, FIRST + 1803), 0);
	fixture_write(f, "notes.txt", "x", 1);
	assert_int_equal(store_list_hours(f->root, "fip", "hifi", &hours, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(hours[0].hour, FIXTURE_HOUR);
	assert_false(hours[0].part);
	assert_int_equal(hours[1].hour, FIXTURE_HOUR + 3);
	assert_true(hours[1].part);
	free(hours);
	struct hour h;
	char why[128];
	assert_int_equal(store_read_hour(f->root, "fip", "hifi", FIXTURE_HOUR + 1, &h, why), -ENOENT);
	assert_int_equal(store_read_hour(f->root, "..", "hifi", FIXTURE_HOUR, &h, why), -EXDEV);
}

/* In a child with a mount namespace of its own: a file system of 1 MiB runs full, is freed, and goes on. */
static int
fill_disk(struct fixture *f)
{
	char path[256];
	uint64_t k = FIRST;
	int rc = 0, refused = 0;
	if (fixture_open(f, k) != 0)
		return 2;
	for (; k < FIRST + 300 && rc == 0; k++) {
		struct fixture_segment s = fixture_make(k, 40, false);
		rc = store_rendition_put(f->r, &s.s);
		free(s.data);
	}
	if (rc != -ENOSPC)
		return 3;
	uint64_t refused_at = k - 1;
	for (int i = 0; i < 3; i++)
		refused += fixture_put(f, refused_at) == -ENOSPC;
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	bool dense = h.count == refused_at - FIRST;
	hour_free(&h);
	if (refused != 3 || !dense || store_rendition_counters(f->r)->errors != 4)
		return 4;
	if (unlink(fixture_path(f, "ballast", path)) < 0 || fixture_put(f, refused_at) != 0)
		return 5;
	return fixture_open(f, refused_at) == 0 && f->resume.next_msn == refused_at + 1 ? 0 : 6;
}

static void
full_disk_is_survived(void **state)
{
	struct fixture *f = *state;
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("tmpfs", f->path, "tmpfs", 0, "size=1m") < 0)
			_exit(77);
		close(f->root);
		f->config.root = f->root = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		file_mkdirs(f->root, "fip/hifi");
		char ballast[65536] = { 0 };
		fixture_write(f, "ballast", ballast, sizeof ballast);
		_exit(fill_disk(f));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* needs a mount namespace */
	assert_int_equal(status, 0);
}

/* In a child: the file system takes the beginning of an entry, as when its last block fills. It must not stay, since
 * the next entry would follow it. */
static int
write_in_part(struct fixture *f)
{
	char path[256];
	struct stat st;
	if (fixture_open(f, FIRST) != 0)
		return 2;
	for (uint64_t k = FIRST; k < FIRST + 200; k++) /* the hour file is larger than a segment then */
		if (fixture_put(f, k) != 0)
			return 3;
	stat(fixture_path(f, "20261121T09.m3u8.part", path), &st);
	const off_t size = st.st_size;
	signal(SIGXFSZ, SIG_IGN);
	for (off_t room = 0; room < 200; room += 13) {
		struct rlimit limit = { (rlim_t)(size + room), RLIM_INFINITY };
		if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || fixture_put(f, FIRST + 200) == 0)
			return 4;
		if (stat(path, &st) < 0 || st.st_size != size)
			return 5;
	}
	struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	if (setrlimit(RLIMIT_FSIZE, &none) < 0 || fixture_put(f, FIRST + 200) != 0)
		return 6;
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	bool good = h.count == 201 && !h.entries[200].gap;
	hour_free(&h);
	return good ? 0 : 7;
}

static void
half_an_entry_is_taken_back(void **state)
{
	struct fixture *f = *state;
	pid_t child = fork();
	if (child == 0)
		_exit(write_in_part(f));
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* The library's, but that it can fail: as many times as said. */
static unsigned fsync_fails, fsyncs;

int
fsync(int fd)
{
	fsyncs++;
	if (fsync_fails == 0)
		return (int)syscall(SYS_fsync, fd);
	fsync_fails--;
	errno = EIO;
	return -1;
}

static void
folder_that_is_not_synced_is_synced_again(void **state)
{
	struct fixture *f = *state;
	f->config.sync = true;
	assert_int_equal(fixture_open(f, FIRST), 0);
	/* the hour file, the hour's folder, the segment */
	for (unsigned step = 0; step < 3; step++) {
		fsync_fails = 1;
		assert_int_equal(fixture_put(f, FIRST), -EIO);
		assert_int_equal(fsync_fails, 0);
	}
	fsyncs = 0;
	assert_int_equal(fixture_put(f, FIRST), 0);
	assert_true(fsyncs > 0);
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	assert_int_equal(h.count, 1);
	assert_false(h.entries[0].gap);
	hour_free(&h);
}

/* The longest window of the shortest segments. */
static void
live_list_of_a_day_is_written(void **state)
{
	struct fixture *f = *state;
	const uint64_t first = FIXTURE_HOUR * 1800, count = 24 * 1800;
	f->config.T = 2;
	f->config.window = count;
	assert_int_equal(fixture_open(f, first), 0);
	struct fixture_segment s = fixture_make(FIRST, 10, false);
	s.s.msn = first;
	s.s.samples = s.s.format.rate * 2;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	assert_int_equal(store_rendition_gap(f->r, first + count - 1, false), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
	char *live = fixture_read(f, "index.m3u8", NULL);
	assert_int_equal(fixture_count(live, ".ts\n"), count);
	free(live);
}

static void
read_only_store_is_refused_clearly(void **state)
{
	struct fixture *f = *state;
	int out[2];
	assert_int_equal(pipe(out), 0);
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("tmpfs", f->path, "tmpfs", MS_RDONLY, NULL) < 0)
			_exit(77);
		close(f->root);
		f->config.root = f->root = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		bool refused = fixture_open(f, FIRST) == -1 && f->errors.data;
		if (refused && write(out[1], f->errors.data, f->errors.len) < 0)
			refused = false;
		_exit(!refused);
	}
	close(out[1]);
	char text[512] = "";
	ssize_t n = read(out[0], text, sizeof text - 1);
	close(out[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	assert_true(n > 0);
	assert_non_null(strstr(text, "fip/hifi"));
	assert_non_null(strstr(text, "Read-only file system"));
}

/* The runs on air: a line where they change and at the begin of each hour, and what the next process is told. */
static void
runs_on_air_are_kept(void **state)
{
	struct fixture *f = *state;
	const struct hour_runs one = { .count = 1, .run = { { { 1 }, 0 } } };
	const struct hour_runs two = { .count = 2, .run = { { { 1 }, 0 }, { { 2 }, -5 } } };
	const struct hour_runs *const puts[] = { &one, &one, NULL, &two, &two };

	assert_int_equal(fixture_open(f, FIXTURE_FIRST + 600), 0);
	for (uint64_t n = 0; n < 5; n++) {
		struct fixture_segment s = fixture_make(FIXTURE_FIRST + 597 + n, 40, false);
		if (puts[n])
			s.s.runs = *puts[n];
		assert_int_equal(store_rendition_put(f->r, &s.s), 0);
		free(s.data);
	}
	struct hour h = fixture_hour(f, FIXTURE_HOUR);
	assert_int_equal(h.runs_count, 1);
	assert_int_equal(h.entries[599].runs, 1);
	hour_free(&h);
	h = fixture_hour(f, FIXTURE_HOUR + 1);
	assert_int_equal(h.runs_count, 1); /* what was not said before is as it was, until it changes */
	assert_true(hour_runs_equal(&h.runs[0], &two));
	hour_free(&h);
	assert_int_equal(fixture_open(f, FIXTURE_FIRST + 602), 0);
	assert_true(hour_runs_equal(&f->resume.runs, &two));
	/* a process that goes on does not say it again */
	struct fixture_segment s = fixture_make(FIXTURE_FIRST + 602, 40, false);
	s.s.runs = two;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	h = fixture_hour(f, FIXTURE_HOUR + 1);
	assert_int_equal(h.runs_count, 1);
	assert_int_equal(h.count, 3);
	hour_free(&h);
}

int
main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		STORE_TEST(segments_are_listed),
		STORE_TEST(first_hour_begins_with_gaps),
		STORE_TEST(numbers_never_repeat),
		STORE_TEST(existing_file_is_entered_only_if_the_same),
		STORE_TEST(hours_are_finished),
		STORE_TEST(hours_without_a_process_have_no_file),
		STORE_TEST(live_list_goes_on_through_gaps),
		STORE_TEST(discontinuity_numbers_are_the_stations),
		STORE_TEST(discontinuities_are_counted),
		STORE_TEST(formats_are_named_where_they_change),
		STORE_TEST(rates_are_measured),
		STORE_TEST(nonsense_is_refused),
		STORE_TEST(one_writer_at_a_time),
		STORE_TEST(multivariant_is_written_when_it_changes),
		STORE_TEST(hours_are_walked),
		STORE_TEST(full_disk_is_survived),
		STORE_TEST(half_an_entry_is_taken_back),
		STORE_TEST(folder_that_is_not_synced_is_synced_again),
		STORE_TEST(live_list_of_a_day_is_written),
		STORE_TEST(runs_on_air_are_kept),
		STORE_TEST(read_only_store_is_refused_clearly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
