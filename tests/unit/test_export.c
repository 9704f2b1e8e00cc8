/* What `rewind export` writes, what it refuses, and that nothing half is left behind. */
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <sys/wait.h>

#include "media/framer.h"
#include "rewind/export.h"

#define FIRST FIXTURE_FIRST
#define LEN 40

/* Numbers 590 to 612 of the hour, which goes on into the next, without 604. The newest hour is unfinished. */
static int
setup(void **state)
{
	if (fixture_setup(state))
		return -1;
	struct fixture *f = *state;
	assert_int_equal(fixture_open(f, FIRST), 0);
	for (uint64_t k = FIRST + 590; k <= FIRST + 612; k++)
		if (k != FIRST + 604)
			assert_int_equal(fixture_put(f, k), 0);
	assert_true(fixture_exists(f, "20261121T10.m3u8.part"));
	return 0;
}

struct run {
	struct export x;
	char *said; /* owned */
	size_t said_len;
};

/* A span in numbers of the hour. */
static struct run
span(const struct fixture *f, uint64_t from, uint64_t to)
{
	struct run r = { 0 };
	r.x = (struct export){
		.root = f->root,
		.name = { "fip", "hifi" },
		.from = layout_grid(FIRST + from, FIXTURE_T),
		.to = layout_grid(FIRST + to, FIXTURE_T),
	};
	return r;
}

static char *
target(const struct fixture *f, const char *name, char out[static 256])
{
	snprintf(out, 256, "%s-out/%s", f->path, name);
	return out;
}

static enum export_result
run(const struct fixture *f, struct run *r, const char *name)
{
	char path[256];
	free(r->said);
	r->said = NULL;
	r->x.out = open_memstream(&r->said, &r->said_len);
	assert_non_null(r->x.out);
	mkdir(target(f, "", path), 0755);
	target(f, name, path);
	enum export_form form = export_form(path);
	assert_true(form == EXPORT_FILE || form == EXPORT_FOLDER);
	enum export_result result = form == EXPORT_FILE ? export_file(&r->x, path) : export_folder(&r->x, path);
	fclose(r->x.out);
	return result;
}

static void
expect(const struct fixture *f, struct run *r, const char *name, enum export_result want, const char *says)
{
	enum export_result got = run(f, r, name);
	if (got != want || !strstr(r->said, says))
		fail_msg("want %d and %s, got %d and: %s", (int)want, says, (int)got, r->said);
}

static void
done(struct run *r)
{
	free(r->said);
}

/* Names in a folder of the output, "." and ".." not counted; -1 when it is not there. */
static int
names(const struct fixture *f, const char *folder)
{
	char path[256];
	DIR *d = opendir(target(f, folder, path));
	int n = -2;
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return d ? n : -1;
}

static char *
output(const struct fixture *f, const char *name, size_t *len)
{
	char path[256];
	struct text t;
	text_init(&t, 8 << 20);
	assert_int_equal(file_read(AT_FDCWD, target(f, name, path), &t), 0);
	if (len)
		*len = t.len;
	return t.data ? t.data : strdup("");
}

