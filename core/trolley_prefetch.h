/*
 * trolley_prefetch.h: the library's interface to prefetching, beside trolley.h, whose conventions
 * hold here too. SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_PREFETCH_H
#define TROLLEY_PREFETCH_H

#include "trolley.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Prefetching as the sections [prefetch], [rule], [exporter], [queue] and [watch] of an INI file
 * describe it. Times are milliseconds since 1970-01-01 UTC. What is to be done is kept in tasks
 * under `[prefetch] state_dir`; one process at a time runs them, others may work on them meanwhile.
 */
struct trolley_prefetch;

enum trolley_prefetch_state {
    TROLLEY_PREFETCH_SCHEDULED = 1,
    TROLLEY_PREFETCH_IN_PROCESS = 2,
    TROLLEY_PREFETCH_COMPLETED = 3,
    TROLLEY_PREFETCH_WARNING = 4, /* some of its requests failed */
    TROLLEY_PREFETCH_FAILED = 5,
    TROLLEY_PREFETCH_CANCELED = 6,
    TROLLEY_PREFETCH_RETRY = 7 /* scheduled for retry */
};
#define TROLLEY_PREFETCH_STATE_BIT(state) (UINT32_C(1) << (state))

/* "SCHEDULED FOR RETRY". Static text; NULL for a number that is none. */
const char *trolley_prefetch_state_name(uint32_t state);

/* The state of that name, in any case, '-' and '_' as blanks; "RETRY" too. 0 when there is none. */
uint32_t trolley_prefetch_state_parse(const char *name);

/* One task. Borrowed for the call. */
struct trolley_prefetch_task {
    int64_t id;
    uint32_t state;   /* enum trolley_prefetch_state */
    uint32_t retries; /* so far */
    const char *exporter, *study;
    const char *series, *instance; /* NULL: all below */
    const char *batch, *message;   /* NULL where there is none */
    int64_t created_ms, changed_ms;
    int64_t due_ms;                                          /* when it is or was to run */
    int64_t started_ms, ended_ms;                            /* of its last run; 0: never */
    uint64_t requested, succeeded, failed, not_found, bytes; /* of its last run */
    uint64_t cache_hit, cache_miss, cache_bypass;
};

/* Which tasks; all that is set must hold. */
struct trolley_prefetch_filter {
    const int64_t *ids; /* NULL: any */
    uint32_t id_count;
    uint32_t states;                      /* set of TROLLEY_PREFETCH_STATE_BIT; 0: any */
    const char *exporter, *study, *batch; /* NULL: any */
    int64_t since_ms, until_ms;           /* of its last change, both included; 0: open */
};

/*
 * Reads the sections and opens the tasks, making the folder when it is not there. `clock` NULL:
 * the system's; else a file that holds the time (prefetch/clock.h).
 * @param ret_prefetch  free with trolley_prefetch_close, before the setup.
 * Errors: INVALID_CONFIG, IO, NO_SPACE.
 */
int trolley_prefetch_open(struct trolley_setup *setup, const char *clock,
                          struct trolley_prefetch **ret_prefetch, struct trolley_error *error);
void trolley_prefetch_close(struct trolley_prefetch *prefetch);

/* Whether `[prefetch] on_download` asks for what a download stores to be told of; nothing is
 * opened. 1, 0 or negative. */
int trolley_prefetch_on_download(struct trolley_setup *setup, struct trolley_error *error);

/* The time that it goes by. */
int64_t trolley_prefetch_now(const struct trolley_prefetch *prefetch);

/* Shows tasks in the order they were made; non-zero from `each` ends and is returned. */
int trolley_prefetch_tasks(struct trolley_prefetch *prefetch,
                           const struct trolley_prefetch_filter *filter,
                           int (*each)(void *ctx, const struct trolley_prefetch_task *task),
                           void *ctx, struct trolley_error *error);

/* How many there are: counts[state] for each enum trolley_prefetch_state. */
int trolley_prefetch_count(struct trolley_prefetch *prefetch,
                           const struct trolley_prefetch_filter *filter, uint64_t counts[8],
                           struct trolley_error *error);

