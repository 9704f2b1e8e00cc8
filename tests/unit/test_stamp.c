/* Stamping: anchors, drift, stalls, jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "segmenter/input/stamp.h"

#define RATE 48000
#define MS NS_PER_MS

static const struct wall T0 = { INT64_C(1795251600) * NS_PER_S };

static struct wall
at(int64_t ms)
{
	return (struct wall){ T0.ns + ms * MS };
}

/* `ms` of media, in samples. */
static uint64_t
media(int64_t ms)
{
	return (uint64_t)ms * RATE / 1000;
}

static void
burst_lies_in_the_past(void **state)
{
	struct stamp s;

	(void)state;
	stamp_init(&s, RATE);
	/* 4 s of old audio at once, then real time */
	assert_int_equal(stamp_arrived(&s, at(0), 0, media(1000)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(5), 0, media(4000)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(500), 0, media(4500)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(1000), 0, media(5000)), STAMP_RELEASE);
	int64_t first = stamp_wall(&s, 0).ns - T0.ns;
	assert_in_range(-first, 3995 * MS, 4000 * MS);
}

static void
anchor_is_the_lowest(void **state)
{
	struct stamp s;

	(void)state;
	stamp_init(&s, RATE);
	assert_int_equal(stamp_arrived(&s, at(180), 0, media(100)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(310), 0, media(300)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(790), 0, media(700)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(1290), 0, media(1200)), STAMP_RELEASE);
	assert_int_equal(stamp_wall(&s, 0).ns, at(10).ns);
}

static void
silence_after_a_burst_ends_the_hold(void **state)
{
	struct stamp s;

	(void)state;
	stamp_init(&s, RATE);
	assert_int_equal(stamp_tick(&s, at(0)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(100), 0, media(300)), STAMP_HOLD);
	assert_int_equal(stamp_tick(&s, at(900)), STAMP_HOLD);
	assert_int_equal(stamp_tick(&s, at(1100)), STAMP_RELEASE);
	assert_int_equal(stamp_wall(&s, 0).ns, at(-200).ns);
}

static void
settle(struct stamp *s)
{
	stamp_init(s, RATE);
	for (int64_t ms = 100; ms <= 1100; ms += 100)
		stamp_arrived(s, at(ms), 0, media(ms));
	assert_int_equal(s->state, STAMP_STEADY);
	assert_int_equal(stamp_wall(s, 0).ns, at(0).ns);
}

static void
stall_and_burst_is_no_jump(void **state)
{
	struct stamp s;

	(void)state;
	settle(&s);
	/* nothing for 2.5 s, then all of it within 300 ms */
	assert_int_equal(stamp_tick(&s, at(2600)), STAMP_RELEASE);
	assert_int_equal(stamp_arrived(&s, at(3600), media(1100), media(1400)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(3700), media(1100), media(2000)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(3900), media(1100), media(3880)), STAMP_RELEASE);
	assert_int_equal(stamp_wall(&s, media(1400)).ns, at(1400).ns);
	assert_int_equal(s.jumps, 0);
}

static void
lost_audio_is_a_new_run(void **state)
{
	struct stamp s;

	(void)state;
	settle(&s);
	/* 3 s of media never come: what arrives now is 3 s late against the mapping, and stays so */
	int64_t ms = 4200;
	for (; ms < 5200; ms += 100)
		assert_int_equal(stamp_arrived(&s, at(ms), media(1100), media(ms - 3000)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(ms), media(1100), media(ms - 3000)), STAMP_NEW_RUN);
	assert_int_equal(s.jumps, 1);
	/* position 0 is the first held sample */
	assert_int_equal(stamp_wall(&s, 0).ns, at(4100).ns);
	assert_int_equal(stamp_arrived(&s, at(ms + 100), media(1100), media(1200)), STAMP_RELEASE);
}

static void
too_fast_is_a_new_run_in_the_past(void **state)
{
	struct stamp s;

	(void)state;
	settle(&s);
	assert_int_equal(stamp_arrived(&s, at(1200), media(1100), media(9000)), STAMP_HOLD);
	assert_int_equal(stamp_tick(&s, at(2200)), STAMP_NEW_RUN);
	assert_int_equal(stamp_wall(&s, 0).ns, at(1200 - 7900).ns);
}

