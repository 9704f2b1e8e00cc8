/* The journal: frames of segments that are not in the store yet. */
#include "segmenter/write/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/cursor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#define MAGIC "HCJ1"
#define PREFIX ".journal-"
#define HEAD_SIZE 40
#define RECORD_SIZE 21
#define RUN_SIZE (HOUR_RUN_ID + 8)
#define JOURNAL_MAX (64 * 1024 * 1024)
#define BYTES_KEPT (1024 * 1024) /* memory that stays allocated between jobs */
#define OPEN_MAX 4               /* journals of one rendition that are appended to at the same time */

#define INPUT_MAGIC "HCJ2"
#define INPUT_NAME PREFIX "input"
#define SLOT_HEAD 20
#define SLOT_SIZE (4 * 1024 * 1024)

enum op_kind { OP_APPEND, OP_REMOVE, OP_INPUT };

struct op {
	enum op_kind kind;
	struct journal_dir *dir;
	uint64_t msn;      /* OP_INPUT: number of the slot */
	size_t begin, end; /* OP_APPEND, OP_INPUT: which of the bytes */
};

struct ops {
	struct op *list;
	size_t count, size;
	struct text bytes; /* of all of them */
};

struct journal_dir {
	struct journal *journal;
	int fd;
	unsigned refs;      /* ops that name it, and its owner */
	uint64_t slot;      /* number of the slot written last */
	uint64_t slot_hash; /* ... and what its bytes were */
	int input_fd;       /* touched by the thread only */
	struct {
		uint64_t msn;
		int fd;
	} open[OPEN_MAX]; /* touched by the thread only */
};

struct journal {
	uv_loop_t *loop;
	uv_thread_t thread;
	uv_mutex_t lock;
	uv_cond_t wake;
	uv_async_t done;
	struct ops next, running; /* `running` is the thread's while `busy` */
	bool busy;
	bool work, quit; /* under the lock: the thread's orders */
	bool over;       /* under the lock: the job has been done */
	struct journal_counters counters;
	uint64_t job_bytes, job_errors; /* of the job under way; the thread writes them */
};

/* ---- bytes */

static uint8_t *
put_be(uint8_t *to, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
	return to + bytes;
}

static void
head_write(struct text *t, const struct segment *s)
{
	uint8_t *p = text_reserve(t, HEAD_SIZE);

	if (!p)
		return;
	memcpy(p, MAGIC, 4);
	p = put_be(p + 4, s->msn, 8);
	p = put_be(p, s->format.codec, 1);
	p = put_be(p, s->format.profile, 1);
	memcpy(p, s->format.header, 4);
	p = put_be(p + 4, s->format.rate, 4);
	p = put_be(p, s->format.channels, 1);
	p = put_be(p, s->discontinuity, 1);
	p = put_be(p, s->anchor.t, 8);
	put_be(p, s->sample, 8);
}

static uint8_t *
put_runs(uint8_t *to, const struct hour_runs *runs)
{
	to = put_be(to, runs->count, 1);
	for (uint32_t i = 0; i < runs->count; i++) {
		memcpy(to, runs->run[i].id, HOUR_RUN_ID);
		to = put_be(to + HOUR_RUN_ID, (uint64_t)runs->run[i].offset_ns, 8);
	}
	return to;
}

/* Whole, or not at all: false. `runs`: NULL when they have not changed. */
static bool
record_write(struct text *t, const struct frame *f, bool pending, const struct hour_runs *runs)
{
	uint32_t more = runs ? 1 + runs->count * RUN_SIZE : 0, len = more + f->len;
	uint8_t *record = text_reserve(t, RECORD_SIZE + len), *p = record;

	if (!record)
		return false;
	if (runs)
		put_runs(record + RECORD_SIZE, runs);
	memcpy(record + RECORD_SIZE + more, f->data, f->len);
	p = put_be(p, len, 4);
	p = put_be(p, f->samples, 4);
	p = put_be(p, (uint64_t)f->wall.ns, 8);
	p = put_be(p, (uint64_t)(f->fill | pending << 1 | (runs ? 4 : 0)), 1);
	put_be(p, XXH32(record + RECORD_SIZE, len, XXH32(record, RECORD_SIZE - 4, 0)), 4);
	return true;
}

/* The head of a slot that holds these bytes. */
static void
slot_head(uint8_t head[static SLOT_HEAD], uint64_t number, const void *bytes, size_t len)
{
	memcpy(head, INPUT_MAGIC, 4);
	put_be(put_be(head + 4, number, 8), len, 4);
	put_be(head + 16, XXH32(bytes, len, XXH32(head + 4, 12, 0)), 4);
}

