/* thread-in-entry.c: the entry starts a thread. SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <unistd.h>

#include "../sound.h"

static void *idle(void *unused)
{
    (void)pause();
    return unused;
}

static const struct trolley_component searcher = {
    .size = sizeof searcher,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "for the tests",
    .options = &sound_options,
    .query_types = &sound_types,
    .levels = SOUND_ALL_LEVELS,
    .create = sound_create,
    .destroy = sound_destroy,
    .ops = &sound_searcher_ops,
};

static const struct trolley_component *const components[] = {&searcher, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "thread-in-entry",
        .version = "1.0",
        .license = "MIT",
        .summary = "for the tests",
        .components = components,
    };
    pthread_t thread;

    (void)pthread_create(&thread, NULL, idle, NULL);
    return &plugin;
}
