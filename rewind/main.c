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
#include "rewind/export.h"
#include "rewind/heal_station.h"
#include "rewind/instant.h"
#include "rewind/inventory.h"
#include "rewind/settings.h"
#include "rewind/verify.h"

#define DEFAULT_CONFIG "/etc/hindcast/hindcast.ini"
#define TEXT_MAX (64u << 20)

enum status { STATUS_GOOD = 0, STATUS_FAULTS = 1, STATUS_USAGE = 2 };

static const char usage[] =
    "usage: hindcast-rewind [-c FILE] [--store PATH] ls [STATION[/RENDITION]] [--json]\n"
    "       hindcast-rewind [-c FILE] [--store PATH] verify [STATION[/RENDITION]]\n"
    "                       [--from TIME] [--to TIME | --duration TIME]\n"
    "       hindcast-rewind [-c FILE] [--store PATH] export STATION/RENDITION --from TIME\n"
    "                       --to TIME | --duration TIME [-o FILE|DIR/] [--gaps] [--force]\n"
    "       hindcast-rewind [-c FILE] [--store PATH] heal STATION[/RENDITION] [--peer URL]\n"
    "                       [--from TIME] [--to TIME | --duration TIME] [-n]\n"
    "  -c FILE       configuration (default " DEFAULT_CONFIG ")\n"
    "  --store PATH  folder of the store, instead of the configuration's\n"
    "  --json        for programs\n"
    "  --from, --to  2026-11-21T09:00:00Z, with +01:00 for Z, Unix seconds; local time of the station:\n"
    "                2026-11-21T09:00, 9am, 21:30 (the latest that is past); -1h30m, now\n"
    "  --duration    90m, 1h30m, 5400: instead of --to\n"
    "  -o            FILE.aac or FILE.mp3: every frame of the span; DIR/: its segments, and a list to play them by;\n"
    "                - or none: the frames to standard output\n"
    "  --gaps        export what there is of a span that has gaps\n"
    "  --force       replace what is there already\n"
    "  --peer URL    origin to heal from, instead of the configuration's\n"
    "  -n            only say what would be fetched\n"
    "  -V            print the version\n"
    "exit code: 0 good, 1 faults were found or the export was refused, something could not be healed, 2 wrong usage or "
    "configuration\n";

struct options {
	const char *config, *store, *command, *target, *output, *peer;
	bool json, gaps, force, look;
	const char *from, *to; /* as they were given, or NULL */
	struct instant from_at, to_at;
	int64_t duration_ns; /* 0: not given */
	struct config c;     /* empty with --store alone */
};

/* The folder of the store: a descriptor, or -1 after saying why. A store that is named needs no configuration; one that
 * is named too tells the time zones. */
static int
open_store(struct options *o)
{
	struct text errors;
	const char *path = o->store, *file = o->config ? o->config : DEFAULT_CONFIG;
	text_init(&errors, 1 << 20);
	if ((!path || o->config) && config_load(file, settings_kinds, SETTINGS_KINDS, &o->c, &errors) < 0) {
		fputs(errors.data ? errors.data : "out of memory\n", stderr);
		text_fini(&errors);
		return -1;
	}
	const struct store_settings *store = config_next(&o->c, "store", NULL);
	if (!path)
		path = store ? store->path : NULL;
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (!path)
		fprintf(stderr, "rewind: %s: no [store], want its path there or --store\n", file);
	else if (fd < 0)
		fprintf(stderr, "rewind: store %s: %s\n", path, strerror(errno));
	text_fini(&errors);
	return fd;
}

/* --- time --- */

static bool
is_local(const struct options *o)
{
	return (o->from && (o->from_at.kind == INSTANT_DATED || o->from_at.kind == INSTANT_CLOCK)) ||
	       (o->to && (o->to_at.kind == INSTANT_DATED || o->to_at.kind == INSTANT_CLOCK));
}

/* The time zone of a station; owned by the caller, NULL after saying why. */
static struct zone *
find_zone(const struct options *o, const char *station, const char **name)
{
	const struct station_settings *s = config_find(&o->c, "station", station);
	*name = s ? s->timezone : "UTC";
	if (!s && is_local(o))
		fprintf(stderr, "rewind: %s: local times are taken as UTC: %s\n", station,
		    o->c.path ? "the configuration does not describe the station" : "--store without -c");
	struct zone *z = zone_new(*name);
	if (!z)
		fprintf(stderr, "rewind: time zone %s is not known here\n", *name);
	return z;
}

