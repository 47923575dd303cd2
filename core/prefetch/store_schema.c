/* store_schema.c: the tables, and taking over from whoever ran tasks before.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/prefetch/store_db.h"

#define SCHEMA_VERSION 1
#define SCHEMA_APPLICATION 0x74726f6c /* "trol" */

/*
 * task.first_ms: when the first arrival of the pending task was. timed: due_ms was named by someone
 * or by a schedule, and does not move with the clock. forced: beside other pending tasks of its
 * key. busy: a run is under way, whatever the state says by now. generation: of the failed requests
 * that a retry repeats; 0: it does everything.
 */
static const char schema_tables[] =
    "CREATE TABLE task ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, exporter TEXT NOT NULL, study TEXT NOT NULL,"
    " series TEXT NOT NULL DEFAULT '*', instance TEXT NOT NULL DEFAULT '*',"
    " state INTEGER NOT NULL, retries INTEGER NOT NULL DEFAULT 0,"
    " created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, first_ms INTEGER NOT NULL,"
    " due_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL DEFAULT 0,"
    " ended_ms INTEGER NOT NULL DEFAULT 0,"
    " timed INTEGER NOT NULL DEFAULT 0, forced INTEGER NOT NULL DEFAULT 0,"
    " busy INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT NULL DEFAULT 0, urls TEXT,"
    " batch TEXT, message TEXT,"
    " requested INTEGER NOT NULL DEFAULT 0, succeeded INTEGER NOT NULL DEFAULT 0,"
    " failed INTEGER NOT NULL DEFAULT 0, not_found INTEGER NOT NULL DEFAULT 0,"
    " bytes INTEGER NOT NULL DEFAULT 0, cache_hit INTEGER NOT NULL DEFAULT 0,"
    " cache_miss INTEGER NOT NULL DEFAULT 0, cache_bypass INTEGER NOT NULL DEFAULT 0);"
    /* One pending task a key, whoever writes. */
    "CREATE UNIQUE INDEX task_key ON task (exporter, study, series, instance)"
    " WHERE " STORE_PENDING " AND forced = 0;"
    "CREATE INDEX task_due ON task (exporter, due_ms, id) WHERE " STORE_PENDING ";"
    "CREATE INDEX task_busy ON task (exporter, study) WHERE busy = 1;"
    "CREATE INDEX task_state ON task (state, exporter, ended_ms);"
    "CREATE INDEX task_study ON task (study);"
    "CREATE INDEX task_batch ON task (batch) WHERE batch IS NOT NULL;"
    "CREATE TABLE failed (task INTEGER NOT NULL REFERENCES task (id) ON DELETE CASCADE,"
    " generation INTEGER NOT NULL, number INTEGER NOT NULL, url INTEGER NOT NULL,"
    " study TEXT, series TEXT, instance TEXT, frame INTEGER NOT NULL, message TEXT,"
    " PRIMARY KEY (task, generation, number)) WITHOUT ROWID;"
    "CREATE TABLE news (id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
    " searcher TEXT NOT NULL, study TEXT NOT NULL, series TEXT NOT NULL, instance TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL, UNIQUE (study, series, instance, searcher, kind));"
    "CREATE TABLE watch (name TEXT PRIMARY KEY, what TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE seen (watch TEXT NOT NULL, study TEXT NOT NULL, series TEXT NOT NULL,"
    " instances INTEGER NOT NULL, series_count INTEGER NOT NULL, digest TEXT NOT NULL,"
    " seen_ms INTEGER NOT NULL, PRIMARY KEY (watch, study, series)) WITHOUT ROWID;"
    "CREATE TABLE paused (queue TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;";

static int schema_make(struct prefetch_store *store, struct trolley_error *error)
{
    char pragmas[128];

    (void)snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                   SCHEMA_APPLICATION, SCHEMA_VERSION);
    if (sqlite3_exec(store->db, schema_tables, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(store->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
        return store_fail(store, error);
    return 0;
}

/* 1 when the tables are there, 0 when the file is empty. */
static int schema_version(struct prefetch_store *store, struct trolley_error *error)
{
    int64_t version = 0, application = 0;
    int r = store_number(store, &version, error, "PRAGMA user_version", "");

    if (r >= 0) r = store_number(store, &application, error, "PRAGMA application_id", "");
    if (r < 0) return r;
    if (version == 0 && application == 0) return 0;
    if (application != SCHEMA_APPLICATION)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "task store %s: tasks.sqlite belongs to another program", store->folder);
    if (version != SCHEMA_VERSION)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "task store %s: tasks.sqlite is of version %" PRId64
                         ", this trolley knows version %d",
                         store->folder, version, SCHEMA_VERSION);
    return 1;
}

int store_schema(struct prefetch_store *store, struct trolley_error *error)
{
    int r = schema_version(store, error);

    if (r != 0) return r < 0 ? r : 0;
    /* Another process may have made them by the time the lock is ours. */
    r = prefetch_store_begin(store, error);
    if (r < 0) return r;
    r = schema_version(store, error);
    if (r == 0) r = schema_make(store, error);
    r = prefetch_store_end(store, r, error);
    return r < 0 ? r : 0;
}

/* ---- one who runs tasks --------------------------------------------------------------------- */

/* The lock is the kernel's: it goes with the process. */
static int lead_lock(struct prefetch_store *store, struct trolley_error *error)
{
    char path[4096], text[32] = "";
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof path, "%s/daemon.lock", store->folder);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return error_set(error, TROLLEY_ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        n = pread(fd, text, sizeof text - 1, 0);
        if (n > 0) text[strcspn(text, "\n")] = '\0';
        close(fd);
        return error_set(error, TROLLEY_ERR_UNAVAILABLE,
                         "task store %s: another process runs its tasks (process %s)",
                         store->folder, n > 0 ? text : "unknown");
    }
    (void)snprintf(text, sizeof text, "%ld\n", (long)getpid());
    /* For the message above alone: a full disk must not keep anyone from leading. */
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) < 0) errno = 0;
    store->leader = fd;
    return 0;
}

/* A follow-up does what the run that broke off should have done; their times are the same task's.
 */
static int lead_recover(struct prefetch_store *store, int64_t now_ms, struct trolley_error *error)
{
    int r = prefetch_store_begin(store, error);

    if (r < 0) return r;
    r = store_do(store, error,
                 "DELETE FROM task WHERE state = 2 AND forced = 0 AND EXISTS"
                 " (SELECT 1 FROM task p WHERE p." STORE_PENDING " AND p.forced = 0"
                 " AND p.exporter = task.exporter AND p.study = task.study"
                 " AND p.series = task.series AND p.instance = task.instance)",
                 "");
    if (r >= 0)
        r = store_do(store, error,
                     "UPDATE task SET state = CASE WHEN retries > 0 THEN 7 ELSE 1 END,"
                     " changed_ms = ?1 WHERE state = 2",
                     "i", now_ms);
    if (r >= 0) r = store_do(store, error, "UPDATE task SET busy = 0 WHERE busy = 1", "");
    r = prefetch_store_end(store, r, error);
    return r < 0 ? r : 0;
}

int prefetch_store_lead(struct prefetch_store *store, int64_t now_ms, struct trolley_error *error)
{
    int r = lead_lock(store, error);

    if (r == 0) r = lead_recover(store, now_ms, error);
    if (r < 0 && store->leader >= 0) {
        close(store->leader);
        store->leader = -1;
    }
    return r;
}
