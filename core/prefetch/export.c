/* export.c: one task: its requests made out by one thread and carried out by others.
 * SPDX-License-Identifier: MIT */
#include "core/prefetch/export.h"

#include <kit/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/model/error.h"
#include "core/prefetch/expand.h"
#include "core/prefetch/job.h"

#define JOB_WAIT_MS 200 /* between looks at whether it was cancelled */

static bool job_cancelled(const struct job *job)
{
    return (job->cancel && atomic_load(job->cancel)) || atomic_load(&job->engine->setup->cancelled);
}

bool job_goes_on(struct job *job)
{
    bool ended;

    pthread_mutex_lock(&job->lock);
    ended = job->ended;
    pthread_mutex_unlock(&job->lock);
    return !ended && !job_cancelled(job);
}

void job_end(struct job *job, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    pthread_mutex_lock(&job->lock);
    if (!*job->fatal) (void)vsnprintf(job->fatal, sizeof job->fatal, format, args);
    job->ended = true;
    job->result.unfinished = true;
    pthread_cond_broadcast(&job->changed);
    pthread_mutex_unlock(&job->lock);
    va_end(args);
}

struct prefetch_request job_request(const struct job_item *item)
{
    return (struct prefetch_request){.url = item->url,
                                     .study = *item->study ? item->study : NULL,
                                     .series = *item->series ? item->series : NULL,
                                     .instance = *item->instance ? item->instance : NULL,
                                     .frame = item->frame};
}

static void job_item_text(char own[KIT_UID_MAX + 1], const char *text)
{
    (void)snprintf(own, KIT_UID_MAX + 1, "%s", text ? text : "");
}

void job_item_set(struct job_item *item, const struct prefetch_request *request)
{
    item->url = request->url;
    item->frame = request->frame;
    job_item_text(item->study, request->study);
    job_item_text(item->series, request->series);
    job_item_text(item->instance, request->instance);
}

void job_failed(struct job *job, const struct job_item *item, const char *message)
{
    const struct prefetch_request request = job_request(item);
    int i, r;

    pthread_mutex_lock(&job->lock);
    job->result.failed++;
    for (i = 0; i < JOB_ERRORS && *job->errors[i]; i++)
        if (strncmp(job->errors[i], message, sizeof job->errors[i] - 1) == 0) break;
    if (i < JOB_ERRORS) (void)snprintf(job->errors[i], sizeof job->errors[i], "%s", message);
    if (job->callbacks->failed && job->told == 0) {
        r = job->callbacks->failed(job->callbacks->ctx, &request, message);
        if (r < 0) {
            job->told = r;
            job->ended = true;
            job->result.unfinished = true;
            pthread_cond_broadcast(&job->changed);
        }
    }
    pthread_mutex_unlock(&job->lock);
}

void job_remark(void *ctx, const struct trolley_remark *remark)
{
    struct job *job = ctx;

    if (!job->callbacks->remark) return;
    pthread_mutex_lock(&job->lock);
    job->callbacks->remark(job->callbacks->ctx, remark);
    pthread_mutex_unlock(&job->lock);
}

/* Waits a little for a change. Under the lock. */
static void job_wait(struct job *job)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += JOB_WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_cond_timedwait(&job->changed, &job->lock, &until);
}

/* Hands a request to the workers; waits while they have enough. */
static int job_push(void *ctx, const struct prefetch_request *request)
{
    struct job *job = ctx;
    int r = TROLLEY_ERR_CANCELLED;

    pthread_mutex_lock(&job->lock);
    while (job->count == JOB_QUEUE && !job->ended && !job_cancelled(job))
        job_wait(job);
    if (!job->ended && !job_cancelled(job)) {
        job_item_set(&job->queue[(job->first + job->count++) % JOB_QUEUE], request);
        pthread_cond_broadcast(&job->changed);
        r = 0;
    }
    pthread_mutex_unlock(&job->lock);
    return r;
}

/* The next request for a worker; false when there are none any more. */
static bool job_pop(struct job *job, struct job_item *item)
{
    bool got = false;

    pthread_mutex_lock(&job->lock);
    while (!job->count && !job->closed && !job->ended && !job_cancelled(job))
        job_wait(job);
    if (job->count && !job->ended && !job_cancelled(job)) {
        *item = job->queue[job->first];
        job->first = (job->first + 1) % JOB_QUEUE;
        job->count--;
        job->result.requested++;
        got = true;
        pthread_cond_broadcast(&job->changed);
    }
    pthread_mutex_unlock(&job->lock);
    return got;
}

