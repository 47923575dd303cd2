/*
 * expand.h: from what was asked (a query, or references) to the instances that are expected, study
 * by study, by asking the searcher. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_EXPAND_H
#define CORE_RETRIEVE_EXPAND_H

#include "core/retrieve/study.h"
#include "core/retrieve/trolley.h"

/*
 * Fetching a study while the searcher is still naming its instances. Where the server takes longer
 * for their list than for their bytes that is half the time.
 */
struct early {
    void *ctx;
    uint32_t level; /* that will be asked for: the study, or its series, which are named first */
    pthread_mutex_t *lock; /* guards studies that have begun */
    /* Is it a study to begin with at once? */
    bool (*wanted)(void *ctx, const struct study *study);
    /* Begins; false: not now. Once begun it is no longer the caller's, and `named` ends it. */
    bool (*begin)(void *ctx, struct study *study);
    void (*named)(void *ctx, struct study *study);
};

struct expander {
    const struct early *early; /* NULL: never */
    struct instance *searcher; /* NULL: nobody names instances */
    uint32_t levels;           /* that it returns, bit set */
    struct task *task;
    int64_t max_retries, retry_delay_ms;
};

/* Reads references as a source gives them, study by study. */
struct ref_reader {
    trolley_ref_source source;
    void *ctx;
    struct trolley_ref ahead; /* read, not used yet; texts are copies */
    char study[KIT_UID_MAX + 1], series[KIT_UID_MAX + 1], instance[KIT_UID_MAX + 1];
    char sop_class[KIT_UID_MAX + 1], transfer_syntax[KIT_UID_MAX + 1];
    bool has_ahead;
};

/*
 * The next study with all references that follow each other and belong to it, expanded to instances
 * where a searcher can name them. 1 with *ret_study, 0 at the end, negative on failure of the
 * source (INVALID_ARG: a malformed UID). A searcher that fails leaves entries with its failure, so
 * that the study is reported and the next one goes on. One that cannot name instances is asked how
 * many there are. *ret_study is NULL for a study that was begun early.
 */
int expand_next(struct ref_reader *reader, struct expander *expander, struct study **ret_study,
                struct trolley_error *error);

/* A source over the deepest objects of a tree that a find of `level` returned. */
struct tree_source {
    const struct trolley_node *study, *series, *instance;
    uint32_t level;
};
void tree_source_init(struct tree_source *source, const struct trolley_tree *tree, uint32_t level);
int tree_source_next(void *ctx, struct trolley_ref *ref, struct trolley_error *error);

/* After try n (from 0) failed so: waits its time and returns true when it is to be tried again. */
bool retry_wanted(const struct expander *expander, uint32_t n, const struct task_failure *failure,
                  const atomic_int *cancel);

/* Sleeps `ms` in small steps; false when cancelled meanwhile. */
bool retry_sleep(int64_t ms, const atomic_int *cancel);

/* The delay before repetition n (from 0): base doubled each time, 25 % of jitter either way, at
 * most a minute; at least what the server asked for (capped at ten minutes). */
int64_t retry_delay(int64_t base_ms, uint32_t n, uint64_t retry_after_ms);

#endif
