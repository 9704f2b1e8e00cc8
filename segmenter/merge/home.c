/* When the output returns to a better input. */
#include "segmenter/merge/home.h"

#include <string.h>

#include "segmenter/merge/place.h"

#define US_PER_S 1000000
#define LONGEST_US 1030000 /* that counts of one second, with the frames on its edges */

void
home_supplied(struct merge_input *in, struct wall at, uint32_t samples, uint32_t rate)
{
	int64_t second = at.ns / NS_PER_S;

	if (second > in->newest_s + MERGE_SUPPLY)
		memset(in->supply_us, 0, sizeof(in->supply_us));
	for (int64_t s = in->newest_s + 1; s <= second && s <= in->newest_s + MERGE_SUPPLY; s++)
		in->supply_us[s % MERGE_SUPPLY] = 0;
	if (second > in->newest_s)
		in->newest_s = second;
	if (second < 0 || second <= in->newest_s - MERGE_SUPPLY)
		return;
	in->supply_us[second % MERGE_SUPPLY] += (uint32_t)(samples_to_ns(samples, rate) / 1000);
}

bool
home_settled(const struct merge *m, const struct merge_input *in, struct wall at)
{
	int64_t end = (at.ns - m->config.patience_ns) / NS_PER_S, settle = m->config.settle_ns / NS_PER_S, sum = 0;
	int64_t frame_us = m->slot_ns / 1000;

	if (end - settle <= in->newest_s - MERGE_SUPPLY)
		return false;
	for (int64_t s = end - settle; s < end; s++) {
		uint32_t us = s <= in->newest_s ? in->supply_us[s % MERGE_SUPPLY] : 0;
		sum += us < LONGEST_US ? us : LONGEST_US;
	}
	return sum + frame_us >= settle * US_PER_S / 100 * 99;
}

static struct choice_input
choice_input(const struct merge *m, unsigned input)
{
	return (struct choice_input){ m->chosen == input, m->inputs[input].priority, m->inputs[input].name };
}

bool
home_on_air(const struct merge *m, unsigned input, struct wall at)
{
	const struct line *l = &m->twins.lines[m->twins.on_air];

	for (unsigned i = 0; i < m->twins.end; i++) {
		const struct run *r = &m->twins.runs[i];
		if ((l->members >> i & 1) && r->input == input &&
		    r->last_wall.ns + run_offset_ns(r) >= at.ns - m->config.patience_ns - NS_PER_S)
			return true;
	}
	return false;
}

/* Is it better than all that supply the line on air? */
static bool
is_better(const struct merge *m, unsigned input, struct wall at)
{
	struct choice_input c = choice_input(m, input);

	for (unsigned i = 0; i < m->input_count; i++) {
		struct choice_input b = choice_input(m, i);
		if (home_on_air(m, i, at) && choice_compare_inputs(&c, &b) >= 0)
			return false;
	}
	return true;
}

unsigned
home_better(const struct merge *m, struct wall at)
{
	unsigned best = MERGE_NONE;

	if (m->twins.on_air == TWINS_NONE)
		return MERGE_NONE;
	for (unsigned i = 0; i < m->input_count; i++) {
		struct choice_input c = choice_input(m, i);
		if (best != MERGE_NONE) {
			struct choice_input b = choice_input(m, best);
			if (choice_compare_inputs(&c, &b) > 0)
				continue;
		}
		if (is_better(m, i, at) && home_settled(m, &m->inputs[i], at))
			best = i;
	}
	return best;
}
