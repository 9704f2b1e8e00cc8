/* What a request to the source port gets. Status lines and bodies are those of Icecast 2.4.4, because encoders compare
 * them. */
#include "segmenter/input/icecast_request.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "segmenter/input/icecast_source.h"
#include "segmenter/input/source_connection.h"
#include "segmenter/input/title.h"
#include "segmenter/input/transport.h"

#define PLAIN "text/plain"
#define HTML "text/html"
#define XML "text/xml"
#define ERROR_PAGE(code, what)                                                                                         \
	"<html><head><title>Error " code "</title></head><body><b>" code " - " what "</b></body></html>\r\n"
#define XML_ANSWER(what, code)                                                                                         \
	"<?xml version=\"1.0\"?>\n<iceresponse><message>" what "</message><return>" code "</return></iceresponse>\n"

struct answer {
	int status;
	const char *reason, *type, *body;
	const char *why; /* for the log; NULL: all is well */
};

static const struct answer
    mount_busy = { 403, "Forbidden", PLAIN, "Mountpoint in use", "mount in use" },
    no_content_type = { 403, "Forbidden", PLAIN, "No Content-type given", "PUT without Content-Type" },
    wrong_content_type = { 403, "Forbidden", PLAIN, "Content-type not supported",
	    "Content-Type of something else than AAC (ADTS) or MP3" },
    no_login = { 401, "Authentication Required", PLAIN, "You need to authenticate\r\n", "wrong user or password" },
    no_mount = { 404, "File Not Found", HTML, ERROR_PAGE("404", "No such mount"), "no input has this mount" },
    not_found = { 404, "File Not Found", HTML, ERROR_PAGE("404", "The file you requested could not be found"), NULL },
    unknown_request = { 400, "Bad Request", HTML, ERROR_PAGE("400", "unknown request"), "unknown method" },
    bad_request = { 400, "Bad Request", HTML, ERROR_PAGE("400", "Bad Request"), "no request" },
    timed_out = { 408, "Request Timeout", PLAIN, "The request head did not come in time\r\n", "head timeout" },
    bad_coding = { 501, "Not Implemented", PLAIN, "Transfer-Encoding not supported",
	    "transfer coding other than chunked" },
    bad_length = { 400, "Bad Request", HTML, ERROR_PAGE("400", "bad Content-Length"), "bad Content-Length" },
    no_source = { 400, "Bad Request", HTML, ERROR_PAGE("400", "Source does not exist"),
	    "title for a mount without source" },
    no_parameter = { 400, "Bad Request", HTML, ERROR_PAGE("400", "Missing parameter"),
	    "title request without a parameter" },
    no_pass = { 400, "Bad Request", HTML, ERROR_PAGE("400", "missing pass parameter"),
	    "title request without a parameter" },
    no_action = { 400, "Bad Request", HTML, ERROR_PAGE("400", "No such action"), "title request of another mode" },
    title_taken = { 200, "OK", XML, XML_ANSWER("Metadata update successful", "1"), NULL },
    title_no_action = { 200, "OK", XML, XML_ANSWER("No such action", "0"), "title request of another mode" },
    cgi_taken = { 200, "OK", HTML,
	    "<html><head><title>Admin request successful</title></head>"
	    "<body><p>Metadata update successful</p></body></html>",
	    NULL };

static void
answer_date(struct wall now, struct text *out)
{
	time_t seconds = (time_t)(now.ns / NS_PER_S);
	struct tm tm;
	char date[40];

	gmtime_r(&seconds, &tm);
	/* IMF-fixdate (RFC 9110 section 5.6.7); no program of this project sets a locale */
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	text_fmt(out, "Date: %s\r\n", date);
}

static struct icecast_verdict
answer_write(const struct answer *a, struct wall now, struct text *out)
{
	text_fmt(out, "HTTP/1.0 %d %s\r\nServer: hindcast\r\nConnection: Close\r\n", a->status, a->reason);
	answer_date(now, out);
	text_fmt(out, "Content-Type: %s; charset=utf-8\r\n", a->type);
	if (a->status == 401)
		text_str(out, "WWW-Authenticate: Basic realm=\"Icecast2 Server\"\r\n");
	text_fmt(out, "Cache-Control: no-cache, no-store\r\nContent-Length: %zu\r\n\r\n%s", strlen(a->body), a->body);
	return (struct icecast_verdict){ .status = a->status, .why = a->why };
}

/* ---- sources */

