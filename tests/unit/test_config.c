/* The INI file: values of every type, sections, what is refused and how that is said. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/config_internal.h"
#include "base/text.h"

#define S NS_PER_S

struct store {
	struct config_section section;
	char *path;
	int sync;
	int64_t min_free;
};

struct station {
	struct config_section section;
	char *title, *password;
	int64_t segment, patience, bitrate, offset;
	bool loop;
};

static const struct config_option store_options[] = {
	{ .key = "path", .type = CONFIG_STRING, .offset = offsetof(struct store, path), .required = true },
	{ .key = "sync",
	    .type = CONFIG_ENUM,
	    .offset = offsetof(struct store, sync),
	    .choices = "none segment",
	    .fallback = "segment" },
	{ .key = "min_free", .type = CONFIG_SIZE, .offset = offsetof(struct store, min_free), .fallback = "2G" },
};

static const struct config_option station_options[] = {
	{ .key = "title",
	    .type = CONFIG_STRING,
	    .offset = offsetof(struct station, title),
	    .fallback = "Radio",
	    .help = "what listeners see" },
	{ .key = "password", .type = CONFIG_STRING, .offset = offsetof(struct station, password) },
	{ .key = "segment",
	    .type = CONFIG_DURATION,
	    .offset = offsetof(struct station, segment),
	    .fallback = "6",
	    .least = 2 * S,
	    .most = 3600 * S },
	{ .key = "patience",
	    .type = CONFIG_DURATION,
	    .offset = offsetof(struct station, patience),
	    .fallback = "1500ms" },
	{ .key = "bitrate", .type = CONFIG_BITRATE, .offset = offsetof(struct station, bitrate) },
	{ .key = "offset", .type = CONFIG_INT, .offset = offsetof(struct station, offset), .least = -5, .most = 5 },
	{ .key = "loop", .type = CONFIG_BOOL, .offset = offsetof(struct station, loop) },
};

static const struct config_option input_options[] = {
	{ .key = "url", .type = CONFIG_STRING, .offset = offsetof(struct store, path) },
};

static const struct config_kind kinds[] = {
	{ .name = "store", .options = store_options, .rows = 3, .size = sizeof(struct store) },
	{ .name = "station", .subjects = 1, .options = station_options, .rows = 7, .size = sizeof(struct station) },
	{ .name = "input", .subjects = 2, .options = input_options, .rows = 1, .size = sizeof(struct store) },
	{ .name = "relay" },
};

static struct text errors;

static int
set_up(void **state)
{
	(void)state;
	text_init(&errors, 1 << 20);
	text_str(&errors, "");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	text_fini(&errors);
	return 0;
}

static int
load_bytes(const void *data, size_t len, struct config *c)
{
	memset(c, 0, sizeof *c);
	text_clear(&errors);
	return config_load_memory("h.ini", data, len, kinds, 4, c, &errors);
}

static struct config
load(const char *ini)
{
	struct config c;

	if (load_bytes(ini, strlen(ini), &c) < 0)
		fail_msg("%s", errors.data);
	assert_string_equal(errors.data, "");
	return c;
}

static void
refuse(const char *ini, const char *want)
{
	struct config c;

	assert_int_equal(load_bytes(ini, strlen(ini), &c), -1);
	assert_string_equal(errors.data, want);
	assert_null(c.first);
	assert_null(c.path);
}

static void
reads_values_of_every_type(void **state)
{
	struct config c = load("[store]\npath = /srv/radio\nsync = none\nmin_free=10M\n"
			       "[station fip]\ntitle = FIP: la radio = ; a comment\npassword=a;b#c\nsegment = 10s\n"
			       "patience = 250ms\nbitrate = 192k\noffset = -5\nloop = on\n");
	struct store *store = config_next(&c, "store", NULL);
	struct station *fip = config_find(&c, "station", "fip");

	(void)state;
	assert_string_equal(c.path, "h.ini");
	assert_string_equal(store->path, "/srv/radio");
	assert_int_equal(store->sync, 0);
	assert_int_equal(store->min_free, 10 << 20);
	assert_int_equal(store->section.given, 7);
	assert_string_equal(fip->title, "FIP: la radio =");
	assert_string_equal(fip->password, "a;b#c");
	assert_int_equal(fip->segment, 10 * S);
	assert_int_equal(fip->patience, 250 * NS_PER_MS);
	assert_int_equal(fip->bitrate, 192000);
	assert_int_equal(fip->offset, -5);
	assert_true(fip->loop);
	assert_int_equal(fip->section.line, 5);
	assert_int_equal(fip->section.lines[2], 8);
	config_free(&c);
	assert_null(c.first);
	assert_null(c.path);
}

static void
fills_in_defaults(void **state)
{
	struct config c = load("[station fip]\n");
	struct station *fip = config_next(&c, "station", NULL);

	(void)state;
	assert_string_equal(fip->title, "Radio");
	assert_null(fip->password);
	assert_int_equal(fip->segment, 6 * S);
	assert_int_equal(fip->patience, 1500 * NS_PER_MS);
	assert_int_equal(fip->bitrate, 0);
	assert_int_equal(fip->section.given, 0);
	struct store *store = config_add_default(&c, &kinds[0]);
	assert_non_null(store);
	assert_int_equal(store->sync, 1);
	assert_int_equal(store->min_free, INT64_C(2) << 30);
	assert_null(store->path);
	assert_ptr_equal(config_next(&c, "store", NULL), store);
	config_free(&c);
}

static void
an_empty_string_is_not_the_default(void **state)
{
	struct config c = load("[station fip]\ntitle =\npassword = ; nothing\n");
	struct station *fip = config_next(&c, "station", NULL);

	(void)state;
	assert_string_equal(fip->title, "");
	assert_string_equal(fip->password, "");
	config_free(&c);
}

static void
finds_sections_in_the_order_of_the_file(void **state)
{
	struct config c = load("[station b]\n[input b/hi main]\n[station a]\n[input b/hi backup]\n");
	struct station *s = config_next(&c, "station", NULL);

	(void)state;
	assert_string_equal(s->section.subject[0], "b");
	assert_null(s->section.subject[1]);
	s = config_next(&c, "station", s);
	assert_string_equal(s->section.subject[0], "a");
	assert_null(config_next(&c, "station", s));
	assert_null(config_next(&c, "store", NULL));
	struct store *input = config_find(&c, "input", "b/hi");
	assert_string_equal(input->section.subject[1], "main");
	input = config_next(&c, "input", input);
	assert_string_equal(input->section.subject[1], "backup");
	assert_null(config_find(&c, "station", "b/hi"));
	config_free(&c);
}

static void
takes_files_as_editors_write_them(void **state)
{
	struct config c = load("\xEF\xBB\xBF[ station\tfip ] ; comment\r\n\r\n  # comment\r\n\tsegment\t= 3m\r\n"
			       "  title: Ch\xC3\xA2teau\tx  \r\n;end");
	struct station *fip = config_find(&c, "station", "fip");

	(void)state;
	assert_int_equal(fip->segment, 180 * S);
	assert_string_equal(fip->title, "Ch\xC3\xA2teau\tx");
	assert_int_equal(fip->section.lines[0], 5);
	config_free(&c);
	c = load("");
	assert_null(c.first);
	config_free(&c);
}

static void
skips_what_other_programs_read(void **state)
{
	struct config c =
	    load("[relay]\nanything = goes\nno pair\n[relay Any/Thing at all]\n[station fip]\nsegment = 4\n");

	(void)state;
	assert_int_equal(((struct station *)c.first)->segment, 4 * S);
	assert_null(c.first->next);
	config_free(&c);
}

static void
names_file_line_section_and_key(void **state)
{
	(void)state;
	refuse("[station fip]\n\nsegment = 7x\n", "h.ini:3: [station fip] segment: \"7x\", want a time in seconds, or "
						  "with ms, s, m, h or d, from 2s to 1h\n");
	refuse("[station fip]\npatience = -1\n",
	    "h.ini:2: [station fip] patience: \"-1\", want a time in seconds, or with "
	    "ms, s, m, h or d, not below 0\n");
	refuse("[station fip]\nsegment = 1999ms\nsegment = 1\n", /* one line each */
	    "h.ini:2: [station fip] segment: \"1999ms\", want a time in seconds, or with ms, s, m, h or d, from 2s to "
	    "1h\n"
	    "h.ini:3: [station fip] segment: is there already, in line 2\n");
	refuse("[station fip]\nbitrate = 192\nbitrate2 = 1\n",
	    "h.ini:3: [station fip]: unknown key \"bitrate2\", did you mean \"bitrate\"?\n");
	refuse("[station fip]\nbitrate = fast\n",
	    "h.ini:2: [station fip] bitrate: \"fast\", want a rate in bit/s, or with k or M, not below 0\n");
	refuse(
	    "[station fip]\noffset = 6\n", "h.ini:2: [station fip] offset: \"6\", want a whole number from -5 to 5\n");
	refuse("[station fip]\nloop = maybe\n", "h.ini:2: [station fip] loop: \"maybe\", want yes or no\n");
	refuse(
	    "[store]\npath = x\nsync = Segment\n", "h.ini:3: [store] sync: \"Segment\", want one of: none segment\n");
	refuse("[store]\npath = x\nmin_free = 2T\n",
	    "h.ini:3: [store] min_free: \"2T\", want a size in bytes, or with K, M or G, not below 0\n");
}

