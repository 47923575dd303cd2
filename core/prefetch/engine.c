/* SPDX-License-Identifier: MIT */
#include "core/prefetch/engine.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/error.h"

int prefetch_engine_new(struct trolley_setup *setup, const struct prefetch_settings *settings,
                        struct prefetch_engine **ret_engine, struct trolley_error *error)
{
    struct prefetch_engine *engine = calloc(1, sizeof *engine);

    if (!engine || pthread_mutex_init(&engine->lock, NULL) != 0) {
        free(engine);
        return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    }
    engine->setup = setup;
    engine->settings = settings;
    *ret_engine = engine;
    return 0;
}

static void door_free(struct prefetch_engine *engine, struct engine_door *door)
{
    if (!door) return;
    loader_lock();
    if (door->session) engine->http->close(door->session);
    loader_unlock();
    free(door);
}

static void storage_free(struct engine_storage *storage)
{
    if (!storage) return;
    if (storage->instance) {
        store_clear(&storage->store);
        report_clear(&storage->report);
        instance_free(storage->instance);
    }
    free(storage->name);
    free(storage);
}

void prefetch_engine_free(struct prefetch_engine *engine)
{
    if (!engine) return;
    while (engine->doors) {
        struct engine_door *door = engine->doors;

        engine->doors = door->next;
        door_free(engine, door);
    }
    while (engine->searchers) {
        struct engine_searcher *searcher = engine->searchers;

        engine->searchers = searcher->next;
        instance_free(searcher->instance);
        free(searcher);
    }
    while (engine->storages) {
        struct engine_storage *storage = engine->storages;

        engine->storages = storage->next;
        storage_free(storage);
    }
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

static int door_open(struct prefetch_engine *engine, struct engine_door *door, struct task *task,
                     struct trolley_error *error)
{
    struct trolley_setup *setup = engine->setup;
    const struct trolley_config *config = section_config(door->exporter->section);
    int r;

    loader_lock();
    if (!engine->http) engine->http = setup->host.get_service(&setup->host, TROLLEY_HTTP_SERVICE);
    if (!engine->http)
        r = error_set(error, TROLLEY_ERR_UNSUPPORTED, "the HTTP module cannot be opened");
    else
        r = engine->http->open(&setup->host, config, &task->abi, &door->session);
    loader_unlock();
    return r < 0 && engine->http ? task_error(task, r, error) : r;
}

int engine_door_take(struct prefetch_engine *engine, const struct prefetch_exporter *exporter,
                     struct task *task, struct engine_door **ret_door, struct trolley_error *error)
{
    struct engine_door **link, *door = NULL;
    int r;

    pthread_mutex_lock(&engine->lock);
    for (link = &engine->doors; *link && !door; link = &(*link)->next)
        if ((*link)->exporter == exporter) {
            door = *link;
            *link = door->next;
            break;
        }
    pthread_mutex_unlock(&engine->lock);
    if (!door) {
        door = calloc(1, sizeof *door);
        if (!door) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
        door->exporter = exporter;
        r = door_open(engine, door, task, error);
        if (r < 0) {
            free(door);
            return r;
        }
    }
    *ret_door = door;
    return 0;
}

void engine_door_give(struct prefetch_engine *engine, struct engine_door *door)
{
    if (!door) return;
    pthread_mutex_lock(&engine->lock);
    door->next = engine->doors;
    engine->doors = door;
    pthread_mutex_unlock(&engine->lock);
}

int engine_instance(struct prefetch_engine *engine, const char *kind, const char *name,
                    struct instance **ret_instance, struct trolley_error *error)
{
    struct component *component;
    struct task task;
    int r = component_get(engine->setup, kind, name, &component, error);

    if (r < 0) return r;
    task_init(&task, component->title, &engine->setup->cancelled, NULL, NULL);
    r = instance_new(component, &task, ret_instance, error);
    task_clear(&task);
    return r;
}

int engine_searcher_take(struct prefetch_engine *engine, const char *name,
                         struct engine_searcher **ret_searcher, struct trolley_error *error)
{
    struct engine_searcher **link, *searcher = NULL;
    int r;

    pthread_mutex_lock(&engine->lock);
    for (link = &engine->searchers; *link; link = &(*link)->next)
        if (strcmp((*link)->instance->component->name, name) == 0) {
            searcher = *link;
            *link = searcher->next;
            break;
        }
    pthread_mutex_unlock(&engine->lock);
    if (!searcher) {
        searcher = calloc(1, sizeof *searcher);
        if (!searcher) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
        r = engine_instance(engine, "searcher", name, &searcher->instance, error);
        if (r < 0) {
            free(searcher);
            return r;
        }
    }
    *ret_searcher = searcher;
    return 0;
}

void engine_searcher_give(struct prefetch_engine *engine, struct engine_searcher *searcher)
{
    if (!searcher) return;
    pthread_mutex_lock(&engine->lock);
    searcher->next = engine->searchers;
    engine->searchers = searcher;
    pthread_mutex_unlock(&engine->lock);
}

static int storage_open(struct prefetch_engine *engine, const char *name,
                        struct engine_storage *storage, struct trolley_error *error)
{
    int r;

    storage->name = strdup(name);
    if (!storage->name) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    r = engine_instance(engine, "storage", name, &storage->instance, error);
    if (r < 0) return r;
    report_init(&storage->report, &storage->options);
    store_init(&storage->store, storage->instance, &storage->report, TROLLEY_DOWNLOAD_OVERWRITE);
    return 0;
}

int engine_storage(struct prefetch_engine *engine, const char *name,
                   struct engine_storage **ret_storage, struct trolley_error *error)
{
    struct engine_storage *storage;
    int r = 0;

    pthread_mutex_lock(&engine->lock);
    for (storage = engine->storages; storage; storage = storage->next)
        if (strcmp(storage->name, name) == 0) break;
    if (!storage) {
        storage = calloc(1, sizeof *storage);
        r = storage ? storage_open(engine, name, storage, error)
                    : error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
        if (r == 0) {
            storage->next = engine->storages;
            engine->storages = storage;
        } else {
            storage_free(storage);
        }
    }
    pthread_mutex_unlock(&engine->lock);
    if (r == 0) *ret_storage = storage;
    return r;
}
