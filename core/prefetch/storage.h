/*
 * storage.h: verifying and purging what a storage has written, by the storage's interface
 * trolley.stored/1 (storage type `template`). For the command line:
 *
 *     trolley prefetch storage verify NAME [--study UID] [--forget]
 *     trolley prefetch storage purge NAME --older 30d | --study UID [--dry-run]
 *
 *     struct prefetch_storage_options options = {.older_ms = 30 * 86400000LL, .dry_run = true};
 *     struct prefetch_storage_result result;
 *     r = prefetch_storage_purge(setup, "wado-jpeg", &options, each, ctx, &result, &error);
 *
 * `each` is told of every file that is not whole (verify) or is removed (purge). One at a time, not
 * at once with a download into the same storage in this process; other processes may be at work.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_PREFETCH_STORAGE_H
#define CORE_PREFETCH_STORAGE_H

#include <stdbool.h>
#include <trolley/stored.h>

#include "core/trolley_prefetch.h"

struct prefetch_storage_options {
    const char *study, *series, *instance; /* these alone; NULL: all */
    int64_t older_ms;                      /* stored at least so long ago; 0: of any age */
    bool dry_run;                          /* purge: say what would be removed */
    bool forget; /* verify: files that are missing or changed leave the index, so that they are
                    fetched again; the changed ones are removed */
};

struct prefetch_storage_result {
    uint64_t files, bytes;              /* looked at; purge: removed, or would be */
    uint64_t missing, resized, changed; /* verify */
    uint64_t failed;                    /* could not be read or removed */
};

/* One file; `state` is an enum trolley_stored_state, 0 when it could not be read or removed: then
 * `problem` says why, else it is NULL. Non-zero ends with that value. */
typedef int (*prefetch_storage_each)(void *ctx, const struct trolley_stored_item *item,
                                     uint32_t state, const char *problem);

/*
 * Compares every file with the index: presence, length, SHA-256. Returns 0 with *ret_result filled,
 * whatever was found. Errors: INVALID_CONFIG (no such storage), UNSUPPORTED (it keeps no index),
 * UNAVAILABLE (its disk is not mounted), CANCELLED, IO.
 */
int prefetch_storage_verify(struct trolley_setup *setup, const char *name,
                            const struct prefetch_storage_options *options,
                            prefetch_storage_each each, void *ctx,
                            struct prefetch_storage_result *ret_result,
                            struct trolley_error *error);

/*
 * Removes files by age or by study, with the folders that are empty then. INVALID_ARG when neither
 * is given: everything is not purged by mistake. Otherwise as prefetch_storage_verify.
 */
int prefetch_storage_purge(struct trolley_setup *setup, const char *name,
                           const struct prefetch_storage_options *options,
                           prefetch_storage_each each, void *ctx,
                           struct prefetch_storage_result *ret_result, struct trolley_error *error);

#endif
