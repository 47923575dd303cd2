/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "content.h"
#include "kit/beneath.h"

#define NUMBER_MAX 1000

static void drop_temp(const struct place *place, struct disk_job *job)
{
    (void)unlinkat(place->scratch->fd, job->temp, 0);
    job->temp[0] = '\0';
}

/* Moves the temporary file to a name that must be free: EEXIST when it is not. */
static int move_new(const struct place *place, struct disk_job *job, int dir, const char *file)
{
    int from = place->scratch->fd;

    if (renameat2(from, job->temp, dir, file, RENAME_NOREPLACE) == 0) {
        job->temp[0] = '\0';
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS && errno != EPERM) return -1;
    /* File systems without this rename have hard links. */
    if (linkat(from, job->temp, dir, file, 0) < 0) return -1;
    drop_temp(place, job);
    return 0;
}

/* Takes the name `file` for the job: 1 when it was free, 0 when *ret_other has it, -1 with errno.
 */
static int claim(const struct place *place, struct disk_job *job, int dir, const char *file,
                 struct content_file *ret_other)
{
    const struct place_pending *pending = place->pending;
    struct stat st;

    if (!pending) {
        if (move_new(place, job, dir, file) == 0) return 1;
        if (errno != EEXIST) return -1;
    } else {
        const struct disk_job *queued = pending->find(pending->ctx, job, job->number);

        if (queued) {
            *ret_other = (struct content_file){place->scratch->fd, queued->temp};
            return 0;
        }
        if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 1 : -1;
    }
    *ret_other = (struct content_file){dir, file};
    return 0;
}

/* Another name in place of one that is taken. */
static int rename_job(struct disk_job *job)
{
    char digits[10];
    unsigned char random[4];
    size_t length = strlen(job->name.stem);

    if (job->on_exists != DISK_RANDOM_PATH) {
        job->number++;
        return 0;
    }
    if (getrandom(random, sizeof random, 0) != sizeof random) return -1;
    (void)snprintf(digits, sizeof digits, "_%02X%02X%02X%02X", random[0], random[1], random[2],
                   random[3]);
    if (length + 9 + strlen(job->name.suffix) > DISK_FILE_MAX)
        length = DISK_FILE_MAX - 9 - strlen(job->name.suffix);
    while (length && (job->name.stem[length] & 0xc0) == 0x80)
        length--;
    memcpy(job->name.stem + length, digits, sizeof digits);
    return 0;
}

/* What is done with a name that another file has: 1 when that is settled, 0 to try the next name,
 * -1 with errno. */
static int meet_other(const struct place *place, struct disk_job *job, struct content_file other)
{
    struct content_file mine = {place->scratch->fd, job->temp};
    bool same;

    if (content_same(mine, other, &same) < 0) return -1;
    if (same) {
        drop_temp(place, job);
        job->stored_flags = TROLLEY_STORED_SAME;
        job->previous[0] = '\0';
        return 1;
    }
    if (job->on_exists == DISK_FAILURE) {
        errno = EEXIST;
        return -1;
    }
    if (!(job->stored_flags & TROLLEY_STORED_BESIDE)) (void)content_sha256(other, job->previous);
    if (job->on_exists == DISK_NOOP) {
        struct stat st;

        if (fstatat(other.dir, other.name, &st, AT_SYMLINK_NOFOLLOW) < 0) return -1;
        job->bytes = (uint64_t)st.st_size;
        drop_temp(place, job);
        job->stored_flags = TROLLEY_STORED_SAME;
        return 1;
    }
    job->stored_flags |= TROLLEY_STORED_BESIDE;
    return rename_job(job);
}

static int place_beside(const struct place *place, struct disk_job *job, int dir)
{
    int tries;

    for (tries = 0; tries < NUMBER_MAX; tries++) {
        char file[DISK_FILE_MAX + 1];
        struct content_file other;
        int r;

        name_file(&job->name, job->number, file, sizeof file);
        r = claim(place, job, dir, file, &other);
        if (r == 0) r = meet_other(place, job, other);
        if (r != 0) return r;
    }
    errno = EEXIST;
    return -1;
}

