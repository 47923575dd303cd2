/* SPDX-License-Identifier: MIT */
#include "core/retrieve/counts.h"

#include <stdio.h>

#include "core/retrieve/naming.h"

/* The searcher does not name them. What came is kept, and nobody can say that it is all. */
static void counts_give_up(struct study *study, uint32_t series, int status, const char *message)
{
    struct task_failure failure = {.status = status, .flags = TROLLEY_FAILURE_PERMANENT};
    uint32_t i;

    (void)snprintf(failure.message, sizeof failure.message, "%.*s", (int)sizeof failure.message - 1,
                   message);
    study->doubtful = true;
    for (i = 0; i < study->entry_count; i++) {
        struct entry *entry = &study->entries[i];

        if (!entry_is_counted(entry) || (series != ENTRY_NONE && entry->series != series)) continue;
        study_fail(study, entry, &failure);
        entry->flags = (uint8_t)((entry->flags & ~ENTRY_COUNTED) | ENTRY_HOPELESS);
    }
}

/* Names the instances of a series, or of the study (ENTRY_NONE). Lock held, open meanwhile. */
static void counts_name(struct run *run, struct study *study, uint32_t series)
{
    struct naming to = {.study = study, .in_hand = &run->lock};
    struct trolley_error error = {0};
    struct trolley_ref ref;
    int r;

    if (series == ENTRY_NONE)
        study_study_ref(study, &ref);
    else
        study_series_ref(study, series, &ref);
    pthread_mutex_unlock(&run->lock);
    r = naming_instances(run->expander, &ref, &to, &error);
    pthread_mutex_lock(&run->lock);
    if (r == 0)
        study_named(study, series);
    else if (!atomic_load(run->cancel))
        counts_give_up(study, series, r, error.message);
    report_expect(run->report, study_expect(study));
}

/*
 * Must the instances be known by name now? Not where all are there; nor where nothing came for a
 * reason that may pass, since the same request will be made again. An answer that was cut off makes
 * a count doubtful that happens to be met.
 */
static bool counts_are_unmet(const struct study *study, const struct entry *entry,
                             const struct ask *ask, const struct task_failure *failure)
{
    const uint32_t there = study_delivered(study, entry->series);
    const bool told = (entry->flags & ENTRY_FAILED_NOW) != 0;
    const bool passing = told ? (entry->flags & ENTRY_TRANSIENT) != 0
                              : failure && (failure->flags & TROLLEY_FAILURE_TRANSIENT);

    if (!told && !failure) return there != study->series[entry->series].related;
    return there || !passing || entry->attempts + 1u >= ask->max_retries;
}

void counts_check(struct run *run, const struct chunk *chunk, const struct ask *ask,
                  const struct task_failure *failure)
{
    struct study *study = chunk->study;
    uint64_t cursor = 0;
    uint32_t i;

    while (study->naming)
        pthread_cond_wait(&run->changed, &run->lock);
    if (failure && failure->status == TROLLEY_ERR_CANCELLED) return;
    while (!atomic_load(run->cancel) && (i = chunk_entry(chunk, &cursor)) != ENTRY_NONE)
        if (entry_is_counted(&study->entries[i]) &&
            counts_are_unmet(study, &study->entries[i], ask, failure))
            counts_name(run, study, study->entries[i].series);
}

/* Each series that is still only counted. */
static void counts_name_each(struct run *run, struct study *study)
{
    uint32_t i;

    for (i = 0; i < study->entry_count && !atomic_load(run->cancel); i++)
        if (entry_is_counted(&study->entries[i])) counts_name(run, study, study->entries[i].series);
}

void counts_name_for(struct run *run, struct study *study, const struct ask *ask)
{
    if (!ask_is_wide(ask)) counts_name_each(run, study);
}

void counts_name_all(struct run *run, struct study *study)
{
    pthread_mutex_lock(&run->lock);
    if (study->whole) counts_name(run, study, ENTRY_NONE);
    counts_name_each(run, study);
    run_named(run, study);
    pthread_mutex_unlock(&run->lock);
}
