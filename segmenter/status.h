/* What comes in and what is on air, as JSON, for people and their tools:
 *
 *	{"stations": [{"name": "fip", "renditions": [{"name": "hifi",
 *	  "on_air": {"input": "main", "why": "begin", "slot": "next", "format": "…", "until": "2026-…Z"},
 *	  "chosen": null, "patience_ms": 1500, "waited_ms": 12, "fill_frames": 0, "late_frames": 0,
 *	  "inputs": [{"name": "main", "priority": 1, "up": true, "frames": 1, "copies": 0, "last": "2026-…Z"}],
 *	  "runs": [{"id": "…", "input": "main", "format": "…", "first": "…", "last": "…", "offset_ms": 0, "frames": 1,
 *	            "copies": 0, "late": 0, "lost": 0, "paths": [1, 0, …], "line": 0}],
 *	  "lines": [{"line": 0, "on_air": true, "runs": ["…"], "held": 3}]}]}]}
 *
 * "input" is null while nothing real is on air, "up" for what comes through a subscription. "why": merge_reason_text of
 *the slot since which the line is on air, "slot": of the last one. Times of runs are their own stamps. */
#ifndef HINDCAST_STATUS_H
#define HINDCAST_STATUS_H

#include "base/text.h"
#include "segmenter/station.h"

void status_write(const struct station *stations, unsigned count, struct text *out);

#endif