static void
suggests_near_keys_and_kinds_only(void **state)
{
	(void)state;
	refuse("[station fip]\nsegmnet = 6\n",
	    "h.ini:2: [station fip]: unknown key \"segmnet\", did you mean \"segment\"?\n");
	refuse("[station fip]\nxyz = 6\n", "h.ini:2: [station fip]: unknown key \"xyz\", want one of: title, password, "
					   "segment, patience, bitrate, offset, loop\n");
	refuse("[station fip]\n= 6\n", "h.ini:2: [station fip]: unknown key \"\", want one of: title, password, "
				       "segment, patience, bitrate, offset, loop\n");
	refuse("[Station fip]\nwhatever = 1\n[relais]\nx = 1\n",
	    "h.ini:1: unknown kind of section \"Station\", did you mean \"station\"?\n"
	    "h.ini:3: unknown kind of section \"relais\", did you mean \"relay\"?\n");
	refuse("[x]\n[]\n", "h.ini:1: unknown kind of section \"x\", want one of: store, station, input, relay\n"
			    "h.ini:2: unknown kind of section \"\", want one of: store, station, input, relay\n");
}

static void
wants_what_is_required(void **state)
{
	(void)state;
	refuse("\n[store]\nsync = none\n", "h.ini:2: [store] path: is missing, it has no default\n");
	refuse("[store]\n[station fip]\n", "h.ini:1: [store] path: is missing, it has no default\n");
}

