/* store_admin.c: looking at tasks and changing them by hand. SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/prefetch/store_filter.h"

/* ---- looking -------------------------------------------------------------------------------- */

static const char *admin_part(sqlite3_stmt *statement, int column)
{
    const char *text = store_text(statement, column);

    return text && strcmp(text, "*") == 0 ? NULL : text;
}

static const char *admin_optional(sqlite3_stmt *statement, int column)
{
    const char *text = store_text(statement, column);

    return text && *text ? text : NULL;
}

#define ADMIN_COLUMNS                                                                            \
    "SELECT id, state, retries, exporter, study, series, instance, batch, message, created_ms,"  \
    " changed_ms, due_ms, started_ms, ended_ms, requested, succeeded, failed, not_found, bytes," \
    " cache_hit, cache_miss, cache_bypass FROM task"

static void admin_read(sqlite3_stmt *s, struct trolley_prefetch_task *task)
{
    *task = (struct trolley_prefetch_task){
        .id = sqlite3_column_int64(s, 0),
        .state = (uint32_t)sqlite3_column_int64(s, 1),
        .retries = (uint32_t)sqlite3_column_int64(s, 2),
        .exporter = store_text(s, 3),
        .study = store_text(s, 4),
        .series = admin_part(s, 5),
        .instance = admin_part(s, 6),
        .batch = store_text(s, 7),
        .message = admin_optional(s, 8),
        .created_ms = sqlite3_column_int64(s, 9),
        .changed_ms = sqlite3_column_int64(s, 10),
        .due_ms = sqlite3_column_int64(s, 11),
        .started_ms = sqlite3_column_int64(s, 12),
        .ended_ms = sqlite3_column_int64(s, 13),
        .requested = (uint64_t)sqlite3_column_int64(s, 14),
        .succeeded = (uint64_t)sqlite3_column_int64(s, 15),
        .failed = (uint64_t)sqlite3_column_int64(s, 16),
        .not_found = (uint64_t)sqlite3_column_int64(s, 17),
        .bytes = (uint64_t)sqlite3_column_int64(s, 18),
        .cache_hit = (uint64_t)sqlite3_column_int64(s, 19),
        .cache_miss = (uint64_t)sqlite3_column_int64(s, 20),
        .cache_bypass = (uint64_t)sqlite3_column_int64(s, 21),
    };
}

