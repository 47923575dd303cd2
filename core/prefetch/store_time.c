/* store_time.c: what is due when, clocks that were set, tasks that have aged.
 * SPDX-License-Identifier: MIT */
#include "core/prefetch/store_db.h"

#define PURGE_AT_ONCE 5000 /* tasks, so that others get at the file between */

int prefetch_store_next(struct prefetch_store *store, const char *exporter, int64_t *ret_due_ms,
                        struct trolley_error *error)
{
    int64_t due = 0;
    int r = store_number(store, &due, error,
                         "SELECT due_ms FROM task WHERE " STORE_PENDING " AND exporter = ?1"
                         " ORDER BY due_ms LIMIT 1",
                         "t", exporter);

    if (r < 0) return r;
    *ret_due_ms = r == 0 ? INT64_MAX : due;
    return 0;
}

int prefetch_store_postpone(struct prefetch_store *store, const char *exporter, int64_t now_ms,
                            int64_t due_ms, struct trolley_error *error)
{
    return store_do(store, error,
                    "UPDATE task SET due_ms = ?3, timed = 1 WHERE " STORE_PENDING
                    " AND exporter = ?1 AND due_ms <= ?2",
                    "tii", exporter, now_ms, due_ms);
}

int prefetch_store_jump(struct prefetch_store *store, int64_t jump_ms, struct trolley_error *error)
{
    return store_do(
        store, error,
        "UPDATE task SET due_ms = due_ms + ?1, first_ms = first_ms + ?1 WHERE " STORE_PENDING
        " AND timed = 0",
        "i", jump_ms);
}

int prefetch_store_last_seen(struct prefetch_store *store, int64_t *ret_ms,
                             struct trolley_error *error)
{
    int64_t ms = 0;
    int r = store_number(store, &ms, error, "SELECT value FROM meta WHERE key = 'seen_ms'", "");

    if (r < 0) return r;
    *ret_ms = ms;
    return 0;
}

int prefetch_store_seen(struct prefetch_store *store, int64_t now_ms, struct trolley_error *error)
{
    return store_do(store, error, "INSERT OR REPLACE INTO meta VALUES ('seen_ms', ?1)", "i",
                    now_ms);
}

int prefetch_store_purge(struct prefetch_store *store, const char *exporter, uint32_t state,
                         int64_t before_ms, struct trolley_error *error)
{
    return store_do(store, error,
                    "DELETE FROM task WHERE id IN (SELECT id FROM task WHERE state = ?1"
                    " AND exporter = ?2 AND ended_ms < ?3 AND busy = 0 LIMIT ?4)",
                    "itii", (int64_t)state, exporter, before_ms, (int64_t)PURGE_AT_ONCE);
}

int prefetch_store_exporters(struct prefetch_store *store,
                             int (*each)(void *ctx, const char *exporter, uint64_t pending),
                             void *ctx, struct trolley_error *error)
{
    sqlite3_stmt *statement;
    int r, step = SQLITE_DONE;

    pthread_mutex_lock(&store->lock);
    r = store_start(store, &statement, error,
                    "SELECT exporter, count(*) FROM task WHERE " STORE_PENDING " GROUP BY exporter",
                    "");
    if (r == 0) {
        while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
            r = each(ctx, store_text(statement, 0), (uint64_t)sqlite3_column_int64(statement, 1));
        if (r == 0 && step != SQLITE_DONE) r = store_fail(store, error);
        store_finish(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return r;
}
