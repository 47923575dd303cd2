/* root.h: a storage's root folder, and how failures there are told. SPDX-License-Identifier: MIT */
#ifndef DISK_ROOT_H
#define DISK_ROOT_H

#include <stdbool.h>
#include <sys/types.h>
#include <trolley/storage.h>

enum disk_durability { DISK_NONE, DISK_BATCH, DISK_EACH };

struct disk_root {
    char *type;    /* "tree" */
    char *section; /* the INI section's name */
    char *path;    /* absolute */
    int fd;        /* -1 until it is opened */
    enum disk_durability durability;
    mode_t file_mode, dir_mode;
    uint64_t min_free; /* bytes that others may count on */
    int64_t looked_ms; /* when there was space enough, CLOCK_MONOTONIC; 0 never */
};

/*
 * Opens the root folder, making it (not its parents: a mount point that is not mounted must not be
 * filled) when `make` is set. Once open it stays so.
 * @return 0, TROLLEY_ERR_NOT_FOUND when it is missing and `make` is not set, or TROLLEY_ERR_IO
 */
int root_open(struct disk_root *root, bool make, struct trolley_task *task);

/* TROLLEY_ERR_NO_SPACE when writing `more` bytes would leave less than min_free. */
int root_check_space(const struct disk_root *root, uint64_t more, struct trolley_task *task);

/* The same before a file is begun, but at most ten times a second where nobody knows its size:
 * small files come faster than disks fill up. Calls come one at a time. */
int root_expect_space(struct disk_root *root, uint64_t more, struct trolley_task *task);

/* Tells the task `TYPE "SECTION": cannot DOING ROOT/PATH: reason` and returns the status that suits
 * errno `error`: NO_SPACE for a full disk or quota, NOMEM, else IO. `path` "" is the root. */
int root_fail(const struct disk_root *root, struct trolley_task *task, int error, const char *doing,
              const char *path);

#endif