static int
teardown(void **state)
{
	const struct fixture *f = *state;
	char path[256];
	nftw(target(f, "", path), fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	return fixture_teardown(state);
}

static void
frames_are(const struct fixture *f, const char *name, uint64_t first, uint64_t end)
{
	size_t len;
	char *data = output(f, name, &len);
	uint8_t frame[LEN];
	assert_int_equal(len, (end - first) * LEN);
	for (uint64_t i = first; i < end; i++) {
		fixture_frame(frame, LEN, i);
		assert_memory_equal(data + (i - first) * LEN, frame, LEN);
	}
	free(data);
}

static void
a_file_has_the_frames(void **state)
{
	struct fixture *f = *state;
	struct run r = span(f, 593, 603);
	expect(f, &r, "a.aac", EXPORT_DONE, "first frame 2026-11-21T09:59:17.994Z, last frame 2026-11-21T10:00:17.98");
	frames_are(f, "a.aac", fixture_edge(FIRST + 593), fixture_edge(FIRST + 603));
	assert_int_equal(names(f, ""), 1);
	char want[64];
	snprintf(
	    want, sizeof want, ": %u frames, 60.0", (unsigned)(fixture_edge(FIRST + 603) - fixture_edge(FIRST + 593)));
	if (!strstr(r.said, want) || strstr(r.said, "warning"))
		fail_msg("want %s, got: %s", want, r.said);
	/* what is there stays */
	r.x.to = layout_grid(FIRST + 594, 6);
	expect(f, &r, "a.aac", EXPORT_REFUSED, "--force");
	frames_are(f, "a.aac", fixture_edge(FIRST + 593), fixture_edge(FIRST + 603));
	r.x.force = true;
	expect(f, &r, "a.aac", EXPORT_DONE, "");
	frames_are(f, "a.aac", fixture_edge(FIRST + 593), fixture_edge(FIRST + 594));
	assert_int_equal(names(f, ""), 1);
	/* names that say another thing */
	expect(f, &r, "b.mp3", EXPORT_MISUSED, "want a name in .aac");
	assert_int_equal(names(f, ""), 1);
	char path[256];
	assert_int_equal(export_form(target(f, "b.wav", path)), EXPORT_UNKNOWN);
	assert_int_equal(export_form(".aac"), EXPORT_UNKNOWN);
	assert_int_equal(export_form("x/.mp3"), EXPORT_UNKNOWN);
	assert_int_equal(export_form("x.aac"), EXPORT_FILE);
	assert_int_equal(export_form("x/"), EXPORT_FOLDER);
	assert_int_equal(export_form("-"), EXPORT_STREAM);
	assert_int_equal(export_form(NULL), EXPORT_STREAM);
	done(&r);
}

static void
a_stream_has_them_too(void **state)
{
	struct fixture *f = *state;
	struct run r = span(f, 599, 601);
	int pipe_fds[2];
	assert_int_equal(pipe(pipe_fds), 0);
	r.x.out = open_memstream(&r.said, &r.said_len);
	assert_int_equal(export_stream(&r.x, pipe_fds[1]), EXPORT_DONE);
	close(pipe_fds[1]);
	char data[30000];
	size_t len = 0;
	for (ssize_t n; (n = read(pipe_fds[0], data + len, sizeof data - len)) > 0;)
		len += (size_t)n;
	assert_int_equal(len, (fixture_edge(FIRST + 601) - fixture_edge(FIRST + 599)) * LEN);
	/* and nothing when it is refused; what would be written here fits into a pipe */
	r.x.from = layout_grid(FIRST + 603, 6);
	r.x.to = layout_grid(FIRST + 605, 6);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(export_stream(&r.x, pipe_fds[1]), EXPORT_REFUSED);
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], data, 1), 0);
	fclose(r.x.out);
	done(&r);
}

/* Retention takes a segment while what was looked at is being written. */
static void
a_store_that_changes_meanwhile_is_told(void **state)
{
	struct fixture *f = *state;
	struct run r = span(f, 590, 604);
	int pipe_fds[2];
	char path[256], data[4096];
	assert_int_equal(pipe(pipe_fds), 0);
	assert_true(fcntl(pipe_fds[1], F_SETPIPE_SZ, 4096) >= 4096);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		r.x.out = fopen("/dev/null", "w");
		_exit((int)export_stream(&r.x, pipe_fds[1]));
	}
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], data, 1), 1);
	assert_int_equal(unlink(fixture_path(f, "20261121T10/20261121T100018Z.ts", path)), 0);
	while (read(pipe_fds[0], data, sizeof data) > 0)
		;
	close(pipe_fds[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXPORT_REFUSED);
}

