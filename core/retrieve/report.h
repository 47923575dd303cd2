/*
 * report.h: what becomes of each object, told to the caller and counted, in one place and one at a
 * time. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_REPORT_H
#define CORE_RETRIEVE_REPORT_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/plugin/task.h"
#include "core/retrieve/study.h"

#define REPORT_WORKERS_MAX 64

struct report {
    pthread_mutex_t lock;
    const struct trolley_download_options *options;
    struct trolley_counts counts;
    struct task_failure first; /* the first failure told, for the last word when nothing came */
    atomic_ullong bytes;       /* of items under way and done, for progress */
    atomic_llong next_tick_ms;
    int64_t started_ms;
    const void *workers[REPORT_WORKERS_MAX]; /* who has worked; the index is the number told */
};

void report_init(struct report *report, const struct trolley_download_options *options);
void report_clear(struct report *report);

/* Counts and tells one outcome. `failure` may be NULL. [any] */
void report_outcome(struct report *report, const struct trolley_outcome *outcome,
                    const struct task_failure *failure);

/* More (or fewer) instances are expected. [any] */
void report_expect(struct report *report, int64_t more);

/* A study is done of which nobody knew what to expect. [any] */
void report_unverified(struct report *report);

/* Bytes arrived; tells the progress some ten times a second. [any] */
void report_bytes(struct report *report, uint64_t bytes);

/* The worker `id` asks `downloader` for these references; NULL: it has its answer. [any] */
void report_worker(struct report *report, const void *id, const char *downloader,
                   const struct trolley_span *refs);

/* Passes a remark on. A trolley_remark_sink, ctx is the report. [any] */
void report_remark(void *report, const struct trolley_remark *remark);

/* Counts so far with the time taken. [any] */
void report_counts(struct report *report, struct trolley_counts *ret_counts);

#endif