/* ---- the thread's side */

static int
dir_open_journal(struct journal_dir *d, uint64_t msn)
{
	char name[48];
	int free_slot = 0;

	for (int i = 0; i < OPEN_MAX; i++) {
		if (d->open[i].fd >= 0 && d->open[i].msn == msn)
			return d->open[i].fd;
		if (d->open[i].fd < 0)
			free_slot = i;
	}
	if (d->open[free_slot].fd >= 0)
		close(d->open[free_slot].fd);
	snprintf(name, sizeof(name), PREFIX "%" PRIu64, msn);
	d->open[free_slot].fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	d->open[free_slot].msn = msn;
	return d->open[free_slot].fd >= 0 ? d->open[free_slot].fd : -errno;
}

static void
op_count(struct journal *j, const struct op *op, int err)
{
	if (err < 0) {
		j->job_errors++;
		log_error("cannot write the journal, a crash now would lose audio error=\"%s\"", strerror(-err));
	} else {
		j->job_bytes += op->end - op->begin;
	}
}

static void
op_append(struct journal *j, struct op *op)
{
	int fd = dir_open_journal(op->dir, op->msn);

	op_count(j, op, fd < 0 ? fd : file_write_all(fd, j->running.bytes.data + op->begin, op->end - op->begin));
}

