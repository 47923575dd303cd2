/* SPDX-License-Identifier: MIT */
#include "core/retrieve/naming.h"

#include <stdlib.h>
#include <string.h>

#include "core/retrieve/search.h"

#define TAG_SOP_CLASS 0x00080016
#define TAG_INSTANCE 0x00080018
#define TAG_SYNTAX 0x00083002 /* Available Transfer Syntax UID */
#define TAG_SERIES 0x0020000e
#define TAG_STUDY_RELATED 0x00201208
#define TAG_SERIES_RELATED 0x00201209

/* One question to the searcher: what of a level lies below a reference, with one attribute more. */
struct question {
    const char *level, *include;
    struct trolley_record_sink sink;
};

static int naming_ask(const struct expander *expander, const struct trolley_ref *ref,
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

/* The same until it is answered, as often as `patience` says. Under the searcher's lock. */
static int naming_ask_again(const struct expander *expander, const struct patience *patience,
                            const struct trolley_ref *ref, const struct question *question,
                            struct trolley_error *error)
{
    struct search_counts counts;
    struct task_failure failure;
    uint32_t n;
    int r;

    for (n = 0;; n++) {
        memset(&counts, 0, sizeof counts);
        task_reset(expander->task);
        r = naming_ask(expander, ref, question, &counts, error);
        if (r == 0) break;
        task_failure_of(expander->task, r, &failure);
        if (!retry_wanted(patience, n, &failure, expander->task->cancel)) return r;
    }
    if (counts.malformed)
        return error_set(error, TROLLEY_ERR_PROTOCOL,
                         "the searcher named objects without a valid UID");
    if (counts.records == 0)
        return error_set(error, TROLLEY_ERR_NOT_FOUND, "the searcher knows no such object");
    return 0;
}

/* A count as its text (IS), 0 for what is none. */
static uint32_t record_count(const struct trolley_record *record, uint32_t tag)
{
    const char *text = search_text(record, tag);
    const unsigned long count = text ? strtoul(text, NULL, 10) : 0;

    return count < INT32_MAX ? (uint32_t)count : 0;
}

static void naming_lock(const struct naming *to)
{
    if (to->in_hand) pthread_mutex_lock(to->in_hand);
}

static void naming_unlock(const struct naming *to)
{
    if (to->in_hand) pthread_mutex_unlock(to->in_hand);
}

/* An instance. */
static int32_t naming_record(void *ctx, const struct trolley_record *record)
{
    struct naming *to = ctx;
    uint32_t index;
    int r;

    naming_lock(to);
    r = study_add(to->study, TROLLEY_LEVEL_INSTANCE, search_text(record, TAG_SERIES),
                  search_text(record, TAG_INSTANCE), search_text(record, TAG_SOP_CLASS),
                  search_text(record, TAG_SYNTAX), &index);
    naming_unlock(to);
    return r;
}

int naming_instances(const struct expander *expander, const struct trolley_ref *ref,
                     struct naming *to, struct trolley_error *error)
{
    const struct question question = {"instance", "SOPClassUID", {to, naming_record}};
    unsigned warnings;
    bool doubtful;
    int r;

    pthread_mutex_lock(expander->lock);
    warnings = atomic_load(&expander->task->warnings);
    r = naming_ask_again(expander, &expander->patience, ref, &question, error);
    doubtful = r == 0 && atomic_load(&expander->task->warnings) != warnings;
    pthread_mutex_unlock(expander->lock);
    naming_lock(to);
    if (doubtful) to->study->doubtful = true;
    naming_unlock(to);
    return r;
}

/* Where the records of a series query go: a study of their own, until all of them are counted. */
struct counting {
    struct study *counted;
    bool all;
};

static int32_t naming_counted(void *ctx, const struct trolley_record *record)
{
    struct counting *counting = ctx;
    const uint32_t related = record_count(record, TAG_SERIES_RELATED);
    uint32_t index;
    int r = study_series(counting->counted, search_text(record, TAG_SERIES), &index);

    if (r < 0) return r;
    counting->counted->series[index].related = related;
    if (!related) counting->all = false;
    return 0;
}

/* The series that were counted, into the study itself. */
static int naming_take(struct study *study, const struct study *counted)
{
    uint32_t i, index;
    int r = 0;

    for (i = 0; r == 0 && i < counted->series_count; i++) {
        r = study_add(study, TROLLEY_LEVEL_SERIES, counted->series[i].uid, NULL, NULL, NULL,
                      &index);
        if (r < 0) break;
        study->entries[index].flags |= ENTRY_COUNTED;
        study->series[study->entries[index].series].related = counted->series[i].related;
    }
    return r < 0 ? r : 1;
}

int naming_counts(struct expander *expander, const struct trolley_ref *ref, struct study *study,
                  struct trolley_error *error)
{
    struct counting counting = {study_new(study->uid), true};
    const struct question question = {
        "series", "NumberOfSeriesRelatedInstances", {&counting, naming_counted}};
    const struct patience once = {0, 0}; /* what fails is asked with all patience for the names */
    unsigned warnings;
    int r;

    if (!counting.counted) return TROLLEY_ERR_NOMEM;
    pthread_mutex_lock(expander->lock);
    warnings = atomic_load(&expander->task->warnings);
    r = naming_ask_again(expander, &once, ref, &question, error);
    if (atomic_load(&expander->task->warnings) != warnings) counting.all = false;
    if (r == 0 && !counting.all) expander->uncounted = true;
    pthread_mutex_unlock(expander->lock);
    if (r == 0 && counting.all)
        r = naming_take(study, counting.counted);
    else if (r != TROLLEY_ERR_AUTH && r != TROLLEY_ERR_NOMEM)
        r = 0;
    study_free(counting.counted);
    return r;
}

/* Reads a count from a record of the level asked for. */
struct related {
    uint32_t tag, count;
};

static int32_t naming_related_record(void *ctx, const struct trolley_record *record)
{
    struct related *related = ctx;

    related->count = record_count(record, related->tag);
    return 0;
}

int naming_related(const struct expander *expander, const struct trolley_ref *ref,
                   uint32_t *ret_related, struct trolley_error *error)
{
    const bool whole = ref->level == TROLLEY_LEVEL_STUDY;
    struct related related = {whole ? TAG_STUDY_RELATED : TAG_SERIES_RELATED, 0};
    const struct question question = {whole ? "study" : "series",
                                      whole ? "NumberOfStudyRelatedInstances"
                                            : "NumberOfSeriesRelatedInstances",
                                      {&related, naming_related_record}};
    int r;

    pthread_mutex_lock(expander->lock);
    r = naming_ask_again(expander, &expander->patience, ref, &question, error);
    pthread_mutex_unlock(expander->lock);
    if (r == 0) *ret_related = related.count;
    return r;
}
