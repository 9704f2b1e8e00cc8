/* SRTP with keys that are derived for each run (RFC 3711, RFC 7714 AEAD_AES_128_GCM, RFC 5869 HKDF).
 *
 * What libsrtp makes of a packet's index: it guesses the roll-over counter from the newest packet, within 2^15, unless
 * srtp_set_stream_roc was called for this packet; then it takes that one (0 means "guess"), goes forward any distance,
 * and refuses what is more than 2^15 behind the newest. So the counter is set for every packet, and packets further
 * back are read by a second session, which is made anew when it would have to go back itself. The largest replay window
 * is 2^15 - 1. The check for duplicates comes before that of the tag. */
#include "relay/srtp.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <srtp2/srtp.h>

#include "base/file.h"
#include "base/text.h"

#define WINDOW 0x7fff
#define REACH 32000 /* how far behind the newest packet a session is asked for one: less than WINDOW */
#define FILE_MAX 4096
#define KEY_SIZE SRTP_AES_GCM_128_KEY_LEN_WSALT
#define KEY_LABEL "hindcast frames aes-128-gcm"

_Static_assert(SRTP_TAG >= 16, "the tag of AEAD_AES_128_GCM");

/* ---- the secret */

static bool
all_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return len % 2 == 0;
}

static bool
all_base64(const char *s, size_t len)
{
	size_t padding = len > 1 && s[len - 1] == '=' ? s[len - 2] == '=' ? 2 : 1 : 0;

	for (size_t i = 0; i < len - padding; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '+' && s[i] != '/')
			return false;
	return len % 4 == 0;
}

static unsigned
hex_digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* Bytes that a line stands for, or -1. `out` has room for len bytes. */
static long
decode(const char *s, size_t len, uint8_t *out)
{
	if (all_hex(s, len)) {
		for (size_t i = 0; i < len; i += 2)
			out[i / 2] = (uint8_t)(hex_digit(s[i]) << 4 | hex_digit(s[i + 1]));
		return (long)(len / 2);
	}
	if (!all_base64(s, len))
		return -1;
	int n = EVP_DecodeBlock(out, (const unsigned char *)s, (int)len);
	return n - (s[len - 1] == '=') - (s[len - 2] == '=');
}

/* The next line without white space around it; NULL at the end. */
static const char *
next_line(const char **text, const char *end, size_t *len)
{
	if (*text == end)
		return NULL;
	const char *line = *text, *newline = memchr(line, '\n', (size_t)(end - line));
	const char *stop = newline ? newline : end;

	*text = newline ? newline + 1 : end;
	while (line < stop && isspace((unsigned char)*line))
		line++;
	while (stop > line && isspace((unsigned char)stop[-1]))
		stop--;
	*len = (size_t)(stop - line);
	return line;
}

static int
secret_of_line(const char *line, size_t len, struct srtp_secret *out, struct text *why)
{
	uint8_t bytes[2 * SRTP_SECRET_MAX + 4];
	long n = len <= sizeof(bytes) ? decode(line, len, bytes) : -1;

	if (n < 0) {
		text_fmt(why,
		    "the key is neither base64 nor hex of %d to %d bytes; make one with: openssl rand -base64 32",
		    SRTP_SECRET_MIN, SRTP_SECRET_MAX);
	} else if (n < SRTP_SECRET_MIN || n > SRTP_SECRET_MAX) {
		text_fmt(why, "the key has %ld bytes, want %d to %d; make one with: openssl rand -base64 32", n,
		    SRTP_SECRET_MIN, SRTP_SECRET_MAX);
		n = -1;
	} else {
		*out = (struct srtp_secret){ .len = (uint32_t)n };
		memcpy(out->bytes, bytes, (size_t)n);
	}
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return n < 0 ? -1 : 0;
}

int
srtp_secret_parse(const char *text, size_t len, struct srtp_secret *out, struct text *why)
{
	const char *end = text + len, *line, *found = NULL;
	size_t line_len, found_len = 0;

	while ((line = next_line(&text, end, &line_len)) != NULL) {
		if (line_len == 0 || line[0] == '#')
			continue;
		if (found) {
			text_str(why, "there is more than one line besides comments, want one key");
			return -1;
		}
		found = line;
		found_len = line_len;
	}
	if (!found) {
		text_str(why, "there is no key in it; make one with: openssl rand -base64 32");
		return -1;
	}
	return secret_of_line(found, found_len, out, why);
}

int
srtp_secret_load(const char *path, struct srtp_secret *out, struct text *why)
{
	struct stat st;
	struct text content;
	int r = -1;

	if (stat(path, &st) < 0) {
		text_fmt(why, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode) || st.st_mode & 0007) {
		text_fmt(why,
		    S_ISREG(st.st_mode) ? "%s: everybody may read or write it; set it right with: chmod o= %s"
					: "%s: %s is no regular file",
		    path, path);
		return -1;
	}
	text_init(&content, FILE_MAX);
	int error = file_read(AT_FDCWD, path, &content);
	text_fmt(why, "%s: ", path);
	if (error < 0)
		text_str(why, strerror(-error));
	else
		r = srtp_secret_parse(content.data ? content.data : "", content.len, out, why);
	if (content.data)
		OPENSSL_cleanse(content.data, content.len);
	text_fini(&content);
	return r;
}

/* ---- sessions */

