/* Every file of tests/media through the framer, however it is cut into calls: exactly the frames of frames.tsv, which
 * was found by other means, and the numbers of facts.tsv. */
#include "media/framer.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "tests/unit/media_file.h"

#define SMALL (400 * 1024)
#define FILES_MAX 100

struct row {
	char name[80], frames[32];
	uint64_t samples;
	uint32_t crc;
	bool refused;
};

/* What came of a stream. */
struct walk {
	char parts[64]; /* "430+470" */
	uint64_t part, samples;
	uint32_t crc;
	bool refused;
	char why[200];
	struct framer framer;
};

static struct row rows[FILES_MAX];
static size_t row_count;

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void
end_part(struct walk *w)
{
	size_t at = strlen(w->parts);

	if (w->part > 0)
		snprintf(w->parts + at, sizeof(w->parts) - at, "%s%" PRIu64, at ? "+" : "", w->part);
	w->part = 0;
}

static void
count(struct walk *w, const struct framer_out *out)
{
	if (out->format_changed)
		end_part(w);
	w->part++;
	w->samples += out->samples;
	w->crc = (uint32_t)crc32(w->crc, out->header, out->header_len);
	w->crc = (uint32_t)crc32(w->crc, out->payload, out->payload_len);
}

/* Feed `m` through a buffer of the least size that a caller must have, at most `chunk` new bytes at a time (0: a random
 * number each time). */
static void
walk(struct walk *w, const struct media_file *m, size_t chunk, uint32_t seed)
{
	static uint8_t buf[FRAMER_WINDOW];
	size_t have = 0, fed = 0;
	struct framer_out out;
	enum framer_result result;

	memset(w, 0, sizeof(*w));
	framer_init(&w->framer);
	do {
		size_t room = sizeof(buf) - have, left = m->len - fed;
		size_t want = chunk ? chunk : 1 + next_random(&seed) % (1u << next_random(&seed) % 15);
		size_t n = want < room ? want : room;
		n = n < left ? n : left;
		assert_true(n > 0 || left == 0); /* the window is always enough to go on */
		memcpy(buf + have, m->data + fed, n);
		have += n;
		fed += n;
		while ((result = framer_next(&w->framer, buf, have, fed == m->len, &out)) == FRAMER_FRAME) {
			assert_true(out.payload >= buf && out.payload + out.payload_len <= buf + have);
			count(w, &out);
			have -= out.consumed;
			memmove(buf, buf + out.consumed, have);
		}
		assert_true(out.consumed <= have);
		have -= out.consumed;
		memmove(buf, buf + out.consumed, have);
	} while (result == FRAMER_MORE && fed < m->len);
	w->refused = result == FRAMER_REFUSED;
	if (w->refused)
		memcpy(w->why, out.why, sizeof(w->why));
	else
		assert_int_equal(w->framer.position, m->len);
	end_part(w);
}

static void
compare(const struct row *r, const struct walk *w, size_t chunk)
{
	if (w->refused != r->refused)
		fail_msg("%s (by %zu): %srefused %s", r->name, chunk, w->refused ? "" : "not ", w->why);
	if (w->refused) {
		assert_true(strstr(w->why, "ADTS") || strstr(w->why, "encode"));
		assert_int_equal(w->framer.frames, 0);
	} else if (strcmp(w->parts, r->frames) != 0 || w->samples != r->samples || w->crc != r->crc) {
		fail_msg("%s (by %zu): %s frames, %" PRIu64 " samples, crc %08" PRIx32 "; want %s, %" PRIu64
			 ", %08" PRIx32,
		    r->name, chunk, w->parts, w->samples, w->crc, r->frames, r->samples, r->crc);
	}
}

static void
each_file(size_t chunk, size_t largest)
{
	static struct walk w;

	for (size_t i = 0; i < row_count; i++) {
		struct media_file m = media_file_read(rows[i].name);
		assert_non_null(m.data);
		if (m.len <= largest) {
			walk(&w, &m, chunk, (uint32_t)i + 1);
			compare(&rows[i], &w, chunk);
		}
		free(m.data);
	}
}

