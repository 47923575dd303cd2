/*
 * index.h: which file belongs to which object, for storages whose names are not made of UIDs alone:
 * an SQLite database. A row is written before its file gets its name and marked with the writing
 * process's scratch folder until that is done: after a crash what is marked is compared with the
 * disk. Several processes may use one database. All functions are [any]. SPDX-License-Identifier:
 * MIT
 */
#ifndef DISK_INDEX_H
#define DISK_INDEX_H

#include <pthread.h>
#include <trolley/stored.h>

#include "place.h"

struct sqlite3;
struct sqlite3_stmt;

struct disk_index {
    struct sqlite3 *db; /* NULL until it is opened */
    pthread_mutex_t lock;
    char *path; /* of the database, for messages */
    const char *type, *section;
    const char *mark; /* of this process's unfinished rows */
};

/* One row. The texts live until the next step of whoever gives it. */
struct index_row {
    int64_t id;
    const char *path;        /* below the root, or whatever names it */
    uint32_t number, suffix; /* of the name; bytes of its end that is the suffix */
    struct disk_record record;
    uint64_t bytes;
    int64_t stored_ms;
    bool unfinished;
};

/* What an item is called here; without a digest. */
void record_of_meta(const struct trolley_meta *meta, struct disk_record *record);

void index_init(struct disk_index *index, const char *type, const char *section);

/* Opens the database in the file `path`, making it. Once open it stays so. Set `mark` (borrowed)
 * before files are entered. */
int index_open(struct disk_index *index, const char *path, struct trolley_task *task);
void index_close(struct disk_index *index); /* may be opened again */
void index_destroy(struct disk_index *index);

/* Rows of the object; study and series count where they are not "". Non-zero from `each` ends,
 * negative as the result. `each` may not call the index. */
typedef int (*index_each)(void *ctx, const struct index_row *row);
int index_find(struct disk_index *index, const struct disk_record *object, index_each each,
               void *ctx, struct trolley_task *task);

/* Rows behind `after` (an id, 0 to begin with), at most `limit`, in the order of their ids. */
int index_page(struct disk_index *index, int64_t after, uint32_t limit,
               const struct trolley_stored_filter *filter, index_each each, void *ctx,
               struct trolley_task *task);

/* Rows that other processes have not finished, with their mark in place of the content type. */
int index_unfinished(struct disk_index *index, index_each each, void *ctx,
                     struct trolley_task *task);

/* Does the path belong to another object than this one? */
bool index_belongs_to_other(struct disk_index *index, const struct disk_record *object,
                            const char *path);

/* How many rows name this path. */
int index_count(struct disk_index *index, const char *path, uint64_t *ret_count,
                struct trolley_task *task);

int index_drop(struct disk_index *index, int64_t id, struct trolley_task *task);

/* Ends what is unfinished: what the file holds is so many bytes with this digest. */
int index_finish(struct disk_index *index, int64_t id, uint64_t bytes, const char *sha256,
                 struct trolley_task *task);

/* Adds or renews the row of something that is there. */
int index_put(struct disk_index *index, const struct disk_record *record, const char *path,
              uint64_t bytes, struct trolley_task *task);

/* place_books' begin and end. */
int index_begin_jobs(struct disk_index *index, struct disk_job *const *jobs, size_t count,
                     struct trolley_task *task);
int index_end_jobs(struct disk_index *index, struct disk_job *const *jobs, size_t count,
                   struct trolley_task *task);

#endif
