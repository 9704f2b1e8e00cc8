/* [input], [icecast-listener] and [segmenter]: what each type needs, what is refused and how that is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/text.h"
#include "segmenter/config_load.h"
#include "segmenter/settings.h"

#define STATION                                                                                                        \
	"[store]\npath = /tmp\n[station fip]\nrenditions = hifi lofi\n[rendition fip/hifi]\n[rendition fip/lofi]\n"
#define LISTENER "[icecast-listener]\n"
#define SUBSCRIBE "[subscribe]\nfrom = http://relay-a:8003\n"
#define PUBLISH "[publish]\nto = udp://relay-a:9001\n"
#define HIFI "[input fip/hifi main]\n"
#define LOFI "[input fip/lofi main]\n"

static int
load(const char *text, struct config *c, struct text *errors)
{
	char path[] = "/tmp/hindcast-settings-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	int r = segmenter_config_load(path, c, errors);
	unlink(path);
	return r;
}

static void
good(const char *text)
{
	struct text errors;
	struct config c;

	text_init(&errors, 65536);
	int r = load(text, &c, &errors);
	if (r < 0)
		print_message("%s", errors.data);
	assert_int_equal(r, 0);
	config_free(&c);
	text_fini(&errors);
}

/* Refused, and the errors hold `want`. */
static void
bad(const char *text, const char *want)
{
	struct text errors;
	struct config c = { 0 };

	text_init(&errors, 65536);
	int r = load(text, &c, &errors);
	if (r == 0)
		config_free(&c);
	assert_int_equal(r, -1);
	if (!strstr(errors.data, want))
		print_message("got: %swant: %s\n", errors.data, want);
	assert_non_null(strstr(errors.data, want));
	text_fini(&errors);
}

static void
test_every_type(void **state)
{
	(void)state;
	good(STATION LISTENER HIFI "type = icecast-source\nmount = /fip-hifi\npassword_env = P\n" LOFI
				   "type = icecast-source\nmount = /fip-lofi\nuser = u\npassword_file = /x\n");
	good(STATION HIFI "type = icecast-pull\nurl = https://h/x\nca_file = /c.pem\nuser = u\npassword_env = P\n");
	good(STATION HIFI "type = file\npath = a.aac\nloop = yes\nstart = -2h\n" LOFI
			  "type = file\npath = b.aac\npace = none\n");
	good(STATION HIFI "type = pipe\npath = /run/fifo\n" LOFI "type = stdin\nstart = now\npace = none\n");
	good(STATION HIFI "type = command\ncommand = ffmpeg -i x -f adts -\nstart = 2026-11-21T09:00:00Z\n");
}

static void
test_defaults(void **state)
{
	struct text errors;
	struct config c;

	(void)state;
	text_init(&errors, 65536);
	assert_int_equal(
	    load(STATION LISTENER "[segmenter]\n" HIFI "type = icecast-source\nmount = /m\npassword_env = P\n", &c,
		&errors),
	    0);
	const struct input_settings *in = config_find(&c, "input", "fip/hifi");
	assert_int_equal(in->type, INPUT_ICECAST_SOURCE);
	assert_int_equal(in->priority, 1);
	assert_int_equal(in->timeout, INT64_C(10000000000));
	assert_int_equal(in->pace, PACE_REAL);
	assert_string_equal(in->mount, "/m");
	const struct listener_settings *l = config_next(&c, "icecast-listener", NULL);
	assert_string_equal(l->listen, "0.0.0.0:8001");
	assert_true(l->shoutcast);
	assert_int_equal(l->max_connections, 100);
	assert_int_equal(l->head_timeout, INT64_C(10000000000));
	const struct segmenter_settings *s = config_next(&c, "segmenter", NULL);
	assert_int_equal(s->memory, 256 << 20);
	assert_string_equal(s->metrics, "127.0.0.1:8004");
	config_free(&c);
	text_fini(&errors);
}

/* The words of `type` stand in the order of enum input_type. */
static void
test_type_order(void **state)
{
	static const char *const keys[] = {
		[INPUT_ICECAST_SOURCE] = "icecast-source\nmount = /m\npassword_env = P",
		[INPUT_ICECAST_PULL] = "icecast-pull\nurl = http://h",
		[INPUT_FILE] = "file\npath = x",
		[INPUT_PIPE] = "pipe\npath = x",
		[INPUT_COMMAND] = "command\ncommand = x",
		[INPUT_STDIN] = "stdin",
		[INPUT_RTP] = "rtp\nsdp = a.sdp b.sdp",
		[INPUT_RELAY] = "relay",
	};
	struct text errors;

	(void)state;
	for (int type = 0; type <= INPUT_RELAY; type++) {
		char text[512];
		struct config c;
		snprintf(text, sizeof(text), STATION LISTENER SUBSCRIBE HIFI "type = %s\n", keys[type]);
		text_init(&errors, 65536);
		assert_int_equal(load(text, &c, &errors), 0);
		assert_int_equal(((struct input_settings *)config_find(&c, "input", "fip/hifi"))->type, type);
		config_free(&c);
		text_fini(&errors);
	}
}

