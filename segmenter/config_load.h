/* The whole configuration as the segmenter reads it. */
#ifndef HINDCAST_CONFIG_LOAD_H
#define HINDCAST_CONFIG_LOAD_H

#include "base/config.h"

/* Read the file with the shared sections and the segmenter's own, and cross-check. 0 with *out owned by the caller
 * (config_free), or -1 with lines in `errors`. */
int segmenter_config_load(const char *path, struct config *out, struct text *errors);

#endif
