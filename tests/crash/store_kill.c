/* A writer that puts segments as fast as it can is killed at random moments, again and again, while a reader goes on
 * reading live list and hour files. At every instant each listed segment must be there, whole; numbers must never
 * repeat and never go back; nothing that was put must be lost.
 *
 *	store_kill [KILLS [SEED]]
 *
 * Prints a line of what was seen; exit code 0, or 1 with the first fault on standard error. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <xxhash.h>

#include "tests/unit/store_fixture.h"

#define FRAME 24
#define KILLS 50

/* What the processes tell each other. */
struct shared {
	atomic_uint_fast64_t put;                    /* the newest number whose put returned */
	atomic_uint_fast64_t puts;                   /* in all */
	atomic_uint_fast64_t lists, hours, segments; /* read and found whole */
	atomic_bool stop;
};

static struct shared *shared;

_Noreturn static void fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

_Noreturn static void
fault(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("store_kill: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	_exit(1);
}

/* --- the writer --- */

static void
must(int rc, const char *what, uint64_t msn)
{
	if (rc < 0)
		fault("%s %" PRIu64 ": %s", what, msn, strerror(-rc));
}

static void
put(struct fixture *f, uint64_t msn)
{
	struct fixture_segment s = fixture_make(msn, FRAME, false);
	must(store_rendition_put(f->r, &s.s), "put", msn);
	free(s.data);
	atomic_store(&shared->put, msn);
	atomic_fetch_add(&shared->puts, 1);
}

/* Mostly the next number; now and then gaps, a skipped one, skipped hours. */
_Noreturn static void
write_on(struct fixture *f, unsigned seed)
{
	uint64_t start = atomic_load(&shared->put) ? atomic_load(&shared->put) : FIXTURE_FIRST;
	if (fixture_open(f, start) < 0)
		fault("open: %s", f->errors.data);
	if (f->resume.any && f->resume.next_msn <= atomic_load(&shared->put))
		fault("%" PRIu64 " was put, and is next again", atomic_load(&shared->put));
	for (uint64_t k = f->resume.any ? f->resume.next_msn : FIXTURE_FIRST + 30;; k++) {
		unsigned dice = (unsigned)rand_r(&seed) % 1000;
		if (dice < 10)
			k += dice;
		else if (dice == 10)
			k += 1500;
		if (dice >= 20 && dice < 40)
			must(store_rendition_gap(f->r, k, false), "gap", k);
		else
			put(f, k);
		if (dice % 4 == 0)
			must(store_rendition_live(f->r), "live list", k);
		if (dice % 50 == 0)
			must(store_rendition_retain(f->r, layout_grid(k, FIXTURE_T)), "retain", k);
	}
}

/* --- the reader --- */

/* Whether the segment has just the bytes that are a function of its number. 0, or -ENOENT. */
static int
check_segment(const struct fixture *f, uint64_t msn, const struct hour_entry *e)
{
	char path[256], name[LAYOUT_NAME_SIZE];
	struct text t;
	text_init(&t, 1 << 20);
	int rc = file_read(AT_FDCWD, fixture_path(f, layout_segment_path(msn, FIXTURE_T, LAYOUT_TS, name), path), &t);
	if (rc == 0 && e) {
		if (t.len != e->bytes || XXH64(t.data, t.len, 0) != e->xxh64)
			fault("%s is not what its entry says", name);
	} else if (rc == 0) {
		struct fixture_segment want = fixture_make(msn, FRAME, false);
		if (t.len != want.s.len || memcmp(t.data, want.data, t.len) != 0)
			fault("%s is not whole", name);
		free(want.data);
	} else if (rc != -ENOENT) {
		fault("%s: %s", name, strerror(-rc));
	}
	text_fini(&t);
	atomic_fetch_add(&shared->segments, rc == 0);
	return rc;
}

static uint64_t
number_after(const char *text, const char *tag)
{
	const char *at = strstr(text, tag);
	if (!at)
		fault("the live list has no %s", tag);
	return strtoull(at + strlen(tag), NULL, 10);
}

static void
check_live(const struct fixture *f, uint64_t *front, uint64_t *back, uint64_t *sequence)
{
	char path[256];
	struct text t;
	text_init(&t, 1 << 20);
	int rc = file_read(AT_FDCWD, fixture_path(f, "index.m3u8", path), &t);
	if (rc == -ENOENT) {
		text_fini(&t);
		return;
	}
	must(rc, "read the live list", 0);
	uint64_t msn = number_after(t.data, "#EXT-X-MEDIA-SEQUENCE:");
	uint64_t discontinuities = number_after(t.data, "#EXT-X-DISCONTINUITY-SEQUENCE:");
	if (msn < *front || discontinuities < *sequence)
		fault("the live list goes back: from %" PRIu64 " to %" PRIu64, *front, msn);
	*front = msn;
	*sequence = discontinuities;
	bool gap = false;
	for (char *line = t.data, *end; (end = strchr(line, '\n')); line = end + 1) {
		char name[LAYOUT_NAME_SIZE];
		gap |= strncmp(line, "#EXT-X-GAP", 10) == 0;
		if (*line == '#')
			continue;
		*end = '\0';
		if (strcmp(line, layout_segment_path(msn, FIXTURE_T, LAYOUT_TS, name)) != 0)
			fault("the live list names %s for %" PRIu64, line, msn);
		if (!gap && check_segment(f, msn, NULL) < 0)
			fault("the live list names %s, which is missing", line);
		gap = false;
		msn++;
	}
	if (msn - 1 < *back)
		fault("the live list ends with %" PRIu64 " after %" PRIu64, msn - 1, *back);
	*back = msn - 1;
	atomic_fetch_add(&shared->lists, 1);
	text_fini(&t);
}

static bool
still_listed(const struct fixture *f, uint64_t hour)
{
	struct hour h;
	char why[128];
	int rc = store_read_hour(f->root, "fip", "hifi", hour, &h, why);
	if (rc == 0)
		hour_free(&h);
	return rc == 0;
}

/* `step`: look at every step-th entry, and at the last ones. */
static void
check_hour(const struct fixture *f, uint64_t hour, size_t step, uint64_t *newest)
{
	struct hour h;
	char why[128] = "";
	int rc = store_read_hour(f->root, "fip", "hifi", hour, &h, why);
	if (rc == -ENOENT)
		return; /* retention was faster */
	if (rc < 0)
		fault("hour %" PRIu64 ": %s %s", hour, strerror(-rc), why);
	for (size_t i = 0; i < h.count; i++) {
		const struct hour_entry *e = &h.entries[i];
		bool look = !e->gap && (i % step == 0 || i + 5 > h.count);
		if (look && check_segment(f, e->msn, e) < 0 && still_listed(f, hour))
			fault("segment %" PRIu64 " is listed and missing", e->msn);
	}
	if (h.count && h.entries[h.count - 1].msn > *newest)
		*newest = h.entries[h.count - 1].msn;
	atomic_fetch_add(&shared->hours, 1);
	hour_free(&h);
}

/* Returns the newest number that an hour file lists. */
static uint64_t
check_hours(const struct fixture *f, size_t step)
{
	struct store_hour *hours;
	size_t count;
	uint64_t newest = 0;
	if (store_list_hours(f->root, "fip", "hifi", &hours, &count) < 0)
		return 0;
	for (size_t i = count > 2 && step > 1 ? count - 2 : 0; i < count; i++)
		check_hour(f, hours[i].hour, step, &newest);
	free(hours);
	return newest;
}

_Noreturn static void
read_on(const struct fixture *f)
{
	uint64_t front = 0, back = 0, sequence = 0, newest = 0;
	while (!atomic_load(&shared->stop)) {
		/* what was put before the look is listed, whatever happens meanwhile */
		uint64_t put_before = atomic_load(&shared->put);
		check_live(f, &front, &back, &sequence);
		uint64_t n = check_hours(f, 37);
		if (n < newest || n < put_before)
			fault("the hour files end with %" PRIu64 " after %" PRIu64, n,
			    newest > put_before ? newest : put_before);
		newest = n;
	}
	_exit(0);
}

/* --- the test --- */

static pid_t
child(void)
{
	pid_t pid = fork();
	if (pid < 0)
		fault("fork: %s", strerror(errno));
	return pid;
}

static void
kill_writer(struct fixture *f, unsigned *seed)
{
	pid_t writer = child();
	if (writer == 0)
		write_on(f, *seed);
	long us = 500 + rand_r(seed) % 80000;
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
	kill(writer, SIGKILL);
	int status;
	waitpid(writer, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fault("the writer ended by itself");
}

int
main(int argc, char **argv)
{
	int kills = argc > 1 ? (int)strtol(argv[1], NULL, 10) : KILLS;
	unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)time(NULL);
	const unsigned first_seed = seed;
	void *state;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || fixture_setup(&state) != 0)
		fault("no memory or no temporary folder");
	struct fixture *f = state;
	f->config.retention_ns = 3600 * NS_PER_S;

	pid_t reader = child();
	if (reader == 0)
		read_on(f);
	for (int i = 0; i < kills; i++)
		kill_writer(f, &seed);
	atomic_store(&shared->stop, true);
	int status;
	waitpid(reader, &status, 0);
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	/* and once more in peace, every byte of every hour */
	if (good && (fixture_open(f, atomic_load(&shared->put)) < 0 || check_hours(f, 1) < atomic_load(&shared->put)))
		fault("seed %u: what was put is not listed: %s", first_seed, f->errors.data ? f->errors.data : "");
	printf("store_kill: %d kills, %" PRIuFAST64 " segments put; read meanwhile: %" PRIuFAST64
	       " live lists, %" PRIuFAST64 " hour files, %" PRIuFAST64 " segments; seed %u: %s\n",
	    kills, atomic_load(&shared->puts), atomic_load(&shared->lists), atomic_load(&shared->hours),
	    atomic_load(&shared->segments), first_seed, good ? "all whole" : "FAULT");
	if (!good)
		return 1;
	fixture_teardown(&state);
	return 0;
}