/* The span that was asked for, the ends of time where nothing was said. 0, or -1 after saying why. */
static int
find_span(const struct options *o, const struct zone *z, struct wall *from, struct wall *to)
{
	struct wall now = clock_wall_now();
	char a[WALL_TEXT_SIZE], b[WALL_TEXT_SIZE];
	*from = o->from ? instant_resolve(&o->from_at, now, z) : (struct wall){ INT64_MIN };
	*to = o->to ? instant_resolve(&o->to_at, now, z) : (struct wall){ INT64_MAX };
	if (o->from && o->duration_ns)
		to->ns = from->ns + o->duration_ns;
	if (from->ns < to->ns)
		return 0;
	fprintf(stderr, "rewind: the span must not be empty: --from %s is %s, --to %s is %s\n", o->from,
	    wall_format(*from, a), o->to, wall_format(*to, b));
	return -1;
}

/* --- commands --- */

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
ls(struct options *o, int root)
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

/* One station, in its own time. 0, or -1 after saying why. */
static int
verify_names(const struct options *o, struct verify *v, const struct inventory_name *names, size_t count)
{
	const char *timezone;
	struct zone *z = find_zone(o, names[0].station, &timezone);
	int rc = z ? find_span(o, z, &v->from, &v->to) : -1;
	zone_free(&z);
	for (size_t i = 0; rc == 0 && i < count; i++)
		verify_rendition(v, &names[i]);
	if (rc == 0 && (!o->target || !strchr(o->target, '/')))
		verify_station(v, names[0].station);
	return rc;
}

static int
verify(struct options *o, int root)
{
	struct inventory_name *names = NULL;
	size_t count = 0;
	int rc = 0;
	if (find_names(o, root, &names, &count) < 0)
		return STATUS_USAGE;
	struct verify v = { .root = root, .out = stderr };
	for (size_t i = 0, n; rc == 0 && i < count; i += n) {
		for (n = 1; i + n < count && strcmp(names[i].station, names[i + n].station) == 0;)
			n++;
		rc = verify_names(o, &v, &names[i], n);
	}
	free(names);
	if (rc < 0)
		return STATUS_USAGE;
	printf("%zu rendition%s, %" PRIu64 " hour files, %" PRIu64 " segments, %" PRIu64 " gaps: %" PRIu64 " fault%s\n",
	    count, count == 1 ? "" : "s", v.hours, v.segments, v.gaps, v.faults, v.faults == 1 ? "" : "s");
	return v.faults ? STATUS_FAULTS : STATUS_GOOD;
}

static int
export_to(const struct export *x, const char *path)
{
	switch (export_form(path)) {
	case EXPORT_STREAM:
		if (!isatty(STDOUT_FILENO))
			return (int)export_stream(x, STDOUT_FILENO);
		fputs("rewind: audio is not for a terminal, want -o FILE or a pipe\n", stderr);
		return STATUS_USAGE;
	case EXPORT_FILE:
		return (int)export_file(x, path);
	case EXPORT_FOLDER:
		return (int)export_folder(x, path);
	case EXPORT_UNKNOWN:
		break;
	}
	fprintf(stderr, "rewind: -o %s: want a name in .aac or .mp3, a folder with a / behind it, or -\n", path);
	return STATUS_USAGE;
}

_Static_assert(
    (int)EXPORT_DONE == STATUS_GOOD && (int)EXPORT_REFUSED == STATUS_FAULTS && (int)EXPORT_MISUSED == STATUS_USAGE,
    "results are exit codes");

static int export(struct options *o, int root)
{
	struct inventory_name *names = NULL;
	size_t count = 0;
	if (find_names(o, root, &names, &count) < 0)
		return STATUS_USAGE;
	struct export x = { .root = root, .name = names[0], .gaps = o->gaps, .force = o->force, .out = stderr };
	free(names);
	struct zone *z = find_zone(o, x.name.station, &x.timezone);
	x.zone = z;
	int status = z && find_span(o, z, &x.from, &x.to) == 0 ? export_to(&x, o->output) : STATUS_USAGE;
	zone_free(&z);
	return status;
}

_Static_assert((int)HEAL_DONE == STATUS_GOOD && (int)HEAL_LEFT == STATUS_FAULTS && (int)HEAL_MISUSED == STATUS_USAGE,
    "results are exit codes");

static int
heal(struct options *o, int root)
{
	char station[INVENTORY_NAME_SIZE];
	const char *slash = strchr(o->target, '/'), *timezone;
	size_t n = slash ? (size_t)(slash - o->target) : strlen(o->target);
	snprintf(station, sizeof station, "%.*s", (int)(n < sizeof station ? n : 0), o->target);
	struct heal_station s = { .root = root,
		.config = &o->c,
		.station = station,
		.rendition = slash ? slash + 1 : NULL,
		.peer = o->peer,
		.now = clock_wall_now(),
		.look = o->look,
		.out = stderr };
	struct zone *z = find_zone(o, station, &timezone);
	int status = z && find_span(o, z, &s.from, &s.to) == 0 ? (int)heal_station(&s) : STATUS_USAGE;
	zone_free(&z);
	if (status == STATUS_USAGE)
		return status;
	const struct heal_counters *c = &s.counters;
	if (o->look)
		printf("%" PRIu64 " segment%s to be had\n", s.there, s.there == 1 ? "" : "s");
	else
		printf("%" PRIu64 " segment%s, %" PRIu64 " bytes, in %" PRIu64 " hour file%s; %" PRIu64 " refused\n",
		    c->segments, c->segments == 1 ? "" : "s", c->bytes, c->hours, c->hours == 1 ? "" : "s",
		    c->refused_listing + c->refused_segment + c->refused_present);
	return status;
}

