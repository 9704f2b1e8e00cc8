/* What an input had received and not passed on when its process ended, as bytes in the journal: the process that comes
 * after goes on from there.
 *
 *	"HCI2"                                (all integers big endian)
 *	u8 codec, u8 profile, u8[4] header, u32 rate, u8 channels, u8 flags (1 the profile is known, 2 the run has an id)
 *	u8[16] run id, u64 index of the first frame held
 *	i64 wall ns of the last arrival, u64 position, u64 released, i64[11] the stamper (stamp.h, in its order)
 *	then one record a held frame: u32 length, u32 samples, frame bytes
 *	u32 0, and to the end the bytes that are not framed yet */
#ifndef HINDCAST_CARRY_H
#define HINDCAST_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "media/format.h"
#include "segmenter/frame.h"
#include "segmenter/input/stamp.h"

#define CARRY_REST_MAX (64 * 1024) /* bytes that are not framed yet */

struct carry {
	struct audio_format format; /* CODEC_NONE: no run had begun, there are no frames */
	bool profile_known;
	bool told;                    /* frames of the run were passed on, as: */
	uint8_t run_id[RUN_ID_SIZE];
	uint64_t index;               /* of the first frame held */
	struct wall arrival;         /* when bytes came last */
	uint64_t position, released; /* samples framed in the run, and passed on */
	struct stamp stamp;
	const uint8_t *rest; /* borrowed from what was read */
	size_t rest_len;
};

/* The bytes of `c` and the frames held, added to `out`. */
void carry_write(struct text *out, const struct carry *c, struct frame_queue *held);
/* Read them back. Frames come from `pool` and are pushed to `held`, which is empty. 0; or -1, with `held` empty, when
 * they are not whole or make no sense. */
int carry_read(const uint8_t *data, size_t len, struct frame_pool *pool, struct carry *c, struct frame_queue *held);

#endif
