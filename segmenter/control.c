/* Control of the segmenter. */
#include "segmenter/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 63

struct control {
	struct small_http *http;
	struct pipeline *pipeline;
	char *token; /* NULL: none is wanted */
};

static void
say(struct small_answer *a, unsigned status, const char *what)
{
	a->status = status;
	text_str(&a->body, what);
	text_str(&a->body, "\n");
}

/* Takes as long whatever it finds; the length is no secret. */
static bool
same_secret(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned char differs = 0;

	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return differs == 0;
}

static bool
is_allowed(const struct control *c, const struct small_request *request)
{
	static const char scheme[] = "Bearer ";
	const char *given = request->authorization;

	if (!c->token)
		return true;
	return given && strncasecmp(given, scheme, sizeof(scheme) - 1) == 0 &&
	       same_secret(c->token, given + sizeof(scheme) - 1);
}

/* "/control/fip/hifi/input": the rendition "fip/hifi". */
static bool
rendition_of(const char *path, char name[static 2 * NAME_MAX_LEN + 2])
{
	static const char before[] = "/control/", behind[] = "/input";
	size_t n = strlen(path);

	if (n < sizeof(before) + sizeof(behind) - 2 || strncmp(path, before, sizeof(before) - 1) != 0 ||
	    strcmp(path + n - (sizeof(behind) - 1), behind) != 0)
		return false;
	n -= sizeof(before) + sizeof(behind) - 2;
	if (n == 0 || n > 2 * NAME_MAX_LEN + 1)
		return false;
	memcpy(name, path + sizeof(before) - 1, n);
	name[n] = '\0';
	const char *slash = strchr(name, '/');
	return slash && !strchr(slash + 1, '/');
}

static void
choose(struct control *c, const char *rendition, const struct small_request *request, struct small_answer *a)
{
	char name[NAME_MAX_LEN + 1] = "";
	const char *body = request->body + strspn(request->body, " \t\r\n");
	size_t n = strcspn(body, " \t\r\n");

	if (request->body_too_long || n > NAME_MAX_LEN || body[n + strspn(body + n, " \t\r\n")] != '\0') {
		say(a, 400, "want the name of an input, or auto");
		return;
	}
	memcpy(name, body, n);
	int err = pipeline_choose(c->pipeline, rendition, strcmp(name, "auto") == 0 ? "" : name);
	if (err == -ENOENT) {
		a->status = 404;
		text_fmt(&a->body, "%s is not here, or has no input \"%s\"\n", rendition, name);
	} else if (err < 0) {
		a->status = 500;
		text_fmt(&a->body, "chosen, but it will not outlive a restart: %s\n", strerror(-err));
	} else {
		say(a, 200, *name && strcmp(name, "auto") != 0 ? "chosen" : "lifted");
	}
}

static void
on_request(void *ctx, const struct small_request *request, struct small_answer *a)
{
	struct control *c = ctx;
	char rendition[2 * NAME_MAX_LEN + 2];
	bool get = strcmp(request->method, "GET") == 0, post = strcmp(request->method, "POST") == 0;

	if (!is_allowed(c, request)) {
		a->challenge = true;
		say(a, 401, "want the token of [control] token_file: Authorization: Bearer TOKEN");
	} else if (strcmp(request->path, "/control/status") == 0) {
		if (!get) {
			a->allow = "GET, HEAD";
			say(a, 405, "only GET and HEAD");
			return;
		}
		a->type = "application/json";
		pipeline_status(c->pipeline, &a->body);
	} else if (rendition_of(request->path, rendition)) {
		if (!post) {
			a->allow = "POST";
			say(a, 405, "only POST");
			return;
		}
		choose(c, rendition, request, a);
	} else {
		say(a, 404, "here are /control/status and /control/{station}/{rendition}/input");
	}
}

int
control_open(uv_loop_t *loop, const struct control_settings *settings, struct pipeline *pipeline, struct control **out,
    struct text *errors)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return -1;
	c->pipeline = pipeline;
	if (settings->token_file && *settings->token_file &&
	    !(c->token = config_secret(settings->token_file, NULL, errors)))
		goto fail;
	if (c->token && !*c->token) {
		text_fmt(errors, "[control] token_file = %s: its first line is empty\n", settings->token_file);
		goto fail;
	}
	if (small_http_open(loop, settings->listen, "[control] listen", "control", on_request, c, &c->http, errors) < 0)
		goto fail;
	*out = c;
	return 0;
fail:
	free(c->token);
	free(c);
	return -1;
}

void
control_close(struct control **cp)
{
	struct control *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	small_http_close(&c->http);
	free(c->token);
	free(c);
}
