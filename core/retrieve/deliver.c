/*
 * deliver.c: trolley_fetch: a download whose storage hands everything to the caller's sink.
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/model/error.h"

/* The storage. */
struct delivery {
    const struct trolley_fetch_sink *sink;
    pthread_mutex_t lock; /* begin and end come one at a time */
    atomic_int stopped;   /* the first value with which the sink ended it; 0 none */
};

struct delivery_item {
    struct delivery *delivery;
    void *theirs;
};

/* The sink wants no more: nothing else will be stored either. Returns what the pipeline is told. */
static int32_t delivery_stop(struct delivery *delivery, int32_t value, struct trolley_task *task)
{
    int none = 0;
    struct trolley_failure failure = {
        .size = sizeof failure,
        .status = value < 0 && value >= TROLLEY_ERR_INTERNAL ? value : TROLLEY_ERR_CANCELLED,
        .flags = TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_STOP_ALL,
        .message = "the caller wanted no more"};

    (void)atomic_compare_exchange_strong(&delivery->stopped, &none, value);
    task->fail(task, &failure);
    return failure.status;
}

static int32_t delivery_open(void *self, const struct trolley_meta *meta, uint32_t flags,
                             struct trolley_task *task, void **writer)
{
    struct delivery *delivery = self;
    struct delivery_item *item = malloc(sizeof *item);
    int32_t r;

    (void)flags;
    if (!item) return trolley_fail(task, TROLLEY_ERR_NOMEM, "out of memory");
    item->delivery = delivery;
    item->theirs = NULL;
    pthread_mutex_lock(&delivery->lock);
    r = atomic_load(&delivery->stopped);
    if (r == 0) r = delivery->sink->begin(delivery->sink->ctx, meta, &item->theirs);
    pthread_mutex_unlock(&delivery->lock);
    if (r != 0) {
        free(item);
        return delivery_stop(delivery, r, task);
    }
    *writer = item;
    return 0;
}

static int32_t delivery_write(void *writer, const void *data, uint64_t length,
                              struct trolley_task *task)
{
    struct delivery_item *item = writer;
    int32_t r = item->delivery->sink->write(item->theirs, data, length);

    return r == 0 ? 0 : delivery_stop(item->delivery, r, task);
}

static int32_t delivery_end(struct delivery_item *item, const struct trolley_meta *meta)
{
    struct delivery *delivery = item->delivery;
    int32_t r;

    pthread_mutex_lock(&delivery->lock);
    r = delivery->sink->end(item->theirs, meta);
    pthread_mutex_unlock(&delivery->lock);
    free(item);
    return r;
}

/* There is no place to tell of: `where` is not called. */
static int32_t delivery_commit(void *writer, const struct trolley_meta *meta,
                               const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct delivery_item *item = writer;
    struct delivery *delivery = item->delivery;
    int32_t r = delivery_end(item, meta);

    (void)where;
    return r == 0 ? 0 : delivery_stop(delivery, r, task);
}

static void delivery_abort(void *writer)
{
    (void)delivery_end(writer, NULL);
}

static int32_t delivery_exists(void *self, const struct trolley_meta *meta,
                               const struct trolley_where_sink *where, struct trolley_task *task)
{
    (void)self;
    (void)meta;
    (void)where;
    (void)task;
    return TROLLEY_ERR_NOT_FOUND;
}

static const struct trolley_storage_ops delivery_ops = {.size = sizeof delivery_ops,
                                                        .open = delivery_open,
                                                        .write = delivery_write,
                                                        .commit = delivery_commit,
                                                        .abort = delivery_abort,
                                                        .exists = delivery_exists};

static int deliver_check(const struct trolley_download_options *options,
                         const struct trolley_fetch_sink *sink, struct trolley_error *error)
{
    if (options->output || options->storage)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "a fetch stores nothing: it takes neither "
                         "an output folder nor a storage");
    if (options->flags & ~(TROLLEY_DOWNLOAD_REQUIRE_VERIFIED | TROLLEY_DOWNLOAD_DRY_RUN))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "a fetch has nothing to replace or to compare with (flags %u)",
                         options->flags);
    if (!sink->begin || !sink->write || !sink->end)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "the sink lacks begin, write or end");
    return 0;
}

int trolley_fetch(struct trolley *trolley, const struct trolley_download_options *options,
                  const struct trolley_fetch_sink *sink, struct trolley_counts *ret_counts,
                  struct trolley_error *error)
{
    struct delivery delivery = {.sink = sink};
    struct trolley_download_options own = *options;
    int stopped, r = deliver_check(options, sink, error);

    if (r < 0) {
        if (ret_counts) memset(ret_counts, 0, sizeof *ret_counts);
        return r;
    }
    pthread_mutex_init(&delivery.lock, NULL);
    own.storage = &delivery_ops;
    own.storage_self = &delivery;
    r = trolley_download(trolley, &own, ret_counts, error);
    pthread_mutex_destroy(&delivery.lock);
    stopped = atomic_load(&delivery.stopped);
    if (stopped == 0 || r == TROLLEY_ERR_CANCELLED) return r;
    return error_set(error, stopped, "the caller wanted no more (%d)", stopped);
}