static bool same_object(const struct disk_record *a, const struct disk_record *b)
{
    return a->frame == b->frame && strcmp(a->instance, b->instance) == 0 &&
           strcmp(a->series, b->series) == 0 && strcmp(a->study, b->study) == 0 &&
           strcmp(a->variant, b->variant) == 0 && strcmp(a->content_type, b->content_type) == 0;
}

/* May the file of that name, or the one that waits for it, not be replaced? */
static bool another_object(const struct place *place, const struct disk_job *job,
                           const struct disk_job *queued)
{
    char path[DISK_PATH_MAX];

    if (!place->books) return false;
    if (queued) return !same_object(&job->record, &queued->record);
    name_path(&job->name, job->number, path, sizeof path);
    return place->books->belongs_to_other(place->books->ctx, job, path);
}

static int place_over(const struct place *place, struct disk_job *job, int dir)
{
    const struct place_pending *pending = place->pending;
    const struct disk_job *queued = pending ? pending->find(pending->ctx, job, job->number) : NULL;
    char file[DISK_FILE_MAX + 1];
    struct content_file other = {dir, file};

    if (another_object(place, job, queued)) return place_beside(place, job, dir);
    name_file(&job->name, job->number, file, sizeof file);
    if (queued) other = (struct content_file){place->scratch->fd, queued->temp};
    if (!(job->stored_flags & TROLLEY_STORED_REPLACED)) {
        if (content_sha256(other, job->previous) == 0)
            job->stored_flags |= TROLLEY_STORED_REPLACED;
        else if (errno != ENOENT)
            return -1;
    }
    if (pending) return 0;
    if (renameat(place->scratch->fd, job->temp, dir, file) < 0) return -1;
    job->temp[0] = '\0';
    return 0;
}

/* Tells why a job failed, by its path. */
static int fail_job(const struct place *place, const struct disk_job *job, int error,
                    const char *doing)
{
    char path[DISK_PATH_MAX];

    name_path(&job->name, job->number, path, sizeof path);
    return root_fail(place->root, place->task, error, doing, path);
}

int place_job(struct place *place, struct disk_job *job)
{
    const struct disk_root *root = place->root;
    int r, error;
    int dir = kit_beneath_make_dirs(root->fd, job->name.dir, root->dir_mode, place->sync_dirs,
                                    &place->made);

    if (dir < 0) return fail_job(place, job, errno, "make the folder of");
    if (job->on_exists == DISK_REPLACE)
        r = place_over(place, job, dir);
    else
        r = place_beside(place, job, dir);
    error = errno;
    (void)close(dir);
    return r < 0 ? fail_job(place, job, error, "store") : 0;
}

/* Nothing waits: what is decided is what the disk says. */
static const struct disk_job *find_nothing(void *ctx, const struct disk_job *job, uint32_t number)
{
    (void)ctx;
    (void)job;
    (void)number;
    return NULL;
}

int place_alone(struct place *place, struct disk_job *job)
{
    static const struct place_pending nothing = {NULL, find_nothing};
    struct place decide = *place;
    int r, s;

    if (!place->books) return place_job(place, job);
    decide.pending = &nothing;
    r = place_job(&decide, job);
    place->made |= decide.made;
    if (r < 0) return r;
    r = place->books->begin(place->books->ctx, &job, 1, place->task);
    if (r < 0) return r;
    if (job->temp[0]) job->failed = place_job(place, job);
    s = place->books->end(place->books->ctx, &job, 1, place->task);
    return job->failed < 0 ? job->failed : s;
}

int place_sync_dir(const struct place *place, const struct disk_name *name)
{
    int fd = kit_beneath_open(place->root->fd, name->dir, O_RDONLY | O_DIRECTORY, 0);
    int r = 0;

    if (fd < 0 || fsync(fd) < 0) r = root_fail(place->root, place->task, errno, "sync", name->dir);
    if (fd >= 0) (void)close(fd);
    return r;
}
