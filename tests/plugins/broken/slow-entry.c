/* slow-entry.c: the entry works for a third of a second. SPDX-License-Identifier: MIT */
#include <time.h>

#include "../sound.h"

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
        .name = "slow-entry",
        .version = "1.0",
        .license = "MIT",
        .summary = "for the tests",
        .components = components,
    };
    const struct timespec third = {0, 333000000};

    (void)nanosleep(&third, NULL);
    return &plugin;
}
