/* The hour that comes of own and found entries, and what the store makes of it. */
#include "tests/unit/store_fixture.h"

#include <errno.h>

#include "rewind/heal.h"
#include "rewind/heal_hour.h"
#include "rewind/peer.h"
#include "rewind/store_rendition.h"

/* --- the pure function: hours of three segments of 20 minutes */

#define HEAD                                                                                                           \
	"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1200\n#EXT-X-MEDIA-SEQUENCE:1496043\n"                       \
	"#EXT-X-DISCONTINUITY-SEQUENCE:%d\n#HINDCAST-HOUR:version=1,segment=1200\n"
#define LC "#HINDCAST-FORMAT:codecs=mp4a.40.2,header=fff14c80,rate=48000,channels=2\n"
#define HE "#HINDCAST-FORMAT:codecs=mp4a.40.5,header=fff15880,rate=24000,channels=2\n"
#define DISCONTINUITY "#EXT-X-DISCONTINUITY\n"
/* 56250 frames of 1024 samples at 48 kHz are 1200 s. */
#define MEDIA(minute, anchor, sample)                                                                                  \
	"#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:" minute ":00.000Z\n"                                                  \
	"#HINDCAST-SEGMENT:bytes=9000000,audio=8000000,frames=56250,samples=57600000,xxh64=0123456789abcdef,"          \
	"anchor=" anchor ",sample=" sample ",fill=0\n#EXTINF:1200.000000,\n20261121T09/20261121T09" minute "00Z.ts\n"
#define GAP(minute)                                                                                                    \
	"#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:" minute ":00.000Z\n#EXT-X-GAP\n#EXTINF:1200.000000,\n"                \
	"20261121T09/20261121T09" minute "00Z.ts\n"
#define TAIL(peak, bytes, us)                                                                                          \
	"#HINDCAST-RATE:peak=" peak ",mean=" peak ",bytes=" bytes ",duration_us=" us "\n#EXT-X-ENDLIST\n"
#define TAIL1 TAIL("60000", "9000000", "1200000000")
#define TAIL2 TAIL("60000", "18000000", "2400000000")
#define TAIL3 TAIL("60000", "27000000", "3600000000")

static struct hour
parse(const char *body, int sequence)
{
	char text[8192], why[128] = "";
	struct hour h;
	int n = snprintf(text, sizeof text, HEAD, sequence);
	snprintf(text + n, sizeof text - (size_t)n, "%s", body);
	if (hour_parse(text, strlen(text), &h, why) < 0)
		fail_msg("%s", why);
	assert_true(h.ended);
	return h;
}

/* `own` (NULL: no file) and `found` make `want`. */
static void
check(const char *own, const char *found, int sequence, const char *want)
{
	struct hour o = { 0 }, f = parse(found, 0), merged;
	struct heal_before none = { 0 };
	char head[512];
	struct text got;
	if (own)
		o = parse(own, sequence);
	assert_int_equal(heal_hour_merge(own ? &o : NULL, &f, (uint64_t)sequence, &none, &merged), 0);
	text_init(&got, 1 << 16);
	hour_write(&got, &merged);
	int n = snprintf(head, sizeof head, HEAD, sequence);
	assert_memory_equal(got.data, head, n);
	assert_string_equal(got.data + n, want);
	text_fini(&got);
	hour_free(&merged);
	hour_free(&o);
	hour_free(&f);
}

static void
test_written_as_read(void **state)
{
	(void)state;
	check(NULL, LC MEDIA("00", "0", "0") MEDIA("20", "0", "57600000") MEDIA("40", "0", "115200000") TAIL3, 7,
	    LC MEDIA("00", "0", "0") MEDIA("20", "0", "57600000") MEDIA("40", "0", "115200000") TAIL3);
}

static void
test_only_gaps_are_filled(void **state)
{
	(void)state;
	/* what is there differs from what the peer has, and stays */
	check(LC GAP("00") MEDIA("20", "0", "57600000") GAP("40") TAIL1,
	    LC MEDIA("00", "0", "0") HE MEDIA("20", "500", "0") LC MEDIA("40", "0", "115200000") TAIL3, 3,
	    LC MEDIA("00", "0", "0") MEDIA("20", "0", "57600000") MEDIA("40", "0", "115200000") TAIL3);
	check(LC MEDIA("00", "0", "0") GAP("20") GAP("40") TAIL1,
	    LC GAP("00") MEDIA("20", "0", "57600000") GAP("40") TAIL1, 0,
	    LC MEDIA("00", "0", "0") MEDIA("20", "0", "57600000") GAP("40") TAIL2);
}

