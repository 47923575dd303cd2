/* SPDX-License-Identifier: MIT */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <trolley/helpers.h>

#define LOOK_EVERY_MS 100

int root_fail(const struct disk_root *root, struct trolley_task *task, int error, const char *doing,
              const char *path)
{
    int status = TROLLEY_ERR_IO;
    char text[128];
    const char *reason = strerror_r(error, text, sizeof text);

    if (error == ENOSPC || error == EDQUOT) status = TROLLEY_ERR_NO_SPACE;
    if (error == ENOMEM) status = TROLLEY_ERR_NOMEM;
    if (error == ELOOP) reason = "a symbolic link or no regular file is in the way";
    if (error == ENOTDIR) reason = "a symbolic link or a file stands where a folder belongs";
    return trolley_fail(task, status, "%s \"%s\": cannot %s %s%s%s: %s", root->type, root->section,
                        doing, root->path, *path ? "/" : "", path, reason);
}

int root_open(struct disk_root *root, bool make, struct trolley_task *task)
{
    int fd;

    if (root->fd >= 0) return 0;
    if (make && mkdir(root->path, root->dir_mode) < 0 && errno != EEXIST)
        return root_fail(root, task, errno, "make", "");
    fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !make) return TROLLEY_ERR_NOT_FOUND;
    if (fd < 0) return root_fail(root, task, errno, "open", "");
    root->fd = fd;
    return 0;
}

int root_check_space(const struct disk_root *root, uint64_t more, struct trolley_task *task)
{
    struct statvfs fs;
    uint64_t available;

    if (fstatvfs(root->fd, &fs) < 0) return root_fail(root, task, errno, "ask for space in", "");
    available = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (available >= more && available - more >= root->min_free) return 0;
    return trolley_fail(task, TROLLEY_ERR_NO_SPACE,
                        "%s \"%s\": %s has %llu MiB free, and min_free keeps %llu MiB of them",
                        root->type, root->section, root->path, (unsigned long long)available >> 20,
                        (unsigned long long)root->min_free >> 20);
}

int root_expect_space(struct disk_root *root, uint64_t more, struct trolley_task *task)
{
    struct timespec now;
    int64_t now_ms;
    int r;

    clock_gettime(CLOCK_MONOTONIC, &now);
    now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (!more && root->looked_ms && now_ms - root->looked_ms < LOOK_EVERY_MS) return 0;
    r = root_check_space(root, more, task);
    root->looked_ms = r == 0 ? now_ms : 0;
    return r;
}
