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

bool retry_wanted(const struct expander *expander, uint32_t n, const struct task_failure *failure,
                  const atomic_int *cancel)
{
    if (n >= (uint32_t)expander->max_retries || !(failure->flags & TROLLEY_FAILURE_TRANSIENT))
        return false;
    return retry_sleep(retry_delay(expander->retry_delay_ms, n, failure->retry_after_ms), cancel);
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

/* A study may be being fetched while it is expanded. */
static void expand_lock(const struct expander *expander, const struct study *study)
{
    if (study->naming) pthread_mutex_lock(expander->early->lock);
}

static void expand_unlock(const struct expander *expander, const struct study *study)
{
    if (study->naming) pthread_mutex_unlock(expander->early->lock);
}

/* Where the records of a query go. */
struct expansion {
    const struct expander *expander;
    struct study *study;
};

/* Puts the records of an instance query into the study. */
static int32_t expand_record(void *ctx, const struct trolley_record *record)
{
    const struct expansion *to = ctx;
    int r;
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
    expand_lock(to->expander, to->study);
    r = study_add(to->study, TROLLEY_LEVEL_INSTANCE, series, instance, sop_class, syntax, &index);
    expand_unlock(to->expander, to->study);
    return r;
}

/* Puts the records of a series query into the study, which nobody else has yet. */
static int32_t expand_series_record(void *ctx, const struct trolley_record *record)
{
    uint32_t i, index;

    for (i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);

        if (element->tag == 0x0020000e)
            return study_series(ctx, trolley_span_text(&element->values, 0), &index);
    }
    return 0;
}

/* One question to the searcher: what of a level lies below `ref`, with one attribute more. */
struct question {
    const char *level, *include;
    struct trolley_record_sink sink;
};

static int expand_ask(const struct expander *expander, const struct trolley_ref *ref,
                      const struct question *question, struct search_counts *ret_counts,
                      struct trolley_error *error)
{
    struct trolley_query_builder *query;
    int r = trolley_query_new(&query, error);

    if (r < 0) return r;
    r = trolley_query_set_level(query, question->level, error);
    if (r == 0) r = query_set_uid(query, TROLLEY_LEVEL_STUDY, ref->study, error);
    if (r == 0 && ref->series) r = query_set_uid(query, TROLLEY_LEVEL_SERIES, ref->series, error);
    if (r == 0) r = trolley_query_include(query, question->include, error);
    if (r == 0)
        r = search_builder(expander->searcher, query, &question->sink, expander->task, ret_counts,
                           error);
    trolley_query_free(query);
    return r;
}

/* The same until it is answered, as often as the searcher's section says. */
static int expand_ask_again(const struct expander *expander, const struct trolley_ref *ref,
                            const struct question *question, struct search_counts *ret_counts,
                            struct trolley_error *error)
{
    struct task_failure failure;
    uint32_t n;
    int r;

    for (n = 0;; n++) {
        memset(ret_counts, 0, sizeof *ret_counts);
        task_reset(expander->task);
        r = expand_ask(expander, ref, question, ret_counts, error);
        if (r == 0) return 0;
        task_failure_of(expander->task, r, &failure);
        if (!retry_wanted(expander, n, &failure, expander->task->cancel)) return r;
    }
}

/* The reference itself becomes the entry, with the reason why its instances are not known. */
static int expand_give_up(const struct expander *expander, struct study *study,
                          const struct trolley_ref *ref, int status, const char *message)
{
    struct task_failure failure = {.status = status, .flags = TROLLEY_FAILURE_PERMANENT};
    uint32_t index;
    int r;

    (void)snprintf(failure.message, sizeof failure.message, "%s", message);
    expand_lock(expander, study);
    if (status != TROLLEY_ERR_NOT_FOUND) study->doubtful = true;
    r = study_add(study, ref->level, ref->series, NULL, NULL, NULL, &index);
    if (r == 0) {
        study_fail(study, &study->entries[index], &failure);
        study->entries[index].flags |= ENTRY_HOPELESS;
    }
    expand_unlock(expander, study);
    return r;
}

/* Begins with a whole study before its instances are named, where that may be. A searcher that does
 * not answer here is asked again for the instances, with all patience; but not after a refused
 * log-in, the only failure returned. */
static int expand_begin(const struct expander *expander, const struct trolley_ref *ref,
                        struct study *study, struct trolley_error *error)
{
    const struct question question = {"series", "Modality", {study, expand_series_record}};
    const struct early *early = expander->early;
    struct search_counts counts = {0};
    int r = 0;

    if (!early || ref->level != TROLLEY_LEVEL_STUDY || study->entry_count || study->series_count ||
        study->naming || !early->wanted(early->ctx, study))
        return 0;
    if (early->level == TROLLEY_LEVEL_SERIES) {
        if (!(expander->levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES))) return 0;
        r = expand_ask(expander, ref, &question, &counts, error);
        if (r < 0 || !study->series_count) return r == TROLLEY_ERR_AUTH ? r : 0;
    }
    (void)early->begin(early->ctx, study);
    return 0;
}

