/* The newest entries. The array is small and shifted: the live list wants it in one piece. */
#include "rewind/store_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
window_init(struct store_window *w, uint32_t size)
{
	*w = (struct store_window){ .size = size ? size : 1 };
	w->entries = calloc(w->size, sizeof *w->entries);
	return w->entries ? 0 : -ENOMEM;
}

void
window_fini(struct store_window *w)
{
	free(w->entries);
	*w = (struct store_window){ 0 };
}

static void
push(struct store_window *w, const struct hour_entry *e)
{
	if (w->count == w->size)
		memmove(w->entries, w->entries + 1, --w->count * sizeof *e);
	w->entries[w->count++] = *e;
}

void
window_push(struct store_window *w, const struct hour_entry *e, enum codec codec, uint32_t T)
{
	if (w->count) {
		const struct hour_entry newest = w->entries[w->count - 1];
		uint64_t from = newest.msn + 1;
		if (e->msn - from >= w->size)
			from = e->msn - w->size + 1;
		for (; from < e->msn; from++) {
			struct hour_entry gap = hour_gap(from, T, newest.kind, newest.discontinuity_sequence);
			push(w, &gap);
		}
	}
	push(w, e);
	if (!e->gap && codec == CODEC_MP3)
		w->dependent = e->msn + 1;
}

const struct hour_entry *
window_listed(const struct store_window *w, size_t *count)
{
	size_t first = 0;
	while (first < w->count && w->entries[first].msn < w->born)
		first++;
	while (first + 3 < w->count && w->entries[first].gap)
		first++;
	*count = w->count - first;
	return w->entries + first;
}

bool
window_independent(const struct store_window *w)
{
	size_t count;
	const struct hour_entry *listed = window_listed(w, &count);
	return count > 0 && w->dependent <= listed->msn;
}