static void
refuses_the_same_twice(void **state)
{
	(void)state;
	refuse("[station fip]\ntitle = a\n[station b]\n[station fip]\ntitle = b\n",
	    "h.ini:4: [station fip]: is there already, in line 1: put its keys together\n");
	refuse("[input a/b c]\n[input a/b c]\n",
	    "h.ini:2: [input a/b c]: is there already, in line 1: put its keys together\n");
	struct config c = load("[input a/b c]\n[input a/b d]\n[input a/c c]\n");
	config_free(&c);
}

static void
refuses_bad_headers(void **state)
{
	char name[256] = "[station ", longest[256];

	(void)state;
	refuse("[station FIP]\n", "h.ini:1: [station FIP]: bad name, want at most 63 of a-z, 0-9, \"_\" and \"-\"\n");
	refuse("[station ../x]\n", "h.ini:1: [station ../x]: bad name, want at most 63 of a-z, 0-9, \"_\" and \"-\"\n");
	refuse(
	    "[station a/b/c]\n", "h.ini:1: [station a/b/c]: bad name, want at most 63 of a-z, 0-9, \"_\" and \"-\"\n");
	refuse(
	    "[input a/b c/d]\n", "h.ini:1: [input a/b c/d]: bad name, want at most 63 of a-z, 0-9, \"_\" and \"-\"\n");
	refuse("[station /b]\n", "h.ini:1: [station /b]: bad name, want at most 63 of a-z, 0-9, \"_\" and \"-\"\n");
	refuse("[station]\n", "h.ini:1: [station]: 0 names, want \"[station NAME]\"\n");
	refuse("[station a b]\n", "h.ini:1: [station a]: 2 names, want \"[station NAME]\"\n");
	refuse("[input a]\n", "h.ini:1: [input a]: 1 name, want \"[input STATION/RENDITION NAME]\"\n");
	refuse("[station fip\ntitle = a\n", "h.ini:1: section header without \"]\", want \"[KIND NAME]\"\n");
	refuse("[station fip] title = a\n", "h.ini:1: text after the section header, want a line of its own for it\n");
	memset(name + 9, 'n', 63);
	strcat(strncpy(longest, name, sizeof longest), "]\n");
	struct config c = load(longest);
	config_free(&c);
	name[9 + 63] = 'n';
	strcat(strncpy(longest, name, sizeof longest), "]\n");
	assert_int_equal(load_bytes(longest, strlen(longest), &c), -1);
}

