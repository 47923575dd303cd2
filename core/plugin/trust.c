/* SPDX-License-Identifier: MIT */
#include "core/plugin/trust.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The group bit counts only for groups other than root's and the user's own. */
static bool trust_writable_by_others(const struct stat *st)
{
    if (st->st_mode & S_IWOTH) return true;
    return (st->st_mode & S_IWGRP) && st->st_gid != 0 && st->st_gid != getegid();
}

static int trust_one(const char *path, bool parent, struct trolley_error *error)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return error_set(error, TROLLEY_ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s is owned by user %lu: code is loaded only from paths owned by root or "
                         "by you (chown it)",
                         path, (unsigned long)st.st_uid);
    if (trust_writable_by_others(&st) && !(parent && (st.st_mode & S_ISVTX)))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s can be written by others: code is not loaded from there (chmod go-w "
                         "it)",
                         path);
    return 0;
}

int trust_path(const char *path, struct trolley_error *error)
{
    char *real, *slash;
    int r;

    if (path[0] != '/')
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s: the path must be absolute", path);
    real = realpath(path, NULL);
    if (!real) return error_set(error, TROLLEY_ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    r = trust_one(real, false, error);
    while (r == 0 && (slash = strrchr(real, '/'))) {
        *slash = '\0';
        r = trust_one(slash == real ? "/" : real, true, error);
    }
    free(real);
    return r;
}
