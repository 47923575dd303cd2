/*
 * loader.h: opens one shared object as a ladder of checks, one clear message a rung. libltdl is
 * used here and nowhere else, under one process-wide lock; nothing is ever unloaded.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_PLUGIN_LOADER_H
#define CORE_PLUGIN_LOADER_H

#include <stdbool.h>

#include "core/model/error.h"

/* The lock of every [load] call. Recursive: create may ask for a service that opens a module. */
void loader_lock(void);
void loader_unlock(void);

/*
 * Opens `path` and returns `symbol` of it.
 * Errors: NOT_FOUND (no such file), INVALID_CONFIG (untrusted, not a shared object, undefined
 * symbol, no entry): the message names the file, the cause and the remedy.
 */
int loader_symbol(const char *path, const char *symbol, void **ret_symbol,
                  struct trolley_error *error);

/* The plugin in `path`, whose file name without .so is `name`, with its descriptor checked. Static
 * data. */
int loader_plugin(const char *path, const char *name, const struct trolley_plugin **ret_plugin,
                  struct trolley_error *error);

/* Is the descriptor sane? Sizes, name, kinds, required operations, option tables, query types. */
int descriptor_check(const char *path, const char *name, const struct trolley_plugin *plugin,
                     struct trolley_error *error);

/* The same without the option tables. */
int descriptor_check_shape(const char *path, const char *name, const struct trolley_plugin *plugin,
                           struct trolley_error *error);

/* The plugin's component of a kind, read with the host's idea of its size; false when it has none.
 */
bool descriptor_component(const struct trolley_plugin *plugin, uint32_t kind,
                          struct trolley_component *ret_component);

/* "searcher", "downloader", "storage", "auth"; "" for an unknown kind. */
const char *kind_name(uint32_t kind);

#endif
