/* store_merge.c: how arrivals and orders become tasks, each thing to be done once.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/prefetch/schedule.h"
#include "core/prefetch/store_db.h"

int store_covering(struct prefetch_store *store, const struct prefetch_key *key,
                   struct store_pending *ret_task, struct trolley_error *error)
{
    static const char sql[] =
        "SELECT id, due_ms, first_ms FROM task WHERE " STORE_PENDING " AND forced = 0"
        " AND exporter = ?1 AND study = ?2 AND (series = '*' OR (series = ?3"
        " AND (instance = '*' OR instance = ?4)))"
        " ORDER BY series <> '*', instance <> '*' LIMIT 1";
    sqlite3_stmt *statement;
    int r, step;

    pthread_mutex_lock(&store->lock);
    r = store_start(store, &statement, error, sql, "tttt", key->exporter, key->scope.study,
                    store_part(key->scope.series), store_part(key->scope.instance));
    if (r == 0) {
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW) {
            ret_task->id = sqlite3_column_int64(statement, 0);
            ret_task->due_ms = sqlite3_column_int64(statement, 1);
            ret_task->first_ms = sqlite3_column_int64(statement, 2);
            r = 1;
        } else if (step != SQLITE_DONE) {
            r = store_fail(store, error);
        }
        store_finish(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return r;
}

/* What narrower pending tasks have in common, before they go. */
struct merge_absorbed {
    int64_t first_ms; /* of the earliest; INT64_MAX: there are none */
    int64_t due_ms;   /* of the latest */
};

/* Takes the exporter's pending tasks that are part of the key, which is no instance's. */
static int merge_absorb(struct prefetch_store *store, const struct prefetch_key *key,
                        struct merge_absorbed *ret_absorbed, struct trolley_error *error)
{
    const char *series = key->scope.series ? key->scope.series : "*";
    int64_t first = INT64_MAX, due = INT64_MIN;
    int r;

    *ret_absorbed = (struct merge_absorbed){INT64_MAX, INT64_MIN};
    if (key->scope.instance) return 0;
    r = store_number(store, &first, error,
                     "SELECT min(first_ms) FROM task WHERE " STORE_PENDING " AND forced = 0"
                     " AND exporter = ?1 AND study = ?2 AND series <> '*'"
                     " AND (?3 = '*' OR (series = ?3 AND instance <> '*'))",
                     "ttt", key->exporter, key->scope.study, series);
    if (r <= 0) return r;
    r = store_number(store, &due, error,
                     "SELECT max(due_ms) FROM task WHERE " STORE_PENDING " AND forced = 0"
                     " AND exporter = ?1 AND study = ?2 AND series <> '*'"
                     " AND (?3 = '*' OR (series = ?3 AND instance <> '*'))",
                     "ttt", key->exporter, key->scope.study, series);
    if (r >= 0)
        r = store_do(store, error,
                     "DELETE FROM task WHERE " STORE_PENDING " AND forced = 0"
                     " AND exporter = ?1 AND study = ?2 AND series <> '*'"
                     " AND (?3 = '*' OR (series = ?3 AND instance <> '*'))",
                     "ttt", key->exporter, key->scope.study, series);
    *ret_absorbed = (struct merge_absorbed){first, due};
    return r < 0 ? r : 0;
}

/* Spreads tasks over the jitter, each at its own place: FNV-1a of its key. */
static int64_t merge_jitter(const struct prefetch_key *key, int64_t jitter_ms)
{
    const char *const parts[] = {key->exporter, key->scope.study, store_part(key->scope.series),
                                 store_part(key->scope.instance)};
    uint64_t hash = UINT64_C(14695981039346656037);
    const char *p;
    size_t i;

    if (jitter_ms <= 0) return 0;
    for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (p = parts[i]; *p; p++)
            hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
        hash = (hash ^ '/') * UINT64_C(1099511628211);
    }
    /* Its low bits mix badly. */
    hash ^= hash >> 32;
    return (int64_t)(hash % ((uint64_t)jitter_ms + 1));
}

static int merge_insert(struct prefetch_store *store, const struct prefetch_key *key,
                        int64_t now_ms, int64_t first_ms, int64_t due_ms, bool timed, bool forced,
                        const char *batch, int64_t *ret_id, struct trolley_error *error)
{
    int r = store_do(store, error,
                     "INSERT INTO task (exporter, study, series, instance, state, created_ms,"
                     " changed_ms, first_ms, due_ms, timed, forced, batch)"
                     " VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?6, ?7, ?8, ?9, ?10)",
                     "ttttiiiiit", key->exporter, key->scope.study, store_part(key->scope.series),
                     store_part(key->scope.instance), now_ms, first_ms, due_ms, (int64_t)timed,
                     (int64_t)forced, batch);

    if (r < 0) return r;
    *ret_id = sqlite3_last_insert_rowid(store->db);
    return 0;
}

