/* Publishing: frames to packets to destinations. */
#include "relay/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "relay/endpoint.h"
#include "relay/packer.h"
#include "relay/sdp.h"
#include "relay/spool.h"
#include "relay/udp_out.h"
#include "relay/upload.h"

#define SLICE_MS 5

struct publish_source {
	struct publish *publish;
	struct publish_source *next;
	struct rtp_run run;
	struct packer packer;
	bool open;     /* the packer is of the present run */
	bool refused;  /* the present run cannot be sent, which was said */
	bool begun;    /* there is a present run */
	bool fresh;    /* a frame came since the last tick */
	bool describe; /* its SDP file is to be written */
};

struct destination {
	char shown[ENDPOINT_URL_MAX + 1];
	struct udp_out *udp; /* one of the two */
	struct upload *upload;
};

struct publish {
	const struct publish_settings *settings;
	struct srtp_secret secret;
	bool protect;
	int sdp_folder; /* fd, -1: none */
	bool sdp_said;
	struct publish_source *sources;
	struct destination destinations[EXCHANGE_ENDPOINTS];
	unsigned count;
	bool any_udp;
	struct spool spool;
	uv_timer_t timer;
	struct mono now;
	struct wall wall;
	struct publish_counters counters;
};

/* ---- packets out */

static void
send_slice(struct publish *p, int all)
{
	struct iovec packets[SPOOL_SLICE_MAX];
	unsigned n = spool_next(&p->spool, packets, all);

	for (unsigned i = 0; i < p->count && n > 0; i++)
		if (p->destinations[i].udp)
			udp_out_send(p->destinations[i].udp, packets, n);
}

static void
on_timer(uv_timer_t *timer)
{
	struct publish *p = timer->data;

	send_slice(p, 0);
	if (p->spool.count == 0)
		uv_timer_stop(timer);
}

static void
on_packet(void *ctx, const struct packer_packet *packet)
{
	struct publish *p = ctx;

	p->counters.packets++;
	for (unsigned i = 0; i < p->count; i++)
		if (p->destinations[i].upload)
			upload_packet(p->destinations[i].upload, p->now, packet->data, packet->len);
	if (p->any_udp && spool_put(&p->spool, packet->data, packet->len) < 0)
		p->counters.queue_full++;
}

/* ---- session descriptions */

/* The first destination by UDP; false while its address is not known. */
static bool
described_target(const struct publish *p, char host[static ADDRESS_TEXT_SIZE], struct sdp_target *out)
{
	for (unsigned i = 0; i < p->count; i++) {
		const struct sockaddr_storage *a =
		    p->destinations[i].udp ? udp_out_address(p->destinations[i].udp) : NULL;
		if (!p->destinations[i].udp)
			continue;
		if (!a)
			return false;
		address_format(a, host);
		char *colon = strrchr(host, ':');
		if (colon)
			*colon = '\0';
		if (*host == '[') { /* "[2001:db8::1]" */
			size_t n = strlen(host);
			memmove(host, host + 1, n - 2);
			host[n - 2] = '\0';
		}
		*out = (struct sdp_target){ .address = host,
			.port = address_port(a),
			.ttl = (uint8_t)p->settings->ttl,
			.protect = p->protect };
		return true;
	}
	return false;
}

/* "fip.hifi.main.sdp" of the present run. */
static void
describe(struct publish_source *s)
{
	struct publish *p = s->publish;
	char host[ADDRESS_TEXT_SIZE], name[RTP_MID_MAX + RTP_RID_MAX + 8], tmp[sizeof(name) + 1];
	struct sdp_target target;
	struct text sdp;

	if (p->sdp_folder < 0 || !p->any_udp)
		s->describe = false;
	if (!s->describe || !described_target(p, host, &target))
		return;
	s->describe = false;
	snprintf(name, sizeof(name), "%s.%s.sdp", s->run.mid, s->run.rid);
	snprintf(tmp, sizeof(tmp), ".%s", name);
	text_init(&sdp, SDP_TEXT_MAX);
	int err = sdp_write(&s->run, &target, &sdp);
	if (err == 0)
		err =
		    file_replace(p->sdp_folder, &(struct file_replace){ .tmp = tmp, .name = name }, sdp.data, sdp.len);
	else
		err = -EINVAL; /* this format has no description */
	if (err < 0 && !p->sdp_said)
		log_warn("cannot write session description file=%s error=\"%s\"", name, strerror(-err));
	p->sdp_said = err < 0;
	text_fini(&sdp);
}

