/* scheduler.c: which task runs next. SPDX-License-Identifier: MIT */
#include "core/prefetch/scheduler.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/model/error.h"
#include "core/prefetch/run.h"
#include "core/prefetch/schedule.h"

int64_t prefetch_retry_delay(const struct prefetch_queue *queue, uint32_t n)
{
    int64_t delay = queue->retry_delay_ms, most = queue->max_retry_delay_ms;
    uint32_t i;

    for (i = 1; i < n && !(most > 0 && delay >= most); i++) {
        if (delay > INT64_MAX / 2 / ((int64_t)queue->retry_multiplier + 1)) break;
        delay = delay * queue->retry_multiplier / 100;
        if (queue->retry_multiplier == 100) break;
    }
    return most > 0 && delay > most ? most : delay;
}

void prefetch_urls_hash(const struct prefetch_exporter *exporter, char out[17])
{
    uint64_t hash = UINT64_C(14695981039346656037);
    const char *p;
    uint32_t i;

    for (i = 0; i < exporter->url_count; i++)
        for (p = exporter->urls[i].text; p; p = *p ? p + 1 : NULL)
            hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    (void)snprintf(out, 17, "%016" PRIx64, hash);
}

/* ---- life ----------------------------------------------------------------------------------- */

int prefetch_scheduler_new(const struct prefetch_scheduling *scheduling,
                           struct prefetch_scheduler **ret_scheduler, struct trolley_error *error)
{
    struct prefetch_scheduler *scheduler = calloc(1, sizeof *scheduler);
    pthread_condattr_t steady;

    if (!scheduler) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    scheduler->given = *scheduling;
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_mutex_init(&scheduler->remark_lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&scheduler->news, &steady);
    pthread_condattr_destroy(&steady);
    *ret_scheduler = scheduler;
    return 0;
}

/* Frees runs that ended. */
static void scheduler_reap(struct prefetch_scheduler *scheduler)
{
    struct prefetch_run **place, *run, *ended = NULL;

    pthread_mutex_lock(&scheduler->lock);
    for (place = &scheduler->runs; (run = *place);) {
        if (run->ended) {
            *place = run->next;
            run->next = ended;
            ended = run;
        } else {
            place = &run->next;
        }
    }
    pthread_mutex_unlock(&scheduler->lock);
    while ((run = ended)) {
        ended = run->next;
        pthread_join(run->thread, NULL);
        free(run);
    }
}

void prefetch_scheduler_stop(struct prefetch_scheduler *scheduler)
{
    struct prefetch_run *run;

    pthread_mutex_lock(&scheduler->lock);
    scheduler->stopping = true;
    for (run = scheduler->runs; run; run = run->next)
        atomic_store(&run->cancel, 1);
    pthread_cond_broadcast(&scheduler->news);
    pthread_mutex_unlock(&scheduler->lock);
}

void prefetch_scheduler_drain(struct prefetch_scheduler *scheduler)
{
    prefetch_scheduler_stop(scheduler);
    pthread_mutex_lock(&scheduler->lock);
    while (scheduler->running > 0)
        pthread_cond_wait(&scheduler->news, &scheduler->lock);
    pthread_mutex_unlock(&scheduler->lock);
    scheduler_reap(scheduler);
}

void prefetch_scheduler_free(struct prefetch_scheduler *scheduler)
{
    if (!scheduler) return;
    prefetch_scheduler_drain(scheduler);
    pthread_cond_destroy(&scheduler->news);
    pthread_mutex_destroy(&scheduler->lock);
    pthread_mutex_destroy(&scheduler->remark_lock);
    free(scheduler);
}

uint32_t prefetch_scheduler_running(struct prefetch_scheduler *scheduler)
{
    uint32_t running;

    pthread_mutex_lock(&scheduler->lock);
    running = scheduler->running;
    pthread_mutex_unlock(&scheduler->lock);
    return running;
}

