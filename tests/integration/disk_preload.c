/*
 * disk_preload.c: for LD_PRELOAD: a disk that fills or fails, and a log of what reaches it.
 * DISK_LOG: a file that gets a line for each write of files below a `.trolley`, rename and
 * sync, and for each write of outcomes, as a report has them.
 * DISK_ROOM: bytes that fit into such files; then ENOSPC. DISK_BROKEN: syncfs or fsync; fails with
 * EIO. SPDX-License-Identifier: MIT
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_llong written;

/* The path of a descriptor, "" when it has none. */
static void path_of(int fd, char path[4096])
{
    char link[64];
    ssize_t n;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, 4095);
    path[n < 0 ? 0 : n] = '\0';
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    const char *name = getenv("DISK_LOG");
    char line[9000];
    va_list args;
    int fd, length;

    if (!name) return;
    va_start(args, format);
    length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    (void)syscall(SYS_write, fd, line, (size_t)length);
    (void)close(fd);
}

static int broken(const char *what)
{
    const char *named = getenv("DISK_BROKEN");

    if (!named || strcmp(named, what) != 0) return 0;
    errno = EIO;
    return 1;
}

ssize_t write(int fd, const void *data, size_t length)
{
    const char *room = getenv("DISK_ROOM");
    char path[4096];

    if (fd > 2) {
        path_of(fd, path);
        if (strstr(path, "/.trolley/")) {
            if (room &&
                atomic_fetch_add(&written, (long long)length) + (long long)length > atoll(room)) {
                errno = ENOSPC;
                return -1;
            }
            note("write %s\n", path);
        } else if (memmem(data, length, "\"outcome\"", 9)) {
            note("report\n");
        }
    }
    return syscall(SYS_write, fd, data, length);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned int flags)
{
    char from_path[4096], to_path[4096];

    path_of(from, from_path);
    path_of(to, to_path);
    note("rename %s/%s %s/%s\n", from_path, old, to_path, new);
    return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

int syncfs(int fd)
{
    int r = broken("syncfs") ? -1 : (int)syscall(SYS_syncfs, fd);

    note("syncfs %d\n", r);
    return r;
}

int fsync(int fd)
{
    char path[4096];
    int r = broken("fsync") ? -1 : (int)syscall(SYS_fsync, fd);

    path_of(fd, path);
    note("fsync %s %d\n", path, r);
    return r;
}
