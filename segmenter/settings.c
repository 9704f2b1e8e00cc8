/* [input STATION/RENDITION NAME], [icecast-listener], [segmenter]: declared once, checked across sections. */
#include "segmenter/settings.h"

#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "relay/exchange.h"
#include "relay/rtp.h"
#include "base/clock.h"
#include "base/text.h"

#define MOUNT_LONGEST 255
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define INPUT(field) offsetof(struct input_settings, field)

static const char input_types[] = "icecast-source icecast-pull file pipe command stdin rtp relay";

static const struct config_option input_options[] = {
	{ "type", CONFIG_ENUM, INPUT(type), .choices = input_types, .required = true, .help = "how the audio arrives" },
	{ "priority", CONFIG_INT, INPUT(priority), .fallback = "1", .least = 1, .most = 99,
	    .help = "of several inputs the lowest number is preferred" },
	{ "mount", CONFIG_STRING, INPUT(mount), .help = "icecast-source: path that the encoder sends to" },
	{ "user", CONFIG_STRING, INPUT(user), .help = "user name; `source` for icecast-source when not given" },
	{ "password", CONFIG_STRING, INPUT(password), .help = "better in a file: password_file" },
	{ "password_file", CONFIG_STRING, INPUT(password_file), .help = "its first line is the password" },
	{ "password_env", CONFIG_STRING, INPUT(password_env), .help = "environment variable that holds the password" },
	{ "url", CONFIG_STRING, INPUT(url), .help = "icecast-pull: http:// or https:// address of the stream" },
	{ "ca_file", CONFIG_STRING, INPUT(ca_file),
	    .help = "icecast-pull: certificates to trust (PEM) in place of the system's" },
	{ "path", CONFIG_STRING, INPUT(path), .help = "file, pipe: what to read" },
	{ "command", CONFIG_STRING, INPUT(command), .help = "command: shell command that writes audio to its output" },
	{ "sdp", CONFIG_STRING, INPUT(sdp),
	    .help = "rtp: SDP file that describes the stream; two, separated by spaces, for two paths of the same "
		    "packets" },
	{ "interface", CONFIG_STRING, INPUT(interface), .help = "rtp: network interface to join a multicast group on" },
	{ "loop", CONFIG_BOOL, INPUT(loop), .fallback = "no", .help = "file: begin again at its end" },
	{ "start", CONFIG_STRING, INPUT(start), .help = "when the first frame was on air: an instant, -2h, or now" },
	{ "pace", CONFIG_ENUM, INPUT(pace), .fallback = "real", .choices = "real none",
	    .help = "real: not faster than time passes; none: as fast as it can be had" },
	{ "timeout", CONFIG_DURATION, INPUT(timeout), .fallback = "10s", .least = NS_PER_S, .most = 3600 * NS_PER_S,
	    .help = "without a whole frame for so long the source counts as dead" },
};

#define LISTENER(field) offsetof(struct listener_settings, field)

static const struct config_option listener_options[] = {
	{ "listen", CONFIG_STRING, LISTENER(listen), .fallback = "0.0.0.0:8001",
	    .help = "address and port for encoders; Shoutcast v1 sources on the port after it" },
	{ "shoutcast", CONFIG_BOOL, LISTENER(shoutcast), .fallback = "yes", .help = "take Shoutcast v1 sources too" },
	{ "max_connections", CONFIG_INT, LISTENER(max_connections), .fallback = "100", .least = 1, .most = 10000,
	    .help = "connections that have not logged in yet; of more the oldest is closed" },
	{ "head_timeout", CONFIG_DURATION, LISTENER(head_timeout), .fallback = "10s", .least = 100 * NS_PER_MS,
	    .most = 600 * NS_PER_S, .help = "how long a request head may take" },
};

#define SEGMENTER(field) offsetof(struct segmenter_settings, field)