/* What became of the tasks that an administrator's command was about. */
struct trolley_prefetch_changes {
    uint64_t changed;
    uint64_t merged;  /* reschedule: a pending task does the same, and was moved instead */
    uint64_t refused; /* their state does not allow it; they are as they were */
};

/*
 * cancel: SCHEDULED, SCHEDULED FOR RETRY, and IN PROCESS, which ends between two requests.
 * reschedule: all but IN PROCESS; to `at_ms` (0: now), for exporter `to` (NULL: its own).
 * delete: all but IN PROCESS.
 * Each in one transaction.
 */
int trolley_prefetch_cancel(struct trolley_prefetch *prefetch,
                            const struct trolley_prefetch_filter *filter,
                            struct trolley_prefetch_changes *ret_changes,
                            struct trolley_error *error);
int trolley_prefetch_reschedule(struct trolley_prefetch *prefetch,
                                const struct trolley_prefetch_filter *filter, int64_t at_ms,
                                const char *to, struct trolley_prefetch_changes *ret_changes,
                                struct trolley_error *error);
int trolley_prefetch_delete(struct trolley_prefetch *prefetch,
                            const struct trolley_prefetch_filter *filter,
                            struct trolley_prefetch_changes *ret_changes,
                            struct trolley_error *error);

/* Holds a queue, or lets it go on. What runs is finished. INVALID_ARG: no such queue. */
int trolley_prefetch_pause(struct trolley_prefetch *prefetch, const char *queue, int32_t paused,
                           struct trolley_error *error);

/* An export that someone asks for. */
struct trolley_prefetch_order {
    const char *exporter;
    const char *study, *series, *instance; /* series, instance NULL: all below */
    int64_t at_ms;                         /* 0: now */
    const char *batch;                     /* may be NULL */
    uint32_t force;                        /* a task of its own beside a pending one */
};

/* Schedules it. *ret_merged: a pending task of the exporter does it, at the new time. */
int trolley_prefetch_export(struct trolley_prefetch *prefetch,
                            const struct trolley_prefetch_order *order, int64_t *ret_id,
                            uint32_t *ret_merged, struct trolley_error *error);

/* Every study that a query to the exporter's searcher brings: order->study and below are not looked
 * at. `each` gets the study and its task (0 when `dry`: nothing is scheduled). */
int trolley_prefetch_export_query(struct trolley_prefetch *prefetch,
                                  const struct trolley_prefetch_order *order,
                                  const struct trolley_query_builder *query, int32_t dry,
                                  int (*each)(void *ctx, const char *study, int64_t id,
                                              uint32_t merged),
                                  void *ctx, struct trolley_error *error);

/* What an order would request, in its order; nothing is scheduled or requested, but the searcher is
 * asked. Non-zero from `each` ends and is returned. */
int trolley_prefetch_rehearse(struct trolley_prefetch *prefetch,
                              const struct trolley_prefetch_order *order,
                              int (*each)(void *ctx, const char *url), void *ctx,
                              struct trolley_error *error);

/* What arrived, or left. */
enum trolley_prefetch_arrival_kind {
    TROLLEY_PREFETCH_NEW = 1,
    TROLLEY_PREFETCH_REPLACED = 2, /* was there with other bytes */
    TROLLEY_PREFETCH_AGAIN = 3,    /* was there as it is */
    TROLLEY_PREFETCH_PREVIOUS = 4  /* objects left it for another one: export_previous_entity */
};

/*
 * Tells that objects arrived; whoever runs the tasks applies the rules to it. Kept in memory until
 * trolley_prefetch_arrivals_keep, or until there are many. `searcher` (may be NULL) names the
 * section that can tell the attributes that conditions ask for. Not from several threads at once.
 */
int trolley_prefetch_arrived(struct trolley_prefetch *prefetch, const char *searcher, uint32_t kind,
                             const char *study, const char *series, const char *instance,
                             struct trolley_error *error);