/* ---- runs */

static void
run_end(struct publish_source *s)
{
	if (s->open) {
		packer_flush(&s->packer);
		packer_fini(&s->packer);
	}
	s->open = s->begun = s->refused = false;
}

static void
run_refuse(struct publish_source *s, int error)
{
	s->publish->counters.frames_refused++;
	if (!s->refused)
		log_error(
		    "not published rendition=%s input=%s why=\"%s\"", s->run.mid, s->run.rid, packer_error_text(error));
	s->refused = true;
}

static void
run_begin(struct publish_source *s, const uint8_t run_id[static RTP_RUN_ID], const struct audio_format *format)
{
	struct publish *p = s->publish;
	const struct packer_sink sink = { .context = p, .packet = on_packet };

	run_end(s);
	s->begun = true;
	memcpy(s->run.id, run_id, RTP_RUN_ID);
	s->run.format = *format;
	int err = packer_init(&s->packer, &s->run, p->protect ? &p->secret : NULL, &sink);
	if (err < 0) {
		run_refuse(s, err);
		return;
	}
	s->open = true;
	s->describe = true;
	p->counters.runs++;
}

void
publish_frame(struct publish_source *s, const uint8_t run_id[static RTP_RUN_ID], const struct audio_format *format,
    const struct rtp_frame *f)
{
	struct publish *p = s->publish;
	int64_t away = f->wall.ns - p->wall.ns;

	if (p->wall.ns && (away > PUBLISH_AWAY || away < -PUBLISH_AWAY)) {
		p->counters.frames_old++;
		return;
	}
	if (!s->begun || memcmp(s->run.id, run_id, RTP_RUN_ID) != 0)
		run_begin(s, run_id, format);
	if (!s->open) {
		p->counters.frames_refused++;
		return;
	}
	int err = packer_frame(&s->packer, f);
	if (err < 0) {
		run_refuse(s, err);
		return;
	}
	s->refused = false;
	s->fresh = true;
	p->counters.frames++;
}

void
publish_tick(struct publish *p, struct mono now, struct wall wall)
{
	p->now = now;
	p->wall = wall;
	for (struct publish_source *s = p->sources; s; s = s->next) {
		if (s->open && !s->fresh && packer_waiting(&s->packer))
			packer_flush(&s->packer);
		if (s->describe)
			describe(s);
		s->fresh = false;
	}
	for (unsigned i = 0; i < p->count; i++) {
		struct destination *d = &p->destinations[i];
		if (d->udp)
			udp_out_tick(d->udp, now);
		else
			upload_tick(d->upload, now);
	}
	spool_plan(&p->spool);
	if (p->spool.count > 0) {
		send_slice(p, 0);
		uv_timer_start(&p->timer, on_timer, SLICE_MS, SLICE_MS);
	}
}

/* ---- opening and closing */

struct publish_source *
publish_source(struct publish *p, const char *mid, const char *rid)
{
	struct publish_source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->publish = p;
	snprintf(s->run.mid, sizeof(s->run.mid), "%s", mid);
	snprintf(s->run.rid, sizeof(s->run.rid), "%s", rid);
	s->next = p->sources;
	p->sources = s;
	p->counters.sources++;
	return s;
}

/* "https://user:secret@host/" is shown without what stands before the "@". */
static void
show(const struct endpoint *e, char out[static ENDPOINT_URL_MAX + 1])
{
	const char *host = strstr(e->url, "://") + 3, *at = strrchr(e->url, '@');

	snprintf(out, ENDPOINT_URL_MAX + 1, "%.*s%s", (int)(host - e->url), e->url, at && at > host ? at + 1 : host);
}