static void *job_work(void *ctx)
{
    struct job *job = ctx;
    struct trolley_error error = {0};
    struct engine_door *door;
    struct job_item item;
    struct task task;

    task_init(&task, job->title, &job->engine->setup->cancelled, job_remark, job);
    if (engine_door_take(job->engine, job->exporter, &task, &door, &error) < 0) {
        job_end(job, "%s", error.message);
    } else {
        while (job_pop(job, &item))
            job_perform(job, &item, door, &task);
        engine_door_give(job->engine, door);
    }
    task_clear(&task);
    return NULL;
}

/* What would be requested, told instead. */
static int job_rehearse(void *ctx, const struct prefetch_request *request)
{
    struct job *job = ctx;
    struct kit_buffer url = {0};
    int r = job_url(job->exporter, request, &url);

    if (r == 0) {
        pthread_mutex_lock(&job->lock);
        job->result.requested++;
        r = job->callbacks->rehearsed(job->callbacks->ctx, request, url.data);
        pthread_mutex_unlock(&job->lock);
    }
    kit_buffer_free(&url);
    return r;
}

static bool job_uid_fine(const char *uid)
{
    return !uid || kit_uid_valid(uid);
}

/* The requests that failed last time. */
static int job_again(struct job *job,
                     int (*emit)(void *ctx, const struct prefetch_request *request))
{
    struct prefetch_request request;
    struct job_item item;
    int r = 0;

    while (r == 0) {
        memset(&request, 0, sizeof request);
        pthread_mutex_lock(&job->lock);
        r = job->callbacks->again(job->callbacks->ctx, &request);
        if (r > 0) job_item_set(&item, &request);
        pthread_mutex_unlock(&job->lock);
        if (r <= 0) return r;
        request = job_request(&item);
        /* The INI file may have changed since, and nobody vouches for what was kept. */
        r = item.url < job->exporter->url_count && job_uid_fine(request.study) &&
                    job_uid_fine(request.series) && job_uid_fine(request.instance)
                ? emit(job, &request)
                : 0;
    }
    return r;
}

/* Makes out all requests. *ret_expected: there were none, where images were expected. */
static int job_produce(struct job *job, const struct prefetch_scope *scope, bool *ret_expected,
                       struct trolley_error *error)
{
    const struct prefetch_exporter *exporter = job->exporter;
    struct expansion expansion = {.exporter = exporter,
                                  .scope = scope,
                                  .cancel =
                                      job->cancel ? job->cancel : &job->engine->setup->cancelled,
                                  .ctx = job,
                                  .emit = job->callbacks->rehearsed ? job_rehearse : job_push,
                                  .error = error};
    struct engine_searcher *searcher = NULL;
    struct instance *metadata = NULL;
    struct task task;
    int r = 0;

    if (job->callbacks->again && !exporter->retry_all) return job_again(job, expansion.emit);
    task_init(&task, job->title, expansion.cancel, job_remark, job);
    if (exporter->searcher)
        r = engine_searcher_take(job->engine, exporter->searcher, &searcher, error);
    if (r == 0 && searcher) {
        const struct component *component = searcher->instance->component;

        expansion.expander.searcher = searcher->instance;
        expansion.expander.levels = instance_levels(searcher->instance);
        patience_of(component, &expansion.expander.patience);
        task.component = component->title;
    }
    expansion.expander.task = &task;
    if (r == 0 && exporter->metadata)
        r = engine_instance(job->engine, "downloader", exporter->metadata, &metadata, error);
    expansion.metadata = metadata;
    if (r == 0) r = expansion_run(&expansion);
    instance_free(metadata);
    engine_searcher_give(job->engine, searcher);
    task_clear(&task);
    *ret_expected = r == 0 && !expansion.emitted && (!expansion.pictureless || expansion.rowless);
    return r;
}

/* Opens the storages; one that could not take anything now (a mount that is gone) fails here,
 * before anything is requested. */
static int job_open_storages(struct job *job, const struct prefetch_scope *scope, struct task *task,
                             struct trolley_error *error)
{
    uint32_t i;
    void *writer;
    int r = 0;

