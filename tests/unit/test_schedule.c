/* Calendars of stations: read when they change, kept when they are broken, looked at anew every hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "origin/schedule.h"
#include "rewind/settings.h"

#define DAILY                                                                                                          \
	"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSUMMARY:%s\nDTSTART:20260101T090000Z\nDURATION:PT1H\nRRULE:FREQ="       \
	"DAILY\n"                                                                                                      \
	"END:VEVENT\nEND:VCALENDAR\n"

struct house {
	char folder[64];
	int dir;
	struct schedule *schedule;
	struct wall now;
};

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	const char *tmp = getenv("TMPDIR");
	snprintf(h->folder, sizeof h->folder, "%.40s/cal-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(h->folder))
		return -1;
	h->dir = open(h->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	h->schedule = schedule_new();
	wall_parse("2026-11-21T08:00:00Z", &h->now);
	log_init("test", LOG_ERROR + 1);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct house *h = *state;
	schedule_free(&h->schedule);
	unlinkat(h->dir, "a.ics", 0);
	unlinkat(h->dir, "ini", 0);
	close(h->dir);
	rmdir(h->folder);
	free(h);
	return 0;
}

/* As programs that write calendars do: under another name, then renamed. NULL: take it away. */
static void
put(struct house *h, const char *name, const char *text)
{
	if (!text)
		unlinkat(h->dir, name, 0);
	else
		assert_int_equal(
		    file_replace(h->dir, &(struct file_replace){ .tmp = ".tmp", .name = name }, text, strlen(text)), 0);
}

static void
configure(struct house *h, bool programmes)
{
	char ini[512], path[96];
	struct config c;
	struct text errors;
	snprintf(ini, sizeof ini, "[station fip]\nrenditions = hifi\n%s%s%s[rendition fip/hifi]\n",
	    programmes ? "programmes = " : "", programmes ? h->folder : "", programmes ? "/a.ics\n" : "");
	put(h, "ini", ini);
	snprintf(path, sizeof path, "%s/ini", h->folder);
	text_init(&errors, 4096);
	assert_int_equal(config_load(path, settings_kinds, SETTINGS_KINDS, &c, &errors), 0);
	assert_int_equal(schedule_configure(h->schedule, &c), 0);
	config_free(&c);
	text_fini(&errors);
}

/* The title of what is on at nine in some days, or "" when nothing is known. */
static const char *
title(struct house *h, unsigned days, char out[static 64])
{
	struct programmes *p = schedule_get(h->schedule, "fip");
	const struct programme *one =
	    p ? programmes_at(p, (struct wall){ h->now.ns + (90 * 60 + days * INT64_C(86400)) * NS_PER_S }) : NULL;
	snprintf(out, 64, "%s", one ? one->title : "");
	programmes_unref(&p);
	return out;
}

static void
daily(struct house *h, const char *name)
{
	char text[512];
	snprintf(text, sizeof text, DAILY, name);
	put(h, "a.ics", text);
}

static void
follows_the_file(void **state)
{
	struct house *h = *state;
	char t[64];
	configure(h, true);
	schedule_look(h->schedule, h->now);
	assert_null(schedule_get(h->schedule, "fip"));
	daily(h, "One");
	schedule_look(h->schedule, h->now);
	assert_string_equal(title(h, 0, t), "One");
	assert_null(schedule_get(h->schedule, "fipp"));
	daily(h, "Two");
	schedule_look(h->schedule, h->now);
	assert_string_equal(title(h, 0, t), "Two");
	/* broken, then gone: the last good one stays */
	put(h, "a.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n");
	schedule_look(h->schedule, h->now);
	assert_string_equal(title(h, 0, t), "Two");
	put(h, "a.ics", NULL);
	schedule_look(h->schedule, h->now);
	assert_string_equal(title(h, 0, t), "Two");
	daily(h, "Three");
	schedule_look(h->schedule, h->now);
	assert_string_equal(title(h, 0, t), "Three");
}

static void
reaches_on_as_time_goes(void **state)
{
	struct house *h = *state;
	char t[64];
	configure(h, true);
	daily(h, "One");
	schedule_look(h->schedule, h->now);
	assert_string_equal(title(h, 13, t), "One");
	assert_string_equal(title(h, 15, t), "");
	h->now.ns += 30 * 60 * NS_PER_S;
	schedule_look(h->schedule, h->now);
	h->now.ns += INT64_C(2) * 86400 * NS_PER_S - 30 * 60 * NS_PER_S;
	assert_string_equal(title(h, 13, t), "");
	schedule_look(h->schedule, h->now);
	assert_string_equal(title(h, 13, t), "One");
}

static void
keeps_what_it_knows_over_a_reload(void **state)
{
	struct house *h = *state;
	char t[64];
	configure(h, true);
	daily(h, "One");
	schedule_look(h->schedule, h->now);
	put(h, "a.ics", NULL);
	configure(h, true);
	schedule_look(h->schedule, h->now);
	assert_string_equal(title(h, 0, t), "One");
	configure(h, false);
	assert_null(schedule_get(h->schedule, "fip"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(follows_the_file),
		TEST(reaches_on_as_time_goes),
		TEST(keeps_what_it_knows_over_a_reload),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