static const struct config_option segmenter_options[] = {
	{ "memory", CONFIG_SIZE, SEGMENTER(memory), .fallback = "256M", .least = 16 << 20, .most = INT64_C(1) << 40,
	    .help = "what audio frames may take in all" },
	{ "metrics", CONFIG_STRING, SEGMENTER(metrics), .fallback = "127.0.0.1:8004",
	    .help = "address of /metrics and /healthz; empty: none" },
};

#define CONTROL(field) offsetof(struct control_settings, field)

static const struct config_option control_options[] = {
	{ "listen", CONFIG_STRING, CONTROL(listen), .fallback = "127.0.0.1:8005", .help = "address and port" },
	{ "token_file", CONFIG_STRING, CONTROL(token_file),
	    .help = "its first line is the bearer token; needed where `listen` is not loopback" },
};

const struct config_kind segmenter_kinds[] = {
	{ "input", 2, input_options, ROWS(input_options), sizeof(struct input_settings) },
	{ "icecast-listener", 0, listener_options, ROWS(listener_options), sizeof(struct listener_settings) },
	{ "segmenter", 0, segmenter_options, ROWS(segmenter_options), sizeof(struct segmenter_settings) },
	{ "control", 0, control_options, ROWS(control_options), sizeof(struct control_settings) },
};
const unsigned segmenter_kind_count = ROWS(segmenter_kinds);

/* Which types a key is for; keys that are not here are for all. */
#define BIT(type) (1u << (type))
#define SOURCE BIT(INPUT_ICECAST_SOURCE)
#define PULL BIT(INPUT_ICECAST_PULL)
#define FILE_ BIT(INPUT_FILE)
#define PIPE BIT(INPUT_PIPE)
#define COMMAND BIT(INPUT_COMMAND)
#define STDIN BIT(INPUT_STDIN)
#define RTP BIT(INPUT_RTP)
#define LOCAL (BIT(INPUT_RELAY) - 1) /* all that this process brings itself */

static const struct key_use {
	const char *key;
	unsigned allowed, required;
} key_uses[] = {
	{ "mount", SOURCE, SOURCE },
	{ "user", SOURCE | PULL, 0 },
	{ "password", SOURCE | PULL, 0 },
	{ "password_file", SOURCE | PULL, 0 },
	{ "password_env", SOURCE | PULL, 0 },
	{ "url", PULL, PULL },
	{ "ca_file", PULL, 0 },
	{ "path", FILE_ | PIPE, FILE_ | PIPE },
	{ "command", COMMAND, COMMAND },
	{ "sdp", RTP, RTP },
	{ "interface", RTP, 0 },
	{ "loop", FILE_, 0 },
	{ "start", FILE_ | PIPE | COMMAND | STDIN, 0 },
	{ "timeout", LOCAL, 0 },
	{ "pace", FILE_ | PIPE | COMMAND | STDIN, 0 },
};

/* The n-th word of `input_types`. */
static const char *
type_name(int type, char out[static 32])
{
	const char *word = input_types;

	while (type-- > 0)
		word = strchr(word, ' ') + 1;
	size_t n = strcspn(word, " ");
	memcpy(out, word, n);
	out[n] = '\0';
	return out;
}

static bool
is_given(const struct input_settings *s, const char *key)
{
	for (unsigned i = 0; i < ROWS(input_options); i++)
		if (strcmp(input_options[i].key, key) == 0)
			return s->section.given >> i & 1;
	return false;
}

/* Errors are counted by what they add to `errors`. */
static void
check_keys(const struct config *c, const struct input_settings *s, struct text *errors)
{
	char type[32];

	type_name(s->type, type);
	for (unsigned i = 0; i < ROWS(key_uses); i++) {
		const struct key_use *use = &key_uses[i];
		bool given = is_given(s, use->key);
		if (given && !(use->allowed & BIT(s->type)))
			config_error(c, s, use->key, errors, "type = %s does not take it; remove the line", type);
		if (!given && (use->required & BIT(s->type)))
			config_error(
			    c, s, use->key, errors, "type = %s needs it; add a line \"%s = …\"", type, use->key);
	}
}

