/* store_watch.c: what watches saw, and arrivals that nobody has looked at yet.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "core/prefetch/store_db.h"

/* ---- arrivals ------------------------------------------------------------------------------- */

static const char *blank(const char *text)
{
    return text ? text : "";
}

int prefetch_store_news_add(struct prefetch_store *store, const struct prefetch_news *news,
                            struct trolley_error *error)
{
    /* REPLACE gives it a new number, by which news_done knows that it was told again. */
    int r = store_do(store, error,
                     "INSERT OR REPLACE INTO news (kind, searcher, study, series, instance, at_ms)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     "itttti", (int64_t)news->kind, blank(news->searcher), news->study,
                     blank(news->series), blank(news->instance), news->at_ms);

    return r < 0 ? r : 0;
}

static const char *news_text(sqlite3_stmt *statement, int column)
{
    const char *text = store_text(statement, column);

    return text && *text ? text : NULL;
}

int prefetch_store_news_peek(struct prefetch_store *store,
                             int (*each)(void *ctx, const struct prefetch_news *news), void *ctx,
                             struct trolley_error *error)
{
    static const char sql[] =
        "SELECT n.id, n.kind, n.searcher, n.study, n.series, n.instance, n.at_ms FROM news n,"
        " (SELECT * FROM news ORDER BY id LIMIT 1) o WHERE n.study = o.study"
        " AND n.searcher = o.searcher AND n.kind = o.kind ORDER BY n.id";
    sqlite3_stmt *statement;
    int r, step = SQLITE_DONE, shown = 0;

    pthread_mutex_lock(&store->lock);
    r = store_start(store, &statement, error, sql, "");
    if (r == 0) {
        while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW) {
            const struct prefetch_news news = {.id = sqlite3_column_int64(statement, 0),
                                               .kind = (uint32_t)sqlite3_column_int64(statement, 1),
                                               .searcher = news_text(statement, 2),
                                               .study = store_text(statement, 3),
                                               .series = news_text(statement, 4),
                                               .instance = news_text(statement, 5),
                                               .at_ms = sqlite3_column_int64(statement, 6)};

            shown++;
            r = each(ctx, &news);
        }
        if (r == 0 && step != SQLITE_DONE) r = store_fail(store, error);
        store_finish(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return r < 0 ? r : shown;
}

int prefetch_store_news_done(struct prefetch_store *store, const struct prefetch_news *last,
                             struct trolley_error *error)
{
    int r = store_do(store, error,
                     "DELETE FROM news WHERE study = ?1 AND searcher = ?2 AND kind = ?3"
                     " AND id <= ?4",
                     "ttii", last->study, blank(last->searcher), (int64_t)last->kind, last->id);

    return r < 0 ? r : 0;
}

/* ---- watches -------------------------------------------------------------------------------- */

int prefetch_store_watch_begun(struct prefetch_store *store, const char *watch, const char *what,
                               struct trolley_error *error)
{
    int64_t one = 0;

    return store_number(store, &one, error, "SELECT 1 FROM watch WHERE name = ?1 AND what = ?2",
                        "tt", watch, what);
}

int prefetch_store_watch_begin(struct prefetch_store *store, const char *watch, const char *what,
                               struct trolley_error *error)
{
    int r =
        store_do(store, error, "INSERT OR REPLACE INTO watch VALUES (?1, ?2)", "tt", watch, what);

    return r < 0 ? r : 0;
}

int prefetch_store_watch_get(struct prefetch_store *store, const char *watch, const char *study,
                             const char *series, struct prefetch_seen *ret_seen,
                             struct trolley_error *error)
{
    sqlite3_stmt *statement;
    int r, step;

    pthread_mutex_lock(&store->lock);
    r = store_start(store, &statement, error,
                    "SELECT instances, series_count, digest, seen_ms FROM seen"
                    " WHERE watch = ?1 AND study = ?2 AND series = ?3",
                    "ttt", watch, study, blank(series));
    if (r == 0) {
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW) {
            ret_seen->instances = sqlite3_column_int64(statement, 0);
            ret_seen->series = sqlite3_column_int64(statement, 1);
            (void)snprintf(ret_seen->digest, sizeof ret_seen->digest, "%s",
                           store_text(statement, 2));
            ret_seen->seen_ms = sqlite3_column_int64(statement, 3);
            r = 1;
        } else if (step != SQLITE_DONE) {
            r = store_fail(store, error);
        }
        store_finish(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return r;
}

int prefetch_store_watch_set(struct prefetch_store *store, const char *watch, const char *study,
                             const char *series, const struct prefetch_seen *seen, int64_t now_ms,
                             struct trolley_error *error)
{
    int r = store_do(
        store, error, "INSERT OR REPLACE INTO seen VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "tttiiti",
        watch, study, blank(series), seen->instances, seen->series, seen->digest, now_ms);

    return r < 0 ? r : 0;
}

int prefetch_store_watch_mark(struct prefetch_store *store, const char *watch, const char *study,
                              struct trolley_error *error)
{
    int r = store_do(store, error,
                     "UPDATE seen SET seen_ms = 0 WHERE watch = ?1 AND study = ?2 AND series <> ''",
                     "tt", watch, study);

    return r < 0 ? r : 0;
}

int prefetch_store_watch_gone(struct prefetch_store *store, const char *watch, const char *study,
                              int (*each)(void *ctx, const char *series), void *ctx,
                              struct trolley_error *error)
{
    sqlite3_stmt *statement;
    int r = prefetch_store_begin(store, error), step = SQLITE_DONE;

    if (r < 0) return r;
    r = store_start(store, &statement, error,
                    "SELECT series FROM seen WHERE watch = ?1 AND study = ?2 AND series <> ''"
                    " AND seen_ms = 0",
                    "tt", watch, study);
    if (r == 0) {
        while (r == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
            r = each(ctx, store_text(statement, 0));
        if (r == 0 && step != SQLITE_DONE) r = store_fail(store, error);
        store_finish(statement);
    }
    if (r == 0)
        r = store_do(store, error,
                     "DELETE FROM seen WHERE watch = ?1 AND study = ?2 AND series <> ''"
                     " AND seen_ms = 0",
                     "tt", watch, study);
    r = prefetch_store_end(store, r, error);
    return r < 0 ? r : 0;
}

int prefetch_store_watch_forget(struct prefetch_store *store, const char *watch, int64_t since_ms,
                                struct trolley_error *error)
{
    int r = store_do(store, error, "DELETE FROM seen WHERE watch = ?1 AND seen_ms < ?2", "ti",
                     watch, since_ms);

    return r < 0 ? r : 0;
}
