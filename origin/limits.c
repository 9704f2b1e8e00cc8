/* Counting connections. */
#include "origin/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct limit_slot {
	struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d; IPv6 by its /64, which one subscriber has to himself */
	unsigned count;          /* 0: the slot is free */
};

int
limits_init(struct limits *l, unsigned soft, unsigned most, unsigned per_address)
{
	*l = (struct limits){ .soft = soft, .most = most, .per_address = per_address, .margin = 64 + most / 64 };
	l->slot_count = 64;
	/* at most half full, so that probing ends */
	while (l->slot_count < 2 * (l->most + l->margin + 1))
		l->slot_count *= 2;
	if (per_address) {
		l->slots = calloc(l->slot_count, sizeof *l->slots);
		if (!l->slots)
			return -1;
	}
	pthread_mutex_init(&l->lock, NULL);
	return 0;
}

void
limits_fini(struct limits *l)
{
	free(l->slots);
	l->slots = NULL;
	pthread_mutex_destroy(&l->lock);
}

static struct in6_addr
key_of(const struct sockaddr *from)
{
	struct in6_addr key = { 0 };

	if (from->sa_family == AF_INET6) {
		key = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
		if (!IN6_IS_ADDR_V4MAPPED(&key))
			memset(key.s6_addr + 8, 0, 8);
	} else if (from->sa_family == AF_INET) {
		key.s6_addr[10] = key.s6_addr[11] = 0xFF;
		memcpy(key.s6_addr + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
	}
	return key;
}

static unsigned
home_of(const struct limits *l, const struct in6_addr *key)
{
	uint64_t a, b;
	memcpy(&a, key->s6_addr, 8);
	memcpy(&b, key->s6_addr + 8, 8);
	uint64_t h = (a ^ (b * UINT64_C(0x9E3779B97F4A7C15))) * UINT64_C(0xD6E8FEB86659FD93);
	return (unsigned)(h >> 32) & (l->slot_count - 1);
}

/* The slot of an address, or the free one where it would be. */
static unsigned
find(const struct limits *l, const struct in6_addr *key)
{
	unsigned i = home_of(l, key);
	while (l->slots[i].count && memcmp(&l->slots[i].address, key, sizeof *key))
		i = (i + 1) & (l->slot_count - 1);
	return i;
}

/* Free a slot and move up those that had to step over it (Knuth 6.4, algorithm R). */
static void
remove_slot(struct limits *l, unsigned i)
{
	unsigned mask = l->slot_count - 1;
	for (unsigned j = (i + 1) & mask; l->slots[j].count; j = (j + 1) & mask) {
		unsigned home = home_of(l, &l->slots[j].address);
		if (((j - home) & mask) >= ((j - i) & mask)) {
			l->slots[i] = l->slots[j];
			i = j;
		}
	}
	l->slots[i].count = 0;
}

bool
limits_may_accept(struct limits *l, const struct sockaddr *from)
{
	bool ok = atomic_load_explicit(&l->connections, memory_order_relaxed) < l->most + l->margin;

	if (ok && l->per_address) {
		struct in6_addr key = key_of(from);
		pthread_mutex_lock(&l->lock);
		/* a few more than allowed are told so */
		ok = l->slots[find(l, &key)].count < l->per_address + 8;
		pthread_mutex_unlock(&l->lock);
	}
	if (!ok)
		atomic_fetch_add_explicit(&l->refused, 1, memory_order_relaxed);
	return ok;
}

enum limit_verdict
limits_enter(struct limits *l, const struct sockaddr *from)
{
	unsigned before = atomic_fetch_add_explicit(&l->connections, 1, memory_order_relaxed), count = 0;

	if (l->per_address) {
		struct in6_addr key = key_of(from);
		pthread_mutex_lock(&l->lock);
		unsigned i = find(l, &key);
		l->slots[i].address = key;
		count = ++l->slots[i].count;
		pthread_mutex_unlock(&l->lock);
	}
	if (before >= l->most)
		return LIMIT_CONNECTIONS;
	return l->per_address && count > l->per_address ? LIMIT_ADDRESS : LIMIT_WITHIN;
}

void
limits_leave(struct limits *l, const struct sockaddr *from)
{
	atomic_fetch_sub_explicit(&l->connections, 1, memory_order_relaxed);
	if (!l->per_address)
		return;
	struct in6_addr key = key_of(from);
	pthread_mutex_lock(&l->lock);
	unsigned i = find(l, &key);
	CHECK(l->slots[i].count > 0);
	if (--l->slots[i].count == 0)
		remove_slot(l, i);
	pthread_mutex_unlock(&l->lock);
}

bool
limits_full(const struct limits *l)
{
	return atomic_load_explicit(&l->connections, memory_order_relaxed) > l->soft;
}