static void
refuses_lines_that_are_no_pairs(void **state)
{
	struct config c;

	(void)state;
	refuse("title = a\n[station fip]\n",
	    "h.ini:1: key before the first section header, want \"[KIND NAME]\" above it\n");
	refuse("[station fip]\ntitle\n\nsegment 6\nloop ; = yes",
	    "h.ini:2: [station fip]: no \"=\" in this line, want \"key = value\"\n"
	    "h.ini:4: [station fip]: no \"=\" in this line, want \"key = value\"\n"
	    "h.ini:5: [station fip]: no \"=\" in this line, want \"key = value\"\n");
	refuse("title\n", "h.ini:1: no \"=\" in this line, want \"key = value\"\n");
	/* an indented line is a line of its own, not more of the value above */
	refuse(
	    "[station fip]\ntitle = a\n  b\n", "h.ini:3: [station fip]: no \"=\" in this line, want \"key = value\"\n");
	refuse("[station fip]\ntitle = a\x1b[31m\n",
	    "h.ini:2: [station fip]: control character in this line, want text in UTF-8\n");
	assert_int_equal(load_bytes("[station fip]\ntitle = a\0b\n", 26, &c), -1);
	assert_string_equal(
	    errors.data, "h.ini:2: [station fip]: control character in this line, want text in UTF-8\n");
}

static void
takes_long_lines_and_refuses_longer(void **state)
{
	char ini[8192];
	size_t head = (size_t)snprintf(ini, sizeof ini, "[station fip]\ntitle = ");

	(void)state;
	memset(ini + head, 'x', sizeof ini - head);
	memcpy(ini + head + 4096 - 8, "\n", 2);
	struct config c = load(ini);
	assert_int_equal(strlen(((struct station *)c.first)->title), 4096 - 8);
	config_free(&c);
	memcpy(ini + head + 4096 - 8, "y\ntitel=\n", 10);
	refuse(ini, "h.ini:2: [station fip]: line of 4097 characters, want at most 4096\n"
		    "h.ini:3: [station fip]: unknown key \"titel\", did you mean \"title\"?\n");
}

static void
names_longer_than_the_reader_knows_stay_apart(void **state)
{
	struct config c = load("[input france-musique-la-baroque/hifi-aac-stereo-0001 satellite-a]\nurl = x\n"
			       "[input france-musique-la-baroque/hifi-aac-stereo-0001 satellite-b]\nurl = y\n");
	struct store *input = config_next(&c, "input", NULL);

	(void)state;
	assert_string_equal(input->path, "x");
	input = config_next(&c, "input", input);
	assert_string_equal(input->section.subject[1], "satellite-b");
	assert_string_equal(input->path, "y");
	config_free(&c);
}

static void
bounds_the_number_of_sections(void **state)
{
	struct text ini;
	struct config c;

	(void)state;
	text_init(&ini, 1 << 20);
	for (int i = 0; i <= CONFIG_SECTIONS_MOST; i++)
		text_fmt(&ini, "[station s%d]\n", i);
	int err = load_bytes(ini.data, ini.len, &c);
	text_fini(&ini);
	assert_int_equal(err, -1);
	assert_string_equal(errors.data, "h.ini:4097: too many sections\n");
}

static void
errors_that_do_not_fit_are_errors(void **state)
{
	char memory[8];
	struct text few;
	struct config c = { 0 };

	(void)state;
	text_init_fixed(&few, memory, sizeof memory);
	assert_int_equal(config_load_memory("h.ini", "[x]\n", 4, kinds, 4, &c, &few), -1);
	assert_true(few.full);
	assert_null(c.first);
}

/* A printed configuration says the same when it is read again. */
static void
prints_what_is_in_force(void **state)
{
	struct config c =
	    load("[store]\npath = /x\n[station fip]\npassword = secret\nsegment = 90\npatience = 2d\n"
		 "bitrate = 96500\n[input fip/hi main]\nurl = http://u:hush@h:80/x http://u@h/ http://h/a:b@c\n");
	struct text out;

	(void)state;
	text_init(&out, 1 << 16);
	config_print(&c, &out);
	assert_string_equal(out.data, "[store]\n"
				      "path = /x\n"
				      "sync = segment\n"
				      "min_free = 2G\n"
				      "\n"
				      "[station fip]\n"
				      "title = Radio                        ; what listeners see\n"
				      "password = (set)\n"
				      "segment = 90s\n"
				      "patience = 2d\n"
				      "bitrate = 96500\n"
				      "offset = 0\n"
				      "loop = no\n"
				      "\n"
				      "[input fip/hi main]\n"
				      "url = http://u:(set)@h:80/x http://u@h/ http://h/a:b@c\n");
	config_free(&c);
	char *first = strdup(out.data);
	c = load(first);
	text_clear(&out);
	config_print(&c, &out);
	assert_string_equal(out.data, first);
	config_free(&c);
	free(first);
	text_fini(&out);
}

