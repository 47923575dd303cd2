/*
 * setup.h: an opened INI file with its components. A component is one section bound to its plugin;
 * an instance is what one thread uses of it. SPDX-License-Identifier: MIT
 */
#ifndef CORE_PLUGIN_SETUP_H
#define CORE_PLUGIN_SETUP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/config/config.h"
#include "core/plugin/loader.h"
#include "core/plugin/registry.h"
#include "core/plugin/task.h"
#include "core/transfer/transfer.h"

struct instance;
struct session;

struct component {
    struct component *next;
    struct trolley_setup *setup;
    struct trolley_config config; /* section_config's, with peers; handed to the plugin */
    struct section *section;
    struct trolley_component plugin; /* read with the host's sizes */
    char *name;                      /* of the section */
    char *title;                     /* "qido-rs pacs-search", for messages */
    void *shared;
    bool opened, opening;
    struct instance *creating; /* whose create runs, for config->peer; under the load lock */
};

struct instance {
    struct component *component;
    void *self;
    union {
        struct trolley_searcher_ops searcher;
        struct trolley_downloader_ops downloader;
        struct trolley_storage_ops storage;
        struct trolley_auth_ops auth;
    } ops;
    struct peer *peers; /* made by its create, destroyed after it */
};

struct trolley_setup {
    struct config_file *file; /* NULL for an empty setup */
    struct section *settings;
    struct registry registry;
    struct trolley_host host;
    struct component *components; /* opened or opening, newest first */
    struct session *sessions;
    const struct trolley_http_service *http; /* NULL until the module is opened */
    char *looked_up; /* path of the plugin that trolley_plugin_get showed last */
    atomic_int cancelled;
};

/*
 * The component of [kind name], opened (with its plugin loaded, section resolved, peers opened
 * first). Opened once. Errors: INVALID_CONFIG (no such section, unknown key, circle of peers), what
 * open says. [load, locks itself]
 */
int component_get(struct trolley_setup *setup, const char *kind, const char *name,
                  struct component **ret_component, struct trolley_error *error);

/* A storage component from its type alone, or from a section, with its root path replaced
 * (`--output`). `name` NULL: no section, defaults of `type`. */
int component_get_rooted(struct trolley_setup *setup, const char *name, const char *type,
                         const char *root, struct component **ret_component,
                         struct trolley_error *error);

/* An instance for one thread; free with instance_free. [load, locks itself] */
int instance_new(struct component *component, struct task *task, struct instance **ret_instance,
                 struct trolley_error *error);
void instance_free(struct instance *instance);

/* Query types and levels of a searcher, narrowed by its instance operations. */
const struct trolley_span *instance_query_types(const struct instance *instance);
uint32_t instance_levels(const struct instance *instance);

/* Does the section of the searcher, or of one that it wraps, ask for fuzzy matching where a query
 * says nothing (an option `fuzzymatching`, as the parameter of that name)? */
bool instance_fuzzy(const struct instance *instance);

/* An interface beyond the kind's; NULL when it has none of that id. */
const void *instance_interface(const struct instance *instance, const char *id);

/* A key of the component's section. */
const char *component_text(const struct component *component, const char *key);
int64_t component_integer(const struct component *component, const char *key, int64_t fallback);

/* The [session NAME] (or the plain one, ""), opened once, with its log-in plugin. [load] */
int session_get(struct trolley_setup *setup, const char *name, struct session **ret_session,
                struct trolley_error *error);
const struct section *session_section(const struct session *session);

/* config->peer and host->get_service, kept apart in peer.c and host.c. */
int32_t component_peer(const struct trolley_config *config, const char *key,
                       struct trolley_task *task, struct trolley_peer **peer);
void peers_free(struct peer *peers);
void host_init(struct trolley_setup *setup);
void host_close(struct trolley_setup *setup);

/* The component that a config handed to a plugin belongs to. */
struct component *component_of(const struct trolley_config *config);

/* Closes what component_get opened, last opened first. */
void components_close(struct trolley_setup *setup);

/* Option tables of a component's section, host's first: NULL-terminated into `tables` (room for 5).
 */
void component_tables(const struct trolley_component *plugin, const struct trolley_span **tables);

#endif