static void
op_input(struct journal *j, struct op *op)
{
	struct journal_dir *d = op->dir;
	size_t len = op->end - op->begin;
	int err = 0;

	if (d->input_fd < 0)
		d->input_fd = openat(d->fd, INPUT_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (d->input_fd < 0)
		err = -errno;
	else if (pwrite(d->input_fd, j->running.bytes.data + op->begin, len, (off_t)(op->msn % 2 * SLOT_SIZE)) !=
		 (ssize_t)len)
		err = -EIO;
	op_count(j, op, err);
}

static void
op_remove(struct op *op)
{
	char name[48];

	for (int i = 0; i < OPEN_MAX; i++) {
		if (op->dir->open[i].fd >= 0 && op->dir->open[i].msn == op->msn) {
			close(op->dir->open[i].fd);
			op->dir->open[i].fd = -1;
		}
	}
	snprintf(name, sizeof(name), PREFIX "%" PRIu64, op->msn);
	unlinkat(op->dir->fd, name, 0);
}

static void
ops_run(struct journal *j)
{
	for (size_t i = 0; i < j->running.count; i++) {
		struct op *op = &j->running.list[i];
		if (op->kind == OP_APPEND)
			op_append(j, op);
		else if (op->kind == OP_INPUT)
			op_input(j, op);
		else
			op_remove(op);
	}
}

static void
thread_run(void *arg)
{
	struct journal *j = arg;

	uv_mutex_lock(&j->lock);
	for (;;) {
		while (!j->work && !j->quit)
			uv_cond_wait(&j->wake, &j->lock);
		if (!j->work)
			break;
		j->work = false;
		uv_mutex_unlock(&j->lock);
		ops_run(j);
		uv_mutex_lock(&j->lock);
		j->over = true;
		uv_async_send(&j->done);
	}
	uv_mutex_unlock(&j->lock);
}

/* ---- the loop's side */

static void
dir_unref(struct journal_dir *d)
{
	if (--d->refs > 0)
		return;
	for (int i = 0; i < OPEN_MAX; i++) {
		if (d->open[i].fd >= 0)
			close(d->open[i].fd);
	}
	if (d->input_fd >= 0)
		close(d->input_fd);
	close(d->fd);
	free(d);
}

static void
ops_done(struct journal *j)
{
	for (size_t i = 0; i < j->running.count; i++)
		dir_unref(j->running.list[i].dir);
	j->running.count = 0;
	if (j->running.bytes.size > BYTES_KEPT)
		text_fini(&j->running.bytes);
	text_clear(&j->running.bytes);
	j->counters.bytes += j->job_bytes;
	j->counters.errors += j->job_errors;
	j->job_bytes = j->job_errors = 0;
	j->busy = false;
}

static void
on_done(uv_async_t *handle)
{
	struct journal *j = handle->data;

	uv_mutex_lock(&j->lock);
	bool over = j->over;
	j->over = false;
	uv_mutex_unlock(&j->lock);
	if (over)
		ops_done(j);
}

bool
journal_busy(const struct journal *j)
{
	return j->busy;
}

bool
journal_flush(struct journal *j)
{
	if (j->busy)
		return false;
	if (j->next.count == 0)
		return true;
	struct ops empty = j->running;
	j->running = j->next;
	j->next = empty;
	j->busy = true;
	uv_mutex_lock(&j->lock);
	j->work = true;
	uv_cond_signal(&j->wake);
	uv_mutex_unlock(&j->lock);
	return true;
}

static struct op *
ops_add(struct journal_dir *d, enum op_kind kind, uint64_t msn)
{
	struct ops *o = &d->journal->next;

	if (o->count == o->size) {
		size_t size = o->size ? o->size * 2 : 16;
		struct op *list = realloc(o->list, size * sizeof(*list));
		if (!list)
			return NULL;
		o->list = list;
		o->size = size;
	}
	d->refs++;
	struct op *op = &o->list[o->count++];
	*op = (struct op){ .kind = kind, .dir = d, .msn = msn, .begin = o->bytes.len, .end = o->bytes.len };
	return op;
}

void
journal_append(struct journal_dir *d, struct segment *s)
{
	if (s->gap || s->journalled == s->count)
		return;
	struct op *op = ops_add(d, OP_APPEND, s->msn);
	if (!op)
		return;
	struct text *bytes = &d->journal->next.bytes;
	if (s->journalled == 0)
		head_write(bytes, s);
	while (s->journalled < s->count) {
		bool change = s->runs.count && !hour_runs_equal(&s->runs, &s->journalled_runs);
		if (!record_write(bytes, &s->frames[s->journalled], s->pending, change ? &s->runs : NULL))
			break;
		s->journalled_runs = s->runs;
		s->journalled++;
	}
	if (s->journalled < s->count)
		d->journal->counters.errors++;
	if (s->journalled > 0) /* else there was no room: the head goes again, with the first frame */
		op->end = bytes->len;
}

void
journal_remove(struct journal_dir *d, uint64_t msn)
{
	ops_add(d, OP_REMOVE, msn);
}

void
journal_input(struct journal_dir *d, const struct text *bytes)
{
	size_t len = bytes->full || bytes->len > SLOT_SIZE - SLOT_HEAD ? 0 : bytes->len;
	uint64_t hash = XXH64(bytes->data, len, 0);

	if (d->slot > 0 && hash == d->slot_hash)
		return;
	struct op *op = ops_add(d, OP_INPUT, d->slot + 1);
	struct text *to = &d->journal->next.bytes;
	uint8_t *p = op ? text_reserve(to, SLOT_HEAD + len) : NULL;
	if (!p)
		return;
	d->slot++;
	d->slot_hash = hash;
	slot_head(p, d->slot, bytes->data, len);
	if (len)
		memcpy(p + SLOT_HEAD, bytes->data, len);
	op->end = to->len;
}

struct journal *
journal_new(uv_loop_t *loop)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->loop = loop;
	j->done.data = j;
	text_init(&j->next.bytes, JOURNAL_MAX);
	text_init(&j->running.bytes, JOURNAL_MAX);
	if (uv_mutex_init(&j->lock) < 0)
		goto no_lock;
	if (uv_cond_init(&j->wake) < 0)
		goto no_wake;
	if (uv_thread_create(&j->thread, thread_run, j) < 0)
		goto no_thread;
	CHECK(uv_async_init(loop, &j->done, on_done) == 0);
	return j;
no_thread:
	uv_cond_destroy(&j->wake);
no_wake:
	uv_mutex_destroy(&j->lock);
no_lock:
	free(j);
	return NULL;
}

static void
on_closed(uv_handle_t *handle)
{
	struct journal *j = handle->data;

	uv_cond_destroy(&j->wake);
	uv_mutex_destroy(&j->lock);
	text_fini(&j->next.bytes);
	text_fini(&j->running.bytes);
	free(j->next.list);
	free(j->running.list);
	free(j);
}

void
journal_free(struct journal **jp)
{
	struct journal *j = *jp;

	if (!j)
		return;
	*jp = NULL;
	uv_mutex_lock(&j->lock);
	j->quit = true;
	uv_cond_signal(&j->wake);
	uv_mutex_unlock(&j->lock);
	uv_thread_join(&j->thread);
	ops_done(j);
	struct ops empty = j->running;
	j->running = j->next;
	j->next = empty;
	ops_run(j);
	ops_done(j);
	uv_close((uv_handle_t *)&j->done, on_closed);
}

