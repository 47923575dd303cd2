/* run.c: one task from its taking up to its end. SPDX-License-Identifier: MIT */
#include "core/prefetch/run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/model/error.h"

#define RUN_WRITE_AGAIN \
    1000 /* milliseconds before an ending that could not be written is tried again */

void prefetch_run_remark(struct prefetch_scheduler *scheduler, uint32_t severity, const char *study,
                         const char *format, ...)
{
    const struct trolley_ref ref = {
        .size = sizeof ref, .level = TROLLEY_LEVEL_STUDY, .study = study};
    struct trolley_error text;
    struct trolley_remark remark = {severity, 0, "prefetch", study ? &ref : NULL, text.message};
    char line[1800];
    va_list args;

    if (!scheduler->given.remark) return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    (void)error_set(&text, 0, "%s", line);
    pthread_mutex_lock(&scheduler->remark_lock);
    scheduler->given.remark(scheduler->given.remark_ctx, &remark);
    pthread_mutex_unlock(&scheduler->remark_lock);
}

/* ---- requests that failed ------------------------------------------------------------------- */

static const char *request_text(const char *text)
{
    return *text ? text : NULL;
}

static void request_copy(struct run_request *copy, const struct prefetch_request *request,
                         const char *message)
{
    copy->url = request->url;
    copy->frame = request->frame;
    (void)snprintf(copy->study, sizeof copy->study, "%s", request->study ? request->study : "");
    (void)snprintf(copy->series, sizeof copy->series, "%s", request->series ? request->series : "");
    (void)snprintf(copy->instance, sizeof copy->instance, "%s",
                   request->instance ? request->instance : "");
    (void)snprintf(copy->message, sizeof copy->message, "%s", message ? message : "");
}

static void request_of(const struct run_request *copy, struct prefetch_request *request)
{
    *request = (struct prefetch_request){
        .url = copy->url,
        .study = request_text(copy->study),
        .series = request_text(copy->series),
        .instance = request_text(copy->instance),
        .frame = copy->frame,
    };
}

/* Writes those in memory, of the generation behind the one that is repeated. */
static int run_flush(struct prefetch_run *run)
{
    struct prefetch_failed rows[RUN_FAILED];
    uint32_t i;
    int r;

    if (run->failed.count == 0) return 0;
    for (i = 0; i < run->failed.count; i++) {
        request_of(&run->failed.items[i], &rows[i].request);
        rows[i].message = run->failed.items[i].message;
    }
    r = prefetch_store_failed_add(run->scheduler->given.store, run->claim.id,
                                  run->claim.generation + 1, rows, run->failed.count,
                                  &run->store_error);
    if (r == 0) run->failed.count = 0;
    return r;
}

static int run_failed(void *ctx, const struct prefetch_request *request, const char *message)
{
    struct prefetch_run *run = ctx;

    request_copy(&run->failed.items[run->failed.count++], request, message);
    return run->failed.count < RUN_FAILED ? 0 : run_flush(run);
}

static int run_again_read(void *ctx, const struct prefetch_failed *failed)
{
    struct prefetch_run *run = ctx;

    request_copy(&run->again.items[run->again.count++], &failed->request, failed->message);
    return 0;
}

static int run_again(void *ctx, struct prefetch_request *ret_request)
{
    struct prefetch_run *run = ctx;
    int r;

    if (run->again.at == run->again.count && !run->again_over) {
        run->again.at = run->again.count = 0;
        r = prefetch_store_failed_read(run->scheduler->given.store, run->claim.id,
                                       run->claim.generation, run->again_after, RUN_FAILED,
                                       run_again_read, run, &run->again_after, &run->store_error);
        if (r < 0) return r;
        run->again_over = r == 0;
    }
    if (run->again_over) return 0;
    request_of(&run->again.items[run->again.at++], ret_request);
    return 1;
}

static void run_export_remark(void *ctx, const struct trolley_remark *remark)
{
    const struct prefetch_run *run = ctx;
    struct prefetch_scheduler *scheduler = run->scheduler;

    if (!scheduler->given.remark) return;
    pthread_mutex_lock(&scheduler->remark_lock);
    scheduler->given.remark(scheduler->given.remark_ctx, remark);
    pthread_mutex_unlock(&scheduler->remark_lock);
}

/* ---- how it ended --------------------------------------------------------------------------- */

static bool run_may_retry(const struct prefetch_run *run, const struct prefetch_result *result)
{
    const struct prefetch_queue *queue = run->exporter->queue;

    if (run->claim.retries >= queue->max_retries) return false;
    return result->outcome == PREFETCH_FAILED ||
           (result->outcome == PREFETCH_WARNING && queue->retry_on_warning);
}

/* Every request that failed is known one by one: only then is it enough to repeat those. */
static bool run_repeatable(const struct prefetch_run *run, const struct prefetch_result *result)
{
    return !run->exporter->retry_all && result->failed > 0 && !result->unfinished;
}

static void run_judge(struct prefetch_run *run, int r, const struct prefetch_result *result,
                      int64_t now_ms, struct prefetch_ending *ret_ending)
{
    int64_t delay;

    *ret_ending = (struct prefetch_ending){.result = result, .urls = run->urls, .due_ms = now_ms};
    if (r == TROLLEY_ERR_CANCELLED) {
        ret_ending->state = TROLLEY_PREFETCH_SCHEDULED;
        return;
    }
    if (run_may_retry(run, result)) {
        delay = prefetch_retry_delay(run->exporter->queue, run->claim.retries + 1);
        if (delay < (int64_t)result->retry_after_ms) delay = (int64_t)result->retry_after_ms;
        ret_ending->state = TROLLEY_PREFETCH_RETRY;
        ret_ending->due_ms = now_ms + delay;
        ret_ending->everything = !run_repeatable(run, result);
        return;
    }
    ret_ending->state = result->outcome == PREFETCH_COMPLETED ? TROLLEY_PREFETCH_COMPLETED
                        : result->outcome == PREFETCH_WARNING ? TROLLEY_PREFETCH_WARNING
                                                              : TROLLEY_PREFETCH_FAILED;
}

