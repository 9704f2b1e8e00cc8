/* The reader of the INI file. inih takes lines apart into keys and values; it does not say which line it is at, cuts
 * long lines and names without a word, and joins indented lines to the value before. So it is given its lines by a
 * reader that counts them, refuses what inih would cut, takes indentation away, and keeps section headers to itself. */
#include "base/config_internal.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

#define BLANKS " \t"
#define SUGGEST_LONGEST 32

struct loader {
	const char *at, *end; /* what is still to be read */
	int line;             /* the line that was read last */
	bool is_pair;         /* inih has yet to call for that line */
	bool broken;          /* no memory or far too much: read no further */
	const struct config_kind *kinds;
	unsigned kind_count, sections;
	struct config config;
	struct config_section **tail;
	struct config_section *section; /* NULL: keys are skipped */
	bool began;                     /* a header has been seen */
	unsigned wrong;
	struct text *errors;
};

static void __attribute__((format(printf, 4, 5)))
complain(struct loader *l, int line, const char *key, const char *fmt, ...)
{
	va_list ap;

	l->wrong++;
	va_start(ap, fmt);
	config_complain(l->errors, l->config.path, line, l->section, key, fmt, ap);
	va_end(ap);
}

/* Levenshtein distance; words over SUGGEST_LONGEST are far from everything. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[SUGGEST_LONGEST + 1];
	size_t n = strlen(b);

	if (n > SUGGEST_LONGEST || strlen(a) > SUGGEST_LONGEST)
		return UINT_MAX;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; *a; a++, i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned best = diagonal + (*a != b[j - 1]);
			diagonal = row[j];
			if (best > row[j] + 1)
				best = row[j] + 1;
			if (best > row[j - 1] + 1)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

/* The best word so far of those that `wanted` may have been meant for: at most every third letter wrong. */
struct suggestion {
	const char *wanted, *best;
	unsigned distance;
};

static void
suggest(struct suggestion *s, const char *word)
{
	unsigned d = distance(s->wanted, word);

	if (d <= 1 + strlen(word) / 4 && d < strlen(word) && (!s->best || d < s->distance)) {
		s->best = word;
		s->distance = d;
	}
}

static void
complain_of_key(struct loader *l, const char *key)
{
	const struct config_kind *kind = l->section->kind;
	struct suggestion near = { .wanted = key };
	char memory[2048];
	struct text known;

	text_init_fixed(&known, memory, sizeof memory);
	for (unsigned i = 0; i < kind->rows; i++) {
		suggest(&near, kind->options[i].key);
		text_fmt(&known, "%s%s", i ? ", " : "", kind->options[i].key);
	}
	if (near.best)
		complain(l, l->line, NULL, "unknown key \"%.64s\", did you mean \"%s\"?", key, near.best);
	else
		complain(l, l->line, NULL, "unknown key \"%.64s\", want one of: %s", key, known.data);
}

static void
complain_of_kind(struct loader *l, const char *name)
{
	struct suggestion near = { .wanted = name };
	char memory[2048];
	struct text known;

	text_init_fixed(&known, memory, sizeof memory);
	for (unsigned i = 0; i < l->kind_count; i++) {
		suggest(&near, l->kinds[i].name);
		text_fmt(&known, "%s%s", i ? ", " : "", l->kinds[i].name);
	}
	if (near.best)
		complain(l, l->line, NULL, "unknown kind of section \"%.64s\", did you mean \"%s\"?", name, near.best);
	else
		complain(l, l->line, NULL, "unknown kind of section \"%.64s\", want one of: %s", name, known.data);
}

static const struct config_kind *
find_kind(const struct loader *l, const char *name)
{
	for (unsigned i = 0; i < l->kind_count; i++)
		if (strcmp(l->kinds[i].name, name) == 0)
			return &l->kinds[i];
	return NULL;
}