static void
drift_is_followed_slowly(void **state)
{
	struct stamp s;
	int64_t last_error = 0;

	(void)state;
	settle(&s);
	/* the encoder's clock is 50 ppm slow: after an hour its media lag by 180 ms */
	for (int64_t ms = 1200; ms <= 3600 * 1000; ms += 100) {
		uint64_t end = media(ms) - media(ms) / 20000;
		assert_int_equal(stamp_arrived(&s, at(ms), end, end), STAMP_RELEASE);
		int64_t before = stamp_wall(&s, end - media(100)).ns, now = stamp_wall(&s, end).ns;
		int64_t bend = now - before - 100 * MS;
		assert_in_range(bend + 20000, 0, 2 * 20000 + 2); /* 200 ppm of 100 ms */
		last_error = at(ms).ns - now;
	}
	assert_in_range(last_error + 7 * MS, 0, 14 * MS);
	assert_int_equal(s.jumps, 0);
}

static void
steady_encoder_is_left_alone(void **state)
{
	struct stamp s;

	(void)state;
	settle(&s);
	/* everything comes 4 ms later, for an hour */
	for (int64_t ms = 1200; ms <= 3600 * 1000; ms += 100)
		assert_int_equal(stamp_arrived(&s, at(ms + 4), media(ms), media(ms)), STAMP_RELEASE);
	assert_int_equal(stamp_wall(&s, media(3600 * 1000)).ns, at(3600 * 1000).ns);
	for (int64_t ms = 0; ms <= 60 * 1000; ms += 100)
		stamp_arrived(&s, at(3601 * 1000 + ms + 6), media(3601 * 1000 + ms), media(3601 * 1000 + ms));
	stamp_wall(&s, media(3661 * 1000)); /* where the slew begins to be spent */
	assert_int_equal(stamp_wall(&s, media(3762 * 1000)).ns, at(3762 * 1000 + 6).ns);
}

static void
given_start_is_kept_while_catching_up(void **state)
{
	struct stamp s;

	(void)state;
	stamp_init_given(&s, RATE, at(-7200 * 1000));
	assert_int_equal(stamp_arrived(&s, at(0), 0, media(1000)), STAMP_RELEASE);
	assert_int_equal(stamp_wall(&s, media(1000)).ns, at(-7199 * 1000).ns);
	assert_int_equal(stamp_arrived(&s, at(3000), 0, media(7203 * 1000)), STAMP_RELEASE);
	assert_true(s.caught_up);
	assert_int_equal(stamp_wall(&s, media(7203 * 1000)).ns, at(3000).ns);
	/* and later a source that stands still for longer than a second has lost audio */
	for (int64_t ms = 9000; ms < 10000; ms += 100)
		assert_int_equal(
		    stamp_arrived(&s, at(ms), media(7203000), media(7203000 + ms - 8900)), STAMP_HOLD);
	assert_int_equal(stamp_arrived(&s, at(10000), media(7203000), media(7203000 + 1100)), STAMP_NEW_RUN);
	assert_int_equal(stamp_wall(&s, 0).ns, at(8900).ns);
}

static void
finish_uses_what_is_known(void **state)
{
	struct stamp s;

	(void)state;
	stamp_init(&s, RATE);
	assert_int_equal(stamp_finish(&s), STAMP_HOLD);
	stamp_arrived(&s, at(100), 0, media(60));
	assert_int_equal(stamp_finish(&s), STAMP_RELEASE);
	assert_int_equal(stamp_wall(&s, 0).ns, at(40).ns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_lies_in_the_past),
		cmocka_unit_test(anchor_is_the_lowest),
		cmocka_unit_test(silence_after_a_burst_ends_the_hold),
		cmocka_unit_test(stall_and_burst_is_no_jump),
		cmocka_unit_test(lost_audio_is_a_new_run),
		cmocka_unit_test(too_fast_is_a_new_run_in_the_past),
		cmocka_unit_test(drift_is_followed_slowly),
		cmocka_unit_test(steady_encoder_is_left_alone),
		cmocka_unit_test(given_start_is_kept_while_catching_up),
		cmocka_unit_test(finish_uses_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
