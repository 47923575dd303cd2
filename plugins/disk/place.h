/* place.h: moving a finished file to its name without losing what is there.
 * SPDX-License-Identifier: MIT */
#ifndef DISK_PLACE_H
#define DISK_PLACE_H

#include "name.h"
#include "scratch.h"

#define SHA256_HEX 65

/* A finished file on its way from the scratch folder to its name. */
struct disk_job {
    struct disk_name name;
    uint32_t number; /* of the name, from 1 */
    uint32_t open_flags, stored_flags;
    uint64_t bytes;
    char temp[SCRATCH_NAME_MAX]; /* "" once it is neither needed nor there any more */
    char previous[SHA256_HEX];   /* "" when not known */
};

/* Files that will get their names later. find() returns the scratch file that is to get this name,
 * NULL when there is none. */
struct place_pending {
    void *ctx;
    const char *(*find)(void *ctx, const struct disk_job *job, uint32_t number);
};

struct place {
    const struct disk_root *root;
    const struct disk_scratch *scratch;
    struct trolley_task *task;
    const struct place_pending *pending; /* NULL: the file is moved now; else only decided upon */
    bool sync_dirs;                      /* new folders are synced into their parents */
    bool made;                           /* set when folders were made */
};

/*
 * Finds the job's name from job->number on and, without `pending`, moves it there. Same content
 * under such a name: SAME, the temporary file is removed. Other content: the next number, BESIDE.
 * With TROLLEY_STORE_REPLACE: in place of what is there, REPLACED.
 * On failure the temporary file stays.
 */
int place_job(struct place *place, struct disk_job *job);

/* Syncs the folder of a name. */
int place_sync_dir(const struct place *place, const struct disk_name *name);

#endif
