/* hindcast-relay: takes RTP in, keeps a minute of it, hands it to whoever asks. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/backoff.h"
#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "relay/http.h"
#include "relay/pull.h"
#include "relay/report.h"
#include "relay/settings.h"
#include "relay/udp.h"

#define TEXT_MAX (1 << 20)
#define DEFAULT_CONFIG "/etc/hindcast/hindcast.ini"
#define BEAT_MS 5 /* how long packets may wait for others, so that many share one system call */
#define AGE_MS 200

static const char usage[] = "usage: hindcast-relay [-c FILE] [-n] [-v]\n"
			    "  -c FILE  configuration (default " DEFAULT_CONFIG ")\n"
			    "  -n       check it, print what is in force, do nothing\n"
			    "  -v       log more\n"
			    "  -h       this text\n"
			    "  -V       print the version\n";

struct program {
	uv_loop_t loop;
	uv_signal_t terminate, interrupt, hangup;
	uv_timer_t beat, age, second;
	bool beating, watching;
	struct config config;
	struct relay_plan plan;
	struct relay relay;
	struct udp *udp;
	struct http *http;
	struct pull *pull;
};

/* ---- the beat
 *
 * The first packet after a pause is passed on at once. After it sockets are read and readers served every BEAT_MS,
 * until a beat brought nothing. */

static void on_beat(uv_timer_t *timer);

/* Take in what waits and give it to the readers. */
static unsigned
turn(struct program *p)
{
	unsigned packets = udp_drain(p->udp, clock_mono_now(), clock_wall_now());

	http_flush(p->http);
	return packets;
}

static void
begin_beat(struct program *p)
{
	if (!p->beating)
		uv_timer_start(&p->beat, on_beat, BEAT_MS, BEAT_MS);
	p->beating = true;
}

static void
on_beat(uv_timer_t *timer)
{
	struct program *p = timer->data;

	if (turn(p) > 0)
		return;
	uv_timer_stop(&p->beat);
	p->beating = false;
	if (!p->watching)
		udp_watch(p->udp);
	p->watching = true;
}

static void
on_udp(void *ctx)
{
	struct program *p = ctx;

	p->watching = false;
	turn(p);
	begin_beat(p);
}

/* Packets came by HTTP. */
static void
on_arrived(void *ctx)
{
	begin_beat(ctx);
}

static void
on_age(uv_timer_t *timer)
{
	struct program *p = timer->data;

	relay_age(&p->relay, clock_mono_now());
}

static void
on_second(uv_timer_t *timer)
{
	struct program *p = timer->data;

	pull_second(p->pull);
	http_second(p->http);
}

/* ---- reports */

static struct report
report_of(struct program *p)
{
	return (struct report){ .relay = &p->relay, .udp = p->udp, .http = p->http, .pull = p->pull };
}

static void
on_metrics(void *ctx, struct text *out)
{
	struct report r = report_of(ctx);

	report_metrics(&r, clock_mono_now(), out);
}

static bool
on_healthy(void *ctx, struct text *why)
{
	struct report r = report_of(ctx);

	return report_healthy(&r, why);
}

/* ---- configuration */

/* Read and check it. 0, or -1 after saying why on standard error. */
static int
load(const char *path, struct config *config, struct relay_plan *plan)
{
	struct text errors;

	text_init(&errors, TEXT_MAX);
	int err = config_load(path, relay_kinds, relay_kind_count, config, &errors);
	if (err == 0) {
		err = relay_settings_plan(config, plan, &errors);
		if (err)
			config_free(config);
	}
	if (err)
		fputs(errors.data ? errors.data : "out of memory\n", stderr);
	text_fini(&errors);
	return err;
}

static int
print(const struct config *config)
{
	struct text out;

	text_init(&out, TEXT_MAX);
	config_print(config, &out);
	fputs(out.data ? out.data : "", stdout);
	text_fini(&out);
	return fflush(stdout) ? 1 : 0;
}

