/* Which of several lines goes on air: one ladder. */
#include "segmenter/merge/choice.h"

#include <string.h>

int
choice_compare_inputs(const struct choice_input *a, const struct choice_input *b)
{
	if (a->chosen != b->chosen)
		return a->chosen ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return strcmp(a->name, b->name);
}

int
choice_compare(const struct choice *a, const struct choice *b)
{
	int by_input = choice_compare_inputs(&a->input, &b->input);

	if (by_input != 0)
		return by_input;
	if (run_before(a->run, b->run))
		return -1;
	return run_before(b->run, a->run);
}
