/* optiontable: the manual's tables of keys, made from the option tables of the code.
 *
 *	optiontable             the kinds of sections that have keys, one a line
 *	optiontable KIND        the keys of one kind, as mdoc(7) between two comments (doc/update-options.sh) */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/config_internal.h"
#include "base/text.h"
#include "origin/settings.h"
#include "relay/exchange.h"
#include "relay/settings.h"
#include "segmenter/settings.h"

#define TEXT_MAX (1 << 20)

/* What stands for the value of a type that has no choices. */
static const char *const placeholders[] = {
	[CONFIG_STRING] = "text",
	[CONFIG_INT] = "number",
	[CONFIG_SIZE] = "size",
	[CONFIG_DURATION] = "duration",
	[CONFIG_BITRATE] = "bitrate",
};

/* The i-th kind that has keys, over all programs; NULL when there are no more. */
static const struct config_kind *
kind_at(unsigned i)
{
	const struct config_kind *origin = origin_settings_kinds();

	for (unsigned k = 0; k < SETTINGS_KINDS; k++)
		if (origin[k].rows > 0 && i-- == 0)
			return &origin[k];
	if (i < segmenter_kind_count)
		return &segmenter_kinds[i];
	i -= segmenter_kind_count;
	if (i < EXCHANGE_KINDS)
		return &exchange_kinds[i];
	return i == EXCHANGE_KINDS ? &relay_kinds[0] : NULL;
}

/* Roff reads a backslash, and a dot or an apostrophe at the beginning of a line, as its own. */
static void
write_text(struct text *out, const char *s, size_t len)
{
	for (; len > 0; s++, len--) {
		if (out->len > 0 && out->data[out->len - 1] == '\n' && (*s == '.' || *s == '\''))
			text_str(out, "\\&");
		if (*s == '\\')
			text_str(out, "\\e");
		else
			text_add(out, s, 1);
	}
}

/* A `name` in the text becomes a macro on a line of its own, with the punctuation that follows it. */
static void
write_name(struct text *out, const char **at)
{
	const char *name = *at + 1, *end = strchr(name, '`');

	text_str(out, "\n.Cm ");
	write_text(out, name, (size_t)(end - name));
	for (end++; *end && strchr(".,;:)", *end); end++)
		text_fmt(out, " %c", *end);
	text_str(out, *end ? "\n" : "");
	*at = end + strspn(end, " ");
}

/* Does the text begin with what it is for, as in "file, pipe: what to read"? */
static bool
begins_with_names(const char *help)
{
	size_t colon = strcspn(help, ":");

	for (size_t i = 1; i < colon; i++)
		if (help[i] == ' ' && help[i - 1] != ',')
			return false;
	return help[colon] == ':';
}

/* One line of help as a sentence. */
static void
write_help(struct text *out, const char *help)
{
	bool sentence = !begins_with_names(help) && !isupper((unsigned char)help[1]);
	char first = sentence ? (char)toupper((unsigned char)*help) : *help;

	text_add(out, &first, 1);
	for (const char *s = help + 1; *s;) {
		size_t len = strcspn(s, "`");
		bool name = s[len] && strchr(s + len + 1, '`');
		len = name ? len : strlen(s);
		write_text(out, s, name && len > 0 && s[len - 1] == ' ' ? len - 1 : len);
		s += len;
		if (name)
			write_name(out, &s);
	}
	text_str(out, help[strlen(help) - 1] == '`' ? " .\n" : ".\n");
}

/* A folder below the prefix of the installation is told without it: the manual is the same for every build. */
static void
write_default(struct text *out, const char *fallback)
{
	static const char prefix[] = HINDCAST_PREFIX "/";
	bool installed = strncmp(fallback, prefix, sizeof prefix - 1) == 0;

	if (installed)
		text_fmt(out, ".Ar prefix Ns Pa /%s", fallback + sizeof prefix - 1);
	else
		text_fmt(out, ".Li %s", fallback);
}

static void
write_range(struct text *out, const struct config_option *o)
{
	bool bounded =
	    (o->least || o->most) && o->type != CONFIG_STRING && o->type != CONFIG_BOOL && o->type != CONFIG_ENUM;

	if (bounded) {
		text_str(out, "From\n.Li ");
		config_value_write(o, &o->least, out);
		text_str(out, "\nto\n.Li ");
		config_value_write(o, &o->most, out);
	}
	if (o->fallback) {
		text_str(out, bounded ? " ;\ndefault\n" : "Default\n");
		write_default(out, o->fallback);
	}
	if (bounded || o->fallback)
		text_str(out, " .\n");
	if (o->required)
		text_str(out, "Required.\n");
}

static void
write_option(struct text *out, const struct config_option *o)
{
	text_fmt(out, ".It Cm %s No = ", o->key);
	if (o->type == CONFIG_BOOL)
		text_str(out, "Cm yes | no");
	else if (o->type == CONFIG_ENUM)
		for (const char *s = o->choices; *s; s += strcspn(s, " "), s += strspn(s, " "))
			text_fmt(out, "%s%.*s", s == o->choices ? "Cm " : " | ", (int)strcspn(s, " "), s);
	else
		text_fmt(out, "Ar %s", placeholders[o->type]);
	text_str(out, "\n");
	write_help(out, o->help);
	write_range(out, o);
}

static int
write_kind(const char *name)
{
	const struct config_kind *kind;
	struct text out;

	for (unsigned i = 0; (kind = kind_at(i)) && strcmp(kind->name, name) != 0; i++)
		;
	if (!kind) {
		fprintf(stderr, "optiontable: no section \"%s\" has keys\n", name);
		return 1;
	}
	text_init(&out, TEXT_MAX);
	text_fmt(&out, ".\\\" keys of [%s], written by update-options.sh\n.Bl -tag -width Ds\n", name);
	for (unsigned i = 0; i < kind->rows; i++)
		write_option(&out, &kind->options[i]);
	text_fmt(&out, ".El\n.\\\" end of [%s]\n", name);
	fputs(out.data ? out.data : "", stdout);
	bool full = out.full;
	text_fini(&out);
	return full || fflush(stdout) != 0;
}

int
main(int argc, char **argv)
{
	const struct config_kind *kind;

	if (argc > 2) {
		fputs("usage: optiontable [KIND]\n", stderr);
		return 2;
	}
	if (argc == 2)
		return write_kind(argv[1]);
	for (unsigned i = 0; (kind = kind_at(i)); i++)
		puts(kind->name);
	return 0;
}
