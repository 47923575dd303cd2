/* SPDX-License-Identifier: MIT */
#include "core/retrieve/expand.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trolley/helpers.h>

#include "core/retrieve/search.h"

static int copy_uid(char own[KIT_UID_MAX + 1], const char *text, const char *what,
                    const char **ret_copy, struct trolley_error *error)
{
    *ret_copy = NULL;
    if (!text) return 0;
    if (!kit_uid_valid(text))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "`%.80s` is no %s (digits and dots, at most 64)", text, what);
    memcpy(own, text, strlen(text) + 1);
    *ret_copy = own;
    return 0;
}

/* Reads one reference ahead. 1, 0 at the end, or negative. */
static int reader_fill(struct ref_reader *reader, struct trolley_error *error)
{
    struct trolley_ref ref = {.size = sizeof ref};
    struct trolley_ref *own = &reader->ahead;
    int r;

    if (reader->has_ahead) return 1;
    r = reader->source(reader->ctx, &ref, error);
    if (r <= 0) return r;
    memset(own, 0, sizeof *own);
    own->size = sizeof *own;
    r = copy_uid(reader->study, ref.study, "Study Instance UID", &own->study, error);
    if (r == 0)
        r = copy_uid(reader->series, ref.series, "Series Instance UID", &own->series, error);
    if (r == 0)
        r = copy_uid(reader->instance, ref.instance, "SOP Instance UID", &own->instance, error);
    if (r == 0 && (!own->study || (own->instance && !own->series)))
        r = error_set(error, TROLLEY_ERR_INVALID_ARG,
                      "a reference needs the UIDs of the levels above it");
    if (r < 0) return r;
    /* Hints only: a malformed one reads as absent. */
    (void)copy_uid(reader->sop_class, ref.sop_class, "UID", &own->sop_class, NULL);
    (void)copy_uid(reader->transfer_syntax, ref.transfer_syntax, "UID", &own->transfer_syntax,
                   NULL);
    own->level = own->instance ? TROLLEY_LEVEL_INSTANCE
                 : own->series ? TROLLEY_LEVEL_SERIES
                               : TROLLEY_LEVEL_STUDY;
    reader->has_ahead = true;
    return 1;
}

/* The reference itself becomes the entry, with the reason why its instances are not known. */
static int expand_give_up(struct study *study, const struct trolley_ref *ref, int status,
                          const char *message)
{
    struct task_failure failure = {.status = status, .flags = TROLLEY_FAILURE_PERMANENT};
    uint32_t index;
    int r;

    (void)snprintf(failure.message, sizeof failure.message, "%s", message);
    if (status != TROLLEY_ERR_NOT_FOUND) study->doubtful = true;
    r = study_add(study, ref->level, ref->series, NULL, NULL, NULL, &index);
    if (r < 0) return r;
    study_fail(study, &study->entries[index], &failure);
    study->entries[index].flags |= ENTRY_HOPELESS;
    return 0;
}

/* May the study be begun when what the reference means is only counted? */
static bool expand_may_count(const struct expander *expander, const struct trolley_ref *ref,
                             const struct study *study)
{
    if (!expander->may_count || expander->uncounted ||
        !(expander->levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES)))
        return false;
    /* Nothing of it may be known by name yet. */
    if (ref->level == TROLLEY_LEVEL_STUDY ? study->entry_count
                                          : study_find_series(study, ref->series) != ENTRY_NONE)
        return false;
    return expander->may_count(expander->ctx, study);
}

/* A study or series: all its instances, counted or named by the searcher. */
static int expand_wide(struct expander *expander, const struct trolley_ref *ref,
                       struct study *study)
{
    struct naming to = {.study = study};
    struct trolley_error error = {0};
    int r = 0;

    if (expand_may_count(expander, ref, study)) r = naming_counts(expander, ref, study, &error);
    if (r > 0) {
        study->naming = !expander->counts_suffice;
        return 0;
    }
    if (r == 0) r = naming_instances(expander, ref, &to, &error);
    if (r == TROLLEY_ERR_NOMEM) return r;
    if (r < 0) return expand_give_up(study, ref, r, error.message);
    /* Series of it may have been counted before. */
    if (ref->level == TROLLEY_LEVEL_STUDY) study_named(study, ENTRY_NONE);
    return 0;
}

/* A study or series whose instances nobody names: its own entry, with their count where the
 * searcher knows that [PS3.4 C.6.2.1.2]. */
static int expand_blind(const struct expander *expander, const struct trolley_ref *ref,
                        struct study *study)
{
    struct trolley_error error = {0};
    uint32_t index, related = 0;
    int r = 0;

