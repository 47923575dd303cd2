/* SPDX-License-Identifier: MIT */
#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "status.h"

static bool known_class(const struct group *group, const char *sop_class)
{
    size_t i;

    for (i = 0; i < group->class_count; i++)
        if (strcmp(group->classes[i], sop_class) == 0) return true;
    return false;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Can it go with what is there? */
static bool fits(const struct group *group, const struct trolley_ref *ref)
{
    const struct trolley_ref *first = &group->refs[0];

    if (group->count == 0) return true;
    if (group->count == GROUP_REFS || ref->level != TROLLEY_LEVEL_INSTANCE ||
        first->level != TROLLEY_LEVEL_INSTANCE)
        return false;
    if (!same_text(ref->study, first->study) || !same_text(ref->series, first->series))
        return false;
    if (!ref->sop_class != group->class_unknown) return false;
    return !ref->sop_class || known_class(group, ref->sop_class) ||
           group->class_count < CONTEXTS_CLASSES;
}

static void take(struct group *group, const struct trolley_ref *ref)
{
    group->refs[group->count] = *ref;
    group->items[group->count] = &group->refs[group->count];
    group->count++;
    if (!ref->sop_class)
        group->class_unknown = true;
    else if (!known_class(group, ref->sop_class))
        group->classes[group->class_count++] = ref->sop_class;
}

int group_next(const struct trolley_span *refs, bool *done, struct group *ret_group)
{
    uint32_t i;

    memset(ret_group, 0, sizeof *ret_group);
    for (i = 0; i < refs->count; i++) {
        struct trolley_ref ref;

        if (done[i]) continue;
        if (trolley_read_open(&ref, sizeof ref, trolley_span_at(refs, i), sizeof ref) < 0)
            return TROLLEY_ERR_INVALID_ARG;
        if (!fits(ret_group, &ref)) continue;
        take(ret_group, &ref);
        done[i] = true;
        if (ref.level != TROLLEY_LEVEL_INSTANCE) break;
    }
    return ret_group->count > 0;
}

void group_free(struct group *group)
{
    free(group->failed);
    group->failed = NULL;
    group->failed_count = group->failed_room = 0;
}

void group_failed(void *ctx, const char *instance)
{
    struct group *group = ctx;

    if (group->failed_count == group->failed_room) {
        size_t room = group->failed_room ? group->failed_room * 2 : 64;
        char(*failed)[KIT_UID_MAX + 1] =
            room <= GROUP_FAILED_MAX ? realloc(group->failed, room * sizeof *failed) : NULL;

        if (!failed) {
            group->failed_cut = true;
            return;
        }
        group->failed = failed;
        group->failed_room = room;
    }
    (void)snprintf(group->failed[group->failed_count++], sizeof group->failed[0], "%s", instance);
}

bool group_of_failed(struct group *group, struct group *ret_group)
{
    size_t i;

    memset(ret_group, 0, sizeof *ret_group);
    if (group->failed_count == 0 || group->failed_count > GROUP_REFS || group->failed_cut ||
        !group->refs[0].series)
        return false;
    for (i = 0; i < group->failed_count; i++) {
        const struct trolley_ref ref = {
            .size = sizeof ref,
            .level = TROLLEY_LEVEL_INSTANCE,
            .study = group->refs[0].study,
            .series = group->refs[0].series,
            .instance = group->failed[i],
        };

        take(ret_group, &ref);
    }
    group->failed_count = 0;
    return true;
}

static void note_counts(const struct group *group, const struct retrieve_result *result,
                        const char *what, struct trolley_task *task)
{
    const struct retrieve_counts *counts = &result->counts;

    if (counts->failed == 0 && counts->warning == 0) return;
    trolley_note(
        task, TROLLEY_LOG_WARNING, result->status, &group->refs[0],
        "%s: sub-operations: %u completed, %u failed, %u with warnings; final status %04X%s%s",
        what, counts->completed, counts->failed, counts->warning, result->status,
        *result->comment ? ": " : "", result->comment);
}

static void fail_listed(const struct group *group, const struct trolley_failure *failure,
                        const struct trolley_dataset_sink *sink)
{
    struct trolley_ref ref = group->refs[0];
    size_t i;

    ref.level = TROLLEY_LEVEL_INSTANCE;
    for (i = 0; i < group->failed_count; i++) {
        ref.instance = group->failed[i];
        (void)sink->failed(sink->ctx, &ref, failure);
    }
}

int group_report(const struct group *group, const struct retrieve_result *result, const char *what,
                 const char *advice, const struct trolley_dataset_sink *sink,
                 struct trolley_task *task)
{
    char message[512];
    struct trolley_failure failure;
    size_t i, length;

    if (result->stop) return result->stop;
    note_counts(group, result, what, task);
    if (result->status == DIMSE_SUCCESS && !*advice) return 0;
    failure = dimse_status_failure(result->status, what, result->comment, message, sizeof message);
    length = strlen(message);
    (void)snprintf(message + length, sizeof message - length, "%s%s", *advice ? "; " : "", advice);
    if (result->status == DIMSE_SUBOPERATIONS_FAILED && group->failed_count && !group->failed_cut) {
        fail_listed(group, &failure, sink);
        return 0;
    }
    for (i = 0; i < group->count; i++)
        (void)sink->failed(sink->ctx, &group->refs[i], &failure);
    return 0;
}