static void
test_discontinuities_of_what_is_found(void **state)
{
	(void)state;
	check(LC MEDIA("00", "0", "0") GAP("20") GAP("40") TAIL1,
	    GAP("00") HE DISCONTINUITY MEDIA("20", "5", "0") GAP("40") TAIL1, 0,
	    LC MEDIA("00", "0", "0") HE DISCONTINUITY MEDIA("20", "5", "0") GAP("40") TAIL2);
	/* a gap that stays keeps its own */
	check(LC MEDIA("00", "0", "0") DISCONTINUITY GAP("20") GAP("40") TAIL1,
	    LC GAP("00") GAP("20") MEDIA("40", "0", "0") TAIL1, 0,
	    LC MEDIA("00", "0", "0") DISCONTINUITY GAP("20") MEDIA("40", "0", "0") TAIL2);
}

static void
test_seams(void **state)
{
	(void)state;
	/* PTS of 20 minutes are 108000000 ticks; a frame lasts 1920 */
	static const struct {
		const char *anchor, *sample;
		bool breaks;
	} cases[] = { { "108000000", "0", false }, { "108001920", "0", false }, { "107998080", "0", false },
		{ "108001921", "0", true }, { "107998079", "0", true }, { "0", "57600000", false },
		{ "1", "57600000", true } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char own[4096], want[4096], media[1024];
		snprintf(media, sizeof media, MEDIA("20", "%s", "%s"), cases[i].anchor, cases[i].sample);
		snprintf(own, sizeof own, "%s%s%s%s%s", LC, GAP("00"), media, GAP("40"), TAIL1);
		snprintf(want, sizeof want, "%s%s%s%s%s%s", LC, MEDIA("00", "0", "0"),
		    cases[i].breaks ? DISCONTINUITY : "", media, GAP("40"), TAIL2);
		check(own, LC MEDIA("00", "0", "0") GAP("20") GAP("40") TAIL1, 1, want);
	}
	/* another format on the other side */
	check(LC GAP("00") MEDIA("20", "0", "57600000") GAP("40") TAIL1,
	    HE MEDIA("00", "0", "0") GAP("20") GAP("40") TAIL1, 1,
	    HE MEDIA("00", "0", "0") LC DISCONTINUITY MEDIA("20", "0", "57600000") GAP("40") TAIL2);
	/* own beside own is nobody's business */
	check(LC MEDIA("00", "0", "0") MEDIA("20", "77", "5") GAP("40") TAIL2,
	    LC GAP("00") GAP("20") MEDIA("40", "77", "57600005") TAIL1, 1,
	    LC MEDIA("00", "0", "0") MEDIA("20", "77", "5") MEDIA("40", "77", "57600005") TAIL3);
}

static void
test_follow(void **state)
{
	(void)state;
	struct hour h = parse(LC MEDIA("00", "0", "57600000") DISCONTINUITY MEDIA("20", "0", "0") GAP("40") TAIL2, 4);
	struct hour_entry before = { .msn = h.first_msn - 1, .samples = 57600000, .frames = 56250 };
	struct heal_before at = { &before, &h.formats[0] }, none = { 0 };
	assert_false(heal_hour_follow(&h, 4, &none));
	assert_false(heal_hour_follow(&h, 4, &at));
	assert_true(heal_hour_follow(&h, 6, &at));
	assert_int_equal(heal_hour_sequence(&h), 7);
	assert_int_equal(h.entries[0].discontinuity_sequence, 6);
	before.anchor.t = 90000;
	assert_true(heal_hour_follow(&h, 6, &at));
	assert_true(h.entries[0].discontinuity);
	assert_int_equal(heal_hour_sequence(&h), 8);
	assert_false(heal_hour_follow(&h, 6, &at));
	hour_free(&h);
}

/* --- the store */

/* Hours FIXTURE_HOUR to + 2, of which the second has the first `kept` entries alone, then gaps, and the third is open.
 */
static void
lay(struct fixture *f, uint64_t kept)
{
	assert_int_equal(fixture_open(f, FIXTURE_FIRST + 1800), 0);
	for (uint64_t i = 590; i < 600 + kept; i++)
		assert_int_equal(fixture_put(f, FIXTURE_FIRST + i), 0);
	for (uint64_t i = 1200; i < 1230; i++)
		assert_int_equal(fixture_put(f, FIXTURE_FIRST + i), 0);
	assert_int_equal(store_rendition_live(f->r), 0);
}