void prefetch_scheduler_counts(struct prefetch_scheduler *scheduler,
                               struct trolley_prefetch_run_counts *ret_counts)
{
    pthread_mutex_lock(&scheduler->lock);
    *ret_counts = scheduler->counts;
    pthread_mutex_unlock(&scheduler->lock);
}

void prefetch_scheduler_wake(struct prefetch_scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->woken = true;
    pthread_cond_broadcast(&scheduler->news);
    pthread_mutex_unlock(&scheduler->lock);
}

bool prefetch_scheduler_wait(struct prefetch_scheduler *scheduler, int64_t ms)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&scheduler->lock);
    if (!scheduler->woken && !scheduler->stopping)
        r = pthread_cond_timedwait(&scheduler->news, &scheduler->lock, &until);
    scheduler->woken = false;
    pthread_mutex_unlock(&scheduler->lock);
    return r == 0;
}

/* ---- choosing ------------------------------------------------------------------------------- */

/* Canceled or deleted while they run: they end before their next request. */
static void scheduler_obey(struct prefetch_scheduler *scheduler)
{
    struct prefetch_run *run;

    /* Only step takes runs out of the list, in this thread. */
    pthread_mutex_lock(&scheduler->lock);
    run = scheduler->runs;
    pthread_mutex_unlock(&scheduler->lock);
    for (; run; run = run->next)
        if (!atomic_load(&run->cancel) &&
            prefetch_store_runs(scheduler->given.store, run->claim.id, NULL) == 0)
            atomic_store(&run->cancel, 1);
}

static uint32_t queue_running(struct prefetch_scheduler *scheduler,
                              const struct prefetch_queue *queue)
{
    const struct prefetch_run *run;
    uint32_t running = 0;

    pthread_mutex_lock(&scheduler->lock);
    for (run = scheduler->runs; run; run = run->next)
        running += !run->ended && run->exporter->queue == queue;
    pthread_mutex_unlock(&scheduler->lock);
    return running;
}

/* Of the queue's exporters, the one whose next task is due first and not past `now`. `passed`: one
 * byte an exporter, set for those that cannot start anything now. NULL in *ret when there is none;
 * *next is brought down to what is due later. */
static int queue_choose(struct prefetch_scheduler *scheduler, const struct prefetch_queue *queue,
                        int64_t now, const uint8_t *passed, int64_t *next, uint32_t *ret_exporter,
                        struct trolley_error *error)
{
    const struct prefetch_settings *settings = scheduler->given.settings;
    int64_t best = INT64_MAX, due = INT64_MAX;
    uint32_t i;
    int r;

    *ret_exporter = settings->exporter_count;
    for (i = 0; i < settings->exporter_count; i++) {
        if (settings->exporters[i].queue != queue || passed[i]) continue;
        r = prefetch_store_next(scheduler->given.store, settings->exporters[i].id, &due, error);
        if (r < 0) return r;
        if (due > now && due < *next) *next = due;
        if (due > now || due >= best) continue;
        best = due;
        *ret_exporter = i;
    }
    return 0;
}

/* Outside its exporter's schedule a task waits until that opens. 1 when it is open. */
static int exporter_open(struct prefetch_scheduler *scheduler,
                         const struct prefetch_exporter *exporter, int64_t now, int64_t *next,
                         struct trolley_error *error)
{
    int64_t opens;
    int r;

    if (prefetch_schedule_open(exporter->schedule, now)) return 1;
    opens = prefetch_schedule_next(exporter->schedule, now);
    if (opens <= now) return 0;
    r = prefetch_store_postpone(scheduler->given.store, exporter->id, now, opens, error);
    if (r >= 0 && opens < *next) *next = opens;
    return r < 0 ? r : 0;
}

/* Takes up and starts the next task of an exporter: 1, 0 when none may start, or negative. */
static int exporter_start(struct prefetch_scheduler *scheduler,
                          const struct prefetch_exporter *exporter, int64_t now,
                          struct trolley_error *error)
{
    struct prefetch_run *run = calloc(1, sizeof *run);
    struct prefetch_ending back = {.state = TROLLEY_PREFETCH_SCHEDULED};
    uint32_t state;
    int r;

