/* fails-without-a-reason.c: find fails and does not say why. SPDX-License-Identifier: MIT */
#include "../sound.h"

static int32_t find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task)
{
    (void)self, (void)query, (void)sink, (void)task;
    return TROLLEY_ERR_NETWORK;
}

SOUND_FINDER("fails-without-a-reason", find);
