/*
 * run.h: a download under way: studies in hand, and the workers that fetch what they still need.
 * One downloader instance a worker; rounds of requests until nothing more can be had, then the next
 * downloader of the list; then the verdict on the study. Retries of every protocol happen here and
 * nowhere else. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_RUN_H
#define CORE_RETRIEVE_RUN_H

#include "core/retrieve/naming.h"
#include "core/retrieve/plan.h"
#include "core/retrieve/store.h"

struct run_downloader {
    struct component *component;
    struct ask ask;
    uint32_t max_parallel, active;
    int64_t retry_delay_ms, max_instance;
    struct instance *asked;              /* the one that said how it likes to be asked */
    const struct trolley_meta *delivers; /* the variant it brings, NULL for the instances */
    struct task_failure dead; /* status set: it will not do anything any more (log-in refused) */
};

struct run {
    pthread_mutex_t lock; /* everything here and in the studies */
    pthread_cond_t changed;
    struct run_downloader *downloaders;
    size_t downloader_count;
    struct study *first, **last; /* in hand, in order */
    size_t in_hand;
    bool closing; /* no more studies will come */
    pthread_t *threads;
    size_t thread_count;
    const struct expander *expander;
    struct store *store;
    struct report *report;
    const atomic_int *cancel;
};

/* Starts the workers. The downloaders, expander, store and report are
 * borrowed; they outlive the run. */
int run_start(struct run *run, struct trolley_error *error);

/* Takes a study into hand; waits while enough are. The run owns it from here; with `naming` set not
 * before run_named. */
void run_add(struct run *run, struct study *study);

/* All is known of the study that the searcher says. Lock held. */
void run_named(struct run *run, struct study *study);

/* Waits until every study has its verdict, and stops the workers. */
void run_finish(struct run *run);

/* Syncs the storage when that is due; what a failed sync lost goes back to its study. */
int run_sync(struct run *run, bool force, struct task *task);

/* A dead downloader's or full disk's reason, for entries that have none of their own. */
void run_blame(struct run *run, struct study *study);

/* Reports what did not come of a study, and frees it. */
void run_verdict(struct run *run, struct study *study);

#endif
