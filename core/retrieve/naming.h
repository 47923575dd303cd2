/*
 * naming.h: what the searcher says of a study: which instances it has, or how many.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_NAMING_H
#define CORE_RETRIEVE_NAMING_H

#include "core/plugin/setup.h"
#include "core/retrieve/retry.h"
#include "core/retrieve/study.h"

struct expander {
    struct instance *searcher; /* NULL: nobody names instances */
    uint32_t levels;           /* that it returns, bit set */
    struct task *task;
    struct patience patience;
    pthread_mutex_t *lock; /* one question at a time: the searcher is one thread's at a time */
    /* May the study be begun when it is only counted? NULL: never. Called with `ctx`. */
    bool (*may_count)(void *ctx, const struct study *study);
    void *ctx;
    bool counts_suffice; /* what is counted is named only where its count is not met */
    bool uncounted;      /* this searcher does not count: it is not asked for that again */
};

/* Where names go. */
struct naming {
    struct study *study;
    pthread_mutex_t *in_hand; /* the lock of a study that workers have; NULL: it is the caller's */
};

/*
 * Adds the instances of the study or series that `ref` means. Errors: the searcher's; NOT_FOUND (it
 * names none), PROTOCOL (some have no valid UID); what came before is in the study. A searcher that
 * answers with warnings leaves it doubtful. [any]
 */
int naming_instances(const struct expander *expander, const struct trolley_ref *ref,
                     struct naming *to, struct trolley_error *error);

/*
 * Adds entries for the series of the study, or for the one series, that `ref` means, each with how
 * many instances it has [NumberOfSeriesRelatedInstances, PS3.4 C.6.1.1.4, PS3.18 10.6.3]: where the
 * server needs a second and more to list them that takes some milliseconds. 1; 0 when the searcher
 * does not count all of them, and the study is as it was; AUTH and NOMEM as they are.
 */
int naming_counts(struct expander *expander, const struct trolley_ref *ref, struct study *study,
                  struct trolley_error *error);

/* How many instances the study or series has by its searcher's count, 0 when that is not said.
 * Errors as of naming_instances. */
int naming_related(const struct expander *expander, const struct trolley_ref *ref,
                   uint32_t *ret_related, struct trolley_error *error);

#endif