    if (expander->searcher && (expander->levels & TROLLEY_LEVEL_BIT(ref->level)))
        r = naming_related(expander, ref, &related, &error);
    if (r == TROLLEY_ERR_NOT_FOUND) return expand_give_up(study, ref, r, error.message);
    r = study_add(study, ref->level, ref->series, NULL, NULL, NULL, &index);
    if (r == 0) study_count(study, ref, related);
    return r;
}

/* Does the study expect all of it by a count? */
static bool expand_is_counted(const struct study *study, const struct trolley_ref *ref)
{
    const uint32_t series = ref->series ? study_find_series(study, ref->series) : ENTRY_NONE;

    return series != ENTRY_NONE && study->series[series].related;
}

static int expand_ref(struct expander *expander, const struct trolley_ref *ref, struct study *study)
{
    uint32_t index;
    int r;

    if (expand_is_counted(study, ref)) return 0;
    if (ref->level == TROLLEY_LEVEL_INSTANCE)
        return study_add(study, ref->level, ref->series, ref->instance, ref->sop_class,
                         ref->transfer_syntax, &index);
    r = expander->levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE)
            ? expand_wide(expander, ref, study)
            : expand_blind(expander, ref, study);
    if (r < 0) return r;
    if (ref->level == TROLLEY_LEVEL_STUDY) {
        study->whole = true;
        return 0;
    }
    r = study_series(study, ref->series, &index);
    if (r == 0) study->series[index].whole = true;
    return r;
}

int expand_next(struct ref_reader *reader, struct expander *expander, struct study **ret_study,
                struct trolley_error *error)
{
    struct study *study;
    int r = reader->bad ? reader->bad : reader_fill(reader, &reader->error);

    if (r < 0 && error) *error = reader->error;
    if (r <= 0) return r;
    study = study_new(reader->ahead.study);
    if (!study) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    while (r > 0 && strcmp(reader->ahead.study, study->uid) == 0) {
        reader->has_ahead = false;
        r = expand_ref(expander, &reader->ahead, study);
        if (r < 0) {
            (void)error_set(error, r, "study %s: %s", study->uid, trolley_status_name(r));
            study_free(study);
            return r;
        }
        r = reader_fill(reader, &reader->error);
    }
    /* What was read before a bad reference is still wanted. */
    if (r < 0) reader->bad = r;
    *ret_study = study;
    return 1;
}

void tree_source_init(struct tree_source *source, const struct trolley_tree *tree, uint32_t level)
{
    memset(source, 0, sizeof *source);
    source->study = trolley_tree_first(tree);
    source->level = level;
    if (source->study && level >= TROLLEY_LEVEL_SERIES)
        source->series = trolley_node_first_child(source->study);
    if (source->series && level == TROLLEY_LEVEL_INSTANCE)
        source->instance = trolley_node_first_child(source->series);
}

/* On to the next object of the level. */
static void tree_source_step(struct tree_source *source)
{
    if (source->level == TROLLEY_LEVEL_INSTANCE && source->instance) {
        source->instance = trolley_node_next(source->instance);
        if (source->instance) return;
    }
    if (source->level >= TROLLEY_LEVEL_SERIES && source->series) {
        source->series = trolley_node_next(source->series);
        if (source->series) {
            if (source->level == TROLLEY_LEVEL_INSTANCE)
                source->instance = trolley_node_first_child(source->series);
            return;
        }
    }
    source->study = trolley_node_next(source->study);
    if (source->study && source->level >= TROLLEY_LEVEL_SERIES)
        source->series = trolley_node_first_child(source->study);
    if (source->series && source->level == TROLLEY_LEVEL_INSTANCE)
        source->instance = trolley_node_first_child(source->series);
}

int tree_source_next(void *ctx, struct trolley_ref *ref, struct trolley_error *error)
{
    struct tree_source *source = ctx;

    (void)error;
    while (source->study) {
        const bool whole = (source->level < TROLLEY_LEVEL_SERIES || source->series) &&
                           (source->level < TROLLEY_LEVEL_INSTANCE || source->instance);

        if (whole) {
            ref->study = trolley_node_uid(source->study);
            if (source->series) ref->series = trolley_node_uid(source->series);
            if (source->instance) {
                ref->instance = trolley_node_uid(source->instance);
                ref->sop_class = trolley_node_text(source->instance, 0x00080016, 0);
                ref->transfer_syntax = trolley_node_text(source->instance, 0x00083002, 0);
            }
        }
        tree_source_step(source);
        if (whole) return 1;
    }
    return 0;
}