static void
test_keys_of_the_type(void **state)
{
	(void)state;
	bad(STATION LISTENER HIFI "type = icecast-source\npassword_env = P\n",
	    "type = icecast-source needs it; add a line \"mount");
	bad(STATION LISTENER HIFI "type = icecast-source\nmount = /m\n",
	    "needs password_file, password_env or password");
	bad(STATION HIFI "type = icecast-pull\n", "type = icecast-pull needs it; add a line \"url");
	bad(STATION HIFI "type = file\n", "type = file needs it");
	bad(STATION HIFI "type = pipe\n", "type = pipe needs it");
	bad(STATION HIFI "type = command\n", "type = command needs it");
	bad(STATION HIFI "type = stdin\npath = x\n", "type = stdin does not take it");
	bad(STATION HIFI "type = pipe\npath = x\nloop = yes\n", "type = pipe does not take it");
	bad(STATION HIFI "type = file\npath = x\nmount = /m\n", "type = file does not take it");
	bad(STATION HIFI "type = icecast-pull\nurl = http://h\nstart = now\n", "type = icecast-pull does not take it");
	bad(STATION HIFI "type = sftp\npath = x\n", "type");
	bad(STATION HIFI "path = x\n", "type");
}

static void
test_values(void **state)
{
	(void)state;
	bad(STATION HIFI "type = icecast-pull\nurl = ftp://h/x\n", "want http://HOST");
	bad(STATION HIFI "type = icecast-pull\nurl = http:///x\n", "want http://HOST");
	bad(STATION HIFI "type = icecast-pull\nurl = http://h/x\nuser = u\n", "user and password go together");
	bad(STATION HIFI "type = icecast-pull\nurl = http://h/x\nuser = u:v\npassword_env = P\n", "no colon");
	bad(STATION LISTENER HIFI "type = icecast-source\nmount = fip\npassword_env = P\n", "want a path such as");
	bad(STATION LISTENER HIFI "type = icecast-source\nmount = /a b\npassword_env = P\n", "want a path such as");
	bad(STATION LISTENER HIFI "type = icecast-source\nmount = /admin/x\npassword_env = P\n", "want a path such as");
	bad(STATION LISTENER HIFI "type = icecast-source\nmount = /m\npassword_env = P\npassword_file = /x\n",
	    "given more than once");
	bad(STATION HIFI "type = file\npath = x\nstart = yesterday\n", "want an instant");
	bad(STATION HIFI "type = file\npath = x\nstart = -2x\n", "want an instant");
	bad(STATION HIFI "type = pipe\npath = x\npace = none\n", "is for inputs with `start`");
	bad(STATION HIFI "type = file\npath = x\npace = none\nloop = yes\n", "would never end");
	bad(STATION HIFI "type = file\npath = x\ntimeout = 1ms\n", "timeout");
	bad(STATION "[icecast-listener]\nlisten = localhost\n", "want ADDRESS:PORT");
	bad(STATION "[icecast-listener]\nlisten = 0.0.0.0:65535\n", "want shoutcast = no, or less");
	good(STATION "[icecast-listener]\nlisten = [::]:65535\nshoutcast = no\n");
	bad(STATION "[segmenter]\nmetrics = 8002\n", "want ADDRESS:PORT");
	good(STATION "[segmenter]\nmetrics =\n");
	bad(STATION "[segmenter]\nmemory = 1K\n", "memory");
}

static void
test_across_sections(void **state)
{
	(void)state;
	bad(STATION "[input fip/none main]\ntype = file\npath = x\n", "there is no [rendition fip/none]");
	good(STATION SUBSCRIBE HIFI "type = file\npath = x\n[input fip/hifi backup]\ntype = relay\npriority = 2\n");
	bad(STATION HIFI "type = file\npath = x\n[input fip/hifi main]\ntype = file\npath = y\n",
	    "[input fip/hifi main]");
	bad(STATION SUBSCRIBE HIFI "type = relay\ntimeout = 3s\n", "type = relay does not take it");
	bad(STATION HIFI "type = relay\n", "relay needs a section [subscribe]");
	bad(STATION HIFI "type = rtp\n", "type = rtp needs it");
	bad(STATION HIFI "type = file\npath = x\nsdp = y\n", "type = file does not take it");
	bad(STATION HIFI "type = icecast-source\nmount = /m\npassword_env = P\n", "needs a section [icecast-listener]");
	bad(STATION LISTENER HIFI "type = icecast-source\nmount = /m\npassword_env = P\n" LOFI
				  "type = icecast-source\nmount = /m\npassword_env = P\n",
	    "is the mount of [input fip/hifi main] too");
	bad(STATION HIFI "type = stdin\n" LOFI "type = stdin\n",
	    "standard input is that of [input fip/hifi main] already");
}

/* What is published may be of renditions that are cut elsewhere; its names go into packets. */
static void
test_publisher(void **state)
{
	(void)state;
	good(PUBLISH HIFI "type = file\npath = x\nloop = yes\n[input news/low b2]\ntype = stdin\n");
	good(STATION PUBLISH HIFI "type = file\npath = x\n");
	bad(PUBLISH "[input fip/hifi main-1]\ntype = stdin\n", "letters and digits (RFC 8851)");
	bad(PUBLISH HIFI "type = file\npath = x\npace = none\n", "none is not for inputs that are published");
	bad(PUBLISH SUBSCRIBE HIFI "type = relay\n", "there is no [rendition fip/hifi]");
	bad("[publish]\nttl = 3\n", "to");
	bad(PUBLISH "ttl = 256\n", "ttl");
	bad(PUBLISH "interface = nosuch0\n", "there is no network interface");
	bad("[publish]\nto = udp://relay-a\n", "want udp://HOST:PORT");
	bad("[publish]\nto = ,\n", "want 1 to 8 addresses");
	bad("[subscribe]\nfrom = udp://relay-a:9001\n", "want an address of this host");
	good("[subscribe]\nfrom = udp://0.0.0.0:9001 udp://[ff15::1]:9001, http://r:1\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_type_order),
		cmocka_unit_test(test_keys_of_the_type),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_across_sections),
		cmocka_unit_test(test_publisher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
