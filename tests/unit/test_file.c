/* Files in a directory of their own, which is removed with the code under test. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

static char place[PATH_MAX];
static int dir;

static int
make_place(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(place, sizeof place, "%s/test_file.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(place))
		return -1;
	dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int
remove_place(void **state)
{
	char *name = strrchr(place, '/');

	(void)state;
	close(dir);
	*name++ = '\0';
	int above = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = file_remove_tree(above, name);
	close(above);
	return err;
}

static void
put(const char *name, const char *content)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, content, strlen(content)), 0);
	close(fd);
}

static bool
exists(const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
check_content(const char *name, const char *want)
{
	struct text t;

	text_init(&t, 1 << 20);
	text_str(&t, "");
	assert_int_equal(file_read(dir, name, &t), 0);
	assert_string_equal(t.data, want);
	text_fini(&t);
}

static void
reads_whole_files(void **state)
{
	struct text t;
	char big[100001];

	(void)state;
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	put("big", big);
	check_content("big", big);
	put("empty", "");
	check_content("empty", "");
	text_init(&t, 100000);
	assert_int_equal(file_read(dir, "big", &t), 0);
	text_fini(&t);
	text_init(&t, 99999);
	assert_int_equal(file_read(dir, "big", &t), -EFBIG);
	text_fini(&t);
	text_init(&t, 100);
	text_str(&t, "before ");
	put("small", "after");
	assert_int_equal(file_read(dir, "small", &t), 0);
	assert_string_equal(t.data, "before after");
	assert_int_equal(file_read(dir, "missing", &t), -ENOENT);
	assert_int_equal(file_read(dir, ".", &t), -EISDIR);
	text_fini(&t);
}

static void
opens_only_what_is_beneath(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir, "in", 0755), 0);
	put("in/file", "content");
	assert_int_equal(symlinkat("in/file", dir, "link"), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "out"), 0);
	assert_int_equal(symlinkat("..", dir, "up"), 0);
	static const struct {
		const char *path;
		int err;
	} rows[] = {
		{ "in/file", 0 },
		{ "link", 0 },
		{ "in/../in/file", 0 },
		{ "in/missing", -ENOENT },
		{ "../etc", -EXDEV },
		{ "in/../../x", -EXDEV },
		{ "/etc/passwd", -EXDEV },
		{ "out", -EXDEV },
		{ "up/x", -EXDEV },
		{ "", -ENOENT },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int fd = file_open_beneath(dir, rows[i].path, O_RDONLY, 0);
		if (rows[i].err ? fd != rows[i].err : fd < 0)
			fail_msg("%s: %d", rows[i].path, fd);
		if (fd >= 0) {
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
			close(fd);
		}
	}
	int fd = file_open_beneath(dir, "made", O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	close(fd);
	struct stat st;
	assert_int_equal(fstatat(dir, "made", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	for (const char *const *name = (const char *const[]){ "link", "out", "up", NULL }; *name; name++)
		assert_int_equal(unlinkat(dir, *name, 0), 0);
}

static void
replaces_whole_files(void **state)
{
	struct file_replace how = { .tmp = ".x.tmp", .name = "x", .mtime = { 1795251606 * NS_PER_S + 5 } };
	struct stat st;

	(void)state;
	assert_int_equal(file_replace(dir, &how, "one", 3), 0);
	check_content("x", "one");
	assert_int_equal(fstatat(dir, "x", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1795251606);
	assert_int_equal(st.st_mtim.tv_nsec, 5);
	put(".x.tmp", "left behind by a crash, and longer");
	how.sync = true;
	how.mtime.ns = 0;
	assert_int_equal(file_replace(dir, &how, "two", 3), 0);
	check_content("x", "two");
	assert_false(exists(".x.tmp"));
	assert_int_equal(fstatat(dir, "x", &st, 0), 0);
	assert_true(st.st_mtim.tv_sec != 1795251606);
	assert_int_equal(file_replace(dir, &how, "", 0), 0);
	check_content("x", "");
}

static void
a_failed_replacement_leaves_what_was(void **state)
{
	struct file_replace how = { .tmp = ".x.tmp", .name = "x" };
	struct rlimit limit = { 10, 10 };
	int status;

	(void)state;
	put("x", "old");
	assert_int_equal(mkdirat(dir, "d", 0755), 0);
	how.name = "d";
	assert_int_equal(file_replace(dir, &how, "new", 3), -EISDIR);
	assert_false(exists(".x.tmp"));
	how.name = "x";
	how.tmp = "missing/.x.tmp";
	assert_int_equal(file_replace(dir, &how, "new", 3), -ENOENT);
	/* no room: a limit on the size of files stands for the full disk */
	how.tmp = ".x.tmp";
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
			_exit(2);
		_exit(file_replace(dir, &how, "much more than ten", 18) == -EFBIG ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check_content("x", "old");
	assert_false(exists(".x.tmp"));
	/* a link in the place of the temporary file is not written through */
	assert_int_equal(symlinkat("x", dir, ".x.tmp"), 0);
	assert_int_equal(file_replace(dir, &how, "new", 3), -ELOOP);
	check_content("x", "old");
	assert_int_equal(unlinkat(dir, ".x.tmp", 0), 0);
}

