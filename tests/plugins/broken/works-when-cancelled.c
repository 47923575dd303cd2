/* works-when-cancelled.c: find takes its time though it was cancelled. SPDX-License-Identifier: MIT
 */
#include <time.h>

#include "../sound.h"

static int32_t find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const struct timespec pause = {1, 0};

    if (task->cancelled(task)) (void)nanosleep(&pause, NULL);
    return sound_find(self, query, sink, task);
}

SOUND_FINDER("works-when-cancelled", find);
