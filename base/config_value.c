/* Single values of the configuration: how each type is read, shown, and asked for in an error. */
#include "base/config_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

/* A suffix and what it multiplies by; tables begin with the largest, so that writing finds the shortest number. */
struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit sizes[] = {
	{ "G", 1 << 30 },
	{ "M", 1 << 20 },
	{ "K", 1 << 10 },
	{ "", 1 },
	{ NULL, 0 },
};

static const struct unit durations[] = {
	{ "d", 86400 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
	{ "m", 60 * NS_PER_S },
	{ "s", NS_PER_S },
	{ "ms", NS_PER_MS },
	{ "", NS_PER_S },
	{ NULL, 0 },
};

static const struct unit bitrates[] = {
	{ "M", 1000000 },
	{ "k", 1000 },
	{ "", 1 },
	{ NULL, 0 },
};

static const struct unit plain[] = {
	{ "", 1 },
	{ NULL, 0 },
};

static const struct unit *
units_of(enum config_type type)
{
	switch (type) {
	case CONFIG_SIZE:
		return sizes;
	case CONFIG_DURATION:
		return durations;
	case CONFIG_BITRATE:
		return bitrates;
	default:
		return plain;
	}
}

/* Digits with one of the units behind them; a minus is taken too, and refused by the range if need be. */
static int
read_number(const char *s, const struct unit *units, int64_t *v)
{
	int64_t sign = *s == '-' ? -1 : 1, value = 0;

	s += sign < 0;
	const char *start = s;
	for (; *s >= '0' && *s <= '9'; s++) {
		int digit = *s - '0';
		if (value > (INT64_MAX - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	if (s == start)
		return -1;
	for (; units->suffix; units++) {
		if (strcmp(s, units->suffix) != 0)
			continue;
		if (value > INT64_MAX / units->factor)
			return -1;
		*v = sign * value * units->factor;
		return 0;
	}
	return -1;
}

static void
write_number(struct text *out, int64_t v, const struct unit *units)
{
	if (v == 0) {
		text_str(out, "0");
		return;
	}
	while (units[1].suffix && v % units->factor != 0)
		units++;
	text_fmt(out, "%" PRId64 "%s", v / units->factor, units->suffix);
}

static int
read_unsigned(const char *s, const struct unit *units, int64_t *v)
{
	return *s == '-' ? -1 : read_number(s, units, v);
}

int
config_parse_size(const char *s, int64_t *bytes)
{
	return read_unsigned(s, sizes, bytes);
}

int
config_parse_duration(const char *s, int64_t *ns)
{
	return read_unsigned(s, durations, ns);
}

int
config_parse_bitrate(const char *s, int64_t *bits)
{
	return read_unsigned(s, bitrates, bits);
}

static bool
is_bounded(const struct config_option *o)
{
	return o->least || o->most;
}

static int
read_ranged(const struct config_option *o, const char *text, int64_t *field)
{
	int64_t v;

	if (read_number(text, units_of(o->type), &v) < 0)
		return -1;
	if (is_bounded(o) ? v < o->least || v > o->most : v < 0)
		return -1;
	*field = v;
	return 0;
}

static int
read_bool(const char *text, bool *field)
{
	static const char *const words[][2] = { { "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" } };

	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
		for (int v = 0; v < 2; v++) {
			if (strcmp(text, words[i][v]) == 0) {
				*field = v;
				return 0;
			}
		}
	}
	return -1;
}

static int
read_enum(const char *choices, const char *text, int *field)
{
	size_t len = strlen(text);

	for (int i = 0; *choices; i++) {
		size_t word = strcspn(choices, " ");
		if (word == len && memcmp(choices, text, len) == 0) {
			*field = i;
			return 0;
		}
		choices += word;
		choices += strspn(choices, " ");
	}
	return -1;
}

static int
read_string(const char *text, char **field)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

int
config_value_read(const struct config_option *o, const char *text, void *field)
{
	switch (o->type) {
	case CONFIG_STRING:
		return read_string(text, field);
	case CONFIG_BOOL:
		return read_bool(text, field);
	case CONFIG_ENUM:
		return read_enum(o->choices, text, field);
	case CONFIG_INT:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
	case CONFIG_BITRATE:
		break;
	}
	return read_ranged(o, text, field);
}

void
config_value_want(const struct config_option *o, struct text *out)
{
	static const char *const names[] = {
		[CONFIG_INT] = "a whole number",
		[CONFIG_SIZE] = "a size in bytes, or with K, M or G,",
		[CONFIG_DURATION] = "a time in seconds, or with ms, s, m, h or d,",
		[CONFIG_BITRATE] = "a rate in bit/s, or with k or M,",
	};
	const struct unit *units = units_of(o->type);

	if (o->type == CONFIG_STRING) {
		text_str(out, "any text");
	} else if (o->type == CONFIG_BOOL) {
		text_str(out, "yes or no");
	} else if (o->type == CONFIG_ENUM) {
		text_fmt(out, "one of: %s", o->choices);
	} else if (is_bounded(o)) {
		text_fmt(out, "%s from ", names[o->type]);
		write_number(out, o->least, units);
		text_str(out, " to ");
		write_number(out, o->most, units);
	} else {
		text_fmt(out, "%s not below 0", names[o->type]);
	}
}

bool
config_option_is_secret(const struct config_option *o)
{
	static const char word[] = "password";
	size_t len = strlen(o->key);

	return len >= sizeof word - 1 && strcmp(o->key + len - (sizeof word - 1), word) == 0;
}

/* Text in which the password of each URL ("scheme://user:password@host", RFC 3986 section 3.2.1) is hidden. */
static void
write_urls(struct text *out, const char *s)
{
	const char *slashes;

	while ((slashes = strstr(s, "://"))) {
		const char *authority = slashes + 3;
		size_t len = strcspn(authority, "/?# ");
		const char *at = memrchr(authority, '@', len);
		const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
		if (colon) {
			text_add(out, s, (size_t)(colon + 1 - s));
			text_str(out, "(set)");
			s = at;
		} else {
			text_add(out, s, (size_t)(authority + len - s));
			s = authority + len;
		}
	}
	text_str(out, s);
}

static void
write_choice(struct text *out, const char *choices, int index)
{
	while (index-- > 0) {
		choices += strcspn(choices, " ");
		choices += strspn(choices, " ");
	}
	text_add(out, choices, strcspn(choices, " "));
}

void
config_value_write(const struct config_option *o, const void *field, struct text *out)
{
	if (o->type == CONFIG_BOOL) {
		text_str(out, *(const bool *)field ? "yes" : "no");
	} else if (o->type == CONFIG_ENUM) {
		write_choice(out, o->choices, *(const int *)field);
	} else if (o->type != CONFIG_STRING) {
		write_number(out, *(const int64_t *)field, units_of(o->type));
	} else {
		const char *s = *(char *const *)field;
		if (s && config_option_is_secret(o))
			text_str(out, "(set)");
		else if (s)
			write_urls(out, s);
	}
}
