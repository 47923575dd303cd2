/* watch.h: finds out what changed on a server, and applies the rules to it.
 * SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_WATCH_H
#define CORE_PREFETCH_WATCH_H

#include "core/prefetch/arrival.h"
#include "core/prefetch/ask.h"

/* Everything is borrowed. */
struct prefetch_watching {
    struct prefetch_store *store;
    const struct prefetch_settings *settings;
    prefetch_asking asking;
    void *asking_ctx;
    trolley_remark_sink remark; /* may be NULL; called in the thread that polls */
    void *remark_ctx;
};

/* What a poll did. */
struct prefetch_poll {
    uint64_t studies, changed, tasks;
    bool recorded; /* it was the first, and only recorded */
};

/*
 * Asks a watch's searcher once. A study whose number of instances or series (or, with detect =
 * uids, or where the server tells no numbers, whose instances) differ from what was seen before has
 * arrived; a decrease is a change like any other. What no longer matches the query is no change.
 * Of a changed study each series that changed has arrived. A study's snapshot and its tasks change
 * in one transaction; an answer that failed or ended early changes nothing, of the watch or, where
 * it was about one study, of that study.
 */
int prefetch_watch_poll(const struct prefetch_watching *watching,
                        const struct prefetch_watch *watch, int64_t now_ms,
                        struct prefetch_poll *ret_poll, struct trolley_error *error);

/* Applies the rules to the oldest arrivals told of by trolley_prefetch_arrived: 1, 0 when there are
 * none, or negative: they go behind the others then. *ret_tasks: how many tasks were made or moved.
 */
int prefetch_news_apply(const struct prefetch_watching *watching, uint32_t *ret_tasks,
                        struct trolley_error *error);

#endif
