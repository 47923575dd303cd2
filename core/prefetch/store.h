/*
 * store.h: the tasks, kept in SQLite under `[prefetch] state_dir`, so that a crash, a kill or a
 * power cut loses nothing that was promised. Several processes may use it at once; one of them, who
 * holds the lock, runs tasks. Functions lock for themselves [any]; times are milliseconds since
 * 1970-01-01 UTC.
 *
 * Errors of all of them: NO_SPACE (the disk is full: nothing changed), UNAVAILABLE (another process
 * kept it locked for ten seconds), IO, NOMEM.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_PREFETCH_STORE_H
#define CORE_PREFETCH_STORE_H

#include <stdbool.h>

#include "core/prefetch/export.h"
#include "core/trolley_prefetch.h"
#include "kit/uid.h"

struct prefetch_store;

/*
 * Opens state_dir/tasks.sqlite; folder (0700) and file (0600) are made when absent. Errors:
 * INVALID_CONFIG (others may write to the folder; it is of a later version), and those of all.
 */
int prefetch_store_open(const char *state_dir, struct prefetch_store **ret_store,
                        struct trolley_error *error);
void prefetch_store_close(struct prefetch_store *store);

/*
 * Becomes the one who runs tasks, until the store is closed or the process ends in whatever way;
 * then puts back what an earlier one left IN PROCESS. UNAVAILABLE names the process that does.
 */
int prefetch_store_lead(struct prefetch_store *store, int64_t now_ms, struct trolley_error *error);

/* One transaction around several calls of this thread; may be nested. `r` negative: all is undone.
 * end returns r, or what kept it from being written. */
int prefetch_store_begin(struct prefetch_store *store, struct trolley_error *error);
int prefetch_store_end(struct prefetch_store *store, int r, struct trolley_error *error);

/* Whether another process wrote since the last call. */
bool prefetch_store_touched(struct prefetch_store *store);

/* ---- tasks to be done ----------------------------------------------------------------------- */

/* What a task does. series, instance NULL: all below. Borrowed. */
struct prefetch_key {
    const char *exporter;
    struct prefetch_scope scope;
};

/* When it does it. */
struct prefetch_when {
    int64_t now_ms;
    int64_t delay_ms, max_delay_ms, jitter_ms; /* as in struct prefetch_rule */
    const struct prefetch_schedule *schedule;  /* of the exporter; may be NULL */
};

/*
 * An arrival. A pending task that covers the key is only moved later, at most to `max_delay` after
 * its first arrival; pending narrower tasks of the exporter become part of it. A task that runs is
 * left alone: its follow-up is a task like any other. Jitter is the same for each arrival of a key.
 */
int prefetch_store_arrive(struct prefetch_store *store, const struct prefetch_key *key,
                          const struct prefetch_when *when, int64_t *ret_id,
                          struct trolley_error *error);

/* Someone's order: as above, but at exactly order->at_ms, be it earlier; a task of its own when
 * `force`. */
int prefetch_store_order(struct prefetch_store *store, const struct trolley_prefetch_order *order,
                         int64_t now_ms, int64_t *ret_id, bool *ret_merged,
                         struct trolley_error *error);

/* A task taken up. */
struct prefetch_claim {
    int64_t id;
    uint32_t retries;
    uint32_t generation; /* of the failed requests to repeat; 0: everything is to be done */
    char study[KIT_UID_MAX + 1], series[KIT_UID_MAX + 1], instance[KIT_UID_MAX + 1]; /* "": all */
};

/* Takes up the exporter's next due task, which becomes IN PROCESS: 1, or 0 when there is none.
 * `urls` tells the exporter's URLs: failed requests of others are not repeated. Tasks that overlap
 * with one that runs are passed over. */
int prefetch_store_claim(struct prefetch_store *store, const char *exporter, const char *urls,
                         int64_t now_ms, struct prefetch_claim *ret_claim,
                         struct trolley_error *error);

/* How a run ended. */
struct prefetch_ending {
    uint32_t state;  /* SCHEDULED (stopped), COMPLETED, WARNING, FAILED, RETRY */
    int64_t due_ms;  /* RETRY: when; SCHEDULED keeps what it was */
    bool everything; /* RETRY: not only what failed */
    const struct prefetch_result *result;
    const char *urls; /* as for claim */
};

/* Writes it down, unless the task was canceled or deleted meanwhile: that sticks. A retry that a
 * pending task makes needless is not made: that task is moved to due_ms, if later. *ret_state: what
 * the task is now (0: it is gone). */
int prefetch_store_finish(struct prefetch_store *store, const struct prefetch_claim *claim,
                          const struct prefetch_ending *ending, int64_t now_ms, uint32_t *ret_state,
                          struct trolley_error *error);

/* Is the task still IN PROCESS? 1, 0 or negative. */
int prefetch_store_runs(struct prefetch_store *store, int64_t id, struct trolley_error *error);

/* When the exporter's next pending task is due; INT64_MAX when there is none. */
int prefetch_store_next(struct prefetch_store *store, const char *exporter, int64_t *ret_due_ms,
                        struct trolley_error *error);

/* Moves every due task of an exporter whose schedule is closed to when it opens. */
int prefetch_store_postpone(struct prefetch_store *store, const char *exporter, int64_t now_ms,
                            int64_t due_ms, struct trolley_error *error);

/* The clock was set: delays that run go on as long as they would have. Times that someone named
 * stay. */
int prefetch_store_jump(struct prefetch_store *store, int64_t jump_ms, struct trolley_error *error);

/* The last time that was seen by whoever ran tasks; 0 when nobody did. */
int prefetch_store_last_seen(struct prefetch_store *store, int64_t *ret_ms,
                             struct trolley_error *error);
