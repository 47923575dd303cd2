/* ignores-sink.c: find goes on when the sink has had enough. SPDX-License-Identifier: MIT */
#include "../sound.h"

static int32_t find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task)
{
    unsigned n;

    (void)self, (void)task;
    for (n = 0; n < 3; n++)
        (void)sound_record(query, sink, n);
    return 0;
}

SOUND_FINDER("ignores-sink", find);
