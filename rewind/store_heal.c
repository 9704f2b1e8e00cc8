/* Entering what was fetched from a peer: an hour file that is over is written anew, and the numbers of all later ones
 * follow. Two marks in the rendition's folder tell who comes after a crash what was going on, each the name of an hour:
 *
 *	.heal           its folder may hold segments that are not listed yet
 *	.heal-numbers   hours after it may have discontinuity numbers that do not follow yet */
#include "rewind/store_rendition.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "rewind/heal_hour.h"

#define HEALING ".heal"
#define NUMBERS ".heal-numbers"

/* --- marks --- */

static bool
mark_read(int dir, const char *mark, uint64_t *hour)
{
	char memory[LAYOUT_NAME_SIZE];
	struct text t;
	text_init_fixed(&t, memory, sizeof memory);
	if (file_read(dir, mark, &t) < 0)
		return false;
	memory[strcspn(memory, "\n")] = '\0';
	return layout_parse_hour_dir(memory, hour) == 0;
}

static int
mark_write(int dir, const char *mark, uint64_t hour, bool sync)
{
	char text[LAYOUT_NAME_SIZE];
	struct file_replace how = { .tmp = STORE_TMP "mark", .name = mark, .sync = sync };
	size_t len = strlen(layout_hour_name(hour, text));
	text[len++] = '\n';
	return file_replace(dir, &how, text, len);
}

static int
mark_remove(int dir, const char *mark)
{
	return unlinkat(dir, mark, 0) < 0 && errno != ENOENT ? -errno : 0;
}

bool
store_healing(int dir, uint64_t *hour)
{
	return mark_read(dir, HEALING, hour);
}

bool
store_renumbering(int dir, uint64_t *hour)
{
	return mark_read(dir, NUMBERS, hour);
}

/* --- segments that are not listed --- */

struct unlisted {
	int folder;
	const struct hour *hour; /* NULL: there is no file */
};

static bool
listed(const struct hour *h, const char *name)
{
	struct wall grid;
	enum layout_kind kind;
	if (!h || layout_parse_segment(name, &grid, &kind) < 0)
		return false;
	uint64_t i = (uint64_t)(grid.ns / NS_PER_S) / h->segment - h->first_msn;
	return i < h->count && !h->entries[i].gap && h->entries[i].kind == kind;
}