/* ---- running */

static void
on_signal(uv_signal_t *handle, int signum)
{
	struct program *p = handle->data;

	log_info("ending signal=%d", signum);
	uv_stop(&p->loop);
}

/* The new configuration is checked; it comes into force with a restart. */
static void
on_hangup(uv_signal_t *handle, int signum)
{
	struct program *p = handle->data;
	struct relay_plan plan;
	struct config now;

	(void)signum;
	if (load(p->config.path, &now, &plan) < 0) {
		log_error("the configuration has errors, the old one stays in force");
		return;
	}
	log_warn("the configuration is good: restart to put it in force");
	relay_plan_fini(&plan);
	config_free(&now);
}

static void
watch(struct program *p, uv_signal_t *handle, uv_signal_cb cb, int signum)
{
	uv_signal_init(&p->loop, handle);
	handle->data = p;
	uv_signal_start(handle, cb, signum);
}

static void
start_timer(struct program *p, uv_timer_t *timer, uv_timer_cb cb, uint64_t ms)
{
	uv_timer_init(&p->loop, timer);
	timer->data = p;
	if (cb)
		uv_timer_start(timer, cb, 0, ms);
}

static int
open_all(struct program *p, struct text *errors)
{
	struct http_calls calls = { .arrived = on_arrived, .metrics = on_metrics, .healthy = on_healthy, .ctx = p };

	if (relay_init(&p->relay, &p->plan.options, backoff_seed())) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	if (udp_open(&p->loop, &p->relay, &p->plan, on_udp, p, &p->udp, errors) ||
	    http_open(&p->loop, &p->relay, &p->plan, &calls, &p->http, errors) ||
	    pull_open(&p->loop, &p->relay, &p->plan, on_arrived, p, &p->pull, errors))
		return -1;
	p->watching = true;
	start_timer(p, &p->age, on_age, AGE_MS);
	start_timer(p, &p->second, on_second, 1000);
	return 0;
}

static void
close_timer(uv_handle_t *handle, void *ctx)
{
	(void)ctx;
	if (!uv_is_closing(handle) && (handle->type == UV_TIMER || handle->type == UV_SIGNAL))
		uv_close(handle, NULL);
}

static void
stop(struct program *p)
{
	http_close(&p->http);
	pull_close(&p->pull);
	udp_close(&p->udp);
	uv_walk(&p->loop, close_timer, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	uv_loop_close(&p->loop);
	if (p->relay.ring.buckets)
		relay_fini(&p->relay);
}

static int
run(struct program *p)
{
	struct text errors;

	text_init(&errors, TEXT_MAX);
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&p->loop);
	watch(p, &p->terminate, on_signal, SIGTERM);
	watch(p, &p->interrupt, on_signal, SIGINT);
	watch(p, &p->hangup, on_hangup, SIGHUP);
	start_timer(p, &p->beat, NULL, 0);
	int err = open_all(p, &errors);
	if (err == 0) {
		log_info("ready");
		uv_run(&p->loop, UV_RUN_DEFAULT);
	} else {
		fputs(errors.data ? errors.data : "out of memory\n", stderr);
	}
	stop(p);
	text_fini(&errors);
	return err < 0 ? 1 : 0;
}

int
main(int argc, char **argv)
{
	static struct program program;
	const char *path = DEFAULT_CONFIG;
	enum log_level level = LOG_INFO;
	bool check = false;
	int option;

	while ((option = getopt(argc, argv, "c:nvVh")) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			check = true;
			break;
		case 'v':
			level = LOG_DEBUG;
			break;
		case 'V':
			puts("hindcast-relay " HINDCAST_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return 2;
	}
	log_init("relay", level);
	if (load(path, &program.config, &program.plan) < 0)
		return 2;
	int status = check ? print(&program.config) : run(&program);
	relay_plan_fini(&program.plan);
	config_free(&program.config);
	return status;
}
