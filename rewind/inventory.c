/* Walking the folders and listings of a store. */
#include "rewind/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "rewind/store_rendition.h"

/* --- names --- */

struct names {
	struct inventory_name *list;
	size_t count, room;
	int root;
	const char *station; /* that is being walked; NULL: the root */
	const char *want_station, *want_rendition;
};

static bool
is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	return n > 0 && n < INVENTORY_NAME_SIZE && name[n] == '\0';
}

static int
add_rendition(struct names *n, const char *rendition)
{
	if (n->count == n->room) {
		size_t room = n->room ? n->room * 2 : 16;
		struct inventory_name *list = realloc(n->list, room * sizeof *list);
		if (!list)
			return -ENOMEM;
		n->list = list;
		n->room = room;
	}
	struct inventory_name *name = &n->list[n->count++];
	*name = (struct inventory_name){ 0 };
	memcpy(name->station, n->station, strlen(n->station));
	memcpy(name->rendition, rendition, strlen(rendition));
	return 0;
}

static int
open_below(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int
walk_station(void *ctx, const char *name)
{
	struct names *n = ctx;
	if (!is_name(name) || (n->want_rendition && strcmp(name, n->want_rendition) != 0))
		return 0;
	int fd = open_below(n->root, name);
	if (fd < 0)
		return fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
	close(fd);
	return add_rendition(n, name);
}

static int
walk_root(void *ctx, const char *name)
{
	struct names *n = ctx;
	if (!is_name(name) || (n->want_station && strcmp(name, n->want_station) != 0))
		return 0;
	int fd = open_below(n->root, name);
	if (fd < 0)
		return fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
	struct names below = *n;
	below.root = fd;
	below.station = name;
	int rc = store_each_name(fd, walk_station, &below);
	n->list = below.list;
	n->count = below.count;
	n->room = below.room;
	close(fd);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	const struct inventory_name *x = a, *y = b;
	int order = strcmp(x->station, y->station);
	return order ? order : strcmp(x->rendition, y->rendition);
}

int
inventory_names(int root, const char *target, struct inventory_name **names, size_t *count)
{
	struct names n = { .root = root };
	char *copy = target ? strdup(target) : NULL;
	if (target && !copy)
		return -ENOMEM;
	if (copy) {
		char *slash = strchr(copy, '/');
		n.want_station = copy;
		if (slash) {
			*slash = '\0';
			n.want_rendition = slash + 1;
		}
	}
	int rc = store_each_name(root, walk_root, &n);
	if (rc == 0 && target && n.count == 0)
		rc = -ENOENT;
	free(copy);
	if (rc < 0) {
		free(n.list);
		return rc;
	}
	if (n.count)
		qsort(n.list, n.count, sizeof *n.list, by_name);
	*names = n.list;
	*count = n.count;
	return 0;
}

/* --- one rendition --- */

static int
add_gap(struct inventory *v, struct wall from, struct wall to)
{
	struct inventory_gap *gaps = realloc(v->gaps, (v->gap_count + 1) * sizeof *gaps);
	if (!gaps)
		return -ENOMEM;
	v->gaps = gaps;
	gaps[v->gap_count++] = (struct inventory_gap){ from, to };
	return 0;
}

static int
add_hour(struct inventory *v, const struct hour *h)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct hour_entry *e = &h->entries[i];
		struct wall line = layout_grid(e->msn, h->segment);
		if (e->gap)
			continue;
		if (v->segments == 0)
			v->from = line;
		else if (line.ns > v->to.ns && add_gap(v, v->to, line) < 0)
			return -ENOMEM;
		v->to = layout_grid(e->msn + 1, h->segment);
		v->format = h->formats[e->format];
		v->segments++;
		v->bytes += e->bytes;
		v->duration_us += e->duration_us;
	}
	return 0;
}

static int
complain(const struct inventory_name *name, uint64_t hour, int rc, const char *why, struct text *errors)
{
	char hour_name[LAYOUT_NAME_SIZE] = "";
	if (hour)
		layout_hour_name(hour, hour_name);
	text_fmt(
	    errors, "%s/%s/%s: %s\n", name->station, name->rendition, hour_name, rc == -EBADMSG ? why : strerror(-rc));
	return -1;
}

