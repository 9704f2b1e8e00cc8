/* What config.c (sections), config_value.c (single values) and config_ini.c (the reader) share. */
#ifndef HINDCAST_CONFIG_INTERNAL_H
#define HINDCAST_CONFIG_INTERNAL_H

#include <stdarg.h>

#include "base/config.h"

#define CONFIG_NAME_LONGEST 63 /* of a station, rendition, input */
#define CONFIG_LINE_LONGEST 4096
#define CONFIG_FILE_LARGEST (1 << 20)
#define CONFIG_SECTIONS_MOST 4096

/* Read `len` bytes of INI text; `name` is what errors call it. Otherwise as config_load. */
int config_load_memory(const char *name, const void *data, size_t len, const struct config_kind *kinds, unsigned n,
    struct config *out, struct text *errors);

/* A section with all defaults and no subjects, not in any list; NULL without memory. */
struct config_section *config_section_new(const struct config_kind *kind, int line);
void config_section_free(struct config_section *s);

/* One line in `errors`: "NAME:LINE: [station fip] KEY: WHAT". No line number for 0, no section or key for NULL. */
void config_complain(struct text *errors, const char *name, int line, const struct config_section *s, const char *key,
    const char *fmt, va_list ap) __attribute__((format(printf, 6, 0)));

/* Is the value a secret that is not to be shown? */
bool config_option_is_secret(const struct config_option *o);

static inline void *
config_field(const struct config_option *o, struct config_section *s)
{
	return (char *)s + o->offset;
}

/* Read `text` into the option's field (a string replaces, and frees, what was there). 0; -1 when it is not of the type
 * or out of range, -ENOMEM without memory, both with the field untouched. */
int config_value_read(const struct config_option *o, const char *text, void *field);
/* What would be taken: "a time from 2s to 1h". */
void config_value_want(const struct config_option *o, struct text *out);
/* The value as the file would say it, secrets hidden; nothing for a string that is NULL. */
void config_value_write(const struct config_option *o, const void *field, struct text *out);

#endif