static const struct command {
	const char *name;
	int (*run)(struct options *o, int root);
	bool json, span, output, heal; /* options that it takes */
} commands[] = {
	{ "ls", ls, .json = true },
	{ "verify", verify, .span = true },
	{ "export", export, .span = true, .output = true },
	{ "heal", heal, .span = true, .heal = true },
};

static int
fail(const char *what, const char *value)
{
	fprintf(stderr, "rewind: %s%s\n%s", what, value, usage);
	return -1;
}

static int
parse_instant(const char *text, const char **given, struct instant *at)
{
	*given = text;
	return instant_parse(text, at) < 0
		   ? fail("not an instant, want one like 2026-11-21T09:00:00Z, 2026-11-21T09:00, 9am or -1h30m: ", text)
		   : 0;
}

/* What stands behind the options. */
static int
parse_words(int argc, char **argv, struct options *o)
{
	if (optind < argc)
		o->command = argv[optind++];
	if (optind < argc)
		o->target = argv[optind++];
	if (!o->command)
		return fail("want a command", "");
	return optind < argc ? fail("one thing too many: ", argv[optind]) : 0;
}

/* 0, 1 when all is said and done, or -1 after saying why. */
static int
parse_options(int argc, char **argv, struct options *o)
{
	enum { STORE = 256, JSON, FROM, TO, DURATION, GAPS, FORCE, PEER };
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "store", required_argument, NULL, STORE },
		{ "json", no_argument, NULL, JSON },
		{ "from", required_argument, NULL, FROM },
		{ "to", required_argument, NULL, TO },
		{ "duration", required_argument, NULL, DURATION },
		{ "output", required_argument, NULL, 'o' },
		{ "gaps", no_argument, NULL, GAPS },
		{ "force", no_argument, NULL, FORCE },
		{ "peer", required_argument, NULL, PEER },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	for (int option; (option = getopt_long(argc, argv, "c:o:nVh", longs, NULL)) != -1;) {
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
			if (parse_instant(optarg, &o->from, &o->from_at) < 0)
				return -1;
			break;
		case TO:
			if (parse_instant(optarg, &o->to, &o->to_at) < 0)
				return -1;
			break;
		case DURATION:
			if (duration_parse(optarg, false, &o->duration_ns) < 0)
				return fail("not a duration, want one like 90m, 1h30m or 5400: ", optarg);
			break;
		case 'o':
			o->output = optarg;
			break;
		case GAPS:
			o->gaps = true;
			break;
		case FORCE:
			o->force = true;
			break;
		case PEER:
			o->peer = optarg;
			break;
		case 'n':
			o->look = true;
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
	return parse_words(argc, argv, o);
}

/* Do the options go with the command, and with each other? 0, or -1 after saying why. */
static int
check_options(const struct options *o, const struct command *c)
{
	if (o->json && !c->json)
		return fail("--json is not for ", o->command);
	if ((o->from || o->to || o->duration_ns) && !c->span)
		return fail("--from, --to and --duration are not for ", o->command);
	if ((o->output || o->gaps || o->force) && !c->output)
		return fail("-o, --gaps and --force are not for ", o->command);
	if ((o->peer || o->look) && !c->heal)
		return fail("--peer and -n are not for ", o->command);
	if (o->duration_ns && (o->to || !o->from))
		return fail("--duration goes with --from, and instead of --to", "");
	if (c->heal && !o->target)
		return fail("want a station, or STATION/RENDITION, to heal", "");
	if (c->heal && o->store && !o->config)
		return fail("heal needs the configuration: with --store give -c too", "");
	if (!c->output)
		return 0;
	const char *slash = o->target ? strchr(o->target, '/') : NULL;
	if (!slash || slash == o->target || !slash[1])
		return fail("want a rendition, STATION/RENDITION, to export", "");
	if (!o->from)
		return fail("want --from, where the export begins", "");
	return o->to || o->duration_ns ? 0 : fail("want --to or --duration, where the export ends", "");
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };
	int rc = parse_options(argc, argv, &o);
	if (rc)
		return rc < 0 ? STATUS_USAGE : STATUS_GOOD;
	log_init("rewind", LOG_WARN);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(o.command, commands[i].name) != 0)
			continue;
		int status = STATUS_USAGE, root = -1;
		if (check_options(&o, &commands[i]) == 0)
			root = open_store(&o);
		if (root >= 0)
			status = commands[i].run(&o, root);
		config_free(&o.c);
		return status;
	}
	fail("no such command: ", o.command);
	return STATUS_USAGE;
}
