/* SPDX-License-Identifier: MIT */
#include "core/prefetch/storage.h"

#include <string.h>
#include <time.h>
#include <trolley/helpers.h>

#include "core/plugin/setup.h"

#define STORED_LEAST (offsetof(struct trolley_stored_interface, remove) + sizeof(void *))

/* A storage that is looked through. */
struct looking {
    struct instance *instance;
    struct trolley_stored_interface stored;
    struct task task;
    const struct prefetch_storage_options *options;
    prefetch_storage_each each;
    void *ctx;
    struct prefetch_storage_result result;
};

static int open_storage(struct looking *looking, struct trolley_setup *setup, const char *name,
                        struct trolley_error *error)
{
    struct component *component;
    const void *stored;
    int r = component_get(setup, "storage", name, &component, error);

    if (r < 0) return r;
    task_init(&looking->task, component->title, &setup->cancelled, NULL, NULL);
    r = instance_new(component, &looking->task, &looking->instance, error);
    if (r < 0) {
        task_clear(&looking->task);
        return r;
    }
    stored = instance_interface(looking->instance, TROLLEY_STORED_INTERFACE);
    if (trolley_read_open(&looking->stored, sizeof looking->stored, stored, STORED_LEAST) == 0)
        return 0;
    instance_free(looking->instance);
    task_clear(&looking->task);
    return error_set(error, TROLLEY_ERR_UNSUPPORTED,
                     "[storage %s] keeps no index of what it has written: type `template` does",
                     name);
}

static struct trolley_stored_filter make_filter(const struct prefetch_storage_options *options)
{
    struct trolley_stored_filter filter = {.size = sizeof filter,
                                           .study = options->study,
                                           .series = options->series,
                                           .instance = options->instance};
    struct timespec now;

    if (options->older_ms > 0) {
        (void)clock_gettime(CLOCK_REALTIME, &now);
        filter.before_ms =
            (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - options->older_ms + 1;
    }
    return filter;
}

static int tell(const struct looking *looking, const struct trolley_stored_item *item,
                uint32_t state, const char *problem)
{
    return looking->each ? looking->each(looking->ctx, item, state, problem) : 0;
}

/* One that could not be read or removed is told and passed over; a cancelled task ends it all. */
static int tell_failure(struct looking *looking, const struct trolley_stored_item *item, int status)
{
    struct task_failure failure;

    if (status == TROLLEY_ERR_CANCELLED || status == TROLLEY_ERR_UNAVAILABLE) return status;
    task_failure_of(&looking->task, status, &failure);
    looking->result.failed++;
    return tell(looking, item, 0, failure.message);
}

static int forget(struct looking *looking, const struct trolley_stored_item *item)
{
    int r;

    task_reset(&looking->task);
    r = looking->stored.remove(looking->instance->self, item, &looking->task.abi);
    return r < 0 ? tell_failure(looking, item, r) : 0;
}

static int32_t verify_item(void *ctx, const struct trolley_stored_item *theirs)
{
    struct looking *looking = ctx;
    struct trolley_stored_item item;
    uint32_t state = 0;
    int r;

    if (trolley_read_open(&item, sizeof item, theirs, sizeof item) < 0) return TROLLEY_ERR_INTERNAL;
    task_reset(&looking->task);
    r = looking->stored.examine(looking->instance->self, &item, &state, &looking->task.abi);
    looking->result.files++;
    if (r < 0) return tell_failure(looking, &item, r);
    looking->result.bytes += item.bytes;
    if (state == TROLLEY_STORED_WHOLE) return 0;
    if (state == TROLLEY_STORED_MISSING) looking->result.missing++;
    if (state == TROLLEY_STORED_RESIZED) looking->result.resized++;
    if (state == TROLLEY_STORED_CHANGED) looking->result.changed++;
    r = tell(looking, &item, state, NULL);
    return r == 0 && looking->options->forget ? forget(looking, &item) : r;
}

static int32_t purge_item(void *ctx, const struct trolley_stored_item *theirs)
{
    struct looking *looking = ctx;
    struct trolley_stored_item item;
    int r = 0;

    if (trolley_read_open(&item, sizeof item, theirs, sizeof item) < 0) return TROLLEY_ERR_INTERNAL;
    task_reset(&looking->task);
    if (!looking->options->dry_run)
        r = looking->stored.remove(looking->instance->self, &item, &looking->task.abi);
    if (r < 0) return tell_failure(looking, &item, r);
    looking->result.files++;
    looking->result.bytes += item.bytes;
    return tell(looking, &item, TROLLEY_STORED_WHOLE, NULL);
}

/* Walks through the storage with `item`, after making sure that its disk is there. */
static int look(struct trolley_setup *setup, const char *name, struct looking *looking,
                int32_t (*item)(void *ctx, const struct trolley_stored_item *item),
                struct prefetch_storage_result *ret_result, struct trolley_error *error)
{
    const struct trolley_stored_filter filter = make_filter(looking->options);
    const struct trolley_stored_sink sink = {looking, item};
    int r = open_storage(looking, setup, name, error);

    if (r < 0) return r;
    r = looking->stored.ready(looking->instance->self, &looking->task.abi);
    if (r == TROLLEY_ERR_NO_SPACE) r = 0; /* room is not what is asked for */
    if (r == 0)
        r = looking->stored.walk(looking->instance->self, &filter, &sink, &looking->task.abi);
    if (r < 0)
        r = task_error(&looking->task, r, error);
    else
        *ret_result = looking->result;
    instance_free(looking->instance);
    task_clear(&looking->task);
    return r;
}

int prefetch_storage_verify(struct trolley_setup *setup, const char *name,
                            const struct prefetch_storage_options *options,
                            prefetch_storage_each each, void *ctx,
                            struct prefetch_storage_result *ret_result, struct trolley_error *error)
{
    struct looking looking = {.options = options, .each = each, .ctx = ctx};

    return look(setup, name, &looking, verify_item, ret_result, error);
}

int prefetch_storage_purge(struct trolley_setup *setup, const char *name,
                           const struct prefetch_storage_options *options,
                           prefetch_storage_each each, void *ctx,
                           struct prefetch_storage_result *ret_result, struct trolley_error *error)
{
    struct looking looking = {.options = options, .each = each, .ctx = ctx};

    if (!options->study && !options->series && !options->instance && options->older_ms <= 0)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "what is to be purged? an age, or a study, series or instance is wanted");
    return look(setup, name, &looking, purge_item, ret_result, error);
}
