/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/beneath.h"

#define LOCK_NAME "lock"
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Calls each(dir, name) for every entry but "." and "..". */
static void each_entry(int dir, void (*each)(int dir, const char *name))
{
    int fd = openat(dir, ".", OPEN_DIR);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!entries) {
        if (fd >= 0) (void)close(fd);
        return;
    }
    while ((entry = readdir(entries)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(dir, entry->d_name);
    (void)closedir(entries);
}

static void remove_file(int dir, const char *name)
{
    (void)unlinkat(dir, name, 0);
}

/* Whether the folder's process is gone: its lock is free, or was never made. Where the file system
 * has no locks nobody can tell, and the folder stays. */
static bool abandoned(int dir)
{
    int lock = openat(dir, LOCK_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    bool free_lock;

    if (lock < 0) return errno == ENOENT;
    free_lock = flock(lock, LOCK_EX | LOCK_NB) == 0;
    (void)close(lock);
    return free_lock;
}

static void remove_if_abandoned(int parent, const char *name)
{
    int dir = openat(parent, name, OPEN_DIR);

    if (dir < 0) return;
    if (abandoned(dir)) {
        each_entry(dir, remove_file);
        (void)unlinkat(parent, name, AT_REMOVEDIR);
    }
    (void)close(dir);
}

/* Makes PID-RANDOM in `parent` with its lock held. Returns 0 or -1 with errno. */
static int make_own(struct disk_scratch *scratch, int parent)
{
    unsigned long long number = 0;
    char name[48];
    int dir, lock;

    if (getrandom(&number, sizeof number, 0) < 0) return -1;
    (void)snprintf(name, sizeof name, "%ld-%016llx", (long)getpid(), number);
    if (mkdirat(parent, name, 0700) < 0) return -1;
    dir = openat(parent, name, OPEN_DIR);
    if (dir < 0) return -1;
    lock = openat(dir, LOCK_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (lock < 0) {
        (void)close(dir);
        return -1;
    }
    /* Without locks on this file system nothing is ever cleared away, which is safe. */
    (void)flock(lock, LOCK_EX | LOCK_NB);
    (void)snprintf(scratch->path, sizeof scratch->path, "%s/%s", SCRATCH_DIR, name);
    scratch->fd = dir;
    scratch->lock = lock;
    return 0;
}

int scratch_open(struct disk_scratch *scratch, const struct disk_root *root,
                 struct trolley_task *task)
{
    int parent, guard, r = 0;

    if (scratch->fd >= 0) return 0;
    parent = kit_beneath_make_dirs(root->fd, SCRATCH_DIR, root->dir_mode | 0700, false, NULL);
    if (parent < 0) return root_fail(root, task, errno, "make", SCRATCH_DIR);
    /* Held while folders come and go, so that a folder without its lock file is a dead one's. */
    guard = openat(parent, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                   root->file_mode | 0600);
    if (guard < 0) {
        r = root_fail(root, task, errno, "open", SCRATCH_DIR "/" LOCK_NAME);
    } else {
        if (flock(guard, LOCK_EX) == 0) each_entry(parent, remove_if_abandoned);
        if (make_own(scratch, parent) < 0)
            r = root_fail(root, task, errno, "make a folder in", SCRATCH_DIR);
        (void)close(guard);
    }
    (void)close(parent);
    return r;
}

void scratch_close(struct disk_scratch *scratch, const struct disk_root *root)
{
    int parent;

    if (scratch->fd < 0) return;
    each_entry(scratch->fd, remove_file);
    parent = kit_beneath_open(root->fd, SCRATCH_DIR, OPEN_DIR, 0);
    if (parent >= 0) {
        (void)unlinkat(parent, strchr(scratch->path, '/') + 1, AT_REMOVEDIR);
        (void)close(parent);
    }
    (void)close(scratch->fd);
    (void)close(scratch->lock);
    scratch->fd = scratch->lock = -1;
}

int scratch_file(struct disk_scratch *scratch, const struct disk_root *root,
                 char name[SCRATCH_NAME_MAX], struct trolley_task *task)
{
    struct stat st;
    int fd, error;

    (void)snprintf(name, SCRATCH_NAME_MAX, "%llx",
                   (unsigned long long)atomic_fetch_add(&scratch->next, 1));
    fd = openat(scratch->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                root->file_mode);
    if (fd < 0) return root_fail(root, task, errno, "make a file in", scratch->path);
    if (atomic_load_explicit(&scratch->modes_hold, memory_order_relaxed)) return fd;
    /* The mode is the section's, whatever the umask or the folder's own rules say. */
    if (fstat(fd, &st) == 0) {
        if ((st.st_mode & 0777) == root->file_mode) {
            atomic_store_explicit(&scratch->modes_hold, true, memory_order_relaxed);
            return fd;
        }
        if (fchmod(fd, root->file_mode) == 0) return fd;
    }
    error = errno;
    (void)close(fd);
    (void)unlinkat(scratch->fd, name, 0);
    return root_fail(root, task, error, "set the mode of a file in", scratch->path);
}
