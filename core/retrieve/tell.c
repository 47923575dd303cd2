/* SPDX-License-Identifier: MIT */
#include "core/retrieve/tell.h"

#include <stdio.h>
#include <string.h>

#include "core/retrieve/claim.h"

/* Does `ref` mean this entry? A study or series means all below it. */
static bool ref_covers(const struct study *study, const struct trolley_ref *ref,
                       const struct entry *entry)
{
    if (ref->level >= TROLLEY_LEVEL_SERIES && ref->series &&
        (entry->series == ENTRY_NONE || strcmp(study->series[entry->series].uid, ref->series) != 0))
        return false;
    return ref->level < TROLLEY_LEVEL_INSTANCE ||
           (entry->uid && ref->instance && strcmp(entry->uid, ref->instance) == 0);
}

void tell_nameless(struct fetch *fetch, const struct task_failure *failure, uint8_t flags)
{
    struct study *study = fetch->study;
    uint64_t cursor = 0;
    uint32_t i;

    while ((i = chunk_entry(fetch->chunk, &cursor)) != ENTRY_NONE) {
        struct entry *entry = &study->entries[i];

        if (entry->level != TROLLEY_LEVEL_INSTANCE && entry->state == ENTRY_PENDING)
            study_fail_now(study, entry, failure, flags);
    }
}

int32_t tell_failed(void *ctx, const struct trolley_ref *ref, const struct trolley_failure *theirs)
{
    struct fetch *fetch = ctx;
    struct study *study = fetch->study;
    struct task_failure failure;
    uint64_t cursor = 0;
    uint32_t i;

    task_failure_read(&failure, theirs);
    task_failure_name(&failure, fetch->title);
    pthread_mutex_lock(fetch->run_lock);
    if (failure.flags & TROLLEY_FAILURE_STOP_ALL) fetch->stop_all = failure;
    if (ref->level == TROLLEY_LEVEL_INSTANCE) {
        i = claim_failed(fetch, ref);
        if (i == ENTRY_NONE)
            tell_nameless(fetch, &failure, 0);
        else if (study->entries[i].state == ENTRY_PENDING)
            study_fail_now(study, &study->entries[i], &failure, 0);
    } else {
        while ((i = chunk_entry(fetch->chunk, &cursor)) != ENTRY_NONE) {
            struct entry *entry = &study->entries[i];

            if (entry->state == ENTRY_PENDING && ref_covers(study, ref, entry))
                study_fail_now(study, entry, &failure, 0);
        }
    }
    pthread_mutex_unlock(fetch->run_lock);
    return atomic_load(fetch->cancel) ? TROLLEY_ERR_CANCELLED : 0;
}

/* Where nobody named instances, the server's own count says when all of them are there. */
int32_t tell_expect(void *ctx, const struct trolley_ref *ref, uint64_t instances)
{
    struct fetch *fetch = ctx;
    struct trolley_remark remark = {TROLLEY_LOG_INFO, 0, fetch->title, ref, NULL};
    char text[80];

    if (instances > 0 && instances < INT32_MAX) {
        pthread_mutex_lock(fetch->run_lock);
        study_count(fetch->study, ref, (uint32_t)instances);
        report_expect(fetch->report, study_expect(fetch->study));
        pthread_mutex_unlock(fetch->run_lock);
    }
    (void)snprintf(text, sizeof text, "the server announces %llu instances",
                   (unsigned long long)instances);
    remark.message = text;
    report_remark(fetch->report, &remark);
    return 0;
}

void tell_lost(struct study *study, pthread_mutex_t *run_lock,
               const struct trolley_outcome *outcome, const struct task_failure *failure)
{
    uint32_t index;

    pthread_mutex_lock(run_lock);
    index = study_lookup(study, outcome->instance);
    if (index != ENTRY_NONE) {
        struct entry *entry = &study->entries[index];

        entry->state = ENTRY_PENDING;
        entry->flags |= ENTRY_BROKEN;
        if (entry->attempts < UINT8_MAX) entry->attempts++;
        study_fail(study, entry, failure);
    }
    pthread_mutex_unlock(run_lock);
}
