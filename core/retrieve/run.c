/* SPDX-License-Identifier: MIT */
#include "core/retrieve/run.h"

#include <stdlib.h>
#include <time.h>

#include "core/retrieve/counts.h"
#include "core/retrieve/retry.h"
#include "core/retrieve/tell.h"
#include "core/retrieve/worker.h"

/* After a sync that failed: what was lost goes back to its study. */
static void run_lost(void *ctx, struct study *study, const struct trolley_outcome *outcome,
                     const struct task_failure *failure)
{
    struct run *run = ctx;

    tell_lost(study, &run->lock, outcome, failure);
}

int run_sync(struct run *run, bool force, struct task *task)
{
    return store_sync(run->store, force, task, run_lost, run);
}

static void run_unlink(struct run *run, struct study *study)
{
    struct study **at = &run->first;

    while (*at != study)
        at = &(*at)->next;
    *at = study->next;
    if (run->last == &study->next) run->last = at;
    run->in_hand--;
    pthread_cond_broadcast(&run->changed);
}

/* Begins the next round, with this downloader or the next that can do something. False: nobody can.
 * Lock held, open while the searcher names instances. */
static bool run_next_round(struct run *run, struct study *study)
{
    if (atomic_load(run->cancel) || atomic_load(&run->store->dead_by)) return false;
    while (study->downloader < run->downloader_count) {
        struct run_downloader *downloader = &run->downloaders[study->downloader];
        uint64_t wish = study->retry_after_ms;
        bool wait = study->backoff && study->round > 0;

        if (!downloader->dead.status) counts_name_for(run, study, &downloader->ask);
        if (!downloader->dead.status && plan_round(study, &downloader->ask)) {
            /* Gaps are filled at once; what failed is left in peace for a while. */
            study->not_before = !wait ? 0
                                      : task_clock_ms() + retry_delay(downloader->retry_delay_ms,
                                                                      study->delays++, wish);
            study->round++;
            return true;
        }
        study->delays = 0;
        plan_next_downloader(study);
        study->not_before = 0;
    }
    return false;
}

/* All requests of a round are answered: make the group final, then go on or give the verdict. Lock
 * held. */
static void run_advance(struct worker *worker, struct study *study)
{
    struct run *run = worker->run;
    bool more;

    study->advancing = true;
    pthread_mutex_unlock(&run->lock);
    (void)run_sync(run, true, &worker->task);
    pthread_mutex_lock(&run->lock);
    more = run_next_round(run, study);
    study->advancing = false;
    if (more) {
        pthread_cond_broadcast(&run->changed);
        return;
    }
    run_blame(run, study);
    run_unlink(run, study);
    pthread_mutex_unlock(&run->lock);
    run_verdict(run, study);
    pthread_mutex_lock(&run->lock);
}

/* A study whose turn it is and the next request of it. Lock held. Negative: NOMEM. */
static int run_pick(struct run *run, struct chunk *ret_chunk, int64_t *ret_wake_ms)
{
    const int64_t now = task_clock_ms();
    struct study *study;
    int r;

    *ret_wake_ms = -1;
    for (study = run->first; study; study = study->next) {
        struct run_downloader *downloader;

        if (!study->planned || study->advancing) continue;
        downloader = &run->downloaders[study->downloader];
        if (study->not_before > now && !atomic_load(run->cancel)) {
            if (*ret_wake_ms < 0 || study->not_before < *ret_wake_ms)
                *ret_wake_ms = study->not_before;
            continue;
        }
        if (downloader->active >= downloader->max_parallel) continue;
        r = 0;
        if (!downloader->dead.status && !atomic_load(run->cancel) &&
            !atomic_load(&run->store->dead_by))
            r = plan_next(study, &downloader->ask, ret_chunk);
        if (r != 0) return r;
        study->planned = false; /* all requests of the round are given out */
        if (!study->outstanding) {
            ret_chunk->study = study;
            return 0;
        }
    }
    return TROLLEY_ERR_NOT_FOUND;
}

static void run_wait(struct run *run, int64_t wake_ms)
{
    const int64_t wait_ms = wake_ms < 0 ? 200 : wake_ms - task_clock_ms();
    struct timespec until;

    /* At least every 200 ms: a signal handler sets the cancel flag without a word to the condition.
     */
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (wait_ms > 200 ? 200 : wait_ms < 1 ? 1 : wait_ms) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&run->changed, &run->lock, &until);
}

static void *run_work(void *arg)
{
    struct worker *worker = arg;
    struct run *run = worker->run;
    struct chunk chunk = {0};
    int64_t wake_ms;

    pthread_mutex_lock(&run->lock);
    while (!run->closing || run->first) {
        int r = run_pick(run, &chunk, &wake_ms);

        if (r == 1) {
            struct study *study = chunk.study;
            const size_t d = study->downloader;

            study->outstanding++;
            run->downloaders[d].active++;
            worker_fetch(worker, d, &chunk);
            run->downloaders[d].active--;
            study->outstanding--;
            pthread_cond_broadcast(&run->changed);
            chunk_clear(&chunk);
            if (!study->planned && !study->outstanding) run_advance(worker, study);
        } else if (r == 0) {
            run_advance(worker, chunk.study);
        } else {
            run_wait(run, wake_ms);
        }
    }
    pthread_mutex_unlock(&run->lock);
    worker_free(worker);
    return NULL;
}

static int run_hire(struct run *run, pthread_t *ret_thread)
{
    struct worker *worker = worker_new(run);

    if (!worker) return TROLLEY_ERR_NOMEM;
    worker->number = (int)run->thread_count + 1;
    if (pthread_create(ret_thread, NULL, run_work, worker) == 0) return 0;
    worker_free(worker);
    return TROLLEY_ERR_NOMEM;
}

int run_start(struct run *run, struct trolley_error *error)
{
    pthread_condattr_t attributes;
    size_t d, wanted = 1;

    pthread_mutex_init(&run->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&run->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    run->last = &run->first;
    for (d = 0; d < run->downloader_count; d++)
        if (run->downloaders[d].max_parallel > wanted) wanted = run->downloaders[d].max_parallel;
    run->threads = calloc(wanted, sizeof *run->threads);
    if (!run->threads) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    while (run->thread_count < wanted && run_hire(run, &run->threads[run->thread_count]) == 0)
        run->thread_count++;
    if (!run->thread_count) {
        free(run->threads);
        return error_set(error, TROLLEY_ERR_NOMEM, "no thread could be started");
    }
    return 0;
}

void run_add(struct run *run, struct study *study)
{
    pthread_mutex_lock(&run->lock);
    while (run->in_hand >= run->thread_count + 2)
        run_wait(run, -1);
    if (study->naming) study->outstanding++; /* no verdict before the names are there */
    if (!run_next_round(run, study) && !study->naming) {
        run_blame(run, study);
        pthread_mutex_unlock(&run->lock);
        run_verdict(run, study);
        return;
    }
    study->next = NULL;
    *run->last = study;
    run->last = &study->next;
    run->in_hand++;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

void run_named(struct run *run, struct study *study)
{
    study->naming = false;
    study->outstanding--;
    study->planned = true; /* whoever picks it next sees whether the round is over */
    pthread_cond_broadcast(&run->changed);
}

void run_finish(struct run *run)
{
    size_t i;

    pthread_mutex_lock(&run->lock);
    run->closing = true;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    for (i = 0; i < run->thread_count; i++)
        pthread_join(run->threads[i], NULL);
    free(run->threads);
    pthread_mutex_destroy(&run->lock);
    pthread_cond_destroy(&run->changed);
}
