/* Preloaded: writes down what a program does to its disk, and fills that disk. DISK_LOG names the
 * file for a line a call; with DISK_ROOM, a number of bytes, writes below a folder .trolley fail
 * once they exceed it. SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long written;

static void path_of(int fd, char path[1024])
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, 1023);
    path[length > 0 ? length : 0] = '\0';
}

static void note(const char *what, const char *name, const char *from)
{
    const char *log = getenv("DISK_LOG");
    char line[2200];
    int length = snprintf(line, sizeof line, "%s %s %s\n", what, name, from);
    int fd = log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

    if (fd < 0) return;
    ((ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, line, (size_t)length);
    close(fd);
}

ssize_t write(int fd, const void *data, size_t length)
{
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    const char *room = getenv("DISK_ROOM");
    char path[1024];

    if (!room) return real(fd, data, length);
    path_of(fd, path);
    if (strstr(path, "/.trolley/") &&
        atomic_fetch_add(&written, (long)length) + (long)length > atol(room)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, data, length);
}

int syncfs(int fd)
{
    note("syncfs", "-", "-");
    return ((int (*)(int))dlsym(RTLD_NEXT, "syncfs"))(fd);
}

int fsync(int fd)
{
    char path[1024];

    path_of(fd, path);
    note("fsync", path, "-");
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd)
{
    char path[1024];

    path_of(fd, path);
    note("fsync", path, "-");
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

int renameat2(int from, const char *old, int to, const char *name, unsigned flags)
{
    note("name", name, old);
    return ((int (*)(int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2"))(
        from, old, to, name, flags);
}

int linkat(int from, const char *old, int to, const char *name, int flags)
{
    note("name", name, old);
    return ((int (*)(int, const char *, int, const char *, int))dlsym(RTLD_NEXT, "linkat"))(
        from, old, to, name, flags);
}
