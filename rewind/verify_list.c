/* Live and multivariant lists are functions of the hour files: they are made again and compared. */
#include "rewind/verify_list.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "rewind/list.h"
#include "rewind/store_rendition.h"

#define LIVE_MAX 43200 /* entries: the longest window, in the shortest segments */

/* The decimal number behind `tag` at a line's beginning: 0, or -1. */
static int
tag_number(const char *text, const char *tag, uint64_t *value)
{
	const char *at = strstr(text, tag);
	if (!at || (at > text && at[-1] != '\n'))
		return -1;
	*value = strtoull(at + strlen(tag), NULL, 10);
	return 0;
}

static size_t
count_uris(const char *text)
{
	size_t n = 0;
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
		n += *line != '#';
	return n;
}

/* The entries first .. first + count of the hour files; hours that have none are gaps. Sets `mpeg` when one of them is
 * MPEG audio. 0 or -errno. */
static int
collect(int dir, uint64_t first, size_t count, uint32_t T, struct hour_entry *entries, bool *mpeg)
{
	for (uint64_t hour = layout_hour(first, T); hour <= layout_hour(first + count - 1, T); hour++) {
		struct hour h;
		char why[128];
		int rc = store_read_hour_in(dir, hour, &h, why);
		if (rc == -ENOENT)
			continue;
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < h.count; i++) {
			const struct hour_entry *e = &h.entries[i];
			if (e->msn < first || e->msn - first >= count)
				continue;
			entries[e->msn - first] = *e;
			*mpeg |= !e->gap && h.formats[e->format].codec == CODEC_MP3;
		}
		hour_free(&h);
	}
	/* backwards: a gap that no file has is numbered like what follows */
	uint64_t sequence = 0;
	enum layout_kind kind = LAYOUT_TS;
	for (size_t i = count; i > 0; i--) {
		struct hour_entry *e = &entries[i - 1];
		if (e->msn == 0)
			*e = hour_gap(first + i - 1, T, kind, sequence);
		sequence = e->discontinuity_sequence - e->discontinuity;
		kind = e->kind;
	}
	return 0;
}

void
verify_live_list(struct verify *v, const struct inventory_name *name, int dir, const struct text *live)
{
	static const char file[] = "index.m3u8";
	uint64_t first, T;
	size_t count = count_uris(live->data);
	if (tag_number(live->data, "#EXT-X-MEDIA-SEQUENCE:", &first) < 0 ||
	    tag_number(live->data, "#EXT-X-TARGETDURATION:", &T) < 0 || T < 2 || T > 3600 || count == 0 ||
	    count > LIVE_MAX || first == 0 || first >= LAYOUT_HOURS_END * 3600 / T) {
		verify_fault(v, name, file, "is not a live list");
		return;
	}
	struct hour_entry *entries = calloc(count, sizeof *entries);
	struct text want;
	bool mpeg = false;
	text_init(&want, LIST_LIVE_MAX);
	int rc = entries ? collect(dir, first, count, (uint32_t)T, entries, &mpeg) : -ENOMEM;
	if (rc < 0) {
		verify_fault(v, name, file, "cannot be compared: %s", strerror(-rc));
	} else {
		list_live(&want, entries, count, (uint32_t)T, !mpeg);
		if (want.len != live->len || memcmp(want.data, live->data, want.len) != 0)
			verify_fault(v, name, file, "is not made of the entries in the hour files");
	}
	for (size_t i = 0; rc == 0 && i < count; i++) {
		char path[LAYOUT_NAME_SIZE];
		if (!entries[i].gap &&
		    faccessat(dir, layout_segment_path(entries[i].msn, (uint32_t)T, entries[i].kind, path), R_OK, 0) <
			0)
			verify_fault(v, name, file, "names %s: %s", path, strerror(errno));
	}
	text_fini(&want);
	free(entries);
}

/* --- the multivariant list --- */

