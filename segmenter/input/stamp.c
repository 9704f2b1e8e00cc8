/* Stamping: the wall time of every sample of a run, from the times at which its bytes arrived. */
#include "segmenter/input/stamp.h"

#define HOLD_NS NS_PER_S          /* how long the anchor, and a jump, are judged */
#define JUMP_NS NS_PER_S          /* how far arrivals must be off to be judged */
#define WINDOW_NS (10 * NS_PER_S) /* the envelope is the lowest arrival in a window of this length */
#define SLEW_PPM 200
#define DEAD_NS (5 * NS_PER_MS) /* the envelope may be off by so much: what is steady is left alone */

void
stamp_init(struct stamp *s, uint32_t rate)
{
	*s = (struct stamp){ .rate = rate, .state = STAMP_ANCHORING, .lowest_ns = INT64_MAX, .envelope_ns = INT64_MAX };
}

void
stamp_init_given(struct stamp *s, uint32_t rate, struct wall start)
{
	stamp_init(s, rate);
	s->state = STAMP_STEADY;
	s->given = true;
	s->base_ns = start.ns;
}

/* The anchor or the jump has been judged: `lowest_ns` is the new base. */
static void
stamp_anchor(struct stamp *s, struct wall now)
{
	s->base_ns = s->lowest_ns;
	s->slew_ns = 0;
	s->state = STAMP_STEADY;
	s->window = now;
	s->envelope_ns = INT64_MAX;
}

static enum stamp_verdict
stamp_begin_run(struct stamp *s, struct wall now)
{
	s->lowest_ns += samples_to_ns(s->held_from, s->rate); /* position 0 is the first held sample from here on */
	s->slewed_to = 0;
	s->held_from = 0;
	s->given = false;
	s->jumps++;
	stamp_anchor(s, now);
	return STAMP_NEW_RUN;
}

/* Time has passed while holding. */
static enum stamp_verdict
stamp_judge(struct stamp *s, struct wall now)
{
	if (now.ns - s->since.ns < HOLD_NS || s->lowest_ns == INT64_MAX)
		return STAMP_HOLD;
	if (s->state == STAMP_JUDGING)
		return stamp_begin_run(s, now);
	stamp_anchor(s, now);
	return STAMP_RELEASE;
}

/* Follow the lower envelope of arrivals: once a window, what it was off becomes slew to be spent. Within the dead band
 * it is not followed, so that of a steady encoder two receivers' mappings differ by a constant. */
static void
stamp_follow(struct stamp *s, struct wall now, int64_t off)
{
	if (off < s->envelope_ns)
		s->envelope_ns = off;
	if (s->window.ns == 0)
		s->window = now;
	if (now.ns - s->window.ns < WINDOW_NS)
		return;
	s->slew_ns = s->envelope_ns > DEAD_NS || s->envelope_ns < -DEAD_NS ? s->envelope_ns : 0;
	s->envelope_ns = INT64_MAX;
	s->window = now;
}

enum stamp_verdict
stamp_arrived(struct stamp *s, struct wall now, uint64_t held_from, uint64_t end)
{
	int64_t at =
	    now.ns - samples_to_ns(end, s->rate); /* wall time of position 0, if the last sample had just been spoken */

	if (s->state == STAMP_ANCHORING) {
		if (s->lowest_ns == INT64_MAX)
			s->since = now;
		if (at < s->lowest_ns)
			s->lowest_ns = at;
		return stamp_judge(s, now);
	}
	int64_t off = at - s->base_ns;
	if (s->given && !s->caught_up) {
		s->caught_up = off < JUMP_NS;
		return STAMP_RELEASE;
	}
	if (s->given && off < 0)
		off = 0; /* a paced run is taken a frame early, never far */
	if (off <= JUMP_NS && off >= -JUMP_NS) {
		/* also after a stall: its burst has brought the arrivals back, so nothing was lost */
		s->state = STAMP_STEADY;
		if (!s->given)
			stamp_follow(s, now, off);
		return STAMP_RELEASE;
	}
	if (s->state == STAMP_STEADY) {
		s->state = STAMP_JUDGING;
		s->since = now;
		s->lowest_ns = INT64_MAX;
		s->held_from = held_from;
	}
	if (at < s->lowest_ns)
		s->lowest_ns = at;
	return stamp_judge(s, now);
}

enum stamp_verdict
stamp_tick(struct stamp *s, struct wall now)
{
	if (s->state == STAMP_STEADY)
		return STAMP_RELEASE;
	return stamp_judge(s, now);
}

enum stamp_verdict
stamp_finish(struct stamp *s)
{
	if (s->state == STAMP_STEADY)
		return STAMP_RELEASE;
	if (s->lowest_ns == INT64_MAX)
		return STAMP_HOLD;
	if (s->state == STAMP_JUDGING)
		return stamp_begin_run(s, s->since);
	stamp_anchor(s, s->since);
	return STAMP_RELEASE;
}

struct wall
stamp_wall(struct stamp *s, uint64_t position)
{
	if (s->slew_ns != 0 && position > s->slewed_to) {
		int64_t most = samples_to_ns(position - s->slewed_to, s->rate) / 1000000 * SLEW_PPM;
		most += samples_to_ns(position - s->slewed_to, s->rate) % 1000000 * SLEW_PPM / 1000000;
		int64_t spend = s->slew_ns;
		if (spend > most)
			spend = most;
		if (spend < -most)
			spend = -most;
		s->base_ns += spend;
		s->slew_ns -= spend;
	}
	s->slewed_to = position;
	return (struct wall){ s->base_ns + samples_to_ns(position, s->rate) };
}