/* What is declared is not trusted, the audio itself is looked at; but who says that it sends something else is told so
 * at once, where an encoder shows it to its user. */
static bool
type_is_foreign(struct span type)
{
	static const char *const foreign[] = { "application/ogg", "audio/ogg", "audio/vorbis", "audio/opus",
		"audio/flac", "audio/x-flac", "audio/webm", "audio/x-matroska", "audio/wav", "audio/x-wav", "audio/l16",
		"audio/mp4", "text/html", "text/plain", "application/json" };
	static const char video[] = "video/";
	const char *semicolon = type.len ? memchr(type.p, ';', type.len) : NULL;

	if (semicolon)
		type.len = (size_t)(semicolon - type.p);
	while (type.len > 0 && type.p[type.len - 1] == ' ')
		type.len--;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (span_equal_nocase(type, foreign[i]))
			return true;
	struct span front = { type.p, type.len < sizeof(video) - 1 ? type.len : sizeof(video) - 1 };
	return span_equal_nocase(front, video);
}

static const struct answer *
check_type(const struct request_head *head, const char *name, bool required)
{
	struct span type;

	if (!request_field(head, name, &type) || type.len == 0)
		return required ? &no_content_type : NULL;
	return type_is_foreign(type) ? &wrong_content_type : NULL;
}

/* RFC 9112 section 6.3: chunked, or a number of bytes, or all up to the end of the connection. */
static const struct answer *
body_set(const struct request_head *head, struct source_connection *c)
{
	struct span v;

	c->body_left = UINT64_MAX;
	chunked_init(&c->chunked);
	c->is_chunked = false;
	if (request_field(head, "Transfer-Encoding", &v) && !span_equal_nocase(v, "identity")) {
		c->is_chunked = true;
		return span_equal_nocase(v, "chunked") ? NULL : &bad_coding;
	}
	if (!request_field(head, "Content-Length", &v))
		return NULL;
	if (v.len == 0 || v.len > 18)
		return &bad_length;
	c->body_left = 0;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return &bad_length;
		c->body_left = c->body_left * 10 + (uint64_t)(v.p[i] - '0');
	}
	/* encoders that do not know the length say 0 */
	if (c->body_left == 0)
		c->body_left = UINT64_MAX;
	return NULL;
}

static bool
logged_in(struct transport *mount, const struct request_head *head)
{
	char credentials[REQUEST_VALUE_MAX] = "";

	bool given = request_basic(head, credentials) == REQUEST_VALUE_OK;
	bool right = given && icecast_mount_login(mount, credentials);
	explicit_bzero(credentials, sizeof(credentials));
	return right;
}

static struct icecast_verdict
source_refuse(struct transport *mount, const struct answer *wrong, struct wall now, struct text *out)
{
	if (mount)
		input_transport_counters(icecast_mount_input(mount))->refused_logins++;
	return answer_write(wrong, now, out);
}

static struct icecast_verdict
request_source(const uv_loop_t *loop, const struct request_head *head, struct source_connection *c, struct wall now,
    struct text *out)
{
	struct transport *mount = icecast_mount_find(loop, head->path);
	const struct answer *wrong = NULL;

	if (!mount)
		wrong = &no_mount;
	else if (!logged_in(mount, head))
		wrong = &no_login;
	if (!wrong)
		/* SOURCE without Content-Type means audio/mpeg */
		wrong = check_type(head, "Content-Type", head->method == REQUEST_PUT);
	if (!wrong && icecast_mount_busy(mount))
		wrong = &mount_busy;
	if (!wrong)
		wrong = body_set(head, c);
	if (wrong)
		return source_refuse(mount, wrong, now, out);
	/* the 200 follows at once: a client that waits for it before it sends would wait for ever */
	if (request_field_has(head, "Expect", "100-continue"))
		text_str(out, "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n");
	text_str(out, "HTTP/1.0 200 OK\r\n\r\n");
	return (struct icecast_verdict){ .mount = mount, .status = 200 };
}

struct icecast_verdict
icecast_shoutcast(struct transport *mount, const struct request_head *fields, struct source_connection *c,
    struct wall now, struct text *out)
{
	const struct answer *wrong = mount ? check_type(fields, "content-type", false) : &no_mount;

	if (!wrong && icecast_mount_busy(mount))
		wrong = &mount_busy;
	if (wrong)
		return source_refuse(mount, wrong, now, out);
	c->is_chunked = false;
	c->body_left = UINT64_MAX;
	return (struct icecast_verdict){ .mount = mount, .status = 200 };
}

