/* The sections of the INI file that the segmenter alone reads: [input STATION/RENDITION NAME], [icecast-listener],
 * [segmenter], [control]. */
#ifndef HINDCAST_SEGMENTER_SETTINGS_H
#define HINDCAST_SEGMENTER_SETTINGS_H

#include "base/config.h"

enum input_type {
	INPUT_ICECAST_SOURCE,
	INPUT_ICECAST_PULL,
	INPUT_FILE,
	INPUT_PIPE,
	INPUT_COMMAND,
	INPUT_STDIN,
	INPUT_RTP,
	INPUT_RELAY, /* comes through [subscribe]; the section gives its priority */
};

#define SETTINGS_INPUTS 16 /* of one rendition */

enum input_pace { PACE_REAL, PACE_NONE };

struct input_settings {
	struct config_section section; /* subject "fip/hifi", "main" */
	int type;                      /* enum input_type */
	int64_t priority;
	char *mount, *user, *password, *password_file, *password_env; /* icecast-source */
	char *url, *ca_file;                                          /* icecast-pull; user and password as above */
	char *path;                                                   /* file, pipe */
	char *command;                                                /* command: run by /bin/sh -c */
	char *sdp, *interface;                                        /* rtp */
	bool loop;                                                    /* file */
	char *start; /* file, pipe, command, stdin: "2026-11-21T09:00:00Z", "-2h", "now": when the first frame was on
			air */
	int pace;    /* enum input_pace: of inputs with `start`, and of file */
	int64_t timeout; /* ns without a whole frame after which the source counts as dead */
};

struct listener_settings {
	struct config_section section;
	char *listen; /* "0.0.0.0:8001"; Shoutcast v1 sources on the port after it */
	bool shoutcast;
	int64_t max_connections, head_timeout;
};

struct segmenter_settings {
	struct config_section section;
	int64_t memory; /* bytes that frames may take in all */
	char *metrics;  /* "127.0.0.1:8004": /metrics and /healthz of the segmenter; empty: none */
};

struct control_settings {
	struct config_section section;
	char *listen;     /* "127.0.0.1:8005" */
	char *token_file; /* its first line is the bearer token */
};

extern const struct config_kind segmenter_kinds[];
extern const unsigned segmenter_kind_count;

/* Cross-checks: every input names a rendition that exists, its name once and at most 16 in a rendition, needed keys of
 * its type given and no others, mounts unique, a listener where there are icecast-source inputs. 0, or -1 with lines in
 * `errors`. */
int segmenter_settings_check(const struct config *c, struct text *errors);

#endif
