/* SPDX-License-Identifier: MIT */
#include "core/plugin/registry.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "core/plugin/loader.h"
#include "kit/buffer.h"
#include "kit/text.h"

int registry_init(struct registry *registry, const struct trolley_span *plugin_path,
                  struct trolley_error *error)
{
    const char *builtin = getenv("TROLLEY_PLUGINDIR");
    struct registry made = {0};
    uint32_t i;

    made.dirs = calloc((size_t)plugin_path->count + 1, sizeof *made.dirs);
    if (!made.dirs) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    for (i = 0; i <= plugin_path->count; i++) {
        const char *dir = i < plugin_path->count ? trolley_span_text(plugin_path, i)
                          : builtin && *builtin  ? builtin
                                                 : TROLLEY_PLUGINDIR;

        made.dirs[i] = strdup(dir);
        if (!made.dirs[i]) {
            registry_clear(&made);
            return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
        }
        made.count = (size_t)i + 1;
    }
    *registry = made;
    return 0;
}

void registry_clear(struct registry *registry)
{
    size_t i;

    for (i = 0; i < registry->count; i++)
        free(registry->dirs[i]);
    free(registry->dirs);
    registry->dirs = NULL;
    registry->count = 0;
}

static char *registry_path(const char *dir, const char *name)
{
    struct kit_buffer path = {0};

    if (kit_buffer_printf(&path, "%s/%s.so", dir, name) < 0) {
        kit_buffer_free(&path);
        return NULL;
    }
    return kit_buffer_take(&path);
}

/* The names of the .so files of one directory, sorted; none when it cannot be read. */
struct names {
    char **items;
    size_t count;
};

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(struct names *names)
{
    size_t i;

    for (i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    names->items = NULL;
    names->count = 0;
}

static void names_read(const char *dir, struct names *names)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;

    while (stream && (entry = readdir(stream))) {
        size_t length = strlen(entry->d_name);
        char **items;

        if (length <= 3 || strcmp(entry->d_name + length - 3, ".so") != 0) continue;
        items = reallocarray(names->items, names->count + 1, sizeof *items);
        if (!items) break;
        names->items = items;
        items[names->count] = strndup(entry->d_name, length - 3);
        if (!items[names->count]) break;
        names->count++;
    }
    if (stream) closedir(stream);
    if (names->count) qsort(names->items, names->count, sizeof *names->items, names_compare);
}

static const char *names_next(void *ctx, size_t i)
{
    const struct names *names = ctx;

    return i < names->count ? names->items[i] : NULL;
}

static int registry_not_found(const struct registry *registry, const char *name,
                              struct trolley_error *error)
{
    struct kit_buffer dirs = {0};
    struct names names = {0};
    const char *nearest = NULL;
    size_t i;
    int r;

    for (i = 0; i < registry->count; i++) {
        (void)kit_buffer_printf(&dirs, "%s%s", i ? ", " : "", registry->dirs[i]);
        if (nearest) continue;
        names_free(&names);
        names_read(registry->dirs[i], &names);
        nearest = kit_text_nearest(name, names_next, &names);
    }
    r = error_set(error, TROLLEY_ERR_NOT_FOUND, "no plugin `%s` (%s.so) in %s%s%s%s", name, name,
                  dirs.data ? dirs.data : "", nearest ? "; did you mean `" : "",
                  nearest ? nearest : "", nearest ? "`?" : "");
    names_free(&names);
    kit_buffer_free(&dirs);
    return r;
}

int registry_load(const struct registry *registry, const char *name,
                  const struct trolley_plugin **ret_plugin, char **ret_path,
                  struct trolley_error *error)
{
    size_t i;
    int r;

    if (!*name || strchr(name, '/') || name[0] == '.')
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "`%s` is no plugin's name", name);
    for (i = 0; i < registry->count; i++) {
        char *path = registry_path(registry->dirs[i], name);

        if (!path) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
        if (access(path, F_OK) != 0) {
            free(path);
            continue;
        }
        r = loader_plugin(path, name, ret_plugin, error);
        if (r < 0 || !ret_path)
            free(path);
        else
            *ret_path = path;
        return r;
    }
    return registry_not_found(registry, name, error);
}

/* The path of an earlier directory's file of that name; the caller frees it. NULL when there is
 * none. */
static char *registry_shadow(const struct registry *registry, size_t before, const char *name)
{
    size_t i;

    for (i = 0; i < before; i++) {
        char *path = registry_path(registry->dirs[i], name);

        if (path && access(path, F_OK) == 0) return path;
        free(path);
    }
    return NULL;
}

int registry_each(const struct registry *registry,
                  void (*each)(void *ctx, const struct trolley_plugin_info *info), void *ctx,
                  struct trolley_error *error)
{
    size_t d, i;

    for (d = 0; d < registry->count; d++) {
        struct names names = {0};

        names_read(registry->dirs[d], &names);
        for (i = 0; i < names.count; i++) {
            struct trolley_plugin_info info = {.name = names.items[i]};
            struct trolley_error problem;
            char *path = registry_path(registry->dirs[d], info.name);
            char *shadow = registry_shadow(registry, d, info.name);

            if (!path) {
                names_free(&names);
                free(shadow);
                return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
            }
            info.path = path;
            info.shadowed_by = shadow;
            if (loader_plugin(path, info.name, &info.plugin, &problem) < 0)
                info.problem = problem.message;
            each(ctx, &info);
            free(shadow);
            free(path);
        }
        names_free(&names);
    }
    return 0;
}

void registry_names(const struct registry *registry, void (*each)(void *ctx, const char *name),
                    void *ctx)
{
    size_t d, i;

    for (d = 0; d < registry->count; d++) {
        struct names names = {0};

        names_read(registry->dirs[d], &names);
        for (i = 0; i < names.count; i++) {
            char *shadow = registry_shadow(registry, d, names.items[i]);

            if (!shadow) each(ctx, names.items[i]);
            free(shadow);
        }
        names_free(&names);
    }
}