static void
gaps_are_refused_and_told(void **state)
{
	struct fixture *f = *state;
	struct run r = span(f, 602, 606);
	struct zone *paris = zone_new("Europe/Paris");
	assert_non_null(paris);
	r.x.zone = paris;
	r.x.timezone = "Europe/Paris";
	expect(f, &r, "a.aac", EXPORT_REFUSED, "1 gap of 5.994 s in all\n");
	assert_non_null(strstr(r.said, "\n  2026-11-21T10:00:23.999Z (11:00:23 on 2026-11-21, Europe/Paris) to "
				       "2026-11-21T10:00:29.994Z (11:00:29 on 2026-11-21, Europe/Paris)\n"));
	assert_non_null(strstr(r.said, "say --gaps"));
	zone_free(&paris);
	r.x.zone = NULL;
	expect(f, &r, "d/", EXPORT_REFUSED, "1 gap of ");
	assert_int_equal(names(f, ""), 0);
	r.x.gaps = true;
	expect(f, &r, "a.aac", EXPORT_DONE, "1 gap of ");
	size_t len;
	free(output(f, "a.aac", &len));
	assert_int_equal(len, LEN * (fixture_edge(FIRST + 604) - fixture_edge(FIRST + 602) + fixture_edge(FIRST + 606) -
					fixture_edge(FIRST + 605)));
	/* a segment that is gone */
	char path[256];
	assert_int_equal(unlink(fixture_path(f, "20261121T09/20261121T095936Z.ts", path)), 0);
	r = (done(&r), span(f, 594, 598));
	expect(f, &r, "b.aac", EXPORT_REFUSED, ": 20261121T09/20261121T095936Z.ts: cannot be read: No such file");
	/* before and after all there is, and where there is nothing at all */
	r.x.from = layout_grid(FIRST + 580, 6);
	expect(f, &r, "b.aac", EXPORT_REFUSED, "2 gaps of 66.");
	r.x.to = layout_grid(FIRST + 588, 6);
	r.x.gaps = true;
	expect(f, &r, "b.aac", EXPORT_REFUSED,
	    "nothing is stored from 2026-11-21T09:58:00.000Z to 2026-11-21T09:58:48.000Z");
	r.x.from = layout_grid(FIRST + 613, 6);
	r.x.to = layout_grid(FIRST + 613000, 6);
	expect(f, &r, "b.aac", EXPORT_REFUSED, "nothing is stored");
	expect(f, &r, "d/", EXPORT_REFUSED, "nothing is stored");
	assert_int_equal(names(f, ""), 1);
	done(&r);
}

static void
more_gaps_than_are_told_are_counted(void **state)
{
	struct fixture *f = *state;
	for (uint64_t k = FIRST + 614; k < FIRST + 640; k += 2)
		assert_int_equal(fixture_put(f, k), 0);
	struct run r = span(f, 605, 640);
	expect(f, &r, "a.aac", EXPORT_REFUSED, "14 gaps of ");
	assert_non_null(strstr(r.said, "\n  and 9 more\n"));
	assert_int_equal(fixture_count(r.said, "\n  2026-"), 5);
	done(&r);
}

/* The same kind of segment, one with silence in it or of another format. */
static void
put(struct fixture *f, uint64_t k, uint64_t fill, uint32_t rate)
{
	struct fixture_segment s = fixture_make(k, LEN, false);
	uint64_t first = fixture_edge(k);
	struct audio_format format = fixture_format;
	if (rate != FIXTURE_RATE) {
		format.rate = rate;
		format.header[2] = 0x54; /* LC, 32000 Hz */
	}
	size_t count = (size_t)(6 * rate / 1024);
	struct media_frame *frames = calloc(count, sizeof *frames);
	uint8_t *bytes = malloc(count * LEN);
	uint8_t silence[FRAMER_SILENCE_MAX];
	uint32_t silence_len, silence_samples;
	uint64_t audio_bytes = 0;
	assert_int_equal(framer_silence(&format, silence, &silence_len, &silence_samples), 0);
	for (size_t i = 0; i < count; i++) {
		fixture_frame(bytes + i * LEN, LEN, first + i);
		memcpy(bytes + i * LEN, format.header, 3);
		frames[i] = (struct media_frame){ bytes + i * LEN, LEN, 1024 };
		if (i >= 100 && i < 100 + fill)
			frames[i] = (struct media_frame){ silence, silence_len, 1024 };
		audio_bytes += frames[i].len;
	}
	struct media_segment m = { .msn = k, .format = format, .frames = frames, .count = count };
	uint8_t *out = malloc(ts_segment_bound(&m, true));
	s.s.start = layout_grid(k, 6);
	s.s.data = out;
	s.s.len = ts_segment_write(&m, true, out);
	s.s.format = format;
	s.s.sample = 0;
	s.s.discontinuity = true;
	s.s.frames = count;
	s.s.samples = count * 1024;
	s.s.audio_bytes = audio_bytes;
	s.s.fill = fill;
	assert_int_equal(store_rendition_put(f->r, &s.s), 0);
	free(s.data);
	free(out);
	free(frames);
	free(bytes);
}