/* As heal_fetch leaves it: files of numbers [from, to) of the second hour, and its entries. `jump`: PTS. */
static struct hour
fetched(struct fixture *f, uint64_t from, uint64_t to, uint64_t jump, bool discontinuity)
{
	struct hour h = {
		.first_msn = FIXTURE_FIRST + 600, .segment = FIXTURE_T, .count = 600, .format_count = 1, .ended = true
	};
	char path[LAYOUT_NAME_SIZE], full[256];
	h.entries = calloc(h.count, sizeof *h.entries);
	h.formats = calloc(1, sizeof *h.formats);
	h.formats[0] = fixture_format;
	mkdir(fixture_path(f, "20261121T10", full), 0755);
	int dir = open(fixture_path(f, "", full), O_RDONLY | O_DIRECTORY);
	assert_int_equal(store_healing_begin(dir, FIXTURE_HOUR + 1, false), 0);
	close(dir);
	for (size_t i = 0; i < h.count; i++) {
		uint64_t msn = h.first_msn + i;
		h.entries[i] = hour_gap(msn, FIXTURE_T, LAYOUT_TS, 0);
		if (i < from || i >= to)
			continue;
		struct fixture_segment s = fixture_make(msn, 40, false);
		fixture_write(f, layout_segment_path(msn, FIXTURE_T, LAYOUT_TS, path), s.data, s.s.len);
		h.entries[i] = (struct hour_entry){
			.msn = msn,
			.start = { s.s.start.ns - s.s.start.ns % NS_PER_MS },
			.discontinuity = discontinuity && i == from,
			.duration_us = (uint32_t)(s.s.samples * 1000000 / FIXTURE_RATE),
			.bytes = s.s.len,
			.frames = s.s.frames,
			.samples = s.s.samples,
			.audio_bytes = s.s.audio_bytes,
			.anchor = { jump },
			.sample = s.s.sample,
		};
		free(s.data);
	}
	return h;
}

static uint64_t
live_sequence(struct fixture *f)
{
	char *live = fixture_read(f, "index.m3u8", NULL);
	const char *at = strstr(live, "DISCONTINUITY-SEQUENCE:");
	uint64_t n = strtoull(at + strlen("DISCONTINUITY-SEQUENCE:"), NULL, 10);
	free(live);
	return n;
}

static void
test_store_enters(void **state)
{
	struct fixture *f = *state;
	lay(f, 100);
	assert_true(store_rendition_may_heal(f->r, FIXTURE_HOUR + 1));
	assert_false(store_rendition_may_heal(f->r, FIXTURE_HOUR + 2));
	struct hour found = fetched(f, 100, 600, 0, false);
	assert_int_equal(store_rendition_heal(f->r, FIXTURE_HOUR + 1, &found), 0);
	hour_free(&found);
	struct hour h = fixture_hour(f, FIXTURE_HOUR + 1);
	for (size_t i = 0; i < 600; i++)
		assert_false(h.entries[i].gap || h.entries[i].discontinuity);
	assert_true(h.rate.peak > 0 && h.rate.duration_us > UINT64_C(3599000000));
	hour_free(&h);
	assert_false(fixture_exists(f, ".heal"));
	assert_false(fixture_exists(f, ".heal-numbers"));
	assert_int_equal(fixture_put(f, FIXTURE_FIRST + 1230), 0);
}

static void
test_store_numbers_follow(void **state)
{
	struct fixture *f = *state;
	lay(f, 100);
	assert_int_equal(live_sequence(f), 0);
	/* other PTS up to the hour's end: the open hour's first entry begins with a discontinuity then */
	struct hour found = fetched(f, 300, 600, 900000, true);
	assert_int_equal(store_rendition_heal(f->r, FIXTURE_HOUR + 1, &found), 0);
	hour_free(&found);
	assert_int_equal(store_rendition_live(f->r), 0);
	assert_int_equal(live_sequence(f), 2);
	assert_int_equal(fixture_put(f, FIXTURE_FIRST + 1230), 0);
	struct hour h = fixture_hour(f, FIXTURE_HOUR + 2);
	assert_int_equal(h.count, 31);
	assert_int_equal(h.discontinuity_sequence, 1);
	assert_true(h.entries[0].discontinuity);
	assert_int_equal(h.entries[30].discontinuity_sequence, 2);
	hour_free(&h);
	assert_int_equal(fixture_open(f, FIXTURE_FIRST + 1240), 0);
	assert_int_equal(f->resume.discontinuity_sequence, 2);
	assert_int_equal(f->resume.next_msn, FIXTURE_FIRST + 1231);
}

static void
test_store_whole_hour(void **state)
{
	struct fixture *f = *state;
	char path[256];
	lay(f, 0);
	store_rendition_close(&f->r);
	unlink(fixture_path(f, "20261121T10.m3u8", path));
	assert_int_equal(fixture_open(f, FIXTURE_FIRST + 1300), 0);
	struct hour found = fetched(f, 0, 600, 0, false);
	assert_int_equal(store_rendition_heal(f->r, FIXTURE_HOUR + 1, &found), 0);
	hour_free(&found);
	struct hour h = fixture_hour(f, FIXTURE_HOUR + 1);
	assert_int_equal(h.count, 600);
	hour_free(&h);
}