const struct journal_counters *
journal_counters(const struct journal *j)
{
	return &j->counters;
}

struct journal_dir *
journal_dir_new(struct journal *j, int dirfd)
{
	struct journal_dir *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	d->journal = j;
	d->refs = 1;
	d->input_fd = -1;
	for (int i = 0; i < OPEN_MAX; i++)
		d->open[i].fd = -1;
	return d;
}

void
journal_dir_free(struct journal_dir **d)
{
	if (*d)
		dir_unref(*d);
	*d = NULL;
}

/* ---- recovery */

static bool
head_read(struct cursor *c, struct segment *s)
{
	const uint8_t *magic = cursor_take(c, 4);

	if (!magic || memcmp(magic, MAGIC, 4) != 0)
		return false;
	s->msn = cursor_be(c, 8);
	s->format.codec = cursor_u8(c);
	s->format.profile = cursor_u8(c);
	const uint8_t *header = cursor_take(c, 4);
	if (!header)
		return false;
	memcpy(s->format.header, header, 4);
	s->format.rate = cursor_u32(c);
	s->format.channels = cursor_u8(c);
	s->discontinuity = cursor_u8(c) & 1;
	s->anchor.t = cursor_be(c, 8) & TICKS_MASK;
	s->sample = cursor_be(c, 8);
	bool sane = (s->format.codec == CODEC_AAC || s->format.codec == CODEC_MP3) && s->format.profile <= AAC_HE_V2;
	return !c->bad && sane && s->format.rate >= 7350 && s->format.rate <= 96000;
}

/* The runs before a frame's bytes. */
static void
runs_read(struct cursor *c, struct hour_runs *runs)
{
	struct hour_runs r = { .count = cursor_u8(c) };

	if (r.count == 0 || r.count > HOUR_RUNS)
		c->bad = true;
	for (uint32_t i = 0; i < r.count && !c->bad; i++) {
		const uint8_t *id = cursor_take(c, HOUR_RUN_ID);
		if (id)
			memcpy(r.run[i].id, id, HOUR_RUN_ID);
		r.run[i].offset_ns = (int64_t)cursor_be(c, 8);
	}
	if (!c->bad)
		*runs = r;
}

static bool
record_read(struct cursor *c, struct segment *s, struct frame_pool *pool, struct frame_chunk **chunk)
{
	const uint8_t *begin = c->p;
	uint32_t len = cursor_u32(c), samples = cursor_u32(c);
	int64_t wall = (int64_t)cursor_be(c, 8);
	uint8_t flags = cursor_u8(c);
	uint32_t hash = cursor_u32(c);
	const uint8_t *data =
	    len <= 8192 + 1 + HOUR_RUNS * RUN_SIZE && samples > 0 && samples <= 8192 ? cursor_take(c, len) : NULL;
	struct hour_runs runs = s->runs;
	struct frame f;

	if (!data || XXH32(data, len, XXH32(begin, RECORD_SIZE - 4, 0)) != hash)
		return false;
	if (flags >> 2 & 1) {
		struct cursor in = cursor_of(data, len);
		runs_read(&in, &runs);
		if (in.bad)
			return false;
		data = in.p;
		len = (uint32_t)cursor_left(&in);
	}
	if (len > 8192)
		return false;
	/* frames between were not written, the disk was full: what follows is of no use */
	if (s->count && wall - segment_end(s).ns > samples_to_ns(samples, s->format.rate) * 3 / 4)
		return false;
	if (s->count == s->size) {
		uint32_t size = s->size ? s->size * 2 : 256;
		struct frame *frames = realloc(s->frames, size * sizeof(*frames));
		if (!frames)
			return false;
		s->frames = frames;
		s->size = size;
	}
	if (frame_make(pool, chunk, data, len, data, 0, &f) < 0)
		return false;
	f.samples = samples;
	f.wall.ns = wall;
	f.fill = flags & 1;
	if (s->count == 0)
		s->start = f.wall;
	s->frames[s->count++] = f;
	s->runs = s->journalled_runs = runs;
	s->samples += samples;
	s->audio_bytes += len;
	s->fill += f.fill;
	s->pending |= flags >> 1 & 1;
	return true;
}

