/* changes-refusal.c: find returns a status of its own where the sink refused.
 * SPDX-License-Identifier: MIT */
#include "../sound.h"

static int32_t find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task)
{
    int32_t r = sound_find(self, query, sink, task);

    return r < 0 && r != TROLLEY_ERR_CANCELLED
               ? trolley_fail(task, TROLLEY_ERR_INTERNAL, "the sink refused")
               : r;
}

SOUND_FINDER("changes-refusal", find);
