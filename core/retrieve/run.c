/* SPDX-License-Identifier: MIT */
#include "core/retrieve/run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trolley/helpers.h>

#include "core/model/log.h"
#include "core/retrieve/expand.h"
#include "core/retrieve/item.h"
#include "core/retrieve/settle.h"

struct worker {
    struct run *run;
    struct instance **instances; /* one a downloader, made at first use */
    struct task task;
};

/* Why an entry is not there, for the report. */
static const char *verdict_message(const struct study *study, const struct entry *entry,
                                   bool cancelled)
{
    const char *message = study_failure_text(study, entry);

    if (*message) return message;
    return cancelled ? "interrupted before it was fetched"
                     : "asked for, and the server sent nothing";
}

/* More than was expected is no fault of the download, but of what is known about the study. */
static void run_note_extra(const struct run *run, const struct study *study)
{
    struct trolley_ref ref;
    struct trolley_remark remark = {TROLLEY_LOG_WARNING, 0, "host", &ref, NULL};
    char text[160];

    study_study_ref(study, &ref);
    (void)snprintf(text, sizeof text,
                   "study %s: %llu instances came beyond what the searcher named", study->uid,
                   (unsigned long long)study->extra);
    remark.message = text;
    report_remark(run->report, &remark);
}

void run_verdict(struct run *run, struct study *study)
{
    const bool cancelled = atomic_load(run->cancel) != 0;
    uint32_t i;

    if (!study_is_verified(study))
        report_unverified(run->report);
    else if (study->extra)
        run_note_extra(run, study);
    for (i = 0; i < study->entry_count; i++) {
        const struct entry *entry = &study->entries[i];
        struct trolley_outcome outcome = {.kind = TROLLEY_OUTCOME_MISSING};
        struct trolley_ref ref;

        if (entry->state == ENTRY_DONE) continue;
        if (entry->flags & ENTRY_BROKEN) outcome.kind = TROLLEY_OUTCOME_FAILED;
        if (entry->state == ENTRY_IGNORED) outcome.kind = TROLLEY_OUTCOME_IGNORED;
        study_ref(study, entry, &ref);
        outcome.study = ref.study;
        outcome.series = ref.series;
        outcome.instance = ref.instance;
        outcome.message = verdict_message(study, entry, cancelled);
        report_outcome(run->report, &outcome, &study->failures[entry->failure]);
    }
    study_free(study);
}