    for (i = 0; r == 0 && i < job->exporter->url_count; i++) {
        const char *series = scope->series ? scope->series : "0";
        const struct trolley_meta meta = {.size = sizeof meta,
                                          .frame = 1,
                                          .study = scope->study,
                                          .series = series,
                                          .instance = scope->instance ? scope->instance : series,
                                          .content_type = "application/octet-stream",
                                          .variant = "probe"};

        if (!job->exporter->urls[i].storage) continue;
        r = engine_storage(job->engine, job->exporter->urls[i].storage, &job->storages[i], error);
        if (r < 0) return r;
        task_reset(task);
        r = store_open(&job->storages[i]->store, &meta, task, &writer);
        if (r < 0) return task_error(task, r, error);
        job->storages[i]->store.ops->abort(writer);
    }
    return r;
}

/* Runs the workers while the requests are made out. */
static int job_run(struct job *job, const struct prefetch_scope *scope, bool *ret_expected,
                   struct trolley_error *error)
{
    pthread_t threads[64];
    uint32_t i, count = 0;
    int r;

    for (i = 0; i < job->exporter->parallel_requests && i < 64; i++)
        if (pthread_create(&threads[count], NULL, job_work, job) == 0) count++;
    r = count ? job_produce(job, scope, ret_expected, error)
              : error_set(error, TROLLEY_ERR_NOMEM, "no thread can be started");
    pthread_mutex_lock(&job->lock);
    job->closed = true;
    /* What a search named before it failed is not requested: a retry begins anew. */
    if (r < 0) job->ended = job->result.unfinished = true;
    pthread_cond_broadcast(&job->changed);
    pthread_mutex_unlock(&job->lock);
    for (i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    return r;
}

static void job_free(struct job *job)
{
    unique_free(job->unique);
    free(job->storages);
    free(job->title);
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->lock);
    free(job);
}

static struct job *job_new(struct prefetch_engine *engine, const struct prefetch_exporter *exporter,
                           const struct prefetch_export_callbacks *callbacks,
                           const atomic_int *cancel)
{
    struct job *job = calloc(1, sizeof *job);
    struct kit_buffer title = {0};
    pthread_condattr_t monotonic;

    if (!job) return NULL;
    job->engine = engine;
    job->exporter = exporter;
    job->callbacks = callbacks;
    job->cancel = cancel;
    pthread_mutex_init(&job->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&job->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    job->storages = calloc(exporter->url_count, sizeof(struct engine_storage *));
    (void)kit_buffer_printf(&title, "exporter %s", exporter->id);
    job->title = kit_buffer_take(&title);
    if (job->storages && job->title && (!exporter->verify_unique || unique_new(&job->unique) == 0))
        return job;
    job_free(job);
    return NULL;
}

/* All of it but the words at its end. Negative: it is CANCELLED, or a callback's wish. */
static int job_carry_out(struct job *job, const struct prefetch_scope *scope, bool *ret_expected,
                         struct trolley_error *error)
{
    struct trolley_error why = {0};
    struct task task;
    int r;

    task_init(&task, job->title, &job->engine->setup->cancelled, job_remark, job);
    if (job->callbacks->rehearsed) {
        r = job_produce(job, scope, ret_expected, &why);
        if (r < 0 && !why.status) job->told = r; /* a callback's */
    } else {
        r = job_open_storages(job, scope, &task, &why);
        if (r == 0) {
            r = job_run(job, scope, ret_expected, &why);
            job_sync(job, &task);
        }
    }
    task_clear(&task);
    if (job_cancelled(job)) {
        job->result.unfinished = true;
        return error_set(error, TROLLEY_ERR_CANCELLED, "[%s]: cancelled", job->title);
    }
    if (job->told) return error_set(error, job->told, "[%s]: ended by its caller", job->title);
    if (r < 0 && why.status) job_end(job, "%s", why.message);
    if (r < 0) job_end(job, "%s", trolley_status_name(r));
    return 0;
}

int prefetch_export(struct prefetch_engine *engine, const struct prefetch_exporter *exporter,
                    const struct prefetch_scope *scope,
                    const struct prefetch_export_callbacks *callbacks, const atomic_int *cancel,
                    struct prefetch_result *ret_result, struct trolley_error *error)
{
    struct job *job = job_new(engine, exporter, callbacks, cancel);
    bool expected = false;
    int r;

    if (!scope->study || !job_uid_fine(scope->study) || !job_uid_fine(scope->series) ||
        !job_uid_fine(scope->instance) || (scope->instance && !scope->series)) {
        if (job) job_free(job);
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "a study, series or instance is named by UIDs, from the study down");
    }
    if (!job) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    r = job_carry_out(job, scope, &expected, error);
    job_conclude(job, expected);
    *ret_result = job->result;
    job_free(job);
    return r;
}
