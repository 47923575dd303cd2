/* engine.h: what exports share: sessions, searchers and storages, opened when first used and kept.
 * SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_ENGINE_H
#define CORE_PREFETCH_ENGINE_H

#include "core/prefetch/export.h"
#include "core/retrieve/store.h"

/* One [storage NAME]: the host's storage of a run, used by all exports at once. */
struct engine_storage {
    struct engine_storage *next;
    struct instance *instance;
    struct store store;
    struct report report;
    struct trolley_download_options options; /* none */
    char *name;
};

/* One thread's door to the session of an exporter; idle ones wait in the engine. */
struct engine_door {
    struct engine_door *next;
    const struct prefetch_exporter *exporter;
    struct trolley_http_session *session;
};

/* One thread's instance of a searcher. */
struct engine_searcher {
    struct engine_searcher *next;
    struct instance *instance;
};

struct prefetch_engine {
    struct trolley_setup *setup;
    const struct prefetch_settings *settings;
    const struct trolley_http_service *http; /* NULL until the first door */
    pthread_mutex_t lock;
    struct engine_storage *storages;
    struct engine_door *doors;
    struct engine_searcher *searchers;
};

/* All [any]. What is taken is given back; NULL is a no-op. */
int engine_door_take(struct prefetch_engine *engine, const struct prefetch_exporter *exporter,
                     struct task *task, struct engine_door **ret_door, struct trolley_error *error);
void engine_door_give(struct prefetch_engine *engine, struct engine_door *door);
int engine_searcher_take(struct prefetch_engine *engine, const char *name,
                         struct engine_searcher **ret_searcher, struct trolley_error *error);
void engine_searcher_give(struct prefetch_engine *engine, struct engine_searcher *searcher);

/* An instance of a section's component, not kept; free with instance_free. */
int engine_instance(struct prefetch_engine *engine, const char *kind, const char *name,
                    struct instance **ret_instance, struct trolley_error *error);

/* The storage lives as long as the engine. */
int engine_storage(struct prefetch_engine *engine, const char *name,
                   struct engine_storage **ret_storage, struct trolley_error *error);

#endif
