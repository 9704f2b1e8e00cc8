/* Problem documents. */
#include "origin/problem.h"

#include "base/text.h"
#include "origin/http.h"

static void
member(struct text *out, const char *name, const char *value)
{
	if (!value)
		return;
	text_fmt(out, ",\"%s\":\"", name);
	text_json(out, value);
	text_str(out, "\"");
}

void
problem_write(struct text *out, const struct problem *p)
{
	text_str(out, "{\"type\":\"about:blank\"");
	member(out, "title", http_reason(p->status));
	text_fmt(out, ",\"status\":%u", p->status);
	member(out, "detail", p->detail);
	member(out, "parameter", p->parameter);
	text_str(out, "}\n");
}
