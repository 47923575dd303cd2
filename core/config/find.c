/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kit/buffer.h>

#include "core/config/config.h"
#include "core/model/error.h"

/* The file that somebody named: there or an error. */
static int find_named(const char *path, const char *by, char **ret_path,
                      struct trolley_error *error)
{
    char *copy;

    if (access(path, F_OK) < 0)
        return error_set(error, errno == ENOENT ? TROLLEY_ERR_NOT_FOUND : TROLLEY_ERR_IO,
                         "configuration file %s (named by %s): %s", path, by, strerror(errno));
    copy = strdup(path);
    if (!copy) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    *ret_path = copy;
    return 0;
}

/* Whether a default place has a file. What cannot be looked at counts, so that reading it says why.
 */
static bool find_there(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* The user's own place into *path, empty when there is no home. */
static int find_user(struct kit_buffer *path)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    /* The XDG base directory specification says to ignore relative paths. */
    if (base && *base == '/') return kit_buffer_printf(path, "%s/trolley/trolley.ini", base);
    if (home && *home == '/')
        return kit_buffer_printf(path, "%s/.config/trolley/trolley.ini", home);
    return kit_buffer_text(path, "");
}

int config_find(const char *path, char **ret_path, struct trolley_error *error)
{
    static const char site[] = TROLLEY_SYSCONFDIR "/trolley/trolley.ini";
    const char *named = getenv("TROLLEY_CONFIG");
    struct kit_buffer user = {0};
    char *found = NULL;
    int r = 0;

    if (path) return find_named(path, "--config", ret_path, error);
    if (named && *named) return find_named(named, "TROLLEY_CONFIG", ret_path, error);
    if (find_user(&user) < 0) goto nomem;
    if (user.length && find_there(user.data))
        found = kit_buffer_take(&user);
    else if (find_there(site))
        found = strdup(site);
    else
        r = error_set(error, TROLLEY_ERR_NOT_FOUND,
                      "no configuration file: looked for %s%s%s; use --config FILE or "
                      "TROLLEY_CONFIG",
                      user.data, user.length ? " and " : "", site);
    if (r == 0 && !found) goto nomem;
    kit_buffer_free(&user);
    if (found) *ret_path = found;
    return r;

nomem:
    kit_buffer_free(&user);
    return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
}