static int
destination_add(struct publish *p, uv_loop_t *loop, const struct endpoint *e, struct text *errors)
{
	struct destination *d = &p->destinations[p->count];

	show(e, d->shown);
	if (e->kind == ENDPOINT_HTTP) {
		if (upload_open(e->url, p->settings->ca_file, &d->upload, errors) < 0)
			return -1;
	} else {
		d->udp = udp_out_new(loop, e, p->settings->interface, (int)p->settings->ttl);
		if (!d->udp) {
			text_str(errors, "out of memory\n");
			return -1;
		}
		p->any_udp = true;
	}
	p->count++;
	return 0;
}

static int
folder_open(struct publish *p, struct text *errors)
{
	const char *path = p->settings->sdp_folder;

	if (!path || !*path)
		return 0;
	p->sdp_folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->sdp_folder >= 0)
		return 0;
	text_fmt(errors, "[publish] sdp_folder = %s: cannot open: %s; make it, or name another folder\n", path,
	    strerror(errno));
	return -1;
}

int
publish_open(uv_loop_t *loop, const struct publish_settings *settings, struct publish **out, struct text *errors)
{
	struct publish *p = calloc(1, sizeof(*p));
	const char *list = settings->to;
	struct endpoint e;

	if (!p) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	p->settings = settings;
	p->sdp_folder = -1;
	p->protect = settings->key_file != NULL;
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	if (spool_init(&p->spool) < 0) {
		text_str(errors, "out of memory\n");
		goto fail;
	}
	if (p->protect && exchange_key("publish", settings->key_file, &p->secret, errors) < 0)
		goto fail;
	if (folder_open(p, errors) < 0)
		goto fail;
	while (p->count < EXCHANGE_ENDPOINTS && endpoint_next(&list, &e) > 0)
		if (destination_add(p, loop, &e, errors) < 0)
			goto fail;
	*out = p;
	return 0;
fail:
	publish_close(&p);
	return -1;
}

static void
on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
publish_close(struct publish **pp)
{
	struct publish *p = *pp;

	if (!p)
		return;
	*pp = NULL;
	for (struct publish_source *s = p->sources, *next; s; s = next) {
		next = s->next;
		run_end(s);
		free(s);
	}
	while (p->spool.count > 0)
		send_slice(p, 1);
	for (unsigned i = 0; i < p->count; i++) {
		udp_out_close(&p->destinations[i].udp);
		upload_close(&p->destinations[i].upload);
	}
	spool_fini(&p->spool);
	if (p->sdp_folder >= 0)
		close(p->sdp_folder);
	explicit_bzero(&p->secret, sizeof(p->secret));
	uv_close((uv_handle_t *)&p->timer, on_closed);
}

/* ---- what is said of it */

const struct publish_counters *
publish_counters(const struct publish *p)
{
	return &p->counters;
}

const char *
publish_destination(const struct publish *p, unsigned i, struct publish_destination_counters *out)
{
	if (i >= p->count)
		return NULL;
	const struct destination *d = &p->destinations[i];
	if (d->udp) {
		const struct udp_out_counters *c = udp_out_counters(d->udp);
		*out = (struct publish_destination_counters){ .up = c->up,
			.packets = c->packets,
			.bytes = c->bytes,
			.dropped = c->dropped,
			.errors = c->errors,
			.connect_errors = c->lookup_errors };
	} else {
		const struct upload_counters *c = upload_counters(d->upload);
		const struct transfer_counters *t = upload_transfer(d->upload);
		*out = (struct publish_destination_counters){ .up = t->up,
			.packets = c->packets,
			.bytes = c->bytes,
			.dropped = c->dropped,
			.connects = t->connects,
			.disconnects = t->disconnects,
			.connect_errors = t->connect_errors,
			.queued = c->queued };
	}
	return d->shown;
}
