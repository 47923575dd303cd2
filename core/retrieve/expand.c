/* SPDX-License-Identifier: MIT */
#include "core/retrieve/expand.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trolley/helpers.h>

#include "core/retrieve/search.h"

#define RETRY_MOST_MS 60000
#define RETRY_AFTER_MOST_MS 600000

int64_t retry_delay(int64_t base_ms, uint32_t n, uint64_t retry_after_ms)
{
    int64_t delay = base_ms;
    uint64_t wish = retry_after_ms < RETRY_AFTER_MOST_MS ? retry_after_ms : RETRY_AFTER_MOST_MS;
    struct timespec now;

    while (n-- > 0 && delay < RETRY_MOST_MS)
        delay *= 2;
    if (delay > RETRY_MOST_MS) delay = RETRY_MOST_MS;
    clock_gettime(CLOCK_MONOTONIC, &now);
    /* The low digits of the clock are jitter enough to keep clients from marching in step. */
    delay += delay * ((now.tv_nsec / 1000) % 51 - 25) / 100;
    return delay < (int64_t)wish ? (int64_t)wish : delay;
}

bool retry_sleep(int64_t ms, const atomic_int *cancel)
{
    const int64_t until = task_clock_ms() + ms;
    const struct timespec step = {0, 20 * 1000000};

    while (task_clock_ms() < until) {
        if (atomic_load(cancel)) return false;
        nanosleep(&step, NULL);
    }
    return !atomic_load(cancel);
}

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

/* Puts the records of an instance query into the study. */
static int32_t expand_record(void *ctx, const struct trolley_record *record)
{
    const char *series = NULL, *instance = NULL, *sop_class = NULL, *syntax = NULL;
    uint32_t i, index;

    for (i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);
        const char *text = trolley_span_text(&element->values, 0);

        if (element->tag == 0x0020000e) series = text;
        if (element->tag == 0x00080018) instance = text;
        if (element->tag == 0x00080016) sop_class = text;
        if (element->tag == 0x00083002) syntax = text;
    }
    return study_add(ctx, TROLLEY_LEVEL_INSTANCE, series, instance, sop_class, syntax, &index);
}

static int expand_ask(struct expander *expander, const struct trolley_ref *ref, struct study *study,
                      struct trolley_error *error)
{
    const struct trolley_record_sink sink = {study, expand_record};
    struct trolley_query_builder *query;
    struct search_counts counts;
    int r = trolley_query_new(&query, error);

    if (r < 0) return r;
    r = trolley_query_set_level(query, "instance", error);
    if (r == 0) r = query_set_uid(query, TROLLEY_LEVEL_STUDY, ref->study, error);
    if (r == 0 && ref->series) r = query_set_uid(query, TROLLEY_LEVEL_SERIES, ref->series, error);
    if (r == 0) r = trolley_query_include(query, "SOPClassUID", error);
    if (r == 0)
        r = search_builder(expander->searcher, query, &sink, expander->task, &counts, error);
    trolley_query_free(query);
    return r;
}

/* The reference itself becomes the entry, with the reason why its instances are not known. */
static int expand_give_up(struct study *study, const struct trolley_ref *ref, int status,
                          const char *message)
{
    struct task_failure failure = {.status = status, .flags = TROLLEY_FAILURE_PERMANENT};
    uint32_t index;
    int r = study_add(study, ref->level, ref->series, NULL, NULL, NULL, &index);

    if (r < 0) return r;
    (void)snprintf(failure.message, sizeof failure.message, "%s", message);
    study_fail(study, &study->entries[index], &failure);
    study->entries[index].flags |= ENTRY_HOPELESS;
    return 0;
}

/* A study or series: all its instances, named by the searcher. */
static int expand_wide(struct expander *expander, const struct trolley_ref *ref,
                       struct study *study)
{
    const uint32_t before = study->entry_count;
    struct trolley_error error = {0};
    uint32_t n;
    int r;

    for (n = 0;; n++) {
        struct task_failure failure;

        r = expand_ask(expander, ref, study, &error);
        if (r == 0 || n >= (uint32_t)expander->max_retries) break;
        task_failure_of(expander->task, r, &failure);
        if (!(failure.flags & TROLLEY_FAILURE_TRANSIENT)) break;
        if (!retry_sleep(retry_delay(expander->retry_delay_ms, n, failure.retry_after_ms),
                         expander->task->cancel))
            break;
    }
    if (r == TROLLEY_ERR_NOMEM) return r;
    if (r < 0) return expand_give_up(study, ref, r, error.message);
    if (study->entry_count == before && n == 0)
        return expand_give_up(study, ref, TROLLEY_ERR_NOT_FOUND,
                              "the searcher knows no such object");
    return 0;
}

static int expand_ref(struct expander *expander, const struct trolley_ref *ref, struct study *study)
{
    uint32_t index;
    int r;

    if (ref->level == TROLLEY_LEVEL_INSTANCE)
        return study_add(study, ref->level, ref->series, ref->instance, ref->sop_class,
                         ref->transfer_syntax, &index);
    if (ref->level == TROLLEY_LEVEL_STUDY) study->whole = true;
    if (ref->level == TROLLEY_LEVEL_SERIES) {
        r = study_series(study, ref->series, &index);
        if (r < 0) return r;
        study->series[index].whole = true;
    }
    if (expander->searcher) return expand_wide(expander, ref, study);
    study->verified = false;
    return study_add(study, ref->level, ref->series, NULL, NULL, NULL, &index);
}

int expand_next(struct ref_reader *reader, struct expander *expander, struct study **ret_study,
                struct trolley_error *error)
{
    struct study *study;
    int r = reader_fill(reader, error);

    if (r <= 0) return r;
    study = study_new(reader->ahead.study);
    if (!study) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    study->verified = true;
    while (r > 0 && strcmp(reader->ahead.study, study->uid) == 0) {
        reader->has_ahead = false;
        r = expand_ref(expander, &reader->ahead, study);
        if (r < 0) {
            (void)error_set(error, r, "study %s: %s", study->uid, trolley_status_name(r));
            break;
        }
        r = reader_fill(reader, error);
    }
    if (r < 0) {
        study_free(study);
        return r;
    }
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
