/* ini.h: lines of an INI file, resolved. SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_INI_H
#define CORE_CONFIG_INI_H

#include "core/config/config.h"

/* Takes sections and keys in order of the file. Texts are borrowed for the call. A negative return
 * ends the reading. */
struct config_ini_handler {
    void *ctx;
    int (*section)(void *ctx, const char *header, int line); /* the text between the brackets */
    int (*entry)(void *ctx, const char *key, const char *value, int line);
};

/*
 * Reads `length` bytes of INI text. `path` stands in messages only. Key and header are trimmed,
 * comments cut, quotes resolved; the key is made of letters, digits, '_', '-' and '.'.
 * Errors: INVALID_CONFIG "FILE:LINE: ...", NOMEM, the handler's.
 */
int config_ini_read(const char *path, const char *text, size_t length,
                    const struct config_ini_handler *handler, struct trolley_error *error);

#endif
