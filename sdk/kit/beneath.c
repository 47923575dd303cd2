/* SPDX-License-Identifier: MIT */
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* close() that keeps errno. */
static void close_quietly(int fd)
{
    int error = errno;

    if (fd >= 0) (void)close(fd);
    errno = error;
}

/* Copies the first component of *path to `name` and moves *path behind it and its slash. */
static int next_component(const char **path, char name[NAME_MAX + 1])
{
    size_t length = strcspn(*path, "/");

    if (length == 0 || length > NAME_MAX) {
        errno = length ? ENAMETOOLONG : EINVAL;
        return -1;
    }
    memcpy(name, *path, length);
    name[length] = '\0';
    if (strcmp(name, "..") == 0) {
        errno = EXDEV;
        return -1;
    }
    *path += length;
    if (**path == '/') (*path)++;
    return 0;
}

int kit_beneath_walk(int root, const char *path, int flags, mode_t mode)
{
    char name[NAME_MAX + 1];
    int at = root, fd = -1;

    for (;;) {
        bool last;

        if (next_component(&path, name) < 0) break;
        last = *path == '\0';
        fd = last ? openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC, mode)
                  : openat(at, name, DIR_FLAGS);
        if (fd < 0 || last) break;
        if (at != root) close_quietly(at);
        at = fd;
        fd = -1;
    }
    if (at != root) close_quietly(at);
    return fd;
}

int kit_beneath_open(int root, const char *path, int flags, mode_t mode)
{
    struct open_how how = {0};
    long fd;

    how.flags = (uint64_t)(unsigned)(flags | O_NOFOLLOW | O_CLOEXEC);
    how.mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    do
        fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    /* Sandboxes answer calls they do not know with EPERM. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return kit_beneath_walk(root, path, flags, mode);
    return (int)fd;
}

/* mkdirat() with a mode that the umask does not narrow; the set-group-ID bit that the parent hands
 * down stays. Returns the open folder. */
static int make_dir(int at, const char *name, mode_t mode)
{
    struct stat st;
    int fd;

    if (mkdirat(at, name, mode) < 0) return -1;
    fd = openat(at, name, DIR_FLAGS);
    if (fd < 0) return -1;
    if (fstat(fd, &st) == 0 && (st.st_mode & 0777) != mode)
        (void)fchmod(fd, (st.st_mode & 07000) | mode);
    return fd;
}

/* Opens or makes one folder in `at`. */
static int step_into(int at, const char *name, mode_t mode, bool sync_parent, bool *made)
{
    int fd = openat(at, name, DIR_FLAGS);

    if (fd >= 0 || errno != ENOENT) return fd;
    fd = make_dir(at, name, mode);
    if (fd < 0) return errno == EEXIST ? openat(at, name, DIR_FLAGS) : -1;
    if (made) *made = true;
    if (sync_parent && fsync(at) < 0) {
        close_quietly(fd);
        return -1;
    }
    return fd;
}

int kit_beneath_make_dirs(int root, const char *path, mode_t mode, bool sync_parents, bool *made)
{
    char name[NAME_MAX + 1];
    int at = root, fd = kit_beneath_open(root, path, DIR_FLAGS, 0);

    if (fd >= 0 || errno != ENOENT) return fd;
    do {
        if (next_component(&path, name) < 0)
            fd = -1;
        else
            fd = step_into(at, name, mode, sync_parents, made);
        if (at != root) close_quietly(at);
        at = fd;
    } while (fd >= 0 && *path);
    return fd;
}