/* [a-z0-9_-]+, and in the first word of a header one slash between two of them. These become names of files. */
static bool
is_name(const char *s, bool may_be_pair)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	if (len == 0 || len > CONFIG_NAME_LONGEST)
		return false;
	if (s[len] == '/' && may_be_pair)
		return is_name(s + len + 1, false);
	return s[len] == '\0';
}

static bool
is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void
check_duplicate(struct loader *l, const struct config_section *s)
{
	for (const struct config_section *p = l->config.first; p != s; p = p->next) {
		if (p->kind != s->kind || !is_same(p->subject[0], s->subject[0]) ||
		    !is_same(p->subject[1], s->subject[1]))
			continue;
		complain(l, s->line, NULL, "is there already, in line %d: put its keys together", p->line);
		return;
	}
}

/* A section with a wrong name is kept all the same, so that its keys are checked in the same go. */
static void
open_section(struct loader *l, const struct config_kind *kind, char *const *names, int count)
{
	static const char *const forms[] = { "", " NAME", " STATION/RENDITION NAME" };
	struct config_section *s = NULL;

	if (l->sections++ < CONFIG_SECTIONS_MOST)
		s = config_section_new(kind, l->line);
	for (int i = 0; s && i < count && i < kind->subjects; i++) {
		s->subject[i] = strdup(names[i]);
		if (!s->subject[i]) {
			config_section_free(s);
			s = NULL;
		}
	}
	if (!s) {
		complain(l, l->line, NULL, "too many sections");
		l->broken = true;
		return;
	}
	l->section = *l->tail = s;
	l->tail = &s->next;
	if (count != kind->subjects)
		complain(l, l->line, NULL, "%d name%s, want \"[%s%s]\"", count, count == 1 ? "" : "s", kind->name,
		    forms[kind->subjects]);
	for (int i = 0; i < kind->subjects; i++)
		if (s->subject[i] && !is_name(s->subject[i], i == 0))
			complain(l, l->line, NULL, "bad name, want at most %d of a-z, 0-9, \"_\" and \"-\"",
			    CONFIG_NAME_LONGEST);
	check_duplicate(l, s);
}

/* The last section is whole now: is anything missing? */
static void
close_section(struct loader *l)
{
	const struct config_section *s = l->section;

	for (unsigned i = 0; s && i < s->kind->rows; i++)
		if (s->kind->options[i].required && !s->lines[i])
			complain(l, s->line, s->kind->options[i].key, "is missing, it has no default");
	l->section = NULL;
}

/* The words between the brackets; the text is cut up. One more than a header may have is enough to say so. */
static int
split(char *s, char *words[static 4])
{
	int n = 0;

	for (s += strspn(s, BLANKS); *s && n < 4; s += strspn(s, BLANKS)) {
		words[n++] = s;
		s += strcspn(s, BLANKS);
		if (*s)
			*s++ = '\0';
	}
	return n;
}

static void
read_header(struct loader *l, char *s)
{
	char *words[4], *end = strchr(s, ']');

	close_section(l);
	l->began = true;
	if (!end) {
		complain(l, l->line, NULL, "section header without \"]\", want \"[KIND NAME]\"");
		return;
	}
	*end++ = '\0';
	end += strspn(end, BLANKS);
	if (*end && *end != ';')
		complain(l, l->line, NULL, "text after the section header, want a line of its own for it");
	int n = split(s, words);
	const struct config_kind *kind = n ? find_kind(l, words[0]) : NULL;
	if (!kind)
		complain_of_kind(l, n ? words[0] : "");
	else if (kind->rows > 0)
		open_section(l, kind, words + 1, n - 1);
}

