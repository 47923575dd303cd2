/* ends-twice.c: fetch ends an item a second time when it was refused. SPDX-License-Identifier: MIT
 */
#include "../sound.h"

static int32_t fetch(void *self, const struct trolley_span *refs,
                     const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    const struct trolley_ref *ref = trolley_span_at(refs, 0);
    const struct trolley_meta meta = {.size = sizeof meta, .study = ref->study};
    const struct trolley_failure failure = {
        .size = sizeof failure, .status = TROLLEY_ERR_IO, .message = "refused"};
    void *item;
    int32_t r;

    (void)self, (void)task;
    r = sink->begin(sink->ctx, &meta, &item);
    if (r < 0) return r;
    r = sink->write(item, "DICM", 4);
    if (r < 0) (void)sink->end(item, &failure);
    (void)sink->end(item, r < 0 ? &failure : NULL);
    return r == TROLLEY_ERR_CANCELLED ? r : 0;
}

SOUND_FETCHER("ends-twice", fetch);