static void
test_large_pieces(void **state)
{
	(void)state;
	each_file(FRAMER_WINDOW, SIZE_MAX);
}

static void
test_random_pieces(void **state)
{
	(void)state;
	each_file(0, SIZE_MAX);
	each_file(0, SMALL);
}

static void
test_network_pieces(void **state)
{
	(void)state;
	each_file(1448, SIZE_MAX);
	each_file(97, SMALL);
}

static void
test_single_bytes(void **state)
{
	(void)state;
	each_file(1, SMALL);
}

/* Frames as facts.tsv counts them: several blocks and a Xing frame are one each. */
static uint64_t
as_in_facts(const char *name, const struct walk *w)
{
	if (strstr(name, "4blocks_crc"))
		return w->framer.frames / 4;
	return w->framer.frames + (strstr(name, "_xing_") != NULL);
}

static void
test_facts(void **state)
{
	static struct walk w;
	struct media_file facts = media_file_read("facts.tsv");
	size_t checked = 0;
	char *line, *rest = (char *)facts.data;
	(void)state;

	assert_non_null(facts.data);
	facts.data[facts.len] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		char *name = strsep(&line, "\t");
		strsep(&line, "\t");
		char *frames = strsep(&line, "\t");
		if (!frames || strcmp(name, "file") == 0)
			continue;
		struct media_file m = media_file_read(name);
		if (!m.data || strncmp(name, "ts_", 3) == 0 || strncmp(name, "failover_", 9) == 0) {
			free(m.data);
			continue;
		}
		walk(&w, &m, FRAMER_WINDOW, 1);
		uint64_t want = strtoull(frames, &frames, 10);
		want += *frames == '+' ? strtoull(frames + 1, NULL, 10) : 0;
		if (as_in_facts(name, &w) != want)
			fail_msg("%s: %" PRIu64 " frames, want %" PRIu64, name, w.framer.frames, want);
		free(m.data);
		checked++;
	}
	assert_true(checked >= 60);
	free(facts.data);
}

/* What is refused for certain is named. */
static void
test_why(void **state)
{
	static const struct {
		const char *name, *word;
	} files[] = {
		{ "mp2_192k_48000.mp2", "layer I or II" },
		{ "mp3_freeformat160_44100.mp3", "free format" },
		{ "aac_lc_latm_44100_stereo_64k.loas", "LATM" },
		{ "wrong_random.bin", "131072 bytes" },
	};
	static struct walk w;
	(void)state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct media_file m = media_file_read(files[i].name);
		walk(&w, &m, FRAMER_WINDOW, 1);
		assert_true(w.refused);
		assert_non_null(strstr(w.why, files[i].word));
		free(m.data);
	}
}

static int
load_rows(void **state)
{
	struct media_file m = media_file_read("frames.tsv");
	char *line, *rest = (char *)m.data;
	(void)state;

	if (!m.data)
		return -1;
	m.data[m.len] = '\0';
	strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n")) && *line && row_count < FILES_MAX) {
		struct row *r = &rows[row_count++];
		snprintf(r->name, sizeof(r->name), "%s", strsep(&line, "\t"));
		snprintf(r->frames, sizeof(r->frames), "%s", strsep(&line, "\t"));
		r->samples = strtoull(strsep(&line, "\t"), NULL, 10);
		r->crc = (uint32_t)strtoul(line, NULL, 16);
		r->refused = strcmp(r->frames, "refused") == 0;
	}
	free(m.data);
	return row_count > 50 ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_pieces),
		cmocka_unit_test(test_random_pieces),
		cmocka_unit_test(test_network_pieces),
		cmocka_unit_test(test_single_bytes),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_why),
	};

	return cmocka_run_group_tests(tests, load_rows, NULL);
}
