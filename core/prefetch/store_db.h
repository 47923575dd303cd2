/* store_db.h: how the files of the store speak to SQLite. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_STORE_DB_H
#define CORE_PREFETCH_STORE_DB_H

#include <pthread.h>
#include <sqlite3.h>

#include "core/model/error.h"
#include "core/prefetch/store.h"

#define STORE_STATEMENTS 64

/* As numbers in texts of SQL: pending are SCHEDULED and RETRY. The partial indexes of the schema
 * say it in the same words, or they would not be used. */
#define STORE_PENDING "state IN (1, 7)"

struct prefetch_store {
    sqlite3 *db;
    pthread_mutex_t lock; /* recursive */
    int depth;            /* of transactions */
    char *folder;
    int leader;           /* descriptor of the lock, -1 */
    int64_t data_version; /* last seen */
    struct store_statement {
        const char *sql; /* a literal, told apart by its address */
        sqlite3_stmt *statement;
    } statements[STORE_STATEMENTS];
};

/* Makes the tables in an empty file, and checks those of others. */
int store_schema(struct prefetch_store *store, struct trolley_error *error);

/* What went wrong last, "task store FOLDER: ...". Returns its status. */
int store_fail(struct prefetch_store *store, struct trolley_error *error);

/*
 * A statement with its parameters set, ready for sqlite3_step; made once for each text. `types`:
 * 'i' int64_t, 't' const char * (NULL is null; must stay until the end). End it with
 * store_finish(). The lock must be held.
 */
int store_start(struct prefetch_store *store, sqlite3_stmt **ret_statement,
                struct trolley_error *error, const char *sql, const char *types, ...);
void store_finish(sqlite3_stmt *statement);

/* Runs a statement that returns nothing: how many rows it changed, or negative. */
int store_do(struct prefetch_store *store, struct trolley_error *error, const char *sql,
             const char *types, ...);

/* The first column of the first row as a number: 1, 0 without a row (or with a null), negative. */
int store_number(struct prefetch_store *store, int64_t *ret_number, struct trolley_error *error,
                 const char *sql, const char *types, ...);

/* Text of a column: "" or NULL for a null. */
const char *store_text(sqlite3_stmt *statement, int column);

/* A series or an instance as the tables have it: "*" for all. */
static inline const char *store_part(const char *uid)
{
    return uid ? uid : "*";
}

/* The pending task that does what the key asks for, the widest first: 1, 0 or negative. */
struct store_pending {
    int64_t id, due_ms, first_ms;
};
int store_covering(struct prefetch_store *store, const struct prefetch_key *key,
                   struct store_pending *ret_task, struct trolley_error *error);

#endif