/* Peak and newest format of what is stored. 0, or -1 when there is no media. */
static int
measure(const struct verify *v, const struct inventory_name *name, struct hour_rate *rate, struct audio_format *format)
{
	struct store_hour *hours;
	size_t count;
	if (store_list_hours(v->root, name->station, name->rendition, &hours, &count) < 0)
		return -1;
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		struct hour h;
		char why[128];
		if (store_read_hour(v->root, name->station, name->rendition, hours[i].hour, &h, why) < 0)
			continue; /* said elsewhere */
		for (size_t n = 0; n < h.count; n++) {
			hour_rate_add(rate, &h.entries[n], h.segment);
			if (h.entries[n].gap)
				continue;
			any = true;
			*format = h.formats[h.entries[n].format];
		}
		hour_free(&h);
	}
	free(hours);
	return any ? 0 : -1;
}

/* `line`: EXT-X-STREAM-INF; name->rendition: of the URI after it. */
static void
check_variant(struct verify *v, const struct inventory_name *name, const char *line)
{
	static const char file[] = "index.m3u8";
	struct inventory_name where = *name; /* the list is the station's, not the rendition's */
	where.rendition[0] = '\0';
	struct hour_rate rate = { 0 };
	struct audio_format format;
	if (measure(v, name, &rate, &format) < 0) {
		verify_fault(v, &where, file, "names %s, which has no media", name->rendition);
		return;
	}
	char codecs[64];
	snprintf(codecs, sizeof codecs, ",CODECS=\"%s\"", audio_format_codecs(&format));
	if (!strstr(line, codecs))
		verify_fault(v, &where, file, "CODECS of %s is not %s", name->rendition, codecs + 8);
	uint64_t declared = 0;
	const char *at = strstr(line, "BANDWIDTH=");
	if (at)
		declared = strtoull(at + strlen("BANDWIDTH="), NULL, 10);
	if (rate.peak && (declared < rate.peak - rate.peak / 20 || declared > rate.peak + rate.peak / 20 + 1))
		verify_fault(v, &where, file, "BANDWIDTH of %s is %" PRIu64 ", the peak in the store is %" PRIu32,
		    name->rendition, declared, rate.peak);
}

/* One line after another; `inf` is the last STREAM-INF. */
static void
check_multivariant(struct verify *v, struct inventory_name *name, char *list)
{
	const char *inf = NULL;
	for (char *line = list, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (strncmp(line, "#EXT-X-STREAM-INF:", 18) == 0)
			inf = line;
		if (*line == '#')
			continue;
		const char *slash = strchr(line, '/');
		if (!inf || !slash || strcmp(slash, "/index.m3u8") != 0 ||
		    (size_t)(slash - line) >= sizeof name->rendition) {
			name->rendition[0] = '\0';
			verify_fault(v, name, "index.m3u8", "unexpected line: %s", line);
			continue;
		}
		memset(name->rendition, 0, sizeof name->rendition);
		memcpy(name->rendition, line, (size_t)(slash - line));
		check_variant(v, name, inf);
		inf = NULL;
	}
}

/* Whether something was ever written for a rendition of the station. */
static bool
has_hours(const struct verify *v, const char *station)
{
	struct inventory_name *names;
	size_t count;
	bool any = false;
	if (inventory_names(v->root, station, &names, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct store_hour *hours;
		size_t n;
		if (store_list_hours(v->root, station, names[i].rendition, &hours, &n) < 0)
			continue;
		any |= n > 0;
		free(hours);
	}
	free(names);
	return any;
}

void
verify_station(struct verify *v, const char *station)
{
	struct inventory_name name = { 0 };
	struct text list;
	char path[INVENTORY_NAME_SIZE + 16];
	snprintf(path, sizeof path, "%s/index.m3u8", station);
	snprintf(name.station, sizeof name.station, "%s", station);
	text_init(&list, 1 << 20);
	int rc = file_read(v->root, path, &list);
	bool waits = rc == -ENOENT && !has_hours(v, station); /* for its first segment */
	if (rc < 0 && !waits)
		verify_fault(v, &name, "index.m3u8", "cannot be read: %s", strerror(-rc));
	else if (rc == 0 && list.data && strncmp(list.data, "#EXTM3U\n", 8) == 0)
		check_multivariant(v, &name, list.data);
	else if (rc == 0)
		verify_fault(v, &name, "index.m3u8", "is not a playlist");
	text_fini(&list);
}
