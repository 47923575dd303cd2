/*
 * failure_tap.h: a task that keeps a failure instead of reporting it, for plugins that must decide
 * first whose failure it is: one reference's, an attempt's that another follows, or the
 * operation's. SPDX-License-Identifier: MIT
 */
#ifndef KIT_FAILURE_TAP_H
#define KIT_FAILURE_TAP_H

#include "trolley/host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All else goes on to the task behind it. For one thread; not to be copied. */
struct kit_failure_tap {
    struct trolley_task task; /* pass its address to what may fail */
    struct trolley_task *outer;
    struct trolley_failure failure; /* the last one; status 0 when there was none */
    char message[1024];             /* what failure.message points to */
};

/* @param outer  borrowed for the tap's life */
void kit_failure_tap_init(struct kit_failure_tap *tap, struct trolley_task *outer);

/* The failure, made from `status` alone when nothing was said. Borrowed from the tap. */
const struct trolley_failure *kit_failure_tap_get(struct kit_failure_tap *tap, int32_t status);

/* Reports the failure to the outer task after all. Returns status. */
int32_t kit_failure_tap_pass(struct kit_failure_tap *tap, int32_t status);

#ifdef __cplusplus
}
#endif
#endif
