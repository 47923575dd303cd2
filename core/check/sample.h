/* sample.h: one small instance, made up. SPDX-License-Identifier: MIT */
#ifndef CORE_CHECK_SAMPLE_H
#define CORE_CHECK_SAMPLE_H

#include <stdint.h>

#include "kit/buffer.h"

#define SAMPLE_STUDY "1.2.826.0.1.3680043.8.498.1"
#define SAMPLE_SERIES "1.2.826.0.1.3680043.8.498.1.2"
#define SAMPLE_INSTANCE "1.2.826.0.1.3680043.8.498.1.2.3"
#define SAMPLE_CLASS "1.2.840.10008.5.1.4.1.1.7" /* Secondary Capture Image Storage */
#define SAMPLE_SYNTAX "1.2.840.10008.1.2.1"      /* Explicit VR Little Endian */

/* Its PS3.10 file, with `comments` as its Image Comments. */
int sample_part10(struct kit_buffer *out, const char *comments);

/* The value of an attribute of it; a made-up one for those it does not have. Static text. */
const char *sample_value(uint32_t tag);

#endif
