/* Any bytes as a request target: whatever the table makes of them stays inside the store's folder and is not hidden. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "origin/routes.h"
#include "origin/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_path(const struct target *t)
{
	CHECK(t->count <= TARGET_COMPONENTS);
	CHECK(t->relative[0] != '/');
	CHECK(!strstr(t->relative, "//"));
	for (unsigned i = 0; i < t->count; i++) {
		const char *s = t->component[i];
		CHECK(*s && !strchr(s, '/') && strcmp(s, ".") && strcmp(s, ".."));
		for (; *s; s++)
			CHECK((unsigned char)*s > 0x20 && *s != 0x7F);
	}
}

static void
check_names(const struct route *r, const struct route_names *n)
{
	CHECK(r && r->handler);
	if (r->kind == ROUTE_SEGMENT || r->kind == ROUTE_HOUR || r->kind == ROUTE_MEDIA)
		CHECK(n->station && n->rendition && *n->station != '.' && *n->rendition != '.');
	if (r->kind == ROUTE_MULTIVARIANT)
		CHECK(n->station);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct target t;
	struct route_names names;
	struct target_parameter p;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	const char *query = strchr(text, '?');
	size_t length = query ? (size_t)(query - text) : strlen(text);
	enum target_error e = target_parse(text, length, &t);
	CHECK(target_error_text(e));
	if (!e) {
		check_path(&t);
		check_names(routes_match(&t, &names), &names);
		target_is_hidden(&t);
	}
	unsigned n = 0;
	for (query = query ? query + 1 : ""; target_next_parameter(&query, &p); n++)
		CHECK(strlen(p.name) < sizeof p.name && strlen(p.value) < sizeof p.value);
	CHECK(n <= size);
	free(text);
	return 0;
}