int prefetch_store_tasks(struct prefetch_store *store, const struct trolley_prefetch_filter *filter,
                         int (*each)(void *ctx, const struct trolley_prefetch_task *task),
                         void *ctx, struct trolley_error *error)
{
    struct trolley_prefetch_task task;
    sqlite3_stmt *statement;
    int r, step = SQLITE_DONE;

    pthread_mutex_lock(&store->lock);
    r = store_filter_prepare(store, ADMIN_COLUMNS, filter, NULL, "ORDER BY id", &statement, error);
    if (r == 0) {
        while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
            admin_read(statement, &task);
            r = each(ctx, &task);
        }
        if (r == 0 && step != SQLITE_DONE) r = store_fail(store, error);
        sqlite3_finalize(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return r;
}

int prefetch_store_count(struct prefetch_store *store, const struct trolley_prefetch_filter *filter,
                         uint64_t counts[8], struct trolley_error *error)
{
    uint64_t found[8] = {0};
    sqlite3_stmt *statement;
    int r, step;

    pthread_mutex_lock(&store->lock);
    r = store_filter_prepare(store, "SELECT state, count(*) FROM task", filter, NULL,
                             "GROUP BY state", &statement, error);
    if (r == 0) {
        while ((step = sqlite3_step(statement)) == SQLITE_ROW)
            found[sqlite3_column_int64(statement, 0) & 7] =
                (uint64_t)sqlite3_column_int64(statement, 1);
        if (step != SQLITE_DONE) r = store_fail(store, error);
        sqlite3_finalize(statement);
    }
    pthread_mutex_unlock(&store->lock);
    if (r == 0) memcpy(counts, found, sizeof found);
    return r;
}

/* ---- changing ------------------------------------------------------------------------------- */

/* Runs a statement made with the filter: how many rows, or negative. */
static int admin_run(struct prefetch_store *store, const char *head,
                     const struct trolley_prefetch_filter *filter, const char *and, int64_t number,
                     struct trolley_error *error)
{
    sqlite3_stmt *statement;
    int r = store_filter_prepare(store, head, filter, and, NULL, &statement, error);

    if (r < 0) return r;
    (void)sqlite3_bind_int64(statement, 100, number);
    r = sqlite3_step(statement) == SQLITE_DONE ? sqlite3_changes(store->db)
                                               : store_fail(store, error);
    sqlite3_finalize(statement);
    return r;
}

/* How many tasks match and are in none of those states. */
static int admin_refused(struct prefetch_store *store, const struct trolley_prefetch_filter *filter,
                         uint32_t states, uint64_t *ret_refused, struct trolley_error *error)
{
    uint64_t counts[8];
    uint32_t state;
    int r = prefetch_store_count(store, filter, counts, error);

    if (r < 0) return r;
    *ret_refused = 0;
    for (state = 1; state < 8; state++)
        if (!(states & TROLLEY_PREFETCH_STATE_BIT(state))) *ret_refused += counts[state];
    return 0;
}

#define ADMIN_CANCELABLE                                       \
    (TROLLEY_PREFETCH_STATE_BIT(TROLLEY_PREFETCH_SCHEDULED) |  \
     TROLLEY_PREFETCH_STATE_BIT(TROLLEY_PREFETCH_IN_PROCESS) | \
     TROLLEY_PREFETCH_STATE_BIT(TROLLEY_PREFETCH_RETRY))
#define ADMIN_AT_REST (~TROLLEY_PREFETCH_STATE_BIT(TROLLEY_PREFETCH_IN_PROCESS))

int prefetch_store_cancel(struct prefetch_store *store,
                          const struct trolley_prefetch_filter *filter, int64_t now_ms,
                          struct trolley_prefetch_changes *ret_changes, struct trolley_error *error)
{
    struct trolley_prefetch_changes changes = {0};
    int r = prefetch_store_begin(store, error);

    if (r < 0) return r;
    r = admin_refused(store, filter, ADMIN_CANCELABLE, &changes.refused, error);
    if (r == 0)
        r = admin_run(store,
                      "UPDATE task SET message = CASE WHEN state = 2 THEN 'canceled while it ran'"
                      " ELSE message END, state = 6, changed_ms = ?100, ended_ms = ?100",
                      filter, "state IN (1, 2, 7)", now_ms, error);
    if (r > 0) changes.changed = (uint64_t)r;
    r = prefetch_store_end(store, r < 0 ? r : 0, error);
    if (r == 0) *ret_changes = changes;
    return r;
}

int prefetch_store_delete(struct prefetch_store *store,
                          const struct trolley_prefetch_filter *filter,
                          struct trolley_prefetch_changes *ret_changes, struct trolley_error *error)
{
    struct trolley_prefetch_changes changes = {0};
    int r = prefetch_store_begin(store, error);

    if (r < 0) return r;
    r = admin_refused(store, filter, ADMIN_AT_REST, &changes.refused, error);
    if (r == 0) r = admin_run(store, "DELETE FROM task", filter, "state <> 2", 0, error);
    if (r > 0) changes.changed = (uint64_t)r;
    r = prefetch_store_end(store, r < 0 ? r : 0, error);
    if (r == 0) *ret_changes = changes;
    return r;
}

/* ---- rescheduling --------------------------------------------------------------------------- */

struct admin_move {
    struct prefetch_store *store;
    int64_t now_ms, due_ms;
    bool timed;
    const char *to;
    struct trolley_prefetch_changes changes;
    struct trolley_error *error;
};

/* Is there another pending task of that key? 1 with its id, 0 or negative. */
static int move_twin(struct admin_move *move, int64_t id, const char *exporter,
                     const struct trolley_prefetch_task *task, int64_t *ret_twin)
{
    return store_number(move->store, ret_twin, move->error,
                        "SELECT id FROM task WHERE " STORE_PENDING " AND forced = 0"
                        " AND exporter = ?1 AND study = ?2 AND series = ?3 AND instance = ?4"
                        " AND id <> ?5",
                        "tttti", exporter, task->study, store_part(task->series),
                        store_part(task->instance), id);
}

static int move_task(struct admin_move *move, const struct trolley_prefetch_task *task)
{
    const char *exporter = move->to ? move->to : task->exporter;
    int64_t twin = 0;
    int r = move_twin(move, task->id, exporter, task, &twin);

    if (r > 0) {
        move->changes.merged++;
        return store_do(move->store, move->error,
                        "UPDATE task SET due_ms = ?2, timed = ?3, changed_ms = ?4 WHERE id = ?1",
                        "iiii", twin, move->due_ms, (int64_t)move->timed, move->now_ms);
    }
    if (r == 0)
        r = store_do(move->store, move->error,
                     "UPDATE task SET exporter = ?2, state = 1, retries = 0, generation = 0,"
                     " forced = 0, due_ms = ?3, timed = ?4, first_ms = ?5, changed_ms = ?5,"
                     " message = NULL WHERE id = ?1",
                     "itiii", task->id, exporter, move->due_ms, (int64_t)move->timed, move->now_ms);
    if (r >= 0) r = prefetch_store_failed_drop(move->store, task->id, 0, move->error);
    move->changes.changed++;
    return r < 0 ? r : 0;
}

/* In order of the tasks, some at a time: the table changes under the one that is read. */
static int move_all(struct admin_move *move, const struct trolley_prefetch_filter *filter)
{
    struct trolley_prefetch_task task;
    sqlite3_stmt *statement;
    int64_t after = 0;
    int r, step;

    do {
        r = store_filter_prepare(move->store, ADMIN_COLUMNS, filter, "state <> 2 AND id > ?100",
                                 "ORDER BY id LIMIT 1", &statement, move->error);
        if (r < 0) return r;
        (void)sqlite3_bind_int64(statement, 100, after);
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW) {
            admin_read(statement, &task);
            after = task.id;
            r = move_task(move, &task);
        } else if (step != SQLITE_DONE) {
            r = store_fail(move->store, move->error);
        }
        sqlite3_finalize(statement);
    } while (r >= 0 && step == SQLITE_ROW);
    return r < 0 ? r : 0;
}

