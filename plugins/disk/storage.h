/* storage.h: what the disk storages share; each is a layout of folders. SPDX-License-Identifier:
 * MIT
 */
#ifndef DISK_STORAGE_H
#define DISK_STORAGE_H

#include <trolley/plugin.h>

#include "batch.h"
#include "name.h"

struct disk_storage;

/* How a storage names an item; fills job->name, and what else it wants of the job. Tells the task
 * why not. */
typedef int (*disk_naming)(struct disk_storage *storage, const struct trolley_meta *meta,
                           struct disk_job *job, struct trolley_task *task);

struct disk_storage {
    struct disk_root root;
    struct disk_scratch scratch;
    struct disk_batch batch;
    disk_layout_dir layout; /* NULL where `naming` does otherwise */
    disk_naming naming;
    const struct place_books *books; /* NULL for none; with them files are digested */
    char suffix[DISK_SUFFIX_MAX + 1];
    atomic_uint writers; /* that are open */
};

/* Options and operations of storages with a layout. */
extern const struct trolley_span disk_options;
extern const struct trolley_storage_ops disk_ops;

/* create() of a storage called `type` with this layout; no I/O. */
int32_t disk_create(const char *type, disk_layout_dir layout, const struct trolley_config *config,
                    struct trolley_task *task, void **self);

/* lacks() of a storage that has a folder a study: 0 when there is no such folder. */
int32_t disk_lacks(void *self, const char *folder, struct trolley_task *task);

/* destroy(): what is still queued gets its names first. */
void disk_destroy(void *self);

/* ---- for storages that are made of it ---- */

/* disk_create into a struct that begins with the storage; on failure disk_clear is due as well. */
int disk_init(struct disk_storage *storage, const char *type, const struct trolley_config *config,
              struct trolley_task *task);
/* Lets go of the root while no writer is open; it is opened anew when needed. */
void disk_close(struct disk_storage *storage);
void disk_clear(struct disk_storage *storage); /* all but the struct itself */

int32_t disk_open(void *self, const struct trolley_meta *meta, uint32_t flags,
                  struct trolley_task *task, void **ret_writer);
int32_t disk_write(void *self, const void *data, uint64_t length, struct trolley_task *task);
int32_t disk_commit(void *self, const struct trolley_meta *meta,
                    const struct trolley_where_sink *where, struct trolley_task *task);
void disk_abort(void *self);
int32_t disk_sync(void *self, struct trolley_task *task);

/* Asks for PATH below the root: its length, or NOT_FOUND when there is no such file, or an empty
 * one. */
int disk_look(const struct disk_storage *storage, const char *path, uint64_t *ret_bytes,
              struct trolley_task *task);
/* Tells where an item is: ROOT/PATH. */
int disk_tell(const struct disk_root *root, const char *path, const struct disk_job *job,
              const struct trolley_where_sink *where, struct trolley_task *task);

#endif