static void
prints_unset_strings_as_comments(void **state)
{
	struct config c = load("[input a/b c]\n");
	struct text out;

	(void)state;
	text_init(&out, 1 << 16);
	config_print(&c, &out);
	assert_string_equal(out.data, "[input a/b c]\n;url = \n");
	config_free(&c);
	text_fini(&out);
}

static void
cross_checks_point_at_the_key(void **state)
{
	struct config c = load("[station fip]\nloop = yes\nsegment = 7\n");
	struct station *fip = config_find(&c, "station", "fip");

	(void)state;
	config_error(&c, fip, "segment", &errors, "%d s does not divide 3600", 7);
	config_error(&c, fip, "title", &errors, "is dull");
	config_error(&c, fip, NULL, &errors, "is wrong");
	config_error(&c, NULL, NULL, &errors, "no station, want one");
	config_error(&c, config_add_default(&c, &kinds[0]), "path", &errors, "is missing");
	assert_string_equal(errors.data, "h.ini:3: [station fip] segment: 7 s does not divide 3600\n"
					 "h.ini:1: [station fip] title: is dull\n"
					 "h.ini:1: [station fip]: is wrong\n"
					 "h.ini: no station, want one\n"
					 "h.ini: [store] path: is missing\n");
	config_free(&c);
}

static void
check_value(int (*parse)(const char *, int64_t *), const char *text, int64_t want)
{
	int64_t v = -42;
	int err = parse(text, &v);

	if (err != (want < 0 ? -1 : 0) || v != (want < 0 ? -42 : want))
		fail_msg("\"%s\" gives %d, %lld", text, err, (long long)v);
}

static void
reads_single_values(void **state)
{
	(void)state;
	check_value(config_parse_size, "0", 0);
	check_value(config_parse_size, "10", 10);
	check_value(config_parse_size, "10K", 10240);
	check_value(config_parse_size, "2M", 2 << 20);
	check_value(config_parse_size, "2G", INT64_C(2) << 30);
	check_value(config_parse_size, "8589934591G", INT64_C(8589934591) << 30);
	check_value(config_parse_size, "8589934592G", -1);
	check_value(config_parse_duration, "90", 90 * S);
	check_value(config_parse_duration, "500ms", S / 2);
	check_value(config_parse_duration, "90s", 90 * S);
	check_value(config_parse_duration, "10m", 600 * S);
	check_value(config_parse_duration, "24h", 86400 * S);
	check_value(config_parse_duration, "14d", 14 * 86400 * S);
	check_value(config_parse_duration, "106752d", -1);
	check_value(config_parse_bitrate, "192k", 192000);
	check_value(config_parse_bitrate, "1M", 1000000);
	check_value(config_parse_bitrate, "9223372036854775807", INT64_MAX);
	check_value(config_parse_bitrate, "9223372036854775808", -1);
	static const char *const wrong[] = { "", " ", "k", "-1", "+1", "1 ", " 1", "1kk", "0x1", "1.5", "1e3", "--1",
		"99999999999999999999", "1,000", "-" };
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		check_value(config_parse_size, wrong[i], -1);
		check_value(config_parse_duration, wrong[i], -1);
		check_value(config_parse_bitrate, wrong[i], -1);
	}
}

