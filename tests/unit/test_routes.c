/* Request targets and the table of routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "origin/routes.h"
#include "origin/target.h"

static enum target_error
parse(const char *raw, struct target *t)
{
	return target_parse(raw, strlen(raw), t);
}

static void
splits_and_decodes(void **state)
{
	struct target t;

	(void)state;
	assert_int_equal(parse("/fip/hi%66i/index%2Em3u8", &t), TARGET_OK);
	assert_int_equal(t.count, 3);
	assert_string_equal(t.component[1], "hifi");
	assert_string_equal(t.relative, "fip/hifi/index.m3u8");
	assert_false(t.directory);
	assert_int_equal(parse("/fip/", &t), TARGET_OK);
	assert_true(t.directory);
	assert_string_equal(t.relative, "fip");
	assert_int_equal(parse("/", &t), TARGET_OK);
	assert_int_equal(t.count, 0);
	assert_true(t.directory);
	assert_int_equal(parse("HTTP://host:80/a", &t), TARGET_OK);
	assert_string_equal(t.relative, "a");
	assert_int_equal(parse("https://host", &t), TARGET_OK);
	assert_int_equal(t.count, 0);
}

static void
refuses_what_could_mislead(void **state)
{
	static const struct {
		const char *raw;
		enum target_error want;
	} rows[] = {
		{ "fip", TARGET_NOT_A_PATH },
		{ "//fip", TARGET_EMPTY },
		{ "/fip//x", TARGET_EMPTY },
		{ "/..", TARGET_DOT_SEGMENT },
		{ "/a/%2e%2E/b", TARGET_DOT_SEGMENT },
		{ "/.", TARGET_DOT_SEGMENT },
		{ "/a%2fb", TARGET_SLASH },
		{ "/a\\b", TARGET_SLASH },
		{ "/a%5cb", TARGET_SLASH },
		{ "/a%00", TARGET_CONTROL },
		{ "/a%0a", TARGET_CONTROL },
		{ "/a%20b", TARGET_CONTROL },
		{ "/a%7f", TARGET_CONTROL },
		{ "/%", TARGET_BAD_ESCAPE },
		{ "/%4", TARGET_BAD_ESCAPE },
		{ "/%g0", TARGET_BAD_ESCAPE },
		{ "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h", TARGET_TOO_DEEP },
	};
	struct target t;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum target_error e = parse(rows[i].raw, &t);
		if (e != rows[i].want)
			fail_msg("%s: %s", rows[i].raw, target_error_text(e));
	}
	char raw[TARGET_SIZE + 1];
	memset(raw, 'a', sizeof raw);
	raw[0] = '/';
	assert_int_equal(target_parse(raw, TARGET_SIZE, &t), TARGET_TOO_LONG);
	assert_int_equal(target_parse(raw, TARGET_SIZE - 1, &t), TARGET_OK);
	assert_int_equal(strlen(t.relative), TARGET_SIZE - 2);
}

static void
knows_hidden_names(void **state)
{
	struct target t;

	(void)state;
	assert_int_equal(parse("/a/%2elock", &t), TARGET_OK);
	assert_true(target_is_hidden(&t));
	assert_int_equal(parse("/a/b.c/...", &t), TARGET_OK);
	assert_true(target_is_hidden(&t));
	assert_int_equal(parse("/a/b.c", &t), TARGET_OK);
	assert_false(target_is_hidden(&t));
}

static void
walks_parameters(void **state)
{
	const char *cursor = "&from=2026-11-21T09:00:00%2B01:00&x&&a%3Db=1+2=3&=v&bad=%zz%00";
	static const char *const want[][2] = { { "from", "2026-11-21T09:00:00+01:00" }, { "x", "" }, { "a=b", "1 2=3" },
		{ "", "v" }, { "bad", "%zz%00" } };
	struct target_parameter p;

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		assert_true(target_next_parameter(&cursor, &p));
		assert_string_equal(p.name, want[i][0]);
		assert_string_equal(p.value, want[i][1]);
		assert_false(p.cut);
	}
	assert_false(target_next_parameter(&cursor, &p));
	char lengthy[300];
	memset(lengthy, 'n', sizeof lengthy - 1);
	lengthy[sizeof lengthy - 1] = '\0';
	cursor = lengthy;
	assert_true(target_next_parameter(&cursor, &p));
	assert_true(p.cut);
	assert_int_equal(strlen(p.name), sizeof p.name - 1);
	assert_false(target_next_parameter(&cursor, &p));
}

static void
matches(void **state)
{
	static const struct {
		const char *path, *pattern;
	} rows[] = {
		{ "/", "/" },
		{ "/fip", "/{station}" },
		{ "/fip/", "/{station}/" },
		{ "/healthz", "/healthz" },
		{ "/healthz/fip", "/healthz/{station}" },
		{ "/metrics", "/metrics" },
		{ "/stations.json", "/stations.json" },
		{ "/_player/a/b.js", "/_player/*" },
		{ "/fip/index.m3u8", "/{station}/index.m3u8" },
		{ "/fip/hifi/index.m3u8", "/{station}/{rendition}/index.m3u8" },
		{ "/fip/hifi/20261121T09.m3u8", "/{station}/{rendition}/{hour}.m3u8" },
		{ "/fip/hifi/20261121T09/20261121T090006Z.ts", "/{station}/{rendition}/{hour}/{segment}" },
		{ "/fip/hifi/20261121T09/20261121T090006Z.mp3", "/{station}/{rendition}/{hour}/{segment}" },
		{ "/fip/hifi/20261121T09.m3u8.part", "/*" },
		{ "/fip/hifi/20261121T99/20261121T090006Z.ts", "/*" },
		{ "/FIP/index.m3u8", "/*" },
		{ "/favicon.ico", "/*" },
		{ "/fip/hifi/", "*" },
		{ "/fip/index.m3u8/", "*" },
	};
	struct target t;
	struct route_names names;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(parse(rows[i].path, &t), TARGET_OK);
		const struct route *r = routes_match(&t, &names);
		if (strcmp(r->pattern, rows[i].pattern))
			fail_msg("%s went to %s, want %s", rows[i].path, r->pattern, rows[i].pattern);
	}
}

static void
names_parts(void **state)
{
	struct target t;
	struct route_names names;

	(void)state;
	assert_int_equal(parse("/fip/hifi/20261121T09/20261121T090006Z.aac", &t), TARGET_OK);
	routes_match(&t, &names);
	assert_string_equal(names.station, "fip");
	assert_string_equal(names.rendition, "hifi");
	assert_int_equal(names.hour * 3600 + 6, names.grid.ns / NS_PER_S);
	assert_int_equal(names.kind, LAYOUT_AAC);
	assert_int_equal(parse("/fip/hifi/20261121T09.m3u8", &t), TARGET_OK);
	routes_match(&t, &names);
	assert_int_equal(names.hour, 1795251600 / 3600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_and_decodes),
		cmocka_unit_test(refuses_what_could_mislead),
		cmocka_unit_test(knows_hidden_names),
		cmocka_unit_test(walks_parameters),
		cmocka_unit_test(matches),
		cmocka_unit_test(names_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
