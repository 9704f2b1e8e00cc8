/* [publish] and [subscribe]: declared once, and checked. */
#include "relay/exchange.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"
#include "relay/endpoint.h"
#include "relay/srtp.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define PUBLISH(field) offsetof(struct publish_settings, field)
#define SUBSCRIBE(field) offsetof(struct subscribe_settings, field)

static const char key_help[] =
    "file with the deployment's key: frames are protected by SRTP; one line of base64 or hex "
    "for 30 to 64 bytes";
static const char ca_help[] = "https: certificates to trust (PEM) in place of the system's";

static const struct config_option publish_options[] = {
	{ "to", CONFIG_STRING, PUBLISH(to), .required = true,
	    .help = "where frames go, separated by spaces: udp://HOST:PORT, also multicast, http://HOST:PORT, "
		    "https://HOST:PORT" },
	{ "key_file", CONFIG_STRING, PUBLISH(key_file), .help = key_help },
	{ "ca_file", CONFIG_STRING, PUBLISH(ca_file), .help = ca_help },
	{ "interface", CONFIG_STRING, PUBLISH(interface),
	    .help = "network interface that multicast leaves by; the system's routes say it when not given" },
	{ "ttl", CONFIG_INT, PUBLISH(ttl), .fallback = "1", .least = 1, .most = 255,
	    .help = "multicast: how many routers it may pass, less one" },
	{ "sdp_folder", CONFIG_STRING, PUBLISH(sdp_folder),
	    .help = "folder in which an SDP file of each input is kept, for other receivers of RTP" },
};

static const struct config_option subscribe_options[] = {
	{ "from", CONFIG_STRING, SUBSCRIBE(from), .required = true,
	    .help = "where frames come from, separated by spaces: relays as http://HOST:PORT or https://HOST:PORT, own "
		    "addresses and multicast groups to listen on as udp://ADDRESS:PORT" },
	{ "key_file", CONFIG_STRING, SUBSCRIBE(key_file), .help = key_help },
	{ "ca_file", CONFIG_STRING, SUBSCRIBE(ca_file), .help = ca_help },
	{ "history", CONFIG_DURATION, SUBSCRIBE(history), .fallback = "60s", .least = 0, .most = 3600 * NS_PER_S,
	    .help =
		"how long an absence of this process the relays make good: their own `history`; what was missed in a "
		"longer one becomes a gap" },
	{ "interface", CONFIG_STRING, SUBSCRIBE(interface), .help = "network interface to join multicast groups on" },
};

const struct config_kind exchange_kinds[EXCHANGE_KINDS] = {
	{ "publish", 0, publish_options, ROWS(publish_options), sizeof(struct publish_settings) },
	{ "subscribe", 0, subscribe_options, ROWS(subscribe_options), sizeof(struct subscribe_settings) },
};

/* Who listens needs a number: names are those of others. */
static bool
is_own_address(const struct endpoint *e)
{
	struct sockaddr_storage address;
	char text[ENDPOINT_HOST_MAX + 16];

	snprintf(text, sizeof(text), strchr(e->host, ':') ? "[%s]:%u" : "%s:%u", e->host, e->port);
	return address_parse(text, &address) == 0;
}

static void
check_list(
    const struct config *c, const void *s, const char *key, const char *list, bool listening, struct text *errors)
{
	struct endpoint e;
	unsigned n = 0;
	int found;

	while ((found = endpoint_next(&list, &e)) != 0) {
		if (found < 0) {
			config_error(c, s, key, errors,
			    "\"%s\": want udp://HOST:PORT, http://HOST:PORT or https://HOST:PORT", e.url);
			return;
		}
		if (listening && e.kind == ENDPOINT_UDP && !is_own_address(&e))
			config_error(c, s, key, errors,
			    "\"%s\": want an address of this host, such as udp://0.0.0.0:9001, or a multicast group",
			    e.url);
		n++;
	}
	if (n == 0 || n > EXCHANGE_ENDPOINTS)
		config_error(c, s, key, errors, "want 1 to %d addresses", EXCHANGE_ENDPOINTS);
}

static void
check_interface(const struct config *c, const void *s, const char *interface, struct text *errors)
{
	if (interface && if_nametoindex(interface) == 0)
		config_error(c, s, "interface", errors, "there is no network interface \"%s\"", interface);
}

int
exchange_check(const struct config *c, struct text *errors)
{
	const struct publish_settings *p = config_next(c, "publish", NULL);
	const struct subscribe_settings *s = config_next(c, "subscribe", NULL);
	size_t before = errors->len;
	bool was_full = errors->full;

	if (p) {
		check_list(c, p, "to", p->to, false, errors);
		check_interface(c, p, p->interface, errors);
	}
	if (s) {
		check_list(c, s, "from", s->from, true, errors);
		check_interface(c, s, s->interface, errors);
	}
	return errors->len == before && errors->full == was_full ? 0 : -1;
}

int
exchange_key(const char *section, const char *key_file, struct srtp_secret *out, struct text *errors)
{
	struct text why;

	text_init(&why, 1024);
	int err = srtp_secret_load(key_file, out, &why);
	if (err < 0)
		text_fmt(errors, "[%s] key_file = %s\n", section, why.data ? why.data : key_file);
	text_fini(&why);
	return err;
}