static void
fill_is_told(void **state)
{
	struct fixture *f = *state;
	put(f, FIRST + 613, 50, FIXTURE_RATE);
	struct run r = span(f, 612, 614);
	/* 50 frames of 1024 / 48000 s */
	expect(f, &r, "a.aac", EXPORT_DONE, "warning: 1.066 s of it are silence");
	assert_non_null(strstr(r.said, ", 50 frames of fill"));
	expect(f, &r, "d/", EXPORT_DONE, "warning: 1.066 s of it are silence");
	/* of a part only what is in it: it begins with frame 100 */
	r.x.to.ns = r.x.from.ns + 6 * NS_PER_S + samples_to_ns(110 * 1024, FIXTURE_RATE);
	expect(f, &r, "b.aac", EXPORT_DONE, ", 10 frames of fill");
	r.x.to.ns = r.x.from.ns + 6 * NS_PER_S + samples_to_ns(90 * 1024, FIXTURE_RATE);
	expect(f, &r, "c.aac", EXPORT_DONE, ", 0 frames of fill");
	done(&r);
}

static void
another_format_is_for_a_folder(void **state)
{
	struct fixture *f = *state;
	put(f, FIRST + 613, 0, 32000);
	struct run r = span(f, 611, 614);
	expect(f, &r, "a.aac", EXPORT_REFUSED,
	    "AAC-LC 48000 Hz 2 ch becomes AAC-LC 32000 Hz 2 ch at 2026-11-21T10:01:18.000Z");
	assert_non_null(strstr(r.said, "-o DIR/"));
	r.x.gaps = true;
	expect(f, &r, "a.aac", EXPORT_REFUSED, "one file cannot have both");
	assert_int_equal(names(f, ""), 0);
	expect(f, &r, "d/", EXPORT_DONE, "");
	char *list = output(f, "d/index.m3u8", NULL);
	assert_int_equal(fixture_count(list, "#EXT-X-DISCONTINUITY\n"), 1);
	free(list);
	/* where it ends before, or begins after, there is no change */
	r.x.to = layout_grid(FIRST + 613, 6);
	expect(f, &r, "a.aac", EXPORT_DONE, "");
	frames_are(f, "a.aac", fixture_edge(FIRST + 611), fixture_edge(FIRST + 613));
	r.x.from = layout_grid(FIRST + 613, 6);
	r.x.to.ns = r.x.from.ns + 5 * NS_PER_S;
	expect(f, &r, "b.aac", EXPORT_DONE, "first frame 2026-11-21T10:01:18.000Z");
	done(&r);
}

static void
a_folder_has_the_segments(void **state)
{
	struct fixture *f = *state;
	struct run r = span(f, 598, 606);
	r.x.from.ns += NS_PER_S;
	r.x.to.ns -= NS_PER_S;
	r.x.gaps = true;
	expect(f, &r, "d/", EXPORT_DONE, "");
	assert_int_equal(names(f, "d"), 3);
	assert_int_equal(names(f, "d/20261121T09"), 2);
	assert_int_equal(names(f, "d/20261121T10"), 5);
	char *list = output(f, "d/index.m3u8", NULL), *store, *copy, name[64], out[96];
	assert_int_equal(fixture_count(list, "#EXTINF:"), 7);
	assert_int_equal(fixture_count(list, "#EXT-X-DISCONTINUITY\n"), 1);
	assert_non_null(strstr(list, "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:29.994Z\n"));
	assert_int_equal(fixture_count(list, "#EXT-X-GAP"), 0);
	assert_non_null(strstr(list, "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:6\n#EXT-X-PLAYLIST-TYPE:VOD\n"
				     "#EXT-X-MEDIA-SEQUENCE:299209198\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-PROGRAM-"
				     "DATE-TIME:2026-11-21T09:59:4"));
	assert_string_equal(list + strlen(list) - 15, "#EXT-X-ENDLIST\n");
	free(list);
	for (unsigned k = 598; k < 606; k++) {
		size_t a, b;
		struct stat st, copied;
		if (k == 604)
			continue;
		layout_segment_path(FIRST + k, 6, LAYOUT_TS, name);
		snprintf(out, sizeof out, "d/%s", name);
		store = fixture_read(f, name, &a);
		copy = output(f, out, &b);
		assert_int_equal(a, b);
		assert_memory_equal(store, copy, a);
		char path[256];
		assert_int_equal(stat(fixture_path(f, name, path), &st), 0);
		assert_int_equal(stat(target(f, out, path), &copied), 0);
		assert_int_equal(st.st_mtime, copied.st_mtime);
		free(store);
		free(copy);
	}
	done(&r);
}

