/* index.c: the database and its questions. SPDX-License-Identifier: MIT */
#include "index.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <trolley/helpers.h>

#define BUSY_MS 30000 /* another process's group takes less */

#define COLUMNS                                                                                \
    "id, path, number, suffix, study, series, instance, frame, variant, type, bytes, sha256, " \
    "time,"                                                                                    \
    " pending IS NOT NULL"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS file ("
    "id INTEGER PRIMARY KEY, path TEXT NOT NULL, number INTEGER NOT NULL, suffix INTEGER NOT NULL,"
    "study TEXT NOT NULL, series TEXT NOT NULL, instance TEXT NOT NULL, frame INTEGER NOT NULL,"
    "variant TEXT NOT NULL, type TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,"
    "time INTEGER NOT NULL, pending TEXT,"
    "UNIQUE (path, instance, frame, variant, type, series, study));"
    "CREATE INDEX IF NOT EXISTS object ON file (instance, frame, study, series);"
    "CREATE INDEX IF NOT EXISTS study ON file (study, series);"
    "CREATE INDEX IF NOT EXISTS unfinished ON file (pending) WHERE pending IS NOT NULL;"
    "PRAGMA user_version = 1;";

void index_init(struct disk_index *index, const char *type, const char *section)
{
    memset(index, 0, sizeof *index);
    (void)pthread_mutex_init(&index->lock, NULL);
    index->type = type;
    index->section = section;
}

void index_close(struct disk_index *index)
{
    if (index->db) (void)sqlite3_close(index->db);
    index->db = NULL;
    free(index->path);
    index->path = NULL;
}

void index_destroy(struct disk_index *index)
{
    index_close(index);
    (void)pthread_mutex_destroy(&index->lock);
}

/* Tells what SQLite says of the database. */
static int index_fail(const struct disk_index *index, struct trolley_task *task)
{
    const int code = index->db ? sqlite3_extended_errcode(index->db) : SQLITE_NOMEM;
    int status = TROLLEY_ERR_IO;
    const char *advice = "";

    if ((code & 0xff) == SQLITE_FULL) status = TROLLEY_ERR_NO_SPACE;
    if ((code & 0xff) == SQLITE_NOMEM) status = TROLLEY_ERR_NOMEM;
    if ((code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT)
        advice = " (move it away: what lies there is entered again when it is fetched again)";
    return trolley_fail(task, status, "%s \"%s\": index %s: %s%s", index->type, index->section,
                        index->path, index->db ? sqlite3_errmsg(index->db) : "out of memory",
                        advice);
}

static int execute(struct disk_index *index, const char *sql, struct trolley_task *task)
{
    return sqlite3_exec(index->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                       : index_fail(index, task);
}

/* Makes the tables but where they are there: a reader needs no right to write then. */
static int make_tables(struct disk_index *index, struct trolley_task *task)
{
    sqlite3_stmt *statement = NULL;
    int version = -1;

    if (sqlite3_prepare_v2(index->db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement);
    if (version == 1) return 0;
    if (version < 0) return index_fail(index, task);
    if (version > 1)
        return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED,
                            "%s \"%s\": index %s: version %d, made by "
                            "a later release",
                            index->type, index->section, index->path, version);
    return execute(index, schema, task);
}

int index_open(struct disk_index *index, const char *path, struct trolley_task *task)
{
    int r = 0;

    if (index->db) return 0;
    index->path = strdup(path);
    if (!index->path)
        return trolley_fail(task, TROLLEY_ERR_NOMEM, "%s \"%s\": out of memory", index->type,
                            index->section);
    if (sqlite3_open_v2(path, &index->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX |
                            SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK) {
        r = index_fail(index, task);
    } else {
        (void)sqlite3_busy_timeout(index->db, BUSY_MS);
        /* Where the file system has no shared memory SQLite stays with its other journal. */
        r = execute(index, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", task);
        if (r == 0) r = make_tables(index, task);
    }
    if (r < 0) index_close(index);
    return r;
}

/* ---- statements ---- */

static sqlite3_stmt *prepare(struct disk_index *index, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    (void)sqlite3_prepare_v2(index->db, sql, -1, &statement, NULL);
    return statement;
}

static void bind_text(sqlite3_stmt *statement, const char *name, const char *text)
{
    const int at = sqlite3_bind_parameter_index(statement, name);

    if (at) (void)sqlite3_bind_text(statement, at, text ? text : "", -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, const char *name, int64_t number)
{
    const int at = sqlite3_bind_parameter_index(statement, name);

    if (at) (void)sqlite3_bind_int64(statement, at, number);
}

static void bind_object(sqlite3_stmt *statement, const struct disk_record *object)
{
    bind_text(statement, ":study", object->study);
    bind_text(statement, ":series", object->series);
    bind_text(statement, ":instance", object->instance);
    bind_number(statement, ":frame", object->frame);
    bind_text(statement, ":variant", object->variant);
    bind_text(statement, ":type", object->content_type);
}

static void column_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
    const char *found = (const char *)sqlite3_column_text(statement, column);

    (void)snprintf(text, size, "%s", found ? found : "");
}

static void read_row(sqlite3_stmt *statement, struct index_row *row)
{
    struct disk_record *record = &row->record;

    memset(row, 0, sizeof *row);
    row->id = sqlite3_column_int64(statement, 0);
    row->path = (const char *)sqlite3_column_text(statement, 1);
    row->number = (uint32_t)sqlite3_column_int64(statement, 2);
    row->suffix = (uint32_t)sqlite3_column_int64(statement, 3);
    column_text(statement, 4, record->study, sizeof record->study);
    column_text(statement, 5, record->series, sizeof record->series);
    column_text(statement, 6, record->instance, sizeof record->instance);
    record->frame = (uint32_t)sqlite3_column_int64(statement, 7);
    column_text(statement, 8, record->variant, sizeof record->variant);
    column_text(statement, 9, record->content_type, sizeof record->content_type);
    row->bytes = (uint64_t)sqlite3_column_int64(statement, 10);
    column_text(statement, 11, record->sha256, sizeof record->sha256);
    row->stored_ms = sqlite3_column_int64(statement, 12);
    row->unfinished = sqlite3_column_int(statement, 13) != 0;
}

/* Steps through the answer and ends the statement. */
static int each_row(struct disk_index *index, sqlite3_stmt *statement, index_each each, void *ctx,
                    struct trolley_task *task)
{
    struct index_row row;
    int r = 0, step = SQLITE_DONE;

    while (r == 0 && statement && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        read_row(statement, &row);
        if (row.path) r = each(ctx, &row);
    }
    if (r == 0 && (!statement || step != SQLITE_DONE)) r = index_fail(index, task);
    (void)sqlite3_finalize(statement);
    return r > 0 ? 0 : r;
}

/* Runs a statement without an answer. `statement` may be NULL: then it could not be made. */
static int run(struct disk_index *index, sqlite3_stmt *statement, struct trolley_task *task)
{
    int r = 0;

    if (!statement || sqlite3_step(statement) != SQLITE_DONE) r = index_fail(index, task);
    (void)sqlite3_finalize(statement);
    return r;
}

/* ---- questions ---- */

int index_find(struct disk_index *index, const struct disk_record *object, index_each each,
               void *ctx, struct trolley_task *task)
{
    sqlite3_stmt *statement;
    int r;

    (void)pthread_mutex_lock(&index->lock);
    statement = prepare(index, "SELECT " COLUMNS " FROM file WHERE instance = :instance"
                               " AND frame = :frame AND variant = :variant AND type = :type"
                               " AND (:study = '' OR study = :study)"
                               " AND (:series = '' OR series = :series) ORDER BY id");
    if (statement) bind_object(statement, object);
    r = each_row(index, statement, each, ctx, task);
    (void)pthread_mutex_unlock(&index->lock);
    return r;
}

int index_page(struct disk_index *index, int64_t after, uint32_t limit,
               const struct trolley_stored_filter *filter, index_each each, void *ctx,
               struct trolley_task *task)
{
    static const struct trolley_stored_filter all;
    sqlite3_stmt *statement;
    int r;

    if (!filter) filter = &all;
    (void)pthread_mutex_lock(&index->lock);
    statement = prepare(index, "SELECT " COLUMNS " FROM file WHERE id > :after"
                               " AND (:study = '' OR study = :study)"
                               " AND (:series = '' OR series = :series)"
                               " AND (:instance = '' OR instance = :instance)"
                               " AND (:before = 0 OR time < :before) ORDER BY id LIMIT :limit");
    if (statement) {
        bind_number(statement, ":after", after);
        bind_number(statement, ":limit", limit);
        bind_number(statement, ":before", filter->before_ms);
        bind_text(statement, ":study", filter->study);
        bind_text(statement, ":series", filter->series);
        bind_text(statement, ":instance", filter->instance);
    }
    r = each_row(index, statement, each, ctx, task);
    (void)pthread_mutex_unlock(&index->lock);
    return r;
}

int index_unfinished(struct disk_index *index, index_each each, void *ctx,
                     struct trolley_task *task)
{
    sqlite3_stmt *statement;
    int r;

    (void)pthread_mutex_lock(&index->lock);
    /* In the place of the type stands whose it is: the rest of the row is not wanted there. */
    statement = prepare(index, "SELECT id, path, number, suffix, study, series, instance, frame,"
                               " variant, pending, bytes, sha256, time, 1 FROM file"
                               " WHERE pending IS NOT NULL AND pending <> :mark");
    if (statement) bind_text(statement, ":mark", index->mark);
    r = each_row(index, statement, each, ctx, task);
    (void)pthread_mutex_unlock(&index->lock);
    return r;
}

static int64_t ask_number(struct disk_index *index, sqlite3_stmt *statement)
{
    int64_t number = -1;

    if (statement && sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)index;
    return number;
}

bool index_belongs_to_other(struct disk_index *index, const struct disk_record *object,
                            const char *path)
{
    sqlite3_stmt *statement;
    int64_t others;

    (void)pthread_mutex_lock(&index->lock);
    statement = prepare(index, "SELECT count(*) FROM file WHERE path = :path AND NOT"
                               " (instance = :instance AND frame = :frame AND variant = :variant"
                               " AND type = :type AND series = :series AND study = :study)");
    if (statement) {
        bind_object(statement, object);
        bind_text(statement, ":path", path);
    }
    others = ask_number(index, statement);
    (void)pthread_mutex_unlock(&index->lock);
    return others != 0; /* not to know is not to own */
}

int index_count(struct disk_index *index, const char *path, uint64_t *ret_count,
                struct trolley_task *task)
{
    sqlite3_stmt *statement;
    int64_t count;
    int r = 0;

    (void)pthread_mutex_lock(&index->lock);
    statement = prepare(index, "SELECT count(*) FROM file WHERE path = :path");
    if (statement) bind_text(statement, ":path", path);
    count = ask_number(index, statement);
    if (count < 0)
        r = index_fail(index, task);
    else
        *ret_count = (uint64_t)count;
    (void)pthread_mutex_unlock(&index->lock);
    return r;
}

/* ---- changes ---- */

int index_drop(struct disk_index *index, int64_t id, struct trolley_task *task)
{
    sqlite3_stmt *statement;
    int r;

    (void)pthread_mutex_lock(&index->lock);
    statement = prepare(index, "DELETE FROM file WHERE id = :id");
    if (statement) bind_number(statement, ":id", id);
    r = run(index, statement, task);
    (void)pthread_mutex_unlock(&index->lock);
    return r;
}

int index_finish(struct disk_index *index, int64_t id, uint64_t bytes, const char *sha256,
                 struct trolley_task *task)
{
    sqlite3_stmt *statement;
    int r;

    (void)pthread_mutex_lock(&index->lock);
    statement = prepare(index, "UPDATE file SET pending = NULL, bytes = :bytes, sha256 = :sha256"
                               " WHERE id = :id");
    if (statement) {
        bind_number(statement, ":id", id);
        bind_number(statement, ":bytes", (int64_t)bytes);
        bind_text(statement, ":sha256", sha256);
    }
    r = run(index, statement, task);
    (void)pthread_mutex_unlock(&index->lock);
    return r;
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The row of a file with what is known of it. `mark` NULL: it is there. */
static int put_row(struct disk_index *index, const struct index_row *row, const char *mark,
                   struct trolley_task *task)
{
    sqlite3_stmt *statement = prepare(
        index, mark ? "INSERT INTO file (path, number, suffix, study, series, instance, frame,"
                      " variant, type, bytes, sha256, time, pending) VALUES (:path, :number,"
                      " :suffix, :study, :series, :instance, :frame, :variant, :type, :bytes,"
                      " :sha256, :time, :mark) ON CONFLICT DO UPDATE SET pending = :mark"
                    : "INSERT INTO file (path, number, suffix, study, series, instance, frame,"
                      " variant, type, bytes, sha256, time) VALUES (:path, :number, :suffix,"
                      " :study, :series, :instance, :frame, :variant, :type, :bytes, :sha256,"
                      " :time) ON CONFLICT DO UPDATE SET pending = NULL, number = :number,"
                      " suffix = :suffix, bytes = :bytes, sha256 = :sha256, time = :time");

    if (!statement) return index_fail(index, task);
    bind_object(statement, &row->record);
    bind_text(statement, ":path", row->path);
    bind_number(statement, ":number", row->number);
    bind_number(statement, ":suffix", row->suffix);
    bind_number(statement, ":bytes", (int64_t)row->bytes);
    bind_text(statement, ":sha256", row->record.sha256);
    bind_number(statement, ":time", row->stored_ms);
    if (mark) bind_text(statement, ":mark", mark);
    return run(index, statement, task);
}

int index_put(struct disk_index *index, const struct disk_record *record, const char *path,
              uint64_t bytes, struct trolley_task *task)
{
    const struct index_row row = {
        .path = path, .number = 1, .record = *record, .bytes = bytes, .stored_ms = now_ms()};
    int r;

    (void)pthread_mutex_lock(&index->lock);
    r = put_row(index, &row, NULL, task);
    (void)pthread_mutex_unlock(&index->lock);
    return r;
}

/* ---- groups of files ---- */

static struct index_row row_of(const struct disk_job *job, uint32_t number, char *path, size_t size)
{
    struct index_row row = {.number = number,
                            .suffix = (uint32_t)strlen(job->name.suffix),
                            .record = job->record,
                            .bytes = job->bytes,
                            .stored_ms = now_ms()};

    name_path(&job->name, number, path, size);
    row.path = path;
    return row;
}

int index_begin_jobs(struct disk_index *index, struct disk_job *const *jobs, size_t count,
                     struct trolley_task *task)
{
    char path[DISK_PATH_MAX];
    size_t i;
    int r;

    (void)pthread_mutex_lock(&index->lock);
    r = execute(index, "BEGIN IMMEDIATE", task);
    for (i = 0; r == 0 && i < count; i++) {
        struct index_row row = row_of(jobs[i], jobs[i]->number, path, sizeof path);

        jobs[i]->planned = jobs[i]->number;
        if (jobs[i]->temp[0]) r = put_row(index, &row, index->mark, task);
    }
    if (r == 0) r = execute(index, "COMMIT", task);
    if (r < 0) (void)sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
    (void)pthread_mutex_unlock(&index->lock);
    return r;
}

/* The row that was made for a name which the file did not get. One that was there before is another
 * file's, and stays. */
static int drop_planned(struct disk_index *index, const struct disk_job *job,
                        struct trolley_task *task)
{
    sqlite3_stmt *statement;
    char path[DISK_PATH_MAX];
    int i, r = 0;

    name_path(&job->name, job->planned, path, sizeof path);
    for (i = 0; r == 0 && i < 2; i++) {
        statement = prepare(index, i ? "UPDATE file SET pending = NULL WHERE path = :path AND"
                                       " pending = :mark"
                                     : "DELETE FROM file WHERE path = :path AND pending = :mark"
                                       " AND sha256 = :sha256 AND instance = :instance"
                                       " AND frame = :frame");
        if (statement) {
            bind_object(statement, &job->record);
            bind_text(statement, ":path", path);
            bind_text(statement, ":mark", index->mark);
            bind_text(statement, ":sha256", job->record.sha256);
        }
        r = run(index, statement, task);
    }
    return r;
}

static int end_job(struct disk_index *index, const struct disk_job *job, struct trolley_task *task)
{
    char path[DISK_PATH_MAX];
    struct index_row row = row_of(job, job->number, path, sizeof path);
    int r = 0;

    if (job->failed < 0 || job->number != job->planned) r = drop_planned(index, job, task);
    if (r < 0 || job->failed < 0) return r;
    /* Something else is kept under the name. */
    if ((job->stored_flags & TROLLEY_STORED_SAME) && job->previous[0])
        memcpy(row.record.sha256, job->previous, sizeof job->previous);
    return put_row(index, &row, NULL, task);
}

int index_end_jobs(struct disk_index *index, struct disk_job *const *jobs, size_t count,
                   struct trolley_task *task)
{
    size_t i;
    int r;

    (void)pthread_mutex_lock(&index->lock);
    r = execute(index, "BEGIN IMMEDIATE", task);
    for (i = 0; r == 0 && i < count; i++)
        r = end_job(index, jobs[i], task);
    if (r == 0) r = execute(index, "COMMIT", task);
    if (r < 0) (void)sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
    (void)pthread_mutex_unlock(&index->lock);
    return r;
}
