/* store_failed.c: requests that failed, kept for a retry. SPDX-License-Identifier: MIT */
#include "core/prefetch/store_db.h"

static int failed_add(struct prefetch_store *store, int64_t task, uint32_t generation,
                      const struct prefetch_failed *failed, uint32_t count,
                      struct trolley_error *error)
{
    int64_t number = 0;
    uint32_t i;
    int r = store_number(store, &number, error,
                         "SELECT max(number) FROM failed WHERE task = ?1 AND generation = ?2", "ii",
                         task, (int64_t)generation);

    for (i = 0; r >= 0 && i < count; i++) {
        const struct prefetch_request *request = &failed[i].request;

        r = store_do(store, error, "INSERT INTO failed VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                     "iiiitttit", task, (int64_t)generation, ++number, (int64_t)request->url,
                     request->study, request->series, request->instance, (int64_t)request->frame,
                     failed[i].message);
    }
    return r < 0 ? r : 0;
}

int prefetch_store_failed_add(struct prefetch_store *store, int64_t task, uint32_t generation,
                              const struct prefetch_failed *failed, uint32_t count,
                              struct trolley_error *error)
{
    int64_t there = 0;
    int r = prefetch_store_begin(store, error);

    if (r < 0) return r;
    /* A task deleted while it ran has nothing to be repeated. */
    r = store_number(store, &there, error, "SELECT 1 FROM task WHERE id = ?1", "i", task);
    if (r > 0) r = failed_add(store, task, generation, failed, count, error);
    return prefetch_store_end(store, r, error);
}

static int failed_read(sqlite3_stmt *statement,
                       int (*each)(void *ctx, const struct prefetch_failed *failed), void *ctx)
{
    const struct prefetch_failed failed = {
        .request = {.url = (uint32_t)sqlite3_column_int64(statement, 1),
                    .study = store_text(statement, 2),
                    .series = store_text(statement, 3),
                    .instance = store_text(statement, 4),
                    .frame = (uint32_t)sqlite3_column_int64(statement, 5)},
        .message = store_text(statement, 6)};

    return each(ctx, &failed);
}

int prefetch_store_failed_read(struct prefetch_store *store, int64_t task, uint32_t generation,
                               int64_t after, uint32_t count,
                               int (*each)(void *ctx, const struct prefetch_failed *failed),
                               void *ctx, int64_t *ret_last, struct trolley_error *error)
{
    sqlite3_stmt *statement;
    int r, shown = 0, step = SQLITE_DONE;

    pthread_mutex_lock(&store->lock);
    r = store_start(store, &statement, error,
                    "SELECT number, url, study, series, instance, frame, message FROM failed"
                    " WHERE task = ?1 AND generation = ?2 AND number > ?3 ORDER BY number LIMIT ?4",
                    "iiii", task, (int64_t)generation, after, (int64_t)count);
    if (r == 0) {
        while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
            *ret_last = sqlite3_column_int64(statement, 0);
            shown++;
            r = failed_read(statement, each, ctx);
        }
        if (r == 0 && step != SQLITE_DONE) r = store_fail(store, error);
        store_finish(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return r < 0 ? r : shown;
}

int prefetch_store_failed_drop(struct prefetch_store *store, int64_t task, uint32_t but,
                               struct trolley_error *error)
{
    int r = store_do(store, error,
                     "DELETE FROM failed WHERE task = ?1 AND (?2 = 0 OR generation <> ?2)", "ii",
                     task, (int64_t)but);

    return r < 0 ? r : 0;
}