static void
check_password(const struct config *c, const struct input_settings *s, struct text *errors)
{
	int given = is_given(s, "password") + is_given(s, "password_file") + is_given(s, "password_env");

	if (!(BIT(s->type) & (SOURCE | PULL)))
		return;
	if (given > 1)
		config_error(c, s, "password", errors,
		    "given more than once; want one of password_file, password_env, password");
	if (given == 0 && s->type == INPUT_ICECAST_SOURCE)
		config_error(
		    c, s, "password", errors, "type = icecast-source needs password_file, password_env or password");
	if (is_given(s, "password") && (!s->password || !*s->password))
		config_error(c, s, "password", errors, "is empty");
	if (s->type == INPUT_ICECAST_PULL && (given > 0) != is_given(s, "user"))
		config_error(c, s, "user", errors, "user and password go together; give both or none");
	if (s->user && strchr(s->user, ':'))
		config_error(c, s, "user", errors, "a user name has no colon (RFC 7617)");
}

static bool
mount_is_good(const char *mount)
{
	size_t n = strlen(mount);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)mount[i] <= ' ' || strchr("?#%\x7f", mount[i]))
			return false;
	return n > 1 && n <= MOUNT_LONGEST && mount[0] == '/' && strncmp(mount, "/admin", 6) != 0;
}

static void
check_mount(const struct config *c, const struct input_settings *s, struct text *errors)
{
	const struct input_settings *other = NULL;

	if (s->type != INPUT_ICECAST_SOURCE || !s->mount)
		return;
	if (!mount_is_good(s->mount))
		config_error(
		    c, s, "mount", errors, "want a path such as /fip-hifi: no spaces, ?, #, %%, not below /admin");
	while ((other = config_next(c, "input", other)) && other != s)
		if (other->type == INPUT_ICECAST_SOURCE && other->mount && strcmp(other->mount, s->mount) == 0)
			config_error(c, s, "mount", errors, "%s is the mount of [input %s %s] too; each needs its own",
			    s->mount, other->section.subject[0], other->section.subject[1]);
	if (!config_next(c, "icecast-listener", NULL))
		config_error(c, s, "type", errors,
		    "icecast-source needs a section [icecast-listener] with the port, as in listen = 0.0.0.0:8001");
}

static void
check_url(const struct config *c, const struct input_settings *s, struct text *errors)
{
	if (s->type != INPUT_ICECAST_PULL || !s->url)
		return;
	const char *host = strncasecmp(s->url, "http://", 7) == 0    ? s->url + 7
			   : strncasecmp(s->url, "https://", 8) == 0 ? s->url + 8
								     : "";
	if (*host == '\0' || *host == '/')
		config_error(c, s, "url", errors, "want http://HOST:PORT/MOUNT or https://HOST:PORT/MOUNT");
}

static bool
start_is_good(const char *start)
{
	struct wall at;
	int64_t back;

	if (strcmp(start, "now") == 0 || wall_parse(start, &at) == 0)
		return true;
	return start[0] == '-' && config_parse_duration(start + 1, &back) == 0;
}

static void
check_time(const struct config *c, const struct input_settings *s, struct text *errors)
{
	bool start = s->start && *s->start;

	if (start && !start_is_good(s->start))
		config_error(c, s, "start", errors, "want an instant (2026-11-21T09:00:00Z), a time back (-2h) or now");
	if (is_given(s, "pace") && s->type != INPUT_FILE && !start)
		config_error(c, s, "pace", errors, "is for inputs with `start`; add it, or remove the line");
	if (s->type == INPUT_FILE && s->loop && s->pace == PACE_NONE)
		config_error(
		    c, s, "pace", errors, "none would never end with loop = yes; want pace = real or loop = no");
}

