/* The [relay] section. */
#include "relay/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"

#define ROW(key, type, fallback, ...)                                                                                  \
	{                                                                                                              \
#key, type, offsetof(struct relay_settings, key), fallback, __VA_ARGS__                                \
	}

static const struct config_option options[] = {
	ROW(udp, CONFIG_STRING, "0.0.0.0:9001",
	    .help = "addresses to take RTP on, as in 0.0.0.0:9001 [::]:9001; may be empty"),
	ROW(join, CONFIG_STRING, NULL,
	    .help =
		"multicast groups to take RTP of, as in 239.9.9.1:9001, 239.9.9.1%eth1:9001 or [ff15::1%eth1]:9001"),
	ROW(http, CONFIG_STRING, "0.0.0.0:8003",
	    .help = "address of PUT and GET /rtp, /metrics and /healthz; [::]:8003 takes IPv4 too"),
	ROW(from, CONFIG_STRING, NULL, .help = "other relays to take everything from, as in http://relay-b:8003"),
	ROW(history, CONFIG_DURATION, "60s", .least = NS_PER_S, .most = 3600 * NS_PER_S,
	    .help = "how long packets are kept"),
	ROW(memory, CONFIG_SIZE, "256M", .least = 1 << 20, .most = INT64_C(1) << 40,
	    .help = "bytes that they may take; whoever holds the most loses his oldest first"),
	ROW(allow, CONFIG_STRING, "loopback private",
	    .help = "networks that may send: loopback, private, any, or as in 192.0.2.0/24"),
	ROW(readers, CONFIG_STRING, "loopback private", .help = "networks that may read"),
	ROW(max_senders, CONFIG_INT, "256", .least = 1, .most = 65536, .help = "addresses that send at a time"),
	ROW(max_sources, CONFIG_INT, "4096", .least = 1, .most = 1000000, .help = "streams (SSRC) of all senders"),
	ROW(max_sources_per_sender, CONFIG_INT, "2048", .least = 1, .most = 1000000, .help = "streams of one sender"),
	ROW(max_rate, CONFIG_INT, "50000", .least = 1, .most = 10000000,
	    .help = "packets per second of one sender; those above it are dropped"),
	ROW(max_readers, CONFIG_INT, "64", .least = 1, .most = 10000,
	    .help = "readers at a time; more are answered 503"),
	ROW(reader_queue, CONFIG_SIZE, "8M", .least = 65536, .most = INT64_C(1) << 32,
	    .help = "a reader that was live and falls so many bytes behind is dropped"),
};

#undef ROW

const struct config_kind relay_kinds[] = {
	{ "relay", 0, options, sizeof options / sizeof *options, sizeof(struct relay_settings) },
	{ .name = "store" },
	{ .name = "station", .subjects = 1 },
	{ .name = "rendition", .subjects = 1 },
	{ .name = "input", .subjects = 2 },
	{ .name = "output", .subjects = 2 },
	{ .name = "icecast-listener" },
	{ .name = "publish" },
	{ .name = "subscribe" },
	{ .name = "segmenter" },
	{ .name = "control" },
	{ .name = "origin" },
};
const unsigned relay_kind_count = sizeof relay_kinds / sizeof *relay_kinds;

const struct relay_settings *
relay_settings_of(struct config *c)
{
	const struct relay_settings *s = config_next(c, "relay", NULL);

	return s ? s : config_add_default(c, &relay_kinds[0]);
}

/* ---- lists */

/* The next item of a list of at most RELAY_ADDRESSES; 0 at the end. */
static size_t
next_item(const char **s)
{
	static const char separators[] = " \t,";

	if (!*s)
		return 0;
	*s += strspn(*s, separators);
	return strcspn(*s, separators);
}

static bool
has_room(const struct config *c, const struct relay_settings *s, const char *key, unsigned count, struct text *errors)
{
	if (count < RELAY_ADDRESSES)
		return true;
	config_error(c, s, key, errors, "more than %d", RELAY_ADDRESSES);
	return false;
}

