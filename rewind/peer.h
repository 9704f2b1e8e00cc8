/* A peer: another origin over the same stations, asked over HTTP for files of its store. Calls block: they are made
 * from a thread of their own. Nothing that a peer sends is trusted, nor can it make memory grow or a call last for
 * ever. */
#ifndef HINDCAST_PEER_H
#define HINDCAST_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer;
struct text;

struct peer_config {
	const char *url;         /* "http://origin-b:8080", copied */
	int64_t rate;            /* bytes/s that it may be asked for; 0: as fast as it goes */
	int64_t timeout_ns;      /* of one answer, when there is no rate; with one, longer by what its bytes take */
	bool (*stop)(void *ctx); /* asked about once a second and after each answer: true ends the call; NULL: never */
	void *ctx;
};

/* What peer_open takes: http:// or https://, a host, maybe a port and a path; no user, query or fragment. */
bool peer_url_good(const char *url);

/* 0 with *out owned by the caller (peer_close), or -EINVAL (the URL) or -ENOMEM. */
int peer_open(const struct peer_config *config, struct peer **out);
void peer_close(struct peer **p);

/* Get a file by its path below the URL ("fip/hifi/20261121T09.m3u8") and append its bytes, at most `most`, to `out`.
 * Waits first if the bytes before were more than the rate allows. 0; -ENOENT: there is none (404, 410); -EHOSTDOWN: not
 * reached, too slow, broken off, or 5xx; -EFBIG: more than `most` bytes; -EPROTO: any other answer, redirects too;
 * -ECANCELED: stopped. What is in `out` after a failure is of no use. */
int peer_get(struct peer *p, const char *path, size_t most, struct text *out);

/* What the last failure was about, for people; valid until the next call. */
const char *peer_why(const struct peer *p);
/* The URL. */
const char *peer_name(const struct peer *p);

#endif