static void
check_place(const struct config *c, const struct input_settings *s, struct text *errors)
{
	const struct input_settings *other = NULL;
	const char *rendition = s->section.subject[0];
	unsigned before = 0;

	bool published = config_next(c, "publish", NULL) != NULL;

	if (!config_find(c, "rendition", rendition) && (!published || s->type == INPUT_RELAY))
		config_error(c, s, NULL, errors, "there is no [rendition %s]", rendition);
	if (!strchr(rendition, '/'))
		config_error(c, s, NULL, errors, "want [input STATION/RENDITION NAME]");
	if (published && s->type != INPUT_RELAY && !rtp_rid_valid(s->section.subject[1]))
		config_error(c, s, NULL, errors,
		    "with [publish] the name of an input is letters and digits (RFC 8851), without \"_\" and \"-\"");
	if (s->type == INPUT_RELAY && !config_next(c, "subscribe", NULL))
		config_error(c, s, "type", errors,
		    "relay needs a section [subscribe] with the relays, as in from = http://relay-a:8003");
	if (published && s->pace == PACE_NONE)
		config_error(c, s, "pace", errors, "none is not for inputs that are published: want real");
	while ((other = config_next(c, "input", other)) && other != s) {
		before += strcmp(other->section.subject[0], rendition) == 0;
		if (other->type == INPUT_STDIN && s->type == INPUT_STDIN)
			config_error(c, s, "type", errors, "standard input is that of [input %s %s] already",
			    other->section.subject[0], other->section.subject[1]);
	}
	if (before == SETTINGS_INPUTS)
		config_error(
		    c, s, NULL, errors, "%s has %d inputs already, it takes no more", rendition, SETTINGS_INPUTS);
}

static void
check_listen(const struct config *c, const struct listener_settings *s, struct text *errors)
{
	struct sockaddr_storage address;

	if (!s->listen || address_parse(s->listen, &address) < 0)
		config_error(c, s, "listen", errors, "want ADDRESS:PORT, such as 0.0.0.0:8001 or [::]:8001");
	else if (s->shoutcast && address_port(&address) == UINT16_MAX)
		config_error(
		    c, s, "listen", errors, "Shoutcast sources need the port after it; want shoutcast = no, or less");
}

static void
check_metrics(const struct config *c, const struct segmenter_settings *s, struct text *errors)
{
	struct sockaddr_storage address;

	if (s->metrics && *s->metrics && address_parse(s->metrics, &address) < 0)
		config_error(c, s, "metrics", errors, "want ADDRESS:PORT, such as 127.0.0.1:8004, or nothing");
}

static void
check_control(const struct config *c, const struct control_settings *s, struct text *errors)
{
	struct sockaddr_storage address;

	if (!s->listen || address_parse(s->listen, &address) < 0)
		config_error(c, s, "listen", errors, "want ADDRESS:PORT, such as 127.0.0.1:8005");
	else if (!address_is_loopback(&address) && (!s->token_file || !*s->token_file))
		config_error(c, s, "token_file", errors,
		    "%s can be reached by others, so a token is needed; add token_file = …, or listen on 127.0.0.1",
		    s->listen);
}

int
segmenter_settings_check(const struct config *c, struct text *errors)
{
	size_t before = errors->len;
	bool was_full = errors->full;

	for (const struct input_settings *s = NULL; (s = config_next(c, "input", s));) {
		check_place(c, s, errors);
		check_keys(c, s, errors);
		check_password(c, s, errors);
		check_mount(c, s, errors);
		check_url(c, s, errors);
		check_time(c, s, errors);
	}
	exchange_check(c, errors);
	for (const struct listener_settings *s = NULL; (s = config_next(c, "icecast-listener", s));)
		check_listen(c, s, errors);
	for (const struct segmenter_settings *s = NULL; (s = config_next(c, "segmenter", s));)
		check_metrics(c, s, errors);
	for (const struct control_settings *s = NULL; (s = config_next(c, "control", s));)
		check_control(c, s, errors);
	return errors->len == before && errors->full == was_full ? 0 : -1;
}