static void
a_folder_is_taken_up_again(void **state)
{
	struct fixture *f = *state;
	struct run r = span(f, 598, 602);
	char path[256];
	expect(f, &r, "d/", EXPORT_DONE, "");
	expect(f, &r, "d", EXPORT_REFUSED, "--force");
	/* as after one that was broken off: no list, a segment missing, something temporary left */
	assert_int_equal(unlink(target(f, "d/index.m3u8", path)), 0);
	assert_int_equal(unlink(target(f, "d/20261121T10/20261121T100000Z.ts", path)), 0);
	close(open(target(f, "d/.tmp-segment", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	struct stat before, after;
	assert_int_equal(stat(target(f, "d/20261121T09/20261121T095948Z.ts", path), &before), 0);
	expect(f, &r, "d/", EXPORT_DONE, "");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(names(f, "d"), 3);
	assert_int_equal(names(f, "d/20261121T10"), 2);
	/* other bytes of that name are not this export's */
	assert_int_equal(unlink(target(f, "d/index.m3u8", path)), 0);
	int fd = open(target(f, "d/20261121T09/20261121T095954Z.ts", path), O_WRONLY | O_CLOEXEC);
	assert_int_equal(file_write_all(fd, "x", 1), 0);
	close(fd);
	expect(f, &r, "d/", EXPORT_REFUSED, "other content");
	assert_int_equal(access(target(f, "d/index.m3u8", path), F_OK), -1);
	assert_int_equal(names(f, "d"), 2);
	r.x.force = true;
	expect(f, &r, "d/", EXPORT_DONE, "");
	assert_int_equal(names(f, "d"), 3);
	/* a list goes before the segments that it names do */
	r.x.to = layout_grid(FIRST + 603, 6);
	assert_int_equal(mkdir(target(f, "d/20261121T10/20261121T100012Z.ts", path), 0755), 0);
	expect(f, &r, "d/", EXPORT_REFUSED, "");
	assert_int_equal(access(target(f, "d/index.m3u8", path), F_OK), -1);
	done(&r);
}

static void
nothing_is_written_to_the_store(void **state)
{
	struct fixture *f = *state;
	struct run r = span(f, 598, 602);
	char path[256], *said = NULL;
	size_t len;
	r.x.force = true;
	r.x.out = open_memstream(&said, &len);
	assert_int_equal(export_file(&r.x, fixture_path(f, "x.aac", path)), EXPORT_MISUSED);
	assert_int_equal(export_folder(&r.x, fixture_path(f, "", path)), EXPORT_MISUSED);
	assert_int_equal(export_folder(&r.x, fixture_path(f, "new/", path)), EXPORT_MISUSED);
	assert_int_equal(export_folder(&r.x, f->path), EXPORT_MISUSED);
	assert_int_equal(export_folder(&r.x, "/dev/null/"), EXPORT_REFUSED);
	fclose(r.x.out);
	assert_int_equal(fixture_count(said, "is in the store, which is only read"), 4);
	assert_false(fixture_exists(f, "new"));
	assert_false(fixture_exists(f, "x.aac"));
	free(said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_has_the_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stream_has_them_too, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_changes_meanwhile_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(gaps_are_refused_and_told, setup, teardown),
		cmocka_unit_test_setup_teardown(more_gaps_than_are_told_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(fill_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(another_format_is_for_a_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_has_the_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_is_taken_up_again, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_written_to_the_store, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