static void
writes_over_short_writes(void **state)
{
	enum { LEN = 1 << 20 };
	char *data = malloc(LEN), *back = malloc(LEN);
	size_t got = 0;
	int ends[2], status;

	(void)state;
	for (int i = 0; i < LEN; i++)
		data[i] = (char)(i * 31 >> 3);
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(file_write_all(ends[1], data, LEN) == 0 ? 0 : 1);
	close(ends[1]);
	for (ssize_t n; (n = read(ends[0], back + got, LEN - got)) > 0;)
		got += (size_t)n;
	close(ends[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(got, LEN);
	assert_memory_equal(back, data, LEN);
	assert_int_equal(file_write_all(-1, data, 1), -EBADF);
	assert_int_equal(file_write_all(-1, data, 0), 0);
	free(data);
	free(back);
}

static void
makes_directories(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(file_mkdirs(dir, "a/b/c"), 0);
	assert_int_equal(file_mkdirs(dir, "a/b/c"), 0);
	assert_int_equal(file_mkdirs(dir, "a//b/d/"), 0);
	assert_int_equal(file_mkdirs(dir, "e"), 0);
	assert_int_equal(fstatat(dir, "a/b/c", &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0700, 0700);
	assert_true(exists("a/b/d") && exists("e"));
	put("file", "");
	assert_int_equal(file_mkdirs(dir, "file/x"), -ENOTDIR);
	assert_int_equal(file_mkdirs(dir, "file"), -ENOTDIR);
	assert_int_equal(file_mkdirs(dir, "/tmp"), -EXDEV);
	assert_int_equal(file_mkdirs(dir, "../x"), -EXDEV);
	assert_int_equal(file_mkdirs(dir, "a/../../x"), -EXDEV);
	assert_int_equal(symlinkat("..", dir, "up"), 0);
	assert_int_equal(file_mkdirs(dir, "up/never"), -EXDEV);
	assert_false(exists("../never"));
	assert_int_equal(unlinkat(dir, "up", 0), 0);
}

static void
makes_no_directory_above(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir, "in", 0755), 0);
	int in = openat(dir, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("..", in, "up"), 0);
	assert_int_equal(file_mkdirs(in, "up/never"), -EXDEV);
	assert_int_equal(file_mkdirs(in, "../never"), -EXDEV);
	assert_false(exists("never"));
	assert_int_equal(unlinkat(in, "up", 0), 0);
	close(in);
}

static void
makes_directories_without_leaking(void **state)
{
	(void)state;
	int before = dup(dir);
	close(before);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(file_mkdirs(dir, "p/q/r"), 0);
		assert_int_equal(file_mkdirs(dir, "p/q/../../../x"), -EXDEV);
	}
	int after = dup(dir);
	close(after);
	assert_int_equal(before, after);
}

