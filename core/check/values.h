/* values.h: legal values for options: made-up, extreme, random. SPDX-License-Identifier: MIT */
#ifndef CORE_CHECK_VALUES_H
#define CORE_CHECK_VALUES_H

#include <trolley/option.h>

#include "kit/buffer.h"

/* What values may speak of. */
struct values_place {
    const char *data;  /* a folder with one DICOM file */
    const char *store; /* an empty folder */
    uint16_t port;     /* of 127.0.0.1 */
};

/* The section that COMPONENT options name. */
#define VALUES_PEER "peer"

/* A plain value, as a required key wants one. All append to *out and return 0 or a negative status.
 */
int values_plain(const struct trolley_option *option, const struct values_place *place,
                 struct kit_buffer *out);

/* Extreme i of the option; NOT_FOUND past the last. */
int values_extreme(const struct trolley_option *option, const struct values_place *place,
                   uint32_t i, struct kit_buffer *out);

/* A random one; *seed moves on. */
int values_random(const struct trolley_option *option, const struct values_place *place,
                  uint64_t *seed, struct kit_buffer *out);

/* The next number of a sequence (splitmix64). */
uint64_t values_next(uint64_t *seed);

#endif