/* A study or series: all its instances, named by the searcher. */
static int expand_wide(const struct expander *expander, const struct trolley_ref *ref,
                       struct study *study)
{
    struct expansion to = {expander, study};
    const struct question question = {"instance", "SOPClassUID", {&to, expand_record}};
    const unsigned warnings = atomic_load(&expander->task->warnings);
    struct trolley_error error = {0};
    struct search_counts counts = {0};
    int r;

    r = expand_begin(expander, ref, study, &error);
    if (r == 0) r = expand_ask_again(expander, ref, &question, &counts, &error);
    if (r == TROLLEY_ERR_NOMEM) return r;
    if (r < 0) return expand_give_up(expander, study, ref, r, error.message);
    if (counts.malformed)
        return expand_give_up(expander, study, ref, TROLLEY_ERR_PROTOCOL,
                              "the searcher named objects without a valid UID");
    if (counts.records == 0)
        return expand_give_up(expander, study, ref, TROLLEY_ERR_NOT_FOUND,
                              "the searcher knows no such object");
    if (atomic_load(&expander->task->warnings) == warnings) return 0;
    expand_lock(expander, study);
    study->doubtful = true;
    expand_unlock(expander, study);
    return 0;
}

/* Reads a count from a record of the level asked for. */
struct counting {
    uint32_t tag;
    uint64_t related;
};

static int32_t expand_counted(void *ctx, const struct trolley_record *record)
{
    struct counting *counting = ctx;
    uint32_t i;

    for (i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);
        const char *text = trolley_span_text(&element->values, 0);

        if (element->tag == counting->tag && text) counting->related = strtoul(text, NULL, 10);
    }
    return 0;
}

/* A study or series whose instances nobody names: its own entry, with their count where the
 * searcher knows that [PS3.4 C.6.2.1.2]. */
static int expand_blind(const struct expander *expander, const struct trolley_ref *ref,
                        struct study *study)
{
    const bool whole = ref->level == TROLLEY_LEVEL_STUDY;
    struct counting counting = {.tag = whole ? 0x00201208 : 0x00201209};
    const struct question question = {whole ? "study" : "series",
                                      whole ? "NumberOfStudyRelatedInstances"
                                            : "NumberOfSeriesRelatedInstances",
                                      {&counting, expand_counted}};
    struct trolley_error error = {0};
    struct search_counts counts = {0};
    uint32_t index;
    int r = TROLLEY_ERR_UNSUPPORTED;

    if (expander->searcher && (expander->levels & TROLLEY_LEVEL_BIT(ref->level)))
        r = expand_ask_again(expander, ref, &question, &counts, &error);
    if (r == 0 && counts.records == 0 && counts.malformed == 0)
        return expand_give_up(expander, study, ref, TROLLEY_ERR_NOT_FOUND,
                              "the searcher knows no such object");
    r = study_add(study, ref->level, ref->series, NULL, NULL, NULL, &index);
    if (r == 0 && counting.related < INT32_MAX)
        (void)study_count(study, ref, (uint32_t)counting.related);
    return r;
}

/* What is asked for as such, under the lock of a study that has begun. */
static int expand_note(const struct trolley_ref *ref, struct study *study)
{
    uint32_t index;
    int r;

    if (ref->level == TROLLEY_LEVEL_INSTANCE)
        return study_add(study, ref->level, ref->series, ref->instance, ref->sop_class,
                         ref->transfer_syntax, &index);
    if (ref->level == TROLLEY_LEVEL_STUDY) {
        study->whole = true;
        return 0;
    }
    r = study_series(study, ref->series, &index);
    if (r == 0) study->series[index].whole = true;
    return r;
}

static int expand_ref(struct expander *expander, const struct trolley_ref *ref, struct study *study)
{
    int r;

    expand_lock(expander, study);
    r = expand_note(ref, study);
    expand_unlock(expander, study);
    if (r < 0 || ref->level == TROLLEY_LEVEL_INSTANCE) return r;
    if (expander->levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE))
        return expand_wide(expander, ref, study);
    return expand_blind(expander, ref, study);
}

/* All references were read, or one of them could not be. */
static void expand_end(const struct expander *expander, struct study *study, int r,
                       struct study **ret_study)
{
    *ret_study = r < 0 ? NULL : study;
    if (!study->naming) {
        if (r < 0) study_free(study);
        return;
    }
    *ret_study = NULL;
    if (r < 0) {
        expand_lock(expander, study);
        study->doubtful = true;
        expand_unlock(expander, study);
    }
    expander->early->named(expander->early->ctx, study);
}

int expand_next(struct ref_reader *reader, struct expander *expander, struct study **ret_study,
                struct trolley_error *error)
{
    struct study *study;
    int r = reader_fill(reader, error);

    if (r <= 0) return r;
    study = study_new(reader->ahead.study);
    if (!study) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    while (r > 0 && strcmp(reader->ahead.study, study->uid) == 0) {
        reader->has_ahead = false;
        r = expand_ref(expander, &reader->ahead, study);
        if (r < 0) {
            (void)error_set(error, r, "study %s: %s", study->uid, trolley_status_name(r));
            break;
        }
        r = reader_fill(reader, error);
    }
    expand_end(expander, study, r, ret_study);
    return r < 0 ? r : 1;
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
