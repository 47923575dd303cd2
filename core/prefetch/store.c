/* store.c: opening, locking, transactions, statements. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/prefetch/store_db.h"

#define STORE_BUSY 10000 /* milliseconds that another process may keep it locked */

/* ---- errors --------------------------------------------------------------------------------- */

static int store_status(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return TROLLEY_ERR_NO_SPACE;
    case SQLITE_NOMEM:
        return TROLLEY_ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return TROLLEY_ERR_UNAVAILABLE;
    default:
        return TROLLEY_ERR_IO;
    }
}

int store_fail(struct prefetch_store *store, struct trolley_error *error)
{
    int code = sqlite3_extended_errcode(store->db);
    int system = sqlite3_system_errno(store->db);
    bool io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    int status = store_status(code);

    if (io && (system == ENOSPC || system == EDQUOT)) status = TROLLEY_ERR_NO_SPACE;
    return error_set(error, status, "task store %s: %s%s%s", store->folder,
                     sqlite3_errmsg(store->db), io && system ? ": " : "",
                     io && system ? strerror(system) : "");
}

/* ---- opening -------------------------------------------------------------------------------- */

static int store_folder(struct prefetch_store *store, struct trolley_error *error)
{
    struct stat stat;

    if (mkdir(store->folder, 0700) < 0 && errno != EEXIST)
        return error_set(error, errno == ENOSPC ? TROLLEY_ERR_NO_SPACE : TROLLEY_ERR_IO,
                         "task store %s: it cannot be made: %s (state_dir of [prefetch])",
                         store->folder, strerror(errno));
    if (lstat(store->folder, &stat) < 0 || (S_ISLNK(stat.st_mode) && lstat(store->folder, &stat)))
        return error_set(error, TROLLEY_ERR_IO, "task store %s: %s", store->folder,
                         strerror(errno));
    if (!S_ISDIR(stat.st_mode) && !S_ISLNK(stat.st_mode))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "task store %s: it is no folder (state_dir of [prefetch])", store->folder);
    if (S_ISDIR(stat.st_mode) && (stat.st_mode & (S_IWGRP | S_IWOTH)))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "task store %s: others may write to this folder; chmod go-w it",
                         store->folder);
    return 0;
}

/* The file is made here, with its mode; SQLite gives the same to those beside it. */
static int store_file(struct prefetch_store *store, struct trolley_error *error)
{
    char path[4096];
    int fd, r;

    if (snprintf(path, sizeof path, "%s/tasks.sqlite", store->folder) >= (int)sizeof path)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "task store %s: its path is too long",
                         store->folder);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(error, errno == ENOSPC ? TROLLEY_ERR_NO_SPACE : TROLLEY_ERR_IO,
                         "task store %s: %s", path, strerror(errno));
    close(fd);
    r = sqlite3_open_v2(path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
    if (r != SQLITE_OK && !store->db) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    if (r != SQLITE_OK) return store_fail(store, error);
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, STORE_BUSY);
    return 0;
}

/* synchronous = FULL: what was promised to whoever asked for an export is on the disk. */
static int store_settings(struct prefetch_store *store, struct trolley_error *error)
{
    static const char sql[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                              "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                              "PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;"
                              "PRAGMA journal_size_limit = 16777216;";

    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                       : store_fail(store, error);
}

int prefetch_store_open(const char *state_dir, struct prefetch_store **ret_store,
                        struct trolley_error *error)
{
    struct prefetch_store *store = calloc(1, sizeof *store);
    pthread_mutexattr_t recursive;
    int r = 0;

    if (!store) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    store->leader = -1;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&store->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    store->folder = strdup(state_dir);
    if (!store->folder) r = error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    if (r == 0) r = store_folder(store, error);
    if (r == 0) r = store_file(store, error);
    if (r == 0) r = store_settings(store, error);
    if (r == 0) r = store_schema(store, error);
    if (r < 0) {
        prefetch_store_close(store);
        return r;
    }
    (void)prefetch_store_touched(store);
    *ret_store = store;
    return 0;
}

void prefetch_store_close(struct prefetch_store *store)
{
    size_t i;

    if (!store) return;
    for (i = 0; i < STORE_STATEMENTS; i++)
        sqlite3_finalize(store->statements[i].statement);
    sqlite3_close(store->db);
    if (store->leader >= 0) close(store->leader);
    pthread_mutex_destroy(&store->lock);
    free(store->folder);
    free(store);
}

/* ---- statements ----------------------------------------------------------------------------- */

static int store_statement(struct prefetch_store *store, const char *sql,
                           sqlite3_stmt **ret_statement, struct trolley_error *error)
{
    struct store_statement *slot;
    size_t i;

    for (i = 0; i < STORE_STATEMENTS; i++)
        if (!store->statements[i].sql || store->statements[i].sql == sql) break;
    if (i == STORE_STATEMENTS)
        return error_set(error, TROLLEY_ERR_INTERNAL, "task store: too many statements");
    slot = &store->statements[i];
    if (!slot->statement && sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                               &slot->statement, NULL) != SQLITE_OK)
        return store_fail(store, error);
    slot->sql = sql;
    *ret_statement = slot->statement;
    return 0;
}

