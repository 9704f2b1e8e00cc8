/* Packets that wait to be sent by UDP. */
#include "relay/spool.h"

#include <stdlib.h>
#include <string.h>

#include "relay/rtp.h"

#define SLOTS 16384u
#define SLICE_LEAST 16
#define SLICE_USUAL_MAX 64

int
spool_init(struct spool *s)
{
	*s = (struct spool){ 0 };
	s->slots = calloc(SLOTS, RTP_PACKET_MAX); /* the system gives the memory when it is used */
	s->lens = calloc(SLOTS, sizeof(*s->lens));
	if (s->slots && s->lens)
		return 0;
	spool_fini(s);
	return -1;
}

void
spool_fini(struct spool *s)
{
	free(s->slots);
	free(s->lens);
	*s = (struct spool){ 0 };
}

int
spool_put(struct spool *s, const uint8_t *packet, size_t len)
{
	if (s->count == SLOTS || len > RTP_PACKET_MAX)
		return -1;
	if (s->count == 0)
		s->first = 0; /* so that only as much memory is touched as is needed */
	uint32_t at = (s->first + s->count++) % SLOTS;
	memcpy(s->slots + (size_t)at * RTP_PACKET_MAX, packet, len);
	s->lens[at] = (uint16_t)len;
	return 0;
}

void
spool_plan(struct spool *s)
{
	uint32_t even = (s->count + SPOOL_SLICES - 1) / SPOOL_SLICES;
	uint32_t most = s->count <= SLICE_USUAL_MAX * SPOOL_SLICES ? SLICE_USUAL_MAX : SPOOL_SLICE_MAX;

	s->slice = even < SLICE_LEAST ? SLICE_LEAST : even > most ? most : even;
}

unsigned
spool_next(struct spool *s, struct iovec out[static SPOOL_SLICE_MAX], int all)
{
	uint32_t n = all ? SPOOL_SLICE_MAX : s->slice;

	if (n > s->count)
		n = s->count;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (s->first + i) % SLOTS;
		out[i].iov_base = s->slots + (size_t)at * RTP_PACKET_MAX;
		out[i].iov_len = s->lens[at];
	}
	s->first = (s->first + n) % SLOTS;
	s->count -= n;
	return n;
}
