/* The sections that every program reads. */
#include "rewind/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

/* Load and check an INI text; what is wrong with it in `errors`. */
static int
check(const char *ini, struct config *c, struct text *errors)
{
	char path[] = "/tmp/settings-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, ini, strlen(ini)), (ssize_t)strlen(ini));
	close(fd);
	text_clear(errors);
	*c = (struct config){ 0 };
	int rc = config_load(path, settings_kinds, SETTINGS_KINDS, c, errors);
	unlink(path);
	return rc ? rc : settings_check(c, errors);
}

static void
refuse(const char *ini, const char *want)
{
	struct config c;
	struct text errors;
	text_init(&errors, 8192);
	int rc = check(ini, &c, &errors);
	if (rc == 0 || !errors.data || !strstr(errors.data, want))
		fail_msg("%s: got %d %s, want %s", ini, rc, errors.data ? errors.data : "", want);
	config_free(&c);
	text_fini(&errors);
}

static const char whole[] = "[store]\n"
			    "path = /var/lib/hindcast\n"
			    "sync = none\n"
			    "min_free = 2G\n"
			    "peer = http://b:8080 https://c/hindcast\n"
			    "heal_rate = 2M\n"
			    "[station fip]\n"
			    "title = FIP\n"
			    "timezone = Europe/Paris\n"
			    "segment = 4\n"
			    "window = 60\n"
			    "retention = 7d\n"
			    "max_span = 12h\n"
			    "renditions = hifi lofi\n"
			    "fill = gap\n"
			    "fill_limit = 5m\n"
			    "[rendition fip/hifi]\n"
			    "format = packed\n"
			    "bitrate = 192k\n"
			    "[rendition fip/lofi]\n"
			    "timed_id3 = no\n"
			    "format = packed\n"
			    "[input fip/hifi main]\n"
			    "type = stdin\n"
			    "[segmenter]\n"
			    "[origin]\n"
			    "listen = 0.0.0.0:8080\n";

static void
accept_settings(const char *text)
{
	struct config c;
	struct text errors;
	text_init(&errors, 8192);
	if (check(text, &c, &errors))
		fail_msg("%s", errors.data);
	config_free(&c);
	text_fini(&errors);
}

static void
values_are_read(void **state)
{
	(void)state;
	struct config c;
	struct text errors;
	text_init(&errors, 8192);
	if (check(whole, &c, &errors))
		fail_msg("%s", errors.data);
	const struct store_settings *store = config_next(&c, "store", NULL);
	assert_string_equal(store->path, "/var/lib/hindcast");
	assert_int_equal(store->sync, SYNC_NONE);
	assert_int_equal(store->min_free, INT64_C(2) << 30);
	const struct station_settings *s = config_find(&c, "station", "fip");
	assert_string_equal(s->title, "FIP");
	assert_int_equal(s->segment, 4 * NS_PER_S);
	assert_int_equal(s->retention, INT64_C(7) * 86400 * NS_PER_S);
	assert_int_equal(s->max_span, INT64_C(12) * 3600 * NS_PER_S);
	assert_int_equal(s->fill, FILL_GAP);
	assert_int_equal(s->fill_limit, 300 * NS_PER_S);
	const struct rendition_settings *r = config_find(&c, "rendition", "fip/hifi");
	assert_int_equal(r->format, CONTAINER_PACKED);
	assert_int_equal(r->bitrate, 192000);
	assert_true(r->timed_id3);
	r = config_find(&c, "rendition", "fip/lofi");
	assert_false(r->timed_id3);
	config_free(&c);
	text_fini(&errors);
}

static void
defaults_are_as_documented(void **state)
{
	(void)state;
	struct config c;
	struct text errors;
	text_init(&errors, 8192);
	if (check("[store]\n[station a]\nrenditions = b\n[rendition a/b]\n", &c, &errors))
		fail_msg("%s", errors.data);
	const struct store_settings *store = config_next(&c, "store", NULL);
	assert_string_equal(store->path, "/var/lib/hindcast");
	assert_int_equal(store->sync, SYNC_SEGMENT);
	const struct station_settings *s = config_find(&c, "station", "a");
	assert_int_equal(s->segment, 6 * NS_PER_S);
	assert_int_equal(s->window, 60 * NS_PER_S);
	assert_int_equal(s->max_span, INT64_C(24) * 3600 * NS_PER_S);
	assert_int_equal(s->fill, FILL_SILENCE);
	assert_int_equal(s->fill_limit, 600 * NS_PER_S);
	const struct rendition_settings *r = config_find(&c, "rendition", "a/b");
	assert_int_equal(r->format, CONTAINER_TS);
	assert_int_equal(r->bitrate, 0);
	config_free(&c);
	text_fini(&errors);
}

