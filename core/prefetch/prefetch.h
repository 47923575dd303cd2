/* prefetch.h: struct trolley_prefetch from inside. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_PREFETCH_H
#define CORE_PREFETCH_PREFETCH_H

#include "core/plugin/setup.h"
#include "core/prefetch/clock.h"
#include "core/prefetch/settings.h"
#include "core/prefetch/store.h"

#define PREFETCH_TOLD 256 /* arrivals kept in memory before they are written */

struct trolley_prefetch {
    struct trolley_setup *setup;
    struct prefetch_settings *settings;
    struct prefetch_store *store;
    struct prefetch_clock clock;
    char *clock_path;
    bool instances; /* some rule must know which instances arrived */
    atomic_int stop;
    struct prefetch_told {
        uint32_t kind;
        char *searcher; /* NULL: none */
        char study[KIT_UID_MAX + 1], series[KIT_UID_MAX + 1], instance[KIT_UID_MAX + 1];
        int64_t at_ms;
    } * told; /* of PREFETCH_TOLD */
    uint32_t told_count;
};

#endif
