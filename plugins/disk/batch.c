/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <unistd.h>

void batch_init(struct disk_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    (void)pthread_mutex_init(&batch->lock, NULL);
    (void)pthread_cond_init(&batch->flushed, NULL);
}

void batch_destroy(struct disk_batch *batch)
{
    (void)pthread_cond_destroy(&batch->flushed);
    (void)pthread_mutex_destroy(&batch->lock);
}

static bool same_name(const struct disk_name *a, const struct disk_name *b)
{
    return strcmp(a->stem, b->stem) == 0 && strcmp(a->dir, b->dir) == 0 &&
           strcmp(a->suffix, b->suffix) == 0;
}

/* The latest queued file of that name and number: struct place_pending's find. */
static const struct disk_job *find_queued(void *ctx, const struct disk_job *job, uint32_t number)
{
    const struct disk_batch *batch = ctx;
    size_t i;

    for (i = batch->queued_count; i-- > 0;)
        if (batch->queued[i]->number == number && same_name(&batch->queued[i]->name, &job->name))
            return batch->queued[i];
    return NULL;
}

static bool is_flushing(const struct disk_batch *batch, const struct disk_name *name)
{
    size_t i;

    for (i = 0; i < batch->flushing_count; i++)
        if (same_name(&batch->flushing[i]->name, name)) return true;
    return false;
}

/* A file of another process may have taken the name since it was decided upon and told. */
static void note_moved(const struct place *place, const struct disk_job *job, uint32_t told)
{
    char before[DISK_PATH_MAX], now[DISK_PATH_MAX];

    name_path(&job->name, told, before, sizeof before);
    name_path(&job->name, job->number, now, sizeof now);
    trolley_note(place->task, TROLLEY_LOG_WARNING, 0, NULL,
                 "%s \"%s\": %s/%s was taken by other content meanwhile; kept beside it as %s",
                 place->root->type, place->root->section, place->root->path, before, now);
}

/* Gives the group its names. Returns the first failure. */
static int name_group(struct disk_batch *batch, struct place *place)
{
    int result = 0;
    size_t i;

    for (i = 0; i < batch->flushing_count; i++) {
        struct disk_job *job = batch->flushing[i];
        uint32_t told = job->number;
        int r = place_job(place, job);

        job->failed = r;
        if (r < 0 && result == 0) result = r;
        if (r == 0 && job->number != told) note_moved(place, job, told);
    }
    return result;
}

/* Makes the names durable: one sync of all where folders are new, else of each folder once. */
static int sync_names(const struct disk_batch *batch, const struct place *place)
{
    size_t i, j;
    int r;

    if (place->made)
        return syncfs(place->root->fd) < 0 ? root_fail(place->root, place->task, errno, "sync", "")
                                           : 0;
    for (i = 0; i < batch->flushing_count; i++) {
        const struct disk_name *name = &batch->flushing[i]->name;

        for (j = 0; j < i; j++)
            if (strcmp(batch->flushing[j]->name.dir, name->dir) == 0) break;
        if (j < i) continue;
        r = place_sync_dir(place, name);
        if (r < 0) return r;
    }
    return 0;
}

/* Flushes what `flushing` holds, without the lock. */
static int flush_group(struct disk_batch *batch, struct place *place)
{
    const struct place_books *books = place->books;
    int r = 0, s;

    if (books) r = books->begin(books->ctx, batch->flushing, batch->flushing_count, place->task);
    if (r < 0) return r;
    if (syncfs(place->root->fd) < 0) return root_fail(place->root, place->task, errno, "sync", "");
    r = name_group(batch, place);
    if (books) s = books->end(books->ctx, batch->flushing, batch->flushing_count, place->task);
    if (books && r == 0) r = s;
    s = sync_names(batch, place);
    return r < 0 ? r : s;
}

static void drop_group(struct disk_batch *batch, const struct place *place)
{
    size_t i;

    for (i = 0; i < batch->flushing_count; i++) {
        if (batch->flushing[i]->temp[0])
            (void)unlinkat(place->scratch->fd, batch->flushing[i]->temp, 0);
        free(batch->flushing[i]);
    }
    batch->flushing_count = 0;
}

/* Flushes the queue; called and left with the lock held, which is released meanwhile. */
static int flush_locked(struct disk_batch *batch, const struct place *place)
{
    struct place now = *place;
    int r;

    while (batch->flushing_count)
        (void)pthread_cond_wait(&batch->flushed, &batch->lock);
    if (batch->queued_count == 0) return 0;
    memcpy(batch->flushing, batch->queued, batch->queued_count * sizeof batch->queued[0]);
    batch->flushing_count = batch->queued_count;
    batch->queued_count = 0;
    now.pending = NULL;
    now.made |= batch->made;
    batch->made = false;
    (void)pthread_mutex_unlock(&batch->lock);
    r = flush_group(batch, &now);
    (void)pthread_mutex_lock(&batch->lock);
    drop_group(batch, place);
    (void)pthread_cond_broadcast(&batch->flushed);
    if (r < 0) batch->failed = r;
    return r;
}

int batch_add(struct disk_batch *batch, const struct place *place, struct disk_job *job)
{
    const struct place_pending pending = {batch, find_queued};
    struct place decide = *place;
    struct disk_job *copy = NULL;
    int r = 0;

    decide.pending = &pending;
    (void)pthread_mutex_lock(&batch->lock);
    while (r == 0 && (is_flushing(batch, &job->name) || batch->queued_count == BATCH_MAX)) {
        if (batch->flushing_count)
            (void)pthread_cond_wait(&batch->flushed, &batch->lock);
        else
            r = flush_locked(batch, place);
    }
    if (r == 0) r = place_job(&decide, job);
    batch->made |= decide.made;
    if (r == 0 && !job->temp[0] && place->books) { /* the same: told at once */
        r = place->books->begin(place->books->ctx, &job, 1, place->task);
        if (r == 0) r = place->books->end(place->books->ctx, &job, 1, place->task);
    }
    if (r < 0 || !job->temp[0]) goto out;
    copy = malloc(sizeof *copy);
    if (!copy) {
        r = trolley_fail(place->task, TROLLEY_ERR_NOMEM, "%s \"%s\": out of memory",
                         place->root->type, place->root->section);
        goto out;
    }
    *copy = *job;
    job->temp[0] = '\0';
    batch->queued[batch->queued_count++] = copy;
    if (batch->queued_count == BATCH_MAX && !batch->flushing_count) r = flush_locked(batch, place);
out:
    (void)pthread_mutex_unlock(&batch->lock);
    return r;
}

int batch_sync(struct disk_batch *batch, const struct place *place)
{
    int r, failed;

    (void)pthread_mutex_lock(&batch->lock);
    r = flush_locked(batch, place);
    failed = batch->failed;
    batch->failed = 0;
    (void)pthread_mutex_unlock(&batch->lock);
    if (r < 0 || failed == 0) return r;
    return trolley_fail(place->task, failed,
                        "%s \"%s\": some files stored since the last sync were lost again, for the "
                        "reason told then",
                        place->root->type, place->root->section);
}
