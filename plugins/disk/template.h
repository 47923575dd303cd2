/* template.h: the storage `template` from inside. SPDX-License-Identifier: MIT */
#ifndef DISK_TEMPLATE_H
#define DISK_TEMPLATE_H

#include "index.h"
#include "plugins/dataset/path_values.h"
#include "storage.h"

struct template_storage {
    struct disk_storage disk; /* first: the disk's operations take it */
    struct disk_index index;
    struct place_books books;
    struct kit_path_template *format;
    struct path_needs needs;
    struct trolley_span needs_span;
    bool fickle;                   /* the same item is named otherwise each time */
    char *mount_file;              /* absolute; NULL for none */
    enum disk_on_exists on_exists; /* DISK_BESIDE where the section says nothing */
    bool strict;                   /* the section said so, whatever the caller wants */
};

/* Everything is open and in order: the mount is there, files and index agree. `make`: the root is
 * made. NOT_FOUND when it is missing otherwise. */
int template_ready(struct template_storage *storage, bool make, struct trolley_task *task);

extern const struct trolley_stored_interface template_stored;

#endif
