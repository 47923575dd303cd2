/* paths.h: whether two URLs of an exporter would store under one name. SPDX-License-Identifier: MIT
 */
#ifndef CORE_PREFETCH_PATHS_H
#define CORE_PREFETCH_PATHS_H

#include "core/config/config.h"
#include "core/prefetch/settings.h"

struct kit_buffer;

/* What the highest of [0] to [3] in a URL asks for. */
enum prefetch_grain prefetch_url_grain(const char *text);

/* The variant that what URL `i` of an exporter brings is stored as: "wado" for the main URL,
 * "wado-N" for url.N. */
void prefetch_url_variant(uint32_t i, char variant[24]);

/*
 * Refuses two URLs of one exporter that would write the same path: in one storage, or in two with
 * one root. Formats of paths (`type = template`) are compared as they render: an attribute that
 * neither URL's objects have reads alike, and what one writes of a frame or an instance differs
 * from what is there once a series only where the format names it. Errors: INVALID_CONFIG with the
 * exporter, both URLs and the path; NOMEM.
 */
int prefetch_paths_check(const struct config_file *file, const struct prefetch_exporter *exporter,
                         struct trolley_error *error);

/* Does the path of that URL leave out what tells its objects apart ([2] asked for, no instance UID
 * in it)? Then each takes the place of the one before. False where the URL stores nothing. */
bool prefetch_paths_overwrite(const struct config_file *file, const struct prefetch_url *url);

#endif
