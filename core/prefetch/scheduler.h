/* scheduler.h: runs tasks when they are due, each queue's so many at a time, and again when they
 * failed. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_SCHEDULER_H
#define CORE_PREFETCH_SCHEDULER_H

#include "core/prefetch/clock.h"
#include "core/prefetch/store.h"

/* What runs a task: prefetch_export with its engine as ctx, or a test's. [any] */
typedef int (*prefetch_exporting)(void *ctx, const struct prefetch_exporter *exporter,
                                  const struct prefetch_scope *scope,
                                  const struct prefetch_export_callbacks *callbacks,
                                  const atomic_int *cancel, struct prefetch_result *ret_result,
                                  struct trolley_error *error);

struct prefetch_scheduler;

/* Everything is borrowed. `remark` is told how each task ended; it comes from any thread, one at a
 * time. */
struct prefetch_scheduling {
    struct prefetch_store *store; /* whose leader this process is */
    const struct prefetch_settings *settings;
    const struct prefetch_clock *clock;
    prefetch_exporting exporting;
    void *exporting_ctx;
    trolley_remark_sink remark; /* may be NULL */
    void *remark_ctx;
};

int prefetch_scheduler_new(const struct prefetch_scheduling *scheduling,
                           struct prefetch_scheduler **ret_scheduler, struct trolley_error *error);

/* Ends what runs between two requests, and waits for it. What did not end is SCHEDULED again. */
void prefetch_scheduler_drain(struct prefetch_scheduler *scheduler);

void prefetch_scheduler_free(struct prefetch_scheduler *scheduler);

/*
 * Starts whatever is due now and may start, each task in a thread of its own; tells tasks that were
 * canceled meanwhile to end. *ret_next_ms: when the next pending task is due that nothing but time
 * holds back (INT64_MAX: none). Returns how many were started, or negative (those started run).
 */
int prefetch_scheduler_step(struct prefetch_scheduler *scheduler, int64_t *ret_next_ms,
                            struct trolley_error *error);

/* How many tasks run. */
uint32_t prefetch_scheduler_running(struct prefetch_scheduler *scheduler);

/* Waits until a task ended or someone woke it: true; or so many real milliseconds went by. */
bool prefetch_scheduler_wait(struct prefetch_scheduler *scheduler, int64_t ms);
void prefetch_scheduler_wake(struct prefetch_scheduler *scheduler);

/* Ends what runs, between two requests; nothing more is started. */
void prefetch_scheduler_stop(struct prefetch_scheduler *scheduler);

/* How tasks ended so far. */
void prefetch_scheduler_counts(struct prefetch_scheduler *scheduler,
                               struct trolley_prefetch_run_counts *ret_counts);

/* Drops ended tasks that are older than their queue keeps them. */
int prefetch_purge(struct prefetch_store *store, const struct prefetch_settings *settings,
                   int64_t now_ms, struct trolley_error *error);

/* The delay before retry `n` (from 1): d(n) = d(n-1) * multiplier / 100, truncated, capped. */
int64_t prefetch_retry_delay(const struct prefetch_queue *queue, uint32_t n);

/* What a change of an exporter's URLs changes: a hash of them in hex, 17 bytes. */
void prefetch_urls_hash(const struct prefetch_exporter *exporter, char out[17]);

#endif
