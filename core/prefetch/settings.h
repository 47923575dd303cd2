/*
 * settings.h: what the sections [prefetch], [rule NAME], [exporter ID], [queue NAME] and [watch
 * NAME] of an INI file say, read, checked and joined to each other. Immutable once loaded, and so
 * shared by threads. SPDX-License-Identifier: MIT
 */
#ifndef CORE_PREFETCH_SETTINGS_H
#define CORE_PREFETCH_SETTINGS_H

#include <stdbool.h>

#include "core/trolley_prefetch.h"

/* The scope of a task; dcm4chee's dcmEntity. Wider is smaller. */
enum prefetch_entity { PREFETCH_STUDY, PREFETCH_SERIES, PREFETCH_INSTANCE };

/* What the highest placeholder of a URL asks for: one request a task, study, series, ... */
enum prefetch_grain {
    PREFETCH_GRAIN_ONE,
    PREFETCH_GRAIN_STUDY,
    PREFETCH_GRAIN_SERIES,
    PREFETCH_GRAIN_INSTANCE,
    PREFETCH_GRAIN_FRAME
};

enum prefetch_reoccurred { PREFETCH_NEVER, PREFETCH_ALWAYS, PREFETCH_REPLACE };

struct prefetch_schedule;  /* schedule.h; NULL: always */
struct prefetch_condition; /* condition.h; NULL: none */
struct section;

struct prefetch_queue {
    const char *name;
    uint32_t max_parallel, max_retries;
    int64_t retry_delay_ms, max_retry_delay_ms; /* max: 0 none */
    uint32_t retry_multiplier;                  /* percent */
    bool retry_on_warning;
    struct prefetch_schedule *schedule; /* outside it the queue is paused */
    /* Ages after which ended tasks are dropped, in ms; -1 never. */
    int64_t purge_completed_ms, purge_warning_ms, purge_failed_ms, purge_canceled_ms;
};

/* One URL of an exporter: the main one, or url.N. */
struct prefetch_url {
    const char *text; /* without "wado:" */
    enum prefetch_grain grain;
    const char *accept, *accept_encoding, *cache_control; /* NULL: not sent */
    const char *storage;                                  /* NULL: the body is dropped */
};

struct prefetch_exporter {
    const char *id;
    struct prefetch_url *urls; /* in order; at least one */
    uint32_t url_count;
    const struct prefetch_queue *queue; /* never NULL */
    const char *searcher;               /* NULL only when no URL needs expansion */
    const char *metadata;               /* downloader of data sets, or NULL: see expand.h */
    struct section *section;            /* its `session` and `header` keys, for the HTTP module */
    struct prefetch_schedule *schedule; /* outside it a task is postponed */
    bool ignore_not_found, retry_all;   /* retry_scope = all */
    bool verify_unique;
    uint32_t parallel_requests;
    uint64_t max_bytes; /* of one body; 0 none */
};

struct prefetch_rule {
    const char *name;
    enum prefetch_entity entity;
    const struct prefetch_exporter **exporters;
    uint32_t exporter_count;
    int64_t delay_ms, max_delay_ms, jitter_ms; /* max_delay: 0 none */
    struct prefetch_condition *conditions;
    struct prefetch_schedule *schedule; /* outside it arrivals are dropped */
    enum prefetch_reoccurred reoccurred;
    bool export_previous_entity;
};

struct prefetch_watch {
    const char *name, *searcher;
    const char **query; /* KEY=VALUE, in order */
    uint32_t query_count;
    int64_t interval_ms;
    bool detect_uids;     /* detect = uids; else counts */
    bool baseline_export; /* baseline = export; else record */
};

struct prefetch_settings {
    const char *state_dir; /* absolute */
    bool on_download;      /* what `download` stores counts as arrived */
    struct prefetch_rule *rules;
    struct prefetch_exporter *exporters;
    struct prefetch_queue *queues;
    struct prefetch_watch *watches;
    uint32_t rule_count, exporter_count, queue_count, watch_count;
};

/*
 * Reads and checks them; no plugin is opened. An exporter without a queue gets the queue `default`,
 * which need not be written. Refused, too: gaps in the numbers of url.N, keys for a url.N that is
 * not there, two URLs of one exporter that would store under the same path (paths.h), an exporter
 * that cannot name what its URLs ask for (no searcher), a watch whose query no searcher could read.
 * Errors: INVALID_CONFIG with file, line and key; NOMEM.
 */
int prefetch_settings_load(struct trolley_setup *setup, struct prefetch_settings **ret_settings,
                           struct trolley_error *error);
void prefetch_settings_free(struct prefetch_settings *settings);

/* NULL when there is none. */
const struct prefetch_exporter *prefetch_exporter_get(const struct prefetch_settings *settings,
                                                      const char *id);

#endif