/* Until it is written the task keeps its place: at worst it is done once more after a restart. */
static uint32_t run_write(struct prefetch_run *run, const struct prefetch_ending *ending,
                          int64_t now_ms)
{
    struct prefetch_scheduler *scheduler = run->scheduler;
    struct trolley_error error = {0};
    bool said = false, stopping = false;
    uint32_t state = 0;

    while (prefetch_store_finish(scheduler->given.store, &run->claim, ending, now_ms, &state,
                                 &error) < 0) {
        if (!said)
            prefetch_run_remark(scheduler, TROLLEY_LOG_ERROR, run->claim.study,
                                "task %" PRId64 ": how it ended cannot be written down: %s",
                                run->claim.id, error.message);
        said = true;
        if (stopping) return 0;
        pthread_mutex_lock(&scheduler->lock);
        stopping = scheduler->stopping;
        pthread_mutex_unlock(&scheduler->lock);
        if (!stopping) (void)prefetch_scheduler_wait(scheduler, RUN_WRITE_AGAIN);
    }
    return state;
}

static void run_tell(struct prefetch_run *run, uint32_t state, const struct prefetch_ending *ending)
{
    const uint32_t severity = state == TROLLEY_PREFETCH_FAILED ? TROLLEY_LOG_ERROR
                              : state == TROLLEY_PREFETCH_WARNING || state == TROLLEY_PREFETCH_RETRY
                                  ? TROLLEY_LOG_WARNING
                                  : TROLLEY_LOG_INFO;
    const char *name = trolley_prefetch_state_name(state);

    prefetch_run_remark(run->scheduler, severity, run->claim.study,
                        "task %" PRId64 " (%s, study %s%s%s): %s: %s", run->claim.id,
                        run->exporter->id, run->claim.study, run->claim.series[0] ? " series " : "",
                        run->claim.series, name ? name : "deleted", ending->result->message);
}

static void run_count(struct prefetch_scheduler *scheduler, uint32_t state)
{
    struct trolley_prefetch_run_counts *counts = &scheduler->counts;

    counts->completed += state == TROLLEY_PREFETCH_COMPLETED;
    counts->warnings += state == TROLLEY_PREFETCH_WARNING;
    counts->failed += state == TROLLEY_PREFETCH_FAILED;
    counts->retries += state == TROLLEY_PREFETCH_RETRY;
}

/* ---- running -------------------------------------------------------------------------------- */

static int run_export(struct prefetch_run *run, struct prefetch_result *result)
{
    const struct prefetch_scheduling *given = &run->scheduler->given;
    const struct prefetch_export_callbacks callbacks = {
        .ctx = run,
        .again = run->claim.generation ? run_again : NULL,
        .failed = run_failed,
        .remark = run_export_remark,
    };
    const struct prefetch_scope scope = {run->claim.study, request_text(run->claim.series),
                                         request_text(run->claim.instance)};
    struct trolley_error error = {0};
    int r = given->exporting(given->exporting_ctx, run->exporter, &scope, &callbacks, &run->cancel,
                             result, &error);

    if (r == 0 || r == TROLLEY_ERR_CANCELLED) {
        int flushed = run_flush(run);

        if (flushed == 0) return r;
        r = r == 0 ? flushed : r;
    }
    if (r == TROLLEY_ERR_CANCELLED) return r;
    /* It never came to a judgement, or what failed could not be kept: all of it again. */
    result->outcome = PREFETCH_FAILED;
    result->unfinished = true;
    (void)snprintf(result->message, sizeof result->message, "%.*s", (int)sizeof result->message - 1,
                   run->store_error.message[0] ? run->store_error.message
                   : error.message[0]          ? error.message
                                               : trolley_status_name(r));
    return 0;
}

static void *run_main(void *arg)
{
    struct prefetch_run *run = arg;
    struct prefetch_scheduler *scheduler = run->scheduler;
    struct prefetch_ending ending;
    uint32_t state;
    int r = run_export(run, &run->result);
    int64_t now = prefetch_clock_now(scheduler->given.clock);

    run_judge(run, r, &run->result, now, &ending);
    state = run_write(run, &ending, now);
    run_tell(run, state, &ending);
    pthread_mutex_lock(&scheduler->lock);
    run_count(scheduler, state);
    run->ended = true;
    scheduler->running--;
    pthread_cond_broadcast(&scheduler->news);
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

int prefetch_run_start(struct prefetch_run *run, struct trolley_error *error)
{
    struct prefetch_scheduler *scheduler = run->scheduler;
    int r;

    pthread_mutex_lock(&scheduler->lock);
    r = pthread_create(&run->thread, NULL, run_main, run);
    if (r == 0) {
        run->next = scheduler->runs;
        scheduler->runs = run;
        scheduler->running++;
    }
    pthread_mutex_unlock(&scheduler->lock);
    return r == 0 ? 0
                  : error_set(error, TROLLEY_ERR_NOMEM, "no thread for a task: %s", strerror(r));
}