int prefetch_store_reschedule(struct prefetch_store *store,
                              const struct trolley_prefetch_filter *filter, int64_t now_ms,
                              int64_t at_ms, const char *to,
                              struct trolley_prefetch_changes *ret_changes,
                              struct trolley_error *error)
{
    struct admin_move move = {.store = store,
                              .now_ms = now_ms,
                              .due_ms = at_ms ? at_ms : now_ms,
                              .timed = at_ms != 0,
                              .to = to,
                              .error = error};
    int r = prefetch_store_begin(store, error);

    if (r < 0) return r;
    r = admin_refused(store, filter, ADMIN_AT_REST, &move.changes.refused, error);
    if (r == 0) r = move_all(&move, filter);
    r = prefetch_store_end(store, r, error);
    if (r == 0) *ret_changes = move.changes;
    return r;
}

/* ---- queues --------------------------------------------------------------------------------- */

int prefetch_store_pause(struct prefetch_store *store, const char *queue, bool paused,
                         struct trolley_error *error)
{
    int r;

    if (paused)
        r = store_do(store, error, "INSERT OR IGNORE INTO paused VALUES (?1)", "t", queue);
    else
        r = store_do(store, error, "DELETE FROM paused WHERE queue = ?1", "t", queue);
    return r < 0 ? r : 0;
}

int prefetch_store_paused(struct prefetch_store *store, const char *queue,
                          struct trolley_error *error)
{
    int64_t one = 0;

    return store_number(store, &one, error, "SELECT 1 FROM paused WHERE queue = ?1", "t", queue);
}
