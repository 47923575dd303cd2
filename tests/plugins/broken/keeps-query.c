/* keeps-query.c: the text of a query is read when the next one comes. SPDX-License-Identifier: MIT
 */
#include "../sound.h"

static int32_t find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task)
{
    struct sound *sound = self;

    if (sound->kept && strlen(sound->kept) > 1000)
        return trolley_fail(task, TROLLEY_ERR_INTERNAL, "a long type");
    sound->kept = query->type;
    return sound_find(self, query, sink, task);
}

SOUND_FINDER("keeps-query", find);