static void
test_store_leaves_out_what_went(void **state)
{
	struct fixture *f = *state;
	char path[256], name[LAYOUT_NAME_SIZE];
	lay(f, 100);
	struct hour found = fetched(f, 100, 102, 0, false);
	unlink(fixture_path(f, layout_segment_path(FIXTURE_FIRST + 701, FIXTURE_T, LAYOUT_TS, name), path));
	assert_int_equal(store_rendition_heal(f->r, FIXTURE_HOUR + 1, &found), 0);
	hour_free(&found);
	struct hour h = fixture_hour(f, FIXTURE_HOUR + 1);
	assert_false(h.entries[100].gap);
	assert_true(h.entries[101].gap);
	hour_free(&h);
	found = fetched(f, 0, 0, 0, false);
	assert_int_equal(store_rendition_heal(f->r, FIXTURE_HOUR + 1, &found), -ENOENT);
	hour_free(&found);
}

static void
test_store_recovers(void **state)
{
	struct fixture *f = *state;
	char *text;
	size_t len;
	lay(f, 100);
	/* killed while it fetched */
	struct hour found = fetched(f, 100, 200, 0, false);
	hour_free(&found);
	assert_true(fixture_exists(f, "20261121T10/20261121T101000Z.ts"));
	assert_int_equal(fixture_open(f, FIXTURE_FIRST + 1300), 0);
	assert_false(fixture_exists(f, "20261121T10/20261121T101000Z.ts"));
	assert_true(fixture_exists(f, "20261121T10/20261121T100954Z.ts"));
	assert_false(fixture_exists(f, ".heal"));
	/* killed between the hour file and those that follow it */
	text = fixture_read(f, "20261121T11.m3u8.part", &len);
	found = fetched(f, 300, 500, 900000, true);
	assert_int_equal(store_rendition_heal(f->r, FIXTURE_HOUR + 1, &found), 0);
	hour_free(&found);
	store_rendition_close(&f->r);
	fixture_write(f, "20261121T11.m3u8.part", text, len);
	fixture_write(f, ".heal-numbers", "20261121T10\n", 12);
	free(text);
	assert_int_equal(fixture_open(f, FIXTURE_FIRST + 1300), 0);
	assert_int_equal(f->resume.discontinuity_sequence, 1);
	assert_false(fixture_exists(f, ".heal-numbers"));
}

static void
test_retention_was_faster(void **state)
{
	struct fixture *f = *state;
	lay(f, 100);
	struct hour found = fetched(f, 100, 200, 0, false);
	struct wall late = { layout_grid(FIXTURE_FIRST, FIXTURE_T).ns + 60 * 24 * 3600 * NS_PER_S };
	assert_int_equal(store_rendition_retain(f->r, late), 2);
	assert_int_equal(store_rendition_heal(f->r, FIXTURE_HOUR + 1, &found), -ENOENT);
	hour_free(&found);
	assert_false(fixture_exists(f, "20261121T10.m3u8"));
	assert_false(fixture_exists(f, "20261121T10"));
	assert_false(fixture_exists(f, ".heal"));
}

/* --- peers */

static void
test_urls(void **state)
{
	(void)state;
	static const char *const good[] = { "http://origin-b:8080", "https://b/hindcast/", "HTTP://[::1]:8080" };
	static const char *const bad[] = { "", "origin-b:8080", "ftp://b", "http://", "http:///x", "http://a@b",
		"http://b?x", "http://b#x", "http://b /x", "file:///etc/passwd" };
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(peer_url_good(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(peer_url_good(bad[i]));
}

static void
test_due(void **state)
{
	struct fixture *f = *state;
	struct heal heal = { .root = f->root, .station = "fip", .rendition = "hifi", .T = FIXTURE_T };
	lay(f, 600);
	assert_true(heal_due(&heal, FIXTURE_HOUR));      /* ten entries */
	assert_false(heal_due(&heal, FIXTURE_HOUR + 1)); /* all of them */
	assert_false(heal_due(&heal, FIXTURE_HOUR + 2)); /* unfinished */
	assert_true(heal_due(&heal, FIXTURE_HOUR - 1));  /* no file */
}

int
main(void)
{
#define STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_as_read),
		cmocka_unit_test(test_only_gaps_are_filled),
		cmocka_unit_test(test_discontinuities_of_what_is_found),
		cmocka_unit_test(test_seams),
		cmocka_unit_test(test_follow),
		STORE(test_store_enters),
		STORE(test_store_numbers_follow),
		STORE(test_store_whole_hour),
		STORE(test_store_leaves_out_what_went),
		STORE(test_store_recovers),
		STORE(test_retention_was_faster),
		cmocka_unit_test(test_urls),
		STORE(test_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
