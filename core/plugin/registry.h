/* registry.h: which plugin serves a type. SPDX-License-Identifier: MIT */
#ifndef CORE_PLUGIN_REGISTRY_H
#define CORE_PLUGIN_REGISTRY_H

#include "core/model/error.h"

/* The directories, in order: plugin_path's, then the built-in one. */
struct registry {
    char **dirs;
    size_t count;
};

/* `plugin_path`: span of absolute paths. The built-in directory is TROLLEY_PLUGINDIR of the
 * environment (staged installs, tests) or of the build. */
int registry_init(struct registry *registry, const struct trolley_span *plugin_path,
                  struct trolley_error *error);
void registry_clear(struct registry *registry);

/* Opens NAME.so from the first directory that has it. Errors: NOT_FOUND lists the directories and
 * the nearest name. */
int registry_load(const struct registry *registry, const char *name,
                  const struct trolley_plugin **ret_plugin, char **ret_path,
                  struct trolley_error *error);

/* Every NAME.so of every directory, in order of directory and name. A file that does not load has
 * its problem told. */
int registry_each(const struct registry *registry,
                  void (*each)(void *ctx, const struct trolley_plugin_info *info), void *ctx,
                  struct trolley_error *error);

/* Name of every NAME.so of every directory, those of later directories only where no earlier one
 * has it. Nothing is opened. */
void registry_names(const struct registry *registry, void (*each)(void *ctx, const char *name),
                    void *ctx);

#endif