/* After a sync that failed: what was lost goes back to its study. */
static void run_lost(void *ctx, struct study *study, const struct trolley_outcome *outcome,
                     const struct task_failure *failure)
{
    struct run *run = ctx;

    item_lost(study, &run->lock, outcome, failure);
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
 */
static bool run_next_round(struct run *run, struct study *study)
{
    if (atomic_load(run->cancel) || atomic_load(&run->store->is_dead)) return false;
    while (study->downloader < run->downloader_count) {
        struct run_downloader *downloader = &run->downloaders[study->downloader];
        uint64_t wish = study->retry_after_ms;
        bool wait = study->backoff && study->round > 0;

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

/* A dead downloader's or full disk's reason, for entries that have none of their own. */
static void run_blame(struct run *run, struct study *study)
{
    const struct task_failure *why = NULL;
    uint32_t i;

    for (i = 0; i < run->downloader_count; i++)
        if (run->downloaders[i].dead.status) why = &run->downloaders[i].dead;
    if (run->store->dead.status) why = &run->store->dead;
    for (i = 0; why && i < study->entry_count; i++) {
        struct entry *entry = &study->entries[i];

        if (entry->state == ENTRY_PENDING && !entry->failure) study_fail(study, entry, why);
    }
}

/* All requests of a round are answered: make the group final, then go on or give the verdict. Lock
 * held. */
static void run_advance(struct worker *worker, struct study *study)
{
    struct run *run = worker->run;
    bool more;

    study->advancing = true;
    pthread_mutex_unlock(&run->lock);
    (void)store_sync(run->store, true, &worker->task, run_lost, run);
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

/* The references of a chunk. The caller frees *ret_refs. */
static int chunk_refs(const struct chunk *chunk, struct trolley_ref **ret_refs,
                      struct trolley_span *ret_span)
{
    uint32_t i, count = chunk->level == TROLLEY_LEVEL_STUDY ? 1 : chunk->count;
    struct trolley_ref *refs = calloc(count, sizeof *refs);

    if (!refs) return TROLLEY_ERR_NOMEM;
    for (i = 0; i < count; i++) {
        if (chunk->level == TROLLEY_LEVEL_STUDY)
            study_study_ref(chunk->study, &refs[i]);
        else if (chunk->level == TROLLEY_LEVEL_SERIES)
            study_series_ref(chunk->study, chunk->items[i], &refs[i]);
        else
            study_ref(chunk->study, &chunk->study->entries[chunk->items[i]], &refs[i]);
    }
    *ret_refs = refs;
    ret_span->items = refs;
    ret_span->count = count;
    ret_span->stride = sizeof *refs;
    return 0;
}

/* Did the plugin end a request as cancelled though nothing was? Then this side gave it up, or the
 * plugin is wrong; asked again it would be for ever. */
static void fetch_uncancel(const struct fetch *fetch, struct task_failure *failure)
{
    if (failure->status != TROLLEY_ERR_CANCELLED || atomic_load(fetch->cancel) ||
        atomic_load(&fetch->store->is_dead))
        return;
    if (fetch->gave_up.status) {
        *failure = fetch->gave_up;
        return;
    }
    failure->status = TROLLEY_ERR_INTERNAL;
    failure->flags = TROLLEY_FAILURE_PERMANENT;
    (void)snprintf(failure->message, sizeof failure->message,
                   "downloader %s says that it was cancelled, and nothing was", fetch->downloader);
}

/* This worker's instance of a downloader. */
static int worker_instance(struct worker *worker, size_t d, struct instance **ret_instance)
{
    struct component *component = worker->run->downloaders[d].component;
    struct trolley_error error;
    int r;

    worker->task.component = component->title;
    if (!worker->instances[d]) {
        r = instance_new(component, &worker->task, &worker->instances[d], &error);
        if (r < 0) return r;
    }
    *ret_instance = worker->instances[d];
    return 0;
}

/* Fetches one chunk. Called and returns with the lock held; it is open in between. */
static void worker_fetch(struct worker *worker, size_t d, struct chunk *chunk)
{
    struct run *run = worker->run;
    struct run_downloader *downloader = &run->downloaders[d];
    struct fetch fetch = {.study = chunk->study,
                          .chunk = chunk,
                          .downloader = downloader->component->name,
                          .max_instance = downloader->max_instance,
                          .store = run->store,
                          .report = run->report,
                          .run_lock = &run->lock,
                          .cancel = run->cancel,
                          .request = ++chunk->study->requests};
    const struct trolley_dataset_sink sink = item_sink(&fetch);
    struct task_failure failure = {0};
    struct trolley_ref *refs = NULL;
    struct instance *instance;
    struct trolley_span span;
    int r = chunk_refs(chunk, &refs, &span);

    pthread_mutex_unlock(&run->lock);
    task_reset(&worker->task);
    if (r == 0) r = worker_instance(worker, d, &instance);
    if (r == 0) report_worker(run->report, worker, downloader->component->title, &span);
    if (r == 0) r = instance->ops.downloader.fetch(instance->self, &span, &sink, &worker->task.abi);
    report_worker(run->report, worker, NULL, NULL);
    if (r < 0) task_failure_of(&worker->task, r, &failure);
    free(refs);
    (void)store_sync(run->store, false, &worker->task, run_lost, run);
    pthread_mutex_lock(&run->lock);
    if (r < 0) fetch_uncancel(&fetch, &failure);
    if (!fetch.stop_all.status && r < 0 && (failure.flags & TROLLEY_FAILURE_STOP_ALL))
        fetch.stop_all = failure;
    if (!downloader->dead.status) downloader->dead = fetch.stop_all;
    settle_chunk(chunk, &downloader->ask, r < 0 ? &failure : NULL);
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
            !atomic_load(&run->store->is_dead))
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

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct run *run = worker->run;
    struct chunk chunk = {0};
    int64_t wake_ms;
    size_t d;

    task_init(&worker->task, "host", run->cancel, report_remark, run->report);
    pthread_mutex_lock(&run->lock);
    while (!run->closing || run->first) {
        int r = run_pick(run, &chunk, &wake_ms);

        if (r == 1) {
            struct study *study = chunk.study;

            d = study->downloader;
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
    for (d = 0; d < run->downloader_count; d++)
        instance_free(worker->instances[d]);
    task_clear(&worker->task);
    free(worker->instances);
    free(worker);
    return NULL;
}

static int worker_start(struct run *run, pthread_t *ret_thread)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (!worker) return TROLLEY_ERR_NOMEM;
    worker->run = run;
    worker->instances = calloc(run->downloader_count, sizeof(struct instance *));
    if (worker->instances && pthread_create(ret_thread, NULL, worker_main, worker) == 0) return 0;
    free(worker->instances);
    free(worker);
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
    while (run->thread_count < wanted && worker_start(run, &run->threads[run->thread_count]) == 0)
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
    if (!run_next_round(run, study)) {
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
