/* indexes-by-sizeof.c: walks the keys of a query as if their structs could not grow.
 * SPDX-License-Identifier: MIT */
#include "../sound.h"

static int32_t find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const struct trolley_query_key *keys = query->keys.items;
    uint32_t i;

    for (i = 0; i < query->keys.count; i++)
        if (strcmp(keys[i].name, "Nothing") == 0)
            return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM, "Nothing");
    return sound_find(self, query, sink, task);
}

SOUND_FINDER("indexes-by-sizeof", find);