static void
write_file(char path[static 64], const char *content, mode_t mode)
{
	strcpy(path, "/tmp/test_config.XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
loads_files(void **state)
{
	char path[64], want[256];
	struct config c;

	(void)state;
	write_file(path, "[station fip]\n", 0600);
	assert_int_equal(config_load(path, kinds, 4, &c, &errors), 0);
	assert_string_equal(c.path, path);
	assert_non_null(config_find(&c, "station", "fip"));
	config_free(&c);
	assert_int_equal(truncate(path, (1 << 20) + 1), 0);
	assert_int_equal(config_load(path, kinds, 4, &c, &errors), -1);
	snprintf(want, sizeof want, "%s: is larger than 1 MiB, want a configuration file\n", path);
	assert_string_equal(errors.data, want);
	unlink(path);
	text_clear(&errors);
	assert_int_equal(config_load(path, kinds, 4, &c, &errors), -1);
	snprintf(want, sizeof want, "%s: cannot be read: No such file or directory\n", path);
	assert_string_equal(errors.data, want);
}

/* What `f` writes to standard error. */
static const char *
logged(void (*f)(void *), void *arg)
{
	static char text[1024];
	int ends[2], saved = dup(STDERR_FILENO);

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);
	f(arg);
	dup2(saved, STDERR_FILENO);
	ssize_t n = read(ends[0], text, sizeof text - 1);
	text[n < 0 ? 0 : n] = '\0';
	close(ends[0]);
	close(ends[1]);
	close(saved);
	return text;
}

static void
load_and_free(void *path)
{
	struct config c;

	assert_int_equal(config_load(path, kinds, 4, &c, &errors), 0);
	config_free(&c);
}

static void
warns_of_passwords_that_all_can_read(void **state)
{
	char path[64];

	(void)state;
	write_file(path, "[station fip]\npassword = x\n", 0644);
	assert_non_null(strstr(logged(load_and_free, path), "that all may read"));
	assert_int_equal(chmod(path, 0640), 0);
	assert_string_equal(logged(load_and_free, path), "");
	unlink(path);
	write_file(path, "[station fip]\ntitle = x\n", 0644);
	assert_string_equal(logged(load_and_free, path), "");
	unlink(path);
}

static void
get_secret(void *path)
{
	char *secret = config_secret(path, NULL, &errors);

	assert_string_equal(secret, "hunter2 ");
	free(secret);
}

static void
gets_secrets(void **state)
{
	char path[64], want[256];

	(void)state;
	write_file(path, "hunter2 \r\nmore\n", 0600);
	assert_string_equal(logged(get_secret, path), "");
	assert_int_equal(chmod(path, 0604), 0);
	const char *line = logged(get_secret, path);
	assert_non_null(strstr(line, "that all may read"));
	assert_null(strstr(line, "hunter2"));
	unlink(path);
	assert_null(config_secret(path, "HOME", &errors)); /* a missing file is not made good by the environment */
	snprintf(want, sizeof want, "%s: cannot be read: No such file or directory\n", path);
	assert_string_equal(errors.data, want);
	write_file(path, "\nx", 0600);
	text_clear(&errors);
	assert_null(config_secret(path, NULL, &errors));
	assert_non_null(strstr(errors.data, "is empty, want a password on the first line\n"));
	unlink(path);
	setenv("HINDCAST_TEST_SECRET", "from outside", 1);
	char *secret = config_secret(NULL, "HINDCAST_TEST_SECRET", &errors);
	assert_string_equal(secret, "from outside");
	free(secret);
	unsetenv("HINDCAST_TEST_SECRET");
	text_clear(&errors);
	assert_null(config_secret(NULL, "HINDCAST_TEST_SECRET", &errors));
	assert_null(config_secret(NULL, NULL, &errors));
	assert_string_equal(errors.data, "no password: the environment has no HINDCAST_TEST_SECRET, want it set\n"
					 "no password: want password_file or password_env\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_values_of_every_type),
		TEST(fills_in_defaults),
		TEST(an_empty_string_is_not_the_default),
		TEST(finds_sections_in_the_order_of_the_file),
		TEST(takes_files_as_editors_write_them),
		TEST(skips_what_other_programs_read),
		TEST(names_file_line_section_and_key),
		TEST(suggests_near_keys_and_kinds_only),
		TEST(wants_what_is_required),
		TEST(refuses_the_same_twice),
		TEST(refuses_bad_headers),
		TEST(refuses_lines_that_are_no_pairs),
		TEST(takes_long_lines_and_refuses_longer),
		TEST(names_longer_than_the_reader_knows_stay_apart),
		TEST(bounds_the_number_of_sections),
		TEST(errors_that_do_not_fit_are_errors),
		TEST(prints_what_is_in_force),
		TEST(prints_unset_strings_as_comments),
		TEST(cross_checks_point_at_the_key),
		TEST(reads_single_values),
		TEST(loads_files),
		TEST(warns_of_passwords_that_all_can_read),
		TEST(gets_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
