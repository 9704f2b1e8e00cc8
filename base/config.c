/* Sections of the configuration: finding, making, showing them, and errors about them. */
#include "base/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#define SECRET_LARGEST 4096
#define HELP_COLUMN 36

static void
free_fields(struct config_section *s)
{
	for (unsigned i = 0; i < s->kind->rows; i++) {
		const struct config_option *o = &s->kind->options[i];
		if (o->type == CONFIG_STRING)
			free(*(char **)config_field(o, s));
	}
}

void
config_section_free(struct config_section *s)
{
	free_fields(s);
	free(s->subject[0]);
	free(s->subject[1]);
	free(s->lines);
	free(s);
}

struct config_section *
config_section_new(const struct config_kind *kind, int line)
{
	CHECK(kind->rows <= 64 && kind->size >= sizeof(struct config_section));
	struct config_section *s = calloc(1, kind->size);
	if (!s)
		return NULL;
	s->kind = kind;
	s->line = line;
	s->lines = calloc(kind->rows + 1, sizeof *s->lines);
	bool whole = s->lines;
	for (unsigned i = 0; i < kind->rows && whole; i++) {
		const struct config_option *o = &kind->options[i];
		int err = o->fallback ? config_value_read(o, o->fallback, config_field(o, s)) : 0;
		CHECK(err == 0 || err == -ENOMEM); /* a default that its own table refuses */
		whole = !err;
	}
	if (!whole) {
		config_section_free(s);
		return NULL;
	}
	return s;
}

/* Secrets in a file that everybody may read deserve a word. */
static void
warn_if_open(const struct config *c)
{
	char safe[256];
	struct stat st;

	if (stat(c->path, &st) < 0 || !(st.st_mode & S_IROTH))
		return;
	for (struct config_section *s = c->first; s; s = s->next) {
		for (unsigned i = 0; i < s->kind->rows; i++) {
			if (!s->lines[i] || !config_option_is_secret(&s->kind->options[i]))
				continue;
			log_warn("password in a file that all may read, want mode 0640 or password_file file=%s",
			    log_safe(c->path, safe, sizeof safe));
			return;
		}
	}
}

int
config_load(const char *path, const struct config_kind *kinds, unsigned n, struct config *out, struct text *errors)
{
	struct text file;
	int err;

	text_init(&file, CONFIG_FILE_LARGEST);
	err = file_read(AT_FDCWD, path, &file);
	if (err == -EFBIG)
		text_fmt(errors, "%s: is larger than 1 MiB, want a configuration file\n", path);
	else if (err)
		text_fmt(errors, "%s: cannot be read: %s\n", path, strerror(-err));
	else
		err = config_load_memory(path, file.data, file.len, kinds, n, out, errors);
	text_fini(&file);
	if (err)
		return -1;
	warn_if_open(out);
	return 0;
}

void
config_free(struct config *c)
{
	while (c->first) {
		struct config_section *next = c->first->next;
		config_section_free(c->first);
		c->first = next;
	}
	free(c->path);
	c->path = NULL;
}

void *
config_next(const struct config *c, const char *kind, const void *prev)
{
	struct config_section *s = prev ? ((const struct config_section *)prev)->next : c->first;

	while (s && strcmp(s->kind->name, kind) != 0)
		s = s->next;
	return s;
}

void *
config_find(const struct config *c, const char *kind, const char *subject)
{
	struct config_section *s = NULL;

	while ((s = config_next(c, kind, s)))
		if (s->subject[0] && strcmp(s->subject[0], subject) == 0)
			return s;
	return NULL;
}

void *
config_add_default(struct config *c, const struct config_kind *kind)
{
	struct config_section *s = config_section_new(kind, 0);
	struct config_section **end = &c->first;

	if (!s)
		return NULL;
	while (*end)
		end = &(*end)->next;
	*end = s;
	return s;
}

static void
write_header(const struct config_section *s, struct text *out)
{
	text_fmt(out, "[%s", s->kind->name);
	for (int i = 0; i < 2 && s->subject[i]; i++)
		text_fmt(out, " %s", s->subject[i]);
	text_str(out, "]");
}

/* The help stands in a column of its own; a string that is not set is a comment. */
static void
write_option(const struct config_option *o, struct config_section *s, struct text *out)
{
	const void *field = config_field(o, s);
	bool unset = o->type == CONFIG_STRING && !*(char *const *)field;
	size_t before = out->len;

	text_fmt(out, "%s%s = ", unset ? ";" : "", o->key);
	config_value_write(o, field, out);
	if (o->help) {
		size_t width = out->len - before;
		text_fmt(out, "%*s ; %s", width < HELP_COLUMN ? (int)(HELP_COLUMN - width) : 0, "", o->help);
	}
	text_str(out, "\n");
}

void
config_print(const struct config *c, struct text *out)
{
	for (struct config_section *s = c->first; s; s = s->next) {
		if (s != c->first)
			text_str(out, "\n");
		write_header(s, out);
		text_str(out, "\n");
		for (unsigned i = 0; i < s->kind->rows; i++)
			write_option(&s->kind->options[i], s, out);
	}
}

void
config_complain(struct text *errors, const char *name, int line, const struct config_section *s, const char *key,
    const char *fmt, va_list ap)
{
	text_str(errors, name);
	if (line)
		text_fmt(errors, ":%d", line);
	text_str(errors, ": ");
	if (s) {
		write_header(s, errors);
		text_str(errors, key ? " " : ": ");
	}
	if (key)
		text_fmt(errors, "%s: ", key);
	text_vfmt(errors, fmt, ap);
	text_str(errors, "\n");
}

/* Where a key stands, or else the header of its section. */
static int
line_of(const struct config_section *s, const char *key)
{
	for (unsigned i = 0; key && i < s->kind->rows; i++)
		if (strcmp(s->kind->options[i].key, key) == 0 && s->lines[i])
			return s->lines[i];
	return s->line;
}

void
config_error(const struct config *c, const void *section, const char *key, struct text *errors, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	config_complain(errors, c->path, section ? line_of(section, key) : 0, section, key, fmt, ap);
	va_end(ap);
}

/* The first line of the file, or NULL with a line in `errors`. */
static char *
secret_from_file(const char *path, struct text *errors)
{
	struct text file;
	struct stat st;
	char safe[256], *secret = NULL;

	text_init(&file, SECRET_LARGEST);
	int err = file_read(AT_FDCWD, path, &file);
	size_t len = file.len ? strcspn(file.data, "\r\n") : 0;
	if (err)
		text_fmt(errors, "%s: cannot be read: %s\n", path, strerror(-err));
	else if (len == 0)
		text_fmt(errors, "%s: is empty, want a password on the first line\n", path);
	else if (!(secret = strndup(file.data, len)))
		text_fmt(errors, "%s: no memory\n", path);
	if (secret && stat(path, &st) == 0 && st.st_mode & S_IROTH)
		log_warn(
		    "password in a file that all may read, want mode 0640 file=%s", log_safe(path, safe, sizeof safe));
	if (file.data)
		explicit_bzero(file.data, file.len);
	text_fini(&file);
	return secret;
}

char *
config_secret(const char *path, const char *env, struct text *errors)
{
	if (path)
		return secret_from_file(path, errors);
	if (!env) {
		text_str(errors, "no password: want password_file or password_env\n");
		return NULL;
	}
	const char *value = getenv(env);
	if (!value || !*value) {
		text_fmt(errors, "no password: the environment has no %s, want it set\n", env);
		return NULL;
	}
	char *secret = strdup(value);
	if (!secret)
		text_fmt(errors, "no password: no memory\n");
	return secret;
}
