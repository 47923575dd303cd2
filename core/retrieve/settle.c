/* SPDX-License-Identifier: MIT */
#include "core/retrieve/settle.h"

#include <stdio.h>

/* Can a request of its own bring what a wider one failed to? */
static bool settle_may_go_singly(int32_t status)
{
    switch (status) {
    case TROLLEY_ERR_AUTH:
    case TROLLEY_ERR_TOO_LARGE:
    case TROLLEY_ERR_IO:
    case TROLLEY_ERR_NO_SPACE:
    case TROLLEY_ERR_NOMEM:
    case TROLLEY_ERR_INTERNAL:
        return false;
    default:
        return true;
    }
}

/* A wider request that failed for good says nothing about a request for this one; and where it
 * fails again and again, the last try is one for this one alone. A study or series as such can only
 * be asked for as a whole again, once, for what came broken without a name. */
static void settle_failed(struct study *study, struct entry *entry, const struct chunk *chunk,
                          const struct ask *ask)
{
    if (entry->attempts < UINT8_MAX) entry->attempts++;
    if (entry->flags & ENTRY_SINGLY) return;
    if (entry->level != TROLLEY_LEVEL_INSTANCE) {
        if (entry->flags & ENTRY_BROKEN)
            entry->flags = (uint8_t)((entry->flags & ~ENTRY_PERMANENT) | ENTRY_SINGLY);
        return;
    }
    if (chunk->level == TROLLEY_LEVEL_INSTANCE ||
        !(ask->levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE)))
        return;
    if (entry->flags & ENTRY_PERMANENT) {
        if (!settle_may_go_singly(study_failure_status(study, entry))) return;
        entry->flags = (uint8_t)((entry->flags & ~ENTRY_PERMANENT) | ENTRY_SINGLY);
        if (entry->attempts > ask->max_retries) entry->attempts = (uint8_t)ask->max_retries;
    } else if (entry->attempts >= ask->max_retries) {
        entry->flags |= ENTRY_SINGLY;
    }
}

/* A study or series as such: done when something came, or is known to have failed, and all of it
 * where that was counted. */
static void settle_wide(struct study *study, struct entry *entry, bool came)
{
    const uint32_t related =
        entry->series == ENTRY_NONE ? study->related : study->series[entry->series].related;
    const uint32_t there = study_delivered(study, entry->series);
    struct task_failure failure = {.status = TROLLEY_ERR_TRUNCATED,
                                   .flags = TROLLEY_FAILURE_TRANSIENT};

    if (!came) {
        entry->flags |= ENTRY_PERMANENT;
    } else if (there >= related) {
        entry->state = ENTRY_DONE;
    } else {
        (void)snprintf(failure.message, sizeof failure.message,
                       "%u of its instances came, and the server counts %u", there, related);
        study_fail(study, entry, &failure);
        if (entry->attempts < UINT8_MAX) entry->attempts++;
    }
}

/* A silent entry: a wide request is asked for singly, a single one has been answered with nothing.
 */
static void settle_silent(struct study *study, struct entry *entry, const struct chunk *chunk,
                          bool came)
{
    if (entry->level != TROLLEY_LEVEL_INSTANCE) {
        settle_wide(study, entry, came);
    } else if (chunk->level != TROLLEY_LEVEL_INSTANCE && !(entry->flags & ENTRY_SINGLY)) {
        entry->flags |= ENTRY_SINGLY;
    } else {
        entry->flags |= ENTRY_PERMANENT;
    }
}

void settle_chunk(const struct chunk *chunk, const struct ask *ask,
                  const struct task_failure *failure)
{
    struct study *study = chunk->study;
    const bool cancelled = failure && failure->status == TROLLEY_ERR_CANCELLED;
    uint64_t cursor = 0;
    bool came = false;
    uint32_t i;

    while ((i = chunk_entry(chunk, &cursor)) != ENTRY_NONE)
        if (study->entries[i].level == TROLLEY_LEVEL_INSTANCE &&
            (study->entries[i].state == ENTRY_DONE || (study->entries[i].flags & ENTRY_FAILED_NOW)))
            came = true;
    for (cursor = 0; (i = chunk_entry(chunk, &cursor)) != ENTRY_NONE;) {
        struct entry *entry = &study->entries[i];

        if (entry->state == ENTRY_PENDING && !(entry->flags & ENTRY_HOPELESS) && !cancelled) {
            const bool told = (entry->flags & ENTRY_FAILED_NOW) != 0;

            if (!told && failure) study_fail(study, entry, failure);
            if (!told && !failure)
                settle_silent(study, entry, chunk, came);
            else
                settle_failed(study, entry, chunk, ask);
        }
        entry->flags &= (uint8_t)~ENTRY_FAILED_NOW;
    }
}
