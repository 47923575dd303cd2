/*
 * export.h: carries out one task: its exporter's URLs are expanded over the task's scope, requested
 * and, where a storage is named, stored. It keeps nothing: tasks, states and retries are the
 * caller's (task.h). SPDX-License-Identifier: MIT
 */
#ifndef CORE_PREFETCH_EXPORT_H
#define CORE_PREFETCH_EXPORT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/prefetch/settings.h"

/* What a task is about. series and instance NULL: all below. Borrowed. */
struct prefetch_scope {
    const char *study, *series, *instance;
};

/* One request: which URL of the exporter (0 the main one, else the index into urls), and what its
 * placeholders mean. Texts NULL and frame 0 where the URL has no such placeholder. Borrowed. */
struct prefetch_request {
    uint32_t url;
    const char *study, *series, *instance;
    uint32_t frame; /* from 1 */
};

enum prefetch_outcome { PREFETCH_COMPLETED = 1, PREFETCH_WARNING = 2, PREFETCH_FAILED = 3 };

struct prefetch_result {
    enum prefetch_outcome outcome;
    uint64_t requested, succeeded, failed, not_found; /* not_found: 404 and 410 that are neutral */
    uint64_t bytes;
    uint64_t cache_hit, cache_miss, cache_bypass; /* by X-Cache-Status */
    uint64_t same; /* verify_unique: bodies that another frame or size of the instance had */
    uint64_t retry_after_ms; /* the longest asked for by 429 and 503 */
    /* Not everything was requested (a search failed, the disk is full, log-in was refused, or it
     * was cancelled), and nobody was told what is missing: a retry must not use `again`. */
    bool unfinished;
    /* Said when it ends: counts, then the first errors; one line, safe for a terminal. */
    char message[1024];
};

/* What the caller takes part in. Calls come one at a time, from any thread. */
struct prefetch_export_callbacks {
    void *ctx;
    /* Retry of what failed last time: gives the next request to make, 1, or 0 at the end, or
     * negative. NULL, or retry_scope = all: everything is expanded anew. */
    int (*again)(void *ctx, struct prefetch_request *ret_request);
    /* A request that failed, to be kept for a retry. Negative ends the export. May be NULL. */
    int (*failed)(void *ctx, const struct prefetch_request *request, const char *message);
    /* Instead of requesting: what would be requested (--dry-run, check). Non-zero ends. NULL:
     * requests are made. */
    int (*rehearsed)(void *ctx, const struct prefetch_request *request, const char *url);
    trolley_remark_sink remark; /* may be NULL */
};

/* Sessions, searchers and storages of the exporters, opened when first used and kept. */
struct prefetch_engine;

int prefetch_engine_new(struct trolley_setup *setup, const struct prefetch_settings *settings,
                        struct prefetch_engine **ret_engine, struct trolley_error *error);
void prefetch_engine_free(struct prefetch_engine *engine);

/*
 * Runs one task to its end. Several may run at once in different threads. A search that fails, a
 * missing mount, a full disk end as FAILED with their words. `cancel` non-zero: ends between
 * requests. Returns 0 with *ret_result filled, TROLLEY_ERR_CANCELLED (result filled with what was
 * done), INVALID_ARG (a scope without valid UIDs from the study down; no result), or what the
 * callbacks returned. [any]
 */
int prefetch_export(struct prefetch_engine *engine, const struct prefetch_exporter *exporter,
                    const struct prefetch_scope *scope,
                    const struct prefetch_export_callbacks *callbacks, const atomic_int *cancel,
                    struct prefetch_result *ret_result, struct trolley_error *error);

#endif
