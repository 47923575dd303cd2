/* SPDX-License-Identifier: MIT */
#include "core/retrieve/report.h"

#include <string.h>
#include <trolley/helpers.h>

#include "core/model/log.h"

#define TICK_MS 100

void report_init(struct report *report, const struct trolley_download_options *options)
{
    memset(report, 0, sizeof *report);
    pthread_mutex_init(&report->lock, NULL);
    report->options = options;
    report->started_ms = task_clock_ms();
}

void report_clear(struct report *report)
{
    pthread_mutex_destroy(&report->lock);
}

static void report_count(struct trolley_counts *counts, const struct trolley_outcome *outcome)
{
    uint64_t *const counters[] = {
        NULL,
        &counts->stored,
        &counts->skipped,
        &counts->replaced,
        &counts->missing,
        &counts->failed,
        &counts->ignored,
        &counts->unexpected,
        &counts->duplicate,
    };

    if (outcome->kind > 0 && outcome->kind < sizeof counters / sizeof counters[0])
        *counters[outcome->kind] += outcome->instances ? outcome->instances : 1;
    if (outcome->kind == TROLLEY_OUTCOME_STORED || outcome->kind == TROLLEY_OUTCOME_REPLACED)
        counts->bytes += outcome->bytes;
}

void report_outcome(struct report *report, const struct trolley_outcome *outcome,
                    const struct task_failure *failure)
{
    pthread_mutex_lock(&report->lock);
    report_count(&report->counts, outcome);
    if (failure && failure->status && !report->first.status) report->first = *failure;
    if (report->options->outcome) report->options->outcome(report->options->ctx, outcome);
    pthread_mutex_unlock(&report->lock);
}

void report_expect(struct report *report, int64_t more)
{
    pthread_mutex_lock(&report->lock);
    report->counts.expected += (uint64_t)more;
    pthread_mutex_unlock(&report->lock);
}

void report_unverified(struct report *report)
{
    pthread_mutex_lock(&report->lock);
    report->counts.unverified_studies++;
    pthread_mutex_unlock(&report->lock);
}

static void report_fill(const struct report *report, struct trolley_counts *ret_counts)
{
    *ret_counts = report->counts;
    ret_counts->seconds = (double)(task_clock_ms() - report->started_ms) / 1000;
}

void report_bytes(struct report *report, uint64_t bytes)
{
    uint64_t all = atomic_fetch_add(&report->bytes, bytes) + bytes;
    long long due = atomic_load_explicit(&report->next_tick_ms, memory_order_relaxed);
    struct trolley_counts counts;
    int64_t now;

    if (!report->options->progress) return;
    now = task_clock_ms();
    if (now < due ||
        !atomic_compare_exchange_strong(&report->next_tick_ms, &due, (long long)(now + TICK_MS)))
        return;
    pthread_mutex_lock(&report->lock);
    report_fill(report, &counts);
    counts.bytes = all;
    report->options->progress(report->options->ctx, &counts);
    pthread_mutex_unlock(&report->lock);
}

void report_worker(struct report *report, const void *id, const char *downloader,
                   const struct trolley_span *refs)
{
    struct trolley_worker worker = {.downloader = downloader};

    if (!report->options->worker) return;
    if (downloader) {
        worker.ref = trolley_span_at(refs, 0);
        worker.count = refs->count;
    }
    pthread_mutex_lock(&report->lock);
    while (worker.number < REPORT_WORKERS_MAX && report->workers[worker.number] &&
           report->workers[worker.number] != id)
        worker.number++;
    if (worker.number < REPORT_WORKERS_MAX) {
        report->workers[worker.number] = id;
        report->options->worker(report->options->ctx, &worker);
    }
    pthread_mutex_unlock(&report->lock);
}

void report_remark(void *ctx, const struct trolley_remark *remark)
{
    struct report *report = ctx;

    if (!report->options->remark) {
        log_write(remark->severity, remark->component, "%s", remark->message);
        return;
    }
    pthread_mutex_lock(&report->lock);
    report->options->remark(report->options->ctx, remark);
    pthread_mutex_unlock(&report->lock);
}

void report_counts(struct report *report, struct trolley_counts *ret_counts)
{
    pthread_mutex_lock(&report->lock);
    report_fill(report, ret_counts);
    pthread_mutex_unlock(&report->lock);
}
