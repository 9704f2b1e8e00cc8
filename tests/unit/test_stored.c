/* Files of the store as the origin's threads read them: what changes its name while it is looked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "origin/stored.h"
#include "origin/worker.h"
#include "rewind/hour.h"

#define HOUR UINT64_C(498681) /* 2026-11-21T09 */
#define FINAL "fip/hifi/20261121T09.m3u8"

static struct fixture {
	char path[64];
	struct server server;
	struct catalogue catalogue;
	struct worker worker;
	bool closes; /* the hour, when its unfinished file is about to be opened */
} fixture;

/* The library's; before the hour's unfinished file is opened, it may get its final name. */
long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_openat2 && fixture.closes && strcmp((const char *)a[1], FINAL ".part") == 0)
		assert_int_equal(renameat(fixture.server.root, FINAL ".part", fixture.server.root, FINAL), 0);
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct text t;
	struct hour_entry gap = hour_gap(layout_hour_first(HOUR, 6), 6, LAYOUT_TS, 0);

	(void)state;
	fixture = (struct fixture){ 0 };
	snprintf(fixture.path, sizeof fixture.path, "%.40s/stored-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(fixture.path))
		return -1;
	int root = open(fixture.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fixture.server.root = root;
	fixture.worker.server = &fixture.server;
	fixture.worker.catalogue = &fixture.catalogue;
	fixture.worker.now.ns = 1;
	if (cache_init(&fixture.worker.cache, 1 << 20) || file_mkdirs(root, "fip/hifi"))
		return -1;
	text_init(&t, 4096);
	hour_write_head(&t, gap.msn, 6, 0);
	hour_write_entry(&t, &gap, 6, NULL);
	struct file_replace how = { .tmp = ".tmp", .name = FINAL ".part" };
	int rc = file_replace(root, &how, t.data, t.len);
	text_fini(&t);
	return rc;
}

static int
teardown(void **state)
{
	(void)state;
	cache_fini(&fixture.worker.cache);
	file_remove_tree(fixture.server.root, "fip");
	close(fixture.server.root);
	return rmdir(fixture.path);
}

static struct cache_item *
ask(int *error)
{
	return stored_hour(&fixture.worker, "fip", "hifi", HOUR, error);
}

static void
hour_is_found_while_it_closes(void **state)
{
	int error = 0;

	(void)state;
	fixture.closes = true;
	struct cache_item *i = ask(&error);
	assert_int_equal(error, 0);
	assert_non_null(i);
	assert_false(i->part);
}

static void
unfinished_hour_is_found(void **state)
{
	int error = 0;

	(void)state;
	struct cache_item *i = ask(&error);
	assert_non_null(i);
	assert_true(i->part);
	assert_int_equal(unlinkat(fixture.server.root, FINAL ".part", 0), 0);
	fixture.worker.now.ns += NS_PER_S;
	assert_null(ask(&error));
	assert_int_equal(error, -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hour_is_found_while_it_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(unfinished_hour_is_found, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
