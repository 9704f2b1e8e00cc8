/* hindcast-segmenter: takes encoders' audio, cuts it into segments, writes them and their playlists to the store. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "rewind/settings.h"
#include "segmenter/config_load.h"
#include "segmenter/control.h"
#include "segmenter/input/aac_profile.h"
#include "segmenter/monitor.h"
#include "segmenter/pipeline.h"
#include "segmenter/settings.h"

#define TEXT_MAX (1 << 20)
#define DEFAULT_CONFIG "/etc/hindcast/hindcast.ini"

static const char usage[] = "usage: hindcast-segmenter [-c FILE] [-n] [-v]\n"
			    "  -c FILE  configuration (default " DEFAULT_CONFIG ")\n"
			    "  -n       check it, print what is in force, do nothing\n"
			    "  -v       log more\n"
			    "  -V       print the version\n";

struct program {
	uv_loop_t loop;
	uv_signal_t terminate, interrupt, hangup;
	struct config config;
	struct pipeline *pipeline;
	struct small_http *monitor;
	struct control *control;
	int status;
};

/* Read and check the whole configuration. 0, or -1 after saying why on standard error. */
static int
load(const char *path, struct config *config)
{
	struct text errors;

	text_init(&errors, TEXT_MAX);
	int err = segmenter_config_load(path, config, &errors);
	if (err < 0)
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
	return 0;
}

static void
stop(struct program *p)
{
	small_http_close(&p->monitor);
	control_close(&p->control);
	pipeline_close(&p->pipeline);
	uv_close((uv_handle_t *)&p->terminate, NULL);
	uv_close((uv_handle_t *)&p->interrupt, NULL);
	uv_close((uv_handle_t *)&p->hangup, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
}

static void
on_signal(uv_signal_t *handle, int signum)
{
	struct program *p = handle->data;

	log_info("ending signal=%d", signum);
	uv_stop(&p->loop);
}

/* What differs is checked and named; it comes into force with a restart, which loses nothing. */
static void
on_hangup(uv_signal_t *handle, int signum)
{
	struct program *p = handle->data;
	struct config now;
	struct text a, b;

	(void)signum;
	if (load(p->config.path, &now) < 0) {
		log_error("the configuration has errors, the old one stays in force");
		return;
	}
	text_init(&a, TEXT_MAX);
	text_init(&b, TEXT_MAX);
	config_print(&p->config, &a);
	config_print(&now, &b);
	if (a.len == b.len && a.data && memcmp(a.data, b.data, a.len) == 0)
		log_info("the configuration has not changed");
	else
		log_warn("the configuration has changed: restart to put it in force (what has arrived is kept)");
	text_fini(&a);
	text_fini(&b);
	config_free(&now);
}

static void
on_end(void *ctx)
{
	struct program *p = ctx;

	log_info("every input has come to its end");
	uv_stop(&p->loop);
}

static void
watch(struct program *p, uv_signal_t *handle, uv_signal_cb cb, int signum)
{
	uv_signal_init(&p->loop, handle);
	handle->data = p;
	uv_signal_start(handle, cb, signum);
	uv_unref((uv_handle_t *)handle); /* it is the pipeline that keeps the loop alive */
}

static int
run(struct program *p)
{
	struct text errors;
	const struct segmenter_settings *own = config_next(&p->config, "segmenter", NULL);
	const struct control_settings *control = config_next(&p->config, "control", NULL);

	text_init(&errors, TEXT_MAX);
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&p->loop);
	watch(p, &p->terminate, on_signal, SIGTERM);
	watch(p, &p->interrupt, on_signal, SIGINT);
	watch(p, &p->hangup, on_hangup, SIGHUP);
	int err = pipeline_open(&p->loop, &p->config, &p->pipeline, &errors);
	if (err == 0 && own && own->metrics && *own->metrics)
		err = monitor_open(&p->loop, own->metrics, p->pipeline, &p->monitor, &errors);
	if (err == 0 && control)
		err = control_open(&p->loop, control, p->pipeline, &p->control, &errors);
	if (err == 0) {
		log_info("ready");
		pipeline_on_end(p->pipeline, on_end, p);
		uv_run(&p->loop, UV_RUN_DEFAULT);
	} else {
		fputs(errors.data ? errors.data : "out of memory\n", stderr);
	}
	stop(p);
	uv_loop_close(&p->loop);
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

	if (strcmp(argv[0], AAC_PROFILE_CHILD) == 0)
		return aac_profile_child_main();
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
			puts("hindcast-segmenter " HINDCAST_VERSION);
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
	log_init("segmenter", level);
	if (load(path, &program.config) < 0)
		return 2;
	int status = check ? print(&program.config) : run(&program);
	config_free(&program.config);
	return status;
}
