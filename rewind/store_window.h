/* The newest entries of a rendition, kept in memory so that its live list needs no reading. */
#ifndef HINDCAST_STORE_WINDOW_H
#define HINDCAST_STORE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rewind/hour.h"

struct text;

struct store_window {
	struct hour_entry *entries; /* oldest first, numbers consecutive */
	size_t count, size;
	uint64_t born;      /* in a store younger than the window: its first number with media; else 0 */
	uint64_t dependent; /* the number after the newest entry of MPEG audio, which leans on the one before; or 0 */
};

/* 0, or -ENOMEM. */
int window_init(struct store_window *w, uint32_t size);
void window_fini(struct store_window *w);

/* Take the entry after the newest. Numbers between, of hours that no process saw, become gaps of the same kind. */
void window_push(struct store_window *w, const struct hour_entry *e, enum codec codec, uint32_t T);

/* What the live list names: gaps at its front are left out, of a young store all of them and otherwise while three
 * entries remain (RFC 8216 6.2.2: removing segments never leaves less than three target durations). */
const struct hour_entry *window_listed(const struct store_window *w, size_t *count);

/* Whether each listed segment decodes alone. */
bool window_independent(const struct store_window *w);

#endif
