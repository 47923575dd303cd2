/* never-ends.c: fetch forgets to end an item. SPDX-License-Identifier: MIT */
#include "../sound.h"

static int32_t fetch(void *self, const struct trolley_span *refs,
                     const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    const struct trolley_ref *ref = trolley_span_at(refs, 0);
    const struct trolley_meta meta = {.size = sizeof meta, .study = ref->study};
    void *item;
    int32_t r;

    (void)self, (void)task;
    r = sink->begin(sink->ctx, &meta, &item);
    if (r == 0) r = sink->write(item, "DICM", 4);
    return r == TROLLEY_ERR_CANCELLED ? r : 0;
}

SOUND_FETCHER("never-ends", fetch);
