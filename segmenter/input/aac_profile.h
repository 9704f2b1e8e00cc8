/* Which kind of AAC the frames of an ADTS stream are: plain, with SBR, or with SBR and parametric stereo.
 *
 * Nothing but decoding tells (ISO 14496-3 4.5.2.8: SBR is signalled implicitly, in fill elements), and a decoder is
 * much code for bytes from outside. So it runs in a process of its own, which may neither open files nor use more than
 * a little time and memory: whatever happens to it, the caller only learns that there is no answer. */
#ifndef HINDCAST_AAC_PROFILE_H
#define HINDCAST_AAC_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "media/format.h"

/* argv[0] by which a program's main() knows that it has been started as the decoding process. */
#define AAC_PROFILE_CHILD "hindcast-aac-profile"

/* Decode whole ADTS frames, in order and of one format, until SBR and PS have both been seen; two seconds of frames
 * show what there is. Frames with sampling rates above 24 kHz are AAC_LC and are not decoded: SBR would double the
 * rate. Blocks, for 3 s at most; safe in threads. It starts /proc/self/exe, whose main() must, before anything else,
 * return aac_profile_child_main() when argv[0] is AAC_PROFILE_CHILD. 0, or -1 with *out untouched: the decoder failed,
 * took too long, or could not be started; errno says nothing. */
int aac_profile_detect(const uint8_t *const frames[], const uint32_t lens[], size_t n, enum aac_profile *out);

/* The decoding process: frames on standard input, each behind its length in 4 bytes, the answer in one byte on standard
 * output. Returns the exit status. */
int aac_profile_child_main(void);

#endif