static int
plan_udp(const struct config *c, const struct relay_settings *s, struct relay_plan *plan, struct text *errors)
{
	char copy[ADDRESS_TEXT_SIZE];
	const char *at = s->udp;

	for (size_t len; (len = next_item(&at)) > 0; at += len) {
		if (!has_room(c, s, "udp", plan->udp_count, errors))
			return -1;
		bool fits = len < sizeof copy;
		memcpy(copy, at, fits ? len : 0);
		copy[fits ? len : 0] = '\0';
		if (address_parse(copy, &plan->udp[plan->udp_count]) < 0) {
			config_error(c, s, "udp", errors, "\"%.*s\" is no address; want 0.0.0.0:9001 or [::]:9001",
			    (int)len, at);
			return -1;
		}
		plan->udp_count++;
	}
	return 0;
}

static int
plan_groups(const struct config *c, const struct relay_settings *s, struct relay_plan *plan, struct text *errors)
{
	const char *at = s->join;

	for (size_t len; (len = next_item(&at)) > 0; at += len) {
		if (!has_room(c, s, "join", plan->group_count, errors))
			return -1;
		if (group_parse(at, len, &plan->groups[plan->group_count])) {
			config_error(c, s, "join", errors,
			    "\"%.*s\" is no multicast group; want 239.9.9.1:9001, 239.9.9.1%%eth1:9001 or "
			    "[ff15::1%%eth1]:9001",
			    (int)len, at);
			return -1;
		}
		plan->group_count++;
	}
	return 0;
}

static int
plan_from(const struct config *c, const struct relay_settings *s, struct relay_plan *plan, struct text *errors)
{
	const char *at = s->from;
	size_t size = s->from ? strlen(s->from) + 1 : 1;

	plan->memory = malloc(size);
	if (!plan->memory)
		return -1;
	char *to = plan->memory;
	for (size_t len; (len = next_item(&at)) > 0; at += len) {
		if (!has_room(c, s, "from", plan->from_count, errors))
			return -1;
		if (strncmp(at, "http://", 7) && strncmp(at, "https://", 8)) {
			config_error(
			    c, s, "from", errors, "\"%.*s\" is no relay; want http://relay-b:8003", (int)len, at);
			return -1;
		}
		memcpy(to, at, len);
		to[len] = '\0';
		plan->from[plan->from_count++] = to;
		to += len + 1;
	}
	return 0;
}

static int
plan_networks(const struct config *c, const struct relay_settings *s, const char *key, const char *list,
    struct network_list *out, struct text *errors)
{
	char memory[160];
	struct text why;

	text_init_fixed(&why, memory, sizeof memory);
	if (!network_parse(list, out, &why))
		return 0;
	config_error(c, s, key, errors, "%s", why.data ? why.data : "not readable");
	return -1;
}

static int
plan_http(const struct config *c, const struct relay_settings *s, struct relay_plan *plan, struct text *errors)
{
	if (!address_parse(s->http, &plan->http))
		return 0;
	config_error(c, s, "http", errors, "\"%s\" is no address; want 0.0.0.0:8003 or [::]:8003", s->http);
	return -1;
}

static int
check_limits(const struct config *c, const struct relay_settings *s, struct text *errors)
{
	if (s->max_sources_per_sender <= s->max_sources)
		return 0;
	config_error(c, s, "max_sources_per_sender", errors, "is above max_sources, want no more than that");
	return -1;
}

int
relay_settings_plan(struct config *c, struct relay_plan *plan, struct text *errors)
{
	const struct relay_settings *s = relay_settings_of(c);

	*plan = (struct relay_plan){ 0 };
	if (!s) {
		text_str(errors, "out of memory\n");
		return -1;
	}
	plan->options = (struct relay_options){
		.limits = { .senders = (unsigned)s->max_senders,
		    .sources = (unsigned)s->max_sources,
		    .sources_per_sender = (unsigned)s->max_sources_per_sender,
		    .rate = s->max_rate },
		.history_ns = s->history,
		.memory = (size_t)s->memory,
	};
	plan->max_readers = (unsigned)s->max_readers;
	plan->reader_queue = (uint64_t)s->reader_queue;
	int rc = plan_udp(c, s, plan, errors) | plan_groups(c, s, plan, errors) | plan_from(c, s, plan, errors) |
		 plan_http(c, s, plan, errors) | check_limits(c, s, errors) |
		 plan_networks(c, s, "allow", s->allow, &plan->options.allow, errors) |
		 plan_networks(c, s, "readers", s->readers, &plan->readers, errors);
	if (rc)
		relay_plan_fini(plan);
	return rc ? -1 : 0;
}

void
relay_plan_fini(struct relay_plan *plan)
{
	free(plan->memory);
	plan->memory = NULL;
}
