/* The sections of the INI file that say where frames go and come from: [publish], [subscribe]. */
#ifndef HINDCAST_EXCHANGE_H
#define HINDCAST_EXCHANGE_H

#include "base/config.h"

#define EXCHANGE_ENDPOINTS 8 /* of each of the two */

struct publish_settings {
	struct config_section section;
	char *to;       /* list of endpoint.h */
	char *key_file; /* SRTP; NULL: in the clear */
	char *ca_file, *interface, *sdp_folder;
	int64_t ttl;
};

struct subscribe_settings {
	struct config_section section;
	char *from;
	char *key_file, *ca_file, *interface;
	int64_t history; /* ns */
};

#define EXCHANGE_KINDS 2
extern const struct config_kind exchange_kinds[EXCHANGE_KINDS];

/* Addresses can be read, interfaces are there; files are read at the start. 0, or -1 with lines in `errors`. */
int exchange_check(const struct config *c, struct text *errors);

/* Read the key of a section ("publish", "subscribe"). 0, or -1 with a line in `errors`. */
struct srtp_secret;
int exchange_key(const char *section, const char *key_file, struct srtp_secret *out, struct text *errors);

#endif