struct srtp_run {
	uint32_t ssrc;
	enum srtp_direction direction;
	uint8_t key[KEY_SIZE];
	srtp_t session, history; /* history: for packets more than REACH behind `newest`; NULL until there is one */
	uint64_t newest, history_newest;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static bool library_ready;

static void
library_start(void)
{
	library_ready = srtp_init() == srtp_err_status_ok;
}

/* HKDF-SHA-256 without salt; info is the label and the run id. */
static int
derive(const struct srtp_secret *secret, const uint8_t run_id[static RTP_RUN_ID], uint8_t key[static KEY_SIZE])
{
	uint8_t info[sizeof(KEY_LABEL) - 1 + RTP_RUN_ID];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	int r = -1;

	memcpy(info, KEY_LABEL, sizeof(KEY_LABEL) - 1);
	memcpy(info + sizeof(KEY_LABEL) - 1, run_id, RTP_RUN_ID);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret->bytes, secret->len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(info)),
		OSSL_PARAM_construct_end(),
	};
	if (context && EVP_KDF_derive(context, key, KEY_SIZE, params) == 1)
		r = 0;
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return r;
}

static int
session_new(struct srtp_run *run, srtp_t *out)
{
	srtp_policy_t policy;

	memset(&policy, 0, sizeof(policy));
	srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
	srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	policy.ssrc.type = ssrc_specific;
	policy.ssrc.value = run->ssrc;
	policy.key = run->key;
	policy.window_size = WINDOW;
	policy.allow_repeat_tx = run->direction == SRTP_SEND;
	return srtp_create(out, &policy) == srtp_err_status_ok ? 0 : SRTP_MEMORY;
}

int
srtp_run_new(const struct srtp_secret *secret, const uint8_t run_id[static RTP_RUN_ID], uint32_t ssrc,
    enum srtp_direction direction, struct srtp_run **out)
{
	pthread_once(&library_once, library_start);
	struct srtp_run *run = library_ready ? calloc(1, sizeof(*run)) : NULL;

	if (!run)
		return SRTP_MEMORY;
	run->ssrc = ssrc;
	run->direction = direction;
	if (derive(secret, run_id, run->key) < 0 || session_new(run, &run->session) < 0) {
		srtp_run_free(&run);
		return SRTP_MEMORY;
	}
	*out = run;
	return SRTP_OK;
}

void
srtp_run_free(struct srtp_run **run)
{
	struct srtp_run *r = *run;

	*run = NULL;
	if (!r)
		return;
	if (r->session)
		srtp_dealloc(r->session);
	if (r->history)
		srtp_dealloc(r->history);
	OPENSSL_cleanse(r->key, sizeof(r->key));
	free(r);
}

/* The session that can take this packet, and what its newest one is; NULL when memory is short. */
static srtp_t
session_for(struct srtp_run *run, uint64_t extended, uint64_t **newest)
{
	if (extended + REACH > run->newest) {
		*newest = &run->newest;
		return run->session;
	}
	if (run->history && extended + REACH <= run->history_newest) {
		srtp_dealloc(run->history);
		run->history = NULL;
	}
	if (!run->history) {
		if (session_new(run, &run->history) < 0)
			return NULL;
		run->history_newest = 0;
	}
	*newest = &run->history_newest;
	return run->history;
}

static int
result_of(srtp_err_status_t status)
{
	switch (status) {
	case srtp_err_status_ok:
		return SRTP_OK;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
	case srtp_err_status_pkt_idx_old:
		return SRTP_DUPLICATE;
	case srtp_err_status_auth_fail:
	case srtp_err_status_cipher_fail:
	case srtp_err_status_no_ctx: /* another SSRC */
		return SRTP_FORGED;
	case srtp_err_status_bad_param:
	case srtp_err_status_parse_err:
		return SRTP_IMPOSSIBLE;
	default:
		return SRTP_MEMORY;
	}
}

static int
transform(struct srtp_run *run, uint64_t extended, uint8_t *packet, size_t *len,
    srtp_err_status_t (*how)(srtp_t, void *, int *))
{
	uint64_t *newest;
	int n = (int)*len;

	if (extended >> 48) /* 32 bits of roll-over counter */
		return SRTP_IMPOSSIBLE;
	srtp_t session = session_for(run, extended, &newest);
	if (!session)
		return SRTP_MEMORY;
	srtp_set_stream_roc(session, run->ssrc, (uint32_t)(extended >> 16));
	int r = result_of(how(session, packet, &n));
	if (r < 0 || r == SRTP_DUPLICATE)
		return r;
	if (extended > *newest)
		*newest = extended;
	*len = (size_t)n;
	return SRTP_OK;
}

int
srtp_run_protect(struct srtp_run *run, uint64_t extended, uint8_t *packet, size_t *len, size_t size)
{
	if (*len < RTP_HEADER || size < SRTP_TAG || *len > size - SRTP_TAG)
		return SRTP_IMPOSSIBLE;
	return transform(run, extended, packet, len, srtp_protect);
}

int
srtp_run_unprotect(struct srtp_run *run, uint64_t extended, uint8_t *packet, size_t *len)
{
	if (*len < RTP_HEADER + SRTP_TAG || *len > RTP_RECEIVE_MAX)
		return SRTP_IMPOSSIBLE;
	return transform(run, extended, packet, len, srtp_unprotect);
}