/* ---- titles */

static size_t
title_param(const struct request_head *head, const char *name, bool latin1, char *out, size_t size)
{
	char raw[TITLE_MAX];

	if (request_param(head, name, raw, sizeof(raw)) != REQUEST_VALUE_OK)
		return 0;
	return title_utf8(raw, strlen(raw), latin1, out, size);
}

/* `song`, or `artist` and `title` put together as Icecast does. */
static void
title_pass(struct input *in, const struct request_head *head)
{
	char charset[32], title[2 * TITLE_MAX + 8];
	bool latin1 = request_param(head, "charset", charset, sizeof(charset)) == REQUEST_VALUE_OK &&
		      (strcasecmp(charset, "ISO-8859-1") == 0 || strcasecmp(charset, "latin1") == 0);
	size_t n = title_param(head, "song", latin1, title, TITLE_MAX);

	if (n == 0) {
		n = title_param(head, "artist", latin1, title, TITLE_MAX);
		if (n > 0) {
			memcpy(title + n, " - ", 3);
			n += 3;
		}
		n += title_param(head, "title", latin1, title + n, TITLE_MAX);
	}
	if (n > 0)
		input_title(in, title, n);
}

static struct icecast_verdict
request_metadata(const uv_loop_t *loop, const struct request_head *head, struct wall now, struct text *out)
{
	char path[REQUEST_PATH_MAX], mode[32];
	const struct answer *answer = &title_taken;
	struct transport *mount = NULL;

	/* without `mount` Icecast wants the administrator, which is nobody here */
	if (request_param(head, "mount", path, sizeof(path)) != REQUEST_VALUE_OK)
		return answer_write(&no_login, now, out);
	if (!(mount = icecast_mount_find(loop, path)))
		return answer_write(&no_source, now, out);
	if (!logged_in(mount, head))
		answer = &no_login;
	else if (!icecast_mount_busy(mount))
		answer = &no_source;
	else if (request_param(head, "mode", mode, sizeof(mode)) == REQUEST_VALUE_ABSENT)
		answer = &no_parameter;
	else if (strcmp(mode, "updinfo") != 0)
		answer = &title_no_action;
	else
		title_pass(icecast_mount_input(mount), head);
	return answer_write(answer, now, out);
}

/* Shoutcast v1: the password is in the query and names the mount. */
static struct icecast_verdict
request_admin_cgi(const uv_loop_t *loop, const struct request_head *head, struct wall now, struct text *out)
{
	char pass[REQUEST_VALUE_MAX], mode[32], song[TITLE_MAX];
	const struct answer *answer = &cgi_taken;
	struct transport *mount = NULL;
	bool several = false;

	if (request_param(head, "pass", pass, sizeof(pass)) != REQUEST_VALUE_OK)
		return answer_write(&no_pass, now, out);
	mount = icecast_mount_find_password(loop, pass, &several);
	explicit_bzero(pass, sizeof(pass));
	if (!mount)
		answer = &no_login;
	else if (!icecast_mount_busy(mount))
		answer = &no_source;
	else if (request_param(head, "mode", mode, sizeof(mode)) == REQUEST_VALUE_ABSENT ||
		 request_param(head, "song", song, sizeof(song)) == REQUEST_VALUE_ABSENT)
		answer = &no_parameter;
	else if (strcmp(mode, "updinfo") != 0)
		answer = &no_action;
	else
		title_pass(icecast_mount_input(mount), head);
	return answer_write(answer, now, out);
}

/* ---- all requests */

struct icecast_verdict
icecast_request(const uv_loop_t *loop, const struct request_head *head, struct source_connection *c, struct wall now,
    struct text *out)
{
	if (head->method == REQUEST_PUT || head->method == REQUEST_SOURCE)
		return request_source(loop, head, c, now, out);
	if (head->method != REQUEST_GET)
		return answer_write(&unknown_request, now, out);
	if (strcmp(head->path, "/admin/metadata") == 0)
		return request_metadata(loop, head, now, out);
	if (strcmp(head->path, "/admin.cgi") == 0)
		return request_admin_cgi(loop, head, now, out);
	return answer_write(&not_found, now, out);
}

struct icecast_verdict
icecast_bad_request(const char *why, struct wall now, struct text *out)
{
	struct icecast_verdict v = answer_write(&bad_request, now, out);

	v.why = why;
	return v;
}

struct icecast_verdict
icecast_timed_out(struct wall now, struct text *out)
{
	return answer_write(&timed_out, now, out);
}
