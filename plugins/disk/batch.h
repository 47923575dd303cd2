/*
 * batch.h: durability in groups. Finished files wait in the scratch folder; a flush syncs the whole
 * file system once and only then gives the group its names, so that a name never stands for bytes
 * that a power cut could take. All functions are [any]. SPDX-License-Identifier: MIT
 */
#ifndef DISK_BATCH_H
#define DISK_BATCH_H

#include <pthread.h>

#include "place.h"

#define BATCH_MAX 512 /* files that wait at most */

struct disk_batch {
    pthread_mutex_t lock;
    pthread_cond_t flushed;
    struct disk_job *queued[BATCH_MAX];
    size_t queued_count;
    struct disk_job *flushing[BATCH_MAX]; /* being named now, outside the lock */
    size_t flushing_count;
    bool made;  /* folders were made for what is queued */
    int failed; /* of a flush that no sync asked for: the next sync returns it */
};

void batch_init(struct disk_batch *batch);
void batch_destroy(struct disk_batch *batch);

/*
 * Decides on the job's name and queues a copy of it; flushes when the queue is full. On success
 * job->number and job->stored_flags are set; on failure the temporary file stays the caller's
 * unless job->temp is "".
 */
int batch_add(struct disk_batch *batch, const struct place *place, struct disk_job *job);

/* Names everything queued. A job that fails is dropped and the first failure returned, also one
 * since the last sync. */
int batch_sync(struct disk_batch *batch, const struct place *place);

#endif