int trolley_prefetch_arrivals_keep(struct trolley_prefetch *prefetch, struct trolley_error *error);

/* What `check` says. */
struct trolley_prefetch_check_options {
    const char *exporter; /* probe this one alone; NULL: all */
    /* The example whose URLs are shown, and what is probed. All NULL: made-up UIDs. */
    const char *study, *series, *instance;
    uint32_t probe; /* request an object of the study twice: does a proxy keep it? Needs study */
    /* severity: enum trolley_log_level; section: "exporter WADO-JPEG". Texts are one line, safe for
     * a terminal. */
    void (*finding)(void *ctx, uint32_t severity, const char *section, const char *message);
    void (*url)(void *ctx, const char *exporter, const char *url);
    void *ctx;
};

/* Looks through the settings of prefetching, opens what they name, shows the URLs of an example.
 * Without probe there is no network I/O but the searcher's. No task is touched. INVALID_CONFIG:
 * something cannot work. PARTIAL: a probe was not kept. */
int trolley_prefetch_check(struct trolley_setup *setup,
                           const struct trolley_prefetch_check_options *options,
                           struct trolley_error *error);

/* Files that a storage with an index (type template) has written. */
struct trolley_prefetch_storage_options {
    const char *study, *series, *instance; /* these alone; NULL: all */
    int64_t older_ms;                      /* stored so long ago; 0: of any age */
    uint32_t dry_run;                      /* purge: only say what would be removed */
    uint32_t forget; /* verify: what is missing or changed leaves the index, and the disk */
    /* Each file that is removed, or is not whole ("missing", ...). */
    int (*each)(void *ctx, const char *path, const char *what);
    void *ctx;
};
struct trolley_prefetch_storage_counts {
    uint64_t files, bytes, missing, resized, changed, failed;
};
int trolley_prefetch_storage_verify(struct trolley_setup *setup, const char *storage,
                                    const struct trolley_prefetch_storage_options *options,
                                    struct trolley_prefetch_storage_counts *ret_counts,
                                    struct trolley_error *error);
int trolley_prefetch_storage_purge(struct trolley_setup *setup, const char *storage,
                                   const struct trolley_prefetch_storage_options *options,
                                   struct trolley_prefetch_storage_counts *ret_counts,
                                   struct trolley_error *error);

/* dcm4chee's configuration in LDIF as INI text: `text` gets it piece by piece, `note` a line about
 * each thing that a person should look at. */
struct trolley_prefetch_import_options {
    const char *file;
    const char *searcher, *session; /* sections that exporters name; may be NULL */
    const char *const *sets;        /* NAME=VALUE */
    const char *const *rewrites;    /* FROM=TO */
    uint32_t set_count, rewrite_count;
    int (*text)(void *ctx, const char *text);
    int (*note)(void *ctx, const char *text);
    void *ctx;
};
int trolley_prefetch_import(const struct trolley_prefetch_import_options *options,
                            struct trolley_error *error);

/* What was done by trolley_prefetch_run. */
struct trolley_prefetch_run_counts {
    uint64_t completed, warnings, failed, retries, arrivals;
};

#define TROLLEY_PREFETCH_ONCE UINT32_C(1) /* watches once, then what is due, then end */

/*
 * Runs tasks, polls watches, until trolley_prefetch_stop (or, with ONCE, until nothing is due).
 * Returns 0; UNAVAILABLE when another process runs them; what kept it from starting. Remarks come
 * from any thread, one at a time.
 */
int trolley_prefetch_run(struct trolley_prefetch *prefetch, uint32_t flags,
                         trolley_remark_sink remark, void *remark_ctx,
                         struct trolley_prefetch_run_counts *ret_counts,
                         struct trolley_error *error);

/* Ends trolley_prefetch_run once the requests in hand are done; what they belong to is scheduled
 * again. Safe in a signal handler. */
void trolley_prefetch_stop(struct trolley_prefetch *prefetch);

#ifdef __cplusplus
}
#endif
#endif
