/*
 * trolley/plugin.h: the entry of a plugin and its descriptor.
 *
 * `type = X` in an INI section loads X.so, whose only exported symbol is trolley_plugin_v1. The
 * function is pure: it returns static data, does no I/O and starts no threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_PLUGIN_H
#define TROLLEY_PLUGIN_H

#include "auth.h"
#include "downloader.h"
#include "host.h"
#include "option.h"
#include "query.h"
#include "searcher.h"
#include "storage.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a component is, and which struct its `ops` points to. */
enum trolley_kind {
    TROLLEY_KIND_SEARCHER = 1,
    TROLLEY_KIND_DOWNLOADER = 2,
    TROLLEY_KIND_STORAGE = 3,
    TROLLEY_KIND_AUTH = 4
};

/* One component. Open, static. */
struct trolley_component {
    uint32_t size;
    uint32_t kind;                      /* enum trolley_kind */
    const char *summary;                /* one line */
    uint64_t flags;                     /* TROLLEY_COMPONENT_* */
    const struct trolley_span *options; /* of struct trolley_option; NULL for none */
    /* Searchers: of struct trolley_query_type, in order of preference. */
    const struct trolley_span *query_types;
    /* TROLLEY_LEVEL_BITs. Searcher: what it returns; downloader: references it accepts. */
    uint32_t levels;
    uint32_t reserved;
    /* [load] Optional; once a section: what its instances share (a listener, an index),
     * thread-safe. *shared belongs to the plugin; on failure there is none and no close. */
    int32_t (*open)(const struct trolley_host *host, const struct trolley_config *config,
                    struct trolley_task *task, void **shared);
    /* [load] Optional; after the last instance is destroyed. */
    void (*close)(void *shared);
    /* [load] Required; an instance for one thread (storage: for all; auth: for one session). No
     * network I/O. host and config outlive the instance. *self belongs to the plugin; on failure
     * there is none and no destroy. Fails with INVALID_CONFIG, NOMEM, IO; the reason in task->fail.
     */
    int32_t (*create)(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self);
    /* [load] Required. NULL is a no-op. */
    void (*destroy)(void *self);
    const void *ops; /* struct trolley_searcher_ops, trolley_downloader_ops, ... by kind */
    /* [worker] Optional. Interfaces beyond the kind's, by id: a struct that lives as long as self;
     * NULL when unknown. */
    const void *(*get_interface)(void *self, const char *id);
};

#define TROLLEY_COMPONENT_HTTP UINT64_C(1) /* speaks HTTP: the section takes the key `session` */

/* The plugin. Open, static. */
struct trolley_plugin {
    uint32_t size;
    uint32_t abi_minor; /* TROLLEY_ABI_MINOR it was built with */
    const char *name;   /* the file's name without .so */
    const char *version;
    const char *license;                               /* SPDX */
    const char *summary;                               /* one line */
    const struct trolley_component *const *components; /* NULL-terminated, one a kind at most */
};

/* Interface "trolley.ping/1" of a searcher or downloader. Open. */
#define TROLLEY_PING_INTERFACE "trolley.ping/1"
struct trolley_ping_interface {
    uint32_t size;
    uint32_t reserved;
    /* [worker] Is the server there, and does it speak to us? No data is asked for. TROLLEY_OK or
     * the failure, with task->fail called. */
    int32_t (*ping)(void *self, struct trolley_task *task);
};

#if defined(__GNUC__)
#define TROLLEY_EXPORT __attribute__((visibility("default")))
#else
#define TROLLEY_EXPORT
#endif

/* The entry symbol, [load]. Returns static data, the same at each call; never NULL. */
TROLLEY_EXPORT const struct trolley_plugin *trolley_plugin_v1(void);

#ifdef __cplusplus
}
#endif
#endif