static int
remove_unlisted(void *ctx, const char *name)
{
	const struct unlisted *u = ctx;
	struct wall grid;
	enum layout_kind kind;
	bool ours = layout_parse_segment(name, &grid, &kind) == 0 || strncmp(name, STORE_TMP, strlen(STORE_TMP)) == 0;
	if (!ours || listed(u->hour, name))
		return 0;
	return unlinkat(u->folder, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* What is in an hour's folder and not listed goes, and without an hour file the folder too. */
static int
clean(int dir, uint64_t hour)
{
	char name[LAYOUT_NAME_SIZE], why[128];
	struct hour h = { 0 };
	int rc = store_read_hour_in(dir, hour, &h, why);
	if (rc < 0 && rc != -ENOENT) /* a file that cannot be read is for people */
		return rc == -EBADMSG ? 0 : rc;
	struct unlisted u = { .hour = rc == 0 ? &h : NULL };
	layout_hour_name(hour, name);
	u.folder = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	rc = 0;
	if (u.folder >= 0) {
		rc = store_each_name(u.folder, remove_unlisted, &u);
		close(u.folder);
	}
	if (rc == 0 && !u.hour && unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENOTEMPTY)
		rc = -errno;
	hour_free(&h);
	return rc;
}

int
store_healing_end(int dir)
{
	uint64_t hour;
	int rc = store_healing(dir, &hour) ? clean(dir, hour) : 0;
	return rc < 0 ? rc : mark_remove(dir, HEALING);
}

int
store_healing_begin(int dir, uint64_t hour, bool sync)
{
	uint64_t other;
	if (store_healing(dir, &other) && other == hour)
		return 0;
	int rc = store_healing_end(dir);
	return rc < 0 ? rc : mark_write(dir, HEALING, hour, sync);
}

/* --- the hour file --- */

/* What readers would refuse (more formats than there may be in an hour) must never get the name. */
static bool
readable(const struct text *t)
{
	struct hour h;
	char why[128];
	if (hour_parse(t->data, t->len, &h, why) < 0)
		return false;
	hour_free(&h);
	return true;
}

static int
replace_hour(struct store_rendition *r, uint64_t hour, const struct hour *h)
{
	char name[LAYOUT_NAME_SIZE], file[LAYOUT_NAME_SIZE + 16];
	snprintf(file, sizeof file, "%s.m3u8%s", layout_hour_name(hour, name), h->ended ? "" : ".part");
	text_clear(&r->text);
	hour_write(&r->text, h);
	if (r->text.full)
		return -ENOMEM;
	if (!readable(&r->text))
		return -EBADMSG;
	if (r->part.fd >= 0 && r->part.hour == hour)
		return part_rewrite(&r->part, r->dir, r->text.data, r->text.len, r->config.sync);
	struct file_replace how = { .tmp = STORE_TMP "hour", .name = file, .sync = r->config.sync };
	return file_replace(r->dir, &how, r->text.data, r->text.len);
}

/* --- numbers that follow --- */

/* Hours from the one that changed on. */
struct follow {
	struct store_rendition *r;
	uint64_t sequence;      /* after the hour before */
	struct hour_entry last; /* of it, if it has media: */
	struct audio_format format;
	bool media;
	uint64_t discontinuity; /* number of an entry that got one; 0: none */
	bool any;               /* an hour was written anew */
};

static struct heal_before
follow_before(const struct follow *f)
{
	return f->media ? (struct heal_before){ &f->last, &f->format } : (struct heal_before){ 0 };
}

static void
follow_take(struct follow *f, const struct hour *h)
{
	struct heal_before last = heal_hour_last(h);
	f->sequence = heal_hour_sequence(h);
	f->media = last.entry != NULL;
	if (!f->media)
		return;
	f->last = *last.entry;
	f->format = *last.format;
}

/* 1: it was written anew, 0: it follows, or -errno. */
static int
follow_hour(struct follow *f, uint64_t hour)
{
	struct hour h;
	char why[128];
	struct heal_before before = follow_before(f);
	int rc = store_read_hour_in(f->r->dir, hour, &h, why);
	if (rc == -ENOENT || rc == -EBADMSG)
		return 0;
	if (rc < 0)
		return rc;
	bool had = h.count && h.entries[0].discontinuity;
	bool changed = heal_hour_follow(&h, f->sequence, &before);
	if (changed)
		rc = replace_hour(f->r, hour, &h);
	if (changed && h.count && h.entries[0].discontinuity && !had)
		f->discontinuity = h.first_msn;
	if (rc == 0)
		follow_take(f, &h);
	hour_free(&h);
	f->any |= changed;
	return rc < 0 ? rc : changed;
}

/* Hours with a listing after `hour`. `all`: do not stop at the first that follows, those after it may not. */
static int
follow_hours(struct follow *f, uint64_t hour, bool all)
{
	struct hour_files *files;
	size_t count;
	int rc = store_scan(f->r->dir, &files, &count);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc >= 0 && i < count; i++) {
		if (files[i].hour <= hour || !(files[i].final || files[i].part))
			continue;
		rc = follow_hour(f, files[i].hour);
		if (rc == 0 && !all)
			break;
	}
	free(files);
	return rc < 0 ? rc : 0;
}

/* What is kept in memory of the newest entries. */
static void
follow_memory(struct store_rendition *r, const struct follow *f)
{
	struct store_window *w = &r->window;
	int64_t by = (int64_t)(f->sequence - r->discontinuity_sequence);
	uint64_t sequence = r->discontinuity_sequence = f->sequence;
	r->last.discontinuity_sequence += (uint64_t)by;
	for (size_t i = w->count; i > 0; i--) {
		struct hour_entry *e = &w->entries[i - 1];
		if (f->discontinuity && e->msn == f->discontinuity)
			e->discontinuity = true;
		e->discontinuity_sequence = sequence;
		sequence -= e->discontinuity;
	}
	r->live_stale = true;
}

/* A former call did not come to its end. */
static int
follow_again(struct store_rendition *r, bool in_memory)
{
	uint64_t hour;
	struct hour h;
	char why[128];
	if (!store_renumbering(r->dir, &hour))
		return 0;
	struct follow f = { .r = r };
	int rc = store_read_hour_in(r->dir, hour, &h, why);
	if (rc == 0) {
		follow_take(&f, &h);
		hour_free(&h);
		rc = follow_hours(&f, hour, true);
		if (rc == 0 && f.any && in_memory)
			follow_memory(r, &f);
	}
	return rc < 0 && rc != -ENOENT ? rc : mark_remove(r->dir, NUMBERS);
}

int
store_heal_recover(struct store_rendition *r)
{
	int rc = store_healing_end(r->dir);
	return rc < 0 ? rc : follow_again(r, false);
}

/* --- one hour is healed --- */

/* What a listing around the hour says of discontinuity numbers. */
struct around {
	bool has_before, has_after;
	struct hour before, after; /* the nearest that are listed; before: also borrowed by heal_before */
	uint64_t before_hour, after_hour;
};

static void
around_fini(struct around *a)
{
	hour_free(&a->before);
	hour_free(&a->after);
}

static int
around_read(const struct store_rendition *r, uint64_t hour, struct around *a)
{
	struct hour_files *files;
	size_t count;
	char why[128];
	int rc = store_scan(r->dir, &files, &count);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count; i++) {
		if (!(files[i].final || files[i].part) || files[i].hour == hour)
			continue;
		if (files[i].hour < hour) {
			a->has_before = true;
			a->before_hour = files[i].hour;
		} else if (!a->has_after) {
			a->has_after = true;
			a->after_hour = files[i].hour;
		}
	}
	free(files);
	if (a->has_before)
		rc = store_read_hour_in(r->dir, a->before_hour, &a->before, why);
	if (rc == 0 && a->has_after)
		rc = store_read_hour_in(r->dir, a->after_hour, &a->after, why);
	return rc;
}