static void
read_value(struct loader *l, unsigned row, const char *value)
{
	const struct config_option *o = &l->section->kind->options[row];
	char memory[512];
	struct text want;

	if (l->section->lines[row]) {
		complain(l, l->line, o->key, "is there already, in line %d", l->section->lines[row]);
		return;
	}
	l->section->lines[row] = l->line;
	l->section->given |= UINT64_C(1) << row;
	int err = config_value_read(o, value, config_field(o, l->section));
	if (!err)
		return;
	text_init_fixed(&want, memory, sizeof memory);
	config_value_want(o, &want);
	if (err == -ENOMEM)
		complain(l, l->line, o->key, "no memory");
	else
		complain(l, l->line, o->key, "\"%.64s\", want %s", value, want.data);
}

/* inih's handler. Its `section` is always empty, as it has never seen a header. */
static int
on_pair(void *user, const char *section, const char *key, const char *value)
{
	struct loader *l = user;

	(void)section;
	l->is_pair = false;
	if (!l->began)
		complain(l, l->line, NULL, "key before the first section header, want \"[KIND NAME]\" above it");
	if (!l->section)
		return 1;
	for (unsigned i = 0; i < l->section->kind->rows; i++) {
		if (strcmp(l->section->kind->options[i].key, key) == 0) {
			read_value(l, i, value);
			return 1;
		}
	}
	complain_of_key(l, key);
	return 1;
}

/* Is there anything in the line that no text has? A tab is fine. */
static bool
has_control(const char *s, size_t len)
{
	for (; len > 0; s++, len--)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7F)
			return true;
	return false;
}

/* The next line without its indentation and end, in the loader's text. */
static const char *
next_line(struct loader *l, size_t *len)
{
	static const char byte_order_mark[] = "\xEF\xBB\xBF";
	const char *s = l->at;
	const char *feed = memchr(s, '\n', (size_t)(l->end - s));
	const char *end = feed ? feed : l->end;

	l->at = feed ? feed + 1 : l->end;
	if (l->line++ == 0 && end - s >= 3 && memcmp(s, byte_order_mark, 3) == 0)
		s += 3;
	if (end > s && end[-1] == '\r')
		end--;
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	*len = (size_t)(end - s);
	return s;
}

/* inih's reader, in the manner of fgets. Lines that are not for inih are handed on empty. */
static char *
read_line(char *buffer, int size, void *stream)
{
	struct loader *l = stream;
	size_t len;

	if (l->is_pair && (l->section || !l->began))
		complain(l, l->line, NULL, "no \"=\" in this line, want \"key = value\"");
	l->is_pair = false;
	if (l->broken || l->at == l->end)
		return NULL;
	const char *s = next_line(l, &len);
	buffer[0] = '\0';
	if (len > CONFIG_LINE_LONGEST || len >= (size_t)size) {
		complain(l, l->line, NULL, "line of %zu characters, want at most %d", len, CONFIG_LINE_LONGEST);
	} else if (has_control(s, len)) {
		complain(l, l->line, NULL, "control character in this line, want text in UTF-8");
	} else {
		memcpy(buffer, s, len);
		buffer[len] = '\0';
		l->is_pair = len > 0 && !strchr("[;#", s[0]);
		if (buffer[0] == '[') {
			read_header(l, buffer + 1);
			buffer[0] = '\0';
		}
	}
	return buffer;
}

int
config_load_memory(const char *name, const void *data, size_t len, const struct config_kind *kinds, unsigned n,
    struct config *out, struct text *errors)
{
	struct loader l = { .at = data, .kinds = kinds, .kind_count = n, .errors = errors };

	l.config.path = strdup(name);
	if (!l.config.path)
		return -1;
	l.end = len ? l.at + len : l.at;
	l.tail = &l.config.first;
	ini_max_line = CONFIG_LINE_LONGEST + 3; /* the same in all programs; inih's own is 200 */
	if (ini_parse_stream(read_line, &l, on_pair, &l) < 0)
		complain(&l, 0, NULL, "no memory");
	close_section(&l);
	if (l.wrong > 0) {
		config_free(&l.config);
		return -1;
	}
	*out = l.config;
	return 0;
}
