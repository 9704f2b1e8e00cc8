/* The INI file: sections with a kind and up to two names ("[input fip/hifi main]"), declared in tables. */
#ifndef HINDCAST_CONFIG_H
#define HINDCAST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

enum config_type {
	CONFIG_STRING,   /* char *: owned, may be NULL when it has no default */
	CONFIG_INT,      /* int64_t */
	CONFIG_BOOL,     /* bool: yes/no, true/false, on/off, 1/0 */
	CONFIG_SIZE,     /* int64_t bytes: 10, 10K, 2M, 2G (powers of 1024) */
	CONFIG_DURATION, /* int64_t nanoseconds: 90 (s), 500ms, 90s, 10m, 24h, 14d */
	CONFIG_BITRATE,  /* int64_t bit/s: 192k, 1M (powers of 1000) */
	CONFIG_ENUM,     /* int: index in `choices` */
};

/* One key of one kind of section. Options are declared once; parser, defaults, `-n` output and the manual's table come
 * from here. */
struct config_option {
	const char *key;
	enum config_type type;
	size_t offset;        /* of the value in the section's struct */
	const char *fallback; /* default, written as in the file; NULL: none (string NULL, number 0) */
	const char *choices;  /* CONFIG_ENUM: "none segment", separated by spaces */
	int64_t least, most;  /* numbers: allowed range; both 0: any that is not negative */
	bool required;
	const char *help; /* one line for -n and the manual */
};

/* A kind of section. A program lists the kinds that it reads with a table; kinds of other programs are listed with
 * rows == 0 and are skipped (their keys are checked by the program that owns them). */
struct config_kind {
	const char *name; /* "station" */
	int subjects;     /* words after the kind: 0 "[store]", 1 "[station fip]", 2 "[input fip/hifi main]" */
	const struct config_option *options;
	unsigned rows;
	size_t size; /* of the section's struct, which begins with struct config_section */
};

/* What every section's struct begins with. */
struct config_section {
	const struct config_kind *kind;
	char *subject[2];            /* "fip/hifi", "main"; NULL when the kind has fewer */
	int line;                    /* of its header */
	struct config_section *next; /* in the order of the file */
	uint64_t given;              /* bit i: option i stands in the file */
	int *lines;                  /* of each option; 0 while it has its default */
};

struct config {
	struct config_section *first;
	char *path;
};

/* Read and check a file. Any unknown key or kind, duplicate key or section, bad value, missing required key, bad name
 * ([a-z0-9_-]+, at most 63; the first may be two with a slash between), line over 4096 bytes, control character, or
 * more than 4096 sections is an error; all of them are written to `errors`, one a line, as
 * "hindcast.ini:12: [station fip] segment: …, want …". A comment begins with ; or #, and behind a value with a blank
 * and a ;. Warns in the log when the file holds a password and all may read it. 0 with *out owned by the caller, or -1
 * with *out untouched. */
int config_load(const char *path, const struct config_kind *kinds, unsigned n, struct config *out, struct text *errors);
void config_free(struct config *c);

/* The first section of a kind after `prev` (NULL: from the start), or NULL. */
void *config_next(const struct config *c, const char *kind, const void *prev);
/* The section of a kind with this first subject, or NULL. */
void *config_find(const struct config *c, const char *kind, const char *subject);

/* A section that is not in the file, all defaults, appended to the list. NULL without memory. */
void *config_add_default(struct config *c, const struct config_kind *kind);

/* What is in force, as an INI file with all defaults filled in; values of keys that end in "password", and the
 * passwords in URLs, are written as "(set)". */
void config_print(const struct config *c, struct text *out);

/* Add one error in the same form, from a program's own cross-checks: at the key's line if it stands in the file, else
 * at the section's header. `section` and `key` may be NULL. */
void config_error(const struct config *c, const void *section, const char *key, struct text *errors, const char *fmt,
    ...) __attribute__((format(printf, 5, 6)));

/* The single values, also for command lines. 0, or -1 with *v untouched. */
int config_parse_size(const char *s, int64_t *bytes);
int config_parse_duration(const char *s, int64_t *ns);
int config_parse_bitrate(const char *s, int64_t *bits);

/* A secret from `path` (its first line, without the line end) or, when path is NULL, from environment variable `env`.
 * Warns in the log when the file is readable by all. Owned by the caller; NULL with a line in `errors` on failure. */
char *config_secret(const char *path, const char *env, struct text *errors);

#endif
