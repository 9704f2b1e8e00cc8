/* The [origin] section. */
#include "origin/settings.h"

#include <string.h>

#include "base/text.h"
#include "origin/listen.h"

#define ROW(key, type, fallback, ...)                                                                                  \
	{                                                                                                              \
#key, type, offsetof(struct origin_settings, key), fallback, __VA_ARGS__                               \
	}

static const struct config_option options[] = {
	ROW(listen, CONFIG_STRING, "0.0.0.0:8080",
	    .help = "addresses to serve on, separated by spaces; https:// before one takes TLS there"),
	ROW(threads, CONFIG_INT, "0", .least = 0, .most = 256, .help = "threads; 0: one for each core"),
	ROW(player, CONFIG_STRING, HINDCAST_PREFIX "/share/hindcast/player", .help = "folder of the player page"),
	ROW(memory, CONFIG_SIZE, "32M", .help = "bytes kept of lists and new segments, in all threads together"),
	ROW(soft_connections, CONFIG_INT, "12000", .least = 1, .most = 1000000,
	    .help = "above it /healthz says \"full\""),
	ROW(max_connections, CONFIG_INT, "16000", .least = 1, .most = 1000000,
	    .help = "connections above it are answered 503"),
	ROW(per_address, CONFIG_INT, "0", .least = 0, .most = 1000000,
	    .help = "connections of one address above it are answered 429; 0: no limit (a cache is one address)"),
	ROW(idle_timeout, CONFIG_DURATION, "30s", .least = NS_PER_S, .most = 3600 * NS_PER_S,
	    .help =
		"a connection without a complete request, or with an answer that does not move, is closed after it"),
	ROW(header_memory, CONFIG_SIZE, "8K", .least = 2048, .most = 1 << 20,
	    .help = "bytes for the heads of one request and its answer"),
	ROW(url_limit, CONFIG_SIZE, "2K", .least = 256, .most = 1 << 16, .help = "longer request targets get 414"),
	ROW(stale, CONFIG_ENUM, "error", .choices = "error live serve",
	    .help = "lists whose newest segment is older than three segments: 503, 503 for live and delayed ones only, "
		    "or as they are"),
	ROW(edge_tokens, CONFIG_STRING, NULL, .help = "query parameters of a CDN's tokens, which are ignored here"),
	ROW(tls_certificate, CONFIG_STRING, NULL, .help = "PEM file with the certificate and its chain"),
	ROW(tls_key, CONFIG_STRING, NULL, .help = "PEM file with its key"),
};

#undef ROW

static struct config_kind kinds[SETTINGS_KINDS];

const struct config_kind *
origin_settings_kinds(void)
{
	for (unsigned i = 0; i < SETTINGS_KINDS; i++) {
		kinds[i] = settings_kinds[i];
		if (strcmp(kinds[i].name, "origin"))
			continue;
		kinds[i].options = options;
		kinds[i].rows = sizeof options / sizeof *options;
		kinds[i].size = sizeof(struct origin_settings);
	}
	return kinds;
}

const struct origin_settings *
origin_settings_of(struct config *c)
{
	struct origin_settings *s = config_next(c, "origin", NULL);

	for (unsigned i = 0; !s && i < SETTINGS_KINDS; i++)
		if (!strcmp(kinds[i].name, "origin"))
			s = config_add_default(c, &kinds[i]);
	return s;
}

bool
origin_settings_has_word(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *s = list; s && *s && len;) {
		s += strspn(s, " \t,");
		size_t n = strcspn(s, " \t,");
		if (n == len && !memcmp(s, name, n))
			return true;
		s += n;
	}
	return false;
}

/* Names that mean something else at the top of the server. */
static int
check_station_names(const struct config *c, struct text *errors)
{
	int rc = 0;

	for (const struct station_settings *s = NULL; (s = config_next(c, "station", s));) {
		if (origin_settings_has_word("healthz metrics control _player", s->section.subject[0])) {
			config_error(c, s, NULL, errors, "the name is taken by the origin, want another");
			rc = -1;
		}
	}
	return rc;
}

static int
check_tls(const struct config *c, const struct origin_settings *s, bool wanted, struct text *errors)
{
	if (!s->tls_certificate != !s->tls_key) {
		config_error(c, s, s->tls_key ? "tls_key" : "tls_certificate", errors,
		    "tls_certificate and tls_key belong together, want both or none");
		return -1;
	}
	if (wanted && !s->tls_certificate) {
		config_error(c, s, "listen", errors, "https:// needs tls_certificate and tls_key");
		return -1;
	}
	if (!wanted && s->tls_certificate) {
		config_error(c, s, "tls_certificate", errors,
		    "no address in listen begins with https://, want one that does, or no certificate");
		return -1;
	}
	return 0;
}

int
origin_settings_check(struct config *c, struct text *errors)
{
	struct listen_address addresses[LISTEN_ADDRESSES];
	const struct origin_settings *s = origin_settings_of(c);
	char memory[256];
	struct text why;
	bool tls = false;
	int rc = settings_check(c, errors);

	if (!s)
		return -1;
	text_init_fixed(&why, memory, sizeof memory);
	int n = listen_parse(s->listen, addresses, &why);
	if (n < 0) {
		config_error(c, s, "listen", errors, "%s", why.data);
		rc = -1;
	}
	for (int i = 0; i < n; i++)
		tls |= addresses[i].tls;
	if (n >= 0 && check_tls(c, s, tls, errors))
		rc = -1;
	if (s->soft_connections > s->max_connections) {
		config_error(c, s, "soft_connections", errors, "is above max_connections, want it below");
		rc = -1;
	}
	if (check_station_names(c, errors))
		rc = -1;
	return rc;
}
