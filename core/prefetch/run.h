/* run.h: one task being run, inside the scheduler. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_RUN_H
#define CORE_PREFETCH_RUN_H

#include <pthread.h>

#include "core/prefetch/scheduler.h"

#define RUN_FAILED 64 /* failed requests kept in memory before they are written */

struct prefetch_run {
    struct prefetch_run *next;
    struct prefetch_scheduler *scheduler;
    const struct prefetch_exporter *exporter;
    struct prefetch_claim claim;
    char urls[17];
    pthread_t thread;
    atomic_int cancel;
    bool ended; /* under the scheduler's lock */
    /* Requests that failed now, and those of last time. */
    struct run_requests {
        struct run_request {
            uint32_t url, frame;
            char study[KIT_UID_MAX + 1], series[KIT_UID_MAX + 1], instance[KIT_UID_MAX + 1];
            char message[256];
        } items[RUN_FAILED];
        uint32_t count, at;
    } failed, again;
    int64_t again_after; /* number of the last that was read */
    bool again_over;
    struct prefetch_result result;
    struct trolley_error store_error; /* why the store broke the export off */
};

struct prefetch_scheduler {
    struct prefetch_scheduling given;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t news;  /* a run ended, or someone woke it */
    struct prefetch_run *runs;
    uint32_t running;
    bool woken, stopping;
    struct trolley_prefetch_run_counts counts;
    pthread_mutex_t remark_lock;
};

/* Runs a claimed task in a thread of its own. `run` belongs to the scheduler then. */
int prefetch_run_start(struct prefetch_run *run, struct trolley_error *error);

/* What is said about a task. */
__attribute__((format(printf, 4, 5))) void prefetch_run_remark(struct prefetch_scheduler *scheduler,
                                                               uint32_t severity, const char *study,
                                                               const char *format, ...);

#endif
