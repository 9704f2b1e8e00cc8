/* Packets that wait to be sent by UDP, a few at a time: a receiver's socket of the usual size (212,992 bytes, in which
 * a small packet counts as about 1,300) holds some 160 of them, so what a tick has brought is spread over the tick. */
#ifndef HINDCAST_SPOOL_H
#define HINDCAST_SPOOL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define SPOOL_SLICE_MAX 128 /* packets of one slice */

struct spool {
	uint8_t *slots;
	uint16_t *lens;
	uint32_t first, count, slice;
};

/* 0, or -1 without memory. */
int spool_init(struct spool *s);
void spool_fini(struct spool *s);
/* Take a copy of a packet of at most RTP_PACKET_MAX bytes. 0, or -1 when there is no room. */
int spool_put(struct spool *s, const uint8_t *packet, size_t len);
/* A tick is over: its packets, and what was left of those before, go out in the next SPOOL_SLICES slices. */
#define SPOOL_SLICES 16
void spool_plan(struct spool *s);
/* The next slice: up to SPOOL_SLICE_MAX packets, good until the next spool_put; returns how many. `all`: more than a
 * slice, at the end. */
unsigned spool_next(struct spool *s, struct iovec out[static SPOOL_SLICE_MAX], int all);

#endif
