/*
 * scratch.h: the folder ROOT/.trolley/PID-RANDOM/ where a process's unfinished files lie. A lock
 * file in it is held as long as the process lives; folders whose lock is free belong to dead
 * processes and are removed when the next one starts. SPDX-License-Identifier: MIT
 */
#ifndef DISK_SCRATCH_H
#define DISK_SCRATCH_H

#include <stdatomic.h>
#include <stdbool.h>

#include "root.h"

#define SCRATCH_DIR ".trolley"
#define SCRATCH_NAME_MAX 20 /* a file in it, with NUL */

struct disk_scratch {
    int fd;   /* the process's own folder, -1 until it is opened */
    int lock; /* its lock file */
    char path[64];
    atomic_ullong next;
    atomic_bool modes_hold; /* a file made here had the section's mode; so has the next one */
};

/* Makes the process's folder after clearing away those of dead processes. Once open it stays so. */
int scratch_open(struct disk_scratch *scratch, const struct disk_root *root,
                 struct trolley_task *task);

/* Removes the folder and all in it. */
void scratch_close(struct disk_scratch *scratch, const struct disk_root *root);

/* Makes an empty file for writing and names it. Returns its descriptor or a negative status.
 * [any] */
int scratch_file(struct disk_scratch *scratch, const struct disk_root *root,
                 char name[SCRATCH_NAME_MAX], struct trolley_task *task);

#endif
