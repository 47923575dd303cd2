/* goes-on-when-cancelled.c: fetch begins the next item when the sink said CANCELLED.
 * SPDX-License-Identifier: MIT */
#include "../sound.h"

static int32_t fetch(void *self, const struct trolley_span *refs,
                     const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    const struct trolley_ref *ref = trolley_span_at(refs, 0);

    (void)self, (void)task;
    if (sound_item(ref, sink) == TROLLEY_ERR_CANCELLED) (void)sound_item(ref, sink);
    return TROLLEY_ERR_CANCELLED;
}

SOUND_FETCHER("goes-on-when-cancelled", fetch);
