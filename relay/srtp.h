/* SRTP (RFC 3711) with one secret for a deployment. A run's session key is derived from the secret and the run id, so
 * no two runs share a key and the packets of a run can be read from any point on. Each packet says its index in the run
 * (RTP_ID_POSITION, authenticated, not encrypted), so the roll-over counter is known and is not guessed. */
#ifndef HINDCAST_SRTP_H
#define HINDCAST_SRTP_H

#include <stddef.h>
#include <stdint.h>

#include "relay/rtp.h"

struct text;

#define SRTP_SECRET_MIN 30
#define SRTP_SECRET_MAX 64
#define SRTP_TAG 16 /* most bytes that protection adds to a packet */

struct srtp_secret {
	uint8_t bytes[SRTP_SECRET_MAX];
	uint32_t len;
};

/* Read a secret: one line of base64 or hex for 30 to 64 bytes; white space around it and lines that begin with '#' are
 * passed over. 0, or -1 with what is wrong and what to do appended to *why, which never shows the secret. */
int srtp_secret_parse(const char *text, size_t len, struct srtp_secret *out, struct text *why);
/* The same from a file, which only its owner and group may read. */
int srtp_secret_load(const char *path, struct srtp_secret *out, struct text *why);

enum srtp_result {
	SRTP_OK = 0,
	SRTP_DUPLICATE = 1,   /* the packet has been read before */
	SRTP_FORGED = -1,     /* its tag is wrong: another key, or not these bytes */
	SRTP_IMPOSSIBLE = -2, /* too short for a tag, or no room for one */
	SRTP_MEMORY = -3,     /* memory, or the library, failed */
};

/* One run in one direction; on the heap. */
struct srtp_run;

enum srtp_direction { SRTP_SEND, SRTP_RECEIVE };

/* 0, or SRTP_MEMORY with *out untouched. */
int srtp_run_new(const struct srtp_secret *secret, const uint8_t run_id[static RTP_RUN_ID], uint32_t ssrc,
    enum srtp_direction direction, struct srtp_run **out);
void srtp_run_free(struct srtp_run **run);

/* Encrypt in place: *len bytes of `size`, of which at least SRTP_TAG are free behind the packet. `extended` is its
 * sequence number with the roll-over counter above it. The same packet may be protected again and gives the same bytes.
 * 0 with the new *len, or an error with the packet undefined. */
int srtp_run_protect(struct srtp_run *run, uint64_t extended, uint8_t *packet, size_t *len, size_t size);
/* Check and decrypt in place, in any order and from any point of the run. Duplicates are found among the last 2^15
 * packets before the newest; older packets may be read again. 0 with the new *len; else the packet is undefined. */
int srtp_run_unprotect(struct srtp_run *run, uint64_t extended, uint8_t *packet, size_t *len);

#endif
