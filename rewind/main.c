/* rewind: the command-line tool over the store. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "rewind/inventory.h"
#include "rewind/settings.h"
#include "rewind/verify.h"

#define DEFAULT_CONFIG "/etc/hindcast/hindcast.ini"
#define TEXT_MAX (64u << 20)

enum status { STATUS_GOOD = 0, STATUS_FAULTS = 1, STATUS_USAGE = 2 };

static const char usage[] =
    "usage: hindcast-rewind [-c FILE] [--store PATH] ls [STATION[/RENDITION]] [--json]\n"
    "       hindcast-rewind [-c FILE] [--store PATH] verify [STATION[/RENDITION]] [--from INSTANT] [--to INSTANT]\n"
    "  -c FILE       configuration (default " DEFAULT_CONFIG ")\n"
    "  --store PATH  folder of the store, instead of the configuration's\n"
    "  --json        for programs\n"
    "  --from, --to  2026-11-21T09:00:00Z, with +01:00 for Z, or Unix seconds\n"
    "  -V            print the version\n"
    "exit code: 0 good, 1 faults were found, 2 wrong usage or configuration\n";

struct options {
	const char *config, *store, *command, *target;
	bool json;
	struct wall from, to;
};

/* The folder of the store: a descriptor, or -1 after saying why. */
static int
open_store(const struct options *o)
{
	struct config c = { 0 };
	struct text errors;
	const char *path = o->store;
	text_init(&errors, 1 << 20);
	if (!path) {
		if (config_load(o->config, settings_kinds, SETTINGS_KINDS, &c, &errors) < 0) {
			fputs(errors.data ? errors.data : "out of memory\n", stderr);
			text_fini(&errors);
			return -1;
		}
		const struct store_settings *store = config_next(&c, "store", NULL);
		path = store ? store->path : NULL;
	}
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (!path)
		fprintf(stderr, "rewind: %s: no [store], want its path there or --store\n", o->config);
	else if (fd < 0)
		fprintf(stderr, "rewind: store %s: %s\n", path, strerror(errno));
	config_free(&c);
	text_fini(&errors);
	return fd;
}

/* 0 with *names owned by the caller, or -1 after saying why. */
static int
find_names(const struct options *o, int root, struct inventory_name **names, size_t *count)
{
	int rc = inventory_names(root, o->target, names, count);
	if (rc == -ENOENT)
		fprintf(stderr, "rewind: %s is not in the store\n", o->target);
	else if (rc < 0)
		fprintf(stderr, "rewind: %s\n", strerror(-rc));
	return rc < 0 ? -1 : 0;
}

static int
ls(const struct options *o, int root)
{
	struct inventory_name *names = NULL;
	size_t count = 0, read = 0;
	if (find_names(o, root, &names, &count) < 0)
		return STATUS_USAGE;
	struct text out, errors;
	text_init(&out, TEXT_MAX);
	text_init(&errors, 1 << 20);
	struct inventory *list = calloc(count ? count : 1, sizeof *list);
	for (size_t i = 0; list && i < count; i++)
		if (inventory_read(root, &names[i], &list[read], &errors) == 0)
			read++;
	(o->json ? inventory_json : inventory_text)(&out, list, read);
	fputs(out.data ? out.data : "", stdout);
	fputs(errors.data ? errors.data : "", stderr);
	int status = !list || out.full || errors.len ? STATUS_FAULTS : STATUS_GOOD;
	for (size_t i = 0; i < read; i++)
		inventory_fini(&list[i]);
	free(list);
	free(names);
	text_fini(&out);
	text_fini(&errors);
	return status;
}

static int
verify(const struct options *o, int root)
{
	struct inventory_name *names = NULL;
	size_t count = 0;
	if (find_names(o, root, &names, &count) < 0)
		return STATUS_USAGE;
	struct verify v = { .root = root, .from = o->from, .to = o->to, .out = stderr };
	bool whole_station = !o->target || !strchr(o->target, '/');
	for (size_t i = 0; i < count; i++) {
		bool first = i == 0 || strcmp(names[i - 1].station, names[i].station) != 0;
		verify_rendition(&v, &names[i]);
		if (first && whole_station)
			verify_station(&v, names[i].station);
	}
	free(names);
	printf("%zu rendition%s, %" PRIu64 " hour files, %" PRIu64 " segments, %" PRIu64 " gaps: %" PRIu64 " fault%s\n",
	    count, count == 1 ? "" : "s", v.hours, v.segments, v.gaps, v.faults, v.faults == 1 ? "" : "s");
	return v.faults ? STATUS_FAULTS : STATUS_GOOD;
}

static const struct {
	const char *name;
	int (*run)(const struct options *o, int root);
	bool json, span; /* options that it takes */
} commands[] = {
	{ "ls", ls, .json = true },
	{ "verify", verify, .span = true },
};

static int
fail(const char *what, const char *value)
{
	fprintf(stderr, "rewind: %s%s\n%s", what, value, usage);
	return -1;
}

/* 0, 1 when all is said and done, or -1 after saying why. */
static int
parse_options(int argc, char **argv, struct options *o)
{
	enum { STORE = 256, JSON, FROM, TO };
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "store", required_argument, NULL, STORE },
		{ "json", no_argument, NULL, JSON },
		{ "from", required_argument, NULL, FROM },
		{ "to", required_argument, NULL, TO },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	for (int option; (option = getopt_long(argc, argv, "c:Vh", longs, NULL)) != -1;) {
		switch (option) {
		case 'c':
			o->config = optarg;
			break;
		case STORE:
			o->store = optarg;
			break;
		case JSON:
			o->json = true;
			break;
		case FROM:
		case TO:
			if (wall_parse(optarg, option == FROM ? &o->from : &o->to) < 0)
				return fail("not an instant, want one like 2026-11-21T09:00:00Z: ", optarg);
			break;
		case 'V':
			puts("rewind " HINDCAST_VERSION);
			return 1;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			fputs(usage, stderr);
			return -1;
		}
	}
	if (optind < argc)
		o->command = argv[optind++];
	if (optind < argc)
		o->target = argv[optind++];
	if (!o->command)
		return fail("want a command", "");
	return optind < argc ? fail("one thing too many: ", argv[optind]) : 0;
}

int
main(int argc, char **argv)
{
	struct options o = { .config = DEFAULT_CONFIG, .from = { INT64_MIN }, .to = { INT64_MAX } };
	int rc = parse_options(argc, argv, &o);
	if (rc)
		return rc < 0 ? STATUS_USAGE : STATUS_GOOD;
	log_init("rewind", LOG_WARN);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(o.command, commands[i].name) != 0)
			continue;
		if (o.json && !commands[i].json)
			fail("--json is not for ", o.command);
		else if ((o.from.ns != INT64_MIN || o.to.ns != INT64_MAX) && !commands[i].span)
			fail("--from and --to are not for ", o.command);
		else if (o.from.ns >= o.to.ns)
			fail("--to must lie after --from", "");
		else if ((rc = open_store(&o)) >= 0)
			return commands[i].run(&o, rc);
		return STATUS_USAGE;
	}
	fail("no such command: ", o.command);
	return STATUS_USAGE;
}