    if (!run) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    run->scheduler = scheduler;
    run->exporter = exporter;
    prefetch_urls_hash(exporter, run->urls);
    r = prefetch_store_claim(scheduler->given.store, exporter->id, run->urls, now, &run->claim,
                             error);
    if (r <= 0) {
        free(run);
        return r;
    }
    r = prefetch_run_start(run, error);
    if (r == 0) return 1;
    back.urls = run->urls;
    (void)prefetch_store_finish(scheduler->given.store, &run->claim, &back, now, &state, NULL);
    free(run);
    return r;
}

static int queue_step(struct prefetch_scheduler *scheduler, const struct prefetch_queue *queue,
                      int64_t now, uint8_t *passed, int64_t *next, struct trolley_error *error)
{
    const struct prefetch_settings *settings = scheduler->given.settings;
    uint32_t exporter, started = 0, running = queue_running(scheduler, queue);
    int64_t opens;
    int r = prefetch_store_paused(scheduler->given.store, queue->name, error);

    if (r != 0) return r < 0 ? r : 0;
    if (!prefetch_schedule_open(queue->schedule, now)) {
        opens = prefetch_schedule_next(queue->schedule, now);
        if (opens > now && opens < *next) *next = opens;
        return 0;
    }
    while (running + started < queue->max_parallel) {
        r = queue_choose(scheduler, queue, now, passed, next, &exporter, error);
        if (r < 0) return r;
        if (exporter == settings->exporter_count) break;
        r = exporter_open(scheduler, &settings->exporters[exporter], now, next, error);
        if (r > 0) r = exporter_start(scheduler, &settings->exporters[exporter], now, error);
        if (r < 0) return r;
        started += (uint32_t)r;
        if (r == 0) passed[exporter] = 1;
    }
    return (int)started;
}

int prefetch_scheduler_step(struct prefetch_scheduler *scheduler, int64_t *ret_next_ms,
                            struct trolley_error *error)
{
    const struct prefetch_settings *settings = scheduler->given.settings;
    int64_t now = prefetch_clock_now(scheduler->given.clock), next = INT64_MAX;
    bool stopping;
    uint8_t *passed;
    int r = 0, started = 0;
    uint32_t i;

    pthread_mutex_lock(&scheduler->lock);
    stopping = scheduler->stopping;
    pthread_mutex_unlock(&scheduler->lock);
    scheduler_reap(scheduler);
    scheduler_obey(scheduler);
    passed = calloc(settings->exporter_count + 1, 1);
    if (!passed) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    for (i = 0; r >= 0 && i < settings->queue_count && !stopping; i++) {
        r = queue_step(scheduler, &settings->queues[i], now, passed, &next, error);
        if (r > 0) started += r;
    }
    free(passed);
    if (r < 0) return r;
    *ret_next_ms = next;
    return started;
}

/* ---- ages ----------------------------------------------------------------------------------- */

int prefetch_purge(struct prefetch_store *store, const struct prefetch_settings *settings,
                   int64_t now_ms, struct trolley_error *error)
{
    uint32_t i, j;
    int r = 0;

    for (i = 0; i < settings->exporter_count; i++) {
        const struct prefetch_exporter *exporter = &settings->exporters[i];
        const struct {
            uint32_t state;
            int64_t age_ms;
        } ages[] = {{TROLLEY_PREFETCH_COMPLETED, exporter->queue->purge_completed_ms},
                    {TROLLEY_PREFETCH_WARNING, exporter->queue->purge_warning_ms},
                    {TROLLEY_PREFETCH_FAILED, exporter->queue->purge_failed_ms},
                    {TROLLEY_PREFETCH_CANCELED, exporter->queue->purge_canceled_ms}};

        for (j = 0; j < sizeof ages / sizeof ages[0]; j++) {
            if (ages[j].age_ms < 0) continue;
            do
                r = prefetch_store_purge(store, exporter->id, ages[j].state,
                                         now_ms - ages[j].age_ms, error);
            while (r > 0);
            if (r < 0) return r;
        }
    }
    return 0;
}
