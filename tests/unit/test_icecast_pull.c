/* icecast-pull against tests/tools/http_fixture.py: streams, titles, redirects, TLS, and servers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/fake_input.h"

#define SIZE 200000u /* of the fixture's streams */
#define TITLES "One|It''s \xc3\xa9t\xc3\xa9|caf\xc3\xa9|"

#define RESOLVER_SECONDS 4 /* that the name server of "slow.invalid" takes */

/* libcurl's, too: what the program defines comes before libc's. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!node || strcmp(node, "slow.invalid") != 0)
		return real(node, service, hints, out);
	sleep(RESOLVER_SECONDS);
	return EAI_AGAIN;
}

/* The server, shared by all tests. */
static struct {
	pid_t pid;
	int keep; /* it ends when this is closed */
	unsigned http, https;
	char cert[256];
} server;

static int
server_start(void **state)
{
	int in[2], out[2];
	char line[512] = "";

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	server.pid = fork();
	if (server.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execlp("python3", "python3", "tests/tools/http_fixture.py", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	server.keep = in[1];
	FILE *f = fdopen(out[0], "r");
	bool ok =
	    fgets(line, sizeof(line), f) && sscanf(line, "%u %u %255s", &server.http, &server.https, server.cert) == 3;
	fclose(f);
	return ok ? 0 : -1;
}

static int
server_stop(void **state)
{
	(void)state;
	close(server.keep);
	waitpid(server.pid, NULL, 0);
	return 0;
}

struct fixture {
	struct bench *b;
	char url[300];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	signal(SIGPIPE, SIG_IGN);
	unsetenv("http_proxy");
	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	f->b = bench_new(INPUT_ICECAST_PULL);
	f->b->tick = 5 * NS_PER_MS;
	f->b->settings.url = f->url;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	bench_free(f->b);
	free(f);
	return 0;
}

static struct bench *
pull(struct fixture *f, const char *path)
{
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u%s", server.http, path);
	bench_open(f->b);
	return f->b;
}

static void
expect_stream(struct bench *b)
{
	assert_true(bench_until(b, b->in.len >= SIZE));
	assert_int_equal(b->in.len, SIZE);
	assert_true(is_pattern(b->in.bytes, SIZE, 0));
	assert_int_equal(b->in.ups, 1);
	assert_int_equal(b->in.downs, 0);
	assert_int_equal(strncmp(b->in.peer, "127.0.0.1:", 10), 0);
}

static void
test_stream(void **state)
{
	expect_stream(pull(*state, "/stream"));
}

static void
test_chunked(void **state)
{
	expect_stream(pull(*state, "/chunked"));
}

static void
test_icy(void **state)
{
	struct bench *b = pull(*state, "/icy");

	expect_stream(b);
	assert_string_equal(b->in.titles, TITLES);
}

static void
test_icy_200(void **state)
{
	struct bench *b = pull(*state, "/icy200");

	expect_stream(b);
	assert_string_equal(b->in.titles, TITLES);
}

static void
test_redirects(void **state)
{
	expect_stream(pull(*state, "/redirect"));
}

/* A header of the redirect does not count for the stream. */
static void
test_redirect_with_interval(void **state)
{
	expect_stream(pull(*state, "/redirect-icy"));
}

/* Little room at a time, then none: the transfer waits, nothing is lost. */
static void
test_no_room(void **state)
{
	struct fixture *f = *state;

	f->b->in.room_most = 999;
	f->b->in.budget = 70001;
	struct bench *b = pull(f, "/twice");
	assert_true(bench_until(b, b->in.budget == 0));
	for (int i = 0; i < 100; i++)
		bench_tick(b);
	assert_int_equal(b->in.len, 70001);
	assert_int_equal(b->in.downs, 0);
	b->in.budget = SIZE_MAX;
	assert_true(bench_until(b, b->in.len >= 2 * SIZE));
	assert_int_equal(b->in.len, 2 * SIZE);
	assert_true(is_pattern(b->in.bytes, SIZE, 0));
	assert_true(is_pattern(b->in.bytes + SIZE, SIZE, 0));
}

static void
test_end_while_paused(void **state)
{
	struct fixture *f = *state;

	f->b->in.budget = SIZE - 100;
	struct bench *b = pull(f, "/end");
	assert_true(bench_until(b, b->in.budget == 0));
	for (int i = 0; i < 200; i++)
		bench_tick(b);
	assert_int_equal(b->in.downs, 0);
	b->in.budget = SIZE_MAX;
	assert_true(bench_until(b, b->in.downs == 1));
	assert_int_equal(b->in.len, SIZE);
	assert_true(is_pattern(b->in.bytes, SIZE, 0));
}

static void
test_reconnects(void **state)
{
	struct bench *b = pull(*state, "/end");

	assert_true(bench_until(b, b->in.downs == 1));
	assert_string_equal(b->in.why, "the server ended the stream");
	assert_int_equal(b->in.len, SIZE);
	int64_t gone = b->now.ns;
	b->tick = FAKE_TICK;
	assert_true(bench_until(b, b->in.ups == 2));
	assert_true(b->now.ns - gone >= NS_PER_S);
	b->tick = 5 * NS_PER_MS;
	assert_true(bench_until(b, b->in.downs == 2));
	assert_int_equal(b->in.len, 2 * SIZE);
}

static void
expect_loss(struct fixture *f, const char *path, const char *why)
{
	struct bench *b = pull(f, path);

	assert_true(bench_until(b, b->in.downs == 1));
	if (!strstr(b->in.why, why))
		print_message("got: %s\nwant: %s\n", b->in.why, why);
	assert_non_null(strstr(b->in.why, why));
	assert_int_equal(b->in.len, 5000);
	assert_true(is_pattern(b->in.bytes, 5000, 0));
}

static void
test_server_dies(void **state)
{
	expect_loss(*state, "/die", "reset");
}

static void
test_short(void **state)
{
	expect_loss(*state, "/short", "remaining to read");
}

/* Never up: counted, tried again. */
static void
expect_failure(struct fixture *f, const char *path)
{
	struct bench *b = pull(f, path);

	assert_true(bench_until(b, b->in.counters.connect_errors == 1));
	b->tick = FAKE_TICK;
	assert_true(bench_until(b, b->in.counters.connect_errors == 2));
	assert_int_equal(b->in.ups, 0);
	assert_int_equal(b->in.downs, 0);
}

static void
test_404(void **state)
{
	expect_failure(*state, "/404");
}

static void
test_503(void **state)
{
	expect_failure(*state, "/503");
}

static void
test_redirect_loop(void **state)
{
	expect_failure(*state, "/loop");
}

static void
test_redirect_elsewhere(void **state)
{
	expect_failure(*state, "/ftp");
}

static void
test_empty(void **state)
{
	expect_failure(*state, "/empty");
}

static void
test_garbage(void **state)
{
	expect_failure(*state, "/garbage");
}

static void
test_silent(void **state)
{
	struct bench *b = pull(*state, "/silent");

	b->tick = FAKE_TICK;
	int64_t begun = b->now.ns;
	assert_true(bench_until(b, b->in.counters.connect_errors == 1));
	assert_true(b->now.ns - begun >= 20 * NS_PER_S);
	assert_int_equal(b->in.ups, 0);
}

/* A name server that does not answer holds up neither the loop nor its end. */
static void
test_slow_resolver(void **state)
{
	struct fixture *f = *state;

	snprintf(f->url, sizeof(f->url), "http://slow.invalid/m");
	bench_open(f->b);
	int64_t begun = clock_mono_now().ns;
	f->b->ops->tick(f->b->t, f->b->now);
	f->b->ops->tick(f->b->t, (struct mono){ f->b->now.ns + 20 * NS_PER_S });
	assert_int_equal(f->b->in.counters.connect_errors, 1);
	f->b->ops->tick(f->b->t, (struct mono){ f->b->now.ns + 60 * NS_PER_S });
	f->b->ops->close(&f->b->t);
	assert_true(clock_mono_now().ns - begun < RESOLVER_SECONDS * NS_PER_S / 2);
}

static void
test_slow(void **state)
{
	struct bench *b = pull(*state, "/slow");

	assert_true(bench_until(b, b->in.len >= 20));
	assert_true(is_pattern(b->in.bytes, b->in.len, 0));
	/* that it is too slow is for the input to say */
	b->ops->drop(b->t, b->now, "no whole audio frame for 10 s");
	assert_int_equal(b->in.downs, 1);
	b->tick = FAKE_TICK;
	assert_true(bench_until(b, b->in.ups == 2));
}

static void
test_refused_stream(void **state)
{
	struct fixture *f = *state;

	f->b->in.refuse_at = 20000;
	struct bench *b = pull(f, "/stream");
	assert_true(bench_until(b, b->in.downs == 1));
	assert_string_equal(b->in.why, "this is not audio");
}

/* Nobody listens: the waits double up to 30 s. */
static void
test_connection_refused(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);

	/* bound but not listening: nobody else gets the port meanwhile */
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/m", ntohs(a.sin_port));
	bench_open(f->b);
	f->b->tick = FAKE_TICK;
	int64_t last = f->b->now.ns, wait = NS_PER_S;
	for (unsigned i = 1; i <= 8; i++) {
		assert_true(bench_until(f->b, f->b->in.counters.connect_errors == i));
		int64_t waited = f->b->now.ns - last;
		if (i > 1) {
			/* connecting takes a few ticks itself */
			assert_in_range(
			    waited, wait, (wait * 3 / 2 < 30 * NS_PER_S ? wait * 3 / 2 : 30 * NS_PER_S) + NS_PER_S);
			wait = wait * 2 < 30 * NS_PER_S ? wait * 2 : 30 * NS_PER_S;
		}
		last = f->b->now.ns;
	}
	close(fd);
}

static void
test_login(void **state)
{
	struct fixture *f = *state;

	f->b->settings.user = "listener";
	f->b->settings.password = "secret";
	expect_stream(pull(f, "/login"));
}

static void
test_wrong_login(void **state)
{
	struct fixture *f = *state;

	f->b->settings.user = "listener";
	f->b->settings.password = "wrong";
	expect_failure(f, "/login");
}

static void
test_https(void **state)
{
	struct fixture *f = *state;

	f->b->settings.ca_file = server.cert;
	snprintf(f->url, sizeof(f->url), "https://127.0.0.1:%u/icy", server.https);
	bench_open(f->b);
	expect_stream(f->b);
	assert_string_equal(f->b->in.titles, TITLES);
}

/* A certificate that nobody vouches for is not taken. */
static void
test_https_untrusted(void **state)
{
	struct fixture *f = *state;

	snprintf(f->url, sizeof(f->url), "https://127.0.0.1:%u/stream", server.https);
	bench_open(f->b);
	assert_true(bench_until(f->b, f->b->in.counters.connect_errors == 1));
	assert_int_equal(f->b->in.ups, 0);
}

static void
test_bad_url(void **state)
{
	struct fixture *f = *state;
	struct text errors;

	text_init(&errors, 1024);
	f->b->settings.url = "http://user:secret@:x/";
	assert_int_equal(f->b->ops->open(&f->b->loop, &f->b->in, &f->b->settings, &f->b->t, &errors), -1);
	assert_non_null(strstr(errors.data, "not a URL"));
	assert_null(strstr(errors.data, "secret"));
	text_fini(&errors);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stream),
		TEST(test_chunked),
		TEST(test_icy),
		TEST(test_icy_200),
		TEST(test_redirects),
		TEST(test_redirect_with_interval),
		TEST(test_no_room),
		TEST(test_end_while_paused),
		TEST(test_reconnects),
		TEST(test_server_dies),
		TEST(test_short),
		TEST(test_404),
		TEST(test_503),
		TEST(test_redirect_loop),
		TEST(test_redirect_elsewhere),
		TEST(test_empty),
		TEST(test_garbage),
		TEST(test_silent),
		TEST(test_slow_resolver),
		TEST(test_slow),
		TEST(test_refused_stream),
		TEST(test_connection_refused),
		TEST(test_login),
		TEST(test_wrong_login),
		TEST(test_https),
		TEST(test_https_untrusted),
		TEST(test_bad_url),
	};

	return cmocka_run_group_tests(tests, server_start, server_stop);
}