static void
only_one_has_the_lock(void **state)
{
	(void)state;
	int fd = file_lock(dir, ".lock");
	assert_true(fd >= 0);
	assert_int_equal(file_lock(dir, ".lock"), -EWOULDBLOCK);
	int other = file_lock(dir, ".other");
	assert_true(other >= 0);
	close(fd);
	fd = file_lock(dir, ".lock");
	assert_true(fd >= 0);
	close(fd);
	close(other);
	assert_int_equal(file_lock(dir, "missing/.lock"), -ENOENT);
}

static void
removes_trees(void **state)
{
	(void)state;
	assert_int_equal(file_mkdirs(dir, "t/a/b"), 0);
	put("t/1", "");
	put("t/a/2", "");
	put("t/a/b/.3", "");
	put("u", "");
	assert_int_equal(file_remove_tree(dir, "t"), 0);
	assert_false(exists("t"));
	assert_true(exists("u"));
	assert_int_equal(file_remove_tree(dir, "u"), 0);
	assert_false(exists("u"));
	assert_int_equal(file_remove_tree(dir, "t"), -ENOENT);
	static const char *const wrong[] = { "", ".", "..", "a/b", "/", "x/" };
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(file_remove_tree(dir, wrong[i]), -EINVAL);
}

static void
removes_directories_of_many_files(void **state)
{
	char name[32];

	(void)state;
	assert_int_equal(mkdirat(dir, "many", 0755), 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof name, "many/%d", i);
		put(name, "");
	}
	assert_int_equal(file_remove_tree(dir, "many"), 0);
	assert_false(exists("many"));
}

static void
links_stay_and_are_not_followed(void **state)
{
	(void)state;
	assert_int_equal(file_mkdirs(dir, "safe"), 0);
	put("safe/file", "content");
	assert_int_equal(file_mkdirs(dir, "t/deep"), 0);
	put("t/gone", "");
	assert_int_equal(symlinkat("../../safe", dir, "t/deep/link"), 0);
	assert_int_equal(file_remove_tree(dir, "t"), -EPERM);
	check_content("safe/file", "content");
	assert_true(exists("t/deep/link"));
	assert_false(exists("t/gone"));
	assert_int_equal(symlinkat("safe", dir, "link"), 0);
	assert_int_equal(file_remove_tree(dir, "link"), -EPERM);
	check_content("safe/file", "content");
	assert_int_equal(unlinkat(dir, "link", 0), 0);
	assert_int_equal(unlinkat(dir, "t/deep/link", 0), 0);
	assert_int_equal(file_remove_tree(dir, "t"), 0);
}

static void
goes_eight_deep(void **state)
{
	(void)state;
	assert_int_equal(file_mkdirs(dir, "1/2/3/4/5/6/7/8"), 0);
	put("1/2/3/4/5/6/7/8/file", "");
	assert_int_equal(file_remove_tree(dir, "1"), 0);
	assert_int_equal(file_mkdirs(dir, "1/2/3/4/5/6/7/8/9"), 0);
	assert_int_equal(file_remove_tree(dir, "1"), -ELOOP);
	assert_true(exists("1/2/3/4/5/6/7/8/9"));
	assert_int_equal(unlinkat(dir, "1/2/3/4/5/6/7/8/9", AT_REMOVEDIR), 0);
	assert_int_equal(file_remove_tree(dir, "1"), 0);
}

static void
knows_what_is_free(void **state)
{
	(void)state;
	assert_true(file_free_bytes(dir) > 0);
	assert_int_equal(file_free_bytes(-1), -EBADF);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_whole_files),
		TEST(opens_only_what_is_beneath),
		TEST(replaces_whole_files),
		TEST(a_failed_replacement_leaves_what_was),
		TEST(writes_over_short_writes),
		TEST(makes_directories),
		TEST(makes_no_directory_above),
		TEST(makes_directories_without_leaking),
		TEST(only_one_has_the_lock),
		TEST(removes_trees),
		TEST(removes_directories_of_many_files),
		TEST(links_stay_and_are_not_followed),
		TEST(goes_eight_deep),
		TEST(knows_what_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