/* The number before an hour's first entry. One that is older than all that is there ends where those begin. */
static uint64_t
first_sequence(const struct around *a, const struct hour *own, const struct hour *found)
{
	if (a->has_before)
		return heal_hour_sequence(&a->before);
	if (own)
		return own->discontinuity_sequence;
	uint64_t after = a->after.discontinuity_sequence,
		 in = heal_hour_sequence(found) - found->discontinuity_sequence;
	return after > in ? after - in : 0;
}

/* Entries whose file is not there (any more) are left out. How many are left that the hour lacks. */
static size_t
keep_present(const struct store_rendition *r, const struct hour *own, struct hour *found)
{
	size_t kept = 0;
	for (size_t i = 0; i < found->count; i++) {
		struct hour_entry *e = &found->entries[i];
		char path[LAYOUT_NAME_SIZE];
		struct stat st;
		if (!heal_hour_lacks(own, found, i))
			continue;
		layout_segment_path(e->msn, found->segment, e->kind, path);
		if (fstatat(r->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    (uint64_t)st.st_size == e->bytes)
			kept++;
		else
			*e = hour_gap(e->msn, found->segment, e->kind, e->discontinuity_sequence);
	}
	return kept;
}

static int
remember_rate(struct store_rendition *r, uint64_t hour, const struct hour_rate *rate)
{
	size_t i = 0;
	while (i < r->hour_count && r->hours[i].hour < hour)
		i++;
	if (i < r->hour_count && r->hours[i].hour == hour) {
		r->hours[i].rate = *rate;
		return 0;
	}
	int rc = store_add_hour(r, hour, rate);
	if (rc < 0)
		return rc;
	memmove(&r->hours[i + 1], &r->hours[i], (r->hour_count - 1 - i) * sizeof *r->hours);
	r->hours[i] = (struct retained_hour){ hour, *rate };
	return 0;
}

/* Write the merged hour, and whatever has to follow it. */
static int
enter_healed(struct store_rendition *r, uint64_t hour, const struct hour *merged, struct around *a)
{
	struct heal_before last = heal_hour_last(merged);
	bool follows = !a->has_after || !heal_hour_follow(&a->after, heal_hour_sequence(merged), &last);
	int rc = follows ? 0 : mark_write(r->dir, NUMBERS, hour, r->config.sync);
	if (rc == 0)
		rc = replace_hour(r, hour, merged);
	if (rc == 0 && remember_rate(r, hour, &merged->rate) < 0)
		log_warn("an hour is missing from the measured rates: out of memory station=%s rendition=%s",
		    r->station, r->name);
	if (rc < 0 || follows)
		return rc;
	struct follow f = { .r = r };
	follow_take(&f, merged);
	rc = follow_hours(&f, hour, true);
	if (rc == 0)
		follow_memory(r, &f);
	return rc < 0 ? rc : mark_remove(r->dir, NUMBERS);
}

bool
store_rendition_may_heal(const struct store_rendition *r, uint64_t hour)
{
	/* lists that are given out as live are only appended to */
	return r->entered && r->window.count && hour < layout_hour(r->window.entries[0].msn, r->config.T) &&
	       (r->part.fd < 0 || hour < r->part.hour);
}

/* The hour as it is: NULL in *own when it has no file. */
static int
read_own(const struct store_rendition *r, uint64_t hour, struct hour *h, struct hour **own)
{
	char why[128];
	int rc = store_read_hour_in(r->dir, hour, h, why);
	*own = rc == 0 ? h : NULL;
	if (rc == 0 && (!h->ended || h->segment != r->config.T))
		return -EAGAIN;
	return rc == -ENOENT ? 0 : rc;
}

static int
heal(struct store_rendition *r, uint64_t hour, struct hour *found)
{
	struct hour h = { 0 }, *own = NULL, merged = { 0 };
	struct around a = { 0 };
	int rc = follow_again(r, true);
	if (rc == 0)
		rc = read_own(r, hour, &h, &own);
	if (rc == 0 && keep_present(r, own, found) == 0)
		rc = -ENOENT;
	if (rc == 0)
		rc = around_read(r, hour, &a);
	if (rc == 0) {
		struct heal_before before = { 0 };
		if (a.has_before && a.before_hour + 1 == hour)
			before = heal_hour_last(&a.before);
		rc = heal_hour_merge(own, found, first_sequence(&a, own, found), &before, &merged);
	}
	if (rc == 0)
		rc = enter_healed(r, hour, &merged, &a);
	hour_free(&merged);
	hour_free(&h);
	around_fini(&a);
	return rc;
}

int
store_rendition_heal(struct store_rendition *r, uint64_t hour, struct hour *found)
{
	if (!store_rendition_may_heal(r, hour) || found->segment != r->config.T || found->count != 3600 / r->config.T ||
	    layout_hour(found->first_msn, r->config.T) != hour)
		return -EAGAIN;
	int rc = heal(r, hour, found);
	if (rc < 0 && rc != -ENOENT)
		r->counters.errors++;
	int end = store_healing_end(r->dir);
	/* an hour of entries is much larger than one */
	text_fini(&r->text);
	text_init(&r->text, LIST_LIVE_MAX);
	return rc < 0 ? rc : end;
}
