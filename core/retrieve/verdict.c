/*
 * verdict.c: what is said of a study when nothing more can be done for it.
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "core/retrieve/run.h"

void run_blame(struct run *run, struct study *study)
{
    const struct task_failure *why = NULL;
    struct task_failure dead;
    uint32_t i;

    for (i = 0; i < run->downloader_count; i++)
        if (run->downloaders[i].dead.status) why = &run->downloaders[i].dead;
    if (store_is_dead(run->store, &dead)) why = &dead;
    for (i = 0; why && i < study->entry_count; i++) {
        struct entry *entry = &study->entries[i];

        if (entry->state == ENTRY_PENDING && !entry->failure) study_fail(study, entry, why);
    }
}

/* Why an entry is not there, for the report. */
static const char *verdict_message(const struct study *study, const struct entry *entry,
                                   bool cancelled)
{
    const char *message = study_failure_text(study, entry);

    if (*message) return message;
    return cancelled ? "interrupted before it was fetched"
                     : "asked for, and the server sent nothing";
}

/* How many instances a line is about that are not there: of a series or study that is only counted
 * they may be many, less those that have lines of their own. */
static uint32_t verdict_lacking(const struct study *study, const struct entry *entry)
{
    uint32_t related, known;

    if (entry->level == TROLLEY_LEVEL_INSTANCE) return 1;
    related = entry->series == ENTRY_NONE ? study->related : study->series[entry->series].related;
    known = study_known(study, entry->series);
    return related > known ? related - known : 1;
}

/* More than was expected is no fault of the download, but of what is known about the study. */
static void run_note_extra(const struct run *run, const struct study *study, uint64_t extra)
{
    struct trolley_ref ref;
    struct trolley_remark remark = {TROLLEY_LOG_WARNING, 0, "host", &ref, NULL};
    char text[160];

    study_study_ref(study, &ref);
    (void)snprintf(text, sizeof text,
                   "study %s: %llu instances came beyond what the searcher named", study->uid,
                   (unsigned long long)extra);
    remark.message = text;
    report_remark(run->report, &remark);
}

void run_verdict(struct run *run, struct study *study)
{
    const bool cancelled = atomic_load(run->cancel) != 0;
    uint32_t i;

    if (!study_is_verified(study))
        report_unverified(run->report);
    else if (study_extra(study))
        run_note_extra(run, study, study_extra(study));
    for (i = 0; i < study->entry_count; i++) {
        const struct entry *entry = &study->entries[i];
        struct trolley_outcome outcome = {.kind = TROLLEY_OUTCOME_MISSING};
        struct trolley_ref ref;

        if (entry->state == ENTRY_DONE || entry->state == ENTRY_NAMED) continue;
        if (entry->flags & ENTRY_BROKEN) outcome.kind = TROLLEY_OUTCOME_FAILED;
        if (entry->state == ENTRY_IGNORED) outcome.kind = TROLLEY_OUTCOME_IGNORED;
        study_ref(study, entry, &ref);
        outcome.study = ref.study;
        outcome.series = ref.series;
        outcome.instance = ref.instance;
        outcome.instances = verdict_lacking(study, entry);
        outcome.message = verdict_message(study, entry, cancelled);
        report_outcome(run->report, &outcome, &study->failures[entry->failure]);
    }
    study_free(study);
}
