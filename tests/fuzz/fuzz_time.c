/* Any bytes as the time parameters of a request and as what is kept: it ends in a span that is sound and that its own
 * canonical query gives again, or in a fault. The first bytes are the facts, the rest lines of "name=value". */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/log.h"
#include "base/text.h"
#include "rewind/resolve.h"
#include "rewind/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct programme list[] = {
	{ .id = "a", .start = { INT64_C(1795240800) * NS_PER_S }, .end = { INT64_C(1795248000) * NS_PER_S } },
	{ .id = "b", .start = { INT64_C(1795248000) * NS_PER_S }, .end = { INT64_C(1795255200) * NS_PER_S } },
	{ .id = "c", .start = { INT64_MIN }, .end = { INT64_MAX } },
};
static struct programmes programmes = { .list = list, .count = 3 };

/* Stand-ins for a module whose own parser is not under test here. */
__attribute__((weak)) const struct programme *
programmes_at(const struct programmes *p, struct wall at)
{
	return at.ns % 5 == 0 ? NULL : &p->list[(uint64_t)at.ns % p->count];
}

__attribute__((weak)) const struct programme *
programmes_find(const struct programmes *p, const char *id)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->list[i].id, id) == 0)
			return &p->list[i];
	return NULL;
}

static struct zone *
zone(unsigned which)
{
	static const char *const names[] = { "UTC", "Europe/Paris", "Australia/Lord_Howe", "America/New_York" };
	static struct zone *zones[4];

	if (!zones[which % 4])
		zones[which % 4] = zone_new(names[which % 4]);
	CHECK(zones[which % 4]);
	return zones[which % 4];
}

/* Cuts `text` into values, the last of each name. */
static struct time_request
parameters(char *text)
{
	struct time_request r = { 0 };
	char *save, *line = strtok_r(text, "&\n", &save);

	for (; line; line = strtok_r(NULL, "&\n", &save)) {
		char *value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		const char **where = strcmp(line, "from") == 0        ? &r.from
				     : strcmp(line, "to") == 0        ? &r.to
				     : strcmp(line, "duration") == 0  ? &r.duration
				     : strcmp(line, "delay") == 0     ? &r.delay
				     : strcmp(line, "programme") == 0 ? &r.programme
								      : NULL;
		if (where)
			*where = value;
	}
	return r;
}

static void
check_span(const struct time_span *s, uint32_t T, int64_t max_span_ns)
{
	int64_t line = T * NS_PER_S;
	uint64_t most = max_span_ns > 0 ? (uint64_t)(max_span_ns / line + (max_span_ns % line != 0)) : 1;
	char query[128];
	struct text t;
	struct time_span again;

	if (s->kind == TIME_FROM || s->kind == TIME_SPAN) {
		CHECK(s->first < s->end);
		CHECK(s->end - s->first <= most);
		CHECK(s->kind == TIME_SPAN || s->end - s->first == most);
	} else {
		CHECK(s->delay_s >= 0 && s->delay_s % T == 0);
	}
	CHECK(!(s->fixed && s->clamped));
	text_init_fixed(&t, query, sizeof query);
	time_span_query(&t, s, T);
	CHECK(!t.full);
	query[t.len] = '\0';
	struct time_request r = parameters(query);
	CHECK(time_canonical(&r, T, max_span_ns, &again));
	CHECK(again.kind == s->kind && again.first == s->first && again.end == s->end && again.delay_s == s->delay_s);
	CHECK(again.fixed && !again.clamped);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t durations[] = { 2, 6, 10, 3600 };
	struct cursor c = cursor_of(data, size);
	unsigned bits = cursor_u8(&c);
	struct time_facts f = { .T = durations[bits & 3], .zone = zone(bits >> 2 & 3) };

	/* wild facts are any 64 bits; tame ones lie around a day in 2026, in seconds */
	int64_t unit = bits & 16 ? 1 : NS_PER_S, base = bits & 16 ? 0 : INT64_C(1795262400) * NS_PER_S;
	int64_t v[4];
	for (size_t i = 0; i < 4; i++) {
		uint64_t raw = cursor_be(&c, bits & 16 ? 8 : 4);
		v[i] = bits & 16 ? (int64_t)raw : (int32_t)raw / 256;
	}
	f.now.ns = base + v[0] * unit;
	f.oldest.ns = base - (bits & 16 ? 0 : 1209600 * NS_PER_S) + v[1] * unit;
	f.newest_end.ns = base + v[2] * unit;
	f.retention_ns = 14 * 86400 * NS_PER_S;
	f.max_span_ns = bits & 16 ? v[3] : (v[3] & 0xFFFFF) * NS_PER_S;
	f.programmes = bits & 32 ? NULL : &programmes;

	size_t n = cursor_left(&c);
	char *text = malloc(n + 1);
	if (!text)
		return 0;
	memcpy(text, c.p, n);
	text[n] = '\0';
	struct time_request r = parameters(text);
	struct time_span s;
	struct time_fault why;
	if (time_resolve(&r, &f, &s, &why) == 0) {
		check_span(&s, f.T, f.max_span_ns);
	} else {
		CHECK(why.status == 400 || why.status == 404 || why.status == 410);
		CHECK(why.retry_after_s >= 0 && why.retry_after_s <= 3600 &&
		      (why.retry_after_s == 0 || why.status == 404));
		CHECK(strlen(why.detail) < sizeof why.detail - 1);
	}
	if (time_canonical(&r, f.T, f.max_span_ns, &s))
		check_span(&s, f.T, f.max_span_ns);
	free(text);
	return 0;
}
