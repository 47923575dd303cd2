/* place.h: moving a finished file to its name without losing what is there.
 * SPDX-License-Identifier: MIT */
#ifndef DISK_PLACE_H
#define DISK_PLACE_H

#include "kit/digest.h"
#include "name.h"
#include "scratch.h"

/* What is done with a name that other content has. */
enum disk_on_exists {
    DISK_BESIDE,      /* the next number */
    DISK_REPLACE,     /* the file there is replaced */
    DISK_RANDOM_PATH, /* eight random digits */
    DISK_NOOP,        /* the file there stays, the new one is dropped */
    DISK_FAILURE
};

/* Whom a file belongs to, and what it holds; "" and 0 where unknown. For those that keep books. */
struct disk_record {
    char study[65], series[65], instance[65];
    uint32_t frame;
    char variant[64], content_type[128]; /* "" for the instance, for application/dicom */
    char sha256[KIT_DIGEST_HEX_SIZE];
};

/* A finished file on its way from the scratch folder to its name. */
struct disk_job {
    struct disk_name name;
    struct disk_record record;
    enum disk_on_exists on_exists;
    int failed;       /* status: why it got no name */
    uint32_t number;  /* of the name, from 1 */
    uint32_t planned; /* the number it had when its books were opened */
    uint32_t stored_flags;
    uint64_t bytes;
    char temp[SCRATCH_NAME_MAX];        /* "" once it is neither needed nor there any more */
    char previous[KIT_DIGEST_HEX_SIZE]; /* "" when not known */
};

/* Files that will get their names later. find() returns the one that is to get this name, NULL when
 * there is none. */
struct place_pending {
    void *ctx;
    const struct disk_job *(*find)(void *ctx, const struct disk_job *job, uint32_t number);
};

/* Books about which file belongs to which object. All [any]. */
struct place_books {
    void *ctx;
    /* Before these get their names. A failure, told to the task, leaves all of them without. */
    int (*begin)(void *ctx, struct disk_job *const *jobs, size_t count, struct trolley_task *task);
    /* Afterwards: those that failed say so, the others' numbers are final. */
    int (*end)(void *ctx, struct disk_job *const *jobs, size_t count, struct trolley_task *task);
    /* Does the file of that name belong to another object than the job's? */
    bool (*belongs_to_other)(void *ctx, const struct disk_job *job, const char *path);
};

struct place {
    const struct disk_root *root;
    const struct disk_scratch *scratch;
    struct trolley_task *task;
    const struct place_pending *pending; /* NULL: the file is moved now; else only decided upon */
    const struct place_books *books;     /* NULL for none */
    bool sync_dirs;                      /* new folders are synced into their parents */
    bool made;                           /* set when folders were made */
};

/*
 * Finds the job's name from job->number on and, without `pending`, moves it there. Same content
 * under such a name: SAME, the temporary file is removed. Other content: as job->on_exists says,
 * the next number or random digits (BESIDE), in place of what is there (REPLACED) unless that is
 * another object's, not at all (SAME, with the digest of what is there), or a failure.
 * On failure the temporary file stays.
 */
int place_job(struct place *place, struct disk_job *job);

/* The same at once, with what the books want before and after it. */
int place_alone(struct place *place, struct disk_job *job);

/* Syncs the folder of a name. */
int place_sync_dir(const struct place *place, const struct disk_name *name);

#endif
