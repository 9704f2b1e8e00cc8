/* Media types from bytes. */
#include "origin/sniff.h"

#include <magic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static struct magic_set *
open_magic(void)
{
	struct magic_set *m = magic_open(MAGIC_MIME);

	if (m && magic_load(m, NULL)) {
		log_warn("libmagic has no database why=\"%s\"", magic_error(m));
		magic_close(m);
		m = NULL;
	}
	return m;
}

void
sniff_type(struct magic_set **magic, int fd, char *type, size_t size)
{
	char head[4096];
	ssize_t n = pread(fd, head, sizeof head, 0);

	if (!*magic)
		*magic = open_magic();
	const char *found = *magic && n > 0 ? magic_buffer(*magic, head, (size_t)n) : NULL;
	if (!found)
		return;
	size_t len = strlen(found);
	const char *binary = strstr(found, "; charset=binary");
	if (binary)
		len = (size_t)(binary - found);
	snprintf(type, size, "%.*s", (int)len, found);
}

void
sniff_close(struct magic_set **magic)
{
	if (*magic)
		magic_close(*magic);
	*magic = NULL;
}
