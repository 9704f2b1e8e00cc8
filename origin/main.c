/* origin: serves the store over HTTP. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "origin/server.h"
#include "origin/settings.h"

#define DEFAULT_CONFIG "/etc/hindcast/hindcast.ini"
#define REPORT_MOST (1 << 20)

static const char usage[] = "usage: hindcast-origin [-c file] [-nhV]\n"
			    "  -c file  configuration, else " DEFAULT_CONFIG "\n"
			    "  -n       check it, print what is in force, and end\n"
			    "  -h       this text\n"
			    "  -V       the version\n"
			    "Signals: TERM and INT end it; HUP reads stations and certificates again.\n";

/* Read and check the configuration; errors go to standard error, or to the log while it runs. */
static int
load(const char *path, struct config *c, struct text *errors)
{
	if (config_load(path, origin_settings_kinds(), SETTINGS_KINDS, c, errors))
		return -1;
	if (!origin_settings_check(c, errors))
		return 0;
	config_free(c);
	return -1;
}

static void
log_lines(const struct text *errors)
{
	for (const char *s = errors->data; s && *s;) {
		size_t len = strcspn(s, "\n");
		log_error("configuration error=\"%.*s\"", (int)len, s);
		s += len + (s[len] == '\n');
	}
}

static void
reload(struct server *s, const char *path, struct config *in_force)
{
	struct config c;
	struct text errors;

	text_init(&errors, REPORT_MOST);
	if (load(path, &c, &errors)) {
		log_lines(&errors);
		log_error("configuration not taken over, the old one stays in force path=%s", path);
	} else if (server_reload(s, in_force, &c, &errors)) {
		log_lines(&errors);
		log_error("configuration not taken over, the old one stays in force path=%s", path);
		config_free(&c);
	} else {
		config_free(in_force);
		*in_force = c;
		log_info("configuration taken over path=%s", path);
	}
	text_fini(&errors);
}

static int
print_config(const struct config *c)
{
	struct text out;

	text_init(&out, REPORT_MOST);
	config_print(c, &out);
	int rc = out.len == 0 || fwrite(out.data, out.len, 1, stdout) == 1 ? 0 : 1;
	text_fini(&out);
	return fflush(stdout) ? 1 : rc;
}

#define LOOK_EVERY_S 5

/* Wait for signals until one of them ends the program; meanwhile look after the programmes. */
static void
wait_for_end(struct server *s, const char *path, struct config *c, const sigset_t *signals)
{
	for (;;) {
		int n = sigtimedwait(signals, NULL, &(struct timespec){ .tv_sec = LOOK_EVERY_S });
		if (n == SIGHUP)
			reload(s, path, c);
		else if (n > 0 || (errno != EINTR && errno != EAGAIN))
			return;
		schedule_look(s->schedule, clock_wall_now());
	}
}

static int
serve(const char *path, struct config *c)
{
	struct server server;
	struct text errors;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	/* before there are threads, which inherit it */
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	text_init(&errors, REPORT_MOST);
	int rc = server_init(&server, c, &errors);
	if (rc) {
		fputs(errors.data ? errors.data : "out of memory\n", stderr);
	} else {
		wait_for_end(&server, path, c, &signals);
		log_info("ending");
		server_fini(&server);
	}
	text_fini(&errors);
	return rc ? 1 : 0;
}

int
main(int argc, char **argv)
{
	const char *path = DEFAULT_CONFIG;
	bool check = false;
	struct config c;
	struct text errors;

	for (int option; (option = getopt(argc, argv, "c:nhV")) != -1;) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("hindcast-origin " HINDCAST_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "hindcast-origin: \"%s\" is not an option\n%s", argv[optind], usage);
		return 2;
	}
	log_init("origin", LOG_INFO);
	text_init(&errors, REPORT_MOST);
	if (load(path, &c, &errors)) {
		fputs(errors.data ? errors.data : "out of memory\n", stderr);
		text_fini(&errors);
		return 2;
	}
	text_fini(&errors);
	int rc = check ? print_config(&c) : serve(path, &c);
	config_free(&c);
	return rc;
}