int prefetch_store_seen(struct prefetch_store *store, int64_t now_ms, struct trolley_error *error);

/* Drops an exporter's tasks that ended in `state` before that time, some thousand at most: how
 * many. */
int prefetch_store_purge(struct prefetch_store *store, const char *exporter, uint32_t state,
                         int64_t before_ms, struct trolley_error *error);

/* Calls `each` for every exporter that has pending tasks. */
int prefetch_store_exporters(struct prefetch_store *store,
                             int (*each)(void *ctx, const char *exporter, uint64_t pending),
                             void *ctx, struct trolley_error *error);

/* ---- failed requests of a task -------------------------------------------------------------- */

/* One of them, kept. */
struct prefetch_failed {
    struct prefetch_request request;
    const char *message;
};

/* Adds some to a generation of a task's, behind those that are there. */
int prefetch_store_failed_add(struct prefetch_store *store, int64_t task, uint32_t generation,
                              const struct prefetch_failed *failed, uint32_t count,
                              struct trolley_error *error);

/* Shows up to `count` of a generation behind number `after` (0: from the first); *ret_last is the
 * number of the last. Returns how many. */
int prefetch_store_failed_read(struct prefetch_store *store, int64_t task, uint32_t generation,
                               int64_t after, uint32_t count,
                               int (*each)(void *ctx, const struct prefetch_failed *failed),
                               void *ctx, int64_t *ret_last, struct trolley_error *error);

/* Forgets all generations but one (0: all). */
int prefetch_store_failed_drop(struct prefetch_store *store, int64_t task, uint32_t but,
                               struct trolley_error *error);

/* ---- administration (see trolley.h) --------------------------------------------------------- */

int prefetch_store_tasks(struct prefetch_store *store, const struct trolley_prefetch_filter *filter,
                         int (*each)(void *ctx, const struct trolley_prefetch_task *task),
                         void *ctx, struct trolley_error *error);
int prefetch_store_count(struct prefetch_store *store, const struct trolley_prefetch_filter *filter,
                         uint64_t counts[8], struct trolley_error *error);
int prefetch_store_cancel(struct prefetch_store *store,
                          const struct trolley_prefetch_filter *filter, int64_t now_ms,
                          struct trolley_prefetch_changes *ret_changes,
                          struct trolley_error *error);
int prefetch_store_reschedule(struct prefetch_store *store,
                              const struct trolley_prefetch_filter *filter, int64_t now_ms,
                              int64_t at_ms, const char *to,
                              struct trolley_prefetch_changes *ret_changes,
                              struct trolley_error *error);
int prefetch_store_delete(struct prefetch_store *store,
                          const struct trolley_prefetch_filter *filter,
                          struct trolley_prefetch_changes *ret_changes,
                          struct trolley_error *error);

int prefetch_store_pause(struct prefetch_store *store, const char *queue, bool paused,
                         struct trolley_error *error);
/* 1, 0 or negative. */
int prefetch_store_paused(struct prefetch_store *store, const char *queue,
                          struct trolley_error *error);

/* ---- arrivals not yet looked at ------------------------------------------------------------- */

struct prefetch_news {
    int64_t id;                                       /* of the last that was told; set by peek */
    uint32_t kind;                                    /* enum trolley_prefetch_arrival_kind */
    const char *searcher, *study, *series, *instance; /* NULL: unknown, all below */
    int64_t at_ms;
};

/* Keeps one; told again, it moves to the new time. */
int prefetch_store_news_add(struct prefetch_store *store, const struct prefetch_news *news,
                            struct trolley_error *error);

/* Shows those of the study of the oldest (and of the same searcher and kind), in order: how many.
 */
int prefetch_store_news_peek(struct prefetch_store *store,
                             int (*each)(void *ctx, const struct prefetch_news *news), void *ctx,
                             struct trolley_error *error);

/* Forgets those shown, unless they were told again since. */
int prefetch_store_news_done(struct prefetch_store *store, const struct prefetch_news *last,
                             struct trolley_error *error);

/* ---- what watches saw ----------------------------------------------------------------------- */

/* A study, or (series set) one of its series, as it was seen. */
struct prefetch_seen {
    int64_t instances, series; /* counts; -1: not told */
    char digest[65];           /* of the sorted UIDs, hex; "": not asked for */
    int64_t seen_ms;           /* when; set by get */
};

/* Whether the first poll of the watch was recorded: 1, 0 or negative. `what` tells what it asks
 * for: of another question nothing is known. */
int prefetch_store_watch_begun(struct prefetch_store *store, const char *watch, const char *what,
                               struct trolley_error *error);
int prefetch_store_watch_begin(struct prefetch_store *store, const char *watch, const char *what,
                               struct trolley_error *error);

/* What is known: 1, 0 when nothing, or negative. */
int prefetch_store_watch_get(struct prefetch_store *store, const char *watch, const char *study,
                             const char *series, struct prefetch_seen *ret_seen,
                             struct trolley_error *error);
int prefetch_store_watch_set(struct prefetch_store *store, const char *watch, const char *study,
                             const char *series, const struct prefetch_seen *seen, int64_t now_ms,
                             struct trolley_error *error);

/* Before the series of a study are set anew: what is not set until watch_gone is gone. */
int prefetch_store_watch_mark(struct prefetch_store *store, const char *watch, const char *study,
                              struct trolley_error *error);
/* Shows the study's series that are gone, and forgets them. */
int prefetch_store_watch_gone(struct prefetch_store *store, const char *watch, const char *study,
                              int (*each)(void *ctx, const char *series), void *ctx,
                              struct trolley_error *error);

/* Forgets what was not seen since then. */
int prefetch_store_watch_forget(struct prefetch_store *store, const char *watch, int64_t since_ms,
                                struct trolley_error *error);

#endif
