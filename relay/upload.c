/* An endless PUT /rtp to a relay. */
#include "relay/upload.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "relay/framing.h"
#include "relay/upload_queue.h"

#define BUFFER 65536L
#define TURNS 128              /* of libcurl in a tick: BUFFER bytes each at most */
#define SETTLED (NS_PER_S / 2) /* a refusal is there by then */
#define STALLED (10 * NS_PER_S)
#define NO_ANSWER (10 * NS_PER_S)
#define SIGN NS_PER_S /* a relay hangs up on who says nothing: an empty packet after so much silence (RFC 4571) */

struct upload {
	struct transfer transfer;
	struct upload_queue queue;
	struct curl_slist *headers;
	bool flows;        /* libcurl has asked for bytes */
	bool paused;       /* ... and was told to wait */
	struct mono put;   /* when the last packet was put into the queue */
	struct mono moved; /* when bytes last went, or nothing waited */
	uint64_t taken;    /* bytes, for `moved` */
	struct upload_counters counters;
};

static size_t
on_read(char *out, size_t size, size_t n, void *ctx)
{
	struct upload *u = ctx;

	u->flows = true;
	size_t taken = upload_queue_take(&u->queue, (uint8_t *)out, size * n);
	u->paused = taken == 0;
	u->taken += taken;
	u->counters.bytes += taken;
	return taken ? taken : CURL_READFUNC_PAUSE;
}

/* What a relay answers says nothing but its status. */
static size_t
on_answer(char *data, size_t size, size_t n, void *ctx)
{
	(void)data;
	(void)ctx;
	return size * n;
}

static void
begin(struct upload *u, struct mono now)
{
	upload_queue_again(&u->queue);
	u->flows = u->paused = false;
	u->moved = now;
	transfer_begin(&u->transfer, now, NULL);
}

/* Until all has gone, or the socket is full. */
static void
perform(struct upload *u, struct mono now)
{
	for (unsigned i = 0; i < TURNS; i++) {
		uint64_t before = u->taken;
		if (u->paused && upload_queue_waiting(&u->queue) > 0) {
			u->paused = false;
			curl_easy_pause(u->transfer.easy, CURLPAUSE_CONT);
		}
		if (!transfer_perform(&u->transfer, now))
			return;
		if (u->taken == before)
			break;
	}
	if (upload_queue_waiting(&u->queue) == 0)
		u->moved = now;
}

void
upload_tick(struct upload *u, struct mono now)
{
	struct transfer *t = &u->transfer;
	uint64_t before = u->taken;

	if (transfer_due(t, now))
		begin(u, now);
	if (t->running && u->flows && now.ns - u->put.ns >= SIGN) {
		upload_queue_put(&u->queue, now, NULL, 0, true);
		u->put = now;
	}
	perform(u, now);
	if (u->taken != before)
		u->moved = now;
	if (t->running && u->flows && !t->counters.up && now.ns - t->begun.ns >= SETTLED)
		transfer_up(t, now);
	else if (t->running && !u->flows && now.ns - t->begun.ns >= NO_ANSWER)
		transfer_drop(t, now, "no connection in 10 s");
	else if (t->running && now.ns - u->moved.ns >= STALLED)
		transfer_drop(t, now, "it took nothing for 10 s");
	u->counters.dropped +=
	    upload_queue_forget(&u->queue, (struct mono){ now.ns - UPLOAD_KEPT }, t->running && u->flows);
	u->counters.queued = upload_queue_waiting(&u->queue);
}

void
upload_packet(struct upload *u, struct mono now, const uint8_t *packet, size_t len)
{
	u->put = now;
	u->counters.packets++;
	u->counters.dropped += upload_queue_put(&u->queue, now, packet, len, u->transfer.running && u->flows);
}

#define SET(option, value) (r == CURLE_OK ? (r = curl_easy_setopt(u->transfer.easy, option, value)) : r)

static CURLcode
set_up(struct upload *u)
{
	CURLcode r = CURLE_OK;

	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, BUFFER);
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_READDATA, u);
	SET(CURLOPT_WRITEFUNCTION, on_answer);
	SET(CURLOPT_HTTPHEADER, u->headers);
	return r;
}

int
upload_open(const char *url, const char *ca_file, struct upload **out, struct text *errors)
{
	struct upload *u = calloc(1, sizeof(*u));

	if (!u) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	upload_queue_init(&u->queue, UPLOAD_MEMORY);
	if (transfer_open(&u->transfer, url, ca_file, "[publish] to", errors) < 0)
		goto fail;
	/* no question whether the body may come: it never ends, and the relay says no when it likes */
	u->headers = curl_slist_append(NULL, "Expect:");
	CURLcode r = u->headers ? set_up(u) : CURLE_OUT_OF_MEMORY;
	if (r != CURLE_OK) {
		text_fmt(errors, "[publish] to: cannot set up the transfer: %s\n", curl_easy_strerror(r));
		goto fail;
	}
	*out = u;
	return 0;
fail:
	upload_close(&u);
	return -1;
}

void
upload_close(struct upload **up)
{
	struct upload *u = *up;

	if (!u)
		return;
	*up = NULL;
	if (u->transfer.running && u->flows)
		perform(u, u->moved);
	transfer_close(&u->transfer);
	curl_slist_free_all(u->headers);
	upload_queue_fini(&u->queue);
	free(u);
}

const struct upload_counters *
upload_counters(const struct upload *u)
{
	return &u->counters;
}

const struct transfer_counters *
upload_transfer(const struct upload *u)
{
	return &u->transfer.counters;
}