static void
sections_must_agree(void **state)
{
	(void)state;
	refuse("[station a]\nrenditions = b\nsegment = 7\n[rendition a/b]\n", "divide an hour");
	refuse("[store]\npeer = origin-b:8080\n", "want http://HOST:PORT");
	refuse("[store]\npeer = http://b:8080 http://user@c\n", "http://user@c: want");
	refuse("[station a]\nrenditions = b\ntimezone = Europe/Berln\n[rendition a/b]\n", "IANA");
	refuse("[station a]\nrenditions = b\ntimezone = ../../../etc/passwd\n[rendition a/b]\n", "IANA");
	refuse("[station a]\nrenditions = b\nsegment = 2500ms\n[rendition a/b]\n", "divide an hour");
	refuse("[station a]\nrenditions = b\nsegment = 1\n[rendition a/b]\n", "segment");
	refuse("[station a]\nrenditions = b\nsegment = 20\n[rendition a/b]\n", "want at least 6 segments: 120s");
	refuse("[station a]\nrenditions = b\nretention = 1h\nwindow = 2h\n[rendition a/b]\n", "retention");
	/* what a list over it costs in work and memory; 2 s by 120000 are 66 h and 40 min */
	refuse("[station a]\nrenditions = b\nsegment = 2\nmax_span = 67h\n[rendition a/b]\n",
	    "want at most 120000 segments: 66h");
	refuse("[station a]\nrenditions = b\nmax_span = 201h\n[rendition a/b]\n", "want at most 120000 segments: 200h");
	refuse("[station a]\nrenditions = b\nmax_span = 32d\n[rendition a/b]\n", "max_span");
	refuse("[station a]\nrenditions = b\nmax_span = 30m\n[rendition a/b]\n", "max_span");
	accept_settings("[station a]\nrenditions = b\nmax_span = 200h\n[rendition a/b]\n");
	refuse("[station a]\nrenditions = b c\n[rendition a/b]\n", "want a section [rendition a/c]");
	refuse("[station a]\nrenditions = b b\n[rendition a/b]\n", "b is named twice");
	refuse("[station a]\nrenditions =\n[rendition a/b]\n", "renditions");
	refuse("[station a]\n[rendition a/b]\n", "renditions");
	refuse("[station a]\nrenditions = b\n[rendition a/b]\n[rendition a/c]\n", "does not name it");
	refuse("[station a]\nrenditions = b\n[rendition a/b]\n[rendition x/b]\n", "of a station that is described");
	refuse("[station a]\nrenditions = b\nmax_span = 9d\n[rendition a/b]\n", "want at most 120000 segments: 200h");
	refuse("[station a]\nrenditions = b\n[rendition a/b]\n[rendition b]\n", "of a station that is described");
	refuse("[station a]\nrenditions = b\nfill = music\n[rendition a/b]\n", "fill");
	refuse("[stations a]\n", "stations");
}

static void
renditions_are_walked(void **state)
{
	(void)state;
	char name[64];
	const char *at = "  hifi,lofi\tmid ";
	assert_true(settings_next_rendition(&at, name));
	assert_string_equal(name, "hifi");
	assert_true(settings_next_rendition(&at, name));
	assert_string_equal(name, "lofi");
	assert_true(settings_next_rendition(&at, name));
	assert_string_equal(name, "mid");
	assert_false(settings_next_rendition(&at, name));
	at = NULL;
	assert_false(settings_next_rendition(&at, name));
}

int
main(void)
{
	log_init("test", LOG_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(defaults_are_as_documented),
		cmocka_unit_test(sections_must_agree),
		cmocka_unit_test(renditions_are_walked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
