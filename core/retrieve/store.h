/*
 * store.h: the storage of a run. Serialises open, exists and sync; keeps what was committed until a
 * sync has made it final, and only then reports it. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_STORE_H
#define CORE_RETRIEVE_STORE_H

#include "core/plugin/setup.h"
#include "core/retrieve/report.h"

struct committed;
struct study;

struct store {
    struct instance *instance;
    const struct trolley_storage_ops *ops;
    struct report *report;
    pthread_mutex_t lock;  /* open, exists, sync */
    pthread_mutex_t group; /* the list below */
    struct committed *first, **last;
    size_t count;
    int64_t oldest_ms;
    uint32_t flags; /* TROLLEY_STORE_* for open */
    bool verify;    /* fetched again to compare */
    struct trolley_span needs;
    struct task_failure dead; /* of the group's lock; status set: nothing can be stored any more */
    atomic_int dead_by;       /* the worker that met with it, -1 a sync; 0: it is alive */
};

void store_init(struct store *store, struct instance *instance, struct report *report,
                uint32_t download_flags);
void store_clear(struct store *store);

/* A writer for one item. */
int store_open(struct store *store, const struct trolley_meta *meta, struct task *task,
               void **ret_writer);

/* Does the storage hold it whole? Then it is reported as skipped and true returned. `delivers`: the
 * variant of it that is asked for, NULL for the instance itself. */
bool store_skip(struct store *store, const struct trolley_ref *ref,
                const struct trolley_meta *delivers, struct task *task);

/* Is nothing of this study in the storage, for sure? */
bool store_lacks(struct store *store, const char *study, struct task *task);

/*
 * Commits a writer of `study`; on success the outcome is kept until the next sync. The texts of
 * `outcome` are copied; its kind, path and previous_sha256 are filled in here from what the storage
 * says.
 */
int store_commit(struct store *store, void *writer, struct study *study,
                 const struct trolley_meta *meta, const struct trolley_outcome *outcome,
                 struct task *task);

/*
 * Syncs when the group is large or old enough, or when forced, and reports the group. Members that
 * a failed sync lost are told to lost(ctx, study, outcome, failure); their study lives, since its
 * verdict waits for a forced sync. Returns the status of the sync.
 */
typedef void (*store_lost_sink)(void *ctx, struct study *study,
                                const struct trolley_outcome *outcome,
                                const struct task_failure *failure);
int store_sync(struct store *store, bool force, struct task *task, store_lost_sink lost, void *ctx);

/* Remembers a failure that makes all further storing useless, and the worker that met with it: the
 * requests of the others end. [any] */
void store_died(struct store *store, int worker, const struct task_failure *failure);

/* Is there such a failure? Then *ret_failure is the first of them. [any] */
bool store_is_dead(struct store *store, struct task_failure *ret_failure);

#endif