/* A pending task gets a new time, and all of it is to be done: what failed before and more. */
static int merge_move(struct prefetch_store *store, int64_t id, int64_t now_ms, int64_t first_ms,
                      int64_t due_ms, int timed, const char *batch, struct trolley_error *error)
{
    int r = store_do(store, error,
                     "UPDATE task SET due_ms = ?2, first_ms = ?3, changed_ms = ?4, generation = 0,"
                     " timed = CASE WHEN ?5 < 0 THEN timed ELSE ?5 END,"
                     " batch = coalesce(?6, batch) WHERE id = ?1",
                     "iiiiit", id, due_ms, first_ms, now_ms, (int64_t)timed, batch);

    if (r >= 0) r = prefetch_store_failed_drop(store, id, 0, error);
    return r < 0 ? r : 0;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When a task whose first arrival was at `first_ms` and whose last is now is due; *ret_timed: the
 * exporter's schedule says so. */
static int64_t merge_due(const struct prefetch_key *key, const struct prefetch_when *when,
                         int64_t first_ms, bool *ret_timed)
{
    int64_t due = when->now_ms + when->delay_ms, open;

    if (when->max_delay_ms > 0) due = lesser(due, first_ms + when->max_delay_ms);
    due += merge_jitter(key, when->jitter_ms);
    open = prefetch_schedule_next(when->schedule, due);
    *ret_timed = open > due;
    return greater(due, open);
}

static int merge_arrival(struct prefetch_store *store, const struct prefetch_key *key,
                         const struct prefetch_when *when, int64_t *ret_id,
                         struct trolley_error *error)
{
    struct merge_absorbed absorbed;
    struct store_pending task = {0};
    int64_t first, due;
    bool timed;
    int found, r;

    found = store_covering(store, key, &task, error);
    if (found < 0) return found;
    r = merge_absorb(store, key, &absorbed, error);
    if (r < 0) return r;
    first = lesser(when->now_ms, lesser(absorbed.first_ms, found ? task.first_ms : INT64_MAX));
    due = merge_due(key, when, first, &timed);
    if (found) {
        *ret_id = task.id;
        if (due <= task.due_ms) due = task.due_ms;
        return merge_move(store, task.id, when->now_ms, first, due,
                          due > task.due_ms && timed ? 1 : -1, NULL, error);
    }
    /* Retries that were to wait for a server still do. */
    if (absorbed.due_ms > due && when->max_delay_ms <= 0) due = absorbed.due_ms;
    return merge_insert(store, key, when->now_ms, first, due, timed, false, NULL, ret_id, error);
}

int prefetch_store_arrive(struct prefetch_store *store, const struct prefetch_key *key,
                          const struct prefetch_when *when, int64_t *ret_id,
                          struct trolley_error *error)
{
    int64_t id = 0;
    int r = prefetch_store_begin(store, error);

    if (r < 0) return r;
    r = merge_arrival(store, key, when, &id, error);
    r = prefetch_store_end(store, r, error);
    if (r == 0) *ret_id = id;
    return r;
}

static int merge_order(struct prefetch_store *store, const struct trolley_prefetch_order *order,
                       int64_t now_ms, int64_t *ret_id, bool *ret_merged,
                       struct trolley_error *error)
{
    const struct prefetch_key key = {order->exporter,
                                     {order->study, order->series, order->instance}};
    int64_t due = order->at_ms ? order->at_ms : now_ms, first = now_ms;
    struct merge_absorbed absorbed;
    struct store_pending task;
    int r = order->force ? 0 : store_covering(store, &key, &task, error);

    *ret_merged = r > 0;
    if (r > 0) {
        *ret_id = task.id;
        r = merge_absorb(store, &key, &absorbed, error);
        if (r < 0) return r;
        return merge_move(store, task.id, now_ms, task.first_ms, due, order->at_ms != 0,
                          order->batch, error);
    }
    if (r == 0 && !order->force) {
        r = merge_absorb(store, &key, &absorbed, error);
        first = lesser(first, absorbed.first_ms);
    }
    if (r < 0) return r;
    return merge_insert(store, &key, now_ms, first, due, order->at_ms != 0, order->force != 0,
                        order->batch, ret_id, error);
}

int prefetch_store_order(struct prefetch_store *store, const struct trolley_prefetch_order *order,
                         int64_t now_ms, int64_t *ret_id, bool *ret_merged,
                         struct trolley_error *error)
{
    int64_t id = 0;
    bool merged = false;
    int r = prefetch_store_begin(store, error);

    if (r < 0) return r;
    r = merge_order(store, order, now_ms, &id, &merged, error);
    r = prefetch_store_end(store, r, error);
    if (r < 0) return r;
    *ret_id = id;
    *ret_merged = merged;
    return 0;
}
