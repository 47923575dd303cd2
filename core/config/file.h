/* file.h: what the files of this folder share about an INI file and paths in it.
 * SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_FILE_H
#define CORE_CONFIG_FILE_H

#include <sys/types.h>

#include "core/config/config.h"

/* The folder that relative paths of the file start from; absolute. */
const char *config_file_directory(const struct config_file *file);

/* Whether users outside the file's group may read it. */
bool config_file_exposed(const struct config_file *file);

/* The name of the section of that kind nearest to `name`; NULL when none is near. */
const char *config_file_nearest(const struct config_file *file, const char *kind, const char *name);

/* Reads up to `size` bytes to the end of file. Returns the count, or -1 with errno. */
ssize_t config_read_all(int fd, char *data, size_t size);

/* `path`, or directory/path when it is relative. NULL on NOMEM; free() it. */
char *config_path_join(const char *directory, const char *path);

#endif
