/* An endless GET /rtp from a relay. */
#include "relay/download.h"

#include <stdlib.h>

#include "base/text.h"
#include "relay/framing.h"

#define BUFFER (256L << 10)
#define TURNS 64              /* of libcurl in a tick */
#define SILENT (5 * NS_PER_S) /* a relay says something every second */
#define NO_ANSWER (10 * NS_PER_S)

struct download {
	struct transfer transfer;
	struct download_sink sink;
	struct framing framing;
	bool live;
	struct mono now, heard, ever;
	struct download_counters counters;
};

static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct download *d = ctx;
	const uint8_t *bytes = (const uint8_t *)data, *packet;
	size_t left = size * n, len;
	enum framing_result result;

	if (!d->transfer.counters.up)
		transfer_up(&d->transfer, d->now);
	d->heard = d->ever = d->now;
	d->counters.bytes += size * n;
	while ((result = framing_next(&d->framing, &bytes, &left, &packet, &len)) == FRAMING_PACKET)
		d->sink.packet(d->sink.ctx, packet, len);
	d->live = d->live || d->framing.empty > 0;
	if (result != FRAMING_TOO_LONG)
		return size * n;
	d->counters.broken++;
	return 0;
}

bool
download_due(const struct download *d, struct mono now)
{
	return transfer_due(&d->transfer, now);
}

void
download_begin(struct download *d, struct mono now, const char *query)
{
	framing_init(&d->framing);
	d->live = false;
	d->now = d->heard = now;
	transfer_begin(&d->transfer, now, query);
}

void
download_tick(struct download *d, struct mono now)
{
	struct transfer *t = &d->transfer;

	d->now = now;
	for (unsigned i = 0; i < TURNS; i++) {
		uint64_t before = d->counters.bytes;
		if (!transfer_perform(t, now) || d->counters.bytes == before)
			break;
	}
	if (t->running && now.ns - d->heard.ns >= (t->counters.up ? SILENT : NO_ANSWER))
		transfer_drop(t, now, t->counters.up ? "nothing came for 5 s" : "no answer in 10 s");
}

#define SET(option, value) (r == CURLE_OK ? (r = curl_easy_setopt(d->transfer.easy, option, value)) : r)

static CURLcode
set_up(struct download *d)
{
	CURLcode r = CURLE_OK;

	SET(CURLOPT_BUFFERSIZE, BUFFER);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, d);
	return r;
}

int
download_open(
    const char *url, const char *ca_file, const struct download_sink *sink, struct download **out, struct text *errors)
{
	struct download *d = calloc(1, sizeof(*d));

	if (!d) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	d->sink = *sink;
	if (transfer_open(&d->transfer, url, ca_file, "[subscribe] from", errors) < 0)
		goto fail;
	CURLcode r = set_up(d);
	if (r != CURLE_OK) {
		text_fmt(errors, "[subscribe] from: cannot set up the transfer: %s\n", curl_easy_strerror(r));
		goto fail;
	}
	*out = d;
	return 0;
fail:
	download_close(&d);
	return -1;
}

void
download_close(struct download **dp)
{
	struct download *d = *dp;

	if (!d)
		return;
	*dp = NULL;
	transfer_close(&d->transfer);
	free(d);
}

bool
download_live(const struct download *d)
{
	return d->transfer.running && d->live;
}

bool
download_running(const struct download *d)
{
	return d->transfer.running;
}

struct mono
download_heard(const struct download *d)
{
	return d->ever;
}

const char *
download_shown(const struct download *d)
{
	return d->transfer.shown;
}

const struct download_counters *
download_counters(const struct download *d)
{
	return &d->counters;
}

const struct transfer_counters *
download_transfer(const struct download *d)
{
	return &d->transfer.counters;
}