static int store_bind(struct prefetch_store *store, sqlite3_stmt *statement, const char *types,
                      va_list args, struct trolley_error *error)
{
    int i, r = SQLITE_OK;

    for (i = 0; types[i] && r == SQLITE_OK; i++) {
        if (types[i] == 'i')
            r = sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
        else
            r = sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1, SQLITE_STATIC);
    }
    return r == SQLITE_OK ? 0 : store_fail(store, error);
}

static int store_vstart(struct prefetch_store *store, sqlite3_stmt **ret_statement,
                        struct trolley_error *error, const char *sql, const char *types,
                        va_list args)
{
    sqlite3_stmt *statement = NULL;
    int r = store_statement(store, sql, &statement, error);

    if (r == 0) r = store_bind(store, statement, types, args, error);
    if (r == 0) *ret_statement = statement;
    return r;
}

int store_start(struct prefetch_store *store, sqlite3_stmt **ret_statement,
                struct trolley_error *error, const char *sql, const char *types, ...)
{
    va_list args;
    int r;

    va_start(args, types);
    r = store_vstart(store, ret_statement, error, sql, types, args);
    va_end(args);
    return r;
}

void store_finish(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

int store_do(struct prefetch_store *store, struct trolley_error *error, const char *sql,
             const char *types, ...)
{
    sqlite3_stmt *statement;
    va_list args;
    int r;

    pthread_mutex_lock(&store->lock);
    va_start(args, types);
    r = store_vstart(store, &statement, error, sql, types, args);
    va_end(args);
    if (r == 0) {
        if (sqlite3_step(statement) == SQLITE_DONE)
            r = sqlite3_changes(store->db);
        else
            r = store_fail(store, error);
        store_finish(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return r;
}

int store_number(struct prefetch_store *store, int64_t *ret_number, struct trolley_error *error,
                 const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement;
    va_list args;
    int r, step;

    pthread_mutex_lock(&store->lock);
    va_start(args, types);
    r = store_vstart(store, &statement, error, sql, types, args);
    va_end(args);
    if (r == 0) {
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
            *ret_number = sqlite3_column_int64(statement, 0);
            r = 1;
        } else if (step != SQLITE_ROW && step != SQLITE_DONE) {
            r = store_fail(store, error);
        }
        store_finish(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return r;
}

const char *store_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

/* ---- transactions --------------------------------------------------------------------------- */

int prefetch_store_begin(struct prefetch_store *store, struct trolley_error *error)
{
    int r = 0;

    pthread_mutex_lock(&store->lock);
    if (store->depth == 0) r = store_do(store, error, "BEGIN IMMEDIATE", "");
    if (r >= 0) {
        store->depth++;
        return 0;
    }
    pthread_mutex_unlock(&store->lock);
    return r;
}

int prefetch_store_end(struct prefetch_store *store, int r, struct trolley_error *error)
{
    if (--store->depth == 0) {
        int written = r < 0 ? 0 : store_do(store, error, "COMMIT", "");

        if (written < 0) r = written;
        /* A full disk may have rolled it back already. */
        if (r < 0 && !sqlite3_get_autocommit(store->db))
            (void)store_do(store, NULL, "ROLLBACK", "");
    }
    pthread_mutex_unlock(&store->lock);
    return r;
}

bool prefetch_store_touched(struct prefetch_store *store)
{
    int64_t version = -1;
    bool touched;

    pthread_mutex_lock(&store->lock);
    (void)store_number(store, &version, NULL, "PRAGMA data_version", "");
    touched = version != store->data_version;
    store->data_version = version;
    pthread_mutex_unlock(&store->lock);
    return touched;
}
