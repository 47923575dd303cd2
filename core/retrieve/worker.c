/* SPDX-License-Identifier: MIT */
#include "core/retrieve/worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/retrieve/counts.h"
#include "core/retrieve/item.h"
#include "core/retrieve/settle.h"

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
        atomic_load(&fetch->store->dead_by))
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

void worker_fetch(struct worker *worker, size_t d, struct chunk *chunk)
{
    struct run *run = worker->run;
    struct run_downloader *downloader = &run->downloaders[d];
    struct fetch fetch = {.study = chunk->study,
                          .chunk = chunk,
                          .downloader = downloader->component->name,
                          .title = downloader->component->title,
                          .max_instance = downloader->max_instance,
                          .store = run->store,
                          .report = run->report,
                          .run_lock = &run->lock,
                          .cancel = run->cancel,
                          .worker = worker->number,
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
    /* Where nothing can be stored any more no silent server is waited for. The worker that met with
     * it ends its request itself: its server is told why. */
    worker->task.stop = &run->store->dead_by;
    worker->task.stop_own = worker->number;
    if (r == 0) r = instance->ops.downloader.fetch(instance->self, &span, &sink, &worker->task.abi);
    worker->task.stop = NULL;
    report_worker(run->report, worker, NULL, NULL);
    if (r < 0) {
        task_failure_of(&worker->task, r, &failure);
        task_failure_name(&failure, fetch.title);
    }
    free(refs);
    (void)run_sync(run, false, &worker->task);
    pthread_mutex_lock(&run->lock);
    if (r < 0) fetch_uncancel(&fetch, &failure);
    if (!fetch.stop_all.status && r < 0 && (failure.flags & TROLLEY_FAILURE_STOP_ALL))
        fetch.stop_all = failure;
    if (!downloader->dead.status) downloader->dead = fetch.stop_all;
    counts_check(run, chunk, &downloader->ask, r < 0 ? &failure : NULL);
    settle_chunk(chunk, &downloader->ask, r < 0 ? &failure : NULL);
}

struct worker *worker_new(struct run *run)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (!worker) return NULL;
    worker->run = run;
    worker->instances = calloc(run->downloader_count, sizeof(struct instance *));
    if (!worker->instances) {
        free(worker);
        return NULL;
    }
    task_init(&worker->task, "host", run->cancel, report_remark, run->report);
    return worker;
}

void worker_free(struct worker *worker)
{
    size_t d;

    for (d = 0; d < worker->run->downloader_count; d++)
        instance_free(worker->instances[d]);
    task_clear(&worker->task);
    free(worker->instances);
    free(worker);
}
