/* Detection of HE-AAC by decoding, and that no decoder can hurt the program that asks. */
#include "segmenter/input/aac_profile.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "media/framer.h"
#include "tests/unit/media_file.h"

#define FRAMES 48
#define BEHAVIOUR "AAC_PROFILE_TEST" /* how the decoding process is to misbehave */

struct frames {
	uint8_t bytes[FRAMES][8192];
	const uint8_t *p[FRAMES];
	uint32_t len[FRAMES];
	size_t n;
};

/* Frames `skip` to skip + FRAMES - 1 of a file. */
static void
load(struct frames *f, const char *name, size_t skip)
{
	struct media_file m = media_file_read(name);
	struct framer framer;
	struct framer_out out;
	size_t at = 0;

	assert_non_null(m.data);
	framer_init(&framer);
	for (f->n = 0; f->n < FRAMES;) {
		if (framer_next(&framer, m.data + at, m.len - at, true, &out) != FRAMER_FRAME)
			break;
		if (skip > 0) {
			skip--;
		} else {
			f->p[f->n] = f->bytes[f->n];
			memcpy(f->bytes[f->n], out.header, out.header_len);
			memcpy(f->bytes[f->n] + out.header_len, out.payload, out.payload_len);
			f->len[f->n++] = out.header_len + out.payload_len;
		}
		at += out.consumed;
	}
	free(m.data);
	assert_true(f->n > 0);
}

static void
assert_no_child_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
test_profiles(void **state)
{
	static const struct {
		const char *name;
		enum aac_profile want;
	} files[] = {
		{ "aac_lc_44100_stereo_64k.aac", AAC_LC },
		{ "aac_lc_22050_mono_32k.aac", AAC_LC },
		{ "heaac_v1_44100_mono_32k.aac", AAC_HE },
		{ "heaac_v1_44100_stereo_48k.aac", AAC_HE },
		{ "heaac_v1_48000_stereo_64k.aac", AAC_HE },
		{ "heaac_v1_2blocks_44100_stereo_48k.aac", AAC_HE },
		{ "heaac_v2_44100_stereo_24k.aac", AAC_HE_V2 },
		{ "heaac_v2_48000_stereo_32k.aac", AAC_HE_V2 },
	};
	static struct frames f;
	(void)state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		enum aac_profile got = AAC_LC;
		load(&f, files[i].name, i * 10);
		assert_int_equal(aac_profile_detect(f.p, f.len, f.n, &got), 0);
		if (got != files[i].want)
			fail_msg("%s: profile %d, want %d", files[i].name, got, files[i].want);
	}
	assert_no_child_left();
}

static void
test_not_adts(void **state)
{
	static struct frames f;
	enum aac_profile got = AAC_HE;
	(void)state;

	load(&f, "mp3_cbr64_44100_mono.mp3", 0);
	assert_int_equal(aac_profile_detect(f.p, f.len, f.n, &got), -1);
	assert_int_equal(aac_profile_detect(NULL, NULL, 0, &got), -1);
	f.len[0] = 3;
	assert_int_equal(aac_profile_detect(f.p, f.len, f.n, &got), -1);
	assert_int_equal(got, AAC_HE);
}

/* Payloads of noise behind good headers: an answer or none, but no harm. */
static void
test_noise(void **state)
{
	static struct frames f;
	uint32_t seed = 1;
	(void)state;

	for (int round = 0; round < 5; round++) {
		enum aac_profile got;
		load(&f, "heaac_v2_48000_stereo_32k.aac", 0);
		for (size_t i = 0; i < f.n; i++)
			for (uint32_t b = 7; b < f.len[i]; b++)
				f.bytes[i][b] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		int rc = aac_profile_detect(f.p, f.len, f.n, &got);
		assert_true(rc == 0 || rc == -1);
	}
	assert_no_child_left();
}

static int64_t
detect_with(const char *behaviour, int want)
{
	static struct frames f;
	enum aac_profile got = AAC_HE_V2;

	load(&f, "heaac_v1_48000_stereo_64k.aac", 0);
	setenv(BEHAVIOUR, behaviour, 1);
	int64_t before = clock_mono_now().ns;
	assert_int_equal(aac_profile_detect(f.p, f.len, f.n, &got), want);
	unsetenv(BEHAVIOUR);
	assert_int_equal(got, AAC_HE_V2);
	assert_no_child_left();
	return clock_mono_now().ns - before;
}

static void
test_decoder_crashes(void **state)
{
	(void)state;
	assert_true(detect_with("crash", -1) < 2 * NS_PER_S);
	assert_true(detect_with("exit", -1) < 2 * NS_PER_S);
	assert_true(detect_with("lie", -1) < 2 * NS_PER_S);
}

static void
test_decoder_hangs(void **state)
{
	(void)state;
	int64_t took = detect_with("hang", -1);
	assert_true(took >= 2 * NS_PER_S);
	assert_true(took < 30 * NS_PER_S);
}

static void
test_no_file_is_inherited(void **state)
{
	(void)state;
	/* the process answers nothing when it finds a file open besides the standard ones */
	int fd = dup(STDERR_FILENO);
	assert_true(fd > STDERR_FILENO);
	detect_with("files", 0);
	close(fd);
}

static int
misbehave(const char *how)
{
	if (strcmp(how, "crash") == 0)
		raise(SIGKILL);
	if (strcmp(how, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(how, "lie") == 0)
		return write(STDOUT_FILENO, "x", 1) == 1;
	if (strcmp(how, "files") == 0) {
		for (int fd = STDERR_FILENO + 1; fd < 1000; fd++)
			if (dup2(fd, fd) == fd)
				return 1;
		return write(STDOUT_FILENO, "2", 1) != 1;
	}
	return 1;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_not_adts),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_decoder_crashes),
		cmocka_unit_test(test_decoder_hangs),
		cmocka_unit_test(test_no_file_is_inherited),
	};

	if (argc > 0 && strcmp(argv[0], AAC_PROFILE_CHILD) == 0)
		return getenv(BEHAVIOUR) ? misbehave(getenv(BEHAVIOUR)) : aac_profile_child_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