struct segment *
journal_read(const uint8_t *data, size_t len, struct frame_pool *pool, size_t *whole)
{
	struct cursor c = cursor_of(data, len);
	struct segment *s = calloc(1, sizeof(*s));
	struct frame_chunk *chunk = NULL;

	if (!s || !head_read(&c, s)) {
		free(s);
		return NULL;
	}
	do {
		*whole = len - cursor_left(&c);
	} while (cursor_left(&c) && record_read(&c, s, pool, &chunk));
	frame_chunk_release(&chunk);
	if (s->count == 0)
		segment_free(&s);
	return s;
}

static int
compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The numbers of all journals in a folder, sorted. */
static int
journal_list(int dirfd, uint64_t **numbers, size_t *count)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t size = 0;

	*numbers = NULL;
	*count = 0;
	if (!dir)
		return -errno;
	for (struct dirent *e; (e = readdir(dir));) {
		char *end;
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		uint64_t n = strtoull(e->d_name + strlen(PREFIX), &end, 10);
		if (*end)
			continue;
		if (*count == size) {
			size = size ? size * 2 : 16;
			uint64_t *more = realloc(*numbers, size * sizeof(*more));
			if (!more)
				break;
			*numbers = more;
		}
		(*numbers)[(*count)++] = n;
	}
	closedir(dir);
	if (*count)
		qsort(*numbers, *count, sizeof(**numbers), compare_numbers);
	return 0;
}

/* One journal of the folder. Its torn tail is cut, so that it can be appended to. NULL when it is of no use. */
static struct segment *
journal_recover_one(int dirfd, const char *name, uint64_t msn, struct frame_pool *pool)
{
	struct text bytes;
	struct segment *s = NULL;
	size_t whole = 0;

	text_init(&bytes, JOURNAL_MAX);
	if (file_read(dirfd, name, &bytes) == 0)
		s = journal_read((const uint8_t *)bytes.data, bytes.len, pool, &whole);
	bool torn = whole < bytes.len;
	text_fini(&bytes);
	if (s && s->msn != msn)
		segment_free(&s);
	if (s && torn) {
		int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || ftruncate(fd, (off_t)whole) < 0)
			log_error("cannot cut the torn tail of a journal file=%s error=\"%s\"", name, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return s;
}

int
journal_recover(int dirfd, uint64_t newest, struct frame_pool *pool, struct segment **segments)
{
	uint64_t *numbers;
	size_t count;
	int err = journal_list(dirfd, &numbers, &count);

	*segments = NULL;
	for (size_t i = 0; err == 0 && i < count; i++) {
		char name[48];
		struct segment *s = NULL;

		snprintf(name, sizeof(name), PREFIX "%" PRIu64, numbers[i]);
		if (numbers[i] > newest)
			s = journal_recover_one(dirfd, name, numbers[i], pool);
		if (!s) {
			unlinkat(dirfd, name, 0);
			continue;
		}
		s->journalled = s->count;
		*segments = s;
		segments = &s->next;
	}
	free(numbers);
	return err;
}

/* A slot, added to `out`. Its number, or 0 when it is not whole. */
static uint64_t
slot_read(int fd, unsigned slot, struct text *out)
{
	uint8_t head[SLOT_HEAD], expected[SLOT_HEAD];
	struct cursor c = cursor_of(head, sizeof(head));

	if (pread(fd, head, sizeof(head), (off_t)slot * SLOT_SIZE) != (ssize_t)sizeof(head))
		return 0;
	cursor_take(&c, 4);
	uint64_t number = cursor_be(&c, 8);
	uint32_t len = cursor_u32(&c);
	char *bytes = len <= SLOT_SIZE - SLOT_HEAD ? text_reserve(out, len) : NULL;
	if (!bytes || pread(fd, bytes, len, (off_t)slot * SLOT_SIZE + SLOT_HEAD) != (ssize_t)len)
		return 0;
	slot_head(expected, number, bytes, len);
	return memcmp(head, expected, sizeof(head)) == 0 ? number : 0;
}

void
journal_recover_input(struct journal_dir *d, struct text *out)
{
	int fd = openat(d->fd, INPUT_NAME, O_RDONLY | O_CLOEXEC);
	struct text slots[2];

	for (unsigned i = 0; i < 2; i++) {
		text_init(&slots[i], SLOT_SIZE);
		uint64_t number = fd < 0 ? 0 : slot_read(fd, i, &slots[i]);
		if (number > d->slot) {
			d->slot = number;
			text_clear(out);
			text_add(out, slots[i].data, slots[i].len);
		}
		text_fini(&slots[i]);
	}
	if (fd >= 0)
		close(fd);
	d->slot_hash = XXH64(out->data, out->len, 0);
}