int
inventory_read(int root, const struct inventory_name *name, struct inventory *out, struct text *errors)
{
	struct store_hour *hours;
	size_t count;
	int rc = store_list_hours(root, name->station, name->rendition, &hours, &count);
	if (rc < 0)
		return complain(name, 0, rc, NULL, errors);
	struct inventory v = { .name = *name, .hours = count, .unfinished = count && hours[count - 1].part };
	struct wall end = { 0 };
	uint64_t at = 0;
	char why[128] = "";
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct hour h;
		at = hours[i].hour;
		rc = store_read_hour(root, name->station, name->rendition, at, &h, why);
		if (rc == -ENOENT) { /* retention was faster */
			rc = 0;
			continue;
		}
		if (rc < 0)
			break;
		rc = add_hour(&v, &h);
		end = layout_grid(h.first_msn + h.count, h.segment);
		hour_free(&h);
	}
	free(hours);
	if (rc == 0 && v.segments && end.ns > v.to.ns)
		rc = add_gap(&v, v.to, end);
	if (rc < 0) {
		inventory_fini(&v);
		return complain(name, at, rc, why, errors);
	}
	*out = v;
	return 0;
}

void
inventory_fini(struct inventory *v)
{
	free(v->gaps);
	*v = (struct inventory){ 0 };
}

/* --- showing it --- */

/* "2026-11-21T09:00:06Z": grid lines are whole seconds. */
static const char *
instant(struct wall w, char out[static WALL_TEXT_SIZE])
{
	wall_format(w, out);
	memcpy(out + 19, "Z", 2);
	return out;
}

static void
size_text(struct text *out, uint64_t bytes)
{
	static const char unit[] = "kMGTPE";
	size_t u = 0;
	uint64_t tenths = bytes / 100; /* of kB */
	for (; tenths >= 10000 && u + 2 < sizeof unit; u++)
		tenths /= 1000;
	text_fmt(out, "%" PRIu64 ".%" PRIu64 " %cB", tenths / 10, tenths % 10, unit[u]);
}

static void
rendition_text(struct text *out, const struct inventory *v)
{
	char format[48], from[WALL_TEXT_SIZE], to[WALL_TEXT_SIZE];
	if (v->segments == 0) {
		text_fmt(out, "  %s: nothing\n", v->name.rendition);
		return;
	}
	text_fmt(out, "  %s: %s, %s to %s, %zu hour file%s%s, %" PRIu64 " segments, ", v->name.rendition,
	    audio_format_text(&v->format, format), instant(v->from, from), instant(v->to, to), v->hours,
	    v->hours == 1 ? "" : "s", v->unfinished ? " (the last unfinished)" : "", v->segments);
	size_text(out, v->bytes);
	text_fmt(out, ", %zu gap%s\n", v->gap_count, v->gap_count == 1 ? "" : "s");
	for (size_t i = 0; i < v->gap_count; i++)
		text_fmt(out, "    gap %s to %s, %" PRId64 " s\n", instant(v->gaps[i].from, from),
		    instant(v->gaps[i].to, to), (v->gaps[i].to.ns - v->gaps[i].from.ns) / NS_PER_S);
}

void
inventory_text(struct text *out, const struct inventory *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(list[i - 1].name.station, list[i].name.station) != 0)
			text_fmt(out, "%s\n", list[i].name.station);
		rendition_text(out, &list[i]);
	}
}

static void
rendition_json(struct text *out, const struct inventory *v)
{
	char from[WALL_TEXT_SIZE], to[WALL_TEXT_SIZE];
	text_fmt(out,
	    "{\"name\":\"%s\",\"hours\":%zu,\"unfinished\":%s,\"segments\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"duration_us\":%" PRIu64,
	    v->name.rendition, v->hours, v->unfinished ? "true" : "false", v->segments, v->bytes, v->duration_us);
	if (v->segments)
		text_fmt(out, ",\"codecs\":\"%s\",\"rate\":%" PRIu32 ",\"channels\":%d,\"from\":\"%s\",\"to\":\"%s\"",
		    audio_format_codecs(&v->format), v->format.rate, v->format.channels, instant(v->from, from),
		    instant(v->to, to));
	text_str(out, ",\"gaps\":[");
	for (size_t i = 0; i < v->gap_count; i++)
		text_fmt(out, "%s{\"from\":\"%s\",\"to\":\"%s\"}", i ? "," : "", instant(v->gaps[i].from, from),
		    instant(v->gaps[i].to, to));
	text_str(out, "]}");
}

void
inventory_json(struct text *out, const struct inventory *list, size_t count)
{
	text_str(out, "{\"stations\":[");
	for (size_t i = 0; i < count; i++) {
		bool first = i == 0 || strcmp(list[i - 1].name.station, list[i].name.station) != 0;
		if (first)
			text_fmt(out, "%s{\"name\":\"%s\",\"renditions\":[", i ? "]}," : "", list[i].name.station);
		else
			text_str(out, ",");
		rendition_json(out, &list[i]);
	}
	text_str(out, count ? "]}]}\n" : "]}\n");
}
