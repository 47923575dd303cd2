/* storage.h: what the disk storages share; each is a layout of folders. SPDX-License-Identifier:
 * MIT
 */
#ifndef DISK_STORAGE_H
#define DISK_STORAGE_H

#include <trolley/plugin.h>

#include "name.h"

/* Option table and operations of every disk storage. */
extern const struct trolley_span disk_options;
extern const struct trolley_storage_ops disk_ops;

/* create() of a storage called `type` with this layout; no I/O. */
int32_t disk_create(const char *type, disk_layout_dir layout, const struct trolley_config *config,
                    struct trolley_task *task, void **self);

/* lacks() of a storage that has a folder a study: 0 when there is no such folder. */
int32_t disk_lacks(void *self, const char *folder, struct trolley_task *task);

/* destroy(): what is still queued gets its names first. */
void disk_destroy(void *self);

#endif
